"""The study of simulated and real nodules: who answers for which film, what each learns from, and what is kept."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from course_lib.authoring.studies import judged_rows, real_nodules
from course_lib.authoring.studies.real_nodules import (
    FIRST,
    FIRST_INSERTED,
    FOLDS,
    INSERTED,
    PHANTOMS,
    PHOTOGRAPHS,
    STARTS,
    films_of,
    fold_of,
)
from course_lib.data.box_changes import BoxChanges
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage
from course_lib.evaluation.detection import DetectionPredictions, judge, merged
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.intervals import bootstrap_intervals, compare
from course_lib.evaluation.studies import SCORES
from course_lib.modalities.chest_findings import inserted_nodules, recipe
from course_lib.modalities.chest_findings.inserted_nodules import InsertNodules
from course_lib.modalities.chest_findings.reader import CLASSES, read_part
from course_lib.modalities.chest_findings.recipe import LESION, LESIONS, ON_PHANTOMS
from course_lib.tasks.detection import Detection
from course_lib.training.config import TrainConfig
from tests.authoring.made_up_answers import FEW, PX, check_numbers, made_up, small
from tests.counted import count_calls
from tests.modalities.chest_findings.made_films import write_patients


def test_the_study_is_about_a_known_score_and_asks_each_case_once(real: CourseData[Any]) -> None:
    study = real_nodules.STUDY
    cases = study.cases(real)
    assert all(set(case) == {*study.factors, "seed"} for case in cases)
    assert [case["start"] for case in cases] == [*STARTS]
    assert len(set(STARTS)) == len(STARTS)
    assert study.score in SCORES
    assert study.sources == ("real",), "it is about real films"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> CourseData[Any]:
    """Stand-ins of real films, some of them set aside for validation; the files of the test part are nowhere."""
    folder = write_patients(tmp_path_factory.mktemp("real"), patients=24)
    films, names = read_part(folder, "train")
    turned = tuple(reversed(names))  # labels are indices of the names of the data, whatever their order
    films = [replace(film, labels=tuple(turned.index(names[label]) for label in film.labels)) for film in films]
    closed = tuple(replace(film, path=Path("00099999_000.jpg"), patient="00099999") for film in films[:2])
    return CourseData("Films", False, turned, tuple(films[6:]), tuple(films[:6]), closed, "", None)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The study with small films and few draws; gives where answers and networks are kept."""
    monkeypatch.setattr(real_nodules, "EXPERIMENT", small(real_nodules.EXPERIMENT))
    monkeypatch.setattr(real_nodules, "UNFINISHED", tmp_path)
    monkeypatch.setattr(judged_rows, "bootstrap_intervals", partial(bootstrap_intervals, resamples=40))
    monkeypatch.setattr(judged_rows, "compare", partial(compare, resamples=40))
    return tmp_path


def rows_of(said: DetectionPredictions, places: Sequence[int]) -> np.ndarray:
    """The boxes found in these films as they are kept."""
    return np.array(
        [
            [place, *corners, kind, score]
            for place in places
            for corners, kind, score in zip(
                said.found[place].corners, said.found[place].classes, said.found[place].scores, strict=True
            )
        ]
    ).reshape(-1, real_nodules.COLUMNS)


def test_the_films_are_all_but_the_test_part_with_the_recipes_labels(real: CourseData[Any]) -> None:
    films = films_of(real)
    assert [film.path.name for film in films] == sorted(film.path.name for film in (*real.train, *real.validation))
    assert not {film.patient for film in films} & {film.patient for film in real.test}
    before = {film.path.name: film for film in (*real.train, *real.validation)}
    for film in films:
        named = [real.classes[label] for label in before[film.path.name].labels]
        assert [CLASSES[label] for label in film.labels] == named
    assert len({label for film in films for label in film.labels}) > 3
    otherwise = replace(real, train=real.validation, validation=real.train[::-1])
    assert films_of(otherwise) == films


def test_a_patient_is_in_one_fold_and_about_half_of_them_are_in_each(real: CourseData[Any]) -> None:
    films = [BoxedImage(Path(f"{n}.jpg"), (), (), f"{n // 2:08d}") for n in range(800)]
    folds = [fold_of(film) for film in films]
    assert folds[::2] == folds[1::2]
    assert set(folds) == set(range(FOLDS))
    assert 0.4 < np.mean(folds) < 0.6
    assert {fold_of(film) for film in films_of(real)} == {0, 1}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("start", STARTS)
