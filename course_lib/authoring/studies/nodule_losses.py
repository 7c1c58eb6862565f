"""What does each loss do with a thousandth of the pixels? Nodules in whole slices of simulated chests.

Each patient has one nodule of 8 to 20 mm, three slices through it and three elsewhere in the lungs. In a slice that
shows it, it fills 0.13 % of the pixels (the median; from 0.03 to 0.4 %), and over all slices 99.93 % of the pixels are
right if nothing is marked. One small U-Net learns by three losses, from whole slices or from patches of which every
second one was aimed at a nodule: as many pixels in as many steps each. After patches it looks at a slice in tiles of
their size, which overlap by half.

Above which probability a pixel is marked is chosen for each, from the same few, by the Dice of validation patients;
what the usual half gives stands beside it. A nodule counts as found if a marked pixel lies on it in any of its three
slices. A slice has a false alarm if a spot is marked that touches no nodule. What is gained is the difference to
cross-entropy on whole slices, on the same patients.

Cost on one core: about a quarter of an hour. What a training says is kept in build/studies/.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from course_lib.authoring.studies.outlines import (
    InMemory,
    best_rate,
    judged,
    kept_scan,
    numbers_after,
    sample_of,
    scores_of,
    sized_nodule,
    trained,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.lesion_counts import count_lesions
from course_lib.evaluation.readers import AS_LIKELY_AS_NOT, ReaderPredictions
from course_lib.evaluation.segmentation import ImageScores, dice
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_ct.exposure import draw_exposure
from course_lib.modalities.chest_ct.modality import CHEST_CT
from course_lib.modalities.chest_ct.scan import scan_chest
from course_lib.modalities.simulated_chest.nodules import place
from course_lib.modalities.simulated_chest.people import draw_patient
from course_lib.networks.unet import UNet
from course_lib.support.runtime import progress
from course_lib.tasks.reader_outlines import Learned, ReaderOutlines
from course_lib.tasks.segmentation import dice_of_probabilities

LOSSES, SAMPLINGS = ("cross-entropy", "Dice", "both"), ("whole slices", "patches")
NOTHING = "nothing marked"  #: in place of a loss: who does not look
SEEDS = (0, 1)
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)  #: above which a pixel is marked; one is chosen
SEEN = 2400  #: whole slices' worth of pixels that each training sees
SLICES, PATCH, PATCHES = 4, 32, 12  #: slices of a step, or patches of so many px, 12 of which are as large as a slice
WIDTH, DEPTH = 8, 3  #: of the U-Net
COLUMNS = ("dice", "found", "alarm", "right")  #: what is measured of each slice, at each threshold
TASK = ReaderOutlines(0)  #: the truth in place of a reader's marks


@dataclass(frozen=True)
class Chests:
    """The simulated patients, in the order of their numbers, and their slices."""

    learned: int = 54
    validation: int = 16  #: these choose the learning rate
    test: int = 40
    through: int = 3  #: slices through the nodule, next to each other
    elsewhere: int = 3  #: slices without it
    pixels: int = 128  #: from side to side
    rows: int = 96  #: from front to back, which holds the trunk and cuts off air
    thickness_mm: float = 2.5
    at_least_mm: tuple[float, float] = (8.0, 16.0)  #: diameter; the limit differs, or nearly all would be small ones
    most_mm: float = 20.0
    seed: int = 11


CHESTS = Chests()


@dataclass(frozen=True)
class Minimised(ReaderOutlines):
    """The truth as the marks of the only reader, learned by one of `LOSSES`; judged, they are all alike."""

    learn: Learned = 0
    by: str = "both"

    def loss(
        self,
        output: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,  # noqa: ARG002
        label_smoothing: float = 0.0,  # noqa: ARG002
    ) -> torch.Tensor:
        """The cross-entropy, 1 - Dice of the probabilities over all images of the batch together, or their sum."""
        logits, true = output.float(), targets.float()
        cross_entropy = F.binary_cross_entropy_with_logits(logits, true)
        overlap = dice_of_probabilities(logits.sigmoid().reshape(1, 1, -1), true.reshape(1, 1, -1))[0, 0]
        return {"cross-entropy": cross_entropy, "Dice": 1 - overlap, "both": cross_entropy + 1 - overlap}[self.by]


class InTiles(nn.Module):
    """A network that learns from patches, and sees whole images as overlapping tiles of the same size.

    Its normalisation goes by all that it sees at once, so that a whole slice would be another world than a patch.
    """

    def __init__(self, network: nn.Module, tile: int) -> None:
        super().__init__()
        self.network, self.tile = network, tile

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[-1] == self.tile:
            logits: torch.Tensor = self.network(images)
            return logits
        size, step = images.shape[2:], self.tile // 2
        tiles = F.unfold(images, self.tile, stride=step).transpose(1, 2)  # [images, tiles, pixels]
        count = tiles.shape[1]
        said = self.network(tiles.reshape(-1, 1, self.tile, self.tile)).flatten(1)  # [images * tiles, labels * pixels]
        columns = said.reshape(len(images), count, -1).transpose(1, 2)
        total, times = (F.fold(part, size, self.tile, stride=step) for part in (columns, torch.ones_like(columns)))
        return total / times


Slices = InMemory[ReaderPredictions]


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Who marks nothing, and every loss with each way of sampling, with each seed."""
    nothing: list[Row] = [{"loss": NOTHING, "sampling": "none", "seed": SEEDS[0]}]
    return nothing + [
        {"loss": loss, "sampling": sampling, "seed": seed}
        for seed in SEEDS
        for sampling in SAMPLINGS
        for loss in LOSSES
    ]


