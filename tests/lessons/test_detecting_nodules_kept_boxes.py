"""Lesson 12: what the trained detectors found comes back as it was kept, and fits the films that can be drawn again."""

import json
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from course_lib.data.image_file import open_grey
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.evaluation.detection import Boxes, DetectionPredictions, judge, merged
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.studies import stored
from course_lib.lessons.detecting_nodules.kept_boxes import COMMAND, FILE, MOST, KeptFilms, keep_films, kept_films
from course_lib.modalities.chest_findings.phantoms import Settings, draw_films, make_dataset
from course_lib.modalities.chest_findings.reader import CLASSES
from course_lib.modalities.chest_findings.recipe import LESION, LESIONS, ON_PHANTOMS, PHANTOMS
from course_lib.modalities.simulated_film.marked_film import SUBTLETIES
from course_lib.support.errors import DataError
from tests.authoring.made_up_answers import true_boxes

MODULE = import_module(KeptFilms.__module__)  # the package has a function of this name
#: Six patients to test on, numbers 1 to 6: healthy ones, with other findings alone, with two films, with two findings.
FEW = Settings({"train": 1, "test": 6}, seed=43, pixels=64)
COUNTS = (60, 3, 0, 25, 1, 40, 0, 7)  #: found boxes of all classes, film after film


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[BoxedImage, ...]:
    root = make_dataset(tmp_path_factory.mktemp("few") / "set", FEW)
    return ON_PHANTOMS.test_data(root).samples


@pytest.fixture(scope="module")
def said(films: tuple[BoxedImage, ...]) -> dict[str, DetectionPredictions]:
    """What two detectors might say of the films: boxes of all classes, anywhere."""
    return {name: made_up(films, seed) for seed, name in enumerate(("first", "second, other"))}


def made_up(films: tuple[BoxedImage, ...], seed: int) -> DetectionPredictions:
    rng = np.random.default_rng(seed)
    found = []
    for count in COUNTS:
        low, side = rng.uniform(0, 50, (count, 2)), rng.uniform(1, 14, (count, 2))
        found.append(Boxes(np.hstack([low, low + side]), rng.integers(0, len(CLASSES), count), rng.random(count)))
    return DetectionPredictions(
        classes=CLASSES,
        found=tuple(found),
        true=tuple(true_boxes(film) for film in films),
        losses=rng.random(len(films)),
        patients=np.array([film.patient for film in films], dtype=np.str_),
        files=tuple(film.path.name for film in films),
    )


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(MODULE, "FILE", tmp_path / FILE.name)
    return tmp_path / FILE.name


@pytest.fixture
def kept(file: Path, films: tuple[BoxedImage, ...], said: Mapping[str, DetectionPredictions]) -> KeptFilms:
    keep_films(films, said, FEW)
    assert file.exists()
    return kept_films()


def lesions_of(film: BoxedImage) -> list[int]:
    """The places of its nodules and masses among its boxes."""
    return [place for place, label in enumerate(film.labels) if CLASSES[label] in LESIONS]


def test_there_is_every_kind_of_film_to_be_kept(films: tuple[BoxedImage, ...]) -> None:
    kinds = {frozenset(CLASSES[label] in LESIONS for label in film.labels) for film in films}
    assert kinds == {frozenset(), frozenset({True}), frozenset({False}), frozenset({True, False})}
    assert len(films) == len(COUNTS) > len({film.patient for film in films}) == 6
    assert {CLASSES[film.labels[place]] for film in films for place in lesions_of(film)} == set(LESIONS)


def test_films_and_their_nodules_and_masses_come_back(kept: KeptFilms, films: tuple[BoxedImage, ...]) -> None:
    assert [*kept.said] == ["first", "second, other"]
    for one in kept.said.values():
        assert one.classes == (LESION,)
        assert one.files == tuple(film.path.name for film in films)
        assert one.patients.tolist() == [film.patient for film in films]
        assert np.isnan(one.losses).all()
        for film, true in zip(films, one.true, strict=True):
            assert true.corners.tolist() == [list(film.boxes[place]) for place in lesions_of(film)]
            assert true.scores.tolist() == [1] * len(true)
    assert kept.settings == FEW


def test_of_what_was_found_the_surest_nodules_and_masses_come_back(
    kept: KeptFilms, said: Mapping[str, DetectionPredictions]
) -> None:
    counts = set()
    for name, one in said.items():
        for before, after in zip(merged(one, LESIONS, LESION).found, kept.said[name].found, strict=True):
            surest = np.argsort(-before.scores)[:MOST]
            assert after.corners == pytest.approx(before.corners[surest], abs=0.05 + 1e-9)
            assert after.corners.tolist() == before.corners[surest].round(1).tolist()
            assert after.scores == pytest.approx(before.scores[surest], abs=0.00005)
            assert set(after.classes.tolist()) <= {0}
            counts.add(len(after))
    assert {0, MOST} < counts
    assert max(counts) == MOST


