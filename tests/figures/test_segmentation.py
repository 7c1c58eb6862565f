"""Figures of judged outlines: one dot for each image and structure, beside the baseline's."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.segmentation import ImageScores
from course_lib.figures.segmentation import plot_dice
from course_lib.figures.style import MARKS, text_alternative

PATIENTS = np.array(["a", "b", "c"])
FILES = ("a.nii.gz", "b.nii.gz", "c.nii.gz")
NAMES = ("U-Net", "mean mask")


def _scores(values: list[list[float]], labels: tuple[str, ...] = ("front", "back")) -> ImageScores:
    return ImageScores(np.array(values), labels, PATIENTS, FILES)


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def test_every_image_has_a_dot_beside_that_of_the_baseline() -> None:
    scores, baseline = _scores([[0.9, 0.8], [0.8, 0.7], [0.7, 0.9]]), _scores([[0.5, 0.4]] * 3)
    axes = plot_dice(scores, baseline, NAMES, "Dice")
    clouds = [line for line in axes.lines if line.get_marker() in {marker for _, marker in MARKS}]
    assert [np.asarray(line.get_ydata()).tolist() for line in clouds] == [
        [0.5] * 3,
        [0.9, 0.8, 0.7],
        [0.4] * 3,
        [0.8, 0.7, 0.9],
    ]
    assert [line.get_markerfacecolor() == "white" for line in clouds] == [True, False, True, False]
    assert clouds[0].get_marker() != clouds[2].get_marker()
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "mean mask\nfront",
        "U-Net\nfront",
        "mean mask\nback",
        "U-Net\nback",
    ]
    words = text_alternative(axes)
    assert words.startswith(
        "Dice. Mean Dice of 3 images of 3 patients, with the 95 % interval over patients. front: U-Net 0.80 (0.70 to "
        "0.90), mean mask 0.50 (0.50 to 0.50), difference +0.30 (+0.20 to +0.40); the lowest of U-Net is 0.70, in "
        "c.nii.gz. back: "
    )


def test_scores_of_other_structures_are_refused() -> None:
    with pytest.raises(ValueError, match="the same structures"):
        plot_dice(_scores([[1.0]] * 3, ("front",)), _scores([[1.0]] * 3, ("back",)), NAMES, "Dice")
    many = _scores([[1.0] * 6] * 3, tuple("abcdef"))
    with pytest.raises(ValueError, match="at most 5 structures, got 6"):
        plot_dice(many, many, NAMES, "Dice")
