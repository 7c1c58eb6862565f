"""At which learning rate does a network learn? A sweep on a copy of it."""

import math
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR

from course_lib.data.samples import ImageData
from course_lib.support.errors import TrainingError
from course_lib.support.runtime import progress, seeded
from course_lib.tasks.task import P
from course_lib.training.before_training import trainer_of_a_copy
from course_lib.training.config import TrainConfig
from course_lib.training.parallel import processes
from course_lib.training.trainer import batches_of

SWEEP_STEPS = 100
SMOOTHING = 3.0  #: width of the Gaussian that the losses of a sweep are smoothed with, steps
DIVERGED = 4.0  #: times the first loss of a sweep: here it is given up


@dataclass(frozen=True)
class LearningRateSweep:
    """What the loss did while the learning rate rose from step to step."""

    rates: tuple[float, ...]  #: of the head
    losses: tuple[float, ...]  #: of one batch at each rate, before the step
    suggestion: float  #: the rate at which the smoothed loss fell fastest

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """The losses, each a mean of its neighbourhood: single batches jump."""
        return _smoothed(self.losses)

    def __str__(self) -> str:
        return (
            f"learning rate {self.suggestion:.1e}: of the {len(self.rates)} from {self.rates[0]:.0e} to "
            f"{self.rates[-1]:.0e}, the loss fell fastest there"
        )


def find_learning_rate(
    model: nn.Module,
    train: ImageData[P],
    config: TrainConfig,
    device: torch.device | str = "cpu",
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
) -> LearningRateSweep:
    """Raise the learning rate from batch to batch, 100 at most, until the loss runs away; takes its steepest descent.

    The descent is that of the loss, smoothed over neighbouring steps, along the logarithm of the rate. The model
    stays as it is: a copy is trained. ``config.learning_rate`` and its schedule are not used.

    Raises:
        TrainingError: the loss fell at no rate; or what `check_before_training` finds.

    Source: L. N. Smith, Cyclical Learning Rates for Training Neural Networks, WACV 2017, arXiv:1506.01186, section
    3.3; smoothing and steepest descent are ours.
    """
    trainer = trainer_of_a_copy(model, train, replace(config, learning_rate=lowest, schedule="constant"), device)
    trainer.schedule = ExponentialLR(trainer.optimizer, (highest / lowest) ** (1 / (SWEEP_STEPS - 1)))
    rates: list[float] = []
    losses: list[float] = []
    with seeded(config.seed):
        for batch in progress(_endless(train, config), "Trying learning rates", "batch", SWEEP_STEPS):
            loss = trainer.step(*train.batch(batch, device), 1 / processes())[0].item()
            if not math.isfinite(loss) or (len(losses) > 3 and loss > DIVERGED * losses[0]):
                break
            rates.append(trainer.learning_rate)
            losses.append(loss)
            if len(losses) == SWEEP_STEPS:
                break
    return LearningRateSweep(tuple(rates), tuple(losses), _steepest_descent(rates, losses))


def _endless(train: Sized, config: TrainConfig) -> Iterator[torch.Tensor]:
    epoch = 0
    while True:
        yield from batches_of(train, config, epoch)
        epoch += 1


def _smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    smoothed: NDArray[np.float64] = gaussian_filter1d(losses, SMOOTHING, mode="nearest")
    return smoothed


def _steepest_descent(rates: list[float], losses: list[float]) -> float:
    """The rate at which the smoothed loss falls fastest along the rate's logarithm, on its way to its lowest point.

    Raises:
        TrainingError: it does not fall by more than the losses of two batches differ anyway.
    """
    if not losses:
        raise TrainingError("The loss of the first batch is not a number. Check that the images hold no NaN.")
    smooth = _smoothed(losses)
    end = int(np.argmin(smooth)) + 1
    noise = np.std((losses - smooth)[:end])
    if end < 2 or smooth[0] - smooth[end - 1] <= 2 * noise:
        raise TrainingError(
            f"The loss fell at none of {len(rates)} learning rates. See with overfit_one_batch whether the network "
            "can learn at all."
        )
    return rates[int(np.argmin(np.gradient(smooth[:end], np.log(rates[:end]))))]
