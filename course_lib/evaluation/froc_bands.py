"""FROC curves with an interval over patients at every point: what another draw of patients might have shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import FALSE_ALARM, FROC_RATES, ClassNames, JudgedBoxes

DRAWN_RATES = tuple(np.geomspace(FROC_RATES[0], FROC_RATES[-1], 49).tolist())  #: of a curve: eight from mark to mark
Estimate = tuple[float, float, float]  #: value, lower and upper end


@dataclass(frozen=True)
class FrocBand:
    """The sensitivity at some rates of false alarms, each with its interval over patients."""

    rates: NDArray[np.float64]  #: [rates], false alarms per image
    sensitivity: NDArray[np.float64]  #: [rates], 0 to 1
    low: NDArray[np.float64]  #: [rates], lower end of the interval
    high: NDArray[np.float64]
    mean: Estimate  #: the sensitivity at `FROC_RATES` on average, with its interval


def froc_band(
    judged: JudgedBoxes,
    rates: Sequence[float] = DRAWN_RATES,
    classes: ClassNames = None,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> FrocBand:
    """The FROC curve of one class, of several together, or of all, at these false alarms per image, with its band.

    Patients are drawn with replacement, all their images with them; each draw has its own curve, and the band holds
    ``level`` of the sensitivities at each rate. So it holds that many at one rate, not whole curves. Draws without a
    true box are left out. The ends are those of `bootstrap_interval` with the same seed, in much less time: the boxes
    are put in order once, and a draw only counts how often each patient came.

    Without a true box, everything is NaN.

    Raises:
        ValueError: there is no such class, a rate is not 0 or more, or there are fewer than two patients.
    """
    wanted = _check_rates(rates)
    ordered, counts = _Ordered.of(judged, classes), _patient_counts(judged, resamples, seed)
    every = np.concatenate([wanted, FROC_RATES])
    value = ordered.sensitivity(np.ones(len(judged)), every)
    drawn = np.array([ordered.sensitivity(times, every) for times in counts]).reshape(-1, len(every))
    sensitivities = drawn[~np.isnan(drawn).any(axis=1)]
    low, high = _middle(sensitivities[:, : len(wanted)], level)
    mean_low, mean_high = _middle(sensitivities[:, len(wanted) :].mean(axis=1, keepdims=True), level)
    mean = (float(value[len(wanted) :].mean()), float(mean_low[0]), float(mean_high[0]))
    return FrocBand(wanted, value[: len(wanted)], low, high, mean)


def sensitivity_at(
    judged: JudgedBoxes,
    false_alarms: float = 1.0,
    classes: ClassNames = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """The sensitivity at so many false alarms per image, and the ends of its 95 % interval over patients.

    Raises:
        ValueError: as in `froc_band`.
    """
    band = froc_band(judged, (false_alarms,), classes, resamples=resamples, seed=seed)
    return float(band.sensitivity[0]), float(band.low[0]), float(band.high[0])


@dataclass(frozen=True)
class _Ordered:
    """The found boxes of all images from the surest down, ready to be counted with the weight of their image."""

    images: NDArray[np.int64]  #: [found], the image of each
    hit: NDArray[np.bool_]  #: [found]
    alarm: NDArray[np.bool_]  #: [found]
    last_of_equals: NDArray[np.int64]  #: places after which the score changes
    true: NDArray[np.int64]  #: [images], how many true boxes

    @classmethod
    def of(cls, judged: JudgedBoxes, classes: ClassNames) -> "_Ordered":
        places = judged.places_of(classes)
        scores = np.concatenate([np.empty(0), *judged.scores])
        hits = np.concatenate([np.empty(0, np.int64), *judged.hits])
        found = np.concatenate([np.empty(0, np.int64), *judged.found_classes])
        images = np.repeat(np.arange(len(judged)), [len(scores) for scores in judged.scores])
        order = np.argsort(-scores, kind="stable")
        order = order[np.isin(found[order], places)]
        ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
        true = judged.true_counts[:, places].sum(axis=1)
        return cls(images[order], hits[order] >= 0, hits[order] == FALSE_ALARM, ends, true)

    def sensitivity(self, times: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """[rates], if each image came so many ``times`` [images]; NaN without a true box among them."""
        if not (true := float(times @ self.true)):
            return np.full(len(rates), np.nan)
        weights = times[self.images]
        found = np.append(0.0, np.cumsum(weights * self.hit)[self.last_of_equals])
        alarms = np.append(0.0, np.cumsum(weights * self.alarm)[self.last_of_equals])
        return np.interp(rates, alarms / times.sum(), found / true)


def _patient_counts(judged: JudgedBoxes, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """[images] for each draw: how often the patient of each image came."""
    names, codes = np.unique(judged.patients, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"An interval over patients needs two of them at least, but there are {len(names)}: drawn again and "
            "again, they would always be the same."
        )
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = rng.integers(len(names), size=len(names))
        yield np.bincount(drawn, minlength=len(names))[codes].astype(np.float64)


def _check_rates(rates: Sequence[float]) -> NDArray[np.float64]:
    wanted = np.array(rates, dtype=np.float64)
    if not len(wanted) or not (wanted >= 0).all():
        raise ValueError(f"Expected rates of false alarms per image, each 0 or more, but got {list(rates)}.")
    return wanted


def _middle(values: NDArray[np.float64], level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Between which two values the middle part of each column lies; NaN where there is no row."""
    if not len(values):
        return np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    return low, high
