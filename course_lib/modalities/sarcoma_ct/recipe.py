"""How a sarcoma is outlined within its box: the frozen recipe, and what grey values alone say.

With so few patients there is no test part: each patient is outlined by a network that learned from the others, and a
choice that was made by looking at the result flatters it. Here twice one patient, STS_042, was outlined before the
recipe was frozen, to see what a training costs; sides of 32 voxels and 30 epochs are what fits into some minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torchio
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from course_lib.data.label_resampling import OneHotResample
from course_lib.data.volume_data import VolumeDataset
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions, dice, per_image
from course_lib.evaluation.surfaces import hausdorff_distance
from course_lib.modalities.sarcoma_ct.reader import LABELS
from course_lib.networks.unet import UNet
from course_lib.support.errors import DataError
from course_lib.support.runtime import seeded
from course_lib.training.config import TrainConfig

WINDOW_HU = (-150.0, 250.0)  #: the usual window of soft tissue: middle 50, width 400
SOFT_TISSUE_HU = (0.0, 100.0)  #: muscle, tumour and blood lie there, fat below and bone above
SHAPE = (32, 32, 32)  #: voxels of a prepared volume
FRAME = 4 / 3  #: sides of a prepared volume, in those of the box around the tumour

MaskMetric = Callable[..., float]
METRICS: Mapping[str, MaskMetric] = {
    "Dice": lambda found, true, _: dice(found, true),
    "95 % Hausdorff distance in mm": hausdorff_distance,
}


class FrameBox(torchio.SpatialTransform):
    """Cut out the box around the outlined tumour, with a margin, and bring it to one shape: what someone marks who
    draws a box by hand, from the first to the last slice.

    The new sides are `FRAME` times those of the box, along the axes of the volume. What lies beyond the volume is 0.

    Raises:
        DataError: nothing is outlined, when a subject goes through it.
    """

    def apply_transform(self, subject: torchio.Subject) -> torchio.Subject:
        labels = subject.get_image("labels")
        inside = np.argwhere(labels.numpy()[0])
        if not len(inside):
            raise DataError("The mask outlines nothing, so that there is no box. Leave the patient out.")
        first, last = inside.min(axis=0), inside.max(axis=0)
        step = (last - first + 1) * FRAME / SHAPE  # voxels of the file, from voxel to voxel of the frame
        affine = labels.affine @ np.diag([*step, 1])
        corner = (first + last) / 2 - step * (np.array(SHAPE) - 1) / 2
        affine[:3, 3] = (labels.affine @ [*corner, 1])[:3]
        framed: torchio.Subject = OneHotResample((SHAPE, affine), antialias=True)(subject)
        return framed


#: Greys from 0 to 1 over the window, so that what lies beyond a volume counts as air; then the frame.
PREPARATION = torchio.Compose(
    [
        torchio.ToCanonical(),
        torchio.Clamp(*WINDOW_HU),
        torchio.RescaleIntensity((0, 1), in_min_max=WINDOW_HU),
        FrameBox(),
    ]
)

#: Another tumour, and a box that is drawn less exactly. A tumour has no side, so that mirrors are allowed.
CHANGES = torchio.Compose(
    [
        torchio.RandomFlip(axes=(0, 1, 2)),
        torchio.RandomAffine(scales=0.15, degrees=15, translation=5, default_pad_value=0),
        torchio.RandomNoise(std=(0, 0.05), p=0.5),
    ]
)

#: Under a minute a network on one core.
CONFIG = TrainConfig(
    epochs=30,
    learning_rate=2e-3,
    batch_size=1,
    weight_decay=0.01,
    schedule="one-cycle",
    gradient_clip=1.0,
    mixed_precision="auto",
    keep="last",
)


@dataclass(frozen=True)
class Sarcomas:
    """A tumour outlined within its box by a U-Net that learned from other patients."""

    config: TrainConfig = CONFIG
    folds: int = 11  #: of the patients, each in one of them; as many networks are trained
    width: int = 16
    depth: int = 3

    def data(self, samples: Sequence[OutlinedVolume], *, changed: bool = False) -> VolumeDataset:
        """The framed volumes; changed at random, if they are to be learned from.

        Raises:
            DataError: a file can not be read, or nothing is outlined in it.
        """
        return VolumeDataset(samples, LABELS, PREPARATION, CHANGES if changed else None)

    def new_network(self, seed: int) -> nn.Module:
        """The U-Net before training."""
        with seeded(seed):
            return UNet(len(LABELS), dimensions=3, depth=self.depth, width=self.width)


def soft_tissue(data: VolumeDataset) -> tuple[NDArray[np.uint8], ...]:
    """What grey values alone say of each volume: the largest connected part of the box that has those of soft tissue.

    Gives 0 and 1, [volumes] of [i, j, k].
    """
    return tuple(_largest_part(data.subject(number).get_image("image").numpy()[0]) for number in range(len(data)))


def _largest_part(greys: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = ((hu - WINDOW_HU[0]) / (WINDOW_HU[1] - WINDOW_HU[0]) for hu in SOFT_TISSUE_HU)
    tissue = (greys >= low) & (greys <= high) & _within_the_box(greys.shape)
    parts, number = ndimage.label(tissue)
    if not number:
        return np.zeros(greys.shape, np.uint8)
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return np.asarray(parts == largest, np.uint8)


def _within_the_box(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which voxels of a frame lie in the box that was drawn."""
    sides = [np.abs(np.arange(side) - (side - 1) / 2) <= side / FRAME / 2 for side in shape]
    within: NDArray[np.bool_] = np.logical_and.reduce(np.meshgrid(*sides, indexing="ij"))
    return within


def scored(predictions: SegmentationPredictions) -> ImageScores:
    """Each of `METRICS` of each volume, measured once."""
    measured = [per_image(predictions, metric).values for metric in METRICS.values()]
    return ImageScores(np.concatenate(measured, axis=1), tuple(METRICS), predictions.patients, predictions.files)
