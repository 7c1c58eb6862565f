"""Images whose target is a mask or boxes: what changes the picture changes its target with it."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2

from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.transforms import Preprocessing, fit_to_square, network_input
from course_lib.support.errors import DataError
from course_lib.tasks.detection import Detection
from course_lib.tasks.segmentation import Segmentation
from course_lib.tasks.task import P, Task

Change = Callable[[tv_tensors.Image, Any], tuple[tv_tensors.Image, Any]]  #: of an image and its target, v2 transforms


@dataclass(frozen=True)
class OutlinedImage:
    """One image file, the file of its mask, and whose it is."""

    path: Path
    mask: Path  #: as large as the image; one grey value per label
    patient: str
    spacing: tuple[float, ...] = (1.0, 1.0)  #: millimetres from pixel to pixel, down and across, in the file

    @property
    def target(self) -> Path:
        """The file of the mask."""
        return self.mask


@dataclass(frozen=True)
class BoxedImage:
    """One image file, the boxes in it, and whose it is."""

    path: Path
    boxes: tuple[tuple[float, float, float, float], ...]  #: left, top, right, bottom in px of the file; may be none
    labels: tuple[int, ...]  #: one per box, indices into the class names
    patient: str
    view: str = ""  #: such as ``PA`` or ``AP``, where a table says it
    subtlety: tuple[str, ...] = ()  #: one per box, such as ``subtle``; of simulated films, and empty otherwise
    contrast_to_noise: tuple[float, ...] = ()  #: the same, as a number

    @property
    def target(self) -> tuple[object, ...]:
        """The boxes and their labels."""
        return (self.boxes, self.labels)


S = TypeVar("S", OutlinedImage, BoxedImage)


class _PairedDataset(ABC, Generic[S, P]):
    """Images read from disk together with their targets, each time they are asked for; fits `ImageData`."""

    task: Task[P]

    def __init__(self, samples: Sequence[S], how: Preprocessing, change: Change | None) -> None:
        if not samples:
            raise DataError("A data set needs at least one image, got none.")
        self.samples: tuple[S, ...] = tuple(samples)
        self.how, self.change = how, change
        self._fit = v2.Compose([*fit_to_square(how), v2.PILToTensor()])

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, channels, size, size] on the device."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, Any]:
        """`inputs`, and their targets in the form of the task, on the device."""
        pairs = [self._pair(self.samples[i]) for i in indices.tolist()]
        pixels = torch.stack([pixels for pixels, _ in pairs]).to(device)
        return network_input(pixels, self.how), self._collate([target for _, target in pairs], device)

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``."""
        part = copy.copy(self)
        part.samples = tuple(self.samples[i] for i in indices)
        return part

    def _pair(self, sample: S) -> tuple[torch.Tensor, Any]:
        """The image, uint8 [1, size, size], and its target, both fitted to the square and changed alike."""
        pixels, target = self._read(sample)
        pixels = tv_tensors.Image(pixels)
        return (pixels, target) if self.change is None else self.change(pixels, target)

    def _read(self, sample: S) -> tuple[torch.Tensor, Any]:
        """The image and its target in the square, from the disk."""
        return self._fit_both(open_grey(sample.path), sample)

    @abstractmethod
    def _fit_both(self, image: Image.Image, sample: S) -> tuple[torch.Tensor, Any]:
        """The image and its target in the square."""

    @abstractmethod
    def _collate(self, targets: list[Any], device: torch.device | str) -> Any: ...


class OutlinedDataset(_PairedDataset[OutlinedImage, Any]):
    """Images and their masks. ``values`` are the grey values that stand for the labels in the files, in their order.

    ``change`` is a transform of torchvision.transforms.v2 for training: an image and its mask go through it together.
    The ``samples`` of the data set have the spacing of the fitted square, in which predictions are measured.
    """

    def __init__(
        self,
        samples: Sequence[OutlinedImage],
        labels: Sequence[str],
        how: Preprocessing,
        change: Change | None = None,
        *,
        values: Sequence[int] | None = None,
    ) -> None:
        super().__init__([_fitted(sample, how) for sample in samples], how, change)
        self.task = Segmentation(tuple(labels))
        self.values = tuple(range(len(labels)) if values is None else values)
        if len(self.values) != len(labels):
            raise DataError(f"Expected one grey value for each of {len(labels)} labels, but got {self.values}.")

    def _fit_both(self, image: Image.Image, sample: OutlinedImage) -> tuple[torch.Tensor, tv_tensors.Mask]:
        return self._fit(image), tv_tensors.Mask(fitted_labels(sample.mask, image, self.values, self._fit)[None])

    def _collate(self, targets: list[torch.Tensor], device: torch.device | str) -> torch.Tensor:
        return torch.stack([target[0].as_subclass(torch.Tensor) for target in targets]).long().to(device)


