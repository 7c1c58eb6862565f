"""Labels that may be wrong: where a model that has not seen the patient is sure of the other class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.inventory import ImageFile, Inventory
from course_lib.audit.quick_models import auroc_of, cross_validate, linear_of_few, outlines
from course_lib.evaluation.predictions import Predictions
from course_lib.support.foreign import printable


@dataclass(frozen=True)
class Suspect:
    """An image whose label a model doubts. That is a reason to look, and no proof."""

    file: ImageFile
    suggested: str  #: class that the model finds likelier
    probability: float  #: that the model gives to the label it has, 0 to 1


@dataclass(frozen=True)
class LabelNoise:
    """All suspects, the most doubtful first, and how good the model is that doubts them."""

    suspects: tuple[Suspect, ...]
    images: int
    auroc: float

    def _repr_markdown_(self) -> str:
        rows = [f"| {s.file.shown} | {printable(s.suggested)} | {s.probability:.2f} |" for s in self.suspects[:10]]
        return "\n".join(["| file | the model would say | probability of its label |", "|---|---|---|", *rows])


def doubt_labels(inventory: Inventory) -> LabelNoise:
    """Images that a logistic regression on outlines, which learned from other patients, confidently calls otherwise.

    Confident is as in confident learning: another class gets at least the mean probability that images with that
    label get, and the image's own label gets less than its mean.

    Raises:
        DataError: a class has fewer than five patients.

    Source: C. Northcutt, L. Jiang, I. Chuang, Confident Learning, J. Artif. Intell. Res. 70:1373-1411, 2021.
    """
    seen = outlines(inventory.small(64))
    made = cross_validate(linear_of_few(), seen, inventory.labels, inventory.patients, inventory.classes)
    suspects = [
        Suspect(inventory.files[i], made.classes[j], float(made.probabilities[i, made.labels[i]]))
        for i, j in confident_disagreements(made)
    ]
    suspects.sort(key=lambda suspect: (round(suspect.probability, 4), suspect.file.name))
    return LabelNoise(tuple(suspects), len(inventory), auroc_of(made))


def confident_disagreements(predictions: Predictions) -> list[tuple[int, int]]:
    """(image, suggested class) wherever the predictions confidently contradict the label."""
    probabilities, labels = predictions.probabilities, predictions.labels
    usual = np.array([probabilities[labels == c, c].mean() for c in range(probabilities.shape[1])])
    sure: NDArray[np.float64] = np.where(probabilities >= usual, probabilities, 0.0)
    suggested = sure.argmax(axis=1)
    return [(int(i), int(suggested[i])) for i in np.flatnonzero((sure.max(axis=1) > 0) & (suggested != labels))]
