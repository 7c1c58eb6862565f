"""Recipes: everything that decides the result of a training, apart from the images and the network; and experiments,
which say which images and which network."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.samples import ImageData
from course_lib.data.transforms import Preprocessing
from course_lib.support.files import digest
from course_lib.tasks.task import P
from course_lib.training.checkpoints import identity_of
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit_whole

#: What makes a network out of a random start, on images of 64 px or less, two cores and thousands of images; most of
#: it serves other starts and sizes as well.
FROM_SCRATCH = TrainConfig(
    learning_rate=3e-3,
    batch_size=64,
    weight_decay=0.05,
    schedule="one-cycle",
    gradient_clip=5.0,
    label_smoothing=0.1,
    mixed_precision=True,
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result of a training, apart from the images and the network."""

    how: Preprocessing
    augmentation: Augmentation
    config: TrainConfig


class Experiment(Protocol[P]):
    """What a modality is measured by: which network learns what from which images, and what tells how good it is.

    Every modality has two in its module ``recipe``: ``ON_REAL_IMAGES``, which learns from the training patients of a
    folder, and ``ON_PHANTOMS``, which sees no other labels than those of simulated images. `authoring.measure` carries
    them out.
    """

    @property
    def config(self) -> TrainConfig:
        """How the networks are trained; the seed is that of the first one."""

    @property
    def networks(self) -> int:
        """How many are trained and judge together, if nobody asks for another number."""

    def training_data(self, folder: Path) -> tuple[ImageData[P], ImageData[P]]:
        """What the networks learn from, and the patients who choose epoch and threshold; never a test image."""

    def test_data(self, folder: Path) -> ImageData[P]:
        """The test part of a folder of real images."""

    def new_network(self, seed: int) -> nn.Module:
        """The network before training; the same seed gives the same weights."""

    def scored(self, predictions: P) -> Any:
        """What `figures` are taken of: the predictions, or what takes long to measure of them, measured once.

        A thousand draws of patients are taken from it, so that it is `Judged` as well.
        """

    def figures(self, validation: Any) -> Mapping[str, Callable[[Any], float]]:
        """What is printed of the test, by name; what has to be chosen, such as a threshold, is chosen on validation.

        ``validation`` and what the figures take is what `scored` gives.
        """

    def together(self, several: Sequence[P]) -> P:
        """What several networks say together about the same images."""


def trained(
    experiment: Experiment[P], seed: int, train: ImageData[P], validation: ImageData[P], folder: Path
) -> nn.Module:
    """The network of this seed, trained; every epoch is kept in the folder, and what is done is not done again."""
    model, config = experiment.new_network(seed), replace(experiment.config, seed=seed)
    key = digest(identity_of(model, train, validation, config), 16)
    print(f"Network {seed + 1}:", flush=True)
    started = time.monotonic()
    fit_whole(model, train, validation, config, checkpoint=folder / f"{key}.pt")
    minutes = (time.monotonic() - started) / 60
    print(f"Network {seed + 1} is trained. This call took {minutes:.1f} minutes.", flush=True)
    return model
