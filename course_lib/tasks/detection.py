"""Detection: where in an image something is, as boxes, and of which class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from course_lib.evaluation.detection import Boxes, DetectionPredictions, froc_score
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.support.errors import TrainingError
from course_lib.tasks.centres import FOCUS, RARE, CentreMap, Target, check_target, loss_of_image, peaks
from course_lib.tasks.finite import check_finite
from course_lib.tasks.task import Sample


@dataclass(frozen=True)
class Detection:
    """Find boxes by their centres.

    A model answers with a `CentreMap`; the targets are one `Target` an image, whose labels are indices of ``classes``,
    from 0: there is no background. An image may have no box: ``boxes`` is then of shape [0, 4].

    Source: X. Zhou et al., Objects as Points, arXiv:1904.07850.
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
        """The loss of an image with one box for a network that finds a centre `RARE` in every cell."""
        return -((1 - RARE) ** FOCUS) * math.log(RARE)

    def check_output(self, output: CentreMap, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output is a `CentreMap` of these classes that covers the inputs.

        Raises:
            ValueError: it is not.
        """
        if not isinstance(output, CentreMap):
            raise ValueError(f"Expected the model to answer with a CentreMap, but got {type(output).__name__}.")
        cells = [math.ceil(side / output.stride) for side in inputs.shape[2:]]
        for name, depth in (("centre", len(self.classes)), ("size", 2), ("offset", 2)):
            shape, wanted = list(getattr(output, name).shape), [len(inputs), depth, *cells]
            if shape != wanted:
                raise ValueError(
                    f"The data have {len(self.classes)} classes ({', '.join(self.classes)}), so the model must answer "
                    f"to images of shape {list(inputs.shape)} with a {name} of shape {wanted} at stride "
                    f"{output.stride}, but it is {shape}. Build it with classes={len(self.classes)}."
                )

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
        output: CentreMap,
        targets: Sequence[Target],
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Focal loss of the centres + L1 of size and offset, one number: the mean over the images of the batch.

        An image's loss is divided by its number of boxes, so that all images count alike. ``weights`` are what the
        centres of each class count, float [classes].

        Raises:
            ValueError: the targets do not fit the output, or label_smoothing is not 0.
        """
        if label_smoothing:
            raise ValueError(
                f"label_smoothing must be 0 for detection, but is {label_smoothing}: the targets are smooth already, "
                "they fall from each centre to the edge of its box."
            )
        return self._losses(output, targets, weights).mean()

    def predictions(
        self, output: CentreMap, targets: Sequence[Target], samples: Sequence[Sample]
    ) -> DetectionPredictions:
        """The boxes found in each image, the surest first, beside the true ones, with each image's loss.

        Raises:
            TrainingError: the loss of an image is not a number; the message names files.
        """
        here = output.in_full_precision("cpu")
        losses, files = self._losses(here, targets).double().numpy(), tuple(s.path.name for s in samples)
        check_finite(losses, files)
        return DetectionPredictions(
            classes=self.classes,
            found=tuple(_boxes(*peaks(one, self.most_boxes, self.lowest_score)) for one in here.images()),
            true=tuple(_boxes(t["boxes"], t["labels"], torch.ones(len(t["labels"]))) for t in targets),
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

        Its corners are the medians of theirs, in pixels; its score is the part of their images that has such a box.
        Where a thing may be anywhere, that finds next to nothing. The losses are NaN: there is no map.
        """
        blind = {
            patient: self._usual([predictions.true[i] for i in np.flatnonzero(predictions.patients != patient)])
            for patient in set(predictions.patients)
        }
        found = tuple(blind[patient] for patient in predictions.patients)
        return replace(predictions, found=found, losses=np.full(len(predictions), np.nan))

    def _losses(
        self, output: CentreMap, targets: Sequence[Target], weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The loss of each image, float [batch]."""
        if len(targets) != len(output.centre):
            raise ValueError(f"Expected a target for each of {len(output.centre)} images, but got {len(targets)}.")
        for target in targets:
            check_target(target, self.classes, output.extent)
        images = output.in_full_precision().images()
        return torch.stack([loss_of_image(*pair, weights) for pair in zip(images, targets, strict=True)])

    def _usual(self, images: Sequence[Boxes]) -> Boxes:
        """One box for each class that these images have."""
        corners, classes, scores = [], [], []
        for number in range(len(self.classes)):
            of_class = [boxes.corners[boxes.classes == number] for boxes in images]
            if any(map(len, of_class)):
                corners.append(np.median(np.concatenate(of_class), axis=0))
                classes.append(number)
                scores.append(np.mean([len(boxes) > 0 for boxes in of_class]))
        return Boxes(np.array(corners).reshape(-1, 4), np.array(classes, dtype=np.int64), np.array(scores, dtype=float))


def _boxes(corners: torch.Tensor, classes: torch.Tensor, scores: torch.Tensor) -> Boxes:
    """The boxes as small arrays; from here on, nothing keeps a tensor alive."""
    return Boxes(corners.cpu().double().numpy(), classes.cpu().numpy(), scores.cpu().double().numpy())
