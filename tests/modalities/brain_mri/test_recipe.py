"""The recipe for brain tumours: what it learns from and measures, on slices that take seconds."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.authoring import measure
from course_lib.authoring.__main__ import main
from course_lib.authoring.measure import experiment_of
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.evaluation.kinds_and_outlines import KindsAndDice, KindsAndOutlines
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.brain_mri import phantoms, recipe
from course_lib.training.inference import predict

KINDS = phantoms.CLASSES
FIGURES = [
    "accuracy",
    "AUROC",
    *(f"sensitivity, {kind}" for kind in KINDS),
    "Dice",
    *(f"Dice, {kind}" for kind in KINDS),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three folds of small slices with a disc in another place for each kind; every fifth has no mask."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:40, :40]
    for fold in (1, 2, 3):
        for label, kind in enumerate(KINDS):
            for number in range(6):
                inside = (rows - 20) ** 2 + (columns - 10 - 10 * label) ** 2 < 40
                image = (40 + 120 * inside + rng.integers(0, 30, (40, 40))).astype(np.uint8)
                name = f"fold{fold}_{100 * label + 10 * fold + 2 * (number // 3) + number:04d}"  # two series
                for part in ("images", "masks"):
                    (tmp_path / "slices" / part / kind).mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(tmp_path / "slices" / "images" / kind / f"{name}.jpg", quality=95)
                if number != 4:
                    mask = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).convert("1")
                    mask.save(tmp_path / "slices" / "masks" / kind / f"{name}.png")
    return tmp_path / "slices"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same experiments from a random start, on 32 px and with one epoch; gives where results go."""
    before = recipe.ON_REAL_IMAGES
    quick = replace(
        before.recipe,
        how=Preprocessing(32, "pad", normalisation="per image"),
        config=replace(before.config, epochs=1, batch_size=8, mixed_precision=False),
    )
    experiment = replace(before, recipe=quick, weights=None)
    few = phantoms.Settings({"train": 3, "test": 3}, seed=3, pixels=32)
    monkeypatch.setattr(recipe, "ON_REAL_IMAGES", experiment)
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(experiment, phantoms=few))
    monkeypatch.setattr(recipe, "LOOKED_AT", 3)
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))
    return tmp_path / "results"


@pytest.mark.slow
def test_every_figure_is_one_line_with_its_interval_beside_who_does_not_look(small: Path, folder: Path) -> None:
    assert main(["measure", "brain_mri", str(folder)]) == 0
    about, *lines = (small / "brain_mri-real.txt").read_text(encoding="utf-8").splitlines()
    assert "trained on 36 images of 2 folds, the last epoch kept, tested on 18 images of 1 folds" in about
    assert "intervals are over series" in about
    assert [line.rpartition(": ")[0] for line in lines] == [
        *(f"{name}, one network" for name in FIGURES),
        "accuracy on some of the images that were learned from, one network",
        *(f"{name}, without looking" for name in FIGURES),
    ]
    assert "accuracy, without looking: 0.333" in "\n".join(lines)
    assert "Dice, glioma, without looking: 1.000" not in "\n".join(lines)


@pytest.mark.slow
def test_an_experiment_of_phantoms_needs_no_real_slice_to_learn_from(small: Path, folder: Path) -> None:
    data, held_out = recipe.ON_PHANTOMS.training_data(folder)
    assert all(sample.path.name.startswith("phantom") for sample in (*data.samples, *held_out.samples))
    assert not {*data.patients} & {*held_out.patients}
    assert len({*data.patients, *held_out.patients}) == 6
    assert data.classes == recipe.ON_PHANTOMS.test_data(folder).classes == KINDS
    assert not small.exists(), "nothing is trained yet"


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_nothing_of_the_test_fold_is_learned_from_and_all_of_the_others_is(folder: Path) -> None:
    experiment = recipe.ON_REAL_IMAGES
    learned, shown = experiment.training_data(folder)
    tested = experiment.test_data(folder)
    assert {sample.path.name[:5] for sample in tested.samples} == {"fold3"}
    assert {sample.path.name[:5] for sample in learned.samples} == {"fold1", "fold2"}
    assert set(shown.samples) < set(learned.samples)
    assert shown.augmentation is None
    assert len(learned) + len(tested) == 54
    scores = experiment.scored(predict(experiment.new_network(0), tested))
    assert len(set(scores.patients)) == 6, "two series of each kind"
    assert list(experiment.figures(scores)) == FIGURES


def test_phantoms_choose_the_epoch_and_real_slices_choose_nothing() -> None:
    assert experiment_of("brain_mri", phantoms_only=False) is recipe.ON_REAL_IMAGES
    assert experiment_of("brain_mri", phantoms_only=True) is recipe.ON_PHANTOMS
    assert recipe.ON_REAL_IMAGES.config.keep == "last"
    assert recipe.ON_PHANTOMS.config.keep == "best"


@pytest.fixture
def said() -> KindsAndOutlines:
    """Four slices of two named patients: three kinds right, one wrong; the third has no mask."""
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    kinds = Predictions(probabilities, np.array([0, 1, 2, 1]), np.array(["a", "a", "b", "b"]), tuple("1234"), KINDS)
    full = np.ones((2, 2), np.float16)
    masks = (full > 0, np.array([[True, True], [False, False]]), None, full > 0)
    return KindsAndOutlines(kinds, (full, full, full, 0 * full), masks, np.array([0.1, 0.2, np.nan, 0.3]))


def test_the_figures_are_those_worked_out_by_hand(said: KindsAndOutlines) -> None:
    scores = recipe.ON_REAL_IMAGES.scored(said)
    assert scores.patients.tolist() == ["a", "a", "b", "b"]
    values = {name: figure(scores) for name, figure in recipe.ON_REAL_IMAGES.figures(scores).items()}
    assert values["accuracy"] == 0.75
    assert [values[f"sensitivity, {kind}"] for kind in KINDS] == [1, 0.5, 1]
    assert values["Dice"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert [values[f"Dice, {kind}"] for kind in KINDS[:2]] == pytest.approx([1, 1 / 3])
    assert np.isnan(values["Dice, pituitary"])


def test_patients_are_drawn_from_what_was_measured_once(said: KindsAndOutlines) -> None:
    scores = recipe.ON_REAL_IMAGES.scored(said)
    taken = scores.take(np.array([3, 3, 0]))
    assert isinstance(taken, KindsAndDice)
    assert taken.mean_dice() == pytest.approx(1 / 3)
    assert taken.recall("meningioma") == 0
    assert np.isnan(taken.recall("pituitary"))
    assert not taken.measurable
    assert scores.measurable
    assert taken.files == ("4", "4", "1")


def test_several_networks_say_the_mean_of_their_probabilities(said: KindsAndOutlines) -> None:
    other = replace(said, tumours=tuple(1 - found for found in said.tumours), losses=said.losses + 1)
    both = recipe.ON_REAL_IMAGES.together([said, other])
    assert all((found == 0.5).all() for found in both.tumours)
    np.testing.assert_allclose(both.losses, said.losses + 0.5)
    assert torch.tensor(both.kinds.probabilities).sum(1).tolist() == [1, 1, 1, 1]
