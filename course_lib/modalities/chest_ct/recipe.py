"""How lung nodules are outlined: the frozen recipes, with the marks of four readers, and what measures them.

Everything here was chosen on training patients of the real set, by the Dice of some of them who were kept out, and
looked at once more on others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import recognise_card
from course_lib.data.marked_slice_data import MarkedSliceDataset
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.readers import (
    AS_LIKELY_AS_NOT,
    ReaderPredictions,
    against_the_others,
    majority_dice,
    reader_dice,
)
from course_lib.evaluation.segmentation import ImageScores
from course_lib.modalities.chest_ct.modality import SIMULATED_SET
from course_lib.modalities.chest_ct.phantoms import Settings, make_dataset
from course_lib.modalities.chest_ct.reader import read_part
from course_lib.networks.backbones import Weights
from course_lib.networks.lite_unet import LiteUNet
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.tasks.reader_outlines import Learned
from course_lib.training.config import TrainConfig
from course_lib.training.recipe import FROM_SCRATCH, Recipe

PHANTOMS = Settings({"train": 300, "test": 40}, seed=7)
PHANTOM_FOLDER = COURSE_ROOT / "build" / "measure" / "chest_ct-phantoms"
LOOKED_AT = 16  #: every so many of the training slices show how the training goes
CROP = 64  #: px around the middle, where the nodule is; beyond it lie others that these readers' marks leave out
ENLARGE = 2  #: times, within the network, since many nodules are small
NEIGHBOURS = 1  #: slices before and after, which say where a vessel goes on and a nodule does not
LEARN: Learned = "sharp votes"

THRESHOLD = 0.3  #: above this probability a pixel belongs to the nodule
HALF_OF_READERS, ALL_READERS = 2, 4  #: who marked something in a slice

#: What another patient and another scanner may do; mirrored and turned by quarters beforehand, so that a nodule lies in
#: any direction. No compression: these crops were never photographs.
CHANGES = Augmentation(
    rotation=45, shift=0.03, scale=0.2, aspect=0.08, shear=0, blur=0.0, noise=0.03, gamma=0.3, contrast=0.2,
    brightness=0.05, jpeg=0,
)  # fmt: skip

#: All training patients are learned from and the last epoch is kept, so that no one has to be held out of few.
CONFIG = replace(
    FROM_SCRATCH,
    epochs=8,
    learning_rate=5e-3,
    batch_size=16,
    label_smoothing=0.0,
    mixed_precision="auto",
    stage_factor=0.6,
    keep="last",
)

#: Each is a mean over slices, so that a nodule of many slices counts more than one of few, and is measured within the
#: middle `CROP` px: what model or readers marked beyond is left out.
AT_LEAST_TWO = "Dice against the majority, at least two readers"
ALL_FOUR = "Dice against the majority, four readers"
OF_READERS = "Dice of two readers who both marked"
MODEL = "Dice against the majority of the others"
READERS = "a reader's Dice against the majority of the others"
DIFFERENCE = "difference of these two"
FIGURES = (AT_LEAST_TWO, ALL_FOUR, OF_READERS, MODEL, READERS, DIFFERENCE)


def at_size(px: int, config: TrainConfig) -> Recipe:
    """The recipe for slices that become this side in px, each with greys of mean 0 and spread 1."""
    return Recipe(Preprocessing(px, "pad", normalisation="per image"), CHANGES.at_size(px), config)


@dataclass(frozen=True)
class LungNodules:
    """Nodules outlined as most of four readers would; satisfies `training.recipe.Experiment`."""

    recipe: Recipe
    weights: Weights | None = "imagenet"  #: what the encoder begins with
    networks: int = 3
    threshold: float = THRESHOLD
    phantoms: Settings | None = None  #: what it learns from; None: the training patients of the folder

    @property
    def config(self) -> TrainConfig:
        """How the networks are trained."""
        return self.recipe.config

    def training_data(self, folder: Path) -> tuple[MarkedSliceDataset, MarkedSliceDataset]:
        """What is learned from, and what shows how that goes: some of the same slices, or other phantoms.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
            PhantomError: there are other phantoms in the place of these.
        """
        if self.phantoms:
            root, card = make_dataset(PHANTOM_FOLDER, self.phantoms), load_card(SIMULATED_SET)
            (learned, _), (shown, _) = (read_part(root, part, card) for part in ("train", "test"))
            return self._changed(learned), self._as_it_is(shown)
        learned, _ = read_part(folder, "train", recognise_card(folder))
        everything = self._as_it_is(learned)
        return self._changed(learned), everything.take(range(0, len(learned), LOOKED_AT))

    def test_data(self, folder: Path) -> MarkedSliceDataset:
        """The test part of the folder, as it is.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
        """
        return self._as_it_is(read_part(folder, "test", recognise_card(folder))[0])

    def new_network(self, seed: int) -> nn.Module:
        """The network before training."""
        with seeded(seed):
            return LiteUNet(1, weights=self.weights, enlarge=ENLARGE)

    def scored(self, predictions: ReaderPredictions) -> ImageScores:
        """Each of `FIGURES` of each slice, measured once; NaN where a slice has no such number."""
        dice = majority_dice(predictions, self.threshold)
        readers = predictions.readers_who_marked
        model, others = against_the_others(predictions, self.threshold)
        columns = {
            AT_LEAST_TWO: np.where(readers >= HALF_OF_READERS, dice.values[:, 0], np.nan),
            ALL_FOUR: np.where(readers >= ALL_READERS, dice.values[:, 0], np.nan),
            OF_READERS: _of_all(reader_dice(predictions), dice),
            MODEL: _of_all(model, dice),
            READERS: _of_all(others, dice),
        }
        columns[DIFFERENCE] = columns[MODEL] - columns[READERS]
        return replace(dice, values=np.stack([columns[name] for name in FIGURES], axis=1), labels=FIGURES)

    def figures(self, validation: ImageScores) -> Mapping[str, Callable[[ImageScores], float]]:
        """The mean of each of `FIGURES` over the slices that have it; nothing is chosen on validation patients."""
        return {name: partial(_mean, name=name) for name in validation.labels}

    def together(self, several: Sequence[ReaderPredictions]) -> ReaderPredictions:
        """The mean of the probabilities of each pixel."""
        maps = zip(*(said.probabilities for said in several), strict=True)
        means = tuple(np.stack(each).mean(axis=0, dtype=np.float32) for each in maps)
        return replace(several[0], probabilities=means, losses=np.mean([said.losses for said in several], axis=0))

    def _changed(self, slices: Sequence[MarkedSlice]) -> MarkedSliceDataset:
        how, change = self.recipe.how, self.recipe.augmentation
        return MarkedSliceDataset(
            slices, how, learn=LEARN, crop=CROP, neighbours=NEIGHBOURS, change=change, mirror=True
        )

    def _as_it_is(self, slices: Sequence[MarkedSlice]) -> MarkedSliceDataset:
        return MarkedSliceDataset(slices, self.recipe.how, learn=LEARN, crop=CROP, neighbours=NEIGHBOURS)


def _of_all(some: ImageScores, all_slices: ImageScores) -> NDArray[np.float64]:
    """The numbers of some slices, in their places among all of them; NaN for the others."""
    values = dict(zip(some.files, some.values[:, 0], strict=True))
    return np.array([values.get(file, np.nan) for file in all_slices.files])


def _mean(scores: ImageScores, name: str) -> float:
    """The mean over the slices that have the number; NaN where none has."""
    column = scores.values[:, scores.labels.index(name)]
    there = column[~np.isnan(column)]
    return float(there.mean()) if len(there) else float("nan")


ON_REAL_IMAGES = LungNodules(at_size(CROP, CONFIG))
#: Of phantoms there can be as many as there need be, so that others of them choose the epoch. The threshold is a half,
#: which no real label chose; crop, network, what is learned and about how many epochs were chosen on the real set.
ON_PHANTOMS = LungNodules(
    at_size(CROP, replace(CONFIG, epochs=10, keep="best")),
    networks=1,
    threshold=AS_LIKELY_AS_NOT,
    phantoms=PHANTOMS,
)
