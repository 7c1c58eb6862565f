"""The audit on real radiographs, where they lie beside the course; what it finds is what was found by hand."""

import csv
from collections import defaultdict
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.audit import blind_model, find_duplicates, judge_properties, take_inventory
from course_lib.audit.pictures import OddPictures, find_odd_pictures
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT

DATA = COURSE_ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real X-rays in {DATA}")


@pytest.mark.slow
def test_the_copies_are_those_that_the_card_knows() -> None:
    found = find_duplicates(take_inventory(DATA / "chest_xray_224"))
    train = [group for group in found.exact if group[0].split == "train"]
    assert sum(len(group) - 1 for group in train) == 26
    assert len(train) == 24
    assert found.across_splits == found.across_classes == 0


@pytest.mark.slow
def test_a_difference_hash_is_the_same_for_hundreds_of_pairs_of_different_patients() -> None:
    alike = defaultdict(list)
    for radiograph in read_split(DATA / "chest_xray_224", "train")[0]:
        picture = open_grey(radiograph.path)
        tiny = np.asarray(picture.resize((9, 8), Image.Resampling.LANCZOS))
        alike[(tiny[:, 1:] > tiny[:, :-1]).tobytes()].append((radiograph.patient, picture.tobytes()))
    pairs = chain.from_iterable(combinations(group, 2) for group in alike.values())
    assert sum(a[0] != b[0] and a[1] != b[1] for a, b in pairs) == 305


@pytest.mark.slow
def test_no_picture_of_the_real_folder_is_called_odd() -> None:
    odd = find_odd_pictures(take_inventory(DATA / "chest_xray_224"))
    assert odd == OddPictures((), (), (), ())


@pytest.mark.slow
def test_the_quantisation_table_alone_tells_the_class() -> None:
    with Path(DATA / "fullsize_headers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {name: np.array([float(row[name]) for row in rows]) for name in ("width", "height", "bytes", "quant_sum")}
    labels = np.array([row["label"] == "PNEUMONIA" for row in rows], dtype=np.int64)
    patients = np.array([row["patient"] for row in rows])
    told = judge_properties(numbers, labels, patients, ("NORMAL", "PNEUMONIA"))
    single = {score.name: score for score in told.single}
    assert round(single["quant_sum"].accuracy, 3) == 0.993
    assert round(single["quant_sum"].larger_class, 3) == 0.743
    assert {name: round(single[name].auroc, 2) for name in ("bytes", "height", "width")} == {
        "bytes": 0.99,
        "height": 0.89,
        "width": 0.86,
    }
    assert "99.3 %" in " ".join(load_card("chest-xray-pneumonia").defects)


@pytest.mark.slow
def test_sixty_four_files_as_kaggle_serves_them_are_told_without_a_pixel() -> None:
    told = blind_model(take_inventory(DATA / "chest_xray_fullsize"))
    assert told.together.low > 0.95
