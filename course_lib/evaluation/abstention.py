"""Leaving the unsure cases to somebody else, and what that buys."""

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.predictions import Predictions


def surest(predictions: Predictions, threshold: float, coverage: float) -> Predictions:
    """The predictions that lie farthest from the threshold: this share of the images, at least one.

    Far is meant in logits: with a threshold of 0.8, 0.99 and 0.14 are equally far from it.

    Raises:
        ValueError: the coverage is not above 0 and at most 1.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be above 0 and at most 1, but is {coverage}.")
    away = np.abs(_logit(predictions.scores) - _logit(np.array(threshold)))
    order = np.argsort(-away, kind="stable")
    return predictions.take(order[: max(1, round(coverage * len(predictions)))])


def risk_coverage(predictions: Predictions, threshold: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coverage and risk, [images] each: of the 1, 2, … surest images, their share of all, and the share that is wrong.

    Source: Y. Geifman, R. El-Yaniv, Selective Classification for Deep Neural Networks, 2017, arXiv:1705.08500.
    """
    ordered = surest(predictions, threshold, 1.0)
    wrong = (ordered.scores >= threshold) != (ordered.labels == 1)
    answered = np.arange(1, len(ordered) + 1)
    return answered / len(ordered), np.cumsum(wrong) / answered


def _logit(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(probabilities, 1e-9, 1 - 1e-9)
    logits: NDArray[np.float64] = np.log(inside / (1 - inside))
    return logits
