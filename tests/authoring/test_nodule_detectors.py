"""The study of three detectors: who answers for which film, what is compared and kept, and what is no news."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.authoring.measure import RESULTS
from course_lib.authoring.studies import judged_rows, nodule_detectors
from course_lib.authoring.studies.nodule_detectors import COMPARED_WITH, DETECTORS, OneDetector
from course_lib.data.course_data import CourseData
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage
from course_lib.evaluation.coco_precision import coco_average_precision
from course_lib.evaluation.detection import DetectionPredictions, judge, merged
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.intervals import bootstrap_intervals, compare
from course_lib.evaluation.studies import SCORES
from course_lib.lessons.detecting_nodules import KeptFilms, kept_films
from course_lib.modalities.chest_findings import recipe
from course_lib.modalities.chest_findings.phantoms import Settings
from course_lib.modalities.chest_findings.reader import CLASSES
from course_lib.modalities.chest_findings.recipe import LESION, LESIONS, ON_PHANTOMS
from course_lib.networks.detector import HeatmapDetector
from course_lib.networks.lite_detector import LiteHeatmapDetector
from tests.authoring.made_up_answers import FEW, PX, check_numbers, made_up, small

NO_DATA = CourseData[Any]("None", True, (), (), (), (), "", None)  # the detectors' study makes its own


def test_the_study_is_about_a_known_score_and_asks_each_case_once() -> None:
    study = nodule_detectors.STUDY
    cases = study.cases(NO_DATA)
    assert all(set(case) == {*study.factors, "seed"} for case in cases)
    assert {case["seed"] for case in cases} == {0}
    assert len({tuple(case.values()) for case in cases}) == len(cases) == 1 + len(DETECTORS)
    assert study.score in SCORES
    assert study.sources == ("phantom",), "it makes its own films"


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
