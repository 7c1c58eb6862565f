"""How sure a number is: intervals over patients, and two models compared on the same patients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from course_lib.evaluation.classification import Metric
from course_lib.evaluation.predictions import Predictions, check_same_images


def bootstrap_interval(
    predictions: Predictions, metric: Metric, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval that holds ``level`` of the metric's values when patients are drawn anew, with replacement.

    Patients are drawn, not images: two images of one child are not two independent pieces of evidence.
    Draws in which the metric does not exist (a class is missing) are left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
    """
    values = [metric(predictions.take(drawn)) for drawn in _draws(predictions, resamples, seed)]
    return _middle(values, level)


@dataclass(frozen=True)
class PairedDifference:
    """Two models on the same images: how much higher the first one's metric is, and how sure that is."""

    difference: float  #: first minus second
    low: float  #: lower end of the paired interval
    high: float
    draws: NDArray[np.float64]  #: [resamples, 2], the metric of both on the same patients

    @property
    def wins(self) -> float:
        """The part of the draws in which the first is better, 0 to 1; ties count half.

        Draws in which the metric of one does not exist are left out.
        """
        gained = self.draws[:, 0] - self.draws[:, 1]
        gained = gained[~np.isnan(gained)]
        return float((gained > 0).mean() + (gained == 0).mean() / 2)

    def __str__(self) -> str:
        return (
            f"difference {self.difference:+.3f}, 95 % interval {self.low:+.3f} to {self.high:+.3f}; "
            f"better in {self.wins:.0%} of the draws"
        )


def compare(
    first: Predictions, second: Predictions, metric: Metric, *, resamples: int = 1000, seed: int = 0
) -> PairedDifference:
    """A paired bootstrap: in each draw, both models are measured on the same patients. The interval holds 95 %.

    Raises:
        ValueError: the models did not look at the same images in the same order.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8.
    """
    check_same_images((first, second))
    drawn = _draws(first, resamples, seed)
    draws = np.array([(metric(first.take(indices)), metric(second.take(indices))) for indices in drawn]).reshape(-1, 2)
    low, high = _middle((draws[:, 0] - draws[:, 1]).tolist(), 0.95)
    return PairedDifference(metric(first) - metric(second), low, high, draws)


def _draws(predictions: Predictions, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The images of patients drawn with replacement, again and again; draws that lack a class are left out."""
    _, codes = np.unique(predictions.patients, return_inverse=True)
    images_of = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = rng.integers(len(images_of), size=len(images_of))
        indices = np.concatenate([images_of[i] for i in drawn])
        if len(np.unique(predictions.labels[indices])) == len(predictions.classes):
            yield indices


def _middle(values: Sequence[float], level: float) -> tuple[float, float]:
    """Between which two values the middle part of them lies."""
    if not values:
        raise ValueError("No interval: every resample lacked a class. There are too few patients.")
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


def accuracy_interval(correct: int, images: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of an accuracy that was measured on so many independent images, 0 to 1.

    Source: E. B. Wilson, Probable inference, J. Am. Stat. Assoc. 22:209-212, 1927.
    """
    interval = binomtest(correct, images).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)
