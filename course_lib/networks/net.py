"""The course's own network."""

import torch
from torch import nn

MIN_IMAGE_SIZE = 32


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


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    """A 3 x 3 convolution that keeps the size, and a pooling that halves it."""
    return [
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
