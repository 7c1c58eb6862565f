"""How the kind and the outline of brain tumours are learned: the frozen recipes, and what measures them.

Everything here was chosen on the folds 1 and 2 of the real set: learned from one, judged on the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import recognise_card
from course_lib.data.kinds_and_outlines import KindAndOutlineDataset
from course_lib.evaluation.classification import accuracy, auroc
from course_lib.evaluation.kinds_and_outlines import KindsAndDice, KindsAndOutlines, together
from course_lib.modalities.brain_mri.modality import SIMULATED_SET
from course_lib.modalities.brain_mri.phantoms import CLASSES, Settings, make_dataset
from course_lib.modalities.brain_mri.reader import TumourSlice, by_series, read_part
from course_lib.networks.backbones import Weights, preprocessing_for
from course_lib.networks.outliner import Outliner
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.recipe import FROM_SCRATCH, Recipe

PHANTOMS = Settings({"train": 480, "test": 60}, seed=7, randomise=0.3)
PHANTOM_FOLDER = COURSE_ROOT / "build" / "measure" / "brain_mri-phantoms"
LOOKED_AT = 32  #: every so many of the training slices show how the training goes

#: What another head, another position and another scanner may do, written for 64 px. Mirroring comes on top, since a
#: brain is nearly symmetric.
CHANGES = Augmentation(
    rotation=15, shift=0.06, scale=0.2, aspect=0.08, shear=0, blur=0.3, noise=0.05, gamma=0.4, contrast=0.2,
    brightness=0, jpeg=0,
)  # fmt: skip

#: Real slices. All training folds are learned from and the last epoch is kept, so that nothing has to be held out of
#: few patients. There are as many epochs as the time allows; all else was chosen beforehand, by what networks that had
#: learned from one fold said of the other. What begins at random learns faster than the encoder.
CONFIG = replace(
    FROM_SCRATCH,
    epochs=16,
    learning_rate=5e-3,
    batch_size=16,
    mixed_precision="auto",
    stage_factor=0.6,
    keep="last",
)


def at_size(px: int, config: TrainConfig) -> Recipe:
    """The recipe for slices of this side in px, each with greys of mean 0 and spread 1."""
    how = preprocessing_for("efficientnet_lite0", "imagenet")
    return Recipe(replace(how, size=px, geometry="pad", normalisation="per image"), CHANGES.at_size(px), config)


@dataclass(frozen=True)
class BrainTumours:
    """Glioma, meningioma and pituitary tumour told apart and outlined; satisfies `training.recipe.Experiment`."""

    recipe: Recipe
    weights: Weights | None = "imagenet"  #: what the encoder begins with
    networks: int = 1
    phantoms: Settings | None = None  #: what it learns from; None: the training slices of the folder

    @property
    def config(self) -> TrainConfig:
        """How the networks are trained."""
        return self.recipe.config

    def training_data(self, folder: Path) -> tuple[KindAndOutlineDataset, KindAndOutlineDataset]:
        """What is learned from, and what shows how that goes: some of the same slices, or other phantoms.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
            PhantomError: there are other phantoms in the place of these.
        """
        if self.phantoms:
            root, card = make_dataset(PHANTOM_FOLDER, self.phantoms), load_card(SIMULATED_SET)
            (learned, kinds), (shown, _) = (read_part(root, part, card) for part in ("train", "test"))
        else:
            learned, kinds = read_part(folder, "train", recognise_card(folder))
            shown = learned[::LOOKED_AT]
        changed = KindAndOutlineDataset(learned, kinds, self.recipe.how, self.recipe.augmentation, mirror=True)
        return changed, KindAndOutlineDataset(shown, kinds, self.recipe.how)

    def test_data(self, folder: Path) -> KindAndOutlineDataset:
        """The test part of the folder, as it is.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
        """
        return KindAndOutlineDataset(*read_part(folder, "test", recognise_card(folder)), self.recipe.how)

    def new_network(self, seed: int) -> nn.Module:
        """The network before training."""
        with seeded(seed):
            return Outliner(len(CLASSES), weights=self.weights)

    def scored(self, predictions: KindsAndOutlines) -> KindsAndDice:
        """The kinds and each slice's Dice; where nothing but the fold says whose a slice is, a series is drawn.

        Several series are of one patient, so that intervals over series are somewhat too narrow.
        """
        measured = predictions.measured()
        kinds = measured.kinds
        rows = zip(kinds.files, kinds.labels.tolist(), kinds.patients.tolist(), strict=True)
        slices = [TumourSlice(Path(file), label, patient) for file, label, patient in rows]
        patients = np.array([one.patient for one in by_series(slices)])
        return replace(measured, kinds=replace(kinds, patients=patients))

    def figures(self, validation: KindsAndDice) -> Mapping[str, Callable[[KindsAndDice], float]]:
        """Kinds by the most probable one, and Dice over slices with a mask; nothing is chosen on validation."""
        kinds = validation.kinds.classes
        return {
            "accuracy": lambda scores: accuracy(scores.kinds),
            "AUROC": lambda scores: auroc(scores.kinds),
            **{f"sensitivity, {kind}": partial(KindsAndDice.recall, kind=kind) for kind in kinds},
            "Dice": KindsAndDice.mean_dice,
            **{f"Dice, {kind}": partial(KindsAndDice.mean_dice, kind=kind) for kind in kinds},
        }

    def together(self, several: Sequence[KindsAndOutlines]) -> KindsAndOutlines:
        """The mean of the probabilities, of kinds and of pixels."""
        return together(several)


ON_REAL_IMAGES = BrainTumours(at_size(192, CONFIG))
#: Of phantoms there can be as many as there need be, so that others of them choose the epoch.
ON_PHANTOMS = BrainTumours(at_size(PHANTOMS.pixels, replace(CONFIG, epochs=6, keep="best")), phantoms=PHANTOMS)