def fitted_labels(
    path: Path, image: Image.Image, values: Sequence[int], fit: Callable[[Any], torch.Tensor]
) -> torch.Tensor:
    """The mask of an image in the square, as the image is fitted to it: the label of each pixel, int64 [size, size].

    ``values`` are the grey values that stand for the labels in the file, ``fit`` are the steps of `fit_to_square`.

    Raises:
        DataError: the mask is not as large as the image, or holds another value.
    """
    labels = _read_mask(path, image, values)
    # Each label is fitted like a picture, and the strongest wins: torchvision's own way with masks, the nearest
    # pixel, would move them by up to half a pixel against the image.
    each = F.one_hot(labels, len(values)).movedim(-1, 0).float()  # [labels, height, width]
    return fit(each).argmax(dim=0)


def _read_mask(path: Path, image: Image.Image, values: Sequence[int]) -> torch.Tensor:
    """The label of each pixel, int64 [height, width]."""
    mask = np.asarray(open_mask(path))
    if mask.shape != (image.height, image.width):
        raise DataError(
            f"{path.name} has {mask.shape[1]} x {mask.shape[0]} pixels, its image {image.width} x {image.height}. "
            "Both must be the same: take the mask that was drawn on this image."
        )
    if strange := sorted(set(np.unique(mask).tolist()) - set(values)):
        raise DataError(
            f"{path.name} holds the grey values {strange[:5]}, which stand for no label; expected {tuple(values)}. "
            "Was it saved as JPEG, or made smaller with smooth edges?"
        )
    order = np.argsort(values)
    return torch.from_numpy(order[np.searchsorted(np.array(values)[order], mask)])


def _fitted(sample: OutlinedImage, how: Preprocessing) -> OutlinedImage:
    """The sample with the spacing that it has in the square, see `fit_to_square`."""
    width, height = open_grey(sample.path).size
    side = {"squeeze": (height, width), "crop": (min(height, width),) * 2, "pad": (max(height, width),) * 2}
    spacing = tuple(mm * px / how.size for mm, px in zip(sample.spacing, side[how.geometry], strict=True))
    return replace(sample, spacing=spacing)


class BoxedDataset(_PairedDataset[BoxedImage, Any]):
    """Images and the boxes in them.

    ``change`` is a transform of torchvision.transforms.v2 for training: an image and its boxes go through it together.
    Of a box that reaches beyond the image, the part inside stays; one that lies outside whole is left out. With
    ``in_memory`` each image is decoded once and then kept, size x size bytes; a change must leave it as it is.
    """

    def __init__(
        self,
        samples: Sequence[BoxedImage],
        classes: Sequence[str],
        how: Preprocessing,
        change: Change | None = None,
        *,
        in_memory: bool = False,
    ) -> None:
        super().__init__(samples, how, change)
        self.task = Detection(tuple(classes))
        self._clamp = v2.ClampBoundingBoxes()
        self._kept: dict[BoxedImage, tuple[torch.Tensor, Any]] | None = {} if in_memory else None

    def _read(self, sample: BoxedImage) -> tuple[torch.Tensor, Any]:
        if self._kept is None:
            return super()._read(sample)
        if sample not in self._kept:
            self._kept[sample] = super()._read(sample)
        return self._kept[sample]

    def _fit_both(self, image: Image.Image, sample: BoxedImage) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        corners = torch.tensor(sample.boxes, dtype=torch.float32).reshape(-1, 4)
        boxes = tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=(image.height, image.width))
        pixels, target = self._fit(image, {"boxes": boxes, "labels": torch.tensor(sample.labels, dtype=torch.int64)})
        return pixels, target

    def _collate(self, targets: list[Any], device: torch.device | str) -> list[dict[str, torch.Tensor]]:
        return [self._inside(target, device) for target in targets]

    def _inside(self, target: dict[str, Any], device: torch.device | str) -> dict[str, torch.Tensor]:
        """What of the boxes lies in the image. A small one may be less than a pixel wide in the square, and stays."""
        boxes = self._clamp(target["boxes"]).as_subclass(torch.Tensor)
        kept = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        return {"boxes": boxes[kept].to(device), "labels": target["labels"][kept].to(device)}
