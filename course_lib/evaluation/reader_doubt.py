"""Whether a model is unsure where readers disagree: pixel by pixel, and from nodule to nodule.

Both numbers have a baseline that asks no one, and without it they say little. Readers disagree along the border, and
every outline has one: so `disagreement_auroc` gives, beside the model's doubt, how near a pixel is to the border of the
model's own outline. Of a small nodule most is border: so `ReadNodules` gives, beside the model's doubt, the size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.stats import rankdata

from course_lib.evaluation.classification import auroc_by_ranks
from course_lib.evaluation.readers import AS_LIKELY_AS_NOT, MARKED, ReaderPredictions
from course_lib.evaluation.segmentation import ImageScores
from course_lib.evaluation.surfaces import Mask


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
    doubt: NDArray[np.float64]  #: [nodules], bits of entropy per pixel that the model expects to be marked
    size: NDArray[np.float64]  #: [nodules], pixels that a reader marked, the mean over the readers
    patients: NDArray[np.str_]  #: [nodules]
    files: tuple[str, ...]  #: the names of the nodules

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Whether the nodules differ in all that is measured."""
        return all(len(np.unique(each)) > 1 for each in (self.disagreement, self.doubt, self.size))

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

    Raises:
        ValueError: no reader marked anything.
    """
    rows, patients, files = [], [], []
    for nodule in dict.fromkeys(predictions.nodules.tolist()):
        slices = np.flatnonzero(predictions.nodules == nodule)
        marked = sum(int(predictions.marks[i].any(axis=0).sum()) for i in slices)
        if not marked:
            continue
        disputed = sum(int(disagreement(predictions.marks[i]).sum()) for i in slices)
        bits = sum(float(entropy(predictions.probabilities[i]).sum()) for i in slices)
        expected = sum(float(predictions.probabilities[i].sum(dtype=np.float64)) for i in slices)
        size = sum(int(predictions.marks[i].sum()) for i in slices) / predictions.readers
        rows.append((disputed / marked, bits / expected if expected else 0.0, size))  # nothing expected: no doubt
        patients.append(predictions.patients[slices[0]])
        files.append(str(nodule))
    if not rows:
        raise ValueError(f"No reader marked anything in {len(predictions)} images, so there is no nodule to compare.")
    disputed_part, doubt, sizes = np.array(rows, dtype=np.float64).T
    return ReadNodules(disputed_part, doubt, sizes, np.array(patients, dtype=np.str_), tuple(files))


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
