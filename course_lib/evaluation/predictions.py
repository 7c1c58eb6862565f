"""What a classifier said about each image, beside what is true; and what the predictions of every task have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from course_lib.support.errors import DataError
from course_lib.support.foreign import some_of

ROUNDING = 1e-6  #: by which a probability may miss the range from 0 to 1


class Judged(Protocol):
    """What a model said about each image, beside what is true: all that a bootstrap over patients needs to know."""

    @property
    def patients(self) -> NDArray[np.str_]:
        """[images], whose each is."""

    @property
    def files(self) -> tuple[str, ...]:
        """Names, in the same order."""

    @property
    def measurable(self) -> bool:
        """Whether there is all that the metrics need; if not, a draw of the bootstrap is left out."""

    def __len__(self) -> int: ...

    def take(self, indices: NDArray[np.int64], /) -> Self:
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""


@dataclass(frozen=True)
class Predictions:
    """What a model said about each image, beside what is true.

    Raises:
        ValueError: the parts do not fit together, a probability is not a number from 0 to 1, or a label is not the
            index of a class; the message names files.
    """

    probabilities: NDArray[np.float64]  #: [images, classes], each row sums to 1
    labels: NDArray[np.int64]  #: [images], index of the true class
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        images = len(self.files)
        there = np.shape(self.probabilities), np.shape(self.labels), np.shape(self.patients)
        if there != ((images, len(self.classes)), (images,), (images,)):
            raise ValueError(
                f"Of {images} files and {len(self.classes)} classes, expected probabilities, labels and patients of "
                f"the shapes {[images, len(self.classes)]}, [{images}] and [{images}], but got "
                f"{', '.join(str(list(shape)) for shape in there)}."
            )
        check_labels(self.labels, self.classes, self.files)
        if spoilt := self._files_where(~np.isfinite(self.probabilities)):
            raise ValueError(
                f"The probabilities of {len(spoilt)} of {images} images are not numbers "
                f"({some_of(spoilt)}), so that no metric exists. Look for NaN in these "
                "images and in the weights of the model."
            )
        if odd := self._files_where((self.probabilities < -ROUNDING) | (self.probabilities > 1 + ROUNDING)):
            raise ValueError(
                f"The probabilities of {len(odd)} of {images} images are not from 0 to 1 ({some_of(odd)}). Outputs of "
                "a network become probabilities by softmax(dim=1)."
            )

    def _files_where(self, wrong: NDArray[np.bool_]) -> list[str]:
        """The files of the images of which some entry is wrong; ``wrong`` [images, classes]."""
        return [self.files[i] for i in np.flatnonzero(wrong.any(axis=1)).tolist()]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def measurable(self) -> bool:
        """Whether every class has an image."""
        return len(np.unique(self.labels)) == len(self.classes)

    @property
    def scores(self) -> NDArray[np.float64]:
        """[images], from 0 to 1: how probable the model finds the second class, the disease.

        Raises:
            ValueError: there are more than two classes, so that no single one is the disease.
        """
        if len(self.classes) != 2:
            raise ValueError(
                f"A score and a threshold need exactly two classes, but there are {len(self.classes)}: "
                f"{', '.join(self.classes)}. Take one of them, as in "
                f"predictions.one_against_rest({self.classes[-1]!r})."
            )
        scores: NDArray[np.float64] = self.probabilities[:, 1]
        return scores

    @property
    def most_probable(self) -> NDArray[np.int64]:
        """[images], index of the class that the model finds most probable; of equal ones, the first."""
        most_probable: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return most_probable

    def take(self, indices: NDArray[np.int64]) -> "Predictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            probabilities=self.probabilities[indices],
            labels=self.labels[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )

    def one_against_rest(self, class_name: str) -> "Predictions":
        """The same predictions with two classes, this one the second: every number and figure of two classes fits.

        Raises:
            ValueError: there is no such class.
        """
        if class_name not in self.classes:
            raise ValueError(f"Expected one of the classes {', '.join(self.classes)}, got {class_name!r}.")
        place = self.classes.index(class_name)
        score = self.probabilities[:, place]
        return replace(
            self,
            probabilities=np.stack([1 - score, score], axis=1),
            labels=(self.labels == place).astype(np.int64),
            classes=(f"not {class_name}", class_name),
        )

    def decided(self) -> "Predictions":
        """The same images with certainty for the class that was found most probable."""
        return replace(self, probabilities=np.eye(len(self.classes))[self.most_probable])


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
    """The same images, judged by someone who does not look and always says the same, with certainty.

    Of two classes that is the second, the disease; of more it is the one with the most images.
    """
    always = np.zeros_like(predictions.probabilities)
    always[:, predictions.classes.index(always_said(predictions))] = 1.0
    return replace(predictions, probabilities=always)


def always_said(predictions: Predictions) -> str:
    """The class that the `baseline` names for every image."""
    two = len(predictions.classes) == 2
    return predictions.classes[1 if two else int(np.bincount(predictions.labels).argmax())]


def check_labels(labels: Sequence[object] | NDArray[Any], classes: Sequence[str], files: Sequence[str] = ()) -> None:
    """Do nothing if each of the labels [images] is the index of a class; ``files`` are the images' names, if known.

    Raises:
        DataError: one is not, and the message names its file. A loss might leave such an image out, without a word.
    """
    given = np.asarray(labels)
    if given.dtype.kind in "iub":
        wrong = np.flatnonzero((given < 0) | (given >= len(classes))).tolist()
    else:
        wrong = [i for i, label in enumerate(labels) if not (isinstance(label, int) and 0 <= label < len(classes))]
    if wrong:
        whose = f" ({some_of([files[i] for i in wrong])})" if len(files) else ""
        raise DataError(
            f"A label must be the index of a class, 0 to {len(classes) - 1} ({', '.join(classes)}), but "
            f"{len(wrong)} of {len(labels)} images{whose} have {some_of(sorted({str(labels[i]) for i in wrong}))}. "
            "Correct these labels, or leave the images out."
        )


def check_same_images(several: Sequence[Judged]) -> None:
    """Do nothing if all are of the same images and, where there are classes, of the same ones in the same order.

    Raises:
        ValueError: they are not.
    """
    if len({predictions.files for predictions in several}) != 1:
        raise ValueError("The models must have looked at the same images, in the same order.")
    if len(named := {getattr(predictions, "classes", ()) for predictions in several}) != 1:
        different = " and ".join(sorted(", ".join(classes) for classes in named))
        raise ValueError(f"The models must tell the same classes apart, in the same order, but these are {different}.")


def loss_of_each(predictions: Predictions) -> NDArray[np.float64]:
    """The cross-entropy of every image, [images]: 0 where its label is certain, ln 2 where the model guesses of two."""
    of_label = predictions.probabilities[np.arange(len(predictions)), predictions.labels]
    losses: NDArray[np.float64] = -np.log(np.maximum(of_label, 1e-12))
    return losses
