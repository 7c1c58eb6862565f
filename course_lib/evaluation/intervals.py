"""How sure a number is: intervals over patients, and two models compared on the same patients.

They work on the predictions of any task, as long as these know the patients.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from course_lib.evaluation.predictions import Judged, check_same_images
from course_lib.support.runtime import progress

P = TypeVar("P", bound=Judged)
Ends = tuple[float, float]


def bootstrap_interval(
    predictions: P, metric: Callable[[P], float], *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Ends:
    """The interval that holds ``level`` of the metric's values when patients are drawn anew, with replacement.

    Patients are drawn, not images: two images of one child are not two independent pieces of evidence.
    Draws in which the metric does not exist (a class is missing) are left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval).
    """
    values = [metric(drawn) for _, drawn in _draws(predictions, resamples, seed)]
    return _middle(values, level)


def bootstrap_intervals(
    predictions: P,
    metrics: Mapping[str, Callable[[P], float]],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Ends]:
    """The `bootstrap_interval` of each of the metrics, by name, in less time: all are measured on the same draws."""
    draws = progress(_draws(predictions, resamples, seed), "Bootstrap", "draw", resamples)
    values = [[metric(drawn) for metric in metrics.values()] for _, drawn in draws]
    return {name: _middle([row[place] for row in values], level) for place, name in enumerate(metrics)}


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
    first: P, second: P, metric: Callable[[P], float], *, resamples: int = 1000, seed: int = 0
) -> PairedDifference:
    """A paired bootstrap: in each draw, both models are measured on the same patients. The interval holds 95 %.

    Raises:
        ValueError: the models did not look at the same images in the same order.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8.
    """
    check_same_images((first, second))
    pairs = [(metric(drawn), metric(second.take(places))) for places, drawn in _draws(first, resamples, seed)]
    draws = np.array(pairs).reshape(-1, 2)
    low, high = _middle((draws[:, 0] - draws[:, 1]).tolist(), 0.95)
    return PairedDifference(metric(first) - metric(second), low, high, draws)


def with_interval(value: float, low: float, high: float, form: str = ".3f") -> str:
    """A number and its interval as they are written in a sentence or a table, "0.912 (0.874 to 0.946)" for example."""
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def accuracy_interval(correct: int, images: int, level: float = 0.95) -> Ends:
    """The interval of an accuracy that was measured on so many independent images, 0 to 1.

    Source: E. B. Wilson, Probable inference, J. Am. Stat. Assoc. 22:209-212, 1927.
    """
    interval = binomtest(correct, images).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def _draws(predictions: P, resamples: int, seed: int) -> Iterator[tuple[NDArray[np.int64], P]]:
    """Patients drawn with replacement, again and again: the places of their images, and what was said of these.

    Draws on which nothing can be measured (a class is missing) are left out.
    """
    _, codes = np.unique(predictions.patients, return_inverse=True)
    images_of = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        patients = rng.integers(len(images_of), size=len(images_of))
        places = np.concatenate([images_of[i] for i in patients])
        drawn = predictions.take(places)
        if drawn.measurable:
            yield places, drawn


def _middle(values: Sequence[float], level: float) -> Ends:
    """Between which two values the middle part of them lies; those that are NaN are left out."""
    if not values:
        raise ValueError("No interval: every resample lacked a class. There are too few patients.")
    if np.isnan(values).all():
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
