"""What a model says about every image: the one way from a network to predictions."""

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.networks.modes import evaluating, takes_volumes
from course_lib.support.runtime import progress
from course_lib.tasks.task import P
from course_lib.training.optimisation import check_float32

IMAGES_AT_ONCE, VOLUMES_AT_ONCE = 64, 4  #: a U-Net's maps of four volumes need as much memory as a whole training step


def predict(
    model: nn.Module, data: ImageData[P], *, device: torch.device | str = "cpu", batch_size: int | None = None
) -> P:
    """The model's answer to every image, in the form of the data's task. Each layer is left in the mode it was in.

    For a classification these are `evaluation.Predictions`: the probability of each class. ``batch_size`` are looked at
    together, by default 64 images or 4 volumes.

    Raises:
        TrainingError: the model answers with NaN, and the message names files; or it is not in float32.
        ValueError: what the model answers does not fit the task, another number of classes for example; or a label is
            not the index of a class.
    """
    check_float32(model)
    model.to(device)
    batch_size = batch_size or (VOLUMES_AT_ONCE if takes_volumes(model) else IMAGES_AT_ONCE)
    batches = torch.arange(len(data)).split(batch_size)  # type: ignore[no-untyped-call]
    with evaluating(model), torch.inference_mode():
        parts = [_predict_batch(model, data, chosen, device) for chosen in progress(batches, "Predicting", "batch")]
    return data.task.join(parts)


def _predict_batch(model: nn.Module, data: ImageData[P], chosen: torch.Tensor, device: torch.device | str) -> P:
    inputs, targets = data.batch(chosen, device)
    output = model(inputs)
    data.task.check_output(output, inputs)
    return data.task.predictions(output, targets, [data.samples[i] for i in chosen.tolist()])
