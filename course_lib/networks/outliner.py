"""One network for two questions: of which kind is what the image shows, and where in the image is it?"""

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.backbones import Weights, build_backbone
from course_lib.networks.efficientnet_lite import DROPOUT, MAP_CHANNELS, TOP_CHANNELS, EfficientNetLite0
from course_lib.tasks.kind_and_outline import Answer

WIDTHS = (128, 64, 48, 24)  #: channels on the way up, from a 16th of the image's sides to a half
LEAST_PX = 32  #: a side of an image, of which the smallest map is a 32nd
LEAST_WEIGHT = 1e-4  #: of every place in the mean over the outline, which exists even where nothing is outlined


class Outliner(nn.Module):
    """EfficientNet-Lite0, a way up to an outline, and a head for the kind that looks at all and at what is outlined.

    Takes float [batch, 3, height, width], at least 32 px a side. The way up is a U-Net's, but lighter: at each size it
    takes in the encoder's last map of that size. It ends at half the image's sides, and the rest is interpolated. The
    head gets two means of the encoder's features: over the image, and over what is outlined. What the head learns does
    not move the outline: the gradient stops there.

    In evaluation the answer is the mean of two, to the image and to its mirror image.

    Source: O. Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597.
    """

    def __init__(self, kinds: int, *, weights: Weights | None) -> None:
        super().__init__()
        encoder = build_backbone("efficientnet_lite0", weights=weights)
        if not isinstance(encoder, EfficientNetLite0):
            raise TypeError(f"Expected an EfficientNetLite0, but got a {type(encoder).__name__}.")
        encoder.set_submodule("classifier", nn.Identity())  # its own head is not asked
        self.encoder = encoder
        *larger, smallest = MAP_CHANNELS[: len(WIDTHS) + 1]  # 16, 24, 40, 112 and 320
        entrances = (smallest, *WIDTHS[:-1])
        self.up = nn.ModuleList(
            _Up(n_in, bridge, n_out) for n_in, bridge, n_out in zip(entrances, reversed(larger), WIDTHS, strict=True)
        )
        self.outline = nn.Conv2d(WIDTHS[-1], 2, kernel_size=1)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * TOP_CHANNELS, kinds))

    def forward(self, images: torch.Tensor) -> Answer:
        _check(images)
        there = self._answer(images)
        if self.training:
            return there
        mirrored = self._answer(images.flip(3))
        return Answer((there.kind + mirrored.kind) / 2, (there.outline + mirrored.outline.flip(3)) / 2)

    def _answer(self, images: torch.Tensor) -> Answer:
        *bridges, maps = self.encoder.maps(images)  # [batch, 320, height / 32, width / 32]
        features = self.encoder.top(maps).float()  # [batch, 1280, height / 32, width / 32]
        for up in self.up:
            maps = up(
                maps, bridges.pop()
            )  # [batch, 128, height / 16, width / 16], ..., [batch, 24, height / 2, width / 2]
        logits = self.outline(maps).float()  # [batch, 2, height / 2, width / 2]
        outline = F.interpolate(logits, size=images.shape[2:], mode="bilinear")  # [batch, 2, height, width]
        tumour = outline.detach().softmax(dim=1)[:, 1:]  # [batch, 1, height, width]
        inside = F.adaptive_avg_pool2d(tumour, (features.shape[2], features.shape[3])) + LEAST_WEIGHT
        within = (features * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3))  # [batch, 1280]
        both = torch.cat([features.mean(dim=(2, 3)), within], dim=1)  # [batch, 2560]
        return Answer(self.head(both).float(), outline)


def _check(images: torch.Tensor) -> None:
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
