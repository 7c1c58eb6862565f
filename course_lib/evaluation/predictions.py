"""What a classifier said about each image, beside what is true."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """What a model said about each image, beside what is true."""

    probabilities: NDArray[np.float64]  #: [images, classes], each row sums to 1
    labels: NDArray[np.int64]  #: [images], index of the true class
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def scores(self) -> NDArray[np.float64]:
        """[images], from 0 to 1: how probable the model finds the second class, the disease.

        Raises:
            ValueError: there are more than two classes, so that no single one is the disease.
        """
        if len(self.classes) != 2:
            raise ValueError(f"scores need exactly two classes, but there are {len(self.classes)}: {self.classes}.")
        scores: NDArray[np.float64] = self.probabilities[:, 1]
        return scores

    def take(self, indices: NDArray[np.int64]) -> "Predictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            probabilities=self.probabilities[indices],
            labels=self.labels[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def mean_of(several: Sequence[Predictions]) -> Predictions:
    """What several models say together about the same images: the mean of their probabilities, an ensemble.

    Source: B. Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty Estimation, arXiv:1612.01474.
    """
    check_same_images(several)
    return replace(several[0], probabilities=np.mean([p.probabilities for p in several], axis=0))


def check_class_count(output_shape: Sequence[int], classes: Sequence[str]) -> None:
    """Do nothing if a model's output has one column per class.

    Raises:
        ValueError: it has not.
    """
    if len(output_shape) != 2 or output_shape[1] != len(classes):
        raise ValueError(
            f"The data have {len(classes)} classes ({', '.join(classes)}), so the model must answer with shape "
            f"[batch, {len(classes)}], but it answered with {list(output_shape)}. "
            f"Build it with classes={len(classes)}."
        )


def baseline(predictions: Predictions) -> Predictions:
    """The same images, judged by someone who does not look: always the disease, with certainty."""
    always = np.zeros_like(predictions.probabilities)
    always[:, 1] = 1.0
    return replace(predictions, probabilities=always)


def check_same_images(several: Sequence[Predictions]) -> None:
    if len({predictions.files for predictions in several}) != 1:
        raise ValueError("The models must have looked at the same images, in the same order.")


def loss_of_each(predictions: Predictions) -> NDArray[np.float64]:
    """The cross-entropy of every image, [images]: 0 where its label is certain, ln 2 where the model guesses."""
    of_label = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    losses: NDArray[np.float64] = -np.log(np.maximum(of_label, 1e-12))
    return losses
