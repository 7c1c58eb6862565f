"""A run of one's own: what is chosen once at its beginning, and what others have published, to hold beside its end."""

import hashlib
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from course_lib.augmentation import Augmentation
from course_lib.backbones import BACKBONES, Weights, build_backbone, grad_cam_layer, preprocessing_for
from course_lib.dataset import Radiograph
from course_lib.delivery import CHEST_XRAYS
from course_lib.evaluation import Report, Score
from course_lib.models import Net
from course_lib.recipe import REAL_XRAYS, STRONG, Recipe, TrainConfig
from course_lib.runtime import COURSE_ROOT, Profile, current_profile, pick_device, seeded
from course_lib.sources import CourseData, open_dataset
from course_lib.stages import evaluating, pieces
from course_lib.transforms import Preprocessing

NET = "net"  #: the course's own network, beside the names in `backbones.BACKBONES`
RUNS = COURSE_ROOT / "build" / "own_run"
CARD_FILE = "model_card.md"  #: in the folder of a run
LEAST_PLACES = 4  #: per side of a Grad-CAM map; fewer say hardly where anything is

#: For weights that were learned elsewhere: small steps that fade out. Taken over from common practice, not tuned here.
FINE_TUNING = TrainConfig(
    learning_rate=3e-4,
    weight_decay=0.05,
    schedule="cosine",
    gradient_clip=5.0,
    class_weights="balanced",
    mixed_precision=True,
)


@dataclass(frozen=True)
class Choices:
    """All that is decided before the first image is opened. Prints as one line each."""

    source: str | None  #: as in `open_dataset`; None: Kaggle, or phantoms if it gives nothing
    at_most_mb: float  #: nothing larger is downloaded
    network: str  #: ``"net"`` or one of `backbones.BACKBONES`
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
    """The choices; without a source what ``COURSE_DATA`` names, and otherwise what suits computer and profile.

    In the quick profile that is `Net` at 64 px. In the full one it is `recipe.REAL_XRAYS`, a ResNet-18 from a random
    start at 64 px; on a GPU, a ResNet-18 with ImageNet weights at 224 px, which the course has not measured.

    Raises:
        ValueError: there is no such network, or it has no such weights.
    """
    profile, device = profile or current_profile(), device or pick_device()
    source = str(source or os.environ.get("COURSE_DATA") or "") or None
    if network is None:
        network = NET if profile.name == "quick" and not weights else "resnet18"
        if profile.name == "full" and device.type != "cpu":
            weights = weights or "imagenet"
    if network not in (NET, *BACKBONES):
        raise ValueError(f"network must be one of {NET}, {', '.join(BACKBONES)}, but is {network!r}.")
    if network == NET and weights:
        raise ValueError(f'Nobody has trained "{NET}" before: take weights=None, or another network.')
    recipe = _recipe(network, weights, profile)
    how = replace(recipe.how, size=recipe.how.size if size is None else size)
    config = replace(recipe.config, epochs=recipe.config.epochs if epochs is None else epochs, seed=seed)
    return Choices(source, at_most_mb, network, weights, replace(recipe, how=how, config=config), profile, device)


def open_chosen(choices: Choices) -> CourseData:
    """The images of the choices. Where none were named and Kaggle gives none, phantoms; the reason is printed.

    Raises:
        DataError: the images are not as expected.
        ConnectionError: Kaggle was named, can not be reached or says no.
    """
    if choices.source:
        return open_dataset(choices.source, profile=choices.profile, at_most_mb=choices.at_most_mb)
    try:
        return open_dataset("kaggle", profile=choices.profile, at_most_mb=choices.at_most_mb)
    except ConnectionError as problem:
        print(f"{problem}\n\nSo this run works on phantoms: its numbers say nothing about children.\n")
    return open_dataset("phantom", profile=choices.profile)


def build_network(choices: Choices, classes: int) -> nn.Module:
    """The chosen network, before training; the same seed gives the same weights.

    Raises:
        ConnectionError: the weights are not on this computer and can not be downloaded.
    """
    with seeded(choices.recipe.config.seed):
        if choices.network == NET:
            return Net(classes)
        return build_backbone(choices.network, classes, weights=choices.weights)


def shelf_for(choices: Choices, data: CourseData) -> Path:
    """Where the files of this run belong: another folder for other choices or images, the same for the same ones."""
    return RUNS / f"{_slug(data)}-{_digest((choices, _names(data.train), _names(data.validation)))}"


def times_opened(shelf: Path, data: CourseData) -> int:
    """How many runs on this computer have opened the test of these images, the one on this shelf included."""
    return len({card.parent for card in RUNS.glob(f"{_slug(data)}-*/{CARD_FILE}")} | {shelf})


