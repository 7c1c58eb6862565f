"""Abstaining: the surest answers are the surest."""

import numpy as np
import pytest

from course_lib.evaluation.abstention import risk_coverage, surest
from course_lib.evaluation.classification import accuracy
from tests.made_predictions import FOUR, predictions_of


def test_the_surest_lie_farthest_from_the_threshold() -> None:
    assert set(surest(FOUR, 0.5, 0.5).files) == {"0.jpeg", "2.jpeg"}
    assert surest(FOUR, 0.85, 0.5).files == ("0.jpeg", "1.jpeg")
    assert len(surest(FOUR, 0.5, 0.01)) == 1
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        surest(FOUR, 0.5, 0)


def test_far_from_the_threshold_is_meant_in_logits() -> None:
    assert surest(predictions_of([0, 1], [0.6, 0.98]), 0.8, 0.5).files == ("1.jpeg",)


def test_risk_and_coverage_are_counted_from_the_surest_on() -> None:
    coverage, risk = risk_coverage(FOUR, 0.5)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 0, 1 / 3, 1 / 2])
    assert risk[-1] == pytest.approx(1 - accuracy(FOUR, 0.5))
