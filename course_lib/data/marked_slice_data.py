"""Slices that several readers marked, kept in memory: what a network learns outlines from, and where to look."""

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_file import open_grey
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.data.outlines_and_boxes import fitted_labels
from course_lib.data.transforms import Preprocessing, fit_to_square, network_input
from course_lib.support.errors import DataError
from course_lib.support.runtime import progress
from course_lib.tasks.reader_outlines import Learned, ReaderOutlines

POINTER_WIDTH = 1 / 16  #: of the side: the standard deviation of the bright spot that says where to look


class MarkedSliceDataset:
    """Slices with the marks of all their readers, read and fitted once, and kept in memory; fits `ImageData`.

    Args:
        samples: the slices; neighbours are looked for among all of them.
        how: each slice becomes one channel, so its means must be alike, and its deviations.
        learn: see `ReaderOutlines`.
        crop: side in px of the file: only the middle is kept, before it becomes ``how.size`` px wide. What the readers
            marked outside is neither learned nor judged.
        neighbours: so many slices before and after come along as channels, in the order of their positions. Where
            there is none, the last one is repeated.
        pointer: the last channel is a bright spot in the middle, as if it were a slice: look here. A change moves it.
        change: changes the slices of an image and all marks alike, anew each time.
        mirror: each image is first mirrored or turned by quarters, at random in one of the eight ways: no way is up
            in a nodule.

    Raises:
        DataError: there is no slice, the readers are not as many in each, a file can not be read, a mask does not fit
            its image, two slices of a nodule have one position, or the crop is larger than an image.
        ValueError: ``how`` or a number can not be.
    """

    def __init__(
        self,
        samples: Sequence[MarkedSlice],
        how: Preprocessing,
        *,
        learn: Learned = "votes",
        crop: int | None = None,
        neighbours: int = 0,
        pointer: bool = False,
        change: Augmentation | None = None,
        mirror: bool = False,
    ) -> None:
        if not samples:
            raise DataError("A data set needs at least one slice, got none.")
        _check(how, crop, neighbours)
        self.task = ReaderOutlines(learn)
        self.task.check_samples(samples)
        self.samples: tuple[MarkedSlice, ...] = tuple(samples)
        self.how, self.crop, self.neighbours, self.pointer = how, crop, neighbours, pointer
        self.change, self.mirror = change, mirror
        self._places = _with_neighbours(samples, neighbours)  # int64 [samples, slices], rows of the two below
        cut = [v2.CenterCrop(crop)] if crop else []
        fit = v2.Compose([*cut, *fit_to_square(how), v2.PILToTensor()])
        read = [_read(sample, fit, crop) for sample in progress(samples, "Reading the slices", "slice")]
        self._pixels = torch.stack([pixels for pixels, _ in read])  # uint8 [all slices, size, size]
        self._marks = torch.stack([marks for _, marks in read])  # uint8 [all slices, readers, size, size]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, channels, size, size] on the device."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """`inputs`, and the marks of the middle slice, uint8 [images, readers, size, size], on the device."""
        places = self._places[indices]
        pixels = self._pixels[places].to(device)
        marks = self._marks[places[:, self.neighbours]].to(device)
        if self.pointer:
            pixels = torch.cat([pixels, _spot(self.how.size).to(device).expand(len(pixels), 1, -1, -1)], dim=1)
        if self.mirror:
            pixels, marks = _one_of_eight_ways(pixels, marks)
        pixels, marks = self._changed(pixels, marks)
        seen = network_input(pixels.flatten(0, 1)[:, None], self.how)[:, :1].view(pixels.shape)
        return seen, marks

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``, from the same memory.

        Their neighbours stay what they were, whether they are taken or not.
        """
        chosen = list(indices)
        part = copy.copy(self)
        part.samples = tuple(self.samples[i] for i in chosen)
        part._places = self._places[chosen]
        return part

    def _changed(self, pixels: torch.Tensor, marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All channels and all marks of each image, changed alike."""
        if self.change is None:
            return pixels, marks
        grey = image_functional.to_dtype(pixels, torch.float32, scale=True)
        changed, moved = self.change.with_masks(grey, marks > 0)
        return changed, moved.to(torch.uint8)


def _read(sample: MarkedSlice, fit: v2.Compose, crop: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The slice, uint8 [size, size], and the marks of its readers, uint8 [readers, size, size]."""
    image = open_grey(sample.path)
    if crop and crop > min(image.size):
        raise DataError(
            f"{sample.path} has {image.width} x {image.height} pixels, so that no crop of {crop} x {crop} px fits into "
            "it. Choose a smaller crop."
        )
    marks = [fitted_labels(mask, image, MASK_VALUES, fit) for mask in sample.masks]
    return fit(image)[0], torch.stack(marks).to(torch.uint8)


def _with_neighbours(samples: Sequence[MarkedSlice], neighbours: int) -> torch.Tensor:
    """The number of each sample, in the middle, and of the slices before and after: int64 [samples, slices]."""
    of_nodule: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for number, sample in enumerate(samples):
        there = of_nodule[sample.nodule]
        if sample.position in there:
            raise DataError(
                f"{sample.path} and {samples[there[sample.position]].path} are both slice {sample.position} of nodule "
                f"{sample.nodule}. Give each slice once."
            )
        there[sample.position] = number
    rows = []
    for number, sample in enumerate(samples):
        row = [number]
        for step in (-1, 1):
            for distance in range(1, neighbours + 1):
                last = row[0] if step < 0 else row[-1]
                found = of_nodule[sample.nodule].get(sample.position + step * distance, last)
                row = [found, *row] if step < 0 else [*row, found]
        rows.append(row)
    return torch.tensor(rows)


def _spot(size: int) -> torch.Tensor:
    """White in the middle, black away from it: uint8 [size, size]."""
    away = (torch.arange(size) - (size - 1) / 2) / (POINTER_WIDTH * size)
    along = torch.exp(-(away**2) / 2)
    return (255 * along[:, None] * along).round().to(torch.uint8)


def _one_of_eight_ways(pixels: torch.Tensor, marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both, mirrored up and down, left and right, and along the diagonal, each for every other image, at random."""
    draw = (torch.rand(3, len(pixels)) < 0.5).to(pixels.device)
    down, across, swapped = draw[:, :, None, None, None]  # each [images, 1, 1, 1]
    pairs = []
    for images in (pixels, marks):
        turned = torch.where(down, images.flip(2), images)
        turned = torch.where(across, turned.flip(3), turned)
        pairs.append(torch.where(swapped, turned.transpose(2, 3), turned))
    return pairs[0], pairs[1]


def _check(how: Preprocessing, crop: int | None, neighbours: int) -> None:
    if len(set(how.mean)) > 1 or len(set(how.std)) > 1:
        raise ValueError(f"Each slice is one channel and needs one mean and one std; got {how.mean} and {how.std}.")
    if neighbours < 0 or (crop is not None and crop < 1):
        raise ValueError(f"Expected neighbours of 0 or more, and a crop of 1 px or more; got {neighbours} and {crop}.")
