"""What networks say of real training images that saw no real label, or only that of the healthy: one row for each way.

They are the first question of `authoring.simulator_realism`, and all are judged on the same images. Where networks
learn from real images, each half of the patients is judged by those that learned from the other half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_lib.authoring.measure import RESULTS as KEPT
from course_lib.data.augmentation import Augmentation
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import split_by_patient, take_patients
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval, compare, with_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_xray.lungs import LOOK, draw_phantoms, find_lungs, train_lung_finder
from course_lib.modalities.chest_xray.painting import PaintedFilms
from course_lib.modalities.chest_xray.recipe import (
    AS_THEY_ARE,
    BY_RANK,
    ON_PHANTOMS,
    SUREST,
    VALIDATION_FRACTION,
    ChestXrays,
    by_name,
)
from course_lib.training.adaptation import with_batch_norm_of
from course_lib.training.inference import predict
from course_lib.training.recipe import trained
from course_lib.training.self_training import labelled_by

PHANTOMS = 1000  #: that teach where lungs are; the sick among them lend their disease to real films
#: Learns from painted films: few, so it sees each of them more often.
ON_PAINTED = replace(
    BY_RANK, recipe=replace(BY_RANK.recipe, config=replace(BY_RANK.config, epochs=18)), networks=3, phantoms=None
)
Data = tuple[PixelCache, PixelCache]  #: what is learned from, and what chooses the epoch


@dataclass(frozen=True)
class Halves:
    """Real training images in two parts that share no patient; which patient is where, no label has decided."""

    radiographs: Sequence[LabelledImage]
    classes: tuple[str, ...]
    places: tuple[NDArray[np.int64], NDArray[np.int64]]  #: of the images of each half

    @classmethod
    def of(cls, radiographs: Sequence[LabelledImage], classes: tuple[str, ...]) -> "Halves":
        first = {r.patient for r in take_patients(radiographs, len(radiographs) // 2)}
        inside = np.array([r.patient in first for r in radiographs])
        return cls(radiographs, classes, (np.flatnonzero(inside), np.flatnonzero(~inside)))

    def judged_by_the_others(self, experiment: ChestXrays, data_of: Callable[[NDArray[np.int64]], Data]) -> Predictions:
        """What is said of each half by networks that learned from ``data_of`` the places of the other half."""
        said = []
        for learned, tried in (self.places, self.places[::-1]):
            data = data_of(learned)
            films = PixelCache([self.radiographs[i] for i in tried], self.classes, experiment.recipe.how)
            nets = [trained(experiment, seed, *data, KEPT) for seed in range(experiment.networks)]
            said.append(experiment.together([predict(net, films) for net in nets]))
        return films.task.join(said).take(np.argsort(np.concatenate(self.places[::-1])))


def rows(folder: Path) -> list[str]:
    """The table: the AUROC of each way, and what it gains over the first, with intervals over patients."""
    radiographs, classes = by_name(folder)
    halves = Halves.of(radiographs, classes)
    said = learned_from_phantoms(folder, halves)
    answers = said["greys by rank, batch norm of real images"]
    said["both, then real images with the surest answers as labels"] = taught(halves, answers)
    said["normal labels: disease painted into films of the healthy"] = painted(halves)
    patients = len({r.patient for r in radiographs})
    return [
        f"## 1. Simulated to real: tried on {len(radiographs):,} images of {patients:,} patients",
        "",
        *table(said),
        "",
        "Only the last way learns from a real label, that of the healthy; else labels only measure. Chance is 0.5.",
    ]


def table(said: Mapping[str, Predictions]) -> list[str]:
    """One line a way; the gain is over the first of them."""
    first, *others = said
    lines = ["| way | AUROC | gain |", "|---|---|---|", f"| {first} | {_scored(said[first])} | |"]
    for way in others:
        gain = compare(said[way], said[first], auroc)
        gained = with_interval(gain.difference, gain.low, gain.high, "+.3f")
        lines.append(f"| {way} | {_scored(said[way])} | {gained} |")
    return lines


def learned_from_phantoms(folder: Path, halves: Halves) -> dict[str, Predictions]:
    """With greys as they are and by rank, and the batch norms of each as they were trained and of real images."""
    said = {}
    for experiment, name in ((AS_THEY_ARE, "phantoms"), (BY_RANK, "greys by rank")):
        films = PixelCache(halves.radiographs, halves.classes, experiment.recipe.how)
        data = experiment.training_data(folder)
        nets = [trained(experiment, seed, *data, KEPT) for seed in range(experiment.networks)]
        said[name] = experiment.together([predict(net, films) for net in nets])
        adapted = [with_batch_norm_of(net, films) for net in nets]
        said[f"{name}, batch norm of real images"] = experiment.together([predict(net, films) for net in adapted])
    return said


def taught(halves: Halves, answers: Predictions) -> Predictions:
    """By networks that learned from what others answer about the patients of the other half."""

    def data_of(places: NDArray[np.int64]) -> Data:
        named = labelled_by(answers.take(places), [halves.radiographs[i] for i in places], SUREST)
        return ON_PHANTOMS.parted(named, halves.classes)

    return halves.judged_by_the_others(ON_PHANTOMS, data_of)


def painted(halves: Halves) -> Predictions:
    """By networks that learned from films of the other half's healthy, with disease painted in and with none."""
    phantoms = draw_phantoms(PHANTOMS)
    finder = train_lung_finder(phantoms, KEPT)
    lungs = find_lungs(finder, PixelCache(halves.radiographs, halves.classes, LOOK))
    place_of = {r.path: place for place, r in enumerate(halves.radiographs)}
    sick, recipe = phantoms.take(phantoms.filled.amax(dim=(1, 2, 3)) > 0), ON_PAINTED.recipe

    def films_of(healthy: Sequence[LabelledImage], augmentation: Augmentation | None) -> PixelCache:
        of_these = lungs[[place_of[r.path] for r in healthy]]
        return PaintedFilms(healthy, halves.classes, recipe.how, augmentation, lungs=of_these, sick=sick)

    def data_of(places: NDArray[np.int64]) -> Data:
        healthy = [halves.radiographs[i] for i in places if halves.radiographs[i].label == 0]
        learning, held_out = split_by_patient(healthy, VALIDATION_FRACTION)
        return films_of(learning, recipe.augmentation), films_of(held_out, None)

    return halves.judged_by_the_others(ON_PAINTED, data_of)


def _scored(predictions: Predictions) -> str:
    return with_interval(auroc(predictions), *bootstrap_interval(predictions, auroc))
