"""Do 16 bits pay, for this network, these images and this computer? A few steps in either precision tell."""

import statistics
import time
from dataclasses import replace

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.support.runtime import seeded
from course_lib.tasks.task import P
from course_lib.training.before_training import trainer_of_a_copy
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import precision_on
from course_lib.training.parallel import processes, share_of, sum_over_processes
from course_lib.training.trainer import batches_of

PAYS = 1.15  #: times as fast as float32 that 16 bits must be: less is not worth other numbers, and a trial errs
WARM_UP, ROUNDS = 1, 5  #: steps in each precision


def sixteen_bits_pay(model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str) -> bool:
    """Whether a training step with 16 bits is `PAYS` times as fast as one in float32, in steps taken in turns.

    Copies of the model learn the first batch, so that the training itself sees nothing of it: its weights and random
    numbers are as before. False at once if the device of any process has no 16 bits. Several processes decide together.
    """
    sixteen, full = (replace(config, mixed_precision=mixed) for mixed in (True, False))
    has_16 = precision_on(torch.device(device), sixteen) != torch.float32
    if sum_over_processes(has_16) < processes():
        return False
    trainers = [trainer_of_a_copy(model, train, precision, device) for precision in (sixteen, full)]
    seconds: list[list[float]] = [[], []]
    with seeded(config.seed):
        images, targets = train.batch(share_of(batches_of(train, config, epoch=0)[0]), device)
        for _ in range(WARM_UP + ROUNDS):
            for trainer, times in zip(trainers, seconds, strict=True):
                started = time.perf_counter()
                trainer.step(images, targets, 1 / processes())[0].item()  # .item() waits for a GPU
                times.append(time.perf_counter() - started)
    with_16, with_32 = (sum_over_processes(statistics.median(times[WARM_UP:])) for times in seconds)
    return with_32 >= PAYS * with_16
