"""What is chosen once, at the beginning of a run of one's own."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.chest_xray.recipe import FROM_NOTHING, FROM_PHOTOGRAPHS, STRONG
from course_lib.modalities.registry import open_dataset
from course_lib.networks.backbones import BACKBONES, Weights, build_backbone, preprocessing_for
from course_lib.networks.net import Net
from course_lib.support.files import digest
from course_lib.support.runtime import COURSE_ROOT, Profile, current_profile, pick_device, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.recipe import Recipe

NET = "net"  #: the course's own network, beside the names in `BACKBONES`
FOR_REAL_IMAGES = "efficientnet_lite0"  #: its ImageNet weights come with a package, so that they need no network
RUNS = COURSE_ROOT / "build" / "own_run"
CARD_FILE = "model_card.md"  #: in the folder of a run

#: For weights that were learned elsewhere: small steps that fade out. Rate, size of a batch and the epochs of the quick
#: profile were chosen with `FOR_REAL_IMAGES`, on validation patients whose pictures were changed as by `CHANGES`.
FINE_TUNING = TrainConfig(
    learning_rate=1e-3,
    batch_size=16,
    weight_decay=0.05,
    schedule="cosine",
    gradient_clip=5.0,
    class_weights="balanced",
    mixed_precision="auto",
)

FINE_TUNING_EPOCHS = {"quick": 8, "full": 6}
QUICK_SIZE = 128  #: px, a side for `FOR_REAL_IMAGES` without a GPU; eight epochs of 720 images take two minutes there
SIZE_WITH_GPU = 224  #: px, as its weights were learned


@dataclass(frozen=True)
class Choices:
    """All that is decided before the first image is opened. Prints as one line each."""

    source: str | None  #: as in `open_dataset`; None: Kaggle, or phantoms if it gives nothing
    at_most_mb: float  #: nothing larger is downloaded
    network: str  #: ``"net"`` or one of `BACKBONES`
    weights: Weights | None  #: where the network starts; None: at random
    recipe: Recipe
    profile: Profile
    device: torch.device = field(repr=False)

    def __str__(self) -> str:
        start = f"{self.weights} weights" if self.weights else "random weights"
        source = self.source or f"Kaggle, at most {self.at_most_mb:g} MB"
        return "\n".join(
            [
                f"images   {source}; profile {self.profile.name}",
                f"network  {self.network} from {start}",
                f"size     {self.recipe.how.size} x {self.recipe.how.size} px, {self.recipe.how.geometry}",
                f"training {self.recipe.config.epochs} epochs on {self.device.type}, seed {self.recipe.config.seed}",
            ]
        )


def choose(
    *,
    source: str | Path | None = None,
    at_most_mb: float = 50,
    network: str | None = None,
    weights: Weights | None = None,
    size: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
    profile: Profile | None = None,
    device: torch.device | None = None,
) -> Choices:
    """The choices; without a source what ``COURSE_DATA`` names, and otherwise what suits images, computer and profile.

    That is `FOR_REAL_IMAGES` with ImageNet weights, at a size that the computer can carry. In the quick profile it is
    `Net` at 64 px where phantoms are named, or nothing is, which may end in phantoms. A named network without weights
    starts at random. The full profile takes frozen recipes: `FROM_PHOTOGRAPHS`, or `FROM_NOTHING` for such a start.

    Raises:
        ValueError: there is no such network, or it has no such weights.
    """
    profile, device = profile or current_profile(), device or pick_device()
    source = str(source or os.environ.get("COURSE_DATA") or "") or None
    if network is None:
        small = profile.name == "quick" and source in (None, "phantom") and not weights
        network, weights = (NET, None) if small else (FOR_REAL_IMAGES, weights or "imagenet")
    if network not in (NET, *BACKBONES):
        raise ValueError(f"network must be one of {NET}, {', '.join(BACKBONES)}, but is {network!r}.")
    if network == NET and weights:
        raise ValueError(f'Nobody has trained "{NET}" before: take weights=None, or another network.')
    recipe = _recipe(network, weights, profile, device, size)
    config = replace(recipe.config, epochs=recipe.config.epochs if epochs is None else epochs, seed=seed)
    return Choices(source, at_most_mb, network, weights, replace(recipe, config=config), profile, device)


def open_chosen(choices: Choices) -> CourseData[LabelledImage]:
    """The images of the choices. Where none were named and Kaggle gives none, phantoms; the reason is printed.

    If Kaggle does give some and the network is `NET`, a sentence names the one that suits real images.

    Raises:
        DataError: the images are not as expected.
        ConnectionError: Kaggle was named, can not be reached or says no.
    """
    if choices.source:
        return open_dataset(source=choices.source, profile=choices.profile, at_most_mb=choices.at_most_mb)
    try:
        data = open_dataset(source="kaggle", profile=choices.profile, at_most_mb=choices.at_most_mb)
    except ConnectionError as problem:
        print(f"{problem}\n\nSo this run works on phantoms: its numbers say nothing about children.\n")
        return open_dataset(source="phantom", profile=choices.profile)
    if choices.network == NET:
        print(
            f'"{NET}" was chosen before it was known that these are real images: network="{FOR_REAL_IMAGES}" with '
            'weights="imagenet" begins with what was learned from photographs.\n'
        )
    return data


def build_network(choices: Choices, classes: int) -> nn.Module:
    """The chosen network, before training; the same seed gives the same weights.

    Raises:
        ConnectionError: the weights are not on this computer and can not be downloaded.
        WeightsError: they should have come with the course or with a package, but are missing or damaged.
    """
    with seeded(choices.recipe.config.seed):
        if choices.network == NET:
            return Net(classes)
        return build_backbone(choices.network, classes, weights=choices.weights)


def shelf_for(choices: Choices, data: CourseData[LabelledImage]) -> Path:
    """Where the files of this run belong: another folder for other choices or images, the same for the same ones."""
    return RUNS / f"{_slug(data)}-{digest((choices, _names(data.train), _names(data.validation)), 8)}"


def times_opened(shelf: Path, data: CourseData[LabelledImage]) -> int:
    """How many runs on this computer have opened the test of these images, the one on this shelf included."""
    return len({card.parent for card in RUNS.glob(f"{_slug(data)}-*/{CARD_FILE}")} | {shelf})


def _slug(data: CourseData[LabelledImage]) -> str:
    """The data set, and which of its images are the test."""
    return f"{data.card.slug if data.card else 'folder'}-{digest(_names(data.test), 8)}"


def _names(radiographs: Sequence[LabelledImage]) -> list[tuple[str, int]]:
    return [(r.path.name, r.label) for r in radiographs]


def _recipe(network: str, weights: Weights | None, profile: Profile, device: torch.device, size: int | None) -> Recipe:
    """The recipe, with images of this side in px if it is named; ``None``: of the side that suits."""
    if (network, weights) == (FOR_REAL_IMAGES, "imagenet"):
        return _for_real_images(profile, device, size)
    if network == NET:
        recipe = Recipe(Preprocessing(profile.image_size), Augmentation(), TrainConfig(epochs=profile.net_epochs))
    elif weights:
        config = replace(FINE_TUNING, epochs=FINE_TUNING_EPOCHS[profile.name])
        recipe = Recipe(preprocessing_for(network, weights), STRONG, config)
    elif profile.name == "full":
        recipe = FROM_NOTHING
    else:
        recipe = replace(FROM_NOTHING, config=replace(FROM_NOTHING.config, epochs=profile.resnet_epochs))
    return recipe if size is None else replace(recipe, how=replace(recipe.how, size=size))


def _for_real_images(profile: Profile, device: torch.device, size: int | None) -> Recipe:
    quick = profile.name == "quick"
    on_this_computer = (QUICK_SIZE if quick else FROM_PHOTOGRAPHS.how.size) if device.type == "cpu" else SIZE_WITH_GPU
    size = on_this_computer if size is None else size
    if quick:
        how = replace(preprocessing_for(FOR_REAL_IMAGES, "imagenet"), size=size)
        return Recipe(how, STRONG, replace(FINE_TUNING, epochs=FINE_TUNING_EPOCHS["quick"]))
    how = replace(FROM_PHOTOGRAPHS.how, size=size)
    return replace(FROM_PHOTOGRAPHS, how=how, augmentation=STRONG.at_size(size))
