"""Wrong labels, made on purpose so that they can be measured, and ways to find them again."""

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.labels import confident_disagreements
from course_lib.audit.quick_models import cross_validate
from course_lib.evaluation.predictions import Predictions
from course_lib.networks.frozen_features import Features, linear_probe

HELD_BACK = 100.0  #: regularisation of a probe that can not learn a wrong label by heart


def flip_labels(labels: NDArray[np.int64], share: float, seed: int = 0, classes: int = 2) -> NDArray[np.int64]:
    """A copy of the labels with this share of them exchanged for another class.

    Which labels, and for which of the other classes, is drawn, and follows from the seed.

    Raises:
        ValueError: the share is not from 0 to 1, or a label is none of the classes.
    """
    if not 0 <= share <= 1 or not set(np.unique(labels).tolist()) <= set(range(classes)):
        raise ValueError(
            f"Expected a share from 0 to 1 and labels from 0 to {classes - 1}, got {share} and {np.unique(labels)}."
        )
    flipped, random = labels.copy(), np.random.default_rng(seed)
    chosen = random.choice(len(labels), round(share * len(labels)), replace=False)
    flipped[chosen] = (flipped[chosen] + random.integers(1, classes, len(chosen))) % classes
    return flipped


def judged_by_others(seen: Features, regularisation: float = HELD_BACK) -> Predictions:
    """What a linear probe says of each image when it has learned from other patients only (five parts in turn).

    Raises:
        DataError: a class has fewer than five patients.
    """
    probe = linear_probe(seen, regularisation=regularisation)  # trained anew on each part
    return cross_validate(probe, seen.values.astype(np.float64), seen.labels, seen.patients, seen.classes)


def doubted_places(predictions: Predictions) -> NDArray[np.int64]:
    """The images whose label the predictions confidently contradict, as in `doubt_labels`.

    Source: C. Northcutt, L. Jiang, I. Chuang, Confident Learning, J. Artif. Intell. Res. 70:1373-1411, 2021.
    """
    return np.array([place for place, _ in confident_disagreements(predictions)], dtype=np.int64)


def standing_out(values: NDArray[np.float64], limit: float = 3.0) -> NDArray[np.bool_]:
    """Whether each value is more than ``limit`` robust standard deviations from the median, [images].

    Source: P. J. Rousseeuw, C. Croux, Alternatives to the Median Absolute Deviation, J. Am. Stat. Assoc. 88:1273-1283,
    1993 (1.4826 times the median distance from the median estimates the standard deviation of normal values).
    """
    away = np.abs(values - np.median(values))
    far: NDArray[np.bool_] = away > limit * 1.4826 * np.median(away)
    return far
