"""The studies of nodules in chest films: who answers for which film, what is compared and kept, and what is no news."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.authoring.measure import RESULTS
from course_lib.authoring.studies import judged_rows, nodule_detectors, real_nodules
from course_lib.authoring.studies.nodule_detectors import COMPARED_WITH, DETECTORS, OneDetector
from course_lib.authoring.studies.real_nodules import (
    FIRST,
    FOLDS,
    INSERTED,
    PHANTOMS,
    PHOTOGRAPHS,
    STARTS,
    films_of,
    fold_of,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.box_changes import BoxChanges
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage
from course_lib.evaluation.coco_precision import coco_average_precision
from course_lib.evaluation.detection import Boxes, DetectionPredictions, judge, merged
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.intervals import bootstrap_intervals, compare
from course_lib.evaluation.studies import SCORES, Row
from course_lib.lessons.detecting_nodules import KeptFilms, kept_films
from course_lib.modalities.chest_findings import recipe
from course_lib.modalities.chest_findings.inserted_nodules import InsertNodules
from course_lib.modalities.chest_findings.phantoms import Settings
from course_lib.modalities.chest_findings.reader import CLASSES, read_part
from course_lib.modalities.chest_findings.recipe import LESION, LESIONS, ON_PHANTOMS
from course_lib.networks.detector import HeatmapDetector
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.tasks.detection import Detection
from course_lib.training.config import TrainConfig
from tests.counted import count_calls
from tests.modalities.chest_findings.made_films import write_patients

NO_DATA = CourseData[Any]("None", True, (), (), (), (), "", None)  # the detectors' study makes its own
FEW = Settings({"train": 3, "test": 2}, seed=43, pixels=64)
PX = 64


def small(experiment: recipe.BoxedFindings) -> recipe.BoxedFindings:
    """The same experiment with small films."""
    return replace(experiment, recipe=replace(experiment.recipe, how=replace(experiment.recipe.how, size=PX)))


def made_up(films: Sequence[BoxedImage], seed: int, found: float = 0.7) -> DetectionPredictions:
    """What a detector might say: that part of the true boxes, a little aside, and others anywhere."""
    rng = np.random.default_rng(seed)
    said, true = [], [true_boxes(film) for film in films]
    for boxes in true:
        seen = rng.random(len(boxes)) < found
        low, side = rng.uniform(0, 200, (3, 2)), rng.uniform(8, 50, (3, 2))
        corners = np.concatenate([boxes.corners[seen] + rng.uniform(-2, 2), np.hstack([low, low + side])])
        classes = np.concatenate([boxes.classes[seen], rng.integers(0, len(CLASSES), 3)])
        said.append(
            Boxes(corners, classes, rng.random(len(corners)) * 0.7 + 0.3 * (np.arange(len(corners)) < seen.sum()))
        )
    return DetectionPredictions(
        classes=CLASSES,
        found=tuple(said),
        true=tuple(true),
        losses=np.zeros(len(films)),
        patients=np.array([film.patient for film in films], dtype=np.str_),
        files=tuple(film.path.name for film in films),
    )


def true_boxes(film: BoxedImage) -> Boxes:
    corners = np.array(film.boxes, dtype=np.float64).reshape(-1, 4)
    return Boxes(corners, np.array(film.labels, dtype=np.int64), np.ones(len(corners)))


def check_numbers(row: Row, score: str) -> None:
    """Each is a number, and lies in its interval if it has one."""
    assert all(math.isfinite(float(value)) for value in row.values())
    assert float(row["low"]) <= float(row[score]) <= float(row["high"])
    for name in row:
        if f"{name}_low" in row:
            assert float(row[f"{name}_low"]) <= float(row[name]) <= float(row[f"{name}_high"])


@pytest.mark.parametrize(("study", "seeds"), [(nodule_detectors.STUDY, {0}), (real_nodules.STUDY, {0})])
def test_a_study_is_about_a_known_score_and_asks_each_case_once(study: Study, seeds: set[int]) -> None:
    cases = study.cases(NO_DATA)
    assert all(set(case) == {*study.factors, "seed"} for case in cases)
    assert {case["seed"] for case in cases} == seeds
    assert len({tuple(case.values()) for case in cases}) == len(cases) > 3
    assert study.score in SCORES
    assert len(study.sources) == 1, "it makes its own films, or needs real ones"


# --- three detectors on the same simulated films


def simulated(count: int = 24) -> tuple[BoxedImage, ...]:
    """Films of 256 px whose files are nowhere: every third has nothing, the others one box or two of any classes."""
    rng, films = np.random.default_rng(0), []
    for number in range(count):
        boxes = number % 3
        low, side = rng.uniform(0, 190, (boxes, 2)), rng.uniform(12, 60, (boxes, 2))
        corners = tuple(tuple(box) for box in np.hstack([low, low + side]).round().tolist())
        labels = ((0, 1, 2, 0, 4, 1)[number % 6], 0)[:boxes]
        name, words = f"phantom{600 + number // 2:04d}_{number % 2:03d}.jpg", ("subtle",) * boxes
        films.append(BoxedImage(Path(name), corners, labels, name[:11], "PA", words, (0.5,) * boxes))
    return tuple(films)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, DetectionPredictions]]:
    """Detectors that were not trained say something of films that there are not; the list gets what is kept of it."""
    films, calls = simulated(), []
    said = {name: made_up(films, seed, 0.2 + 0.3 * seed) for seed, name in enumerate(DETECTORS)}

    def keep(samples: Sequence[BoxedImage], by: Mapping[str, DetectionPredictions], settings: Settings) -> None:
        assert samples == films
        assert settings == recipe.PHANTOMS
        calls.append(dict(by))

    monkeypatch.setattr(nodule_detectors, "_said", said.__getitem__)
    monkeypatch.setattr(nodule_detectors, "_tested", lambda: BoxedDataset(films, CLASSES, ON_PHANTOMS.recipe.how))
    monkeypatch.setattr(nodule_detectors, "keep_films", keep)
    monkeypatch.setattr(nodule_detectors, "SIZE", PX)
    monkeypatch.setattr(judged_rows, "bootstrap_intervals", partial(bootstrap_intervals, resamples=40))
    monkeypatch.setattr(judged_rows, "compare", partial(compare, resamples=40))
    return calls


def test_detectors_are_compared_on_the_same_films_and_kept_once(kept: list[dict[str, DetectionPredictions]]) -> None:
    cases = nodule_detectors.cases(NO_DATA)
    rows = {str(case["detector"]): nodule_detectors.measure(NO_DATA, case) for case in cases}
    assert [*rows] == [nodule_detectors.NOT_LOOKING, *DETECTORS]
    for row in rows.values():
        check_numbers(row, "froc")
    (together,) = kept
    assert [*together] == [*DETECTORS]
    compared = rows[COMPARED_WITH]
    assert not [name for name in compared if "gain" in name]
    for name, row in rows.items():
        if name != COMPARED_WITH:
            assert float(row["gain"]) == pytest.approx(float(row["froc"]) - float(compared["froc"]))
            assert float(row["found_gain"]) == pytest.approx(float(row["found"]) - float(compared["found"]))
        if name in DETECTORS:
            lesions = merged(together[name], LESIONS, LESION)
            assert row["froc"] == judge(lesions, centre_inside).froc_score()
            assert row["found"] == judge(lesions, centre_inside).froc().sensitivity_at(1)
            assert row["coco_average_precision"] == coco_average_precision(lesions, LESION)
            assert int(row["weights"]) > 10_000 < 1e9 * float(row["gflops"])
    blind = rows[nodule_detectors.NOT_LOOKING]
    assert "weights" not in blind
    assert float(blind["froc"]) < float(compared["froc"])


def test_what_is_kept_says_what_the_rows_say(
    kept: list[dict[str, DetectionPredictions]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = import_module(KeptFilms.__module__)
    monkeypatch.setattr(module, "FILE", tmp_path / "kept.json")
    monkeypatch.setattr(nodule_detectors, "keep_films", module.keep_films)
    rows = [nodule_detectors.measure(NO_DATA, {"detector": name, "seed": 0}) for name in DETECTORS]
    again = kept_films()
    assert not kept
    for row, said in zip(rows, again.said.values(), strict=True):
        judged = judge(said, centre_inside)
        assert judged.froc_score() == pytest.approx(row["froc"], abs=0.02)
        assert judged.average_precision(LESION) == pytest.approx(row["average_precision"], abs=0.02)


def test_each_detector_is_another_network_of_its_seed() -> None:
    kinds = set()
    for name in DETECTORS:
        experiment = OneDetector(ON_PHANTOMS.recipe, detector=name)
        one, other = (experiment.new_network(0).state_dict() for _ in range(2))
        assert all(torch.equal(one[part], other[part]) for part in one)
        kinds.add(type(experiment.new_network(0)))
    assert len(kinds) == len(DETECTORS)
    assert isinstance(OneDetector(ON_PHANTOMS.recipe).new_network(0), LiteHeatmapDetector)
    scratch = [OneDetector(ON_PHANTOMS.recipe, detector="U-Net, heat map").new_network(seed) for seed in (0, 1)]
    assert isinstance(scratch[0], HeatmapDetector)
    parts = [next(network.parameters()) for network in scratch]
    assert not torch.equal(*parts)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[tuple[OneDetector, int, BoxedDataset]]]:
    """A few small phantoms; the list gets what each training would have been: experiment, seed, films."""
    trainings = []

    def trained(experiment: OneDetector, seed: int, learned: BoxedDataset, _: BoxedDataset, folder: Path) -> nn.Module:
        trainings.append((experiment, seed, learned))
        assert folder == RESULTS
        return experiment.new_network(seed)

    monkeypatch.setattr(nodule_detectors, "trained", trained)
    monkeypatch.setattr(nodule_detectors, "ON_PHANTOMS", small(ON_PHANTOMS))
    monkeypatch.setattr(nodule_detectors, "PHANTOMS", FEW)
    for module in (nodule_detectors, recipe):
        monkeypatch.setattr(module, "PHANTOM_FOLDER", tmp_path / "phantoms")
    caches = (nodule_detectors._said, nodule_detectors._tested)
    for cache in caches:
        cache.cache_clear()
    yield trainings
    for cache in caches:
        cache.cache_clear()


def test_a_detector_is_trained_once_and_asked_about_patients_it_has_not_seen(
    few: list[tuple[OneDetector, int, BoxedDataset]],
) -> None:
    said = [nodule_detectors._said(name) for name in (COMPARED_WITH, "U-Net, heat map", COMPARED_WITH)]
    assert [experiment.detector for experiment, _, _ in few] == [COMPARED_WITH, "U-Net, heat map"]
    assert said[0] is said[2]
    for experiment, seed, learned in few:
        assert (experiment.phantoms, experiment.inserts, seed) == (FEW, False, nodule_detectors.SEED)
        assert set(learned.patients) == {"phantom0000", "phantom0001", "phantom0002"}
    assert set(said[0].patients.tolist()) == {"phantom0003", "phantom0004"}
    assert said[0].files == said[1].files == tuple(film.path.name for film in nodule_detectors._tested().samples)
    corners = [np.concatenate([boxes.corners for boxes in one.found]) for one in said]
    assert not np.array_equal(corners[0], corners[1])


# --- from simulated to real nodules


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


def test_another_training_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert " at 0x" not in repr((real_nodules.EXPERIMENT, ON_PHANTOMS, recipe.PHANTOMS)), "the same in the next run"
    named: tuple[tuple[list[str], ...], ...] = (([],), (["a"],), (["b"],), (["a"], ["a", "b"]))
    keys = [real_nodules._key(start, *films) for start in STARTS for films in named]
    assert keys == [real_nodules._key(start, *films) for start in STARTS for films in named]
    for name, other in (
        ("EXPERIMENT", small(real_nodules.EXPERIMENT)),
        ("ON_PHANTOMS", small(ON_PHANTOMS)),
        ("SIMULATED", FEW),
        ("SEED", 1),
        ("NODULE_MM", (1.0, 2.0)),
        ("MASS_MM", (1.0, 2.0)),
        ("WIDER_BOX", 0.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(real_nodules, name, other)
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
    starts = (PHOTOGRAPHS, INSERTED, FIRST)
    models = [real_nodules._trained(start, films) for start in starts]
    assert all(model is fit[0] for model, fit in zip(models, fitted, strict=True))
    assert [isinstance(model, nn.Identity) for model in models] == [False, False, True]
    for start, (_, learned, config, _) in zip(starts, fitted, strict=True):
        assert learned.samples == films
        changes = learned.change.changes  # type: ignore[union-attr]
        inserts = [one for one in changes if isinstance(one, InsertNodules)]
        assert len(inserts) == (start == INSERTED)
        assert all((one.nodule, one.mass) == (0, 1) for one in inserts)
        assert isinstance(changes[-1], BoxChanges)
        assert (config.epochs, config.seed, config.keep) == (real_nodules.EPOCHS, real_nodules.SEED, "last")
    real_nodules._trained(PHOTOGRAPHS, films[:4])
    assert len({checkpoint for *_, checkpoint in fitted}) == 4


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
