"""Labelled image files, and the data sets that training and prediction work on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from PIL import Image
from torch.utils.data import Dataset

from course_lib.data.image_file import open_grey
from course_lib.evaluation.predictions import Predictions
from course_lib.support.errors import DataError
from course_lib.support.identity import fingerprint
from course_lib.tasks.classification import Classification
from course_lib.tasks.task import P, Sample, Task


@dataclass(frozen=True)
class LabelledImage:
    """One image file, what it shows, and whose it is."""

    path: Path
    label: int  #: index into the class names; of two classes, 1 is the disease
    patient: str  #: the same for all images of one patient, and for no others

    @property
    def target(self) -> int:
        """The label."""
        return self.label


class ImageData(Protocol[P]):
    """Images in batches, each beside what is to be learned of it: what training and prediction work on.

    What makes inputs of the samples stands in attributes whose names do not begin with an underscore, as
    `preparation_of` explains.
    """

    @property
    def task(self) -> Task[P]:
        """What is to be learned."""

    @property
    def samples(self) -> Sequence[Sample]: ...

    @property
    def patients(self) -> list[str]: ...

    def __len__(self) -> int: ...

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, channels, *spatial] on the device."""

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, Any]:
        """The inputs, and the targets in the form that the task wants, on the device.

        A random change of an image goes through its target too, if that is a mask or boxes.
        """

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``."""


class LabelledData(ImageData[Predictions], Protocol):
    """Images of which each has one of several classes."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> list[int]: ...


class ImageDataset(Dataset[tuple[torch.Tensor, int]]):
    """The samples as a torch ``Dataset``: item i is (transform of the grey image, label).

    ``classes`` are the names of the labels. Items are read from disk each time they are asked for.

    Raises:
        DataError: there is no image, or a label is not the index of a class.
    """

    def __init__(
        self,
        samples: Sequence[LabelledImage],
        classes: Sequence[str],
        transform: Callable[[Image.Image], torch.Tensor],
    ) -> None:
        if not samples:
            raise DataError("A data set needs at least one image, got none.")
        self.samples = tuple(samples)
        self.task = Classification(tuple(classes))
        self.task.check_samples(self.samples)
        self._targets = torch.tensor([sample.label for sample in samples])
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        sample = self.samples[index]
        return self.transform(open_grey(sample.path)), sample.label

    @property
    def classes(self) -> tuple[str, ...]:
        return self.task.classes

    @property
    def labels(self) -> list[int]:
        return [sample.label for sample in self.samples]

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device."""
        return torch.stack([self[i][0] for i in indices.tolist()]).to(device)

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """`inputs`, and the labels of these images, int64 [images] on the device."""
        return self.inputs(indices, device), self._targets[indices].to(device)

    def take(self, indices: Iterable[int]) -> "ImageDataset":
        """The same kind of data with some of the images only, in the order of ``indices``."""
        return ImageDataset([self.samples[i] for i in indices], self.classes, self.transform)


def preparation_of(data: ImageData[P]) -> str:
    """The digest of how inputs are made of the samples, see `fingerprint`: another one, and the inputs are others.

    It counts the code that makes them (``inputs``, ``batch``, items) and all attributes apart from samples and task,
    such as the transform. An attribute whose name begins with an underscore does not count: it follows from the others,
    or is only a store.
    """
    code = {name: getattr(type(data), name, None) for name in ("inputs", "batch", "__getitem__")}
    names = (*getattr(data, "__dict__", ()), *getattr(type(data), "__slots__", ()))
    settings = {name: getattr(data, name, None) for name in names if not name.startswith("_")}
    return fingerprint(sorted((code | settings | {"samples": None, "task": None}).items()))
