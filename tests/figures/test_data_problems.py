"""The figures of lesson 07: what they say in words is what they were given."""

import numpy as np
import pytest

from course_lib.figures.data_problems import (
    curves_of,
    plot_losses,
    plot_repeated,
    plot_risk_coverage,
    plot_with_intervals,
)
from course_lib.figures.style import text_alternative
from tests.audit.test_wrong_labels import FOUR


def test_rows_become_lines() -> None:
    rows = [
        {"method": "Net", "patients": n, "seed": seed, "auroc": n / 100 + seed} for n in (12, 25) for seed in (0, 1)
    ]
    assert curves_of(rows, "method", "patients") == {"Net": {12: [0.12, 1.12], 25: [0.25, 1.25]}}


def test_repeats_are_told_by_mean_and_range() -> None:
    axes = plot_repeated({"Net": {50: [0.7, 0.9], 10: [0.5]}}, "Learning", "patients", "AUROC", logarithmic=True)
    assert text_alternative(axes) == (
        "Learning. AUROC by patients, mean and range of the repeats. Net: 0.50 at 10 (0.50 to 0.50), 0.80 at 50 "
        "(0.70 to 0.90)."
    )
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["10", "50"]
    with pytest.raises(ValueError, match="Draw two figures"):
        plot_repeated({str(i): {1: [0.5]} for i in range(6)}, "Many", "x", "y")


def test_losses_are_told_by_their_medians() -> None:
    words = text_alternative(plot_losses(np.array([0.1, 0.3, 2.0, 1.0]), np.array([0, 0, 1, 0]) > 0, "Losses"))
    assert "3 images with a right label: median 0.30; 1 images with a wrong label: median 2.00" in words
    assert words.endswith("above ln 2 = 0.69, 50% have a wrong label; of all wrong labels, 100% are there.")


def test_intervals_are_told_group_by_group() -> None:
    found = {"here": {"A": (0.9, 0.8, 1.0)}, "elsewhere": {"A": (0.5, 0.4, 0.6)}}
    words = text_alternative(plot_with_intervals(found, "Shift", "AUROC"))
    assert words.endswith("here: A 0.90 (0.80 to 1.00); elsewhere: A 0.50 (0.40 to 0.60).")


def test_risk_is_told_at_three_coverages() -> None:
    words = text_alternative(plot_risk_coverage({"these four": FOUR}, 0.5, "Abstaining"))
    assert "these four: 0.0% at 50%, 33.3% at 80%, 50.0% at 100%" in words
