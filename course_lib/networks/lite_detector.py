"""A heat-map detector on EfficientNet-Lite0, so that it can begin with what was learned from photographs."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.backbones import Weights
from course_lib.networks.lite_unet import WayUp, check_images, lite0
from course_lib.tasks.centres import RARE, CentreMap

HEAD_CHANNELS = 64  #: of the layer before the answers


class LiteHeatmapDetector(nn.Module):
    """EfficientNet-Lite0, a way up to cells of ``stride`` x ``stride`` pixels, and what is said about each cell.

    Takes float [batch, 3, height, width], at least 32 px a side; gives a `CentreMap` of height/stride x width/stride
    cells, rounded up. Two centres of one class in the same cell are one to it. ``weights`` is what `build_backbone`
    takes: "imagenet" comes with a package, None starts at random. ``stride`` is 2, 4, 8 or 16: the larger, the cheaper,
    and the fewer cells a small box has.

    Source: X. Zhou et al., Objects as Points, arXiv:1904.07850.
    """

    def __init__(self, classes: int, *, weights: Weights | None, stride: int = 4) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"A detector needs at least one class, but got classes={classes}.")
        self.classes, self.stride = classes, stride
        self.encoder = lite0(weights, top=False)
        self.up = WayUp(stride)
        self.head = nn.Sequential(
            nn.Conv2d(self.up.channels, HEAD_CHANNELS, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(HEAD_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(HEAD_CHANNELS, classes + 4, kernel_size=1),
        )
        with torch.no_grad():  # most cells hold no centre: a network that starts so need not learn it first
            self.head[-1].get_parameter("bias")[:classes] = math.log(RARE / (1 - RARE))

    def forward(self, images: torch.Tensor) -> CentreMap:
        check_images(images)
        maps = self.head(self.up(self.encoder.maps(images)))  # [batch, classes + 4, height/stride, width/stride]
        centre, size, offset = maps.split([self.classes, 2, 2], dim=1)
        return CentreMap(centre, F.softplus(size), offset, self.stride)
