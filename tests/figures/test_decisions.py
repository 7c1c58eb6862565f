"""Figures of decisions: what they draw, and what they say about it in words."""

import re

import matplotlib.pyplot as plt
import pytest

from course_lib.evaluation.decisions import Costs, expected_counts
from course_lib.figures.decisions import (
    plot_costs,
    plot_counts,
    plot_predictive_values,
    plot_reliability,
    plot_risk_coverage,
)
from course_lib.figures.style import text_alternative
from tests.made_predictions import FOUR, SEVEN


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


def test_reliability_is_told_group_by_group() -> None:
    axes = plot_reliability({"Net": SEVEN}, "Reliability", groups=2)
    assert re.search(r"Net, Brier score 0\.156: 0\.1[78]: 0\.25, 0\.80: 0\.67\.", text_alternative(axes))
    assert axes.lines[1].get_ydata() == pytest.approx([0.25, 2 / 3])


def test_costs_have_a_lowest_place() -> None:
    words = text_alternative(plot_costs(SEVEN, {"ten to one": Costs(10, 1, 0.5)}, "Costs"))
    assert re.search(r"ten to one: 0\.50 if all are called sick, lowest 0\.12 at the threshold 0\.2[01]\.", words)


def test_risk_is_told_at_three_coverages() -> None:
    words = text_alternative(plot_risk_coverage({"these four": FOUR}, 0.5, "Abstaining"))
    assert "these four: 0.0% at 50%, 33.3% at 80%, 50.0% at 100%" in words
