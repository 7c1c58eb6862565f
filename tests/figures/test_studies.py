"""Figures of studies: means, ranges and intervals are said as they are drawn."""

import pytest

from course_lib.figures.studies import curves_of, plot_gains, plot_repeated
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


GAINED = [
    {"start": start, "use": use, "px": 64, "patients": patients, "seed": seed, "gain": gain + seed / 10,
     "gain_low": gain - 0.1, "gain_high": gain + 0.2}
    for use in ("frozen", "fine-tuned")
    for patients in (2000, 50)
    for start, gain in (("nothing", 0.0), ("photographs", 0.1), ("phantoms", -0.1))
    for seed in (0, 1)
]  # fmt: skip


def test_gains_show_the_mean_of_the_seeds_and_the_paired_interval() -> None:
    axes = plot_gains(GAINED[:-2], "Two\nstarts")
    words = text_alternative(axes)
    assert words.startswith("Two: starts. AUROC gained over the same network from nothing")
    assert "means of 2 seeds" in words
    assert (
        "photographs, frozen, 64 px: 50 patients +0.15 (+0.00 to +0.30), 2,000 patients +0.15 (+0.00 to +0.30)" in words
    )
    assert "phantoms, fine-tuned, 64 px: 2,000 patients -0.05 (-0.20 to +0.10); " in words
    assert "nothing:" not in words
    assert [label.get_text() for label in axes.get_xticklabels()] == ["50", "2,000", "50", "2,000"]
    left, right = (axes.get_xticks()[[1, 2]]).tolist()
    assert right - left == 2, "a gap between the uses"


def test_a_run_with_one_seed_has_no_dots_and_too_many_starts_are_refused() -> None:
    one = [row for row in GAINED if row["seed"] == 0]
    assert "means of" not in text_alternative(plot_gains(one, "One run"))
    with pytest.raises(ValueError, match="at most 5 starts, got 6"):
        plot_gains([{**GAINED[2], "start": str(number)} for number in range(6)], "Too many")
