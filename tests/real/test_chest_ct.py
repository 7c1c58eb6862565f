"""What the card of the lung nodules says of the real folder, found again without a look at what is held back."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.image_folder import recognise_card
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.modalities.chest_ct.reader import read_part
from course_lib.modalities.registry import open_dataset
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, PROFILES

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "lung_ct"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real crops in {FOLDER}")
CARD = load_card("lidc-nodules")
DEFECTS = " ".join(CARD.defects)
SIDE = 128  #: px
MIDDLE = slice(SIDE // 4, 3 * SIDE // 4)


@pytest.fixture(scope="module")
def learned() -> list[MarkedSlice]:
    return read_part(FOLDER, "train", recognise_card(FOLDER))[0]


@pytest.fixture(scope="module")
def marks(learned: list[MarkedSlice]) -> NDArray[np.bool_]:
    """[slices, readers, row, column]."""
    masks = [[np.asarray(open_mask(mask)) for mask in one.masks] for one in learned]
    assert {values for each in masks for mask in each for values in np.unique(mask).tolist()} == set(MASK_VALUES)
    return np.array(masks) > 0


def test_the_folder_is_of_this_card_and_parted_by_patient(learned: list[MarkedSlice]) -> None:
    assert recognise_card(FOLDER) == CARD
    assert len({one.patient for one in learned}) == 92
    assert len({one.nodule for one in learned}) == 255
    assert f"{len(learned):,} slices" in DEFECTS
    data = open_dataset("chest_ct", FOLDER, profile=PROFILES["full"])
    assert {one.patient for one in (*data.train, *data.validation)} == {one.patient for one in learned}
    assert len({one.patient for one in data.test}) == 22


@pytest.mark.slow
def test_every_crop_has_128_pixels_and_is_scaled_by_itself(learned: list[MarkedSlice]) -> None:
    for one in learned:
        crop = open_grey(one.path)
        assert crop.size == (SIDE, SIDE)
        assert crop.getextrema() == (0, 255)


@pytest.mark.slow
def test_readers_marked_as_many_slices_as_the_card_says(marks: NDArray[np.bool_]) -> None:
    assert marks.shape[1:] == (4, SIDE, SIDE)
    by = Counter(marks.any(axis=(2, 3)).sum(axis=1).tolist())
    said = f"{by[4]} were marked by four readers, {by[3]} by three, {by[2]} by two, {by[1]} by one and {by[0]} by none"
    assert said in DEFECTS


@pytest.mark.slow
def test_nodules_lie_in_the_middle_as_the_card_says(marks: NDArray[np.bool_]) -> None:
    majorities = [2 * drawn.sum(axis=0) >= len(drawn) for each in marks if len(drawn := each[each.any(axis=(1, 2))])]
    middles = np.array([np.argwhere(majority).mean(axis=0) for majority in majorities])
    (row, column), spread = middles.mean(axis=0), middles.std(axis=0)
    assert (
        f"row {row:.1f} and column {column:.1f} on average, with a spread of {spread[0]:.1f} and {spread[1]:.1f}"
        in (DEFECTS)
    )
    within = sum(each.any() and each.sum() == each[:, MIDDLE, MIDDLE].sum() for each in marks)
    assert f"All marks of {within:,} of the {len(marks):,} slices lie within the middle 64 x 64 pixels" in DEFECTS


@pytest.mark.slow
def test_folders_of_masks_are_filled_from_the_front(learned: list[MarkedSlice], marks: NDArray[np.bool_]) -> None:
    who: dict[str, NDArray[np.bool_]] = defaultdict(lambda: np.zeros(4, dtype=bool))
    for one, drawn in zip(learned, marks, strict=True):
        who[one.nodule] = who[one.nodule] | drawn.any(axis=(1, 2))
    readers = np.array(list(who.values()))
    last = (np.diff(readers.astype(int), axis=1) <= 0).all(axis=1).sum()
    assert readers[:, 0].all()
    assert 0.3 < readers[:, 3].mean() < 0.4
    assert f"of {len(readers)} nodules every one is marked in mask-0, and in {last} those who" in DEFECTS


@pytest.mark.slow
def test_two_readers_agree_as_the_card_says(marks: NDArray[np.bool_]) -> None:
    dice = [
        2 * (one & other).sum() / (one.sum() + other.sum())
        for each in marks
        for one, other in combinations(each[each.any(axis=(1, 2))], 2)
    ]
    assert f"a Dice of {np.mean(dice):.2f} on average ({len(dice):,} pairs)" in DEFECTS