def measure(_: CourseData[LabelledImage], case: Row) -> Row:
    """Dice of the slices with a nodule, the nodules found, the slices with a false alarm, each with a 95 % interval."""
    loss, sampling, seed = str(case["loss"]), str(case["sampling"]), int(case["seed"])
    (ours, threshold), (usual, other) = _numbers(loss, sampling, seed), _numbers(LOSSES[0], SAMPLINGS[0], seed)
    row = judged("", _of(ours, "dice", threshold), _of(usual, "dice", other))
    return {
        "dice": row.pop(""),
        **row,
        "dice_at_a_half": _of(ours, "dice", AS_LIKELY_AS_NOT).mean(),
        **judged("nodules_found", _found(ours, threshold)),
        **judged("slices_with_a_false_alarm", _of(ours, "alarm", threshold)),
        "right_pixels_in_percent": 100 * _of(ours, "right", threshold).mean(),
        "threshold": threshold,
        "chosen": 0.0 if loss == NOTHING else _learning_rate(loss, sampling),
    }


@cache
def make_slices(chests: Chests) -> tuple[Slices, Slices, Slices]:
    """Whole slices of the patients to learn from, of those who choose, and of those of the test."""
    counts = chests.learned, chests.validation, chests.test
    parts = []
    for first, end in pairwise([0, *np.cumsum(counts).tolist()]):
        of_each = [_slices_of(chests, number) for number in progress(range(first, end), "Making chests", "patient")]
        samples = [
            sample_of(f"phantom{number:04d}", position, masks=1)
            for number, (_, marks) in zip(range(first, end), of_each, strict=True)
            for position in range(len(marks))
        ]
        images, marks = (np.concatenate(several) for several in zip(*of_each, strict=True))
        parts.append(
            Slices(
                samples,
                torch.from_numpy(images)[:, None],
                torch.from_numpy(marks)[:, None],
                TASK,
                target_type=torch.uint8,
            )
        )
    return parts[0], parts[1], parts[2]


def slices_to_learn(sampling: str) -> tuple[Slices, int]:
    """What a step is drawn from, and how many epochs there are: as many pixels and steps, however they are sampled."""
    whole = make_slices(CHESTS)[0]
    epochs = max(1, round(SEEN / len(whole)))
    if sampling == SAMPLINGS[0]:
        return whole.with_(flips=(-1,)), epochs
    with_nodule = np.flatnonzero(whole.targets.flatten(1).any(dim=1).numpy())
    half = len(whole) * PATCHES // 2
    indices = [*np.resize(with_nodule, half), *np.resize(np.arange(len(whole)), half)]
    aimed = (True,) * half + (False,) * half
    return whole.take(map(int, indices)).with_(window=(PATCH, PATCH), aimed=aimed, flips=(-1,)), epochs


