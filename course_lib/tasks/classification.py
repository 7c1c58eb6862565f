"""Classification: one of several classes per image."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.metrics import log_loss
from torch.nn import functional as F
from torchvision.models import InceptionOutputs

from course_lib.evaluation.predictions import Predictions
from course_lib.support.errors import TrainingError

AUXILIARY_WEIGHT = 0.4  #: of the loss of Inception's second head, as in torchvision's own training


def balanced_weights(labels: Sequence[int], classes: Sequence[str]) -> torch.Tensor:
    """What an image of each class counts, so that all classes count alike: float32 [classes], 1 on average.

    Raises:
        TrainingError: a class has no image.
    """
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

    ``weights`` are what an image of each class counts, float [classes].

    Source: C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842, on second heads.
    """
    if isinstance(output, InceptionOutputs):
        main, auxiliary = (classification_loss(o, labels, weights, label_smoothing) for o in output)
        return main + AUXILIARY_WEIGHT * auxiliary
    logits = output if output.dtype == torch.float64 else output.float()
    return F.cross_entropy(logits, labels, weights, label_smoothing=label_smoothing)


def cross_entropy_of(predictions: Predictions) -> float:
    """The mean cross-entropy, from the same probabilities that every figure and every score uses.

    Raises:
        TrainingError: a probability is not a number.
    """
    spoilt = np.flatnonzero(~np.isfinite(predictions.probabilities).all(axis=1))
    if len(spoilt):
        names = [predictions.files[i] for i in spoilt[:3]]
        raise TrainingError(
            f"The model's answer to {len(spoilt)} of {len(predictions)} validation images is not a number "
            f"({', '.join(names)}). Lower the learning rate, and check that these images hold no NaN."
        )
    return float(log_loss(predictions.labels, predictions.probabilities, labels=np.arange(len(predictions.classes))))
