"""The networks: `Net`, small enough to understand whole, and ResNet-18 with a new head."""

from typing import Literal, get_args

import torch
from torch import nn
from torchvision.models import ResNet, resnet18

from course_lib.weights import RESNET18, pretrained

MIN_IMAGE_SIZE = 32
Weights = Literal["imagenet"]


class Net(nn.Module):
    """Three convolutions, each with half the resolution and twice the channels of the one before, and a linear layer.

    Takes float [batch, 3, height, width] of any size from 32 x 32 on; gives logits [batch, classes].
    The pooling to 4 x 4 before the linear layer is what makes the input size free.
    """

    def __init__(self, classes: int = 2, channels: int = 16, dropout: float = 0.25) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"A classifier needs at least two classes, got {classes}.")
        self.features = nn.Sequential(
            *_convolution(3, channels),  # [batch, 16, height/2, width/2]
            *_convolution(channels, 2 * channels),  # [batch, 32, height/4, width/4]
            *_convolution(2 * channels, 4 * channels),  # [batch, 64, height/8, width/8]
        )
        self.pool = nn.AdaptiveAvgPool2d(4)  # [batch, 64, 4, 4]
        linear = nn.Linear(4 * channels * 4 * 4, classes)
        nn.init.zeros_(linear.weight)  # before training, every class is as probable as any other
        nn.init.zeros_(linear.bias)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), linear)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < MIN_IMAGE_SIZE:
            raise ValueError(
                f"Net takes images of shape [batch, 3, height, width], at least {MIN_IMAGE_SIZE} px high and wide, "
                f"but got {list(images.shape)}. Add the missing axis with images[None], or resize first."
            )
        logits: torch.Tensor = self.head(self.pool(self.features(images)))
        return logits


def resnet18_classifier(classes: int = 2, *, weights: Weights | None) -> ResNet:
    """ResNet-18 with a new, random linear layer for ``classes`` classes.

    ``weights`` has no default, so that the program says where its features come from: ``"imagenet"`` loads what
    torchvision calls ``ResNet18_Weights.IMAGENET1K_V1`` (45 MB, downloaded once, checked, and announced with their
    source and licence), ``None`` starts at random.
    Takes float [batch, 3, height, width]; gives logits [batch, classes].

    Raises:
        ValueError: unknown weights, or fewer than two classes.
        ConnectionError: the weights are not on this machine and can not be downloaded.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385.
    """
    if weights is not None and weights not in get_args(Weights):
        raise ValueError(f"weights must be one of {get_args(Weights)} or None, but is {weights!r}.")
    if classes < 2:
        raise ValueError(f"A classifier needs at least two classes, got {classes}.")
    model = resnet18(weights=None)
    if weights == "imagenet":
        model.load_state_dict(pretrained(RESNET18))
    model.fc = nn.Linear(model.fc.in_features, classes)
    return model


def count_parameters(model: nn.Module, *, trainable_only: bool = False) -> int:
    """How many numbers the model holds; with ``trainable_only``, how many of them training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable_only)


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    """A 3 x 3 convolution that keeps the size, and a pooling that halves it."""
    return [
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
