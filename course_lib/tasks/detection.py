"""Detection: where in an image something is, as boxes, and of which class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from course_lib.evaluation.detection import Boxes, DetectionPredictions, froc_score
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.support.errors import TrainingError
from course_lib.tasks.centres import FOCUS, RARE, Target, check_target
from course_lib.tasks.finite import check_finite
from course_lib.tasks.task import Sample


@runtime_checkable
class FoundBoxes(Protocol):
    """What a detector answers to a batch of images: a `CentreMap`, for example, or what anchors give."""

    @property
    def batch_size(self) -> int:
        """How many images it is about."""

    @property
    def extent(self) -> tuple[int, int]:
        """Width and height of what it covers, in pixels: the centre of every true box must lie inside."""

    def check(self, classes: Sequence[str], inputs: torch.Tensor) -> None:
        """Do nothing if it is an answer to these inputs in which these classes can be told.

        Raises:
            ValueError: it is not; the message says what to change.
        """

    def in_full_precision(self, device: torch.device | str | None = None) -> Self:
        """The same numbers with 32 bits at least, on a device if one is named."""

    def loss(self, targets: Sequence[Target], weights: torch.Tensor | None = None) -> torch.Tensor:
        """What training minimises: one number for the batch. ``weights`` are what each class counts.

        Raises:
            ValueError: there are weights, and this kind of detector knows none.
        """

    def losses(self, targets: Sequence[Target]) -> torch.Tensor:
        """What each image costs, as if it were alone: float [batch]. It is 0 at best."""

    def boxes(self, most: int, lowest_score: float) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Of each image the boxes with at least that score, the surest first and ``most`` at most.

        Corners, float [boxes, 4] as x0, y0, x1, y1 in pixels, labels, int64 [boxes], and scores, 0 to 1, [boxes].
        """


