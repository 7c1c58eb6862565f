"""Sensitivity stratum by stratum: of small and large, of obvious and subtle true boxes, of one view and another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import DetectionPredictions, JudgedBoxes
from course_lib.evaluation.intervals import accuracy_interval


@dataclass(frozen=True)
class Stratum:
    """How many of some true boxes are found. An empty stratum has no sensitivity: NaN."""

    name: str
    boxes: int
    patients: int
    sensitivity: float  #: 0 to 1
    low: float  #: lower end of the 95 % interval over patients
    high: float

    @property
    def estimate(self) -> tuple[float, float, float]:
        """Sensitivity, lower and upper end."""
        return self.sensitivity, self.low, self.high


def sensitivity_by(
    judged: JudgedBoxes,
    strata: Sequence[str] | NDArray[np.str_],
    threshold: float,
    *,
    names: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Stratum, ...]:
    """The part of the true boxes of each stratum that is found by a box with the score of the threshold or more.

    ``strata`` names the stratum of each true box, image after image, as `of_each_box` gives them; ``names`` says which
    strata there are, and in which order: without it, those that occur. Choose the threshold elsewhere, such as the one
    with one false alarm per image on validation films: ``judged_validation.froc().threshold_at(1)``.

    The interval draws patients. Where all draws agree, because all or none are found or there is but one patient, it is
    that of `accuracy_interval`, as if each patient had one box.

    Raises:
        ValueError: there is not one stratum per true box, one is not among the names, or the threshold is NaN.
    """
    of_box = np.asarray(strata, dtype=np.str_)
    _check(judged, of_box, names)
    found = judged.hit_from(threshold)
    patients = of_each_box(judged, judged.patients)
    rng = np.random.default_rng(seed)
    wanted = list(dict.fromkeys(of_box.tolist())) if names is None else list(names)
    return tuple(_stratum(name, found[of_box == name], patients[of_box == name], resamples, rng) for name in wanted)


def sides_px(predictions: DetectionPredictions) -> NDArray[np.float64]:
    """The side of each true box, image after image: the square root of its area, px."""
    corners = np.concatenate([np.empty((0, 4)), *(true.corners for true in predictions.true)])
    sides: NDArray[np.float64] = np.sqrt((corners[:, 2:] - corners[:, :2]).prod(axis=1))
    return sides


def in_steps(values: NDArray[np.float64], edges: Sequence[float], unit: str) -> NDArray[np.str_]:
    """The step in which each value lies, in words: "below 20 px", "20 to 40 px", "40 px or more" for edges 20 and 40.

    Raises:
        ValueError: there is no edge, they do not rise, or a value is not a number.
    """
    names = step_names(edges, unit)
    if np.isnan(values).any():
        raise ValueError(f"{np.count_nonzero(np.isnan(values))} of {len(values)} values are not a number.")
    return np.array(names, dtype=np.str_)[np.searchsorted(edges, values, side="right")]


def step_names(edges: Sequence[float], unit: str) -> tuple[str, ...]:
    """What `in_steps` calls the steps, from the lowest up.

    Raises:
        ValueError: there is no edge, or they do not rise.
    """
    if not len(edges) or not (np.diff(edges) > 0).all():
        raise ValueError(f"Expected edges that rise, at least one, but got {list(edges)}.")
    middle = (f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges))
    return (f"below {edges[0]:g} {unit}", *middle, f"{edges[-1]:g} {unit} or more")


def of_each_box(judged: JudgedBoxes, of_image: Sequence[str] | NDArray[np.str_]) -> NDArray[np.str_]:
    """What is known of each image, such as its view, for each of its true boxes: [true boxes], image after image.

    Raises:
        ValueError: there is not one word per image.
    """
    if len(of_image) != len(judged):
        raise ValueError(f"Expected a word for each of {len(judged)} images, but got {len(of_image)}.")
    return np.repeat(np.asarray(of_image, dtype=np.str_), [len(scores) for scores in judged.hit_scores])


def class_of_each_box(judged: JudgedBoxes) -> NDArray[np.str_]:
    """The class of each true box, by name: [true boxes], image after image."""
    places = np.concatenate([np.empty(0, np.int64), *judged.true_classes])
    names: NDArray[np.str_] = np.array(judged.classes, dtype=np.str_)[places]
    return names


def _stratum(
    name: str, found: NDArray[np.bool_], patients: NDArray[np.str_], resamples: int, rng: np.random.Generator
) -> Stratum:
    if not len(found):
        return Stratum(name, 0, 0, *(float("nan"),) * 3)
    names, codes = np.unique(patients, return_inverse=True)
    boxes_of, found_of = np.bincount(codes), np.bincount(codes, weights=found)
    drawn = rng.integers(len(names), size=(resamples, len(names)))
    low, high = np.quantile(found_of[drawn].sum(axis=1) / boxes_of[drawn].sum(axis=1), [0.025, 0.975])
    share = float(found.mean())
    if low == high:
        low, high = accuracy_interval(round(share * len(names)), len(names))
    return Stratum(name, len(found), len(names), share, float(low), float(high))


def _check(judged: JudgedBoxes, strata: NDArray[np.str_], names: Sequence[str] | None) -> None:
    if strata.shape != ((boxes := int(judged.true_counts.sum())),):
        raise ValueError(f"Expected the stratum of each of {boxes} true boxes, but got the shape {list(strata.shape)}.")
    if names is not None and (unknown := sorted(set(strata.tolist()) - set(names))):
        raise ValueError(f"Expected strata among {', '.join(names)}, but a box is of {', '.join(unknown)}.")