def _slices_of(chests: Chests, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The slices of one patient, as a network sees them, and where the nodule is: [slices, rows, columns] each."""
    how = replace(chests, learned=0, validation=0, test=0)
    return kept_scan(how, number, lambda: _scanned(chests, number), (chests.rows, chests.pixels))


def _scanned(chests: Chests, number: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The same in Hounsfield units, which takes a second."""
    rng = np.random.default_rng([chests.seed, number])
    patient, exposure = draw_patient(rng, "normal", adult=True), draw_exposure(rng)
    exposure = replace(exposure, thickness_mm=chests.thickness_mm)
    nodule = sized_nodule(rng, patient, rng.uniform(*chests.at_least_mm), chests.most_mm)
    patient = replace(patient, nodules=(nodule,))
    middle, thick = place(patient, nodule)[1], chests.thickness_mm / 10
    away = 2 * nodule.radius_mm / 10 + thick
    heights = rng.uniform(-0.35, 0.35, size=50 * chests.elsewhere) * patient.lung_height
    elsewhere = [y for y in heights if abs(y - middle) > away][: chests.elsewhere]
    stack = chests.through * thick
    scans = [scan_chest(patient, exposure, (middle - stack / 2, middle + stack / 2), chests.pixels)]
    scans += [scan_chest(patient, exposure, (y - thick / 2, y + thick / 2), chests.pixels) for y in elsewhere]
    # of a slice that a nodule fills by less than half, it is not said what is right
    keep = [np.array([where.any() or i > 0 for where in scan.nodules[0]]) for i, scan in enumerate(scans)]
    air = (chests.pixels - chests.rows) // 2
    trunk = slice(air, air + chests.rows)
    slices = [scan.hounsfield[there, trunk] for scan, there in zip(scans, keep, strict=True)]
    marks = [scan.nodules[0][there, trunk] & (i == 0) for i, (scan, there) in enumerate(zip(scans, keep, strict=True))]
    return np.concatenate(slices), np.concatenate(marks)


def build(sampling: str) -> nn.Module:
    """The small U-Net that all of them train; after patches it sees tiles."""
    network = UNet(1, width=WIDTH, depth=DEPTH)
    return InTiles(network, PATCH) if sampling == SAMPLINGS[1] else network


@cache
def _learning_rate(loss: str, sampling: str) -> float:
    def score(rate: float) -> float:
        validation = _answers(loss, sampling, rate, SEEDS[0])[0]
        return max(_mean_dice(validation, at) for at in THRESHOLDS)

    return best_rate(score)


def _numbers(loss: str, sampling: str, seed: int) -> tuple[NDArray[np.float64], float]:
    """What is measured of every test slice, and the threshold that counts."""
    if loss == NOTHING:
        test = make_slices(CHESTS)[2]
        return _measured(TASK.predictions(torch.full_like(test.images, -100), test.targets, test.samples)), 0.5
    validation, numbers = _answers(loss, sampling, _learning_rate(loss, sampling), seed)
    return numbers, max(THRESHOLDS, key=lambda at: _mean_dice(validation, at))


def _mean_dice(numbers: NDArray[np.float64], threshold: float) -> float:
    """Of the slices that show a nodule."""
    return float(np.nanmean(numbers[:, _column("dice", threshold)]))


def _answers(
    loss: str, sampling: str, learning_rate: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is measured of validation and test slices after a training."""
    task = Minimised(by=loss)
    learned, epochs = slices_to_learn(sampling)
    _, validation, test = make_slices(CHESTS)
    parts = learned.with_(task=task), validation.with_(task=task), test.with_(task=task)
    each = PATCHES if sampling == SAMPLINGS[1] else 1
    config = trained(epochs, SLICES * each, learning_rate, seed)
    return numbers_after(lambda: build(sampling), parts, config, _measured, len(THRESHOLDS) * len(COLUMNS))


def _column(name: str, threshold: float) -> int:
    return THRESHOLDS.index(threshold) * len(COLUMNS) + COLUMNS.index(name)


def _measured(said: ReaderPredictions) -> NDArray[np.float64]:
    """`COLUMNS` at each threshold, of each slice; of one without a nodule, Dice and what is found are NaN."""
    pairs = zip(said.probabilities, said.marks, strict=True)
    return np.array([[x for at in THRESHOLDS for x in _of_slice(map_ > at, marks[0] > 0)] for map_, marks in pairs])


def _of_slice(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    alarm = count_lesions(found, true).false_alarms > 0
    there = bool(true.any())
    overlap, touched = (dice(found, true), float((found & true).any())) if there else (np.nan, np.nan)
    return overlap, touched, float(alarm), float((found == true).mean())


def _of(numbers: NDArray[np.float64], name: str, threshold: float) -> ImageScores:
    return scores_of(numbers[:, _column(name, threshold)], make_slices(CHESTS)[2].samples)


def _found(numbers: NDArray[np.float64], threshold: float) -> ImageScores:
    """Whether the nodule of each patient was found in any of its slices."""
    touched = _of(numbers, "found", threshold)
    best: dict[str, float] = {}
    for patient, value in zip(touched.patients.tolist(), touched.values[:, 0].tolist(), strict=True):
        best[patient] = max(value, best.get(patient, 0.0))
    return scores_of(np.array(list(best.values())), [sample_of(patient) for patient in best])


STUDY = Study(
    name="nodule_losses",
    question="What does each loss do with a nodule that fills a thousandth of a simulated slice?",
    factors=("loss", "sampling"),
    cases=cases,
    measure=measure,
    modality=CHEST_CT.name,
    sources=("phantom",),
    score="dice",
)
