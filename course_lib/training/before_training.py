"""What can be found in a second, and would otherwise be found after the first epoch."""

import copy

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.networks.modes import begin_training, evaluating, needs_batches
from course_lib.support.errors import TrainingError
from course_lib.support.runtime import seeded
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.parallel import processes
from course_lib.training.trainer import Trainer, arranged, memory_format_of


def check_before_training(
    model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str = "cpu"
) -> None:
    """Find in a second what would otherwise be found after the first epoch.

    Raises:
        TrainingError: the batch is larger than the set, batch norm would see a single image, nothing may be trained,
            or the model can not take the images.
        ValueError: what the model answers does not fit the task, another number of classes for example.
    """
    if config.batch_size > len(train):
        raise TrainingError(
            f"batch_size is {config.batch_size}, but there are only {len(train)} training images. "
            f"Take a batch_size of at most {len(train)}."
        )
    if needs_batches(model) and config.batch_size < 2 * processes():
        raise TrainingError(
            f"batch_size is {config.batch_size}, but the model has batch norm, which needs at least two images to "
            f"compute a spread, in each process. Take a batch_size of {2 * processes()} or more."
        )
    if config.batch_size < processes():
        raise TrainingError(f"batch_size is {config.batch_size}, but {processes()} processes want an image each.")
    if not any(p.requires_grad for p in model.parameters()):
        raise TrainingError("Every parameter is frozen, so there is nothing to train. Unfreeze at least the head.")
    _try_one_image(model, train, config, device)


def trainer_of_a_copy(
    model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str
) -> Trainer[P]:
    """A copy of the model in training mode, with all that changes it: for trials that leave the model alone."""
    check_before_training(learner := copy.deepcopy(model), train, config, device)
    trainer = Trainer(learner, train, config, device)
    begin_training(learner)
    return trainer


def _try_one_image(model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str) -> None:
    memory_format = memory_format_of(model, config)
    with seeded(0):  # an augmentation draws random numbers
        image = train.inputs(torch.tensor([0]), device)
    model.to(device).to(memory_format=memory_format)
    try:
        with evaluating(model), torch.inference_mode():
            output = model(arranged(image, memory_format))
    except RuntimeError as error:
        model.to(memory_format=torch.contiguous_format)
        if "view size is not compatible" in str(error):
            raise TrainingError(
                "The model uses .view on images whose memory is arranged channels last, where it can not work. "
                "Write .flatten(1) instead, or take TrainConfig(channels_last=False)."
            ) from error
        raise TrainingError(
            f"The model can not take an image of shape {list(image.shape[1:])}: {error}. "
            "Change the transform's size, or a layer whose size is fixed."
        ) from error
    train.task.check_output(output, image)