@dataclass(frozen=True)
class Detection:
    """Find boxes, whatever kind of detector looks for them.

    A model answers with `FoundBoxes`; the targets are one `Target` an image, whose labels are indices of ``classes``,
    from 0: there is no background. An image may have no box: ``boxes`` is then of shape [0, 4].
    """

    classes: tuple[str, ...]
    most_boxes: int = 100  #: in an image; the surest are kept
    lowest_score: float = 0.05  #: a box of which the model is less sure is not told

    def __post_init__(self) -> None:
        rules = {
            "classes must be at least one name, each different": 0 < len(self.classes) == len(set(self.classes)),
            "most_boxes must be at least 1": self.most_boxes >= 1,
            "lowest_score must be from 0 to 1": 0 <= self.lowest_score <= 1,
        }
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"{'; '.join(broken)}. Got {self}.")

    @property
    def score_name(self) -> str:
        """What `score` measures."""
        return "FROC"

    @property
    def guessing_loss(self) -> float:
        """The loss of an image with one box for a map of centres that has learned nothing: each is `RARE` to it.

        A detector with anchors begins at about half of it, because it counts a miss a quarter. So what training
        compares with this number, an exploded loss and a batch known by heart, is twice as lenient with it.
        """
        return -((1 - RARE) ** FOCUS) * math.log(RARE)

    def check_output(self, output: FoundBoxes, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output tells boxes of these classes in the inputs.

        Raises:
            ValueError: it does not.
        """
        if not isinstance(output, FoundBoxes):
            raise ValueError(
                f"Expected the model to answer with boxes, as a CentreMap for example, but got {type(output).__name__}."
            )
        output.check(self.classes, inputs)

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing: `loss` looks at the boxes, once it is known what a map covers."""

    def class_weights(self, targets: Sequence[object]) -> torch.Tensor:
        """There are none: most of the loss is about where there is a box at all, whatever its class.

        Raises:
            TrainingError: always.
        """
        raise TrainingError(
            f"class_weights='balanced' is not for detection ({len(targets)} images): the focal loss looks at what is "
            "not yet right already, rare or not. Take class_weights=None."
        )

    def loss(
        self,
        output: FoundBoxes,
        targets: Sequence[Target],
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """What the detector has to minimise, one number for the batch. Of a `CentreMap` it is the mean over the images.

        ``weights`` are what each class counts, float [classes], where the detector knows weights.

        Raises:
            ValueError: the targets do not fit the output, or label_smoothing is not 0.
        """
        if label_smoothing:
            raise ValueError(
                f"label_smoothing must be 0 for detection, but is {label_smoothing}: the focal loss does not press "
                "for certainty where an answer is right already."
            )
        self._check_targets(output, targets)
        return output.in_full_precision().loss(targets, weights)

    def predictions(
        self, output: FoundBoxes, targets: Sequence[Target], samples: Sequence[Sample]
    ) -> DetectionPredictions:
        """The boxes found in each image, the surest first, beside the true ones, with each image's loss.

        Raises:
            TrainingError: the loss of an image is not a number; the message names files.
        """
        self._check_targets(output, targets)
        here, at_home = output.in_full_precision("cpu"), [_on_processor(target) for target in targets]
        losses, files = here.losses(at_home).double().numpy(), tuple(s.path.name for s in samples)
        check_finite(losses, files)
        return DetectionPredictions(
            classes=self.classes,
            found=tuple(_boxes(*told) for told in here.boxes(self.most_boxes, self.lowest_score)),
            true=tuple(_boxes(t["boxes"], t["labels"], torch.ones(len(t["labels"]))) for t in at_home),
            losses=losses,
            patients=np.array([sample.patient for sample in samples], dtype=np.str_),
            files=files,
        )

    def join(self, parts: Sequence[DetectionPredictions]) -> DetectionPredictions:
        """The predictions of several batches, one after the other."""
        return replace(
            parts[0],
            found=tuple(found for part in parts for found in part.found),
            true=tuple(true for part in parts for true in part.true),
            losses=np.concatenate([part.losses for part in parts]),
            patients=np.concatenate([part.patients for part in parts]),
            files=tuple(file for part in parts for file in part.files),
        )

    def loss_of(self, predictions: DetectionPredictions) -> float:
        """The mean of the images' losses, without weights.

        Raises:
            TrainingError: the loss of an image is not a number.
        """
        check_finite(predictions.losses, predictions.files)
        return float(predictions.losses.mean())

    def score(self, predictions: DetectionPredictions) -> float:
        """The FROC score of all classes together, 0 to 1; a box is a hit if its centre lies in a true one of its class.

        It says which part of the boxes is found at 1/8 to 8 false alarms an image; NaN if there is no box to find. Not
        the average precision, because a reader looks through images: false alarms in those without a box cost time
        too, and one an image is many or few whatever the number of true boxes.
        """
        return froc_score(predictions, centre_inside)

    def baseline(self, predictions: DetectionPredictions) -> DetectionPredictions:
        """The same images by someone who does not look: a box of each class where other patients have theirs.

        Its corners are the medians of theirs, in pixels; its score is the part of all images that has such a box, so
        that it is alike in every image and can not tell who has one. Of a class that one patient alone has, that
        patient's images get no box. Where a thing may be anywhere, that finds next to nothing. The losses are NaN:
        there is no map.
        """
        has = [np.bincount(true.classes, minlength=len(self.classes)) > 0 for true in predictions.true]
        scores = np.mean(has, axis=0)
        blind = {
            patient: self._usual([predictions.true[i] for i in np.flatnonzero(predictions.patients != patient)], scores)
            for patient in set(predictions.patients)
        }
        found = tuple(blind[patient] for patient in predictions.patients)
        return replace(predictions, found=found, losses=np.full(len(predictions), np.nan))

    def _check_targets(self, output: FoundBoxes, targets: Sequence[Target]) -> None:
        if len(targets) != output.batch_size:
            raise ValueError(f"Expected a target for each of {output.batch_size} images, but got {len(targets)}.")
        for target in targets:
            check_target(target, self.classes, output.extent)

    def _usual(self, images: Sequence[Boxes], scores: NDArray[np.float64]) -> Boxes:
        """One box for each class that these images have, with the class's score."""
        corners, classes = [], []
        for number in range(len(self.classes)):
            of_class = [boxes.corners[boxes.classes == number] for boxes in images]
            if any(map(len, of_class)):
                corners.append(np.median(np.concatenate(of_class), axis=0))
                classes.append(number)
        chosen = np.array(classes, dtype=np.int64)
        return Boxes(np.array(corners).reshape(-1, 4), chosen, scores[chosen])


def _on_processor(target: Target) -> Target:
    return {name: values.cpu() for name, values in target.items()}


def _boxes(corners: torch.Tensor, classes: torch.Tensor, scores: torch.Tensor) -> Boxes:
    """The boxes as small arrays; from here on, nothing keeps a tensor alive."""
    return Boxes(corners.cpu().double().numpy(), classes.cpu().numpy(), scores.cpu().double().numpy())
