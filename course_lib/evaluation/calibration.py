"""Whether a score of 0.8 means four sick children in five: reliability, Brier score, and temperature scaling."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from course_lib.evaluation.predictions import Predictions

HIGHEST_TEMPERATURE = 20.0  #: and the lowest is one part in so many


@dataclass(frozen=True)
class Reliability:
    """Images in groups of like scores, from low to high."""

    score: NDArray[np.float64]  #: [groups], mean score, 0 to 1
    sick: NDArray[np.int64]  #: [groups], images of the sick
    images: NDArray[np.int64]  #: [groups]

    @property
    def share(self) -> NDArray[np.float64]:
        """[groups], the part of the images that shows the disease, 0 to 1; equal to the score if all is well."""
        return self.sick / self.images


def reliability(predictions: Predictions, groups: int = 6) -> Reliability:
    """What the model says beside what is true, in groups of about as many images each.

    Raises:
        ValueError: there are fewer images than groups, or more than two classes.
    """
    if not 0 < groups <= len(predictions):
        raise ValueError(f"Expected from 1 to {len(predictions)} groups, one image each at least, but got {groups}.")
    members = np.array_split(np.argsort(predictions.scores, kind="stable"), groups)
    return Reliability(
        score=np.array([predictions.scores[group].mean() for group in members]),
        sick=np.array([predictions.labels[group].sum() for group in members]),
        images=np.array([len(group) for group in members]),
    )


def brier_score(predictions: Predictions) -> float:
    """The mean squared distance from score to truth, 0 to 1; lower is better, and saying 0.5 to all gives 0.25.

    With more than two classes, the squares of all classes are added up, so that it goes from 0 to 2, and who finds all
    classes equally probable gets 1 - 1 / classes.

    Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78:1-3, 1950.
    """
    if len(predictions.classes) == 2:
        return float(((predictions.scores - predictions.labels) ** 2).mean())
    truth = np.eye(len(predictions.classes))[predictions.labels]
    return float(((predictions.probabilities - truth) ** 2).sum(axis=1).mean())


def with_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """What the model says with its logits divided by the temperature; above 1 it is less sure, below 1 surer.

    The order of the scores, and so the AUROC, stays as it is, but for scores that become exactly 0 or 1.

    Raises:
        ValueError: the temperature is not above 0.

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599.
    """
    if not temperature > 0:
        raise ValueError(f"The temperature must be above 0, but is {temperature}.")
    logits = np.log(np.maximum(predictions.probabilities, np.finfo(np.float64).tiny))
    return replace(predictions, probabilities=softmax(logits / temperature, axis=1))


def fit_temperature(validation: Predictions) -> float:
    """The temperature with the lowest cross-entropy. Give it validation patients, never the test.

    Source: C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599.
    """

    def loss(log_temperature: float) -> float:
        softened = with_temperature(validation, float(np.exp(log_temperature)))
        of_the_truth = softened.probabilities[np.arange(len(validation)), validation.labels]
        return float(-np.log(np.maximum(of_the_truth, np.finfo(np.float64).tiny)).mean())

    most = np.log(HIGHEST_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=(-most, most), method="bounded", options={"xatol": 1e-6}).x))
