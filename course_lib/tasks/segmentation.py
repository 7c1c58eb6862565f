"""Segmentation: which label each pixel of an image, or each voxel of a volume, has."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from course_lib.evaluation.segmentation import SegmentationPredictions, mean_dice
from course_lib.support.errors import TrainingError
from course_lib.tasks.finite import check_finite
from course_lib.tasks.task import Sample

SMOOTHING = 1.0  #: pixels added above and below in Dice: a label that is absent, and not answered, costs nothing
MOST_LABELS = 256  #: that a label map of 8 bits can tell apart


@dataclass(frozen=True)
class Segmentation:
    """Give each pixel one of some labels. The first label is the background, which no score looks at.

    A model answers with logits, float [batch, labels, *spatial]; the targets are int64 [batch, *spatial], each the
    index of a label. There are two spatial axes or three.
    """

    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.labels) <= MOST_LABELS or len(set(self.labels)) < len(self.labels):
            raise ValueError(
                f"labels must be 2 to {MOST_LABELS} different names, the background's first, but are {self.labels}."
            )

    @property
    def score_name(self) -> str:
        """What `score` measures."""
        return "Dice"

    @property
    def guessing_loss(self) -> float:
        """The loss of a network that finds every label as probable as any other: of Dice, it has next to nothing."""
        return math.log(len(self.labels)) + 1

    def check_output(self, output: torch.Tensor, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output has a logit per label for every pixel of the inputs.

        Raises:
            ValueError: it has not.
        """
        wanted = [len(inputs), len(self.labels), *inputs.shape[2:]]
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"Expected the model to answer with one tensor {wanted}, but got {type(output).__name__}.")
        if list(output.shape) != wanted:
            raise ValueError(
                f"The data have {len(self.labels)} labels ({', '.join(self.labels)}), so the model must answer to "
                f"images of shape {list(inputs.shape)} with {wanted}, but it answered with {list(output.shape)}. "
                f"Build it with labels={len(self.labels)}, and let it keep the size of the images."
            )

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing: the targets are files, which `loss` looks at once they are read."""

    def class_weights(self, targets: Sequence[object]) -> torch.Tensor:
        """There are none: Dice counts every structure alike, however small it is.

        Raises:
            TrainingError: always.
        """
        raise TrainingError(
            f"class_weights='balanced' is not for segmentation ({len(targets)} images): its loss holds Dice, which "
            "counts every structure alike already. Take class_weights=None."
        )

    def loss(
        self,
        output: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy + 1 - Dice of the probabilities, one number: the mean over the images of the batch.

        The cross-entropy counts pixels, so that small structures hardly matter; Dice counts each structure alike.
        ``weights`` are what a pixel of each label counts in the cross-entropy, float [labels]; ``label_smoothing``
        goes to the cross-entropy too.

        Raises:
            ValueError: the targets are no label maps of the output's size.

        Source: F. Isensee et al., nnU-Net, Nature Methods 18:203-211, 2021, arXiv:1809.10486.
        """
        return self._losses(output, targets, weights, label_smoothing).mean()

    def predictions(
        self, output: torch.Tensor, targets: torch.Tensor, samples: Sequence[Sample]
    ) -> SegmentationPredictions:
        """The most probable label of every pixel, beside the true one, with each image's loss.

        A sample's ``spacing`` is in millimetres from pixel to pixel, 1 along each axis where it has none.

        Raises:
            TrainingError: the loss of an image is not a number; the message names files.
        """
        losses, files = self._losses(output, targets).cpu().double().numpy(), tuple(s.path.name for s in samples)
        check_finite(losses, files)
        return SegmentationPredictions(
            labels=self.labels,
            predicted=tuple(output.argmax(dim=1).to("cpu", torch.uint8).numpy()),
            true=tuple(targets.to("cpu", torch.uint8).numpy()),
            spacings=tuple(getattr(sample, "spacing", (1.0,) * (targets.ndim - 1)) for sample in samples),
            losses=losses,
            patients=np.array([sample.patient for sample in samples], dtype=np.str_),
            files=files,
        )

    def join(self, parts: Sequence[SegmentationPredictions]) -> SegmentationPredictions:
        """The predictions of several batches, one after the other. The images may differ in size."""
        return replace(
            parts[0],
            predicted=tuple(predicted for part in parts for predicted in part.predicted),
            true=tuple(true for part in parts for true in part.true),
            spacings=tuple(spacing for part in parts for spacing in part.spacings),
            losses=np.concatenate([part.losses for part in parts]),
            patients=np.concatenate([part.patients for part in parts]),
            files=tuple(file for part in parts for file in part.files),
        )

    def loss_of(self, predictions: SegmentationPredictions) -> float:
        """The mean of the images' losses, without weights or smoothing.

        Raises:
            TrainingError: the loss of an image is not a number.
        """
        check_finite(predictions.losses, predictions.files)
        return float(predictions.losses.mean())

    def score(self, predictions: SegmentationPredictions) -> float:
        """The mean Dice over images and labels other than the background, 0 to 1, see `dice`."""
        return mean_dice(predictions)

    def baseline(self, predictions: SegmentationPredictions) -> SegmentationPredictions:
        """The same images by someone who does not look: each pixel has the label most often there in other patients.

        Where structures lie anywhere, that is background everywhere, with a Dice of 0 in each image that has the
        structure. Where all images are cut around the same organ, it is the organ's usual outline, and a network has
        to be better than that. Images of different sizes are laid over each other from edge to edge. The losses are
        NaN: who is certain and wrong has an endless one.
        """
        grid = predictions.true[0].shape
        images_of: defaultdict[str, list[int]] = defaultdict(list)
        for number, patient in enumerate(predictions.patients):
            images_of[patient].append(number)
        everyone = np.zeros((len(self.labels), *grid), np.int64)
        for true in predictions.true:
            everyone += self._votes(true, grid)
        outlines = list(predictions.true)
        for numbers in images_of.values():
            others = everyone - sum(self._votes(predictions.true[number], grid) for number in numbers)
            usual = others.argmax(axis=0).astype(np.uint8)  # without any other patient, the background
            for number in numbers:
                outlines[number] = _stretch(usual, outlines[number].shape)
        return replace(predictions, predicted=tuple(outlines), losses=np.full(len(predictions), np.nan))

    def _losses(
        self,
        output: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """The loss of each image, float [batch]."""
        if targets.dtype != torch.int64 or targets.shape != (len(output), *output.shape[2:]):
            raise ValueError(
                f"Expected targets of dtype int64 and shape {[len(output), *output.shape[2:]]}, one label a pixel, but "
                f"got {targets.dtype} and {list(targets.shape)}. Take away an axis of length 1 with targets[:, 0]."
            )
        logits = output if output.dtype == torch.float64 else output.float()
        return _cross_entropy(logits, targets, weights, label_smoothing) + 1 - soft_dice(logits, targets)

    def _votes(self, true: NDArray[np.uint8], grid: tuple[int, ...]) -> NDArray[np.int64]:
        """Where each label is, 0 or 1 [labels, *grid]."""
        names = np.arange(len(self.labels)).reshape(-1, *[1] * len(grid))
        votes: NDArray[np.int64] = (_stretch(true, grid) == names).astype(np.int64)
        return votes


def soft_dice(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The Dice of each image with probabilities in place of yes and no, mean of its foreground labels: [batch], 0 to 1.

    Takes logits [batch, labels, *spatial] and int64 [batch, *spatial].

    Source: F. Milletari et al., V-Net, 3DV 2016, arXiv:1606.04797; without squares below, as in nnU-Net.
    """
    space = tuple(range(2, logits.ndim))
    names = torch.arange(1, logits.shape[1], device=logits.device).view(-1, *[1] * len(space))
    true = targets[:, None] == names  # [batch, labels - 1, *spatial]
    probable = logits.softmax(dim=1)[:, 1:]  # [batch, labels - 1, *spatial]
    return dice_of_probabilities(probable, true.to(probable.dtype)).mean(dim=1)


def dice_of_probabilities(probable: torch.Tensor, true: torch.Tensor, *, sharp: bool = False) -> torch.Tensor:
    """The Dice of probabilities, both [batch, labels, *spatial] from 0 to 1: [batch, labels], 0 to 1.

    Where readers disagree, what is true of a pixel may be a part, such as a half. Then what both have in common is the
    smaller of the two numbers, so that the best answer is that part itself. ``sharp`` takes their product: then the
    best answer is 1 where the part is more than half of the Dice that can be reached, and 0 elsewhere. Where all that
    is true is 0 or 1, the two are the same.

    Source: Z. Wang et al., Dice Semimetric Losses, MICCAI 2023, arXiv:2303.16296.
    """
    space = tuple(range(2, probable.ndim))
    smaller = torch.where(probable <= true, probable, true)  # `minimum` halves the gradient where both are equal
    overlap = (probable * true if sharp else smaller).sum(space)  # [batch, labels], in pixels
    total = probable.sum(space) + true.sum(space)
    return (2 * overlap + SMOOTHING) / (total + SMOOTHING)


def _cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None, label_smoothing: float
) -> torch.Tensor:
    """The mean cross-entropy of each image's pixels, each counted with the weight of its label: [batch]."""
    of_pixels = F.cross_entropy(logits, targets, weights, reduction="none", label_smoothing=label_smoothing).flatten(1)
    if weights is None:
        return of_pixels.mean(dim=1)
    counted = weights[targets].flatten(1).sum(dim=1)
    return of_pixels.sum(dim=1) / counted.clamp(min=torch.finfo(counted.dtype).tiny)  # 0, if no pixel counts


def _stretch(labels: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The label map in another size: each pixel takes the label at its place."""
    places = [
        ((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(shape, labels.shape, strict=True)
    ]
    return labels[np.ix_(*places)]