def test_every_film_is_answered_once_by_a_network_that_has_not_seen_its_patient(
    real: CourseData[Any], start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, asked = films_of(real), []
    said = made_up(films, 0)

    def boxes_in(_: object, held: Sequence[int], by: str) -> np.ndarray:
        asked.append([*held])
        assert by == start
        return rows_of(said, held)

    monkeypatch.setattr(real_nodules, "_boxes_in", boxes_in)
    answered = real_nodules._answers(films, start)
    assert answered.files == tuple(film.path.name for film in films)
    assert answered.patients.tolist() == [film.patient for film in films]
    assert len(asked) == {real_nodules.NOT_LOOKING: 0, PHANTOMS: 1}.get(start, FOLDS)
    if start == real_nodules.NOT_LOOKING:
        blind = Detection(CLASSES).baseline(answered)
        assert all(np.array_equal(a.corners, b.corners) for a, b in zip(answered.found, blind.found, strict=True))
        return
    assert sorted(place for held in asked for place in held) == [*range(len(films))]
    patients = [{films[place].patient for place in held} for held in asked]
    assert not set.intersection(*patients) or start == PHANTOMS
    for kept_boxes, boxes in zip(answered.found, said.found, strict=True):
        assert kept_boxes.corners.tolist() == boxes.corners.tolist()
        assert kept_boxes.classes.tolist() == boxes.classes.tolist()
        assert kept_boxes.scores.tolist() == boxes.scores.tolist()


@pytest.mark.usefixtures("quick")
def test_true_boxes_are_in_the_px_in_which_a_network_sees_the_film(real: CourseData[Any]) -> None:
    films = films_of(real)  # of 48 x 40 px
    said = real_nodules._predictions(films, [])
    assert said.classes == CLASSES
    assert all(len(found) == 0 for found in said.found)
    scale = PX / 48
    for film, true in zip(films, said.true, strict=True):
        assert true.classes.tolist() == list(film.labels)
        for (x0, y0, x1, y1), (left, top, right, bottom) in zip(true.corners, film.boxes, strict=True):
            assert (x1 - x0, y1 - y0) == pytest.approx(((right - left) * scale, (bottom - top) * scale), abs=0.1)
            assert x0 == pytest.approx(left * scale, abs=0.1)
            assert y0 == pytest.approx((top + 4) * scale, abs=0.6), "a margin above and below"


def test_what_was_found_is_not_looked_for_twice(
    real: CourseData[Any], quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = films_of(real)
    said, trained = made_up(films, 0), []

    def new(start: str, learned: tuple[BoxedImage, ...]) -> nn.Module:
        trained.append((start, learned))
        return nn.Identity()

    def predict(_: nn.Module, data: BoxedDataset) -> DetectionPredictions:
        assert data.change is None
        places = [films.index(film) for film in data.samples]
        return said.take(np.array(places))

    monkeypatch.setattr(real_nodules, "_trained", new)
    monkeypatch.setattr(real_nodules, "predict", predict)
    held = [place for place, film in enumerate(films) if fold_of(film)]
    for _ in range(2):
        rows = real_nodules._boxes_in(films, held, PHOTOGRAPHS)
        assert rows.tolist() == rows_of(said, held).tolist()
    ((start, learned),) = trained
    assert start == PHOTOGRAPHS
    assert learned == tuple(film for film in films if not fold_of(film))
    real_nodules._boxes_in(films, held, INSERTED)
    real_nodules._boxes_in(films, [place for place, film in enumerate(films) if not fold_of(film)], PHOTOGRAPHS)
    real_nodules._boxes_in(films, range(len(films)), PHANTOMS)
    assert len(trained) == 4
    assert trained[-1] == (PHANTOMS, ())
    assert len(list((quick / "boxes").glob("*.answers"))) == 4


@pytest.mark.usefixtures("quick")
def test_a_network_may_find_nothing_at_all(real: CourseData[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    films = films_of(real)
    nothing = real_nodules._predictions(films, [])
    monkeypatch.setattr(real_nodules, "_trained", lambda *_: nn.Identity())
    monkeypatch.setattr(real_nodules, "predict", lambda _, data: nothing.take(np.arange(len(data))))
    assert real_nodules._boxes_in(films, range(len(films)), PHANTOMS).shape == (0, real_nodules.COLUMNS)
    assert all(len(found) == 0 for found in real_nodules._answers(films, PHANTOMS).found)


def test_another_training_has_another_key(real: CourseData[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert " at 0x" not in repr((real_nodules.EXPERIMENT, ON_PHANTOMS, recipe.PHANTOMS)), "the same in the next run"
    boxed = [film for film in films_of(real) if film.boxes]
    a, b = boxed[0], next(film for film in boxed if film.patient != boxed[0].patient)
    (x0, y0, x1, y1), *others = a.boxes
    moved = replace(a, boxes=((x0, y0, x1, y1 + 1), *others))
    renamed = replace(a, labels=tuple(label + 1 for label in a.labels))
    of_another = replace(a, patient=b.patient)
    smaller = replace(a, path=a.path.parent / "elsewhere" / a.path.name)
    smaller.path.parent.mkdir()
    smaller.path.write_bytes(a.path.read_bytes()[:-1])
    one_set = [([film],) for film in (a, b, moved, renamed, of_another, smaller)]
    named: list[tuple[list[BoxedImage], ...]] = [([],), *one_set, ([a], [a, b])]
    keys = [real_nodules._key(start, *films) for start in STARTS for films in named]
    assert keys == [real_nodules._key(start, *films) for start in STARTS for films in named]
    changed: tuple[tuple[object, str, object], ...] = (
        (real_nodules, "EXPERIMENT", small(real_nodules.EXPERIMENT)),
        (real_nodules, "ON_PHANTOMS", small(ON_PHANTOMS)),
        (real_nodules, "SIMULATED", FEW),
        (real_nodules, "SEED", 1),
        (inserted_nodules, "NODULE_MM", (1.0, 2.0)),
        (inserted_nodules, "GREY_PER_CM", (1.0, 2.0)),
        (inserted_nodules, "WIDER_BOX", 0.0),
        (inserted_nodules, "DIFFERENT", 1),
        (inserted_nodules, "InsertNodules", partial(InsertNodules, healthy=0.1)),
    )
    for module, name, other in changed:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, other)
            keys.append(real_nodules._key(STARTS[0], []))
    assert len(set(keys)) == len(keys)


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch, quick: Path) -> list[tuple[nn.Module, BoxedDataset, TrainConfig, Path]]:
    """Each training on real films that would have been; a network from phantoms is one that can be recognised."""
    assert quick.exists()
    fits = []

    def fit(
        model: nn.Module, learned: BoxedDataset, shown: BoxedDataset, config: TrainConfig, *, checkpoint: Path
    ) -> None:
        assert shown.change is None
        assert set(shown.samples) <= set(learned.samples)
        fits.append((model, learned, config, checkpoint))

    def trained(experiment: recipe.BoxedFindings, seed: int, *_: object) -> nn.Module:
        assert (experiment, seed) == (ON_PHANTOMS, real_nodules.SEED)
        return nn.Identity()

    monkeypatch.setattr(real_nodules, "fit_whole", fit)
    monkeypatch.setattr(real_nodules, "trained", trained)
    monkeypatch.setattr(recipe.BoxedFindings, "training_data", lambda *_: (None, None))
    return fits


def test_each_start_learns_from_the_same_films_as_often(
    real: CourseData[Any], fitted: list[tuple[nn.Module, BoxedDataset, TrainConfig, Path]]
) -> None:
    films = films_of(real)[:5]
    assert isinstance(real_nodules._trained(PHANTOMS, ()), nn.Identity)
    assert not fitted, "no real film is seen"
    starts = (PHOTOGRAPHS, INSERTED, FIRST, FIRST_INSERTED)
    models = [real_nodules._trained(start, films) for start in starts]
    assert all(model is fit[0] for model, fit in zip(models, fitted, strict=True))
    assert [isinstance(model, nn.Identity) for model in models] == [False, False, True, True]
    for start, (_, learned, config, _) in zip(starts, fitted, strict=True):
        assert learned.samples == films
        changes = learned.change.changes  # type: ignore[union-attr]
        inserts = [one for one in changes if isinstance(one, InsertNodules)]
        assert len(inserts) == (start in (INSERTED, FIRST_INSERTED))
        assert all((one.nodule, one.mass) == (0, 1) for one in inserts)
        assert isinstance(changes[-1], BoxChanges)
        assert (config.epochs, config.seed, config.keep) == (real_nodules.EPOCHS, real_nodules.SEED, "last")
    real_nodules._trained(PHOTOGRAPHS, films[:4])
    assert len({checkpoint for *_, checkpoint in fitted}) == 5


@pytest.mark.usefixtures("quick")
def test_starts_are_compared_with_photographs_alone_on_the_same_patients(
    real: CourseData[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    films = films_of(real)
    said = {start: made_up(films, seed, found=0.1 + 0.15 * seed) for seed, start in enumerate(STARTS)}
    asked = count_calls(monkeypatch, real_nodules, "films_of")
    monkeypatch.setattr(real_nodules, "_answers", lambda some, start: said[start] if some == films else None)
    rows = {start: real_nodules.measure(real, {"start": start, "seed": 0}) for start in STARTS}
    assert len(asked) == len(STARTS)
    compared = rows[PHOTOGRAPHS]
    assert not [name for name in compared if "gain" in name]
    for start, row in rows.items():
        check_numbers(row, "auroc")
        judged = judge(merged(said[start], LESIONS, LESION), centre_inside)
        assert row["froc"] == judged.froc_score()
        assert row["found"] == judged.froc().sensitivity_at(1)
        if start != PHOTOGRAPHS:
            assert float(row["gain"]) == pytest.approx(float(row["auroc"]) - float(compared["auroc"]))
            assert float(row["found_gain"]) == pytest.approx(float(row["found"]) - float(compared["found"]))
