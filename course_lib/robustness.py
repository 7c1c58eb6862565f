"""What goes wrong outside the textbook, made on purpose so that it can be measured; and abstaining."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from course_lib.audit.labels import confident_disagreements
from course_lib.audit.quick_models import cross_validate
from course_lib.evaluation import Predictions
from course_lib.features import Features, linear_probe

HELD_BACK = 100.0  #: regularisation of a probe that can not learn a wrong label by heart


def flip_labels(labels: NDArray[np.int64], share: float, seed: int = 0) -> NDArray[np.int64]:
    """A copy of the labels, 0 or 1, with this share of them exchanged; which ones is drawn, and follows from the seed.

    Raises:
        ValueError: the share is not from 0 to 1, or there are other labels.
    """
    if not 0 <= share <= 1 or not set(np.unique(labels).tolist()) <= {0, 1}:
        raise ValueError(
            f"Expected a share from 0 to 1 and labels that are 0 or 1, got {share} and {np.unique(labels)}."
        )
    flipped = labels.copy()
    chosen = np.random.default_rng(seed).choice(len(labels), round(share * len(labels)), replace=False)
    flipped[chosen] = 1 - flipped[chosen]
    return flipped


def loss_of_each(predictions: Predictions) -> NDArray[np.float64]:
    """The cross-entropy of every image, [images]: 0 where its label is certain, ln 2 where the model guesses."""
    of_label = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    losses: NDArray[np.float64] = -np.log(np.maximum(of_label, 1e-12))
    return losses


def judged_by_others(seen: Features, regularisation: float = HELD_BACK) -> Predictions:
    """What a linear probe says of each image when it has learned from other patients only (five parts in turn).

    Raises:
        DataError: a class has fewer than five patients.
    """
    probe = linear_probe(seen, regularisation=regularisation)  # trained anew on each part
    return cross_validate(probe, seen.values.astype(np.float64), seen.labels, seen.patients, seen.classes)


def doubted_places(predictions: Predictions) -> NDArray[np.int64]:
    """The images whose label the predictions confidently contradict, as in `audit.doubt_labels`.

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


@dataclass(frozen=True)
class Scanner:
    """A machine that makes of a film, 0 black to 1 white, another one; at its defaults it changes nothing.

    A stand-in for a change of scanner: real ones differ in more than a curve of greys.
    """

    gain: float = 1.0  #: brighter by this factor; what would be whiter than white is lost
    gamma: float = 1.0  #: exponent of the grey curve, below 1 brighter in the middle
    black: float = 0.0  #: grey of what was black
    white: float = 1.0  #: grey of what was white
    noise: float = 0.0  #: grain, standard deviation

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The images as this machine would show them, the same shape; the given tensor stays as it is.

        Takes float of any shape from 0 to 1. The grain comes from torch's global generator.
        """
        grey = (self.gain * images).clamp(0, 1).pow(self.gamma)
        grey = self.black + (self.white - self.black) * grey
        if self.noise:
            grey = grey + self.noise * torch.randn_like(grey)
        return grey.clamp(0, 1)


OTHER_SCANNER = Scanner(gamma=0.6, black=0.15, white=0.85, noise=0.03)  #: brighter, flatter, grainier
BURNT = Scanner(gain=3.0)  #: far too bright: much of the chest is white, and stays so whatever one does later


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
