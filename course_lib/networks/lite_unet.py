"""A U-Net whose way down is EfficientNet-Lite0, so that it can begin with what was learned from photographs."""

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.backbones import Weights, build_backbone
from course_lib.networks.efficientnet_lite import MAP_CHANNELS, EfficientNetLite0

WIDTHS = (128, 64, 48, 24)  #: channels on the way up, from a 16th of the image's sides to a half
STRIDES = (2, 4, 8, 16)  #: pixels a side of a cell of the maps at which the way up may end
LEAST_PX = 32  #: a side of an image, of which the smallest map is a 32nd
MIRRORED = ((), (2,), (3,), (2, 3))  #: axes along which an image is turned round: none, rows, columns, both


class LiteUNet(nn.Module):
    """EfficientNet-Lite0 and a way up to the outlines.

    Takes float [batch, 3, height, width], at least 32 px a side; gives logits [batch, labels, height, width]. The way
    up ends at half the image's sides, and the rest is interpolated. With ``enlarge=2`` the encoder gets the image at
    twice its size, so that the way up ends at the pixels of the image itself: for things of a few pixels.

    In evaluation the answer is the mean of four, to the image and to its mirror images in both directions. So it is for
    things that have no upper end and no right side.

    Source: O. Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597.
    """

    def __init__(self, labels: int, *, weights: Weights | None, enlarge: int = 1) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.encoder = lite0(weights, top=False)
        self.up = WayUp()
        self.outline = nn.Conv2d(WIDTHS[-1], labels, kernel_size=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_images(images)
        if self.training:
            return self._answer(images)
        answers = [self._answer(images.flip(axes)).flip(axes) for axes in MIRRORED]
        return torch.stack(answers).mean(dim=0)

    def _answer(self, images: torch.Tensor) -> torch.Tensor:
        large = images if self.enlarge == 1 else F.interpolate(images, scale_factor=self.enlarge, mode="bilinear")
        maps = self.up(self.encoder.maps(large))  # [batch, 24, enlarge * height / 2, enlarge * width / 2]
        return F.interpolate(self.outline(maps).float(), size=images.shape[2:], mode="bilinear")


class WayUp(nn.ModuleList):
    """From an encoder's smallest map to one of half the image's sides, or of a ``stride``-th; lighter than a U-Net's.

    Takes what `EfficientNetLite0.maps` gives, and at each size takes in the encoder's last map of that size. The last
    map has ``channels`` channels.

    Raises:
        ValueError: the way up can not end there.
    """

    def __init__(self, stride: int = 2) -> None:
        if stride not in STRIDES:
            raise ValueError(f"The way up can end at a stride of {', '.join(map(str, STRIDES))} px, but not {stride}.")
        self.first = STRIDES.index(stride)  #: of the encoder's maps, the one at which the way up ends
        widths = WIDTHS[: len(WIDTHS) - self.first]
        *larger, smallest = MAP_CHANNELS[self.first : len(WIDTHS) + 1]  # 16, 24, 40, 112 and 320
        entrances = (smallest, *widths[:-1])
        super().__init__(
            _Up(n_in, bridge, n_out) for n_in, bridge, n_out in zip(entrances, reversed(larger), widths, strict=True)
        )
        self.channels = widths[-1]

    def forward(self, found: list[torch.Tensor]) -> torch.Tensor:
        *bridges, maps = found[self.first :]
        for up, bridge in zip(self, reversed(bridges), strict=True):
            maps = up(maps, bridge)  # [batch, 128, height / 16, width / 16], ..., [batch, 24, height / 2, width / 2]
        return maps


def lite0(weights: Weights | None, *, top: bool = True) -> EfficientNetLite0:
    """EfficientNet-Lite0 without its own head; and without its last convolution, for what reads its maps alone."""
    encoder = build_backbone("efficientnet_lite0", weights=weights)
    if not isinstance(encoder, EfficientNetLite0):
        raise TypeError(f"Expected an EfficientNetLite0, but got a {type(encoder).__name__}.")
    encoder.set_submodule("classifier", nn.Identity())
    if not top:
        encoder.set_submodule("top", nn.Identity())
    return encoder


def check_images(images: torch.Tensor) -> None:
    """Do nothing if these are images with three channels, and large enough.

    Raises:
        ValueError: they are not.
    """
    if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < LEAST_PX:
        raise ValueError(
            f"This network takes images of shape [batch, 3, height, width], at least {LEAST_PX} px high and wide, but "
            f"got {list(images.shape)}. Add a missing axis with images[None], or make the images larger."
        )


class _Up(nn.Module):
    """To the size of a bridge, each pixel becoming several, and then together with it through one convolution."""

    def __init__(self, channels_in: int, channels_of_bridge: int, channels_out: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels_in + channels_of_bridge, channels_out, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, maps: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
        large = F.interpolate(maps, size=bridge.shape[2:], mode="nearest")
        merged: torch.Tensor = self.block(torch.cat([large, bridge], dim=1))
        return merged
