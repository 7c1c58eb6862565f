"""What the card of the films with boxes says of the real folder, found again without a look at what is held back."""

from collections import Counter

import numpy as np
import pytest

from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import recognise_card
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.modalities.chest_findings.reader import read_part
from course_lib.modalities.registry import open_dataset
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, PROFILES

FOLDER = COURSE_ROOT.parent / "shared" / "data" / "chest_boxes"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no real films in {FOLDER}")
CARD = load_card("nih-chest-xrays")
DEFECTS = " ".join(CARD.defects)
SIDE = 384  #: px


@pytest.fixture(scope="module")
def learned() -> list[BoxedImage]:
    return read_part(FOLDER, "train", recognise_card(FOLDER))[0]


@pytest.fixture(scope="module")
def boxed(learned: list[BoxedImage]) -> list[BoxedImage]:
    return [film for film in learned if film.boxes]


def sides_of(films: list[BoxedImage], finding: str) -> list[float]:
    """The square root of the area of each box of a finding, px."""
    return [
        np.sqrt((right - left) * (bottom - top))
        for film in films
        for (left, top, right, bottom), label in zip(film.boxes, film.labels, strict=True)
        if CARD.classes[label] == finding
    ]


def test_the_folder_is_of_this_card_and_parted_by_patient(learned: list[BoxedImage], boxed: list[BoxedImage]) -> None:
    assert recognise_card(FOLDER) == CARD
    with_box = {film.patient for film in boxed}
    without = {film.patient for film in learned if not film.boxes}
    assert f"the {len(learned)} films are of {len({film.patient for film in learned})} patients" in DEFECTS
    said = f"{len(with_box)} patients have a film with a box, {len(without)} one without a finding, and"
    assert f"{said} {len(with_box & without)} have both" in DEFECTS
    data = open_dataset("chest_findings", FOLDER, profile=PROFILES["full"])
    assert {film.patient for film in (*data.train, *data.validation)} == {film.patient for film in learned}
    assert len(data.test) == 721 - len(learned)
    assert len({film.patient for film in data.test}) == 429 - len({film.patient for film in learned})


def test_films_have_as_many_boxes_as_the_card_says(boxed: list[BoxedImage]) -> None:
    by = Counter(len(film.boxes) for film in boxed)
    assert sum(by.values()) == sum(by[number] for number in (1, 2, 3))
    said = f"of the {len(boxed)} boxed films {by[1]} have one box, {by[2]} have two and {by[3]} have three"
    assert said in DEFECTS
    assert all(len(set(film.labels)) == len(film.labels) for film in boxed), "no finding is boxed twice on a film"


def test_findings_are_as_many_and_as_large_as_the_card_says(boxed: list[BoxedImage]) -> None:
    nodules, masses = sides_of(boxed, "Nodule"), sides_of(boxed, "Mass")
    boxes = sum(len(film.boxes) for film in boxed)
    assert f"of {boxes} boxes {len(nodules)} are nodules and {len(masses)} are masses" in DEFECTS
    said = f"On films of {SIDE} px a nodule has a side of {min(nodules):.0f} to {max(nodules):.0f} px (the square root"
    assert f"{said} of the area; half of them up to {np.median(nodules):.0f})" in DEFECTS
    assert f"from {min(masses):.0f} to {max(masses):.0f} px, which is half of the width of the film" in DEFECTS
    assert 0.45 < max(masses) / SIDE < 0.55


def test_boxes_lie_within_their_films(boxed: list[BoxedImage]) -> None:
    assert all(0 <= edge <= SIDE for film in boxed for box in film.boxes for edge in box)


def test_views_are_as_the_card_says(boxed: list[BoxedImage]) -> None:
    views = Counter(film.view for film in boxed)
    assert set(views) == {"AP", "PA"}
    assert f"Of the {len(boxed)} boxed films {views['AP']} are AP, " in DEFECTS
    assert f"and {views['PA']} PA, standing" in DEFECTS


@pytest.mark.slow
def test_every_film_has_384_pixels(learned: list[BoxedImage]) -> None:
    assert {open_grey(film.path).size for film in learned} == {(SIDE, SIDE)}
    assert f"{SIDE} x {SIDE} and JPEG" in DEFECTS
