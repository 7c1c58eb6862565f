"""How findings are boxed in films: the frozen recipes, and what measures them.

Everything here was chosen on training patients of the real set, some of whom were kept out for that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.ops import batched_nms

from course_lib.data.augmentation import Augmentation
from course_lib.data.box_changes import BoxChanges, InTurn
from course_lib.data.image_folder import recognise_card
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage, Change
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.detection import Boxes, DetectionPredictions, JudgedBoxes, judge, merged
from course_lib.evaluation.healthy_images import has_finding
from course_lib.evaluation.hit_rules import centre_inside, iobb_at_least
from course_lib.evaluation.image_scores import image_predictions
from course_lib.evaluation.localisation import PUBLISHED_AT_IOBB_01
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_findings.inserted_nodules import InsertNodules
from course_lib.modalities.chest_findings.modality import SIMULATED_SET
from course_lib.modalities.chest_findings.phantoms import FULL_SET, Settings, make_dataset
from course_lib.modalities.chest_findings.reader import CLASSES, read_part
from course_lib.networks.backbones import Weights
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.recipe import FROM_SCRATCH, Recipe

SIZE = 256  #: px: a nodule of a median side has 17
PHANTOMS = replace(FULL_SET, pixels=SIZE)
PHANTOM_FOLDER = COURSE_ROOT / "build" / "measure" / "chest_findings-phantoms"
LOOKED_AT = 6  #: every so many of the training films show how the training goes
LESIONS, LESION = ("Nodule", "Mass"), "Nodule or mass"
SAME = 0.3  #: IoU of two boxes of one class, from which on they are about the same thing

#: How films of other people and other machines may differ. No mirror images: the heart would be on the wrong side.
CHANGES = Augmentation(
    rotation=8, shift=0.08, scale=0.2, aspect=0, shear=0, blur=0, noise=0.03, gamma=0.3, contrast=0.25, brightness=0.05,
    jpeg=0,
)  # fmt: skip

#: The last epoch is kept, so that none of the few training patients has to be held out to choose one. On two cores, 9
#: epochs of the real set take less than 20 minutes.
CONFIG = replace(
    FROM_SCRATCH,
    epochs=9,
    learning_rate=2e-3,
    batch_size=8,
    label_smoothing=0.0,
    mixed_precision="auto",
    stage_factor=0.6,
    keep="last",
)

FOUND = f"{LESION}: part found at 1 false alarm per film"
FROC = f"{LESION}: mean part found at 1/8 to 8"
IMAGES = f"{LESION}: AUROC of films, against films without a finding"
ALL_FOUND = "all findings: part found at 1 false alarm per film"
ALL_FROC = "all findings: mean part found at 1/8 to 8"


@dataclass(frozen=True)
class JudgedFilms:
    """What is measured of the same films, each measure matched once; satisfies `evaluation.predictions.Judged`."""

    lesions: JudgedBoxes  #: nodules and masses as one class; a hit has its centre in a true box
    findings: JudgedBoxes  #: every class, with the same rule
    overlaps: JudgedBoxes  #: every class; a hit lies in a true box with a tenth of its own area at least
    images: Predictions  #: whether a film has a nodule or a mass, and the surest box of one

    @property
    def patients(self) -> NDArray[np.str_]:
        """[films]"""
        return self.findings.patients

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the films."""
        return self.findings.files

    @property
    def measurable(self) -> bool:
        """Whether there is a nodule or a mass to be found."""
        return self.lesions.measurable

    def __len__(self) -> int:
        return len(self.findings)

    def take(self, indices: NDArray[np.int64]) -> "JudgedFilms":
        """Some films, in the order of ``indices``; a film may come more than once."""
        parts = (self.lesions, self.findings, self.overlaps, self.images)
        return JudgedFilms(*(part.take(indices) for part in parts))  # type: ignore[arg-type]

    @property
    def boxed(self) -> NDArray[np.bool_]:
        """[films], whether a film has a true box of any class."""
        return has_finding(self.findings)


