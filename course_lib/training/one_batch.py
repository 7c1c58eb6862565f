"""Can a network learn at all? One batch, learned by heart by a copy of it."""

import math
from dataclasses import dataclass, replace

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.support.runtime import progress, seeded
from course_lib.tasks.classification import Classification
from course_lib.tasks.task import P
from course_lib.training.before_training import trainer_of_a_copy
from course_lib.training.config import TrainConfig
from course_lib.training.parallel import processes
from course_lib.training.trainer import batches_of

LEARNED = 0.05 / math.log(2)  #: part of the loss of guessing below which a network has one batch by heart


@dataclass(frozen=True)
class OneBatchCheck:
    """Whether a network can learn one batch by heart. Prints as a sentence."""

    losses: tuple[float, ...]  #: of the batch, before each step
    guessing: float  #: the loss of guessing

    @property
    def passed(self) -> bool:
        return min(self.losses) < LEARNED * self.guessing

    def __str__(self) -> str:
        course = f"from {self.losses[0]:.2f} to {min(self.losses):.3f} in {len(self.losses)} steps"
        if self.passed:
            return f"✓ the network learns one batch by heart: its loss goes {course} (guessing: {self.guessing:.2f})"
        return (
            f"✗ the network does not learn one batch by heart: its loss goes {course} (guessing: {self.guessing:.2f})\n"
            "  → Look for layers without a gradient (frozen, detached, dead ReLU), for labels that do not belong to "
            "their images, for a softmax before the loss; or try a learning rate that find_learning_rate suggests."
        )


def overfit_one_batch(
    model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str = "cpu", *, steps: int = 100
) -> OneBatchCheck:
    """Show a copy of the model one batch again and again. A healthy network drives its loss to almost nothing.

    The batch has images of every class, if there are classes. It is read once, so that each step sees the same pixels,
    and is learned without weight decay and label smoothing. Ends early once the network knows it.

    Raises:
        TrainingError: what `check_before_training` finds.

    Source: A. Karpathy, A Recipe for Training Neural Networks, 2019, section 2, "overfit one batch".
    """
    plain = replace(config, schedule="constant", weight_decay=0.0, label_smoothing=0.0)
    trainer = trainer_of_a_copy(model, train, plain, device)
    chosen = _batch_of_every_class(train, config)
    losses: list[float] = []
    with seeded(config.seed):
        images, targets = train.batch(chosen, device)
        for _ in progress(range(steps), "Learning one batch", "step"):
            losses.append(trainer.step(images, targets, 1 / processes())[0].item())
            if not losses[-1] >= LEARNED / 2 * train.task.guessing_loss:  # known, or no longer a number
                break
    finite = tuple(loss for loss in losses if math.isfinite(loss))
    return OneBatchCheck(finite or (math.inf,), train.task.guessing_loss)


def _batch_of_every_class(train: ImageData[P], config: TrainConfig) -> torch.Tensor:
    """Indices of ``batch_size`` images at most; where each has a class, as many of each class as there are."""
    order = torch.cat(batches_of(train, config, epoch=0))
    task: object = train.task
    if not isinstance(task, Classification):
        return order[: config.batch_size]
    classes, labels = len(task.classes), torch.tensor([sample.target for sample in train.samples])
    of_each = [order[labels[order] == label] for label in range(classes)]
    share = max(1, config.batch_size // classes)
    return torch.cat([indices[:share] for indices in of_each])
