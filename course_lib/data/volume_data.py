"""Volumes whose target is a label map, prepared once and kept in memory: what a 3-D network learns from."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import torch
import torchio

from course_lib.data.volume_folder import OutlinedVolume
from course_lib.data.volumes import read_label_map, read_volume
from course_lib.support.errors import DataError
from course_lib.support.runtime import progress
from course_lib.tasks.segmentation import Segmentation

PATCH_MULTIPLE = 8  #: of the sides that an error proposes: three times halved, as a U-Net does


class VolumeDataset:
    """Volumes and their label maps, read and prepared once, and kept in memory; fits `ImageData`.

    ``labels`` are the names of the values in the label maps, the background's first. ``preparation`` is a transform of
    torchio that makes all volumes alike in orientation, spacing, shape and range of values. ``change`` is another one,
    for training: a volume and its label map go through it together, anew each time, with torch's random numbers. Both
    see a subject with the images ``image`` and ``labels``.

    The ``samples`` of the data set have the spacing after preparation, in which predictions are measured.

    Raises:
        DataError: a file can not be read, see `read_volume` and `read_label_map`; the volumes differ in shape after
            preparation; or it has cut off or lost a part of a labelled structure, which no score would show.
    """

    def __init__(
        self,
        samples: Sequence[OutlinedVolume],
        labels: Sequence[str],
        preparation: torchio.Transform,
        change: torchio.Transform | None = None,
    ) -> None:
        if not samples:
            raise DataError("A data set needs at least one volume, got none.")
        self.task = Segmentation(tuple(labels))
        self.preparation, self.change = preparation, change
        self._subjects = [self._prepared(sample) for sample in progress(samples, "Reading the volumes", "volume")]
        _check_shapes(samples, self._subjects)
        self.samples = tuple(
            replace(sample, spacing=subject.spacing) for sample, subject in zip(samples, self._subjects, strict=True)
        )

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these volumes: float32 [volumes, 1, i, j, k] on the device."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """`inputs`, and the label of each voxel, int64 [volumes, i, j, k] on the device."""
        subjects = [self.subject(i) for i in indices.tolist()]
        if self.change is not None:
            subjects = [self.change(subject) for subject in subjects]
        images = torch.stack([subject.get_image("image").data for subject in subjects])
        labels = torch.stack([subject.get_image("labels").data[0] for subject in subjects])
        return images.float().to(device), labels.to(device).long()

    def subject(self, index: int) -> torchio.Subject:
        """A copy of one volume after preparation, and before any change: the images ``image`` and ``labels``."""
        return copy.deepcopy(self._subjects[index])

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the volumes only, in the order of ``indices``, from the same memory."""
        chosen = list(indices)
        part = copy.copy(self)
        part.samples = tuple(self.samples[i] for i in chosen)
        part._subjects = [self._subjects[i] for i in chosen]
        return part

    def _prepared(self, sample: OutlinedVolume) -> torchio.Subject:
        image = read_volume(sample.path)
        labels = read_label_map(sample.mask, image, self.task.labels)
        try:
            subject = self.preparation(torchio.Subject(image=image, labels=labels))
        except Exception as error:
            error.add_note(f"This happened while {sample.path.name} was prepared.")
            raise
        if not subject.get_image("image").data.isfinite().all():
            raise DataError(
                f"{sample.path.name} has voxels that are NaN or infinite after preparation, but not before. Look at "
                "what the preparation divides by: a volume of one single value has no spread."
            )
        subject.get_image("image").set_data(subject.get_image("image").data.float())
        subject.get_image("labels").set_data(subject.get_image("labels").data.to(torch.uint8))
        _check_nothing_lost(sample, labels, subject.get_image("labels"), self.task.labels)
        return subject


def _check_nothing_lost(
    sample: OutlinedVolume, before: torchio.Image, after: torchio.Image, labels: Sequence[str]
) -> None:
    """Do nothing if every labelled voxel of the file lies within the prepared grid, and no structure has vanished."""
    voxels = before.data[0].numpy()
    inside = np.argwhere(voxels > 0)
    to_prepared = np.linalg.inv(after.affine) @ before.affine
    places = inside @ to_prepared[:3, :3].T + to_prepared[:3, 3]
    cut = int(np.any((places < -0.5) | (places > np.array(after.spatial_shape) - 0.5), axis=1).sum())
    if cut:
        raise DataError(
            f"The preparation cuts off {cut:,} of {len(inside):,} labelled voxels of {sample.mask.name}; a score would "
            "not count them. Let CropOrPad keep more of the volume."
        )
    lost = sorted(set(np.unique(voxels).tolist()) - set(np.unique(after.numpy()).tolist()) - {0})
    if lost:
        raise DataError(
            f"After preparation nothing is left of {', '.join(labels[label] for label in lost)} in {sample.mask.name}. "
            "It is smaller than a voxel of the prepared grid: resample to a finer one."
        )


def _check_shapes(samples: Sequence[OutlinedVolume], subjects: Sequence[torchio.Subject]) -> None:
    shapes = np.array([subject.spatial_shape for subject in subjects])  # [volumes, 3]
    if (shapes == shapes[0]).all():
        return
    other = int((shapes != shapes[0]).any(axis=1).argmax())
    large = tuple(int(-(-side // PATCH_MULTIPLE) * PATCH_MULTIPLE) for side in shapes.max(axis=0))
    shown = [" x ".join(map(str, shapes[i])) for i in (0, other)]
    raise DataError(
        f"All volumes must have one shape after preparation, to lie in one batch, but {samples[0].path.name} has "
        f"{shown[0]} voxels and {samples[other].path.name} {shown[1]}. Let the preparation end with "
        f"torchio.CropOrPad({large}), in which the largest of them has room."
    )
