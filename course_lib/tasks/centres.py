"""A map of the centres of boxes: what a detector says about it, what it should say, and what the difference costs.

Source: X. Zhou et al., Objects as Points, arXiv:1904.07850.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

#: What torchvision's detectors take: ``boxes``, float [n, 4] as x0, y0, x1, y1 in pixels, and ``labels``, int64 [n]
Target = Mapping[str, torch.Tensor]

RARE = 0.01  #: how probable a centre in a cell is for a network that has learned nothing, as in RetinaNet
FOCUS = 2  #: alpha of the focal loss: the higher, the less the cells count that are right already
TOLERANCE = 4  #: beta of the focal loss: the higher, the less a centre costs that is a little beside the true one
SIZE_WEIGHT, OFFSET_WEIGHT = 0.1, 1.0  #: of an error of one cell in size and in place, against the focal loss
SPREAD = 1 / 6  #: sigma of the bump around a centre, in sides of the box: at the box's edge it has fallen to 1 %


class CentreMap(NamedTuple):
    """What a detector says about the cells of its map; a cell stands for ``stride`` x ``stride`` pixels."""

    centre: torch.Tensor  #: logits [batch, classes, rows, columns]: is the centre of a box in this cell?
    size: torch.Tensor  #: [batch, 2, rows, columns], width and height of that box, in cells, above 0
    offset: torch.Tensor  #: [batch, 2, rows, columns], from the cell's corner right and down to the centre, in cells
    stride: int  #: pixels

    @property
    def extent(self) -> tuple[int, int]:
        """Width and height of what the map covers, in pixels."""
        rows, columns = self.centre.shape[-2:]
        return columns * self.stride, rows * self.stride

    @property
    def batch_size(self) -> int:
        """How many images the map is of."""
        return len(self.centre)

    def check(self, classes: Sequence[str], inputs: torch.Tensor) -> None:
        """Do nothing if the map is of these classes and covers the inputs.

        Raises:
            ValueError: it does not.
        """
        cells = [math.ceil(side / self.stride) for side in inputs.shape[2:]]
        for name, depth in (("centre", len(classes)), ("size", 2), ("offset", 2)):
            shape, wanted = list(getattr(self, name).shape), [len(inputs), depth, *cells]
            if shape != wanted:
                raise ValueError(
                    f"The data have {len(classes)} classes ({', '.join(classes)}), so the model must answer "
                    f"to images of shape {list(inputs.shape)} with a {name} of shape {wanted} at stride "
                    f"{self.stride}, but it is {shape}. Build it with classes={len(classes)}."
                )

    def loss(self, targets: Sequence[Target], weights: torch.Tensor | None = None) -> torch.Tensor:
        """What training minimises: the mean of `losses`. ``weights`` are as in `loss_of_image`."""
        return self.losses(targets, weights).mean()

    def losses(self, targets: Sequence[Target], weights: torch.Tensor | None = None) -> torch.Tensor:
        """What each image costs, float [batch], see `loss_of_image`."""
        return torch.stack([loss_of_image(*pair, weights) for pair in zip(self.images(), targets, strict=True)])

    def boxes(self, most: int, lowest_score: float) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The boxes of each image, see `peaks`."""
        return [peaks(image, most, lowest_score) for image in self.images()]

    def in_full_precision(self, device: torch.device | str | None = None) -> "CentreMap":
        """The same numbers with 32 bits at least."""
        parts = (self.centre, self.size, self.offset)
        centre, size, offset = (p.to(device, torch.promote_types(p.dtype, torch.float32)) for p in parts)
        return CentreMap(centre, size, offset, self.stride)

    def images(self) -> Iterator["CentreMap"]:
        """The map of each image, without the batch's axis."""
        for centre, size, offset in zip(self.centre, self.size, self.offset, strict=True):
            yield CentreMap(centre, size, offset, self.stride)


def loss_of_image(output: CentreMap, target: Target, weights: torch.Tensor | None = None) -> torch.Tensor:
    """What one image's map costs, per box: focal loss of the centres, L1 of size and offset where a centre is.

    ``weights`` are what the centres of each class count, float [classes].
    """
    rows, columns = output.centre.shape[1:]
    labels, corners = target["labels"].to(output.centre.device), target["boxes"].to(output.centre) / output.stride
    middle, sides = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]  # [boxes, 2], in cells
    x, y = middle.floor().long().unbind(dim=1)
    x, y = x.clamp(max=columns - 1), y.clamp(max=rows - 1)  # a centre on the very edge belongs to the last cell
    cell = torch.stack([x, y], dim=1)
    of_centres = focal_loss(output.centre, bumps(cell, labels, sides, output.centre))  # [classes, rows, columns]
    if weights is not None:
        of_centres = of_centres * weights.view(-1, 1, 1)
    of_sizes = (output.size[:, y, x].T - sides).abs().sum()
    of_offsets = (output.offset[:, y, x].T - (middle - cell)).abs().sum()
    return (of_centres.sum() + SIZE_WEIGHT * of_sizes + OFFSET_WEIGHT * of_offsets) / max(len(labels), 1)


