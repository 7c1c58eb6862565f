"""How chest X-rays are learned: the frozen recipes, with real labels or those of phantoms, and what measures them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from course_lib.data.augmentation import NO_CHANGE, Augmentation, OneOf
from course_lib.data.image_folder import read_part, read_split, recognise_card
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import split_by_patient
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import (
    Metric,
    accuracy,
    auroc,
    balanced_accuracy,
    bind,
    choose_threshold,
    sensitivity,
    specificity,
)
from course_lib.evaluation.predictions import Predictions, mean_of
from course_lib.modalities.chest_xray import simulator
from course_lib.modalities.chest_xray.modality import SIMULATED_SET
from course_lib.networks.backbones import build_backbone, preprocessing_for
from course_lib.networks.net import Net
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.adaptation import with_batch_norm_of
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.recipe import FROM_SCRATCH, Recipe, trained
from course_lib.training.self_training import labelled_by

PHANTOMS = simulator.Settings(patients={"train": 3500, "val": 400}, size_px=96, seed=11)
KEPT = COURSE_ROOT / "build" / "measure"  #: networks that are trained for a measurement
PHANTOM_FOLDER = KEPT / "chest_xray-phantoms"
VALIDATION_FRACTION = 1 / 7  #: of the training patients choose the best epoch and the threshold
SUREST = 1 / 4  #: of the images without a label are taken for each class: those of which the teachers are surest

#: Changes as strong as those between two hospitals; without them, a network leans on what its own hospital's files have
#: in common.
STRONG = Augmentation(
    rotation=10, shift=0.1, scale=0.2, aspect=0.2, shear=6, blur=1.2, noise=0.05, gamma=0.6, contrast=0.4,
    brightness=0.15, patch=0.4, jpeg=0.3, patch_side=0.4, jpeg_quality=(20, 95),
)  # fmt: skip

#: What another hospital, or another year, may do to a picture of the same chest; written for 64 px.
CHANGES: Mapping[str, Augmentation] = {
    "as they are": NO_CHANGE,
    "another exposure": replace(NO_CHANGE, gamma=0.8, contrast=0.5, brightness=0.2),
    "compressed again": replace(NO_CHANGE, jpeg=1.0, jpeg_quality=(15, 25)),
    "blurred and noisy": replace(NO_CHANGE, blur=2.0, noise=0.06),
    "another format": replace(NO_CHANGE, scale=0.25, aspect=0.25, shift=0.08),
}


def elsewhere(px: int) -> OneOf:
    """Each picture as it is, or changed as another hospital might: so it chooses an epoch, or a threshold.

    As they all are, validation pictures only tell what suits the hospital that was learned from. In a training each
    epoch draws anew, so a little chance is in the choice of the epoch.
    """
    return OneOf(tuple(change.at_size(px) for change in CHANGES.values()))


#: A ResNet-18 from a random start on thousands of real X-rays: nine minutes on two cores.
FROM_NOTHING = Recipe(
    Preprocessing(64, "squeeze", normalisation="per image"),
    STRONG,
    replace(FROM_SCRATCH, epochs=20, class_weights="balanced"),
)

#: An EfficientNet-Lite0 that has learned from photographs, on thousands of real X-rays: a quarter of an hour.
FROM_PHOTOGRAPHS = Recipe(
    replace(
        preprocessing_for("efficientnet_lite0", "imagenet"), size=160, geometry="squeeze", normalisation="per image"
    ),
    STRONG.at_size(160),
    replace(
        FROM_SCRATCH, learning_rate=3e-3, batch_size=32, epochs=7, class_weights="balanced", mixed_precision="auto"
    ),
)

#: A small `Net` on thousands of phantoms, at a size that hides how fine detail differs from that of a real film.
PHANTOMS_ALONE = Recipe(
    Preprocessing(40, "squeeze", normalisation="per image"),
    STRONG,
    replace(FROM_SCRATCH, epochs=6, class_weights="balanced"),
)

#: The same where only the order of an image's greys counts, so that no curve of a film or a scanner matters.
PHANTOMS_BY_RANK = replace(PHANTOMS_ALONE, how=replace(PHANTOMS_ALONE.how, normalisation="by rank"))

#: The same on fewer images, real ones: those of which networks that learned from phantoms are surest.
THEIR_ANSWERS = replace(PHANTOMS_BY_RANK, config=replace(PHANTOMS_BY_RANK.config, epochs=12))


def new_resnet() -> nn.Module:
    """A ResNet-18 from a random start."""
    return build_backbone("resnet18", weights=None)


def new_efficientnet() -> nn.Module:
    """An EfficientNet-Lite0 that has learned from photographs."""
    return build_backbone("efficientnet_lite0", weights="imagenet")


def new_net() -> nn.Module:
    """`Net`, half as wide again as in the lessons."""
    return Net(channels=24)


def by_name(folder: Path) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The training part of the folder and its classes; no label decides the order of the images.

    Raises:
        DataError: the folder is not in the layout.
    """
    radiographs, classes = read_part(folder, "train", recognise_card(folder))
    return sorted(radiographs, key=lambda radiograph: (radiograph.path.name, radiograph.path.stat().st_size)), classes


