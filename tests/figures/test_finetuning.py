"""Figures of fine-tuning: their words say what they show."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.evaluation.predictions import Predictions
from course_lib.figures.finetuning import (
    plot_answers,
    plot_filters,
    plot_moved_scores,
    plot_unfreezing_costs,
    share_without_colour,
)
from course_lib.figures.style import text_alternative
from course_lib.networks.costs import Unfrozen

SCORES = np.array([0.1, 0.4, 0.6, 0.9])


SEEN = Predictions(
    probabilities=np.stack([1 - SCORES, SCORES], axis=1),
    labels=np.array([0, 0, 1, 1]),
    patients=np.array(list("abcd")),
    files=tuple("abcd"),
    classes=("NORMAL", "PNEUMONIA"),
)


def test_answers_are_said_with_their_probabilities() -> None:
    answers = [[("tie", 0.25), ("oboe", 0.05)], [("prison", 0.5), ("dam", 0.1)], [("gong", 0.1), ("vault", 0.1)]]
    grid = plot_answers([np.zeros((4, 4))] * 3, ["NORMAL", "NORMAL", "SICK"], answers, "Five guesses")
    words = text_alternative(grid[0, 0])
    assert words.startswith("Five guesses. 3 grey images, each with the likeliest answers. NORMAL: tie 25 %, oboe 5 %;")
    bars = grid.reshape(-1, 2)[:, 1]
    assert [label.get_text() for label in bars[1].get_yticklabels()] == ["prison", "dam"]
    assert [bar.get_width() for bar in bars[1].patches] == [50, 10]
    assert [axes.get_visible() for axes in bars] == [True, True, True, False], "no empty axes beside no picture"


def test_filters_without_colour_are_told_from_coloured_ones() -> None:
    grey = np.repeat(np.random.default_rng(0).normal(size=(8, 1, 3, 3)), 3, axis=1).astype(np.float32)
    red = grey.copy()
    red[:, 1:] = 0
    assert share_without_colour(grey) == pytest.approx(1)
    assert share_without_colour(red) == pytest.approx(1 / 3)
    row = plot_filters({"grey": grey, "red": red}, "Filters", most=5)
    assert "grey: 100%; red: 33%." in text_alternative(row[0])
    picture = row[0].images[0].get_array()
    assert picture.shape == (4, 24, 3), "one row of six places of 3 px, and a border"
    assert picture.min() >= 0
    assert picture.max() <= 1


def test_costs_are_named_by_the_stage_down_to_which_the_network_learns() -> None:
    panels = plot_unfreezing_costs(
        [Unfrozen(("fc",), 1026, 0.1), Unfrozen(("layer4", "fc"), 8_394_754, 0.25)], "ResNet-18"
    )
    words = text_alternative(panels[0])
    assert "fc: 1,026 and 0.100; layer4: 8,394,754 and 0.250." in words
    assert panels[0].get_yscale() == "log", "on which the head can be seen"
    assert panels[0].get_ylim()[0] < 1026
    assert [bar.get_height() for bar in panels[1].patches] == [0.1, 0.25]


def test_scores_that_moved_are_counted() -> None:
    after = replace(SEEN, probabilities=SEEN.probabilities[:, ::-1])
    words = text_alternative(plot_moved_scores(SEEN, after, "Turned round"))
    assert "Scores of 4 images before and after: they moved by 0.500 on average, at most by 0.800." in words
    assert "The AUROC was 1.000 and is 0.000." in words
