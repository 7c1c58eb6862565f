"""Sliders that change a number, its picture and its words."""

import sys

import numpy as np
import pytest

from course_lib.evaluation.intervals import accuracy_interval
from course_lib.figures.widgets.number_explorers import (
    abstention_explorer,
    accuracy_explorer,
    children,
    draw_abstaining,
    draw_accuracy,
    draw_children,
    draw_unfreezing,
    threshold_explorer,
    unfreeze_explorer,
)
from course_lib.networks.costs import Unfrozen
from tests.counted import count_calls
from tests.made_predictions import FOUR, predictions_of

NUMBERS = sys.modules[threshold_explorer.__module__]
JUDGED = predictions_of([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])


def test_an_accuracy_is_drawn_and_told_with_its_interval() -> None:
    picture, words = draw_accuracy(16, 0.9)
    low, high = accuracy_interval(14, 16)
    assert picture.shape == (110, 520, 3)
    assert len(np.unique(picture)) > 10
    assert words.startswith("14 of 16 right is an accuracy of 87.5%.")
    assert f"from {low:.1%} to {high:.1%}: {100 * (high - low):.0f} points. One image more or less is 6.2" in words


def test_more_images_make_a_narrower_picture_which_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, NUMBERS, "pixels_of")
    explorer = accuracy_explorer()
    images, _, shown = explorer.children
    before, words = shown.value, repr(explorer)
    images.value = 1000
    assert len(drawn) == 2
    assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert repr(explorer) != words
    assert repr(explorer) in shown.value
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)


def test_abstaining_is_drawn_and_told_with_what_answering_all_reaches() -> None:
    picture, words = draw_abstaining(FOUR, 0.5, abstain=0.5)
    assert picture.shape == (110, 520, 3)
    assert words.startswith("Abstaining on 2 of 4 images: 100.0% of the other 2 are right.")
    assert words.endswith("for 2 patients, goes from 34.2% to 100.0%. Answering all: 50.0%, the dashed line.")


def test_abstaining_more_changes_picture_and_words_and_draws_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, NUMBERS, "pixels_of")
    scores = np.random.default_rng(0).random(300)
    explorer = abstention_explorer(predictions_of((scores > 0.4).astype(int).tolist(), scores.tolist()), 0.5)
    abstain, shown = explorer.children
    before, words = shown.value, repr(explorer)
    abstain.value = 0.6
    assert len(drawn) == 2
    assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert repr(explorer) != words
    assert "of the other 120 are right" in repr(explorer)


def test_unfreezing_more_stages_costs_more() -> None:
    costs = [Unfrozen(("fc",), 1_000, 0.1), Unfrozen(("layer4", "fc"), 5_000_000, 0.3)]
    explorer = unfreeze_explorer(costs, gflops_per_second=30)
    stages, images, shown = explorer.children
    assert "If the head alone learns (fc), training changes 1,000 of 5,000,000 parameters" in repr(explorer)
    before = shown.value
    stages.value, images.value = 2, 1000
    assert "If the last 2 of 2 stages learn (layer4, fc)" in repr(explorer)
    assert "An epoch of 1,000 images takes about 10.0 s at 30 billion multiply-adds a second" in repr(explorer)
    assert shown.value != before
    assert draw_unfreezing(costs, 30, 2, 1000)[0].shape == (150, 520, 3)


def test_children_are_counted_for_any_prevalence() -> None:
    counts = children(JUDGED, 0.5, 10)
    assert (counts.found, counts.missed, counts.alarmed, counts.spared) == pytest.approx((50, 50, 450, 450))
    picture, words = draw_children(JUDGED, 0.5, 10)
    assert picture.shape == (190, 600, 3)
    assert "1,000 children, 10 % sick, threshold 0.50. Of 100 sick children, 50 are found" in words


def test_threshold_and_prevalence_change_the_children_and_draw_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_calls(monkeypatch, NUMBERS, "pixels_of")
    explorer = threshold_explorer(JUDGED, 0.5, 0.16)
    threshold, percent_sick, shown = explorer.children
    assert "160 sick children, 80 are found" in repr(explorer)
    for slider, value, words in ((threshold, 0.2, "160 are found"), (percent_sick, 1.0, "Of 10 sick children, 10")):
        before = shown.value
        slider.value = value
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert words in repr(explorer)
    assert len(drawn) == 3
