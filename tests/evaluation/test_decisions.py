"""Counts and costs: in agreement with the numbers of the evaluation, and cheapest where they say so."""

import numpy as np
import pytest
from hypothesis import given, settings

from course_lib import evaluation
from course_lib.evaluation.decisions import Costs, cheapest_threshold, expected_counts
from course_lib.evaluation.predictions import Predictions
from tests.made_predictions import any_predictions, predictions_of


@settings(deadline=None, max_examples=30)
@given(any_predictions())
def test_at_its_own_prevalence_the_counts_are_the_confusion_matrix(predictions: Predictions) -> None:
    shares = evaluation.sensitivity(predictions, 0.5), evaluation.specificity(predictions, 0.5)
    counts = expected_counts(*shares, float(predictions.labels.mean()), len(predictions))
    (spared, alarmed), (missed, found) = evaluation.confusion(predictions, 0.5)
    assert (counts.found, counts.missed, counts.alarmed, counts.spared) == pytest.approx(
        (found, missed, alarmed, spared)
    )
    assert counts.positive_predictive_value == pytest.approx(evaluation.precision(predictions, 0.5), nan_ok=True)
    assert counts.negative_predictive_value == pytest.approx(
        evaluation.negative_predictive_value(predictions, 0.5), nan_ok=True
    )


def test_screening_counted_by_hand() -> None:
    counts = expected_counts(0.9, 0.8, 0.01)
    assert (counts.found, counts.missed, counts.alarmed, counts.spared) == pytest.approx((9, 1, 198, 792))
    assert counts.positive_predictive_value == pytest.approx(9 / 207)


def test_no_alarm_has_no_predictive_value() -> None:
    assert np.isnan(expected_counts(0, 1, 0.5).positive_predictive_value)
    assert np.isnan(expected_counts(1, 0, 0.5).negative_predictive_value)


@pytest.mark.parametrize(("wrong", "name"), [(0, "sensitivity"), (1, "specificity"), (2, "prevalence")])
def test_a_share_is_from_0_to_1(wrong: int, name: str) -> None:
    first, second, third = (50 if place == wrong else 0.5 for place in range(3))
    with pytest.raises(ValueError, match=f"{name} must be from 0 to 1, but is 50"):
        expected_counts(first, second, third)


def test_a_cost_counted_by_hand() -> None:
    # One of two sick is missed, one of four healthy is alarmed.
    predictions = predictions_of([1, 1, 0, 0, 0, 0], [0.9, 0.2, 0.7, 0.1, 0.1, 0.1])
    costs = Costs(10, 1, 0.2)
    assert costs.of(predictions, 0.5) == pytest.approx(0.2 * 10 / 2 + 0.8 * 1 / 4)
    assert str(costs) == "a miss costs 10, a false alarm 1, and 20% are sick"


@settings(deadline=None, max_examples=30)
@given(any_predictions())
def test_no_other_threshold_is_cheaper(predictions: Predictions) -> None:
    costs = Costs(3, 1, 0.3)
    lowest = costs.of(predictions, cheapest_threshold(predictions, costs))
    assert all(costs.of(predictions, threshold) >= lowest - 1e-12 for threshold in np.linspace(0, 1.01, 102))


@pytest.mark.parametrize(("costs", "called"), [(Costs(1000, 1, 0.5), 1.0), (Costs(1, 1000, 0.5), 0.0)])
def test_when_one_mistake_is_too_dear_everyone_gets_the_other_answer(costs: Costs, called: float) -> None:
    predictions = predictions_of([1, 1, 0, 0], [0.0, 0.6, 0.3, 1.0])
    assert (predictions.scores >= cheapest_threshold(predictions, costs)).mean() == called
