"""A fingerprint says what cases are like, and refuses what can not be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from course_lib.data.cases import Case, cases_of_marked_slices, cases_of_outlined_images
from course_lib.data.fingerprint import VOXELS_OF_A_CASE, fingerprint, percent
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.outlines_and_boxes import OutlinedImage
from course_lib.support.errors import DataError

LABELS = ("background", "tumour")


def case(*shape: int, box: tuple[slice, ...] | None = None, **more: Any) -> Case:
    """Grey 10 with a box of grey 60."""
    labels = np.zeros(shape, np.uint8)
    if box:
        labels[box] = 1
    known = {"spacing_mm": (1.0,) * len(shape), "patient": "p", **more}
    return Case(10.0 + 50 * labels, labels, **known)


def test_a_fingerprint_counts_what_is_there() -> None:
    first = case(20, 30, box=(slice(2, 6), slice(5, 15)), spacing_mm=(1.0, 2.0))
    second = case(24, 34, box=(slice(0, 6), slice(0, 14)), spacing_mm=(3.0, 2.0), patient="q")
    found = fingerprint(iter([first, second, case(22, 26, spacing_mm=(2.0, 2.0))]), LABELS)
    assert (found.cases, found.patients, found.dimensions, found.channels) == (3, 2, 2, 1)
    assert (found.shape_voxels, found.smallest_voxels, found.largest_voxels) == ((22, 30), (10, 26), (36, 34))
    assert found.spacing_mm == (2.0, 2.0)
    assert list(found.part_of_voxels) == pytest.approx([(40 + 84) / (600 + 816 + 572)])
    assert (found.extent_voxels, found.extent_90_voxels) == (((6, 12),), ((9, 14),))
    assert found.empty == pytest.approx(1 / 3)
    assert (set(found.inside), set(found.outside)) == ({60.0}, {10.0})


def test_sizes_count_in_voxels_of_the_median_spacing_case_by_case() -> None:
    box = (slice(0, 10),) * 3
    usual = case(20, 20, 20, box=box)
    coarse = case(30, 20, 20, box=box, spacing_mm=(2.0, 1.0, 1.0))
    found = fingerprint([usual, usual, coarse], LABELS)
    assert (found.spacing_mm, found.shape_voxels) == ((1.0, 1.0, 1.0), (20, 20, 20))
    assert (found.smallest_voxels, found.largest_voxels) == ((20, 20, 20), (60, 20, 20))
    assert (found.extent_voxels, found.extent_90_voxels) == (((10, 10, 10),), ((18, 10, 10),))


def test_without_a_spacing_sizes_are_as_stored() -> None:
    found = fingerprint([case(20, 30, box=(slice(2, 6), slice(5, 15)), spacing_mm=None)], LABELS)
    assert (found.spacing_mm, found.largest_voxels, found.extent_voxels) == (None, (20, 30), ((4, 10),))


def test_no_more_than_20_000_intensities_of_a_case_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    quantile = np.quantile

    def counted(values: Any, *more: Any, **options: Any) -> Any:
        kept.append(np.size(values))
        return quantile(values, *more, **options)

    monkeypatch.setattr(np, "quantile", counted)
    fingerprint([case(200, 199, box=(slice(0, 1), slice(0, 9)))], LABELS)
    assert VOXELS_OF_A_CASE / 2 < max(kept) <= VOXELS_OF_A_CASE


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        (0, "0 %"),
        (1e-8, "less than 0.01 %"),
        (0.00123, "0.12 %"),
        (0.2, "20 %"),
        (0.9913, "99.13 %"),
        (1 - 1e-8, "more than 99.99 %"),
        (1, "100 %"),
    ],
)
def test_only_none_is_0_per_cent_and_only_all_is_100(part: float, shown: str) -> None:
    assert percent(part) == shown


def test_each_label_has_its_extent() -> None:
    both = case(20, 20, box=(slice(2, 4), slice(2, 8)))
    both.labels[10:16, 3:5] = 2
    found = fingerprint([both], ("background", "ball", "rod"))
    assert found.extent_voxels == ((2, 6), (6, 2))


def test_channels_come_first() -> None:
    plain = case(16, 16, box=(slice(4, 8), slice(4, 8)))
    found = fingerprint([replace(plain, image=np.stack([plain.image] * 3))], LABELS)
    assert (found.channels, found.dimensions) == (3, 2)


def test_quantiles_are_those_of_all_intensities() -> None:
    grey = np.random.default_rng(0).normal(100, 10, (300, 300))
    labels = np.zeros(grey.shape, np.uint8)
    labels[:150] = 1
    found = fingerprint([Case(grey, labels, None, "p")], LABELS)
    assert found.inside == pytest.approx(np.quantile(grey[:150], (0.005, 0.05, 0.5, 0.95, 0.995)), abs=1)


GOOD = case(16, 16, box=(slice(4, 8), slice(4, 8)), name="good")
BAD = {
    "another number of axes": (case(16, 16, 16, name="bad"), "bad has 3 axes, good 2"),
    "no such shape": (replace(GOOD, image=np.zeros((16, 15)), name="bad"), r"shape \[16, 15\] and labels"),
    "two axes too many": (replace(GOOD, image=np.zeros((2, 1, 16, 16)), name="bad"), "at most one of channels"),
    "nothing in it": (replace(GOOD, image=np.zeros((0, 4)), labels=np.zeros((0, 4), int)), "two or three axes"),
    "other channels": (replace(GOOD, image=np.zeros((2, 16, 16)), name="bad"), "bad has 2 channels"),
    "other readers": (replace(GOOD, readers=4, name="bad"), "4 readers, good 1 and 1"),
    "a spacing lost": (replace(GOOD, spacing_mm=None, name="bad"), "good has a spacing, bad has none"),
    "a spacing too long": (replace(GOOD, spacing_mm=(1.0, 1.0, 1.0), name="bad"), "bad has 2 axes and the spacing"),
    "a spacing of 0": (replace(GOOD, spacing_mm=(1.0, 0.0), name="bad"), "all above 0"),
    "NaN": (replace(GOOD, image=np.full((16, 16), np.nan), name="bad"), "bad holds 256 values that are NaN"),
    "a label without a name": (replace(GOOD, labels=7 * GOOD.labels, name="bad"), r"bad holds the labels \[7\]"),
    "half a label": (replace(GOOD, labels=GOOD.labels / 2, name="bad"), r"the labels \[0.5\]"),
    "a label below 0": (replace(GOOD, labels=-GOOD.labels.astype(int), name="bad"), r"the labels \[-1\]"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_case_is_refused_by_its_name(what: str) -> None:
    bad, message = BAD[what]
    with pytest.raises(DataError, match=message):
        fingerprint([GOOD, bad], LABELS)


def test_no_case_is_refused() -> None:
    with pytest.raises(DataError, match="at least one case"):
        fingerprint([], LABELS)


def test_masks_that_are_all_empty_are_refused() -> None:
    with pytest.raises(DataError, match="None of the 2 cases holds tumour"):
        fingerprint([case(16, 16)] * 2, LABELS)


def test_a_label_that_is_nowhere_is_refused() -> None:
    with pytest.raises(DataError, match="None of the 1 cases holds rod"):
        fingerprint([GOOD], ("background", "ball", "rod"))


@pytest.mark.parametrize("labels", [("background",), ("tumour", "tumour")])
def test_labels_need_different_names(labels: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="two or more different names"):
        fingerprint([GOOD], labels)


def test_hounsfield_units_without_anything_below_water_are_doubted() -> None:
    with pytest.raises(DataError, match="unit='HU'"):
        fingerprint([GOOD], LABELS, "HU")
    assert fingerprint([replace(GOOD, image=GOOD.image - 900)], LABELS, "HU").unit == "HU"


def test_readers_marks_become_their_majority(tmp_path: Path) -> None:
    masks = []
    for reader, columns in enumerate((4, 6, 8, 0)):
        mask = np.zeros((16, 16), np.uint8)
        mask[2:5, :columns] = 255
        masks.append(tmp_path / f"{reader}.png")
        Image.fromarray(mask).save(masks[-1])
    Image.fromarray(np.full((16, 16), 80, np.uint8)).save(tmp_path / "slice.png")
    (found,) = cases_of_marked_slices([MarkedSlice(tmp_path / "slice.png", tuple(masks), "p", "p/nodule-0", 0)])
    assert (found.readers, found.spacing_mm, found.labels.sum()) == (4, None, 3 * 6)  # two of four marked six columns


def test_greys_of_masks_become_labels(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 80, np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.diag([255, 0, 7, 0, 0, 0, 0, 0]).astype(np.uint8)).save(tmp_path / "m.png")
    sample = OutlinedImage(tmp_path / "a.png", tmp_path / "m.png", "p", (0.5, 0.5))
    (found,) = cases_of_outlined_images([sample], (0, 255))
    assert (found.labels[0, 0], found.labels[2, 2], found.spacing_mm) == (1, 2, (0.5, 0.5))
    with pytest.raises(DataError, match=r"a.png holds the labels \[2\]"):
        fingerprint([found], LABELS)
