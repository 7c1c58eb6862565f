"""Figures of a training say their values."""

import matplotlib.pyplot as plt
import pytest

from course_lib.figures.style import text_alternative
from course_lib.figures.training import plot_curves, plot_history
from course_lib.training.history import History


def test_curves_say_their_values() -> None:
    history = History((0.9, 0.5, 0.2), (0.8, 0.4, 0.6), (0.5, 0.9, 0.8), best_epoch=1, stopped_early=False)
    words = text_alternative(plot_history(history, "Net"))
    assert "training loss goes from 0.90 to 0.20" in words
    assert "starts at 0.80, is lowest in epoch 2 with 0.40, and ends at 0.60" in words
    assert "a: from 0.50 to 0.80, between 0.50 and 0.90." in text_alternative(
        plot_curves({"a": [0.5, 0.9, 0.8]}, "Nets", "AUROC")
    )
    plt.close("all")


def test_no_more_curves_than_lines_that_can_be_told_apart() -> None:
    with pytest.raises(ValueError, match="at most 5 curves, got 6"):
        plot_curves({str(n): [0.5] for n in range(6)}, "Many", "AUROC")


def test_guessing_is_drawn_for_the_number_of_classes_or_not_at_all() -> None:
    history = History((0.9, 0.5), (0.8, 0.4), (0.5, 0.9), best_epoch=1, stopped_early=False)
    assert text_alternative(plot_history(history, "Net")).endswith("Guessing between two classes has 0.69.")
    assert text_alternative(plot_history(history, "Net", classes=3)).endswith("Guessing between 3 classes has 1.10.")
    axes = plot_history(history, "U-Net", classes=None, loss="1 - Dice")
    assert "Guessing" not in text_alternative(axes)
    assert axes.get_ylabel() == "1 - Dice"
    plt.close("all")
