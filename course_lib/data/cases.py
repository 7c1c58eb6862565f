"""Outlined images as plain arrays, one at a time: what a plan is made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.outlines_and_boxes import OutlinedImage
from course_lib.evaluation.readers import majority


@dataclass(frozen=True)
class Case:
    """One image or volume and its label map, before any preparation."""

    image: NDArray[Any]  #: [*spatial], or [channels, *spatial]
    labels: NDArray[Any]  #: whole numbers [*spatial]: the index of each voxel's label, 0 for the background
    spacing_mm: tuple[float, ...] | None  #: from voxel to voxel along each axis; None where the file has lost it
    patient: str
    name: str = "a case"  #: for messages
    readers: int = 1  #: who marked it; of several, the labels are what most of them say


def cases_of_marked_slices(samples: Sequence[MarkedSlice]) -> Iterator[Case]:
    """The slices as they are in their files, each with what the majority of its readers marked as label 1.

    Raises:
        DataError: a file can not be read.
    """
    for sample in samples:
        marks = np.stack([np.asarray(open_mask(path)) > 0 for path in sample.masks]).astype(np.uint8)
        image, agreed = np.asarray(open_grey(sample.path)), majority(marks).astype(np.uint8)
        yield Case(image, agreed, None, sample.patient, f"{sample.nodule}/{sample.path.name}", len(marks))


def cases_of_outlined_images(samples: Sequence[OutlinedImage], values: Sequence[int]) -> Iterator[Case]:
    """The images as they are in their files; ``values`` are the greys that stand for the labels in the masks.

    A grey that stands for none becomes a label beyond them, which a fingerprint refuses.

    Raises:
        DataError: a file can not be read.
    """
    for sample in samples:
        mask = np.asarray(open_mask(sample.mask))
        labels = np.full(mask.shape, len(values), np.uint16)
        for label, value in enumerate(values):
            labels[mask == value] = label
        yield Case(np.asarray(open_grey(sample.path)), labels, sample.spacing, sample.patient, sample.path.name)
