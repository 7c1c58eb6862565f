"""Classification: one of several classes per image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.metrics import log_loss
from torch.nn import functional as F
from torchvision.models import InceptionOutputs

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.predictions import Predictions, baseline, check_class_count, check_labels
from course_lib.support.errors import TrainingError
from course_lib.tasks.finite import check_finite
from course_lib.tasks.task import Sample

AUXILIARY_WEIGHT = 0.4  #: of the loss of Inception's second head, as in torchvision's own training
NO_LABEL = -(2**31)  #: what torch may leave out of a loss without a word; its own choice, -100, stands in real files


@dataclass(frozen=True)
class Classification:
    """Say which of the classes an image shows.

    A model answers with logits, float [batch, classes]; the targets are int64 [batch], each the index of a class.
    """

    classes: tuple[str, ...]

    @property
    def score_name(self) -> str:
        """What `score` measures."""
        return "AUROC"

    @property
    def guessing_loss(self) -> float:
        """The cross-entropy of finding every class as probable as any other."""
        return math.log(len(self.classes))

    def check_output(self, output: torch.Tensor | InceptionOutputs, inputs: torch.Tensor) -> None:  # noqa: ARG002
        """Do nothing if a model's output has one logit per class.

        Raises:
            ValueError: it has not.
        """
        check_class_count((output[0] if isinstance(output, InceptionOutputs) else output).shape, self.classes)

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing if the target of every sample is the index of a class.

        Raises:
            DataError: one is not; the message names its file.
        """
        check_labels([sample.target for sample in samples], self.classes, [sample.path.name for sample in samples])

    def class_weights(self, targets: Sequence[int]) -> torch.Tensor:
        """What an image of each class counts, so that all classes count alike: float32 [classes], 1 on average.

        Raises:
            TrainingError: a class has no image.
            DataError: a target is not the index of a class.
        """
        return balanced_weights(targets, self.classes)

    def loss(
        self,
        output: torch.Tensor | InceptionOutputs,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> torch.Tensor:
        """The cross-entropy of a batch, see `classification_loss`."""
        return classification_loss(output, targets, weights, label_smoothing)

    def predictions(self, output: torch.Tensor, targets: torch.Tensor, samples: Sequence[Sample]) -> Predictions:
        """The probability of each class for every image of a batch, beside the true class.

        Raises:
            TrainingError: a probability is not a number; the message names files.
            DataError: a target is not the index of a class; the message names files.
        """
        probabilities = output.float().cpu().double().softmax(dim=1).numpy()
        check_finite(probabilities, [sample.path.name for sample in samples])
        return Predictions(
            probabilities=probabilities,
            labels=targets.cpu().numpy(),
            patients=np.array([sample.patient for sample in samples]),
            files=tuple(sample.path.name for sample in samples),
            classes=self.classes,
        )

    def join(self, parts: Sequence[Predictions]) -> Predictions:
        """The predictions of several batches, one after the other."""
        return replace(
            parts[0],
            probabilities=np.concatenate([part.probabilities for part in parts]),
            labels=np.concatenate([part.labels for part in parts]),
            patients=np.concatenate([part.patients for part in parts]),
            files=tuple(file for part in parts for file in part.files),
        )

    def loss_of(self, predictions: Predictions) -> float:
        """The mean cross-entropy, from the same probabilities that every figure and every score uses."""
        return cross_entropy_of(predictions)

    def score(self, predictions: Predictions) -> float:
        """The AUROC; of more than two classes the mean of each against the rest. NaN if a class has no image."""
        return auroc(predictions) if len(set(predictions.labels.tolist())) == len(self.classes) else math.nan

    def baseline(self, predictions: Predictions) -> Predictions:
        """The same images, judged by someone who always says the same."""
        return baseline(predictions)


def balanced_weights(labels: Sequence[int], classes: Sequence[str]) -> torch.Tensor:
    """What an image of each class counts, so that all classes count alike: float32 [classes], 1 on average.

    Raises:
        TrainingError: a class has no image.
        DataError: a label is not the index of a class.
    """
    check_labels(labels, classes)
    counts = torch.bincount(torch.tensor(labels), minlength=len(classes))
    if missing := [name for name, count in zip(classes, counts.tolist(), strict=True) if not count]:
        raise TrainingError(
            f"class_weights='balanced' needs images of every class, but {', '.join(missing)} has none among the "
            f"{len(labels)} training images. Add some, or take class_weights=None."
        )
    return len(labels) / (len(classes) * counts)


def classification_loss(
    output: torch.Tensor | InceptionOutputs,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """The cross-entropy of a batch, one number; for Inception's two heads, that of the first + 0.4 that of the second.

    ``weights`` are what an image of each class counts, float [classes]. Torch refuses a label that is no class.

    Source: C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842, on second heads.
    """
    if isinstance(output, InceptionOutputs):
        main, auxiliary = (classification_loss(o, labels, weights, label_smoothing) for o in output)
        return main + AUXILIARY_WEIGHT * auxiliary
    logits = output if output.dtype == torch.float64 else output.float()
    return F.cross_entropy(logits, labels, weights, ignore_index=NO_LABEL, label_smoothing=label_smoothing)


def cross_entropy_of(predictions: Predictions) -> float:
    """The mean cross-entropy, from the same probabilities that every figure and every score uses."""
    return float(log_loss(predictions.labels, predictions.probabilities, labels=np.arange(len(predictions.classes))))