@dataclass(frozen=True)
class BoxedFindings:
    """Findings in boxes; satisfies `training.recipe.Experiment`."""

    recipe: Recipe
    classes: tuple[str, ...] = CLASSES
    weights: Weights | None = "imagenet"  #: what the encoder begins with
    networks: int = 1
    inserts: bool = True  #: whether simulated nodules and masses are inserted into training films
    phantoms: Settings | None = None  #: what it learns from; None: the training patients of the folder

    @property
    def config(self) -> TrainConfig:
        """How the networks are trained."""
        return self.recipe.config

    def training_data(self, folder: Path) -> tuple[BoxedDataset, BoxedDataset]:
        """What is learned from, and what shows how that goes: one in `LOOKED_AT` of the same films, as they are.

        Of phantoms too; they are made where they are not there yet, and the folder is not read.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
            PhantomError: there are other phantoms in the place of these.
        """
        root = make_dataset(PHANTOM_FOLDER, self.phantoms) if self.phantoms else folder
        card = load_card(SIMULATED_SET) if self.phantoms else recognise_card(folder)
        learned = self.told(*read_part(root, "train", card))
        return self.changed(learned), self.as_they_are(learned).take(range(0, len(learned), LOOKED_AT))

    def test_data(self, folder: Path) -> BoxedDataset:
        """The test part of the folder, as it is.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
        """
        return self.as_they_are(self.told(*read_part(folder, "test", recognise_card(folder))))

    def new_network(self, seed: int) -> nn.Module:
        """The network before training."""
        with seeded(seed):
            return LiteHeatmapDetector(len(self.classes), weights=self.weights)

    def scored(self, predictions: DetectionPredictions) -> JudgedFilms:
        """The boxes matched by each rule."""
        return JudgedFilms(
            lesions=judge(merged(predictions, LESIONS, LESION), centre_inside),
            findings=judge(predictions, centre_inside),
            overlaps=judge(predictions, iobb_at_least(0.1)),
            images=image_predictions(predictions, LESIONS),
        )

    def figures(self, validation: JudgedFilms) -> Mapping[str, Callable[[JudgedFilms], float]]:
        """What is measured of the test; nothing is chosen on validation patients."""
        localised = {
            f"{name} localised, IoBB 0.1, at {alarms:.2f} false alarms per film with a box": partial(
                _localised, name=name, alarms=alarms
            )
            for name, (_, alarms) in PUBLISHED_AT_IOBB_01.items()
            if name in validation.findings.classes
        }
        return {
            FOUND: lambda films: films.lesions.froc().sensitivity_at(1),
            FROC: lambda films: films.lesions.froc_score(),
            IMAGES: _auroc_of_films,
            ALL_FOUND: lambda films: films.findings.froc().sensitivity_at(1),
            ALL_FROC: lambda films: films.findings.froc_score(),
            **localised,
        }

    def together(self, several: Sequence[DetectionPredictions]) -> DetectionPredictions:
        """All boxes of all networks, of which the surest is kept where some are about the same thing."""
        films = zip(*(said.found for said in several), strict=True)
        losses = np.mean([said.losses for said in several], axis=0)
        return replace(several[0], found=tuple(_surest(boxes) for boxes in films), losses=losses)

    def told(self, films: Sequence[BoxedImage], names: Sequence[str]) -> list[BoxedImage]:
        """The films with their labels as indices of the recipe's classes."""
        of = [self.classes.index(name) for name in names]
        return [replace(film, labels=tuple(of[label] for label in film.labels)) for film in films]

    def changed(self, films: Sequence[BoxedImage]) -> BoxedDataset:
        """The films for training: with what is inserted, and as other people and machines might have made them."""
        nodule, mass = map(self.classes.index, LESIONS)
        inserted: tuple[Change, ...] = (InsertNodules(nodule, mass),) if self.inserts else ()
        change = InTurn((*inserted, BoxChanges(self.recipe.augmentation)))
        return BoxedDataset(films, self.classes, self.recipe.how, change=change, in_memory=True)

    def as_they_are(self, films: Sequence[BoxedImage]) -> BoxedDataset:
        """The films with nothing inserted and nothing changed, as they are judged."""
        return BoxedDataset(films, self.classes, self.recipe.how, in_memory=True)


def at_size(px: int, config: TrainConfig) -> Recipe:
    """The recipe for films that become this side in px, each with greys of mean 0 and spread 1."""
    return Recipe(Preprocessing(px, "pad", normalisation="per image"), CHANGES.at_size(px), config)


def _surest(several: Sequence[Boxes]) -> Boxes:
    """The boxes that networks found in one film, without those that a surer one of the same class covers."""
    corners = np.concatenate([boxes.corners for boxes in several])
    classes = np.concatenate([boxes.classes for boxes in several])
    scores = np.concatenate([boxes.scores for boxes in several])
    kept = batched_nms(*map(torch.from_numpy, (corners, scores, classes)), SAME).numpy()
    return Boxes(corners[kept], classes[kept], scores[kept])


def _auroc_of_films(films: JudgedFilms) -> float:
    """Films with a nodule or a mass against those without any finding."""
    asked = np.flatnonzero((films.images.labels == 1) | ~films.boxed)
    chosen = films.images.take(asked)
    return auroc(chosen) if len(set(chosen.labels.tolist())) > 1 else float("nan")


def _localised(films: JudgedFilms, name: str, alarms: float) -> float:
    """The part of a finding's boxes that are localised at so many false alarms, over the films that have a box."""
    return films.overlaps.take(np.flatnonzero(films.boxed)).froc(name).sensitivity_at(alarms)


ON_REAL_IMAGES = BoxedFindings(at_size(SIZE, CONFIG))
#: There are more phantoms than real films, so that fewer rounds are nearly as many steps.
ON_PHANTOMS = BoxedFindings(at_size(SIZE, replace(CONFIG, epochs=8)), inserts=False, phantoms=PHANTOMS)
