"""Whether a model is unsure where readers disagree: pixel by pixel, and from nodule to nodule.

Each number stands beside a baseline that needs no model. Readers disagree along the border, and
every outline has one: so `disagreement_auroc` gives, beside the model's doubt, how near a pixel is to the border of the
model's own outline. Of a small nodule most is border: so `ReadNodules` gives, beside the model's doubt, the size.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.stats import rankdata

from course_lib.evaluation.classification import auroc_by_ranks
from course_lib.evaluation.readers import AS_LIKELY_AS_NOT, MARKED, ReaderPredictions
from course_lib.evaluation.segmentation import ImageScores
from course_lib.evaluation.surfaces import Mask

POSSIBLE = 0.05  #: from this probability on, a pixel may be nodule for the model


def entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """How unsure a probability is, in bits, of the same shape: 0 at 0 and at 1, 1 at a half."""
    p = probabilities.astype(np.float64)
    bits = np.zeros_like(p)
    open_ = (p > 0) & (p < 1)
    q = p[open_]
    bits[open_] = -(q * np.log2(q) + (1 - q) * np.log2(1 - q))
    return bits


def disagreement(marks: NDArray[np.uint8]) -> Mask:
    """The pixels that some readers marked, but not all: [h, w] of [readers, h, w]."""
    votes = np.count_nonzero(marks, axis=0)
    disputed: Mask = (votes > 0) & (votes < len(marks))
    return disputed


def disagreement_auroc(
    predictions: ReaderPredictions, threshold: float = AS_LIKELY_AS_NOT
) -> tuple[ImageScores, ImageScores]:
    """How often a pixel with `disagreement` has more of something than one without, in each image; 0.5 is chance.

    First the `entropy` of the model, then the baseline: how near the pixel is to the border of the model's outline at
    the threshold. Both of the images in which readers disagree anywhere; compare them by `intervals.compare`. Most of
    an image lies far from any nodule and is told apart easily: a higher number may only mean a larger image.

    Raises:
        ValueError: readers disagree in no image.
    """
    disputed = [disagreement(marks) for marks in predictions.marks]
    places = np.array([i for i, where in enumerate(disputed) if where.any() and not where.all()], dtype=np.int64)
    if not len(places):
        raise ValueError(
            f"In none of {len(predictions)} images do the {predictions.readers} readers disagree. Take images with "
            "marks of several readers."
        )

    def scores(doubt: Callable[[NDArray[np.float32]], NDArray[np.float64]]) -> ImageScores:
        values = [auroc_by_ranks(disputed[i].ravel(), doubt(predictions.probabilities[i]).ravel()) for i in places]
        taken = predictions.take(places)
        return ImageScores(np.array(values)[:, None], MARKED[1:], taken.patients, taken.files)

    return scores(entropy), scores(lambda found: _nearness(found > threshold))


@dataclass(frozen=True)
class ReadNodules:
    """How far readers disagree about each nodule, how unsure the model is of it, and how large it is."""

    disagreement: NDArray[np.float64]  #: [nodules], the part of the pixels that anyone marked which not all marked
    doubt: NDArray[np.float64]  #: [nodules], mean entropy in bits of the pixels that may be nodule for the model
    size: NDArray[np.float64]  #: [nodules], pixels that a reader marked, the mean over the readers
    patients: NDArray[np.str_]  #: [nodules]
    files: tuple[str, ...]  #: the names of the nodules

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Always true: where all nodules are equal, the correlation is NaN."""
        return True

    def take(self, indices: NDArray[np.int64]) -> "ReadNodules":
        """The numbers of some nodules, in the order of ``indices``; a nodule may come more than once."""
        return replace(
            self,
            disagreement=self.disagreement[indices],
            doubt=self.doubt[indices],
            size=self.size[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )

    def rank_correlation(self) -> float:
        """Spearman's correlation of the model's doubt with the readers' disagreement, -1 to 1; NaN if all are equal.

        Source: C. Spearman, The proof and measurement of association between two things, Am. J. Psychol. 15:72-101,
        1904.
        """
        return _rank_correlation(self.doubt, self.disagreement)

    def rank_correlation_of_size(self) -> float:
        """The baseline: the same of smallness, which asks no model. How much a nodule is border hangs on its size."""
        return _rank_correlation(-self.size, self.disagreement)


def by_nodule(predictions: ReaderPredictions) -> ReadNodules:
    """The nodules that any reader marked, all their slices together.

    The doubt is measured where the model gives a pixel a probability of at least `POSSIBLE`, so that a wide background
    adds nothing to it. It is 0 of a nodule that the model passes over.

    Raises:
        ValueError: no reader marked anything.
    """
    slices_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, whose in enumerate(zip(predictions.patients.tolist(), predictions.nodules.tolist(), strict=True)):
        slices_of[whose].append(place)
    marked = {whose: at for whose, at in slices_of.items() if any(predictions.marks[i].any() for i in at)}
    if not marked:
        raise ValueError(f"No reader marked anything in {len(predictions)} images, so there is no nodule to compare.")
    rows = np.array([_measured(predictions, at) for at in marked.values()], dtype=np.float64)
    patients = np.array([patient for patient, _ in marked], dtype=np.str_)
    return ReadNodules(rows[:, 0], rows[:, 1], rows[:, 2], patients, tuple(nodule for _, nodule in marked))


def _measured(predictions: ReaderPredictions, slices: Sequence[int]) -> tuple[float, float, float]:
    """Disagreement, doubt and size of one nodule, in the order of the fields of `ReadNodules`."""
    marks = [predictions.marks[i] for i in slices]
    marked = sum(np.count_nonzero(each.any(axis=0)) for each in marks)
    disputed = sum(np.count_nonzero(disagreement(each)) for each in marks)
    found = np.concatenate([predictions.probabilities[i].ravel() for i in slices])
    bits = entropy(found[found >= POSSIBLE])
    size = sum(np.count_nonzero(each) for each in marks) / predictions.readers
    return disputed / marked, float(bits.mean()) if len(bits) else 0.0, size


def _nearness(outline: Mask) -> NDArray[np.float64]:
    """Minus the distance in pixels from the border of an outline, within as without; the same everywhere if it has
    none."""
    if outline.all() or not outline.any():
        return np.zeros(outline.shape)
    nearness: NDArray[np.float64] = -np.maximum(distance_transform_edt(outline), distance_transform_edt(~outline))
    return nearness


def _rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if any(len(np.unique(each)) < 2 for each in (first, second)):
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])
