"""The choice of the recipe for real X-rays: it never sees the test part, and what is done is not done twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from course_lib.authoring import recipe_choice
from course_lib.authoring.__main__ import INTERRUPTED, main
from course_lib.authoring.recipe_choice import CANDIDATES, CHOSEN, RULES
from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_xray.recipe import CHANGES, ON_REAL_IMAGES, ChestXrays, elsewhere
from course_lib.support.files import digest
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import Recipe
from tests.conftest import write_image


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: Callable[[int], nn.Module]) -> None:
    """The same code with a linear network, images of 32 px and two epochs."""
    quick = TrainConfig(epochs=2, batch_size=8)

    def candidate(augmentation: Augmentation) -> ChestXrays:
        recipe = Recipe(Preprocessing(32, "squeeze"), augmentation, quick)
        return ChestXrays(recipe, lambda: tiny_model(2), networks=1, phantoms=None, judged_as=elsewhere(32))

    monkeypatch.setattr(
        recipe_choice, "CANDIDATES", {"plain": candidate(NO_CHANGE), "changed": candidate(Augmentation())}
    )
    monkeypatch.setattr(recipe_choice, "TOGETHER", {"both": ("plain", "changed")})
    monkeypatch.setattr(recipe_choice, "RESULTS", tmp_path / "results")


def one_image(score: float) -> Predictions:
    return Predictions(np.array([[1 - score, score]]), np.array([1]), np.array(["p"]), ("a.png",), ("healthy", "sick"))


def kept() -> str:
    return (recipe_choice.RESULTS / "results.md").read_text(encoding="utf-8")


def test_the_frozen_recipe_is_the_chosen_one_trained_for_longer() -> None:
    assert {experiment.recipe.how.geometry for experiment in CANDIDATES.values()} == {"squeeze"}
    chosen, frozen = CANDIDATES[CHOSEN], ON_REAL_IMAGES
    epochs = replace(chosen.recipe.config, epochs=frozen.config.epochs)
    assert replace(chosen, recipe=replace(chosen.recipe, config=epochs)) == frozen


def test_a_threshold_is_chosen_by_every_change_but_the_one_it_is_judged_under() -> None:
    of = {change: one_image(score=number / 10) for number, change in enumerate(CHANGES)}
    as_they_are, changed = RULES.values()
    assert as_they_are(of, "another format") == of["as they are"]
    for number, change in enumerate(CHANGES):
        assert changed(of, change).scores.tolist() == [n / 10 for n in range(len(CHANGES)) if n != number]


def test_choosing_reads_no_test_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (folder / "test").glob("*/*"):
        path.unlink()
    assert main(["choose-recipe", str(folder)]) == 0
    page = capsys.readouterr().out
    for row in ("plain", "changed", "both"):
        assert page.count(f"| {row} |") == 1
        for rule in RULES:
            assert f"| {row}: {rule} |" in page
    assert kept() in page


def test_one_candidate_can_be_trained_alone_and_is_not_trained_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["choose-recipe", str(folder), "--only", "plain"]) == 0
    assert "plain, fold 2 of 2" in capsys.readouterr().out
    assert main(["choose-recipe", str(folder)]) == 0
    page = capsys.readouterr().out
    assert "changed, fold 1 of 2" in page
    assert "plain, fold" not in page


def test_every_network_is_judged_by_the_same_changed_pictures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = recipe_choice.CANDIDATES["plain"]
    monkeypatch.setattr(recipe_choice, "CANDIDATES", {"plain": plain, "again": plain})
    monkeypatch.setattr(recipe_choice, "TOGETHER", {})
    first = recipe_choice._heldout("plain", folder)
    monkeypatch.setattr(recipe_choice, "RESULTS", recipe_choice.RESULTS / "elsewhere")
    for said, again in zip(first, recipe_choice._heldout("again", folder), strict=True):
        for change in CHANGES:
            assert np.array_equal(said[change].scores, again[change].scores)


def test_a_comparison_goes_on_where_it_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[str] = []

    def interrupted(*arguments: object) -> None:
        trained.append("fold")
        if len(trained) == 4:
            raise KeyboardInterrupt
        fit_whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(recipe_choice, "fit_whole", interrupted)
    assert main(["choose-recipe", str(folder)]) == INTERRUPTED
    assert main(["choose-recipe", str(folder)]) == 0
    assert len(trained) == 5  # two candidates in two folds, and the one that was interrupted


def test_other_pictures_or_other_changes_are_another_comparison(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers() -> set[str]:
        recipe_choice._heldout("plain", folder)
        return {path.name for path in (recipe_choice.RESULTS / "answers").glob("*.answers")}

    first = answers()
    assert answers() == first
    write_image(next(iter((folder / "train").glob("*/*"))), bright=True, size=(80, 80))
    second = answers()
    assert second > first
    noisy = {**CHANGES, "as they are": replace(NO_CHANGE, noise=0.5)}
    monkeypatch.setattr(recipe_choice, "CHANGES", noisy)
    assert answers() > second


def test_a_threshold_comes_from_other_patients_than_it_is_judged_on() -> None:
    patients = np.array([f"patient {number}" for number in range(40)])
    labels = np.arange(40) % 2
    in_first = np.array([int(digest(str(patient), 8), 16) % 2 == 0 for patient in patients])
    # The scores of one half are all higher, so that its threshold calls no one of the other half sick.
    scores = np.where(in_first, 0.6, 0.1) + 0.2 * labels
    said = Predictions(
        np.stack([1 - scores, scores], axis=1), labels, patients, tuple(patients), ("NORMAL", "PNEUMONIA")
    )
    assert list(recipe_choice._crosswise(said, said)) == [0.5, 0.5]
