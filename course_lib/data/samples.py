"""Labelled image files, and the data sets that training and prediction work on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import torch
from PIL import Image
from torch.utils.data import Dataset

from course_lib.data.image_file import open_grey
from course_lib.support.errors import DataError


@dataclass(frozen=True)
class Radiograph:
    """One image file, what it shows, and whose it is."""

    path: Path
    label: int  #: index into the class names, which are in alphabetical order
    patient: str  #: the same for all images of one patient, and for no others


class ImageData(Protocol):
    """Labelled radiographs that can be asked for in batches: what training and prediction work on."""

    radiographs: tuple[Radiograph, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int: ...

    @property
    def labels(self) -> list[int]: ...

    @property
    def patients(self) -> list[str]: ...

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device."""

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``."""


class RadiographDataset(Dataset[tuple[torch.Tensor, int]]):
    """The radiographs as a torch ``Dataset``: item i is (transform of the grey image, label).

    ``classes`` are the names of the labels. Items are read from disk each time they are asked for.
    """

    def __init__(
        self,
        radiographs: Sequence[Radiograph],
        classes: Sequence[str],
        transform: Callable[[Image.Image], torch.Tensor],
    ) -> None:
        if not radiographs:
            raise DataError("A data set needs at least one image, got none.")
        if max(r.label for r in radiographs) >= len(classes):
            raise DataError(
                f"Labels go up to {max(r.label for r in radiographs)}, but there are only the classes {classes}."
            )
        self.radiographs = tuple(radiographs)
        self.classes = tuple(classes)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.radiographs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        radiograph = self.radiographs[index]
        return self.transform(open_grey(radiograph.path)), radiograph.label

    @property
    def labels(self) -> list[int]:
        return [radiograph.label for radiograph in self.radiographs]

    @property
    def patients(self) -> list[str]:
        return [radiograph.patient for radiograph in self.radiographs]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device."""
        return torch.stack([self[i][0] for i in indices.tolist()]).to(device)

    def take(self, indices: Iterable[int]) -> "RadiographDataset":
        """The same kind of data with some of the images only, in the order of ``indices``."""
        return RadiographDataset([self.radiographs[i] for i in indices], self.classes, self.transform)
