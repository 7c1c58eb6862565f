"""The recipe for lung nodules: what it learns from and measures, on slices that take seconds."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from course_lib.authoring import measure
from course_lib.authoring.__main__ import main
from course_lib.authoring.measure import experiment_of
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.evaluation.readers import ReaderPredictions
from course_lib.modalities.chest_ct import phantoms, recipe
from course_lib.modalities.chest_ct.recipe import FIGURES
from course_lib.training.inference import predict

PATIENTS, SLICES, SIDE = 10, 3, 72  # the tenth is of the test part


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Patients with a disc in the middle, which fewer readers mark from slice to slice."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for patient in range(PATIENTS):
        nodule = tmp_path / "nodules" / f"LIDC-IDRI-{patient + 1:04d}" / "nodule-0"
        inside = (rows - SIDE // 2) ** 2 + (columns - SIDE // 2) ** 2 < 40 + 10 * patient
        for number in range(SLICES):
            image = (40 + 120 * inside + rng.integers(0, 30, inside.shape)).astype(np.uint8)
            _save(nodule / "images" / f"slice-{number}.png", image)
            for reader in range(4):
                marked = inside * (reader < 4 - number)
                _save(nodule / f"mask-{reader}" / f"slice-{number}.png", (255 * marked).astype(np.uint8))
    return tmp_path / "nodules"


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same experiments from a random start, on 32 px and with one epoch; gives where results go."""
    before = recipe.ON_REAL_IMAGES
    quick = replace(
        before.recipe,
        how=replace(before.recipe.how, size=32),
        config=replace(before.config, epochs=1, batch_size=8, mixed_precision=False),
    )
    experiment = replace(before, recipe=quick, weights=None, networks=1)
    few = phantoms.Settings({"train": 2, "test": 2}, seed=3)
    monkeypatch.setattr(recipe, "ON_REAL_IMAGES", experiment)
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(experiment, phantoms=few))
    monkeypatch.setattr(recipe, "LOOKED_AT", 3)
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))
    return tmp_path / "results"


@pytest.mark.slow
def test_every_figure_is_one_line_with_its_interval_beside_who_does_not_look(small: Path, folder: Path) -> None:
    assert main(["measure", "chest_ct", str(folder), "--networks", "2"]) == 0
    about, *lines = (small / "chest_ct-real.txt").read_text(encoding="utf-8").splitlines()
    assert "the last epoch kept" in about
    learned_from = f"{FIGURES[0]} on some of the images that were learned from"
    each_alone = f"{FIGURES[0]}, mean (lowest to highest) of 2 networks alone"
    values = dict(line.rsplit(": ", 1) for line in lines)
    assert list(values) == [
        *(f"{name}, one network" for name in FIGURES),
        f"{learned_from}, one network",
        each_alone,
        *(f"{name}, 2 networks together" for name in FIGURES),
        f"{learned_from}, 2 networks together",
        *(f"{name}, without looking" for name in FIGURES),
    ]
    first_network = values[f"{FIGURES[0]}, one network"].split()[0]
    assert first_network in re.findall(r"\d\.\d{3}", values[each_alone])[1:], "the lowest or the highest of two"


@pytest.mark.slow
def test_an_experiment_of_phantoms_needs_no_real_slice_to_learn_from(small: Path, folder: Path) -> None:
    data, held_out = recipe.ON_PHANTOMS.training_data(folder)
    assert all(sample.patient.startswith("phantom") for sample in (*data.samples, *held_out.samples))
    assert not {*data.patients} & {*held_out.patients}
    assert recipe.ON_PHANTOMS.test_data(folder).task == data.task
    assert not small.exists(), "nothing is trained yet"


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_nothing_of_the_test_part_is_learned_from_and_all_of_the_others_is(folder: Path) -> None:
    experiment = recipe.ON_REAL_IMAGES
    learned, shown = experiment.training_data(folder)
    tested = experiment.test_data(folder)
    assert tested.patients
    assert not {*tested.patients} & {*learned.patients}
    assert len(learned) + len(tested) == PATIENTS * SLICES
    assert {*shown.samples} < {*learned.samples}
    assert shown.change is None
    assert not shown.mirror
    assert learned.mirror
    scores = experiment.scored(predict(experiment.new_network(0), tested))
    assert list(experiment.figures(scores)) == list(FIGURES)


