"""Small random changes of a film with boxes: where the picture goes, its boxes go."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.augmentation import Augmentation
from course_lib.data.outlines_and_boxes import Change

#: What differs from one film of a chest to the next. No blur and no further compression, which hide small nodules and
#: take longer than all the rest; no change of the ratio of width to height, which torchvision does not have for boxes.
FILM_CHANGES = Augmentation(aspect=0.0, blur=0.0, jpeg=0.0)


@dataclass(frozen=True)
class InTurn:
    """Several changes of a film and its boxes, one after the other; a ``change`` for `BoxedDataset`."""

    changes: tuple[Change, ...]

    def __call__(self, pixels: tv_tensors.Image, target: Any) -> tuple[tv_tensors.Image, Any]:
        """What the last of them gives."""
        for change in self.changes:
            pixels, target = change(pixels, target)
        return pixels, target


@dataclass(frozen=True)
class BoxChanges:
    """Turned, shifted, scaled and sheared together with the boxes, then noise and another exposure.

    A ``change`` for `BoxedDataset`, as strong as ``strength`` says; torchvision's transforms move picture and boxes.
    What comes in at the margin is black. Of a turned box, torchvision keeps the upright one around it, which is larger:
    after 7 degrees, a square by up to 11 % a side, and a box three times as high as wide by up to 36 % of its width. A
    round nodule has not grown, so its box is then a little too large: keep the rotation small. The numbers come from
    torch's global generator: the same seed, the same bits.

    There is no mirroring unless ``mirror`` asks for it: it would put the heart on the wrong side, and a chest like that
    is a finding of its own.
    """

    strength: Augmentation = FILM_CHANGES
    mirror: float = 0.0  #: probability that left and right change places, from 0 (never) to 1

    def __post_init__(self) -> None:
        if self.strength.aspect:
            raise ValueError(
                f"aspect must be 0, but is {self.strength.aspect}: torchvision scales boxes alike in both directions. "
                "Take dataclasses.replace(augmentation, aspect=0)."
            )
        if not 0 <= self.mirror <= 1:
            raise ValueError(f"mirror must be a probability from 0 to 1, but is {self.mirror}.")

    def __call__(self, pixels: tv_tensors.Image, target: dict[str, Any]) -> tuple[tv_tensors.Image, dict[str, Any]]:
        """The picture, float32 [1, height, width] from 0 to 1, and its target; those given stay as they are.

        ``pixels`` are uint8, or float32 from 0 to 1, of the same shape; ``target`` has ``boxes`` and ``labels``, which
        stay as many as they are: a box that has left the picture has no area.
        """
        moved, boxes = self._moving()(pixels, target)
        grey = image_functional.to_dtype(moved, torch.float32, scale=True).as_subclass(torch.Tensor)
        exposed = replace(self.strength, rotation=0.0, shift=0.0, scale=0.0, shear=0.0)(grey)
        return tv_tensors.Image(exposed), boxes

    def _moving(self) -> v2.Compose:
        """Torchvision's transform of picture and boxes."""
        largest = 1 + self.strength.scale
        affine = v2.RandomAffine(
            self.strength.rotation,
            translate=(self.strength.shift, self.strength.shift),
            scale=(1 / largest, largest),
            shear=self.strength.shear,
            interpolation=v2.InterpolationMode.BILINEAR,
            fill=None,  # black too, and faster than 0
        )
        return v2.Compose([v2.RandomHorizontalFlip(self.mirror), affine])
