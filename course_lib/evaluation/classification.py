"""The numbers that summarise the predictions of a classifier."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from course_lib.evaluation.predictions import Predictions

Metric = Callable[["Predictions"], float]


def confusion(predictions: Predictions, threshold: float) -> NDArray[np.int64]:
    """Counts of images, rows true and columns predicted: [[true neg., false pos.], [false neg., true pos.]]."""
    called = predictions.scores >= threshold
    return np.bincount(2 * predictions.labels + called, minlength=4).reshape(2, 2)


def sensitivity(predictions: Predictions, threshold: float) -> float:
    """Of the sick, the part that is called sick, 0 to 1; also called recall. NaN if no one is sick."""
    _, (missed, found) = confusion(predictions, threshold)
    return _ratio(found, found + missed)


def specificity(predictions: Predictions, threshold: float) -> float:
    """Of the healthy, the part that is called healthy, 0 to 1. NaN if no one is healthy."""
    (spared, alarmed), _ = confusion(predictions, threshold)
    return _ratio(spared, spared + alarmed)


def precision(predictions: Predictions, threshold: float) -> float:
    """Of those called sick, the part that is sick, 0 to 1; NaN if no one is. Doctors say positive predictive value."""
    (_, alarmed), (_, found) = confusion(predictions, threshold)
    return _ratio(found, found + alarmed)


def negative_predictive_value(predictions: Predictions, threshold: float) -> float:
    """Of those called healthy, the part that is healthy, 0 to 1. NaN if no one is called healthy."""
    (spared, _), (missed, _) = confusion(predictions, threshold)
    return _ratio(spared, spared + missed)


def accuracy(predictions: Predictions, threshold: float) -> float:
    """The part of all images that is called right, 0 to 1."""
    counts = confusion(predictions, threshold)
    return _ratio(counts.trace(), counts.sum())


def balanced_accuracy(predictions: Predictions, threshold: float) -> float:
    """The mean of sensitivity and specificity, 0 to 1; 0.5 for anyone who does not look."""
    return (sensitivity(predictions, threshold) + specificity(predictions, threshold)) / 2


def f1(predictions: Predictions, threshold: float) -> float:
    """The harmonic mean of precision and sensitivity, 0 to 1."""
    (_, alarmed), (missed, found) = confusion(predictions, threshold)
    return _ratio(2 * found, 2 * found + alarmed + missed)


def auroc(predictions: Predictions) -> float:
    """The area under the ROC curve: how often a sick image scores above a healthy one, 0 to 1; 0.5 is chance."""
    return float(metrics.roc_auc_score(predictions.labels, predictions.scores))


def average_precision(predictions: Predictions) -> float:
    """The area under the precision-recall curve, 0 to 1; chance is the part of the images that is sick."""
    return float(metrics.average_precision_score(predictions.labels, predictions.scores))


def choose_threshold(validation: Predictions) -> float:
    """The threshold with the highest balanced accuracy. Give it validation patients, never the test.

    It lies half-way between the two scores that it separates, so that it does not hang on a single image.

    Source: W. J. Youden, Index for rating diagnostic tests, Cancer 3:32-35, 1950.
    """
    scores = np.unique(validation.scores)
    if len(scores) < 2:
        raise ValueError(f"All {len(validation)} scores are the same, so no threshold can separate them.")
    candidates = (scores[1:] + scores[:-1]) / 2
    return float(max(candidates, key=lambda threshold: balanced_accuracy(validation, threshold)))


def bind(metric: Callable[[Predictions, float], float], threshold: float) -> Metric:
    """The metric at this threshold, as a function of the predictions alone."""
    return lambda predictions: metric(predictions, threshold)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
