"""Torchvision's FCOS and RetinaNet on EfficientNet-Lite0, small enough to learn on a laptop.

Both look at a pyramid of maps with cells of 4, 8, 16 and 32 px (P2 to P5), each for boxes of another size. The papers
begin at 8 px and end at 128 px, for photographs of 800 px. Of a chest film of 256 to 384 px, a nodule is 10 to 40 px
wide: a cell of 8 px misses its middle by up to 4 px in both directions, so that an anchor of 15 px, the right size,
overlaps a box of 15 px with an IoU of 0.37 and does not count as found; of 4 px by 2 px and 0.60, and it does. A map
with cells of 64 px would have four to six cells a side, for boxes that fill the film.

The pyramid and the heads have 64 channels, where the papers have 256. For 8 classes and 256 px that makes 2.3 billion
multiply-adds for FCOS and 2.6 for RetinaNet; with 256 channels it would be 29.6 and 30.8, as `networks.costs.gflops`
counts them. Most of them are spent on the cells of 4 px.

Source: T.-Y. Lin et al., Feature Pyramid Networks, CVPR 2017, arXiv:1612.03144.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import FeaturePyramidNetwork

from course_lib.networks.backbones import Weights
from course_lib.networks.efficientnet_lite import MAP_CHANNELS
from course_lib.networks.lite_unet import LEAST_PX, check_images, lite0
from course_lib.tasks.centres import Target

STRIDES = (4, 8, 16, 32)  #: pixels a side of a cell of the pyramid's maps, P2 to P5 in the papers
CHANNELS = 64  #: of the pyramid and the heads; the papers have 256
GROUPS = 32  #: of channels that a head normalises together, as in torchvision
ANCHOR_PX = tuple(tuple(round(4 * stride * 2 ** (third / 3)) for third in range(3)) for stride in STRIDES)
RATIOS = (0.5, 1.0, 2.0)  #: height over width of an anchor
#: IoU with a surer box of its class above which a box is suppressed. Torchvision takes 0.5 or 0.6, but two boxes of 15
#: px that are 3 px apart in both directions have 0.47, and a second box on the same nodule is a false alarm.
OVERLAP = 0.3


@dataclass(frozen=True, eq=False)
class AnchorAnswer:
    """What a detector says about each of its anchors; what it costs and which boxes it tells, torchvision computes."""

    detector: "LiteFCOS | LiteRetinaNet"  #: whose rules hold
    outputs: Mapping[str, torch.Tensor]  #: by torchvision's names, each [batch, anchors, numbers]
    anchors: torch.Tensor  #: [anchors, 4], x0, y0, x1, y1 in pixels, the same for every image
    levels: tuple[int, ...]  #: how many of them belong to each map of the pyramid
    extent: tuple[int, int]  #: width and height of the images, in pixels

    @property
    def batch_size(self) -> int:
        """How many images the answer is about."""
        return len(self.outputs["cls_logits"])

    def check(self, classes: Sequence[str], inputs: torch.Tensor) -> None:
        """Do nothing if these classes are told in these inputs.

        Raises:
            ValueError: they are not.
        """
        shape, told = list(inputs.shape), self.outputs["cls_logits"].shape[2]
        if told != len(classes):
            raise ValueError(
                f"The data have {len(classes)} classes ({', '.join(classes)}), but the model tells {told}. "
                f"Build it with classes={len(classes)}."
            )
        if (self.batch_size, *self.extent[::-1]) != (shape[0], *shape[2:]):
            width, height = self.extent
            raise ValueError(
                f"Expected an answer to images of shape {shape}, but got one to {self.batch_size} images of {width} x "
                f"{height} px. Call the model with the images that it is judged on."
            )

    def in_full_precision(self, device: torch.device | str | None = None) -> "AnchorAnswer":
        """The same numbers with 32 bits at least."""
        outputs = {name: v.to(device, torch.promote_types(v.dtype, torch.float32)) for name, v in self.outputs.items()}
        return replace(self, outputs=outputs, anchors=self.anchors.to(device))

    def loss(self, targets: Sequence[Target], weights: torch.Tensor | None = None) -> torch.Tensor:
        """The sum of `parts`.

        Raises:
            ValueError: there are weights.
        """
        if weights is not None:
            raise ValueError("Torchvision's detectors know no weights of classes. Take weights=None.")
        return torch.stack(list(self.parts(targets).values())).sum()

    def losses(self, targets: Sequence[Target]) -> torch.Tensor:
        """What each image costs, as if it were alone: float [batch]. Of RetinaNet, `loss` is their mean."""
        return torch.stack([one.loss([target]) for one, target in zip(self._images(), targets, strict=True)])

    def parts(self, targets: Sequence[Target]) -> dict[str, torch.Tensor]:
        """Torchvision's losses of the batch by their names, one number each."""
        levels = {"num_anchors_per_level": list(self.levels)} if isinstance(self.detector, FCOS) else {}
        anchors = [self.anchors] * self.batch_size
        parts: dict[str, torch.Tensor] = self.detector.compute_loss(targets, self.outputs, anchors, **levels)
        return parts

    def boxes(self, most: int, lowest_score: float) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The boxes of each image that are left after non-maximum suppression: corners, labels and scores.

        Torchvision tells those with more than ``lowest_score``, of the 1,000 surest on each map of the pyramid.
        """
        judge = copy.copy(self.detector)  # shares the layers, but has limits of its own
        judge.score_thresh, judge.detections_per_img = lowest_score, most
        levels = list(self.levels)
        outputs = {name: torch.split(values, levels, dim=1) for name, values in self.outputs.items()}
        anchors = [torch.split(self.anchors, levels)] * self.batch_size
        told = judge.postprocess_detections(outputs, anchors, [self.extent[::-1]] * self.batch_size)
        return [(image["boxes"], image["labels"], image["scores"]) for image in told]

    def _images(self) -> list["AnchorAnswer"]:
        """The answer to each image, as a batch of one."""
        of_each = zip(*(torch.split(values, 1) for values in self.outputs.values()), strict=True)
        return [replace(self, outputs=dict(zip(self.outputs, values, strict=True))) for values in of_each]


class LiteFCOS(FCOS):  # type: ignore[misc]
    """FCOS: each cell says how far away the edges of the box around it are, of which class it is, and how central.

    Takes float [batch, 3, height, width], at least 32 px a side, prepared as the network's weights want it: torchvision
    would normalise and resize once more. Gives an `AnchorAnswer`. Its anchors are the cells themselves: a box is
    learned by those nearer than 1.5 cells to its middle and inside it, on the map of its size: a box of up to about 60
    px by the cells of 4 px, and so on by doubling. A box below 4 px may lie between the cells, which learn nothing of
    it. ``weights`` are as in `LiteHeatmapDetector`.

    In training, torchvision divides the loss of a batch by the cells that boxes are learned by in all its images;
    alone, as in validation, each image counts as much as any other. How central a cell is, is a number between 0 and 1,
    which costs something even if it is told right: that is taken off again, so that the loss is 0 at best.

    Source: Z. Tian et al., FCOS, ICCV 2019, arXiv:1904.01355 and arXiv:2006.09214.
    """

    def __init__(self, classes: int, *, weights: Weights | None) -> None:
        _check_classes(classes)
        sizes = tuple((stride,) for stride in STRIDES)
        super().__init__(
            _Pyramid(weights),
            classes,
            anchor_generator=AnchorGenerator(sizes, ((1.0,),) * len(sizes)),
            head=_Head(CHANNELS, 1, classes),
            nms_thresh=OVERLAP,
        )
        self.transform = nn.Identity()

    def forward(self, images: torch.Tensor) -> AnchorAnswer:
        return _answer(self, images)


class LiteRetinaNet(RetinaNet):  # type: ignore[misc]
    """RetinaNet: each anchor says whether it covers a box, of which class, and how it must be moved and stretched.

    Input, output and ``weights`` are those of `LiteFCOS`. There are nine anchors in each cell, of three sizes and three
    shapes: 16, 20 and 25 px in the cells of 4 px, and so on by doubling up to 203 px, with the ratio of the paper (4
    cells and up). An anchor learns a box that it overlaps with an IoU of 0.5, and every box is learned by the anchor
    that overlaps it most. The heads are normalised in groups, as in torchvision's second version.

    Source: T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, arXiv:1708.02002.
    """

    def __init__(self, classes: int, *, weights: Weights | None) -> None:
        _check_classes(classes)
        norm = partial(nn.GroupNorm, GROUPS)
        super().__init__(
            _Pyramid(weights),
            classes,
            anchor_generator=AnchorGenerator(ANCHOR_PX, (RATIOS,) * len(ANCHOR_PX)),
            head=RetinaNetHead(CHANNELS, len(ANCHOR_PX[0]) * len(RATIOS), classes, norm_layer=norm),
            nms_thresh=OVERLAP,
        )
        self.transform = nn.Identity()

    def forward(self, images: torch.Tensor) -> AnchorAnswer:
        return _answer(self, images)


class _Pyramid(nn.Module):
    """EfficientNet-Lite0 and maps of `STRIDES`, each of which knows what the smaller ones have seen."""

    out_channels = CHANNELS  #: torchvision asks for it

    def __init__(self, weights: Weights | None) -> None:
        super().__init__()
        self.encoder = lite0(weights, top=False)
        self.merge = FeaturePyramidNetwork(list(MAP_CHANNELS[1:]), CHANNELS)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        found = self.encoder.maps(images)[1:]  # [batch, 24, height / 4, width / 4], ..., [batch, 320, height / 32, ...]
        merged: dict[str, torch.Tensor] = self.merge({str(s): m for s, m in zip(STRIDES, found, strict=True)})
        return merged


class _Head(FCOSHead):  # type: ignore[misc]
    """Torchvision's, and one part more of the loss, so that it is 0 at best."""

    def compute_loss(self, targets: Any, head_outputs: Any, anchors: Any, matched_idxs: Any) -> dict[str, torch.Tensor]:
        parts: dict[str, torch.Tensor] = super().compute_loss(targets, head_outputs, anchors, matched_idxs)
        least, found = [], 0
        for target, of_image, matched in zip(targets, anchors, matched_idxs, strict=True):
            inside = matched >= 0
            central = self._centreness(of_image[inside], target["boxes"][matched[inside]])
            least.append(F.binary_cross_entropy(central, central, reduction="sum"))
            found += len(central)
        return parts | {"bbox_ctrness_at_best": -torch.stack(least).sum() / max(1, found)}

    def _centreness(self, anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """1 where an anchor is in the middle of its box, 0 at the edge: [anchors]."""
        left, top, right, bottom = self.box_coder.encode(anchors, boxes).unbind(1)
        pairs = ((left, right), (top, bottom))
        ratios = [torch.minimum(*pair) / torch.maximum(*pair) for pair in pairs]
        return (ratios[0] * ratios[1]).sqrt()


def _answer(detector: LiteFCOS | LiteRetinaNet, images: torch.Tensor) -> AnchorAnswer:
    """What torchvision's ``forward`` does between preparing the images and judging what was found."""
    check_images(images)
    height, width = images.shape[2:]
    padded = F.pad(images, (0, -width % LEAST_PX, 0, -height % LEAST_PX))
    maps = list(detector.backbone(padded).values())
    places = [images.new_empty(0, *m.shape[2:]) for m in maps]  # the anchors keep their 32 bits, whatever the maps have
    (anchors,) = detector.anchor_generator(ImageList(padded, [(height, width)]), places)
    each = zip(maps, detector.anchor_generator.num_anchors_per_location(), strict=True)
    levels = tuple(m.shape[2] * m.shape[3] * of_cell for m, of_cell in each)
    return AnchorAnswer(detector, detector.head(maps), anchors, levels, (width, height))


def _check_classes(classes: int) -> None:
    if classes < 1:
        raise ValueError(f"A detector needs at least one class, but got classes={classes}.")