def test_phantoms_choose_the_epoch_and_real_slices_choose_nothing() -> None:
    assert experiment_of("chest_ct", phantoms_only=False) is recipe.ON_REAL_IMAGES
    assert experiment_of("chest_ct", phantoms_only=True) is recipe.ON_PHANTOMS
    assert recipe.ON_REAL_IMAGES.config.keep == "last"
    assert recipe.ON_PHANTOMS.config.keep == "best"
    assert recipe.ON_PHANTOMS.threshold == 0.5, "0.3 was chosen by real labels"


@pytest.fixture
def said() -> ReaderPredictions:
    """Three slices of 1 x 4 px: all four readers marked one, two another, and one reader the last."""
    four = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    two = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    one = np.array([[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    sure = np.array([[0.9, 0.4, 0.1, 0.1]], np.float32)  # the second is above 0.3, and below a half
    return ReaderPredictions(
        probabilities=(sure, sure, sure),
        marks=tuple(marks[:, None].astype(np.uint8) for marks in (four, two, one)),
        spacings=((1.0, 1.0),) * 3,
        losses=np.zeros(3),
        patients=np.array(["a", "a", "b"]),
        nodules=np.array(["a/0", "a/1", "b/0"]),
        files=("1", "2", "3"),
    )


def test_the_figures_are_those_worked_out_by_hand(said: ReaderPredictions) -> None:
    scores = recipe.ON_REAL_IMAGES.scored(said)
    values = {name: figure(scores) for name, figure in recipe.ON_REAL_IMAGES.figures(scores).items()}
    two_thirds = 2 / 3
    assert values[recipe.AT_LEAST_TWO] == pytest.approx((1 + two_thirds) / 2)
    assert values[recipe.ALL_FOUR] == 1
    assert values[recipe.OF_READERS] == pytest.approx(((1 + two_thirds) / 2 + two_thirds) / 2)
    assert values[recipe.MODEL] == 1
    assert values[recipe.READERS] == pytest.approx((3 + two_thirds) / 4)
    assert values[recipe.DIFFERENCE] == pytest.approx(1 - (3 + two_thirds) / 4)


def test_patients_are_drawn_from_what_was_measured_once(said: ReaderPredictions) -> None:
    scores = recipe.ON_REAL_IMAGES.scored(said)
    figures = recipe.ON_REAL_IMAGES.figures(scores)
    assert figures[recipe.AT_LEAST_TWO](scores.take(np.array([1, 1, 0]))) == pytest.approx((1 + 4 / 3) / 3)
    assert np.isnan(figures[recipe.AT_LEAST_TWO](scores.take(np.array([2, 2]))))


def test_a_slice_that_two_readers_marked_has_no_majority_of_others(said: ReaderPredictions) -> None:
    scores = recipe.ON_REAL_IMAGES.scored(said.take(np.array([1])))
    values = {name: figure(scores) for name, figure in recipe.ON_REAL_IMAGES.figures(scores).items()}
    assert values[recipe.AT_LEAST_TWO] == pytest.approx(2 / 3)
    assert values[recipe.OF_READERS] == pytest.approx(2 / 3)
    assert np.isnan([values[name] for name in (recipe.ALL_FOUR, recipe.MODEL, recipe.READERS)]).all()


def test_several_networks_say_the_mean_of_their_probabilities(said: ReaderPredictions) -> None:
    other = replace(said, probabilities=tuple(1 - found for found in said.probabilities), losses=said.losses + 1)
    both = recipe.ON_REAL_IMAGES.together([said, other])
    assert all((found == 0.5).all() for found in both.probabilities)
    np.testing.assert_allclose(both.losses, said.losses + 0.5)
