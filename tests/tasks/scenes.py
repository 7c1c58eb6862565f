"""Made-up images with boxes, and the map of a detector that knows them."""

from collections.abc import Sequence

import numpy as np
import torch

from course_lib.tasks.centres import CentreMap, Target


def target(*boxes: Sequence[float]) -> Target:
    """Boxes given as x0, y0, x1, y1, class."""
    table = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5)
    return {"boxes": table[:, :4], "labels": table[:, 4].long()}


def scenes(images: int, seed: int) -> tuple[torch.Tensor, list[Target]]:
    """Noise with 0 to 3 boxes, bright or dark, which do not overlap."""
    rng = np.random.default_rng(seed)
    pixels, targets = rng.normal(0, 0.3, (images, 1, 46, 46)), []
    for number in range(images):
        boxes: list[tuple[float, ...]] = []
        corners = rng.permutation([(0, 0), (23, 0), (0, 23), (23, 23)])[: rng.integers(4)]
        for corner in corners:
            width, height = rng.integers(6, 16, 2)
            x, y = corner + rng.integers(0, 23 - np.array([width, height]))
            label = int(rng.integers(2))
            pixels[number, 0, y : y + height, x : x + width] += (1.5, -1.5)[label]
            boxes.append((x, y, x + width, y + height, label))
        targets.append(target(*boxes))
    return torch.tensor(pixels, dtype=torch.float32), targets


def perfect(targets: Sequence[Target], cells: int = 16, stride: int = 4, sure: float = 8.0) -> CentreMap:
    """The map of a model that knows the truth."""
    centre = torch.full((len(targets), 2, cells, cells), -sure)
    size, offset = torch.ones(len(targets), 2, cells, cells), torch.zeros(len(targets), 2, cells, cells)
    for number, true in enumerate(targets):
        for (x0, y0, x1, y1), label in zip((true["boxes"] / stride).tolist(), true["labels"].tolist(), strict=True):
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            centre[number, label, int(y), int(x)] = sure
            size[number, :, int(y), int(x)] = torch.tensor([x1 - x0, y1 - y0])
            offset[number, :, int(y), int(x)] = torch.tensor([x % 1, y % 1])
    return CentreMap(centre, size, offset, stride)


def some(output: CentreMap, chosen: slice) -> CentreMap:
    """The maps of some images of a batch."""
    return CentreMap(output.centre[chosen], output.size[chosen], output.offset[chosen], output.stride)
