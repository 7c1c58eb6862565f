"""The numbers that summarise the predictions of a classifier.

Those that take a threshold are for two classes. Without one, `confusion`, `accuracy` and `balanced_accuracy` go by the
class that was found most probable, of any number. For the other numbers of one class among several:
``sensitivity(predictions.one_against_rest("glioma"), threshold)``.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from course_lib.evaluation.intervals import accuracy_interval, bootstrap_intervals
from course_lib.evaluation.predictions import Predictions

Metric = Callable[["Predictions"], float]


def confusion(predictions: Predictions, threshold: float | None = None) -> NDArray[np.int64]:
    """Counts of images [classes, classes], rows true and columns predicted.

    With two classes and a threshold: [[true neg., false pos.], [false neg., true pos.]]. Without a threshold, the most
    probable class counts as predicted.

    Raises:
        ValueError: the threshold is not a number, so that it would call no one sick; or it comes with more classes.
    """
    if threshold is not None and np.isnan(threshold):
        raise ValueError("The threshold is NaN, but must be a number. See where it comes from.")
    classes = len(predictions.classes)
    called = predictions.most_probable if threshold is None else predictions.scores >= threshold
    return np.bincount(classes * predictions.labels + called, minlength=classes**2).reshape(classes, classes)


def confusion_intervals(
    predictions: Predictions, threshold: float | None = None, *, resamples: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """Of each cell of the `confusion` its share of the row, 0 to 1, as a 95 % interval over patients.

    [classes, classes, 2]: lower and upper end. A share of 0 or 1 is the same in every draw of a bootstrap, which is
    surer than anyone can be; there the interval is that of `accuracy_interval`, as if each patient had one image.

    Raises:
        ValueError: as in `confusion`; or a class has no image.
    """
    places = range(len(predictions.classes))
    shares = {
        f"{row} {column}": partial(_share, threshold=threshold, row=row, column=column)
        for row in places
        for column in places
    }
    drawn = bootstrap_intervals(predictions, shares, resamples=resamples, seed=seed)
    ends = np.array(list(drawn.values())).reshape(len(places), len(places), 2)
    patients = [len(np.unique(predictions.patients[predictions.labels == row])) for row in places]
    for row, column in np.ndindex(len(places), len(places)):
        share = _share(predictions, threshold, row, column)
        if share in (0, 1):
            ends[row, column] = accuracy_interval(round(share * patients[row]), patients[row])
    return ends


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


def accuracy(predictions: Predictions, threshold: float | None = None) -> float:
    """The part of all images that is called right, 0 to 1."""
    counts = confusion(predictions, threshold)
    return _ratio(counts.trace(), counts.sum())


def balanced_accuracy(predictions: Predictions, threshold: float | None = None) -> float:
    """The mean over the classes of the part that is called right, 0 to 1; NaN if a class has no image.

    Of two classes that is the mean of sensitivity and specificity. Who does not look has 0.5, or 1 / classes.
    """
    counts = confusion(predictions, threshold)
    return float(np.mean([_ratio(row[place], row.sum()) for place, row in enumerate(counts)]))


def f1(predictions: Predictions, threshold: float) -> float:
    """The harmonic mean of precision and sensitivity, 0 to 1."""
    (_, alarmed), (missed, found) = confusion(predictions, threshold)
    return _ratio(2 * found, 2 * found + alarmed + missed)


def auroc(predictions: Predictions) -> float:
    """The area under the ROC curve: how often a sick image scores above a healthy one, 0 to 1; 0.5 is chance.

    With more than two classes the mean over the classes, each against the rest and each counting alike. NaN if a class
    has no image.
    """
    return _of_disease_or_mean(auroc_by_ranks, predictions)


def auroc_by_ranks(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The AUROC of scores [images] for whether an image is ``positive`` [images]; there must be both kinds.

    The same number as scikit-learn's, without its checks: an interval asks for it a thousand times.

    Source: D. Bamber, The area above the ordinal dominance graph, J. Math. Psychol. 12:387-415, 1975.
    """
    ranks, n = rankdata(scores), int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(ranks) - n)))


def average_precision(predictions: Predictions) -> float:
    """The area under the precision-recall curve, 0 to 1; chance is the part of the images that is sick.

    With more than two classes the mean over the classes, each against the rest and each counting alike; chance is then
    1 / classes. NaN if a class has no image.
    """
    return _of_disease_or_mean(average_precision_by_ranks, predictions)


def average_precision_by_ranks(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The average precision of scores [images] for whether an image is ``positive`` [images]; there must be one.

    The same number as scikit-learn's, without its checks, as `auroc_by_ranks`.
    """
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = np.cumsum(positive[order])[last_of_equals]
    return float((np.diff(found, prepend=0) * found / (last_of_equals + 1)).sum() / positive.sum())


def choose_threshold(validation: Predictions) -> float:
    """The threshold with the highest balanced accuracy. Give it validation patients, never the test.

    It lies half-way between the two scores that it separates, so that it does not hang on a single image.

    Raises:
        ValueError: all scores are the same, or there are more than two classes.

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


def _of_disease_or_mean(
    metric: Callable[[NDArray[np.bool_], NDArray[np.float64]], float], predictions: Predictions
) -> float:
    """Of two classes the metric of the second, the disease; of more, the mean over them, each against the rest."""
    if not predictions.measurable:
        return float("nan")
    places = [1] if len(predictions.classes) == 2 else range(len(predictions.classes))
    scores_of = predictions.probabilities.T
    return float(np.mean([metric(predictions.labels == place, scores_of[place]) for place in places]))


def _share(predictions: Predictions, threshold: float | None, row: int, column: int) -> float:
    """The part of the images of one class that is called another, or the same; NaN if there is none."""
    counts = confusion(predictions, threshold)[row]
    return _ratio(counts[column], counts.sum())


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