def map_layer(model: nn.Module, size: int) -> nn.Module:
    """The layer for a Grad-CAM map of images of ``size`` px: the latest whose map has 4 x 4 places at least.

    The model's usual layer where that will do, and where no layer will.
    """
    if isinstance(model, Net):
        return model.get_submodule("features.10")  # the last ReLU; after it, the pooling halves the map
    usual, seen = grad_cam_layer(model), list[tuple[nn.Module, torch.Size]]()
    layers = dict.fromkeys([*(layer for _, layer in pieces(model)), usual])
    hooks = [layer.register_forward_hook(lambda layer, _, out: seen.append((layer, out.shape))) for layer in layers]
    try:
        with evaluating(model), torch.no_grad():
            model(torch.zeros(1, 3, size, size, device=next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    before_usual = itertools.takewhile(lambda one: one[0] is not usual, seen)
    wide = [layer for layer, shape in before_usual if len(shape) == 4 and min(shape[2:]) >= LEAST_PLACES]
    shape_of_usual = next(shape for layer, shape in seen if layer is usual)
    return usual if min(shape_of_usual[2:]) >= LEAST_PLACES or not wide else wide[-1]


@dataclass(frozen=True)
class Published:
    """What somebody reports for the official test split of the chest X-rays; None where they do not say."""

    network: str
    source: str  #: as a Markdown link
    auroc: float
    accuracy: float
    sensitivity: float | None = None
    specificity: float | None = None


PUBLISHED = (
    Published(
        "Inception-V3, ImageNet weights",
        "[Kermany et al. 2018](https://doi.org/10.1016/j.cell.2018.02.010)",
        auroc=0.968,
        accuracy=0.928,
        sensitivity=0.932,
        specificity=0.901,
    ),
    Published(
        "ResNet-18, 28 px",
        "[MedMNIST v2](https://doi.org/10.1038/s41597-022-01721-8)",
        auroc=0.944,
        accuracy=0.854,
    ),
    Published(
        "Google AutoML Vision, 28 px",
        "[MedMNIST v2](https://doi.org/10.1038/s41597-022-01721-8)",
        auroc=0.991,
        accuracy=0.946,
    ),
)


@dataclass(frozen=True, repr=False)
class Comparison:
    """A report beside published figures, and whether they may stand side by side. Shows itself as a table."""

    report: Report
    test_images: int
    may_compare: bool  #: the test images are the same
    verdict: str

    def _repr_markdown_(self) -> str:
        names = ("AUROC", "accuracy", "sensitivity", "specificity")
        rows = [f"| | test images | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
        rows.append(f"| this run | {self.test_images} | {' | '.join(_cell(self.report[name]) for name in names)} |")
        for other in PUBLISHED:
            values = [getattr(other, name.lower()) for name in names]
            cells = " | ".join("" if value is None else f"{value:.3f}" for value in values)
            rows.append(f"| {other.network}, {other.source} | 624 | {cells} |")
        return "\n".join([*rows, "", f"**{self.verdict}**"])

    def __repr__(self) -> str:
        return self._repr_markdown_()


def beside_published(report: Report, data: CourseData) -> Comparison:
    """The report of a test beside `PUBLISHED`, with a sentence on what may be compared."""
    images = len(data.test)
    official = sum(data.card.counts["test"].values()) if data.card and data.card.slug == CHEST_XRAYS else 0
    if data.simulated:
        verdict = "Nothing may be compared: the images of this run are simulated, the others are of children."
    elif not official:
        verdict = "Nothing may be compared: this run was tested on other images, with other labels."
    elif images != official:
        verdict = (
            f"A mark, and no match: this run was tested on {images} images, the others on {official}. Those that only "
            "one side has may be easier or harder."
        )
    else:
        verdict = (
            f"The {official} test images are the same, so the figures may stand side by side. How often others have "
            "looked at them before, nobody knows."
        )
    return Comparison(report, images, bool(official) and images == official, verdict)


def _slug(data: CourseData) -> str:
    """The data set, and which of its images are the test."""
    return f"{data.card.slug if data.card else 'folder'}-{_digest(_names(data.test))}"


def _names(radiographs: Sequence[Radiograph]) -> list[tuple[str, int]]:
    return [(r.path.name, r.label) for r in radiographs]


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


def _recipe(network: str, weights: Weights | None, profile: Profile) -> Recipe:
    if network == NET:
        how = Preprocessing(profile.image_size)
        return Recipe(how, Augmentation(), TrainConfig(epochs=profile.net_epochs))
    if weights:
        how = preprocessing_for(network, weights)
        return Recipe(how, STRONG, replace(FINE_TUNING, epochs=profile.resnet_epochs))
    if profile.name == "full":
        return REAL_XRAYS
    return replace(REAL_XRAYS, config=replace(REAL_XRAYS.config, epochs=profile.resnet_epochs))


def _cell(score: Score) -> str:
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"
