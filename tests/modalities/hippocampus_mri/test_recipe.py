"""The recipe of the hippocampus: what it prepares, learns from and measures, on volumes that take seconds."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torchio

from course_lib.authoring import measure
from course_lib.authoring.__main__ import main
from course_lib.authoring.measure import experiment_of
from course_lib.data.volumes import read_volume
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.evaluation.segmentation import SegmentationPredictions, mean_dice
from course_lib.modalities.hippocampus_mri import phantoms, recipe
from course_lib.modalities.hippocampus_mri.reader import LABELS
from course_lib.support.errors import DataError
from course_lib.training.inference import predict
from tests.modalities.hippocampus_mri.conftest import SHAPE, Maker, write_volume

FIGURES = [
    "Dice",
    *(f"{metric}, {part}" for metric in recipe.METRICS for part in ("anterior", "posterior")),
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The same experiments with a tiny network, one epoch and few phantoms; gives where results go."""
    config = replace(recipe.CONFIG, epochs=1, mixed_precision=False)
    change = torchio.RandomNoise(std=0.1)
    experiment = replace(recipe.ON_REAL_IMAGES, change=change, config=config, width=4, depth=1)
    few = phantoms.Settings({"train": 3, "test": 1}, seed=3)
    monkeypatch.setattr(recipe, "ON_REAL_IMAGES", experiment)
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(experiment, phantoms=few))
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))
    return tmp_path / "results"


def names_of(page: str) -> list[str]:
    return [line.rpartition(": ")[0] for line in page.splitlines()[1:]]


@pytest.mark.slow
def test_every_figure_is_one_line_with_its_interval_beside_the_usual_outline(small: Path, decathlon: Maker) -> None:
    root = decathlon(range(1, 25))
    assert main(["measure", "hippocampus_mri", str(root)]) == 0
    page = (small / "hippocampus_mri-real.txt").read_text(encoding="utf-8")
    assert page.startswith("Medical Segmentation Decathlon, Task 04: hippocampus: trained on ")
    assert " volumes of " in page.splitlines()[0]
    assert names_of(page) == [
        *(f"{name}, one network" for name in FIGURES),
        "Dice on the images that chose the epoch, one network",
        *(f"{name}, without looking" for name in FIGURES),
    ]
    assert "Dice, without looking: 1.000" in page, "all blocks lie at one place"


@pytest.mark.slow
def test_an_experiment_of_phantoms_needs_no_real_volume_to_learn_from(small: Path, tmp_path: Path) -> None:
    image, labels = phantoms.make_volume(phantoms.QUICK_SET, 7)
    for part, file in (("images", phantoms.as_nifti(image)), ("labels", phantoms.as_nifti(labels))):
        (tmp_path / "real" / "test" / part).mkdir(parents=True)
        (tmp_path / "real" / "test" / part / "hippocampus_007.nii.gz").write_bytes(file)
    assert main(["measure", "hippocampus_mri", str(tmp_path / "real"), "--phantoms-only"]) == 0
    about = (small / "hippocampus_mri-phantoms.txt").read_text(encoding="utf-8").splitlines()[0]
    assert "trained on 3 volumes of 3 patients, chosen by 1 volumes of 1 patients, tested on 1 volumes" in about


def test_files_in_any_scale_of_greys_are_prepared_alike(decathlon: Maker) -> None:
    root = decathlon(range(1, 25))
    before, targets = recipe.ON_REAL_IMAGES.test_data(root).batch(torch.arange(2))
    assert before.shape == (2, 1, *recipe.SHAPE)
    assert set(np.unique(targets.numpy()).tolist()) == {0, 1, 2}
    for path in (root / "imagesTr").glob("hippocampus_*"):
        path.write_bytes(phantoms.as_nifti(read_volume(path).numpy()[0] * 50 + 1000))
    after, _ = recipe.ON_REAL_IMAGES.test_data(root).batch(torch.arange(2))
    assert torch.allclose(before, after, atol=1e-3)


def test_a_label_that_no_volume_has_counts_as_nothing_to_outline(decathlon: Maker) -> None:
    root = decathlon(range(1, 25))
    for path in (root / "labelsTr").glob("hippocampus_*"):
        labels = np.zeros(SHAPE, np.uint8)
        labels[5:9, 5:9, 5:9] = 1
        path.write_bytes(phantoms.as_nifti(labels))
    data = recipe.ON_REAL_IMAGES.test_data(root)
    model = recipe.ON_REAL_IMAGES.new_network(0)
    scores = recipe.ON_REAL_IMAGES.scored(predict(model, data))
    figures = recipe.ON_REAL_IMAGES.figures(scores)
    assert list(figures) == FIGURES
    assert np.isfinite([figure(scores) for figure in figures.values()]).all()


def test_a_hippocampus_that_the_box_would_cut_is_refused(tmp_path: Path) -> None:
    for number in range(1, 25):
        write_volume(tmp_path, f"hippocampus_{number:03d}.nii.gz", seed=number)
    for folder in ("imagesTr", "labelsTr"):
        for path in (tmp_path / folder).glob("*"):
            path.write_bytes(phantoms.as_nifti(np.arange(16 * 70 * 16, dtype=np.int16).reshape(16, 70, 16) % 3))
    with pytest.raises(DataError, match=r"The preparation cuts off .* labelled voxels of hippocampus_"):
        recipe.ON_REAL_IMAGES.test_data(tmp_path)


Said = Callable[..., SegmentationPredictions]


@pytest.fixture
def said() -> Said:
    def make(*labels: int) -> SegmentationPredictions:
        maps = (np.array(labels, np.uint8).reshape(-1, 1, 1),)
        return SegmentationPredictions(LABELS, maps, maps, ((1.0,) * 3,), np.zeros(1), np.array(["a"]), ("a",))

    return make


def test_several_networks_vote_and_the_first_one_decides_a_tie(said: Said) -> None:
    together = recipe.ON_REAL_IMAGES.together
    assert together([said(1, 1, 0), said(2, 1, 0), said(2, 2, 0)]).predicted[0].ravel().tolist() == [2, 1, 0]
    assert together([said(2, 1, 0), said(1, 2, 2)]).predicted[0].ravel().tolist() == [2, 1, 0]


def test_the_first_figure_is_what_a_training_shows(said: Said) -> None:
    one = replace(said(1, 1, 2, 0), true=(np.array([1, 2, 2, 0], np.uint8).reshape(-1, 1, 1),))
    scores = recipe.ON_REAL_IMAGES.scored(one)
    assert recipe.ON_REAL_IMAGES.figures(scores)["Dice"](scores) == pytest.approx(mean_dice(one))


def test_the_modality_says_what_is_measured() -> None:
    assert experiment_of("hippocampus_mri", phantoms_only=False) is recipe.ON_REAL_IMAGES
    assert experiment_of("hippocampus_mri", phantoms_only=True) is recipe.ON_PHANTOMS
