"""Figures of intervals and comparisons: what they draw, and what they say about it in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import compare
from course_lib.figures.intervals import plot_comparison, plot_coverage, plot_estimates, plot_with_intervals
from course_lib.figures.style import text_alternative
from tests.made_predictions import two_models


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def test_intervals_that_miss_are_crossed_and_counted() -> None:
    ends = np.array([[0.7, 0.9], [0.6, 0.7], [0.75, 0.85], [0.79, 0.81]])
    (panel,) = plot_coverage({"by image": ends}, 0.8, "Coverage")
    assert "by image: 75% of 4 hold 0.8, mean width 0.105" in text_alternative(panel)
    assert sum(line.get_marker() == "x" for line in panel.lines) == 1


def test_a_comparison_says_the_difference_and_how_often() -> None:
    comparison = compare(*two_models(), auroc, resamples=50)
    axes = plot_comparison(comparison, ("Net", "pixels"), "Two models")
    assert f"The difference is {comparison.difference:+.3f}" in text_alternative(axes)
    assert f"is better than pixels in {comparison.wins:.0%}" in text_alternative(axes)
    assert len(axes.lines[0].get_xdata()) == 50  # type: ignore[arg-type]


def test_intervals_are_told_group_by_group() -> None:
    found = {"here": {"A": (0.9, 0.8, 1.0)}, "elsewhere": {"A": (0.5, 0.4, 0.6)}}
    words = text_alternative(plot_with_intervals(found, "Shift", "AUROC"))
    assert words.endswith("here: A 0.90 (0.80 to 1.00); elsewhere: A 0.50 (0.40 to 0.60).")


def test_estimates_say_their_values() -> None:
    axes = plot_estimates({"a": (0.5, 0.25, 0.75), "b": (1, 1, 1)}, "Scores", "hits", chance=0.3)
    assert text_alternative(axes) == (
        "Scores, hits, with the 95 % interval. a 0.50 (0.25 to 0.75); b 1.00 (1.00 to 1.00). Chance is 0.30."
    )
    plt.close("all")
