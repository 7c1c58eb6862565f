"""Outlines beside the true ones, and the numbers that compare them: overlap, volume, distance of the surfaces.

Every image counts, in every mean, with one and the same weight; which of them count never hangs on what the model said:

| | Dice, IoU, surface Dice | Hausdorff distance |
|---|---|---|
| there, and outlined | 0 to 1 | millimetres |
| there, and missed | 0 | the image's diagonal |
| not there, but outlined | 0 | the image's diagonal |
| not there, and not outlined | 1 | 0 |

The last row is a right answer, but an easy one. Where a structure is in few of the images, the mean says little about
outlines: `presence` counts the rows, the baseline shows what an empty answer gets, and ``take`` keeps the images in
which the structure is.

Source: L. Maier-Hein et al., Metrics reloaded, Nat. Methods 21:195-212, 2024;
A. Reinke et al., Understanding metric-related pitfalls, Nat. Methods 21:182-194, 2024.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.surfaces import Mask, check_masks, check_spacing, hausdorff_distance, surface_dice

CUBIC_MILLIMETRES_PER_ML = 1000.0

MaskMetric = Callable[[Mask, Mask, tuple[float, ...]], float]  #: of predicted, true, and the spacing in mm


@dataclass(frozen=True)
class SegmentationPredictions:
    """What a model outlined in each image, beside what is true. Images may differ in size and in spacing.

    Raises:
        ValueError: the fields do not fit each other, or a label map holds a value that has no name.
    """

    labels: tuple[str, ...]  #: names of the structures; a pixel's value is an index, and the first is the background
    predicted: tuple[NDArray[np.uint8], ...]  #: one label map [*spatial] per image, 2-D or 3-D
    true: tuple[NDArray[np.uint8], ...]  #: the same shapes
    spacings: tuple[tuple[float, ...], ...]  #: one per image, millimetres from pixel to pixel along each axis
    losses: NDArray[np.float64]  #: [images]
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order

    def __post_init__(self) -> None:
        fields = (self.predicted, self.true, self.spacings, self.losses, self.patients)
        if any(len(field) != len(self.files) for field in fields):
            lengths = ", ".join(str(len(field)) for field in fields)
            raise ValueError(f"Expected {len(self.files)} of each, one per file, but got {lengths}.")
        for predicted, true, spacing, file in zip(self.predicted, self.true, self.spacings, self.files, strict=True):
            if predicted.shape != true.shape:
                raise ValueError(f"{file}: the predicted map is {predicted.shape}, the true one {true.shape}.")
            check_spacing(spacing, true.ndim)
            _check_values((predicted, true), self.labels, file)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Always true: every image has a value, also where a structure is absent."""
        return True

    def take(self, indices: NDArray[np.int64]) -> "SegmentationPredictions":
        """The predictions of some images, in the order of ``indices``; an image may come more than once."""
        return replace(
            self,
            predicted=tuple(self.predicted[i] for i in indices),
            true=tuple(self.true[i] for i in indices),
            spacings=tuple(self.spacings[i] for i in indices),
            losses=self.losses[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def dice(predicted: Mask, true: Mask) -> float:
    """Twice the overlap over the sum of both areas or volumes, 0 to 1. Both empty: 1; one empty: 0.

    Raises:
        ValueError: the masks are not boolean or differ in shape.

    Source: L. R. Dice, Measures of the amount of ecologic association between species, Ecology 26:297-302, 1945.
    """
    check_masks(predicted, true)
    both = np.count_nonzero(predicted) + np.count_nonzero(true)
    return 2 * np.count_nonzero(predicted & true) / both if both else 1.0


def iou(predicted: Mask, true: Mask) -> float:
    """The overlap over the union, 0 to 1, also called the Jaccard index: Dice / (2 - Dice). Both empty: 1; one: 0.

    Raises:
        ValueError: the masks are not boolean or differ in shape.

    Source: P. Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11:37-50, 1912.
    """
    check_masks(predicted, true)
    union = np.count_nonzero(predicted | true)
    return np.count_nonzero(predicted & true) / union if union else 1.0


def volume_difference_ml(predicted: Mask, true: Mask, spacing_mm: Sequence[float]) -> float:
    """Predicted minus true volume in millilitres: above 0, the outline is too large. It may be 0 in the wrong place.

    Raises:
        ValueError: the masks are not boolean, differ in shape, or are 2-D: a slice has an area, not a volume.
    """
    check_masks(predicted, true)
    check_spacing(spacing_mm, true.ndim)
    if true.ndim != 3:
        raise ValueError(f"A volume needs masks with 3 axes, but these have {true.ndim}.")
    voxels = np.count_nonzero(predicted) - np.count_nonzero(true)
    return float(voxels * np.prod(spacing_mm) / CUBIC_MILLIMETRES_PER_ML)


@dataclass(frozen=True)
class ImageScores:
    """One number per image and structure. Patients can be drawn from it without measuring the masks again.

    >>> scores = ImageScores(np.array([[0.5], [1.0]]), ("liver",), np.array(["a", "b"]), ("a.nii", "b.nii"))
    >>> scores.take(np.array([1, 1, 0])).mean()
    0.8333333333333334
    """

    values: NDArray[np.float64]  #: [images, labels]
    labels: tuple[str, ...]  #: the structures that were measured
    patients: NDArray[np.str_]  #: [images]
    files: tuple[str, ...]  #: names, in the same order

    def __len__(self) -> int:
        return len(self.files)

    @property
    def measurable(self) -> bool:
        """Always true: every image has a value, also where a structure is absent."""
        return True

    def take(self, indices: NDArray[np.int64]) -> "ImageScores":
        """The numbers of some images, in the order of ``indices``; an image may come more than once."""
        files = tuple(self.files[i] for i in indices)
        return replace(self, values=self.values[indices], patients=self.patients[indices], files=files)

    def mean(self, label: str | None = None) -> float:
        """The mean over images, and over structures where no ``label`` is named; NaN where there is no image."""
        chosen = self.values if label is None else self.values[:, _index(self.labels, label)]
        return float(chosen.mean()) if chosen.size else float("nan")


def per_image(predictions: SegmentationPredictions, metric: MaskMetric, label: str | None = None) -> ImageScores:
    """The metric of each structure but the background in each image, or of the one that ``label`` names.

    Surfaces take long, and a bootstrap asks a thousand times, so measure first, then draw:
    ``bootstrap_interval(per_image(predictions, hausdorff_distance), ImageScores.mean)``.

    Raises:
        ValueError: no structure has that name, or there is none but the background.
    """
    labels = predictions.labels[1:] if label is None else (label,)
    if not labels:
        raise ValueError(f"There is nothing to measure but the background: the labels are {predictions.labels}.")
    indices = [_index(predictions.labels, name) for name in labels]
    images = zip(predictions.predicted, predictions.true, predictions.spacings, strict=True)
    values = [metric(found == i, true == i, spacing) for found, true, spacing in images for i in indices]
    shaped = np.array(values, dtype=np.float64).reshape(len(predictions), len(labels))
    return ImageScores(shaped, labels, predictions.patients, predictions.files)


def mean_dice(predictions: SegmentationPredictions, label: str | None = None) -> float:
    """The mean `dice` over images and structures, or of the structure named, 0 to 1."""
    return per_image(predictions, lambda found, true, _: dice(found, true), label).mean()


def mean_iou(predictions: SegmentationPredictions, label: str | None = None) -> float:
    """The mean `iou` over images and structures, or of the structure named, 0 to 1."""
    return per_image(predictions, lambda found, true, _: iou(found, true), label).mean()


def mean_hausdorff(predictions: SegmentationPredictions, label: str | None = None, percentile: float = 95) -> float:
    """The mean `hausdorff_distance` over images and structures, or of the structure named, in millimetres."""

    def metric(found: Mask, true: Mask, spacing: tuple[float, ...]) -> float:
        return hausdorff_distance(found, true, spacing, percentile)

    return per_image(predictions, metric, label).mean()


def mean_surface_dice(predictions: SegmentationPredictions, label: str | None = None, *, tolerance_mm: float) -> float:
    """The mean `surface_dice` over images and structures, or of the structure named, 0 to 1."""

    def metric(found: Mask, true: Mask, spacing: tuple[float, ...]) -> float:
        return surface_dice(found, true, spacing, tolerance_mm)

    return per_image(predictions, metric, label).mean()


@dataclass(frozen=True)
class Presence:
    """In how many images a structure is, and in how many of them the model said so."""

    found: int  #: there, and outlined somewhere
    missed: int  #: there, but not outlined
    invented: int  #: not there, but outlined
    absent: int  #: not there, and not outlined


def presence(predictions: SegmentationPredictions, label: str) -> Presence:
    """How many images are in each row of the table at the top, for one structure.

    Raises:
        ValueError: no structure has that name.
    """
    index = _index(predictions.labels, label)
    there = np.array([(true == index).any() for true in predictions.true], dtype=np.bool_)
    said = np.array([(found == index).any() for found in predictions.predicted], dtype=np.bool_)
    groups = (there & said, there & ~said, ~there & said, ~there & ~said)
    return Presence(*(int(np.count_nonzero(group)) for group in groups))


def _index(labels: tuple[str, ...], label: str) -> int:
    if label not in labels:
        raise ValueError(f"No structure is called {label!r}. There are: {', '.join(labels)}.")
    return labels.index(label)


def _check_values(maps: Sequence[NDArray[np.uint8]], labels: tuple[str, ...], file: str) -> None:
    for label_map in maps:
        if label_map.dtype != np.uint8:
            raise ValueError(f"{file}: expected a label map of uint8, but got {label_map.dtype}.")
        if label_map.max(initial=0) >= len(labels):
            raise ValueError(
                f"{file}: the label map holds {label_map.max()}, but the {len(labels)} labels end at "
                f"{len(labels) - 1} ({labels[-1]}). Name every value, also one that means 'not outlined'."
            )