def test_how_hard_they_are_to_see_comes_in_the_order_of_the_true_boxes(
    kept: KeptFilms, films: tuple[BoxedImage, ...]
) -> None:
    there = [(film, place) for film in films for place in lesions_of(film)]
    assert kept.subtlety.tolist() == [film.subtlety[place] for film, place in there]
    assert kept.contrast_to_noise.tolist() == [film.contrast_to_noise[place] for film, place in there]
    assert len(there) == sum(len(true) for true in kept.said["first"].true) > 3
    assert set(kept.subtlety.tolist()) <= set(SUBTLETIES)


def test_a_film_is_drawn_again_as_it_was(kept: KeptFilms, films: tuple[BoxedImage, ...]) -> None:
    second_of_two = next(place for place, film in enumerate(films) if film.path.name.endswith("_001.jpg"))
    for place in (second_of_two - 1, second_of_two):
        film = films[place]
        drawn = kept.draw(place)
        expected = draw_films(FEW, int(film.patient.removeprefix("phantom")))[place - second_of_two + 1][1]
        assert np.array_equal(drawn.image, expected.image)
        assert [mark.box for mark in drawn.marks] == [mark.box for mark in expected.marks]
        in_file = np.asarray(open_grey(film.path), dtype=float)
        assert np.abs(drawn.image - in_file).mean() < 4, "but for what JPEG takes away"
        boxes = [mark.box for mark in drawn.marks if mark.finding in LESIONS]
        assert kept.said["first"].true[place].corners.tolist() == [list(box) for box in boxes]


@pytest.mark.usefixtures("kept")
def test_the_file_has_a_line_for_each_film_and_no_path(file: Path, films: tuple[BoxedImage, ...]) -> None:
    text = file.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if '"file": ' in line]
    assert len(lines) == len(films)
    assert str(films[0].path.parent) not in text
    assert json.loads(text)["command"] == COMMAND


def test_answers_to_other_films_are_not_kept(
    file: Path, films: tuple[BoxedImage, ...], said: Mapping[str, DetectionPredictions]
) -> None:
    for some in (films[1:], films[::-1]):
        with pytest.raises(ValueError, match=rf"answers to these {len(some)} films, .* but \['first', 'second, other'"):
            keep_films(some, said, FEW)
    assert not file.exists()


def test_where_there_is_no_file_it_is_said_what_makes_it(file: Path) -> None:
    with pytest.raises(
        DataError, match=rf"^{FILE.name} is not there\. Delete \S+\.phantom\.json, .*{re.escape(COMMAND)}$"
    ):
        kept_films()
    assert not file.exists()


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("part", [0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(file: Path, part: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=rf"no whole file of boxes: .*{re.escape(COMMAND)}$"):
        kept_films()


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"films": ', '"others": '),
        ('"settings": ', '"other": '),
        ('"pixels": 64', '"pixels": 6'),
        ('"pixels": 64', '"pixels": 64, "colour": 1'),
        ('"second, other": ', '"third": '),
        ('"subtlety": ["', '"subtlety": ["subtle", "'),
        ('"contrast_to_noise": [', '"contrast_to_noise": [1.5, '),
        ('"contrast_to_noise": [', '"contrast_to_noise": ["much", '),
        ('"true": [[', '"true": [[9999, '),
        ('"first": [[', '"first": [[9999, '),
    ],
)
def test_a_damaged_file_is_refused(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=rf"no whole file of boxes: .*{re.escape(COMMAND)}$"):
        kept_films()


def test_a_file_of_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00{}")
    with pytest.raises(DataError, match="no whole file of boxes"):
        kept_films()


# --- the file of the course


def test_the_kept_boxes_say_what_the_study_says() -> None:
    kept, study = kept_films(), stored("nodule_detectors", "phantom")
    assert {str(row["detector"]) for row in study.rows} - kept.said.keys() == {"without looking"}
    for name, said in kept.said.items():
        (row,) = study.select(detector=name)
        judged = judge(said, centre_inside)
        assert judged.froc_score() == pytest.approx(row["froc"], abs=0.02)
        assert judged.froc().sensitivity_at(1) == pytest.approx(row["found"], abs=0.02)


def test_the_kept_films_are_those_of_the_patients_to_test_on() -> None:
    kept = kept_films()
    assert kept.settings == PHANTOMS, "the films can not be drawn again as they were: carry out the study anew"
    for said in kept.said.values():
        assert set(said.patients.tolist()) == {f"phantom{number:04d}" for number in range(600, 800)}
        assert len(set(said.files)) == len(said.files)
        assert all(
            re.fullmatch(rf"{patient}_00[01]\.jpg", file)
            for patient, file in zip(said.patients, said.files, strict=True)
        )
    assert len(kept.subtlety) == len(kept.contrast_to_noise) == sum(len(true) for true in said.true)
    assert set(kept.subtlety.tolist()) == set(SUBTLETIES)
