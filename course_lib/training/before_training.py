"""What can be found in a second, and would otherwise be found after the first epoch."""

import copy

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.networks.modes import begin_training, evaluating, needs_batches
from course_lib.support.errors import TrainingError
from course_lib.support.identity import fingerprint
from course_lib.support.runtime import seeded
from course_lib.tasks.classification import Classification
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import check_float32
from course_lib.training.parallel import processes
from course_lib.training.trainer import Trainer, arranged, memory_format_of


def check_before_training(
    model: nn.Module,
    train: ImageData[P],
    config: TrainConfig,
    device: torch.device | str = "cpu",
    validation: ImageData[P] | None = None,
) -> None:
    """Find in a second what would otherwise be found after the first epoch, or never.

    Raises:
        TrainingError: the batch is larger than the set, batch norm would see a single image, nothing may be trained,
            the model is not in float32 or can not take the images; there is no validation image, or these are for
            another task (other classes, or in another order) or of another shape.
        ValueError: what the model answers does not fit the task, another number of classes for example; or a label is
            not the index of a class.
    """
    _check_batches(model, train, config)
    if not any(p.requires_grad for p in model.parameters()):
        raise TrainingError("Every parameter is frozen, so there is nothing to train. Unfreeze at least the head.")
    check_float32(model)
    train.task.check_samples(train.samples)
    if validation is not None:
        check_belong_together(train, validation)
        validation.task.check_samples(validation.samples)
    memory_format = memory_format_of(model, config)
    image = _first_image(train, device, "training")
    model.to(device).to(memory_format=memory_format)
    _try_one_image(model, train, arranged(image, memory_format), "an image")
    if validation is not None:
        other = _first_image(validation, device, "validation")
        _check_shapes(image, other, train)
        _try_one_image(model, validation, other, "a validation image")  # as `predict` will hand it over


def check_belong_together(train: ImageData[P], validation: ImageData[P]) -> None:
    """Do nothing if there are validation images, and they are for the same task as the training images.

    Raises:
        TrainingError: there are none, or the task is another; a classification has the same classes in the same order.
    """
    if not len(validation):
        raise TrainingError("There is no validation image, so nothing could choose the best epoch. Add some patients.")
    tasks = train.task, validation.task
    if tasks[0] != tasks[1] and len({fingerprint(task) for task in tasks}) > 1:
        raise TrainingError(
            f"The training images are for {tasks[0]}, the validation images for {tasks[1]}. Both must be for the same "
            "task: make them with the same classes in the same order."
        )


def trainer_of_a_copy(
    model: nn.Module, train: ImageData[P], config: TrainConfig, device: torch.device | str
) -> Trainer[P]:
    """A copy of the model in training mode, with all that changes it: for trials that leave the model alone."""
    check_before_training(learner := copy.deepcopy(model), train, config, device)
    trainer = Trainer(learner, train, config, device)
    begin_training(learner)
    return trainer


def _check_batches(model: nn.Module, train: ImageData[P], config: TrainConfig) -> None:
    """Refuse batches that are larger than the set, or too small for batch norm or for the processes."""
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


def _first_image(data: ImageData[P], device: torch.device | str, which: str) -> torch.Tensor:
    with seeded(0):  # an augmentation draws random numbers
        image = data.inputs(torch.tensor([0]), device)
    if image.dtype != torch.float32:
        raise TrainingError(
            f"The {which} images are {str(image.dtype).removeprefix('torch.')}, expected float32. End their "
            "preparation with v2.ToDtype(torch.float32, scale=True)."
        )
    return image


def _check_shapes(image: torch.Tensor, other: torch.Tensor, train: ImageData[P]) -> None:
    """Channels and axes are the same everywhere; the size is, where an image has one class as a whole."""
    here, there = list(image.shape[1:]), list(other.shape[1:])
    whole: object = train.task
    if here != there and (isinstance(whole, Classification) or (here[0], len(here)) != (there[0], len(there))):
        raise TrainingError(
            f"The training images have the shape {here}, the validation images {there}. Prepare both in the same way."
        )


def _try_one_image(model: nn.Module, data: ImageData[P], image: torch.Tensor, which: str) -> None:
    try:
        with evaluating(model), torch.inference_mode():
            output = model(image)
    except RuntimeError as error:
        model.to(memory_format=torch.contiguous_format)
        if "view size is not compatible" in str(error):
            raise TrainingError(
                "The model uses .view on images whose memory is arranged channels last, where it can not work. "
                "Write .flatten(1) instead, or take TrainConfig(channels_last=False)."
            ) from error
        if "more than one element of the written-to tensor" in str(error):
            raise TrainingError(
                "The model's first layer writes into its images, whose channels share their memory. Write "
                "inplace=False in that layer."
            ) from error
        raise TrainingError(
            f"The model can not take {which} of shape {list(image.shape[1:])}: {error}. "
            "Change the transform's size, or a layer whose size is fixed."
        ) from error
    data.task.check_output(output, image)