def bumps(cell: torch.Tensor, labels: torch.Tensor, sides: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """What the map [classes, rows, columns] should show: 1 at each centre, falling to almost 0 at its box's edge.

    ``cell`` are the columns and rows of the centres, int64 [boxes, 2]; ``sides`` are widths and heights in cells.
    """
    _, rows, columns = like.shape
    right = torch.arange(columns, device=like.device) - cell[:, :1]  # [boxes, columns], cells from the centre
    down = torch.arange(rows, device=like.device) - cell[:, 1:]  # [boxes, rows]
    sigma = (SPREAD * sides).clamp(min=SPREAD)  # [boxes, 2], at least as of a box of one cell
    wide, high = sigma[:, :1], sigma[:, 1:]
    along, across = torch.exp(-((right / wide) ** 2) / 2), torch.exp(-((down / high) ** 2) / 2)
    bump = across[:, :, None] * along[:, None, :]  # [boxes, rows, columns]
    places = labels[:, None, None].expand_as(bump)
    # where bumps of a class meet, the higher one holds
    return torch.zeros_like(like).scatter_reduce(0, places, bump.to(like), reduce="amax")


def focal_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The loss of every cell, of the logits' shape: large at missed centres, small near a centre and where all is well.

    Source: T.-Y. Lin et al., Focal Loss, ICCV 2017, arXiv:1708.02002; as in Objects as Points, equation 1.
    """
    probable = logits.sigmoid()
    missed = -((1 - probable) ** FOCUS) * F.logsigmoid(logits)
    alarmed = -((1 - wanted) ** TOLERANCE) * probable**FOCUS * F.logsigmoid(-logits)
    return torch.where(wanted == 1, missed, alarmed)


def peaks(output: CentreMap, most: int, lowest_score: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The boxes of one image, the surest first: corners [boxes, 4] in pixels, labels and scores [boxes].

    A box is where a cell is at least as sure as its eight neighbours. What lies outside the map is cut off.
    """
    is_peak = output.centre == F.max_pool2d(output.centre, kernel_size=3, stride=1, padding=1)
    scores, places = (output.centre.sigmoid() * is_peak).flatten().topk(min(most, output.centre.numel()))
    told = (scores >= lowest_score) & is_peak.flatten()[places]
    labels, y, x = torch.unravel_index(places[told], output.centre.shape)
    middle, half = torch.stack([x, y]) + output.offset[:, y, x], output.size[:, y, x] / 2  # [2, boxes], in cells
    corners = torch.cat([middle - half, middle + half]).T * output.stride
    edge = torch.tensor(output.extent * 2, dtype=corners.dtype, device=corners.device)
    return corners.clamp(min=0).minimum(edge), labels, scores[told]


def check_target(target: Target, classes: Sequence[str], extent: tuple[int, int]) -> None:
    """Do nothing if the boxes and labels of an image fit to each other, the classes, and the map's width and height.

    Raises:
        ValueError: they do not.
    """
    boxes, labels = target["boxes"], target["labels"]
    if boxes.shape != (len(labels), 4) or labels.shape != (len(labels),) or labels.dtype != torch.int64:
        raise ValueError(
            f"Expected boxes of shape [n, 4] and int64 labels of shape [n], but got {list(boxes.shape)} and "
            f"{labels.dtype} {list(labels.shape)}. An image without boxes has torch.zeros(0, 4)."
        )
    low, high = boxes[:, :2], boxes[:, 2:]
    middle = (low + high) / 2
    inside = (low < high) & (middle >= 0) & (middle <= boxes.new_tensor(extent))
    fits = inside.all(dim=1) & (labels >= 0) & (labels < len(classes))
    if not fits.all():
        first = int(fits.int().argmin())
        raise ValueError(
            f"Box {boxes[first].tolist()} of class {int(labels[first])} is none: expected x0 < x1, y0 < y1, a centre "
            f"inside the map of {extent[0]} x {extent[1]} px, and a class from 0 to {len(classes) - 1}. "
            "Leave out boxes that a crop has cut away."
        )