@dataclass(frozen=True)
class ChestXrays:
    """Pneumonia in chest X-rays, told from healthy ones; satisfies `training.recipe.Experiment`."""

    recipe: Recipe
    network: Callable[[], nn.Module]
    networks: int
    phantoms: simulator.Settings | None  #: what it learns from; None: the training patients of the folder
    judged_as: OneOf | None = None  #: how the pictures that choose epoch and threshold are changed
    teachers: "ChestXrays | None" = None  #: whose answers are the labels of these patients; None: the folder's

    def __post_init__(self) -> None:
        if self.phantoms and self.teachers:
            raise ValueError("Phantoms have labels of their own, so there is nothing to teach: leave one of both out.")

    @property
    def config(self) -> TrainConfig:
        """How the networks are trained."""
        return self.recipe.config

    def training_data(self, folder: Path) -> tuple[PixelCache, PixelCache]:
        """What is learned from, and what chooses epoch and threshold: of the folder, or made now.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
            PhantomError: there are other phantoms in the place of these.
        """
        if self.phantoms:
            root, simulated = simulator.make_dataset(PHANTOM_FOLDER, self.phantoms), load_card(SIMULATED_SET)
            (learning, classes), (held_out, _) = (read_split(root, part, simulated) for part in ("train", "val"))
            return self.prepared(learning, held_out, classes)
        if self.teachers:
            unlabelled, classes = by_name(folder)
            return self.parted(labelled_by(self.teachers.answers(folder), unlabelled, SUREST), classes)
        return self.parted(*read_part(folder, "train", recognise_card(folder)))

    def parted(self, radiographs: Sequence[LabelledImage], classes: Sequence[str]) -> tuple[PixelCache, PixelCache]:
        """These images as `training_data`: a part of the patients is held out."""
        return self.prepared(*split_by_patient(radiographs, VALIDATION_FRACTION), classes)

    def answers(self, folder: Path) -> Predictions:
        """What its networks say together about the training part of the folder, `by_name`.

        Where they learned from phantoms, the labels of the folder play no part. Their batch norms go by these images.
        What is trained is kept, and not trained again.

        Raises:
            DataError, PhantomError: as in `training_data`.
        """
        films = PixelCache(*by_name(folder), self.recipe.how)
        data = self.training_data(folder)
        nets = [trained(self, seed, *data, KEPT) for seed in range(self.networks)]
        return self.together([predict(with_batch_norm_of(net, films), films) for net in nets])

    def prepared(
        self, learning: Sequence[LabelledImage], held_out: Sequence[LabelledImage], classes: Sequence[str]
    ) -> tuple[PixelCache, PixelCache]:
        """The images of these patients as the networks learn from them, and as they choose epoch and threshold."""
        how = self.recipe.how
        return PixelCache(learning, classes, how, self.recipe.augmentation), PixelCache(
            held_out, classes, how, self.judged_as
        )

    def test_data(self, folder: Path) -> PixelCache:
        """The test part of the folder, as it is.

        Raises:
            DataError: the folder is not in the layout, or an image can not be read.
        """
        return PixelCache(*read_part(folder, "test", recognise_card(folder)), self.recipe.how)

    def new_network(self, seed: int) -> nn.Module:
        """The network before training."""
        with seeded(seed):
            return self.network()

    def scored(self, predictions: Predictions) -> Predictions:
        """The predictions: a figure of them is measured fast."""
        return predictions

    def figures(self, validation: Predictions) -> Mapping[str, Metric]:
        """AUROC, and four numbers at the threshold with the highest balanced accuracy on validation patients."""
        threshold = choose_threshold(validation)
        return {
            "AUROC": auroc,
            "balanced accuracy": bind(balanced_accuracy, threshold),
            "accuracy": bind(accuracy, threshold),
            "sensitivity": bind(sensitivity, threshold),
            "specificity": bind(specificity, threshold),
        }

    def together(self, several: Sequence[Predictions]) -> Predictions:
        """The mean of the probabilities."""
        return mean_of(several)


ON_REAL_IMAGES = ChestXrays(
    FROM_PHOTOGRAPHS,
    new_efficientnet,
    networks=1,
    phantoms=None,
    judged_as=elsewhere(FROM_PHOTOGRAPHS.how.size),
)
AS_THEY_ARE = ChestXrays(PHANTOMS_ALONE, new_net, networks=5, phantoms=PHANTOMS)
BY_RANK = replace(AS_THEY_ARE, recipe=PHANTOMS_BY_RANK)
ON_PHANTOMS = ChestXrays(THEIR_ANSWERS, new_net, networks=5, phantoms=None, teachers=BY_RANK)
