"""Images of one of several kinds, most of them with a mask, kept in memory: for a network that says both."""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, Self

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_file import open_grey
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.data.outlines_and_boxes import fitted_labels
from course_lib.data.transforms import Preprocessing, fit_to_square, network_input
from course_lib.support.errors import DataError
from course_lib.support.runtime import progress
from course_lib.tasks.kind_and_outline import NO_MASK, KindAndOutline, Truth


class MaskedSample(Protocol):
    """One image file, its kind, whose it is, and the file of its mask."""

    @property
    def path(self) -> Path: ...

    @property
    def patient(self) -> str: ...

    @property
    def target(self) -> int:
        """The index of its kind."""

    @property
    def mask(self) -> Path | None:
        """As large as the image, in `MASK_VALUES`; None where no one drew one."""


class KindAndOutlineDataset:
    """Images with their kinds and masks, read and fitted once, and kept in memory; fits `ImageData`.

    ``augmentation`` changes an image and its mask alike, anew each time. With ``mirror`` every other image, drawn at
    random, is exchanged left for right beforehand: a brain is nearly symmetric, and a tumour may lie on either side.

    Raises:
        DataError: there is no image, a target is not the index of a kind, a file can not be read, or a mask does not
            fit its image.
    """

    def __init__(
        self,
        samples: Sequence[MaskedSample],
        kinds: Sequence[str],
        how: Preprocessing,
        augmentation: Augmentation | None = None,
        *,
        mirror: bool = False,
    ) -> None:
        if not samples:
            raise DataError("A data set needs at least one image, got none.")
        self.task = KindAndOutline(tuple(kinds))
        self.task.check_samples(samples)
        self.samples: tuple[MaskedSample, ...] = tuple(samples)
        self.how, self.augmentation, self.mirror = how, augmentation, mirror
        read = [_read(sample, how) for sample in progress(samples, "Reading the images", "image")]
        self._pixels = torch.stack([pixels for pixels, _ in read])  # uint8 [images, 1, size, size]
        self._labels = torch.stack([labels for _, labels in read])  # int8 [images, size, size]
        self._kinds = torch.tensor([sample.target for sample in samples])

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.task.kinds

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, channels, size, size] on the device."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, Truth]:
        """`inputs`, and their kinds and outlines, on the device."""
        pixels, labels = self._pixels[indices].to(device), self._labels[indices].to(device)
        if self.mirror:
            mirrored = (torch.rand(len(indices)) < 0.5).to(device)
            pixels = torch.where(mirrored[:, None, None, None], pixels.flip(3), pixels)
            labels = torch.where(mirrored[:, None, None], labels.flip(2), labels)
        if self.augmentation is not None:
            grey = image_functional.to_dtype(pixels, torch.float32, scale=True)
            pixels, inside = self.augmentation.with_masks(grey, labels > 0)
            labels = torch.where(labels == NO_MASK, labels, inside)
        return network_input(pixels, self.how), Truth(self._kinds[indices].to(device), labels.long())

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``."""
        chosen = list(indices)
        part = copy.copy(self)
        part.samples = tuple(self.samples[i] for i in chosen)
        part._pixels, part._labels = self._pixels[chosen], self._labels[chosen]
        part._kinds = self._kinds[chosen]
        return part


def _read(sample: MaskedSample, how: Preprocessing) -> tuple[torch.Tensor, torch.Tensor]:
    """The image, uint8 [1, size, size], and its labels, int8 [size, size]: `NO_MASK` where there is no mask."""
    fit = v2.Compose([*fit_to_square(how), v2.PILToTensor()])
    image = open_grey(sample.path)
    if sample.mask is None:
        labels = torch.full((how.size, how.size), NO_MASK)
    else:
        labels = fitted_labels(sample.mask, image, MASK_VALUES, fit)
    return fit(image), labels.to(torch.int8)
