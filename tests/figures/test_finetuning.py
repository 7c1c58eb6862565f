"""The figures of fine-tuning: their words say what they show."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.evaluation.predictions import Predictions
from course_lib.figures.finetuning import plot_methods, plot_moved_scores, plot_unfreezing_costs
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
