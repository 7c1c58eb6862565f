"""Figures of an evaluation: what they draw, and what they say about it in words."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.decisions import Costs, expected_counts
from course_lib.evaluation.intervals import compare
from course_lib.figures.classification import plot_comparison, plot_coverage, plot_pairs_won, plot_precision_recall
from course_lib.figures.decisions import plot_costs, plot_counts, plot_predictive_values, plot_reliability
from course_lib.figures.style import text_alternative
from tests.evaluation.test_classification import predictions_of, two_models

FEW = predictions_of([1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.1])


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def test_an_alarm_is_worth_less_where_few_are_sick() -> None:
    words = text_alternative(plot_predictive_values(0.9, 0.8, {"ward": 0.5, "screening": 0.01}, "Net"))
    assert "ward, 50.0% sick: 82% of the alarms are right" in words
    assert "screening, 1.0% sick: 4% of the alarms are right, and 99.9% of the all-clears" in words


def test_children_are_counted_in_words() -> None:
    axes = plot_counts(expected_counts(0.9, 0.8, 0.01), "Screening")
    assert "Of 10 sick children, 9 are found and 1 missed; of 990 healthy ones, 198 are" in text_alternative(axes)
    assert "4% of the 207 alarms are right" in text_alternative(axes)
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(1000)  # type: ignore[attr-defined]
    assert "there is no alarm" in text_alternative(plot_counts(expected_counts(0, 1, 0.5), "Silence"))


def test_the_fields_below_the_curve_are_the_pairs_won() -> None:
    axes = plot_pairs_won(FEW, "Seven images")
    assert "has 11 fields below it: 11 of 12 is 0.917" in text_alternative(axes)
    x, y = np.asarray(axes.lines[0].get_data(), dtype=float)
    assert np.trapezoid(y, x) / 12 == pytest.approx(auroc(FEW))
    tied = predictions_of([1, 1, 0], [0.5, 0.9, 0.5])
    assert "has 1.5 fields below it" in text_alternative(plot_pairs_won(tied, "A tie"))


def test_too_many_pairs_are_not_drawn() -> None:
    many = predictions_of([0, 1] * 30, [0.5] * 60)
    with pytest.raises(ValueError, match="at most 400 pairs, got 900"):
        plot_pairs_won(many, "Many")


def test_precision_falls_and_auroc_stays_with_more_healthy_images() -> None:
    more = FEW.take(np.r_[0:3, np.tile(np.arange(3, 7), 10)])
    words = text_alternative(plot_precision_recall({"as it is": FEW, "ten times": more}, "Few sick", 0.5))
    assert "as it is: average precision 0.92, chance 0.43, AUROC 0.92" in words
    assert "ten times: average precision 0.74, chance 0.07, AUROC 0.92" in words


def test_reliability_is_told_group_by_group() -> None:
    axes = plot_reliability({"Net": FEW}, "Reliability", groups=2)
    assert re.search(r"Net, Brier score 0\.156: 0\.1[78]: 0\.25, 0\.80: 0\.67\.", text_alternative(axes))
    assert axes.lines[1].get_ydata() == pytest.approx([0.25, 2 / 3])


def test_costs_have_a_lowest_place() -> None:
    words = text_alternative(plot_costs(FEW, {"ten to one": Costs(10, 1, 0.5)}, "Costs"))
    assert re.search(r"ten to one: 0\.50 if all are called sick, lowest 0\.12 at the threshold 0\.2[01]\.", words)


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
