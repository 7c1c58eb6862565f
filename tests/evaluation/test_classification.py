"""The numbers of a classifier: against scikit-learn, and against counting by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from course_lib import evaluation
from course_lib.evaluation.classification import choose_threshold
from course_lib.evaluation.predictions import Predictions
from tests.made_predictions import any_predictions, of_three_classes, predictions_of


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(any_predictions(), st.sampled_from([0.1, 0.5, 0.75]))
def test_every_number_is_scikit_learns(predictions: Predictions, threshold: float) -> None:
    true, called, scores = predictions.labels, predictions.scores >= threshold, predictions.scores
    expected = {
        "accuracy": metrics.accuracy_score(true, called),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, called),
        "sensitivity": metrics.recall_score(true, called),
        "specificity": metrics.recall_score(~true.astype(bool), ~called),
        "precision": metrics.precision_score(true, called, zero_division=np.nan),
        "f1": metrics.f1_score(true, called),
        "negative_predictive_value": metrics.precision_score(~true.astype(bool), ~called, zero_division=np.nan),
    }
    for name, value in expected.items():
        assert getattr(evaluation, name)(predictions, threshold) == pytest.approx(value, nan_ok=True), name
    assert np.array_equal(
        evaluation.confusion(predictions, threshold), metrics.confusion_matrix(true, called, labels=[0, 1])
    )
    assert evaluation.auroc(predictions) == pytest.approx(metrics.roc_auc_score(true, scores))
    assert evaluation.average_precision(predictions) == pytest.approx(metrics.average_precision_score(true, scores))


def test_a_case_counted_by_hand() -> None:
    # Sick: 0.9, 0.8, 0.3. Healthy: 0.7, 0.2, 0.1, 0.1. At 0.5: two found, one missed, one false alarm, three spared.
    predictions = predictions_of([1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.1])
    assert evaluation.confusion(predictions, 0.5).tolist() == [[3, 1], [1, 2]]
    assert evaluation.sensitivity(predictions, 0.5) == pytest.approx(2 / 3)
    assert evaluation.specificity(predictions, 0.5) == pytest.approx(3 / 4)
    assert evaluation.auroc(predictions) == pytest.approx(11 / 12)  # of 12 pairs, only (0.3, 0.7) is the wrong way


def test_the_threshold_separates_what_can_be_separated() -> None:
    assert choose_threshold(predictions_of([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9])) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="All 3 scores are the same"):
        choose_threshold(predictions_of([0, 1, 1], [0.5, 0.5, 0.5]))


@settings(deadline=None, max_examples=40)
@given(any_predictions())
def test_no_threshold_between_two_scores_does_better_than_the_chosen_one(predictions: Predictions) -> None:
    if len(np.unique(predictions.scores)) < 2:
        return
    best = evaluation.balanced_accuracy(predictions, choose_threshold(predictions))
    assert all(evaluation.balanced_accuracy(predictions, t) <= best + 1e-12 for t in np.unique(predictions.scores)[1:])


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.5, 2.0, 5.0]))
def test_every_number_of_three_classes_is_scikit_learns(seed: int, noise: float) -> None:
    three = of_three_classes(60, noise, seed)
    three = replace(three, probabilities=three.probabilities.round(1))  # with ties
    true, called = three.labels, three.most_probable
    one_hot = np.eye(3)[true]
    assert evaluation.confusion(three).tolist() == metrics.confusion_matrix(true, called).tolist()
    assert evaluation.accuracy(three) == pytest.approx(metrics.accuracy_score(true, called))
    assert evaluation.balanced_accuracy(three) == pytest.approx(metrics.balanced_accuracy_score(true, called))
    area = metrics.roc_auc_score(one_hot, three.probabilities, average="macro")
    assert evaluation.auroc(three) == pytest.approx(area)
    area = metrics.average_precision_score(one_hot, three.probabilities, average="macro")
    assert evaluation.average_precision(three) == pytest.approx(area)
    recalls, precisions = (score(true, called, average=None, zero_division=np.nan) for score in PER_CLASS)
    for place, name in enumerate(three.classes):
        one = three.decided().one_against_rest(name)
        assert evaluation.sensitivity(one, 0.5) == pytest.approx(recalls[place])
        assert evaluation.precision(one, 0.5) == pytest.approx(precisions[place], nan_ok=True)


PER_CLASS = (metrics.recall_score, metrics.precision_score)


def test_the_auroc_of_three_classes_is_one_against_the_rest() -> None:
    three = of_three_classes()
    expected = metrics.roc_auc_score(three.labels, three.probabilities, multi_class="ovr", average="macro")
    assert evaluation.auroc(three) == pytest.approx(expected)


def test_without_one_of_three_classes_there_is_no_area() -> None:
    three = of_three_classes()
    two_left = three.take(np.flatnonzero(three.labels < 2))
    assert np.isnan(evaluation.auroc(two_left))
    assert np.isnan(evaluation.average_precision(two_left))
    assert np.isnan(evaluation.balanced_accuracy(two_left))


@settings(deadline=None, max_examples=30)
@given(any_predictions())
def test_without_a_threshold_the_more_probable_of_two_classes_counts(predictions: Predictions) -> None:
    called = predictions.probabilities.argmax(axis=1)
    assert evaluation.accuracy(predictions) == pytest.approx(metrics.accuracy_score(predictions.labels, called))


@pytest.mark.parametrize("number", [choose_threshold, lambda p: evaluation.confusion(p, 0.5)])
def test_a_threshold_is_for_two_classes(number: Callable[[Predictions], object]) -> None:
    with pytest.raises(ValueError, match=r"exactly two classes, but there are 3.*one_against_rest\('tumour'\)"):
        number(of_three_classes())


def test_the_cells_of_a_matrix_have_the_intervals_of_their_shares() -> None:
    three = of_three_classes()
    intervals = evaluation.confusion_intervals(three, resamples=100)
    assert intervals.shape == (3, 3, 2)
    found = evaluation.bootstrap_interval(
        three, lambda drawn: evaluation.sensitivity(drawn.decided().one_against_rest("stone"), 0.5), resamples=100
    )
    assert intervals[1, 1] == pytest.approx(found)
    shares = evaluation.confusion(three) / np.array([[60], [40], [20]])
    assert (intervals[..., 0] <= shares).all()
    assert (shares <= intervals[..., 1]).all()


def test_a_share_of_none_or_all_has_an_interval_with_a_width() -> None:
    labels = [0] * 20 + [1] * 10
    sure = predictions_of(labels, [float(label) for label in labels], [f"p{i // 2}" for i in range(30)])
    intervals = evaluation.confusion_intervals(sure, 0.5, resamples=20)
    assert intervals[0, 0] == pytest.approx(evaluation.accuracy_interval(10, 10))
    assert intervals[0, 1] == pytest.approx(evaluation.accuracy_interval(0, 10))
    assert intervals[1, 0] == pytest.approx(evaluation.accuracy_interval(0, 5))


def test_a_matrix_without_one_of_the_classes_has_no_intervals() -> None:
    three = of_three_classes()
    with pytest.raises(ValueError, match="every resample lacked a class"):
        evaluation.confusion_intervals(three.take(np.flatnonzero(three.labels < 2)), resamples=5)
