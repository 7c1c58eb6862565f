"""The U-Net: a label for every pixel of an image, or for every voxel of a volume."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

GROUPS = 4  #: of channels that are normalised together

_CONVOLUTION: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
_UP_CONVOLUTION: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_POOLING: dict[int, type[nn.Module]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}


class UNet(nn.Module):
    """Down to small maps that see much, up again to large ones, and at each size a bridge that carries the details.

    Takes float [batch, channels, *spatial], with two or three spatial axes of any size: it repeats the last pixels
    until ``2**depth`` divides every side, and cuts the answer back. Gives logits [batch, labels, *spatial]. Of several
    labels, the background is one; with ``labels=1`` a single logit says whether a pixel belongs to a structure.

    The maps are normalised in groups of channels within each image, not over the batch: of volumes only one or two
    fit into a batch, too few for batch norm, and so an image's answer never depends on its neighbours in the batch.

    Source: O. Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597; Ö. Çiçek et al., 3D U-Net, MICCAI 2016,
    arXiv:1606.06650; Y. Wu, K. He, Group Normalization, ECCV 2018, arXiv:1803.08494.
    """

    def __init__(self, labels: int, channels: int = 1, *, dimensions: int = 2, depth: int = 3, width: int = 16) -> None:
        super().__init__()
        _check(labels, channels, dimensions, depth, width)
        self.channels, self.dimensions, self.depth = channels, dimensions, depth
        widths = [width * 2**level for level in range(depth + 1)]  # 16, 32, 64, 128
        self.down = nn.ModuleList(_block(n_in, n_out, dimensions) for n_in, n_out in pairwise([channels, *widths]))
        self.pool = _POOLING[dimensions](2)
        self.up = nn.ModuleList(_Up(n_in, n_out, dimensions) for n_in, n_out in pairwise(reversed(widths)))
        self.head = _CONVOLUTION[dimensions](width, labels, kernel_size=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self._check_images(images)
        maps = _pad(images, multiple=2**self.depth)  # [batch, channels, height, width]
        bridges = []
        for block in self.down[:-1]:
            maps = block(maps)  # [batch, 16, height, width], then [batch, 32, height/2, width/2], ...
            bridges.append(maps)
            maps = self.pool(maps)
        maps = self.down[-1](maps)  # [batch, 128, height/8, width/8]: each pixel sees most of the image
        for up in self.up:
            maps = up(maps, bridges.pop())  # [batch, 64, height/4, width/4], ..., [batch, 16, height, width]
        logits: torch.Tensor = self.head(maps)  # [batch, labels, height, width]
        for axis, side in enumerate(images.shape[2:], start=2):
            logits = logits.narrow(axis, 0, side)
        return logits

    def _check_images(self, images: torch.Tensor) -> None:
        if images.ndim != 2 + self.dimensions or images.shape[1] != self.channels or 0 in images.shape:
            axes = "height, width" if self.dimensions == 2 else "depth, height, width"
            raise ValueError(
                f"This U-Net takes images of shape [batch, {self.channels}, {axes}], but got {list(images.shape)}. "
                "Add a missing axis with images[:, None], or build it with the channels= and dimensions= of the images."
            )


class _Up(nn.Module):
    """Twice the size with half the channels, then together with the map of that size from the way down."""

    def __init__(self, channels_in: int, channels_out: int, dimensions: int) -> None:
        super().__init__()
        self.enlarge = _UP_CONVOLUTION[dimensions](channels_in, channels_out, kernel_size=2, stride=2)
        self.block = _block(2 * channels_out, channels_out, dimensions)

    def forward(self, maps: torch.Tensor, bridge: torch.Tensor) -> torch.Tensor:
        both = torch.cat([bridge, self.enlarge(maps)], dim=1)  # [batch, 2 * channels_out, 2 * height, 2 * width]
        merged: torch.Tensor = self.block(both)  # [batch, channels_out, 2 * height, 2 * width]
        return merged


def _block(channels_in: int, channels_out: int, dimensions: int) -> nn.Sequential:
    """Two convolutions over 3 pixels a side, which keep the size."""
    layers: list[nn.Module] = []
    for n_in in (channels_in, channels_out):
        layers += [
            _CONVOLUTION[dimensions](n_in, channels_out, kernel_size=3, padding=1, bias=False),
            nn.GroupNorm(GROUPS, channels_out),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


def _pad(images: torch.Tensor, multiple: int) -> torch.Tensor:
    """The images with their last pixels repeated, until every side is a multiple: so no edge appears that is none."""
    missing = [-side % multiple for side in images.shape[2:]]
    if not any(missing):
        return images
    ends = [end for more in reversed(missing) for end in (0, more)]  # the last axis first, each with its two ends
    return F.pad(images, ends, mode="replicate")


def _check(labels: int, channels: int, dimensions: int, depth: int, width: int) -> None:
    rules = {
        "labels must be at least 1": labels >= 1,
        "channels must be at least 1": channels >= 1,
        "dimensions must be 2 or 3": dimensions in (2, 3),
        "depth must be at least 1": depth >= 1,
        f"width must be a multiple of {GROUPS}": width >= GROUPS and width % GROUPS == 0,
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError(
            f"{'; '.join(broken)}. Got labels={labels}, channels={channels}, dimensions={dimensions}, depth={depth}, "
            f"width={width}."
        )
