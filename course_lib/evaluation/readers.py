"""What a model said of images that several readers outlined, and how well the readers agree with each other.

Several numbers look alike and are not:

| | who is measured | against whom |
|---|---|---|
| `reader_dice` | a reader | one other reader |
| `majority_dice` | the model | the majority of all readers |
| `against_the_others` | a reader, and the model | the majority of the other readers |

The first two can not be compared. A majority is smoother than any single outline, because what one reader alone does
cancels out; so a model may well lie above the readers' own Dice without drawing better than any of them. Nor is it fair
to hold a reader against the majority of all, of which the reader's own outline is a part. Only the last row measures
both on the same footing: each reader, and the model as well, against the majority of the others, on the same images.
What decides is the difference of the two over the same patients, ``compare(model, readers, ImageScores.mean)``.

Even that asks about outlines alone. An image counts where a reader has marked something and the others have a majority,
so that a nodule which a reader passed over does not lower this reader's Dice. And readers who have seen each other's
marks, as those of LIDC have in their second reading, may agree better than two who have not.

Source: M. F. McNitt-Gray et al., The LIDC Data Collection Process, Acad. Radiol. 14:1464-1474, 2007 (both readings).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions, dice, per_image
from course_lib.evaluation.surfaces import Mask, check_spacing

MARKED = ("background", "nodule")  #: the labels of an outline
AS_LIKELY_AS_NOT = 0.5  #: above this probability a pixel belongs to the outline, unless another threshold is chosen


def majority(marks: NDArray[np.uint8]) -> Mask:
    """The pixels that at least half of all readers marked: [h, w] of [readers, h, w].

    Of four, two are enough: the consensus of 50 % that is usual with LIDC, though a majority in the strict sense would
    take three. Here a reader who marked nothing counts as well. pylidc takes half of those who outlined the nodule: the
    same where three or four did, but of two it takes all that either marked, and of one all of it.

    Raises:
        ValueError: there is no reader.

    Source: ``utils.consensus`` of pylidc, https://github.com/notmatthancock/pylidc.
    """
    if not len(marks):
        raise ValueError("There is no reader, so there is no majority. Give the marks of one reader at least.")
    agreed: Mask = 2 * np.count_nonzero(marks, axis=0) >= len(marks)
    return agreed


@dataclass(frozen=True)
class ReaderPredictions:
    """The probability that a model gives each pixel, beside what each reader marked. Images may differ in size.

    The readers of an image are numbered, but number 2 of one patient need not be the person who is 2 of the next.

    Raises:
        ValueError: the fields do not fit each other, the images have different numbers of readers, a mark is not 0 or
            1, or a probability is not a number from 0 to 1; the message names the file.
    """

    probabilities: tuple[NDArray[np.float32], ...]  #: one map [h, w] per image, 0 to 1
    marks: tuple[NDArray[np.uint8], ...]  #: [readers, h, w] per image, 1 where a reader marked, else 0
    spacings: tuple[tuple[float, ...], ...]  #: one per image, millimetres from pixel to pixel along each axis
    losses: NDArray[np.float64]  #: [images]
    patients: NDArray[np.str_]  #: [images]
    nodules: NDArray[np.str_]  #: [images], which nodule each is a slice of
    files: tuple[str, ...]  #: names, in the same order

    def __post_init__(self) -> None:
        fields = (self.probabilities, self.marks, self.spacings, self.losses, self.patients, self.nodules)
        if any(len(field) != len(self.files) for field in fields):
            lengths = ", ".join(str(len(field)) for field in fields)
            raise ValueError(f"Expected {len(self.files)} of each, one per file, but got {lengths}.")
        for found, marks, spacing, file in zip(self.probabilities, self.marks, self.spacings, self.files, strict=True):
            _check(found, marks, file)
            check_spacing(spacing, found.ndim)
        if len(numbers := sorted({len(marks) for marks in self.marks})) > 1:
            raise ValueError(f"Every image needs the same number of readers, but they have {numbers} of them.")

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Always true: every image has a value, also where no one marked anything."""
        return True

    @property
    def readers(self) -> int:
        """How many readers looked at each image; 0 if there is no image."""
        return len(self.marks[0]) if self.marks else 0

    @property
    def readers_who_marked(self) -> NDArray[np.int64]:
        """[images], how many readers marked something in each."""
        return np.array([marks.any(axis=(1, 2)).sum() for marks in self.marks], dtype=np.int64)

    def take(self, indices: NDArray[np.int64]) -> "ReaderPredictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            probabilities=tuple(self.probabilities[i] for i in indices),
            marks=tuple(self.marks[i] for i in indices),
            spacings=tuple(self.spacings[i] for i in indices),
            losses=self.losses[indices],
            patients=self.patients[indices],
            nodules=self.nodules[indices],
            files=tuple(self.files[i] for i in indices),
        )

    def marked_by(self, least: int) -> "ReaderPredictions":
        """The predictions of the images in which at least so many readers marked something; maybe of none.

        Raises:
            ValueError: there are fewer readers, or the number is below 0.
        """
        if least < 0 or (len(self) and least > self.readers):
            raise ValueError(f"Expected a number of readers from 0 to {self.readers}, but got {least}.")
        return self.take(np.flatnonzero(self.readers_who_marked >= least))

    def outlines(self, threshold: float = AS_LIKELY_AS_NOT) -> SegmentationPredictions:
        """What is more probable than the threshold, beside the `majority`: every metric and figure of outlines fits.

        Where there is no majority, nothing is there to outline: the Dice is 1 if the model says so too, else 0.
        """
        return SegmentationPredictions(
            labels=MARKED,
            predicted=tuple((found > threshold).astype(np.uint8) for found in self.probabilities),
            true=tuple(majority(marks).astype(np.uint8) for marks in self.marks),
            spacings=self.spacings,
            losses=self.losses,
            patients=self.patients,
            files=self.files,
        )


