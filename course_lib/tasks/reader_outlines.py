"""Outlines by several readers: learned from all of them or from one, judged against their majority."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.evaluation.readers import MARKED, ReaderPredictions, majority_dice
from course_lib.support.errors import DataError
from course_lib.tasks.finite import check_finite
from course_lib.tasks.segmentation import Segmentation, dice_of_probabilities
from course_lib.tasks.task import Sample

Learned = Literal["votes", "sharp votes", "majority"] | int
OUTLINING = Segmentation(MARKED)


@dataclass(frozen=True)
class ReaderOutlines:
    """Say of each pixel how probable it is that a reader marks it.

    What is learned is one of four:

    - ``"votes"``: the part of the readers who marked a pixel, 0, 1/4, 1/2, 3/4 or 1 of four;
    - ``"sharp votes"``: the same, but the Dice in the loss asks for an outline, yes or no, rather than for that part;
    - ``"majority"``: whether at least half of them did, see `evaluation.readers.majority`;
    - a number: what the reader of that number marked, who need not be the same person in every patient.

    Whatever is learned, the score is the Dice against the majority, so that they can be compared. A model answers
    with one logit per pixel, float [batch, 1, height, width]; the targets are the marks of all readers, uint8
    [batch, readers, height, width], 1 where a reader marked. The target of a sample is the files of the marks.
    """

    learn: Learned = "votes"

    def __post_init__(self) -> None:
        number = isinstance(self.learn, int) and not isinstance(self.learn, bool) and self.learn >= 0
        if not number and self.learn not in ("votes", "sharp votes", "majority"):
            raise ValueError(
                f"learn must be 'votes', 'sharp votes', 'majority', or the number of a reader, but is {self.learn!r}."
            )

    @property
    def score_name(self) -> str:
        """What `score` measures."""
        return "Dice"

    @property
    def guessing_loss(self) -> float:
        """The loss of a network that finds every pixel as likely marked as not: of Dice, it has next to nothing."""
        return math.log(2) + 1

    def check_output(self, output: torch.Tensor, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output has one logit for every pixel of the inputs.

        Raises:
            ValueError: it has not.
        """
        wanted = [len(inputs), 1, *inputs.shape[2:]]
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"Expected the model to answer with one tensor {wanted}, but got {type(output).__name__}.")
        if list(output.shape) != wanted:
            raise ValueError(
                f"Readers mark a pixel or do not, so the model must answer to images of shape {list(inputs.shape)} "
                f"with one logit a pixel, {wanted}, but it answered with {list(output.shape)}. Build it with labels=1, "
                "and let it keep the size of the images."
            )

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing if as many readers marked each sample as the first, and the one to learn from is among them.

        Raises:
            DataError: another number did, or none; the message names the file.
        """
        readers = _readers_of(samples[0]) if samples else 0
        for sample in samples:
            if not (found := _readers_of(sample)) or found != readers:
                raise DataError(
                    f"{sample.path} has marks of {found} readers, {samples[0].path} of {readers}. Every image needs "
                    "one file per reader, and as many as the others; who marked nothing has a mask that is all 0."
                )
        if samples and isinstance(self.learn, int) and self.learn >= readers:
            raise DataError(
                f"learn={self.learn}, but {samples[0].path} has {readers} readers, 0 to {readers - 1}. Choose one of "
                "these."
            )

    def class_weights(self, targets: Sequence[object]) -> torch.Tensor:
        """There are none, as for every outline: see `Segmentation.class_weights`.

        Raises:
            TrainingError: always.
        """
        return OUTLINING.class_weights(targets)

    def loss(
        self,
        output: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy + 1 - Dice of the probabilities, as in `Segmentation.loss`: the mean over the images.

        Of votes the best answer is the part of the readers itself, for both halves of the loss: see
        `dice_of_probabilities`. The loss is not 0 there, because the cross-entropy of a half is ln 2 at least.
        ``label_smoothing`` goes to the cross-entropy.

        Raises:
            ValueError: the targets are not the marks of readers in the output's size, or the one to learn from is not
                among them.
            TrainingError: there are ``weights``; there is no such thing here.
        """
        if weights is not None:
            self.class_weights(list(targets))
        return self._losses(output, targets, label_smoothing).mean()

    def predictions(self, output: torch.Tensor, targets: torch.Tensor, samples: Sequence[Sample]) -> ReaderPredictions:
        """The probability of every pixel, beside what each reader marked, with each image's loss.

        A sample's ``spacing`` is in millimetres from pixel to pixel, 1 where it has none; its ``nodule`` says of what
        it is a slice, of the patient's only one where it has none.

        Raises:
            TrainingError: the loss of an image is not a number; the message names files.
        """
        nodules = [str(getattr(sample, "nodule", sample.patient)) for sample in samples]
        files = tuple(f"{nodule}/{sample.path.name}" for nodule, sample in zip(nodules, samples, strict=True))
        losses = self._losses(output, targets).cpu().double().numpy()
        check_finite(losses, files)
        return ReaderPredictions(
            probabilities=tuple(output[:, 0].float().sigmoid().cpu().numpy()),
            marks=tuple(targets.to("cpu", torch.uint8).numpy()),
            spacings=tuple(getattr(sample, "spacing", (1.0, 1.0)) for sample in samples),
            losses=losses,
            patients=np.array([sample.patient for sample in samples], dtype=np.str_),
            nodules=np.array(nodules, dtype=np.str_),
            files=files,
        )

    def join(self, parts: Sequence[ReaderPredictions]) -> ReaderPredictions:
        """The predictions of several batches, one after the other. The images may differ in size."""
        return ReaderPredictions(
            probabilities=tuple(found for part in parts for found in part.probabilities),
            marks=tuple(marks for part in parts for marks in part.marks),
            spacings=tuple(spacing for part in parts for spacing in part.spacings),
            losses=np.concatenate([part.losses for part in parts]),
            patients=np.concatenate([part.patients for part in parts]),
            nodules=np.concatenate([part.nodules for part in parts]),
            files=tuple(file for part in parts for file in part.files),
        )

    def loss_of(self, predictions: ReaderPredictions) -> float:
        """The mean of the images' losses, without smoothing.

        Raises:
            TrainingError: the loss of an image is not a number.
        """
        check_finite(predictions.losses, predictions.files)
        return float(predictions.losses.mean())

    def score(self, predictions: ReaderPredictions) -> float:
        """The mean Dice against the majority, 0 to 1, over the images that at least half of the readers marked.

        NaN where there is no such image.
        """
        half = -(-predictions.readers // 2)
        return majority_dice(predictions.marked_by(half)).mean()

    def baseline(self, predictions: ReaderPredictions) -> ReaderPredictions:
        """The same images by someone who does not look: the usual outline of the majority in other patients.

        Each pixel has the probability 0 or 1; see `Segmentation.baseline`. Where each image is cut around its nodule,
        the outline is a disc in the middle.
        """
        usual = OUTLINING.baseline(predictions.outlines())
        certain = tuple(outline.astype(np.float32) for outline in usual.predicted)
        return replace(predictions, probabilities=certain, losses=usual.losses)

    def _losses(self, output: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
        """The loss of each image, float [batch]."""
        fits = targets.ndim == 4 and targets.shape[1] and targets[:, :1].shape == output.shape
        if targets.dtype != torch.uint8 or not fits:
            wanted = f"[{len(output)}, readers, {', '.join(map(str, output.shape[2:]))}]"
            raise ValueError(
                f"Expected the marks of all readers, uint8 {wanted}, but got {targets.dtype} and {list(targets.shape)}."
            )
        logits = output if output.dtype == torch.float64 else output.float()
        true = self._learned(targets).to(logits.dtype)
        smooth = true + label_smoothing * (0.5 - true)
        of_pixels = F.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
        of_image = dice_of_probabilities(logits.sigmoid(), true, sharp=self.learn == "sharp votes")[:, 0]
        return of_pixels.flatten(1).mean(dim=1) + 1 - of_image

    def _learned(self, marks: torch.Tensor) -> torch.Tensor:
        """What is to be said of each pixel, 0 to 1: [batch, 1, height, width]."""
        if isinstance(self.learn, int):
            if self.learn >= marks.shape[1]:
                raise ValueError(f"There is no reader {self.learn}: the marks are of {marks.shape[1]} readers.")
            return marks[:, self.learn, None]
        votes = marks.double().mean(dim=1, keepdim=True)
        return votes >= 0.5 if self.learn == "majority" else votes


def _readers_of(sample: Sample) -> int:
    return len(sample.target) if isinstance(sample.target, tuple) else 0
