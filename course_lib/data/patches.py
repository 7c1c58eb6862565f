"""Patches that are cut out of images or volumes anew each time, a given part of them around a structure."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Literal, Self

import torch

from course_lib.data.samples import ImageData, preparation_of
from course_lib.support.errors import DataError
from course_lib.tasks.task import P, Sample, Task

Beyond = Literal["edge", "zeros"]


class PatchDataset(Generic[P]):
    """A patch of each image of another data set, at a place that torch's random numbers choose; fits `ImageData`.

    Args:
        data: images whose targets are label maps or marks, [images, ..., *spatial] with the axes of the images at last.
            They may differ in size. What ``data`` changes at random is changed before the patch is cut.
        patch: sides in pixels or voxels, one for each axis.
        with_structure: part of the patches, 0 to 1, that lie around a voxel of a structure: one of the labels of that
            image is drawn, then one of its voxels, and the patch lies around it, as far as the image reaches. The
            others lie anywhere, and so do all patches of an image without a structure.
        repeats: so many patches of each image are one epoch.
        beyond: what stands where a patch is larger than the image, which then lies in its middle: ``"edge"`` repeats
            the last values of image and target, ``"zeros"`` is 0 in both.

    Raises:
        DataError: there is no image; or, once a patch is cut, the images have not as many axes as the patch.
        ValueError: one of the numbers can not be.
    """

    def __init__(
        self,
        data: ImageData[P],
        patch: Sequence[int],
        with_structure: float = 0.5,
        *,
        repeats: int = 1,
        beyond: Beyond = "edge",
    ) -> None:
        if not len(data):
            raise DataError("Patches need at least one image to be cut from, got none.")
        _check(patch, with_structure, repeats, beyond)
        self.patch, self.with_structure, self.beyond = tuple(patch), with_structure, beyond
        self.preparation = preparation_of(data)  # of the images that patches are cut from
        self._data, self._rows = data, list(range(len(data))) * repeats

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def task(self) -> Task[P]:
        """What is to be learned."""
        return self._data.task

    @property
    def samples(self) -> tuple[Sample, ...]:
        return tuple(self._data.samples[row] for row in self._rows)

    @property
    def patients(self) -> list[str]:
        everyone = self._data.patients
        return [everyone[row] for row in self._rows]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these patches: float32 [patches, channels, *patch] on the device."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, Any]:
        """`inputs`, and what the targets are there, on the device."""
        pairs = [self._cut(self._rows[i], device) for i in indices.tolist()]
        return torch.cat([image for image, _ in pairs]), torch.cat([target for _, target in pairs])

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of patches, of some of the images only, in the order of ``indices``."""
        part = copy.copy(self)
        part._rows = [self._rows[i] for i in indices]
        return part

    def _cut(self, row: int, device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
        """One patch, [1, channels, *patch], and its target, [1, ..., *patch]."""
        image, target = self._data.batch(torch.tensor([row]), device)
        space = tuple(image.shape[2:])
        if len(space) != len(self.patch) or tuple(target.shape[-len(space) :]) != space:
            raise DataError(
                f"A patch of {_shown(self.patch)} can not be cut from {self._data.samples[row].path.name}: the image "
                f"has the shape {list(image.shape[1:])}, its target {list(target.shape[1:])}. Expected "
                f"{len(self.patch)} axes in space, the same of both."
            )
        start = self._start(target)
        return tuple(_cut_out(each, start, self.patch, self.beyond) for each in (image, target))  # type: ignore[return-value]

    def _start(self, target: torch.Tensor) -> list[int]:
        """Where the patch begins along each axis; negative where it is larger than the image."""
        space = target.shape[-len(self.patch) :]
        around = _voxel_of_structure(target, len(space)) if torch.rand(()) < self.with_structure else None
        start = []
        for axis, (side, wanted) in enumerate(zip(space, self.patch, strict=True)):
            if wanted >= side:
                start.append(-((wanted - side) // 2))
            elif around is None:
                start.append(int(torch.randint(side - wanted + 1, ())))
            else:
                start.append(min(max(around[axis] - wanted // 2, 0), side - wanted))
        return start


def _voxel_of_structure(target: torch.Tensor, axes: int) -> list[int] | None:
    """One of the voxels of one of the labels above 0, all labels with the same chance; None where there is none."""
    marked = target.reshape(-1, *target.shape[-axes:])  # [readers, *spatial], or a single label map
    labels = marked[marked > 0].unique()  # type: ignore[no-untyped-call]
    if not len(labels):
        return None
    label = labels[torch.randint(len(labels), ())]
    voxels = (marked == label).any(dim=0).nonzero()
    place: list[int] = voxels[torch.randint(len(voxels), ())].tolist()
    return place


def _cut_out(values: torch.Tensor, start: Sequence[int], sides: Sequence[int], beyond: Beyond) -> torch.Tensor:
    """The last axes of the values from ``start`` on, as long as ``sides``."""
    first = values.ndim - len(sides)
    for axis, (begin, length) in enumerate(zip(start, sides, strict=True), start=first):
        wanted = torch.arange(begin, begin + length, device=values.device)
        inside = wanted.clamp(0, values.shape[axis] - 1)
        values = values.index_select(axis, inside)
        if beyond == "zeros" and (outside := wanted != inside).any():
            values = values.index_fill(axis, outside.nonzero()[:, 0], 0)
    return values


def _shown(sides: Sequence[int]) -> str:
    return " x ".join(map(str, sides))


def _check(patch: Sequence[int], with_structure: float, repeats: int, beyond: str) -> None:
    rules = {
        "patch needs two or three sides of 1 or more": len(patch) in (2, 3) and min(patch) >= 1,
        "with_structure must be from 0 to 1": 0 <= with_structure <= 1,
        "repeats must be at least 1": repeats >= 1,
        "beyond must be 'edge' or 'zeros'": beyond in ("edge", "zeros"),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError(
            f"{'; '.join(broken)}. Got patch={tuple(patch)}, with_structure={with_structure}, repeats={repeats}, "
            f"beyond={beyond!r}."
        )
