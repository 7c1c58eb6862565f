"""Figures of fine-tuning: their words say what they show."""

from dataclasses import replace

import numpy as np

from course_lib.evaluation.predictions import Predictions
from course_lib.figures.finetuning import plot_moved_scores, plot_unfreezing_costs
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


def test_costs_are_named_by_the_stage_down_to_which_the_network_learns() -> None:
    panels = plot_unfreezing_costs(
        [Unfrozen(("fc",), 1026, 0.1), Unfrozen(("layer4", "fc"), 8_394_754, 0.25)], "ResNet-18"
    )
    words = text_alternative(panels[0])
    assert "fc: 1,026 and 0.100; layer4: 8,394,754 and 0.250." in words
    assert [bar.get_height() for bar in panels[1].patches] == [0.1, 0.25]


def test_scores_that_moved_are_counted() -> None:
    after = replace(SEEN, probabilities=SEEN.probabilities[:, ::-1])
    words = text_alternative(plot_moved_scores(SEEN, after, "Turned round"))
    assert "Scores of 4 images before and after: they moved by 0.500 on average, at most by 0.800." in words
    assert "The AUROC was 1.000 and is 0.000." in words
