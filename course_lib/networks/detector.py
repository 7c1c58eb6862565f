"""A detector with a single map: each of its cells says whether the centre of a box is there, and how large that is."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.unet import GROUPS, UNet
from course_lib.tasks.centres import RARE, CentreMap

STRIDE = 4  #: pixels a side of a cell


class HeatmapDetector(nn.Module):
    """A U-Net on a quarter of the resolution, which sees much around each cell of 4 x 4 pixels.

    Takes float [batch, channels, height, width] of any size; gives a `CentreMap` of height/4 x width/4 cells, rounded
    up. Two centres of one class in the same cell are one to it.

    Source: X. Zhou et al., Objects as Points, arXiv:1904.07850.
    """

    def __init__(self, classes: int, channels: int = 1, *, width: int = 16) -> None:
        super().__init__()
        if classes < 1 or channels < 1 or width < GROUPS or width % GROUPS:
            raise ValueError(
                f"A detector needs at least one class, one channel and a width that is a multiple of {GROUPS}, but got "
                f"classes={classes}, channels={channels}, width={width}."
            )
        self.classes, self.channels = classes, channels
        self.shrink = nn.Sequential(
            *_half(channels, width),  # [batch, 16, height/2, width/2]
            *_half(width, 2 * width),  # [batch, 32, height/4, width/4]
        )
        self.unet = UNet(classes + 4, 2 * width, depth=2, width=2 * width)
        with torch.no_grad():  # most cells hold no centre: a network that starts so need not learn it first
            self.unet.head.get_parameter("bias")[:classes] = math.log(RARE / (1 - RARE))

    def forward(self, images: torch.Tensor) -> CentreMap:
        if images.ndim != 4 or images.shape[1] != self.channels or 0 in images.shape:
            raise ValueError(
                f"This detector takes images of shape [batch, {self.channels}, height, width], but got "
                f"{list(images.shape)}. Add a missing axis with images[:, None], or build it with channels= as the "
                "images have."
            )
        maps = self.unet(self.shrink(images))  # [batch, classes + 4, height/4, width/4]
        centre, size, offset = maps.split([self.classes, 2, 2], dim=1)
        return CentreMap(centre, F.softplus(size), offset, STRIDE)


def _half(channels_in: int, channels_out: int) -> list[nn.Module]:
    """A 3 x 3 convolution that goes two pixels a step."""
    return [
        nn.Conv2d(channels_in, channels_out, kernel_size=3, stride=2, padding=1, bias=False),
        nn.GroupNorm(GROUPS, channels_out),
        nn.ReLU(),
    ]