def majority_dice(predictions: ReaderPredictions, threshold: float = AS_LIKELY_AS_NOT) -> ImageScores:
    """The `dice` of the model against the `majority` of all readers, of each image."""
    return per_image(predictions.outlines(threshold), lambda found, true, _: dice(found, true))


def reader_dice(predictions: ReaderPredictions) -> ImageScores:
    """How two readers agree: the mean Dice of the pairs who both marked something, of each image with such a pair."""

    def of_pairs(marks: Mask, _: NDArray[np.float32]) -> list[float]:
        return [dice(one, other) for one, other in combinations(marks[marks.any(axis=(1, 2))], 2)]

    return _of_images(predictions, of_pairs)


def against_the_others(
    predictions: ReaderPredictions, threshold: float = AS_LIKELY_AS_NOT
) -> tuple[ImageScores, ImageScores]:
    """Model and readers on the same footing: the Dice of the model, and that of the readers, of each image.

    Each reader who marked something is left out in turn, and both are held against the `majority` of those who are
    left, where they have one. Then the mean is taken over the readers left out. Of four readers at least three must
    have marked something, or their majority is empty; an image without any is left out.
    """

    def of_readers(marks: Mask, _: NDArray[np.float32]) -> list[float]:
        return [dice(one, others) for one, others in _left_out(marks)]

    def of_model(marks: Mask, found: NDArray[np.float32]) -> list[float]:
        return [dice(found > threshold, others) for _, others in _left_out(marks)]

    return _of_images(predictions, of_model), _of_images(predictions, of_readers)


def _left_out(marks: Mask) -> Iterator[tuple[Mask, Mask]]:
    """Each reader who marked something, beside the majority of the others, if they have one."""
    for number, one in enumerate(marks):
        others = np.delete(marks, number, axis=0)
        if len(others) and one.any() and (agreed := majority(others.view(np.uint8))).any():
            yield one, agreed


def _of_images(
    predictions: ReaderPredictions, measure: Callable[[Mask, NDArray[np.float32]], list[float]]
) -> ImageScores:
    """The mean of what is measured in each image, of the images in which something is; maybe of none."""
    images = zip(predictions.marks, predictions.probabilities, strict=True)
    measured = [measure(marks.astype(np.bool_), found) for marks, found in images]
    places = np.array([place for place, values in enumerate(measured) if values], dtype=np.int64)
    return ImageScores(
        np.array([np.mean(measured[place]) for place in places], dtype=np.float64)[:, None],
        MARKED[1:],
        predictions.patients[places],
        tuple(predictions.files[place] for place in places),
    )


def _check(found: NDArray[np.float32], marks: NDArray[np.uint8], file: str) -> None:
    if found.ndim != 2 or marks.ndim != 3 or marks.shape[1:] != found.shape or not len(marks):
        raise ValueError(
            f"{file}: expected probabilities [h, w] and marks [readers, h, w], but got {list(found.shape)} and "
            f"{list(marks.shape)}."
        )
    if marks.dtype != np.uint8 or marks.max(initial=0) > 1:
        raise ValueError(f"{file}: expected marks of uint8, 0 or 1, but got {marks.dtype} up to {marks.max()}.")
    if not (found.min(initial=0) >= 0 and found.max(initial=1) <= 1):
        raise ValueError(
            f"{file}: a probability is not a number from 0 to 1. Look for NaN in the image and in the weights of the "
            "model; logits become probabilities by sigmoid()."
        )
