"""Learn from one reader, from the majority, or from the votes of four? Simulated nodules, of which the truth is known.

The crops are those of `chest_ct.phantoms`, and the same four readers have marked all of them. The networks are the
same, as are their steps and learning rate; what they learn is not: one reader's marks (with each seed another one's),
the pixels that at least two readers marked, or how many did. A threshold that suits the majority does not suit votes,
where two of four are one half. Hence each has its own, from the same few, by the Dice of validation patients against
what it learned: who has one reader's marks knows no majority.

Measured against the majority of four in the slices that two readers marked; against the truth, which nobody knows
outside of a simulation, where the nodule is; and against the majority of the other three, which is as fair to a reader
as to a network, see `evaluation.readers`. The Dice of a reader against all four is flattered, because the reader is one
of them. Doubt is judged as in `evaluation.reader_doubt`, in slices where readers disagree, beside how near a pixel is
to the border of the network's outline. The error of votes is how far the probability lies from the part of the readers
who marked a pixel, on average over pixels that anyone marked.

Cost on one core: about six minutes. What a training says is kept in build/studies/.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.studies.outlines import (
    InMemory,
    judged,
    numbers_after,
    sample_of,
    scores_of,
    trained,
)
from course_lib.authoring.studies.study import Study
from course_lib.data.course_data import CourseData
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.reader_doubt import disagreement_auroc
from course_lib.evaluation.readers import AS_LIKELY_AS_NOT, ReaderPredictions, against_the_others, majority_dice
from course_lib.evaluation.segmentation import ImageScores, dice
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_ct.modality import CHEST_CT
from course_lib.modalities.chest_ct.phantoms import Settings, draw_nodules
from course_lib.modalities.chest_ct.simulated_readers import READERS
from course_lib.networks.unet import UNet
from course_lib.support.runtime import progress
from course_lib.tasks.reader_outlines import Learned, ReaderOutlines

ONE, MAJORITY, VOTES = "one reader", "majority", "votes"
READER, USUAL = "a reader, no network", "usual outline"  #: in place of a network
SEEDS = (0, 1)  #: for each of them another reader is the one
SEEN, SLICES = 2000, 4  #: slices that each training sees; of a step
LEARNING_RATE = 3e-3
WIDTH, DEPTH = 8, 3  #: of the U-Net
HALF_OF_READERS = 2
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6)  #: above which a pixel is marked; one is chosen
AT_THRESHOLD = ("own", "dice", "truth", "others")  #: what is measured of each slice at each threshold
COLUMNS = ("doubt", "border", "off")  #: and what hangs on none

Slices = InMemory[ReaderPredictions]


@dataclass(frozen=True)
class Crops:
    """The simulated patients, in the order of their numbers, and the slices of their nodules."""

    learned: int = 50
    validation: int = 15  #: these choose the threshold
    test: int = 50
    pixels: int = 64
    pixel_mm: float = 0.9
    seed: int = 17


CROPS = Crops()


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Who does not look, each reader, and what can be learned, with each seed."""
    usual: list[Row] = [{"learned": USUAL, "seed": SEEDS[0]}]
    return usual + [{"learned": learned, "seed": seed} for seed in SEEDS for learned in (READER, ONE, MAJORITY, VOTES)]


def measure(_: CourseData[LabelledImage], case: Row) -> Row:
    """Dice against majority and truth on test patients with 95 % intervals, and the differences to `MAJORITY`."""
    learned, seed = str(case["learned"]), int(case["seed"])
    (ours, threshold), (usual, usual_threshold) = _numbers(learned, seed), _numbers(MAJORITY, seed)
    samples = make_crops(CROPS).test.samples

    def scores(numbers: NDArray[np.float64], name: str, at: float) -> ImageScores:
        return scores_of(numbers[:, _column(name, at)], samples)

    def beside(shown: str, name: str) -> dict[str, float]:
        return judged(shown, scores(ours, name, threshold), scores(usual, name, usual_threshold))

    row = beside("", "dice")
    return {
        "dice": row.pop(""),
        **row,
        **beside("dice_against_truth", "truth"),
        **judged("dice_against_the_other_readers", scores(ours, "others", threshold)),
        **beside("auroc_of_doubt", "doubt"),
        "auroc_of_border": scores(ours, "border", threshold).mean(),
        "error_of_votes": scores(ours, "off", threshold).mean(),
        "threshold": threshold,
    }


@dataclass(frozen=True)
class Made:
    """The slices to learn from, those that choose, those of the test, and where the nodules of all really are."""

    learned: Slices
    validation: Slices
    test: Slices
    truth: dict[str, NDArray[np.bool_]]  #: by the file that the predictions name


@cache
def make_crops(crops: Crops) -> Made:
    """The slices of all patients, each scaled to a mean of 0 and a spread of 1."""
    counts = crops.learned, crops.validation, crops.test
    settings = Settings({"train": sum(counts)}, crops.seed, pixels=crops.pixels, pixel_mm=crops.pixel_mm)
    parts: list[Slices] = []
    truth = {}
    for first, end in pairwise([0, *np.cumsum(counts).tolist()]):
        samples, images, marks = [], [], []
        for number in progress(range(first, end), "Making crops", "patient"):
            for k, nodule in enumerate(draw_nodules(settings, number)):
                for position, crop in enumerate(nodule):
                    sample = sample_of(f"phantom{number:04d}", position, f"nodule-{k}", masks=READERS)
                    samples.append(sample)
                    images.append((crop.image - crop.image.mean()) / crop.image.std())
                    marks.append(crop.marks.astype(np.uint8))
                    truth[_file(sample)] = crop.true
        pixels = torch.from_numpy(np.stack(images).astype(np.float32))[:, None]
        readers = torch.from_numpy(np.stack(marks))
        parts.append(Slices(samples, pixels, readers, ReaderOutlines(), target_type=torch.uint8))
    return Made(parts[0].with_(flips=(-1, -2)), parts[1], parts[2], truth)


