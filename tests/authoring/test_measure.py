"""The recipe on real X-rays: what chooses never sees the test part, what is done is not done twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from course_lib.authoring import measure, recipe_choice
from course_lib.authoring.measure import main
from course_lib.authoring.recipe_choice import CANDIDATES, CHOSEN
from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.predictions import mean_of
from course_lib.training.inference import predict
from course_lib.training.recipe import REAL_XRAYS, Recipe
from tests.conftest import write_image

ModelMaker = Callable[[int], nn.Module]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: ModelMaker) -> None:
    """The same code with a linear network, images of 32 px and two epochs."""
    how = Preprocessing(32, "squeeze")
    quick = replace(recipe_choice.TRAINING, epochs=2, batch_size=8, mixed_precision=False)
    candidates = {"plain": Recipe(how, NO_CHANGE, quick), "changed": Recipe(how, Augmentation(), quick)}
    monkeypatch.setattr(recipe_choice, "CANDIDATES", candidates)
    monkeypatch.setattr(measure, "CHOSEN", "changed")
    monkeypatch.setattr(measure, "FINAL_EPOCHS", 2)
    monkeypatch.setattr(recipe_choice, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measure, "new_network", lambda _seed, classes: tiny_model(classes))


def test_the_frozen_recipe_is_one_of_those_that_were_compared() -> None:
    assert {recipe.how.geometry for recipe in CANDIDATES.values()} == {"squeeze"}
    chosen = CANDIDATES[CHOSEN]
    assert replace(chosen, config=REAL_XRAYS.config) == REAL_XRAYS


def test_choosing_reads_no_test_image(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder / "test").glob("*/*"):
        path.unlink()
    assert main(["choose", str(folder)]) == 0
    page = capsys.readouterr().out
    assert "| plain |" in page
    assert "Best under all changes together: " in page
    assert (tmp_path / "results" / "choose.md").read_text(encoding="utf-8") in page


def test_every_change_is_drawn_alike_for_all_candidates_and_leaves_its_mark(folder: Path) -> None:
    radiographs, classes = read_split(folder, "train")
    recipe = recipe_choice.CANDIDATES["plain"]
    first, second = (recipe_choice._scores_of(recipe, radiographs[:24], radiographs, classes) for _ in range(2))
    assert first == second
    assert list(first) == list(recipe_choice.CHANGES)
    assert recipe_choice.CHANGES["as they are"] == NO_CHANGE


def test_a_comparison_goes_on_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def interrupted(recipe: Recipe, *_: object) -> dict[str, float]:
        if len(done) == 3 and "stop" not in done:
            done.append("stop")
            raise KeyboardInterrupt
        done.append("fold")
        return dict.fromkeys(recipe_choice.CHANGES, 0.5 + 0.1 * (recipe.augmentation == NO_CHANGE))

    monkeypatch.setattr(recipe_choice, "_scores_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(["choose", str(folder)])
    assert main(["choose", str(folder)]) == 0
    assert done.count("fold") == 4  # two candidates in two folds, none of them twice
    assert "Best under all changes together: plain" in (recipe_choice.RESULTS / "choose.md").read_text(encoding="utf-8")


def test_other_changes_are_another_comparison(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_choice, "_scores_of", lambda *_: dict.fromkeys(recipe_choice.CHANGES, 0.5))
    main(["choose", str(folder)])
    monkeypatch.setattr(
        recipe_choice, "CHANGES", {**recipe_choice.CHANGES, "as they are": replace(NO_CHANGE, noise=0.5)}
    )
    monkeypatch.setattr(recipe_choice, "_scores_of", lambda *_: dict.fromkeys(recipe_choice.CHANGES, 0.75))
    main(["choose", str(folder)])
    assert "0.5000" not in (recipe_choice.RESULTS / "choose.md").read_text(encoding="utf-8")


def test_training_ends_with_a_page_and_is_not_repeated(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["train", str(folder), "--networks", "2"]) == 0
    page = capsys.readouterr().out
    assert "| one network |" in page
    assert "| 2 networks together |" in page
    assert "12 test images of 6 patients" in page
    kept = {path.name: path.read_bytes() for path in recipe_choice.RESULTS.glob("*.pt")}
    assert len(kept) == 2

    def must_not_train(*_: object, **__: object) -> float:
        raise AssertionError("a finished network was trained again")

    monkeypatch.setattr("course_lib.training.loop.train_one_epoch", must_not_train)
    assert main(["train", str(folder), "--networks", "2"]) == 0
    assert {path.name: path.read_bytes() for path in recipe_choice.RESULTS.glob("*.pt")} == kept


def test_the_test_part_is_opened_after_the_last_training(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    read, trained = read_split, measure._trained

    def reading(root: Path, split: str, *rest: object) -> object:
        order.append(split)
        return read(root, split, *rest)  # type: ignore[arg-type]

    def training(*arguments: object) -> object:
        order.append("training")
        return trained(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(measure, "read_split", reading)
    monkeypatch.setattr(measure, "_trained", training)
    main(["train", str(folder), "--networks", "2"])
    assert order == ["train", "training", "training", "test"]


def test_pictures_with_the_same_names_are_another_training(folder: Path) -> None:
    radiographs, _ = read_split(folder, "train")
    recipe, before = recipe_choice.CANDIDATES["plain"], [r.path.stat().st_size for r in radiographs]
    key = recipe_choice.fingerprint(recipe, 0, radiographs)
    write_image(radiographs[0].path, bright=True, size=(80, 80))
    assert radiographs[0].path.stat().st_size != before[0]
    assert recipe_choice.fingerprint(recipe, 0, radiographs) != key


def test_a_class_that_only_the_test_part_has_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(folder / "test" / "ABSCESS" / "phantom0099_normal_1.jpeg", bright=False)
    assert main(["train", str(folder)]) == 2
    assert "test holds ('ABSCESS', 'NORMAL', 'PNEUMONIA')" in capsys.readouterr().err


def test_the_minutes_are_those_of_the_training_and_not_of_reading_it(folder: Path) -> None:
    main(["train", str(folder)])
    (clock,) = recipe_choice.RESULTS.glob("*.minutes")
    clock.write_text("12.5", encoding="utf-8")
    main(["train", str(folder)])
    assert "| one network | 12.5 |" in (recipe_choice.RESULTS / "train.md").read_text(encoding="utf-8")
    (checkpoint,) = recipe_choice.RESULTS.glob("*.pt")
    checkpoint.unlink()
    main(["train", str(folder)])
    assert "12.5" not in (recipe_choice.RESULTS / "train.md").read_text(encoding="utf-8")


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(tmp_path)]) == 2
    assert "has no folder train/" in capsys.readouterr().err


def test_the_mean_of_several_models_is_of_the_same_images(folder: Path, tiny_model: ModelMaker) -> None:
    radiographs, classes = read_split(folder, "train")
    data = PixelCache(radiographs, classes, Preprocessing(32))
    one = predict(tiny_model(2), data)
    mean = mean_of([one, replace(one, probabilities=one.probabilities[:, ::-1])])
    assert np.allclose(mean.probabilities, 0.5)
    with pytest.raises(ValueError, match="the same images, in the same order"):
        mean_of([one, one.take(np.arange(3))])
