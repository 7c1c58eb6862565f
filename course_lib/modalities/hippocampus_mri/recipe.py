"""How the hippocampus is outlined: the frozen recipes, with real outlines or those of phantoms, and what measures them.

Everything here was chosen on training patients of the real set, by the Dice of some of them who were kept out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torchio
from numpy.typing import NDArray
from torch import nn

from course_lib.data.image_folder import recognise_card
from course_lib.data.splits import split_by_patient
from course_lib.data.volume_data import VolumeDataset
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions, dice, per_image
from course_lib.evaluation.surfaces import hausdorff_distance, surface_dice
from course_lib.modalities.hippocampus_mri.modality import SIMULATED_SET
from course_lib.modalities.hippocampus_mri.phantoms import Settings, make_dataset
from course_lib.modalities.hippocampus_mri.reader import LABELS, read_part
from course_lib.networks.unet import UNet
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig

PHANTOMS = Settings({"train": 300, "test": 40}, seed=7, randomise=0.3)
PHANTOM_FOLDER = COURSE_ROOT / "build" / "measure" / "hippocampus_mri-phantoms"
VALIDATION_FRACTION = 1 / 8  #: of the training patients choose the best epoch
SHAPE = (40, 56, 40)  #: voxels: a few more than the whole hippocampus of any of them needs, 29 x 48 x 35
TOLERANCE_MM = 1.0  #: of the surface Dice: a voxel

#: Greys with mean 0 and spread 1, since files have no scale in common; then a box of one shape, filled up with what is
#: at the border. Of large volumes it cuts off a rim; if that held a part of the hippocampus, `VolumeDataset` says so.
PREPARATION = torchio.Compose(
    [
        torchio.ToCanonical(),
        torchio.Resample(1),
        torchio.ZNormalization(),
        torchio.CropOrPad(SHAPE, padding_mode="edge"),
    ]
)

#: What another head, another position and another scanner may do. No mirror: all hippocampi lie as a left one does. And
#: gently: with more of it, and half of the volumes blurred by a turn, the outlines learned are less exact.
CHANGES = torchio.Compose(
    [
        torchio.RandomAffine(scales=0.1, degrees=10, translation=2, default_pad_value=0, p=0.5),
        torchio.RandomBiasField(0.2, p=0.3),
        torchio.RandomGamma(0.3, p=0.5),
        torchio.RandomNoise(std=(0, 0.05), p=0.5),
    ]
)

#: A quarter of an hour on one core with a hundred volumes, and under ten minutes on two.
CONFIG = TrainConfig(
    epochs=40,
    learning_rate=2e-3,
    batch_size=1,
    weight_decay=0.01,
    schedule="one-cycle",
    gradient_clip=1.0,
    mixed_precision="auto",
)

MaskMetric = Callable[..., float]
METRICS: Mapping[str, MaskMetric] = {
    "Dice": lambda found, true, _: dice(found, true),
    "surface Dice at 1 mm": partial(surface_dice, tolerance_mm=TOLERANCE_MM),
    "95 % Hausdorff distance in mm": hausdorff_distance,
}


@dataclass(frozen=True)
class Hippocampi:
    """The two parts of the hippocampus outlined by a U-Net; satisfies `training.recipe.Experiment`."""

    preparation: torchio.Transform
    change: torchio.Transform
    config: TrainConfig
    width: int = 16
    depth: int = 3
    networks: int = 1
    phantoms: Settings | None = None  #: what it learns from; None: the training patients of the folder

    def training_data(self, folder: Path) -> tuple[VolumeDataset, VolumeDataset]:
        """What is learned from, and what chooses the epoch: of the folder, or made now.

        Raises:
            DataError: the folder is not in the layout, or a volume can not be read.
            PhantomError: there are other phantoms in the place of these.
        """
        if self.phantoms:
            root, card = make_dataset(PHANTOM_FOLDER, self.phantoms), load_card(SIMULATED_SET)
            (learned, _), (held_out, _) = (read_part(root, part, card) for part in ("train", "test"))
        else:
            learned, held_out = split_by_patient(
                read_part(folder, "train", recognise_card(folder))[0], VALIDATION_FRACTION
            )
        return VolumeDataset(learned, LABELS, self.preparation, self.change), self._judged(held_out)

    def test_data(self, folder: Path) -> VolumeDataset:
        """The test part of the folder, as it is.

        Raises:
            DataError: the folder is not in the layout, or a volume can not be read.
        """
        return self._judged(read_part(folder, "test", recognise_card(folder))[0])

    def new_network(self, seed: int) -> nn.Module:
        """The U-Net before training."""
        with seeded(seed):
            return UNet(len(LABELS), dimensions=3, depth=self.depth, width=self.width)

    def scored(self, predictions: SegmentationPredictions) -> ImageScores:
        """Each of `METRICS` of each part in each volume, measured once."""
        measured = {name: per_image(predictions, metric) for name, metric in METRICS.items()}
        names = tuple(f"{name}, {label}" for name, scores in measured.items() for label in scores.labels)
        values = np.concatenate([scores.values for scores in measured.values()], axis=1)
        return ImageScores(values, names, predictions.patients, predictions.files)

    def figures(self, validation: ImageScores) -> Mapping[str, Callable[[ImageScores], float]]:
        """The mean Dice of both parts, and each metric of each; nothing has to be chosen on validation patients."""
        both = tuple(name for name in validation.labels if name.startswith("Dice"))
        each = {name: partial(ImageScores.mean, label=name) for name in validation.labels}
        return {"Dice": lambda scores: float(np.mean([scores.mean(name) for name in both])), **each}

    def together(self, several: Sequence[SegmentationPredictions]) -> SegmentationPredictions:
        """The label that most networks give a voxel; where as many say something else, what the first one says."""
        voted = tuple(_vote(maps) for maps in zip(*(said.predicted for said in several), strict=True))
        return replace(several[0], predicted=voted, losses=np.mean([said.losses for said in several], axis=0))

    def _judged(self, volumes: Sequence[OutlinedVolume]) -> VolumeDataset:
        return VolumeDataset(volumes, LABELS, self.preparation)


ON_REAL_IMAGES = Hippocampi(PREPARATION, CHANGES, CONFIG)
ON_PHANTOMS = replace(ON_REAL_IMAGES, phantoms=PHANTOMS, config=replace(CONFIG, epochs=12))  # of three times as many


def _vote(maps: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    votes = np.stack([sum((said == label).astype(np.float32) for said in maps) for label in range(len(LABELS))])
    first = np.arange(len(LABELS)).reshape(-1, *[1] * maps[0].ndim) == maps[0]
    most: NDArray[np.uint8] = np.argmax(votes + first / 2, axis=0).astype(np.uint8)
    return most
