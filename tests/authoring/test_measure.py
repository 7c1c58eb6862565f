"""The measurement of a modality: nothing that is learned sees the test part, and what is done is not done twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.authoring import measure
from course_lib.authoring.__main__ import INTERRUPTED, main
from course_lib.authoring.measure import experiment_of
from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_part, read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.intervals import bootstrap_intervals
from course_lib.evaluation.predictions import mean_of
from course_lib.modalities.chest_xray import recipe
from course_lib.modalities.chest_xray.recipe import ChestXrays
from course_lib.modalities.chest_xray.simulator import Settings, make_dataset
from course_lib.networks.net import Net
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from course_lib.training.recipe import Recipe
from tests.conftest import write_image

ModelMaker = Callable[[int], nn.Module]
FIGURES = ("AUROC", "balanced accuracy", "accuracy", "sensitivity", "specificity")
NUMBER = r"\d\.\d{3}"
LINE = re.compile(rf"(?P<name>[^:]+): {NUMBER} \({NUMBER} to {NUMBER}\)")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: ModelMaker) -> None:
    """The same experiments with a linear network, images of 32 px, two epochs and few phantoms."""
    quick = Recipe(Preprocessing(32, "squeeze"), Augmentation(), TrainConfig(epochs=2, batch_size=8))
    few = Settings(patients={"train": 8, "val": 6}, size_px=40, seed=3)
    monkeypatch.setattr(recipe, "ON_REAL_IMAGES", ChestXrays(quick, lambda: tiny_model(2), networks=1, phantoms=None))
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(recipe.ON_REAL_IMAGES, networks=2, phantoms=few))
    monkeypatch.setattr(recipe, "KEPT", tmp_path / "results")
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "bootstrap_intervals", partial(bootstrap_intervals, resamples=20))


def names_of(page: str) -> list[str]:
    """What is measured, in the lines of the page that hold a figure."""
    return [line["name"] for line in map(LINE.fullmatch, page.splitlines()) if line]


@pytest.mark.slow
def test_every_figure_is_one_line_beside_what_guessing_reaches(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", "chest_xray", str(folder)]) == 0
    page = (tmp_path / "results" / "chest_xray-real.txt").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out
    about, *lines = page.splitlines()
    assert "tested on 12 images of 6 patients (list of files: " in about
    assert names_of(page) == [
        *(f"{name}, one network" for name in FIGURES),
        "AUROC on the images that chose epoch and threshold, one network",
        *(f"{name}, without looking" for name in FIGURES),
    ]
    assert len(names_of(page)) == len(lines)
    assert "AUROC, without looking: 0.500 (0.500 to 0.500)" in lines


@pytest.mark.slow
def test_several_networks_judge_alone_and_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["measure", "chest_xray", str(folder), "--networks", "3"])
    names = names_of(capsys.readouterr().out)
    assert names.count("AUROC, mean (lowest to highest) of 3 networks alone") == 1
    assert [f"{name}, 3 networks together" for name in FIGURES] == [
        n for n in names if n.endswith("3 networks together")
    ][:5]


@pytest.mark.slow
def test_what_teachers_answer_is_learned_and_tested_like_any_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings({"train": 28, "test": 6}, size_px=40, seed=5)
    folder = make_dataset(tmp_path / "films", settings, workers=1, progress=False)
    learning = recipe.ON_PHANTOMS
    teachers = replace(learning, network=lambda: Net(channels=2), networks=1)
    monkeypatch.setattr(recipe, "ON_PHANTOMS", replace(learning, phantoms=None, teachers=teachers))
    images = len(read_split(folder, "train")[0])
    assert main(["measure", "chest_xray", str(folder), "--phantoms-only"]) == 0
    page = capsys.readouterr().out
    trained_on, chosen_by = map(int, re.findall(r"(\d+) images of", page)[:2])
    assert trained_on + chosen_by == 2 * (images // 4)
    assert "AUROC, 2 networks together: " in page


def test_changed_validation_pictures_are_the_same_for_every_network(folder: Path, tiny_model: ModelMaker) -> None:
    experiment = replace(recipe.ON_REAL_IMAGES, judged_as=recipe.elsewhere(64))
    _, validation = experiment.training_data(folder)
    model, draws = tiny_model(2), torch.get_rng_state()
    first, second = (measure._said(model, validation).scores for _ in range(2))
    assert first.tolist() == second.tolist()
    assert first.tolist() != predict(model, validation).scores.tolist()
    torch.set_rng_state(draws)


@pytest.mark.slow
def test_an_experiment_of_phantoms_needs_no_real_training_image(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "train").glob("*/*"):
        path.unlink()
    for path in (folder / "test").glob("*/*"):  # patients of other names than the phantoms
        path.rename(path.with_name(path.name.replace("phantom0", "phantom9")))
    assert main(["measure", "chest_xray", str(folder), "--phantoms-only"]) == 0
    said = capsys.readouterr().out
    assert "of 8 patients, chosen by " in said
    assert "AUROC, 2 networks together" in names_of(said)
    assert (tmp_path / "results" / "chest_xray-phantoms.txt").is_file()


@pytest.mark.slow
def test_what_is_trained_is_not_trained_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["measure", "chest_xray", str(folder), "--networks", "2"])
    first = names_of(capsys.readouterr().out)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "results").glob("*.pt")}
    assert len(kept) == 2

    def must_not_train(*_: object, **__: object) -> float:
        raise AssertionError("a finished network was trained again")

    monkeypatch.setattr("course_lib.training.loop.train_one_epoch", must_not_train)
    assert main(["measure", "chest_xray", str(folder), "--networks", "2"]) == 0
    said = capsys.readouterr().out
    assert names_of(said) == first
    assert "Network 2 is trained. This call took 0.0 minutes.\n" in said
    assert {path.name: path.read_bytes() for path in (tmp_path / "results").glob("*.pt")} == kept


@pytest.mark.slow
def test_an_interrupted_measurement_goes_on_and_opens_no_test_image_before_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    read = read_part

    def reading(root: Path, split: str, *rest: object) -> object:
        order.append(split)
        return read(root, split, *rest)  # type: ignore[arg-type]

    def training(*arguments: object, **options: object) -> object:
        order.append("training")
        if order.count("training") == 2:
            raise KeyboardInterrupt
        return fit(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(recipe, "read_part", reading)
    monkeypatch.setattr("course_lib.training.loop.fit", training)
    assert main(["measure", "chest_xray", str(folder), "--networks", "2"]) == INTERRUPTED
    assert main(["measure", "chest_xray", str(folder), "--networks", "2"]) == 0
    assert order == ["train", "training", "training", "train", "training", "training", "test"]


@pytest.mark.slow
def test_other_pictures_of_the_same_names_are_another_training(folder: Path, tmp_path: Path) -> None:
    main(["measure", "chest_xray", str(folder)])
    write_image(next((folder / "train" / "NORMAL").iterdir()), bright=True, size=(80, 80))
    main(["measure", "chest_xray", str(folder)])
    assert len(list((tmp_path / "results").glob("*.pt"))) == 2


def test_a_class_that_only_the_test_part_has_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(folder / "test" / "ABSCESS" / "phantom0099_normal_1.jpeg", bright=False)
    assert main(["measure", "chest_xray", str(folder)]) == 1
    assert "hold different classes: only test/ has ABSCESS" in capsys.readouterr().err


def test_a_patient_on_both_sides_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(folder / "test" / "NORMAL" / "phantom0001_normal_9.jpeg", bright=False)
    assert main(["measure", "chest_xray", str(folder)]) == 1
    assert "train and test must not share patients, but 1 are in both" in capsys.readouterr().err


def test_the_modality_says_what_is_measured() -> None:
    assert experiment_of("chest_xray", phantoms_only=False) is recipe.ON_REAL_IMAGES
    assert experiment_of("chest_xray", phantoms_only=True) is recipe.ON_PHANTOMS


def test_the_mean_of_several_models_is_of_the_same_images(folder: Path, tiny_model: ModelMaker) -> None:
    radiographs, classes = read_split(folder, "train")
    data = PixelCache(radiographs, classes, Preprocessing(32))
    one = predict(tiny_model(2), data)
    mean = mean_of([one, replace(one, probabilities=one.probabilities[:, ::-1])])
    assert np.allclose(mean.probabilities, 0.5)
    with pytest.raises(ValueError, match="the same images, in the same order"):
        mean_of([one, one.take(np.arange(3))])
