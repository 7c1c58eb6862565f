"""One network for two questions: of which kind is what the image shows, and where in the image is it?"""

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.backbones import Weights
from course_lib.networks.efficientnet_lite import DROPOUT, TOP_CHANNELS
from course_lib.networks.lite_unet import WIDTHS, WayUp, check_images, lite0
from course_lib.tasks.kind_and_outline import Answer

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
        self.encoder = lite0(weights)
        self.up = WayUp()
        self.outline = nn.Conv2d(WIDTHS[-1], 2, kernel_size=1)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * TOP_CHANNELS, kinds))

    def forward(self, images: torch.Tensor) -> Answer:
        check_images(images)
        there = self._answer(images)
        if self.training:
            return there
        mirrored = self._answer(images.flip(3))
        return Answer((there.kind + mirrored.kind) / 2, (there.outline + mirrored.outline.flip(3)) / 2)

    def _answer(self, images: torch.Tensor) -> Answer:
        found = self.encoder.maps(images)  # [batch, 320, height / 32, width / 32] is the last
        features = self.encoder.top(found[-1]).float()  # [batch, 1280, height / 32, width / 32]
        maps = self.up(found)  # [batch, 24, height / 2, width / 2]
        logits = self.outline(maps).float()  # [batch, 2, height / 2, width / 2]
        outline = F.interpolate(logits, size=images.shape[2:], mode="bilinear")  # [batch, 2, height, width]
        tumour = outline.detach().softmax(dim=1)[:, 1:]  # [batch, 1, height, width]
        inside = F.adaptive_avg_pool2d(tumour, (features.shape[2], features.shape[3])) + LEAST_WEIGHT
        within = (features * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3))  # [batch, 1280]
        both = torch.cat([features.mean(dim=(2, 3)), within], dim=1)  # [batch, 2560]
        return Answer(self.head(both).float(), outline)
