"""What `fit`, `predict` and the checkpoints ask of a task, so that they need not know which one it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from course_lib.evaluation.predictions import Judged


class Sample(Protocol):
    """One image or volume: where it is, and whose."""

    @property
    def path(self) -> Path: ...

    @property
    def patient(self) -> str: ...

    @property
    def target(self) -> object:
        """What is to be learned of it: a label, the file of a mask, or boxes."""


P = TypeVar("P", bound=Judged)


class Task(Protocol[P]):
    """What is to be learned. Its outputs and targets are its own affair; its predictions `P` are plain arrays."""

    @property
    def score_name(self) -> str:
        """What `score` measures, "AUROC" for example."""

    @property
    def guessing_loss(self) -> float:
        """The loss of a network that has learned nothing: a training whose loss is far above has exploded."""

    def check_output(self, output: Any, inputs: torch.Tensor) -> None:
        """Do nothing if a model's output fits the task.

        Raises:
            ValueError: it does not; the message says what to change.
        """

    def check_samples(self, samples: Sequence[Sample]) -> None:
        """Do nothing if the targets of all samples fit the task, as far as that can be seen without opening files.

        Raises:
            DataError: one does not; the message names its file.
        """

    def class_weights(self, targets: Sequence[Any]) -> torch.Tensor:
        """What each class counts in the loss, so that all count alike, whatever there is most of: float32 [classes].

        Raises:
            TrainingError: the task has no such weights, or there is no target of a class.
        """

    def loss(
        self, output: Any, targets: Any, weights: torch.Tensor | None = None, label_smoothing: float = 0.0
    ) -> torch.Tensor:
        """What is minimised: one number, the mean over the batch's images."""

    def predictions(self, output: Any, targets: Any, samples: Sequence[Sample]) -> P:
        """What the model said of one batch, as small arrays on the processor.

        Raises:
            TrainingError: an answer is not a number; the message names files.
        """

    def join(self, parts: Sequence[P]) -> P:
        """The predictions of several batches, one after the other."""

    def loss_of(self, predictions: P) -> float:
        """The validation loss.

        Raises:
            TrainingError: it is not a number; the message names files.
        """

    def score(self, predictions: P) -> float:
        """The one number that a training shows; higher is better, NaN where it does not exist."""

    def baseline(self, predictions: P) -> P:
        """The same images, judged by someone who does not look."""