def build() -> nn.Module:
    """The small U-Net that all of them train."""
    return UNet(1, width=WIDTH, depth=DEPTH)


def _file(sample: MarkedSlice) -> str:
    return f"{sample.nodule}/{sample.path.name}"


def _column(name: str, threshold: float) -> int:
    if name in AT_THRESHOLD:
        return THRESHOLDS.index(threshold) * len(AT_THRESHOLD) + AT_THRESHOLD.index(name)
    return len(THRESHOLDS) * len(AT_THRESHOLD) + COLUMNS.index(name)


def _numbers(learned: str, seed: int) -> tuple[NDArray[np.float64], float]:
    """What is measured of every test slice, and the threshold that counts."""
    if learned in (READER, USUAL):
        return (_of_a_reader(seed) if learned == READER else _measured(_who_does_not_look())), AS_LIKELY_AS_NOT
    validation, test = _answers(learned, seed)
    threshold = max(THRESHOLDS, key=lambda at: float(np.nanmean(validation[:, _column("own", at)])))
    return test, threshold


def _answers(learned: str, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is measured of every validation and test slice after a training."""
    of: dict[str, Learned] = {ONE: seed % READERS, MAJORITY: "majority", VOTES: "votes"}
    what, made = of[learned], make_crops(CROPS)
    task = ReaderOutlines(what)
    parts = (made.learned.with_(task=task), made.validation.with_(task=task), made.test.with_(task=task))
    config = trained(max(1, round(SEEN / len(parts[0]))), SLICES, LEARNING_RATE, seed)
    columns = len(THRESHOLDS) * len(AT_THRESHOLD) + len(COLUMNS)
    return numbers_after(build, parts, config, lambda said: _measured(said, what), columns)


def _of_a_reader(reader: int) -> NDArray[np.float64]:
    """What is measured of the marks of one reader, who is always certain; beside the others, the mean of all four."""
    nobody = _who_does_not_look()
    said = replace(nobody, probabilities=tuple(marks[reader].astype(np.float32) for marks in nobody.marks))
    numbers = _measured(said)
    beside_others = _in_place(against_the_others(said)[1], said)
    numbers[:, [_column("others", at) for at in THRESHOLDS]] = beside_others[:, None]
    return numbers


def _who_does_not_look() -> ReaderPredictions:
    test = make_crops(CROPS).test
    task = ReaderOutlines()
    said = task.predictions(torch.zeros_like(test.images), test.targets, test.samples)
    return replace(task.baseline(said), losses=said.losses)


def _measured(said: ReaderPredictions, learned: Learned = "majority") -> NDArray[np.float64]:
    """The numbers of each slice, in the order of `_column`; NaN where a slice has none."""
    truth = [make_crops(CROPS).truth[file] for file in said.files]
    columns = []
    for at in THRESHOLDS:
        of_four = np.where(said.readers_who_marked >= HALF_OF_READERS, majority_dice(said, at).values[:, 0], np.nan)
        own = of_four
        if isinstance(learned, int):
            own = _against(said, [marks[learned] > 0 for marks in said.marks], at)
        columns += [own, of_four, _against(said, truth, at), _in_place(against_the_others(said, at)[0], said)]
    doubt, border = (_in_place(scores, said) for scores in disagreement_auroc(said))
    return np.stack([*columns, doubt, border, _error_of_votes(said)], axis=1)


def _against(said: ReaderPredictions, true: Sequence[NDArray[np.bool_]], threshold: float) -> NDArray[np.float64]:
    """The Dice of each outline, NaN where there is nothing to outline."""
    pairs = zip(said.probabilities, true, strict=True)
    return np.array([dice(found > threshold, there) if there.any() else np.nan for found, there in pairs])


def _error_of_votes(said: ReaderPredictions) -> NDArray[np.float64]:
    """How far probabilities lie from the part of the readers who marked, over the pixels of each slice that any did."""
    parts = [marks.mean(axis=0) for marks in said.marks]
    pairs = zip(said.probabilities, parts, strict=True)
    return np.array([np.abs(found - part)[part > 0].mean() for found, part in pairs])


def _in_place(some: ImageScores, said: ReaderPredictions) -> NDArray[np.float64]:
    """The numbers of some slices in their places among all, NaN for the others."""
    values = dict(zip(some.files, some.values[:, 0], strict=True))
    return np.array([values.get(file, np.nan) for file in said.files])


STUDY = Study(
    name="nodule_readers",
    question="Should a network learn simulated nodules from one reader, from the majority, or from votes?",
    factors=("learned",),
    cases=cases,
    measure=measure,
    modality=CHEST_CT.name,
    sources=("phantom",),
    score="dice",
)
