"""Figures of a classifier: what they draw, and what they say about it in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.classification import auroc, confusion, confusion_intervals
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.classification import (
    plot_confusion,
    plot_pairs_won,
    plot_precision_recall,
    plot_roc,
    plot_scores,
)
from course_lib.figures.style import text_alternative
from tests.made_predictions import SEVEN, TEN, of_three_classes, predictions_of


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def test_scores_say_what_a_threshold_does() -> None:
    assert "Sensitivity reaches 1.00 where specificity is 0.80 or more and 0.80 where" in text_alternative(
        plot_roc(TEN, "Test", 0.5)
    )
    assert "sensitivity is 0.80 and specificity 0.80." in text_alternative(plot_roc(TEN, "Test", 0.5))
    assert "SICK: median 0.70, 80 % at or above the threshold" in text_alternative(plot_scores(TEN, 0.5, "Test"))
    assert "of 5 SICK images, 4 are" in text_alternative(plot_confusion(TEN, 0.5, "Test"))
    plt.close("all")


def test_the_fields_below_the_curve_are_the_pairs_won() -> None:
    axes = plot_pairs_won(SEVEN, "Seven images")
    assert "has 11 fields below it: 11 of 12 is 0.917" in text_alternative(axes)
    x, y = np.asarray(axes.lines[0].get_data(), dtype=float)
    assert np.trapezoid(y, x) / 12 == pytest.approx(auroc(SEVEN))
    tied = predictions_of([1, 1, 0], [0.5, 0.9, 0.5])
    assert "has 1.5 fields below it" in text_alternative(plot_pairs_won(tied, "A tie"))


def test_too_many_pairs_are_not_drawn() -> None:
    many = predictions_of([0, 1] * 30, [0.5] * 60)
    with pytest.raises(ValueError, match="at most 400 pairs, got 900"):
        plot_pairs_won(many, "Many")


def test_precision_falls_and_auroc_stays_with_more_healthy_images() -> None:
    more = SEVEN.take(np.r_[0:3, np.tile(np.arange(3, 7), 10)])
    words = text_alternative(plot_precision_recall({"as it is": SEVEN, "ten times": more}, "Few sick", 0.5))
    assert "as it is: average precision 0.92, chance 0.43, AUROC 0.92" in words
    assert "ten times: average precision 0.74, chance 0.07, AUROC 0.92" in words


def test_three_classes_have_a_matrix_of_nine() -> None:
    three = of_three_classes()
    axes = plot_confusion(three, None, "Kidneys")
    counts = confusion(three)
    assert [int(text.get_text()) for text in axes.texts] == counts.ravel().tolist()
    assert [label.get_text() for label in axes.get_xticklabels()] == list(three.classes)
    assert text_alternative(axes) == (
        f"Kidneys. Of 60 cyst images, {counts[0, 0]} are called right; of 40 stone images, {counts[1, 1]} are; "
        f"of 20 tumour images, {counts[2, 2]} are."
    )


def test_a_matrix_with_intervals_has_shares_of_the_rows() -> None:
    three = of_three_classes()
    counts, intervals = confusion(three), confusion_intervals(three, resamples=50)
    axes = plot_confusion(three, None, "Kidneys", intervals=intervals)
    written = [text.get_text() for text in axes.texts]
    assert [int(number) for number in written[::2]] == counts.ravel().tolist()
    low, high = 100 * intervals[0, 1]
    share = f"{100 * counts[0, 1] / 60:.0f} %"
    assert written[3] == f"{share}\n({low:.0f} to {high:.0f})"
    words = text_alternative(axes)
    assert (
        f"of 20 tumour images, {counts[2, 2]} are. Shares of each row, with the 95 % interval over patients:" in words
    )
    assert f"stone {share} ({low:.0f} to {high:.0f}), tumour" in words


def test_three_classes_have_a_curve_each() -> None:
    three = of_three_classes()
    axes = plot_roc(three, "Kidneys")
    assert len(axes.lines) == 4
    areas = ", ".join(f"{name} {auroc(three.one_against_rest(name)):.3f}" for name in three.classes)
    assert f"the areas (AUROC) {areas}; their mean is {auroc(three):.3f}" in text_alternative(axes)
    with pytest.raises(ValueError, match="no threshold between 3 classes"):
        plot_roc(three, "Kidneys", 0.5)
    six = Predictions(np.eye(6), np.arange(6), np.arange(6).astype(str), tuple("abcdef"), tuple("ABCDEF"))
    with pytest.raises(ValueError, match="at most 5 classes, got 6"):
        plot_roc(six, "Many")


def test_figures_of_two_classes_work_for_one_of_three() -> None:
    one = of_three_classes().one_against_rest("tumour")
    assert "; tumour: median" in text_alternative(plot_scores(one, 0.5, "Tumours"))
    assert "tumours: average precision" in text_alternative(plot_precision_recall({"tumours": one}, "Tumours"))
