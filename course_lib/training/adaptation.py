"""A trained network made at home among images of another kind, without a label of theirs."""

import copy
import math

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from course_lib.data.samples import ImageData
from course_lib.support.errors import TrainingError
from course_lib.support.runtime import seeded
from course_lib.tasks.task import P
from course_lib.training.optimisation import check_float32

BATCH = 256  #: images at most that are measured at once


def with_batch_norm_of(model: nn.Module, data: ImageData[P], *, device: torch.device | str = "cpu") -> nn.Module:
    """A copy of the model whose batch norms go by the mean and the variance of these images; no weight learns.

    The labels of the images play no part: even where the images come class by class, every batch is a mix of them. The
    copy is in evaluation mode. Adapting helps where the *pictures* differ from those that the model learned from. Where
    the *mix of classes* differs as well, the statistics follow that too, and the answers can get worse.

    Raises:
        TrainingError: the model has no batch norm with running statistics, or it is not in float32; or there are fewer
            than two images.

    Source: Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv:1603.04779; P. Vianna et
    al., Channel-Selective Normalization for Label-Shift Robust Test-Time Adaptation, arXiv:2402.04958 (where it fails).
    """
    check_float32(model)
    adapted = copy.deepcopy(model).to(device)
    if not any(getattr(layer, "running_mean", None) is not None for layer in adapted.modules()):
        raise TrainingError(
            f"{type(model).__name__} has no batch norm that keeps a mean and a variance, so there is nothing to adapt "
            "to other images. Take a network with batch norm, such as Net or a ResNet."
        )
    if len(data) < 2:
        raise TrainingError(f"A variance needs two images or more, but there are {len(data)}. Take more images.")
    with seeded(0):  # of the order, and of dropout
        batches = torch.randperm(len(data)).tensor_split(math.ceil(len(data) / BATCH))  # alike, since each counts alike
        update_bn((data.inputs(chosen, device) for chosen in batches), adapted)
    return adapted.eval()
