"""The recipe without real labels: what is learned from real images follows from teachers who saw phantoms alone."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.data.augmentation import NO_CHANGE
from course_lib.data.image_folder import read_split
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.chest_xray import recipe
from course_lib.modalities.chest_xray.recipe import ON_PHANTOMS, ChestXrays
from course_lib.modalities.chest_xray.simulator import Settings, make_dataset
from course_lib.networks.net import Net
from course_lib.training.config import TrainConfig
from course_lib.training.recipe import Recipe


@pytest.fixture
def experiment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ChestXrays:
    """A small network that learns from the answers of one like it, which learned from twelve phantoms."""
    monkeypatch.setattr(recipe, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "kept" / "phantoms")
    quick = Recipe(Preprocessing(32, "squeeze", normalisation="by rank"), NO_CHANGE, TrainConfig(1, batch_size=8))
    few = Settings({"train": 8, "val": 4}, size_px=40, seed=3)
    teachers = ChestXrays(quick, lambda: Net(channels=2), networks=2, phantoms=few)
    return replace(teachers, phantoms=None, teachers=teachers)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms in the place of real images: ``train/`` of 24 patients."""
    settings = Settings({"train": 24, "test": 4}, size_px=40, seed=5)
    return make_dataset(tmp_path_factory.mktemp("films") / "set", settings, workers=1, progress=False)


def learned(experiment: ChestXrays, folder: Path) -> dict[str, int]:
    """The class that each image was learned with, by its name."""
    return {r.path.name: r.label for data in experiment.training_data(folder) for r in data.samples}


@pytest.mark.slow
def test_real_labels_play_no_part(experiment: ChestXrays, films: Path, tmp_path: Path) -> None:
    swapped = shutil.copytree(films, tmp_path / "swapped") / "train"
    for name, other in (("NORMAL", "aside"), ("PNEUMONIA", "NORMAL"), ("aside", "PNEUMONIA")):
        (swapped / name).rename(swapped / other)
    named = learned(experiment, films)
    assert named == learned(experiment, swapped.parent)
    images = len(read_split(films, "train")[0])
    assert sorted(named.values()) == [0] * (images // 4) + [1] * (images // 4)


@pytest.mark.slow
def test_teachers_are_kept_and_not_trained_again(
    experiment: ChestXrays, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = experiment.training_data(films)
    assert len(list((tmp_path / "kept").glob("*.pt"))) == 2

    def must_not_train(*_: object, **__: object) -> float:
        raise AssertionError("a finished network was trained again")

    monkeypatch.setattr("course_lib.training.loop.train_one_epoch", must_not_train)
    assert [data.samples for data in experiment.training_data(films)] == [data.samples for data in first]
    assert not {r.patient for r in first[0].samples} & {r.patient for r in first[1].samples}


def test_what_is_measured_without_real_labels_has_teachers_who_saw_phantoms_alone() -> None:
    assert ON_PHANTOMS.phantoms is None
    assert ON_PHANTOMS.teachers is not None
    assert ON_PHANTOMS.teachers.phantoms == recipe.PHANTOMS
    assert ON_PHANTOMS.teachers.teachers is None


def test_pictures_that_choose_are_changed_and_those_that_are_learned_or_tested_are_not(
    experiment: ChestXrays, films: Path
) -> None:
    change = recipe.elsewhere(32)
    assert [one.blur for one in change.changes] == [one.blur / 2 for one in recipe.CHANGES.values()]
    of_folder = replace(experiment, teachers=None, judged_as=change)
    learning, choosing = of_folder.training_data(films)
    assert learning.augmentation == of_folder.recipe.augmentation
    assert choosing.augmentation == change
    assert of_folder.test_data(films).augmentation is None


def test_phantoms_and_teachers_are_not_both_learned_from(experiment: ChestXrays) -> None:
    with pytest.raises(ValueError, match="leave one of both out"):
        replace(experiment, phantoms=Settings({"train": 2}, size_px=40, seed=3))
