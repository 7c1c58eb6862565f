"""What the card of the brain tumour set says of the folder of JPEGs, found again without a look at its highest fold."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from course_lib.data.image_file import open_mask
from course_lib.data.image_folder import patients_are_folds, recognise_card
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.modalities.brain_mri.reader import TumourSlice, read_part, series_of
from course_lib.modalities.registry import open_dataset
from course_lib.sources.dataset_card import load_card
from course_lib.sources.foreign_image import image_bytes, read_image
from course_lib.support.runtime import COURSE_ROOT

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "brain_mri"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real slices in {FOLDER}")
CARD = load_card("brain-tumour-mri")
DEFECTS = " ".join(CARD.defects)


@pytest.fixture(scope="module")
def learned() -> list[TumourSlice]:
    return read_part(FOLDER, "train", recognise_card(FOLDER))[0]


@pytest.fixture(scope="module")
def tested() -> list[TumourSlice]:
    return read_part(FOLDER, "test", recognise_card(FOLDER))[0]


def test_the_folder_is_of_this_card_and_folds_are_its_patients(
    learned: list[TumourSlice], tested: list[TumourSlice]
) -> None:
    assert recognise_card(FOLDER) == CARD
    assert patients_are_folds(learned)
    data = open_dataset("brain_mri", FOLDER)
    assert [{one.patient for one in part} for part in (data.train, data.validation, data.test)] == [
        {"fold1"},
        {"fold2"},
        {"fold3"},
    ]
    assert [len(part) for part in (data.train, data.validation, data.test)] == [570, 655, 562]
    assert f"Of the {len(learned) + len(tested):,} JPEGs" in DEFECTS


def test_some_images_have_no_mask(learned: list[TumourSlice], tested: list[TumourSlice]) -> None:
    without = Counter(CARD.classes[one.label] for one in (*learned, *tested) if one.mask is None)
    assert f"{sum(without.values())} have no mask: {without['glioma']} gliomas, {without['meningioma']} men" in DEFECTS
    assert not without["pituitary"]


def test_runs_of_numbers_are_as_the_card_counts_them(learned: list[TumourSlice]) -> None:
    lengths = list(Counter(series_of(learned)).values())
    said = (
        f"{len(lengths)} such runs of {min(lengths)} to {max(lengths)} slices, half of them of {np.median(lengths):.0f}"
    )
    assert said in DEFECTS


def test_no_number_is_above_that_of_the_last_file_of_the_set(
    learned: list[TumourSlice], tested: list[TumourSlice]
) -> None:
    numbers = [int(Path(one.path).stem[-4:]) for one in (*learned, *tested)]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) <= sum(number for pattern, number in CARD.archive.items() if "cvind" not in pattern)


@pytest.mark.slow
def test_images_have_256_pixels_and_8_bits_and_masks_outline_something(learned: list[TumourSlice]) -> None:
    for one in learned:
        picture = read_image(image_bytes(one.path), one.path)
        assert (picture.grey.size, picture.mode) == ((256, 256), "L")
        assert picture.grey.getextrema()[0] == 0
        if one.mask:
            mask = np.asarray(open_mask(one.mask))
            assert mask.shape == (256, 256)
            assert sorted(np.unique(mask)) == list(MASK_VALUES)
