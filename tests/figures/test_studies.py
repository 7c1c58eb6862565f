"""Figures of studies: means, ranges and intervals are said as they are drawn."""

import pytest

from course_lib.figures.studies import curves_of, plot_methods, plot_repeated
from course_lib.figures.style import text_alternative


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


def test_methods_show_the_mean_of_the_seeds_and_the_interval() -> None:
    rows = [
        {"method": method, "patients": patients, "seed": seed, "auroc": 0.8 + seed / 10, "low": 0.7, "high": 0.95}
        for method in ("probe", "Net")
        for patients in (200, 50)
        for seed in (0, 1)
    ]
    axes = plot_methods(rows[:-2], "Three\ncases")
    words = text_alternative(axes)
    assert words.startswith("Three: cases. AUROC")
    assert "probe, 50 patients, 2 seeds: 0.850 (0.700 to 0.950)" in words
    assert "Net, 50 patients" not in words
    assert [label.get_text() for label in axes.get_xticklabels()] == ["50", "200"]
    with pytest.raises(ValueError, match="at most 5 methods, got 6"):
        plot_methods([{**rows[0], "method": str(number)} for number in range(6)], "Too many")
