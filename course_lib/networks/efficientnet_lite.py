"""EfficientNet-Lite0: a network for small computers, and where its published weights belong in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.fast_layers import ReLU6, depthwise_16

EPSILON = 1e-3  #: that batch norm adds to a variance: TensorFlow's, with which the published weights were learned
STEM_CHANNELS, TOP_CHANNELS, DROPOUT = 32, 1280, 0.2
LAST_OF_SIZE = (1, 2, 3, 5, 7)  #: the stages after which the next one halves the map, and the last one


@dataclass(frozen=True)
class Stage:
    """Blocks in a row; the first of them changes the number of channels, and the size if ``stride`` is 2."""

    blocks: int
    kernel: int  #: side of the depthwise convolution, px
    stride: int
    expansion: int  #: times as many channels inside a block as at its entrance
    channels: int  #: at the exit


STAGES = (
    Stage(1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(1, kernel=3, stride=1, expansion=6, channels=320),
)
MAP_CHANNELS = tuple(STAGES[number - 1].channels for number in LAST_OF_SIZE)  #: of what `EfficientNetLite0.maps` gives


class SameConv2d(nn.Conv2d):
    """A convolution without bias whose output has ceil(size / stride) pixels a side, padded as TensorFlow pads.

    Where an odd number of pixels is missing, which happens with a stride of 2, the right and lower edge get one more.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        # a stride of 1 misses as many on either side, so that the convolution can pad by itself, which is faster
        super().__init__(
            inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups, bias=False
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.stride[0] > 1:
            top, bottom = self._missing(x.shape[-2])
            left, right = self._missing(x.shape[-1])
            x = F.pad(x, (left, right, top, bottom))
        depthwise = self.groups == self.in_channels == self.out_channels
        if depthwise and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            around = self.kernel_size[0] // 2 if self.stride[0] == 1 else 0
            return depthwise_16(x.to(torch.get_autocast_dtype("cpu")), self.weight, self.stride[0], around)
        return super().forward(x)

    def _missing(self, size: int) -> tuple[int, int]:
        """The pixels to add before and after, so that the last window starts inside the image."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return missing // 2, missing - missing // 2


class InvertedResidual(nn.Module):
    """Widen, look around in each channel by itself, narrow again; and add what came in, where the shapes allow it.

    A depthwise convolution has one kernel per channel, so that looking around in many channels costs little. The
    narrow end has no activation, which would throw away part of the few numbers there.

    Source: M. Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, arXiv:1801.04381.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _convolution(inputs, wide) if expansion > 1 else nn.Identity()
        self.depthwise = _convolution(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Sequential(SameConv2d(wide, outputs), nn.BatchNorm2d(outputs, eps=EPSILON))
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        narrow: torch.Tensor = self.project(self.depthwise(self.expand(x)))
        return x + narrow if self.adds_input else narrow


class EfficientNetLite0(nn.Module):
    """Images float [batch, 3, height, width], at least 32 px a side, to logits [batch, classes].

    A stem that halves the image, seven stages, of which four halve it again, a last widening to 1,280 channels, their
    mean over the image, and the head. EfficientNet-B0 without what small processors are slow at: no squeeze and
    excitation, and ReLU6 (from 0 to 6) in place of SiLU.

    Source: M. Tan, Q. Le, EfficientNet, ICML 2019, arXiv:1905.11946; the lite variant: R. Liu, Higher accuracy on
    vision models with EfficientNet-Lite, TensorFlow blog, March 2020.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = _convolution(3, STEM_CHANNELS, kernel=3, stride=2)
        inputs = STEM_CHANNELS
        for number, stage in enumerate(STAGES, start=1):
            self.add_module(f"stage{number}", _blocks(stage, inputs))
            inputs = stage.channels
        self.top = _convolution(inputs, TOP_CHANNELS)
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(TOP_CHANNELS, classes)
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):  # a signal keeps its size through the layers, untrained too
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear" if ".project." in name else "relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        *_, smallest = self.maps(images)  # [batch, 320, height / 32, width / 32]
        x = self.top(smallest).mean(dim=(2, 3))  # [batch, 1280]
        logits: torch.Tensor = self.classifier(self.dropout(x))
        return logits

    def maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The last map of each size, from half the image's sides to a 32nd; `MAP_CHANNELS` says their channels."""
        x, found = self.stem(images), []  # [batch, 32, height / 2, width / 2]
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"stage{number}")(x)
            if number in LAST_OF_SIZE:
                found.append(x)
        return found


def our_names(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict with the names of ``efficientnet-lite-pytorch``, in which the weights are published, under ours."""
    return {_our_name(name): values for name, values in state.items()}


def _convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SameConv2d(inputs, outputs, kernel, stride, groups),
        nn.BatchNorm2d(outputs, eps=EPSILON),
        ReLU6(),
    )


def _blocks(stage: Stage, inputs: int) -> nn.Sequential:
    first = InvertedResidual(inputs, stage.channels, stage.kernel, stage.stride, stage.expansion)
    channels = stage.channels
    others = [InvertedResidual(channels, channels, stage.kernel, 1, stage.expansion) for _ in range(stage.blocks - 1)]
    return nn.Sequential(first, *others)


#: The published names of layers, outside and inside a block; a layer of ours is a convolution and its batch norm.
_OUTSIDE = {
    "_conv_stem": "stem.0", "_bn0": "stem.1", "_conv_head": "top.0", "_bn1": "top.1", "_fc": "classifier",
}  # fmt: skip
_INSIDE = {
    "_expand_conv": "expand.0", "_bn0": "expand.1", "_depthwise_conv": "depthwise.0", "_bn1": "depthwise.1",
    "_project_conv": "project.0", "_bn2": "project.1",
}  # fmt: skip
#: Where the published network, which counts its blocks through, has them in ours.
_PLACES = [f"stage{number}.{block}" for number, stage in enumerate(STAGES, start=1) for block in range(stage.blocks)]


def _our_name(name: str) -> str:
    """Ours for a published name; a name that is none stays as it is, and loading it says so."""
    if (match := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)) and int(match[1]) < len(_PLACES):
        return f"{_PLACES[int(match[1])]}.{_INSIDE.get(match[2], match[2])}.{match[3]}"
    layer, _, values = name.rpartition(".")
    return f"{_OUTSIDE.get(layer, layer)}.{values}"
