"""The choice of the recipe for real X-rays: it never sees the test part, and what is done is not done twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from course_lib.authoring import recipe_choice
from course_lib.authoring.__main__ import INTERRUPTED, main
from course_lib.authoring.recipe_choice import CANDIDATES, CHOSEN
from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.chest_xray.recipe import ON_REAL_IMAGES, REAL_XRAYS
from course_lib.training.recipe import Recipe
from tests.conftest import write_image


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: Callable[[int], nn.Module]) -> None:
    """The same code with a linear network, images of 32 px and two epochs."""
    how = Preprocessing(32, "squeeze")
    quick = replace(recipe_choice.TRAINING, epochs=2, batch_size=8, mixed_precision=False)
    candidates = {"plain": Recipe(how, NO_CHANGE, quick), "changed": Recipe(how, Augmentation(), quick)}
    few = replace(ON_REAL_IMAGES, network=lambda: tiny_model(2))
    monkeypatch.setattr(recipe_choice, "CANDIDATES", candidates)
    monkeypatch.setattr(recipe_choice, "ON_REAL_IMAGES", few)
    monkeypatch.setattr(recipe_choice, "RESULTS", tmp_path / "results")


def kept() -> str:
    return (recipe_choice.RESULTS / "results.md").read_text(encoding="utf-8")


def test_the_frozen_recipe_is_one_of_those_that_were_compared() -> None:
    assert {recipe.how.geometry for recipe in CANDIDATES.values()} == {"squeeze"}
    chosen = CANDIDATES[CHOSEN]
    assert replace(chosen, config=REAL_XRAYS.config) == REAL_XRAYS


def test_choosing_reads_no_test_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder / "test").glob("*/*"):
        path.unlink()
    assert main(["choose-recipe", str(folder)]) == 0
    page = capsys.readouterr().out
    assert "| plain |" in page
    assert "Best under all changes together: " in page
    assert kept() in page


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
    assert main(["choose-recipe", str(folder)]) == INTERRUPTED
    assert main(["choose-recipe", str(folder)]) == 0
    assert done.count("fold") == 4  # two candidates in two folds, none of them twice
    assert "Best under all changes together: plain" in kept()


def test_other_changes_are_another_comparison(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_choice, "_scores_of", lambda *_: dict.fromkeys(recipe_choice.CHANGES, 0.5))
    main(["choose-recipe", str(folder)])
    noisy = {**recipe_choice.CHANGES, "as they are": replace(NO_CHANGE, noise=0.5)}
    monkeypatch.setattr(recipe_choice, "CHANGES", noisy)
    monkeypatch.setattr(recipe_choice, "_scores_of", lambda *_: dict.fromkeys(recipe_choice.CHANGES, 0.75))
    main(["choose-recipe", str(folder)])
    assert "0.5000" not in kept()


def test_pictures_with_the_same_names_are_another_comparison(folder: Path) -> None:
    radiographs, _ = read_split(folder, "train")
    recipe, before = recipe_choice.CANDIDATES["plain"], [r.path.stat().st_size for r in radiographs]
    key = recipe_choice._fingerprint(recipe, 0, radiographs)
    write_image(radiographs[0].path, bright=True, size=(80, 80))
    assert radiographs[0].path.stat().st_size != before[0]
    assert recipe_choice._fingerprint(recipe, 0, radiographs) != key
