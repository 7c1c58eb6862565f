"""What simulated nodules teach about real ones, and how many real patients that is worth: Dice against the majority.

Measured on training patients held out; the test part stays closed. Of the training patients of the real set a fixed
fifth, by a hash of their names, measures every case, and nothing is learned from them. The others are learned from: 1,
3, 10, 30, or all that remain, so that a hundred are out of reach with the folder of the course. A seed puts these
patients into an order, and fewer are the first of more; both starts have the same. There are two seeds, so that with 1
or 3 patients much hangs on who was drawn.

The network is that of the recipe for the course's own lung nodules, without enlarging the crops, which takes a third of
the time. It begins with what photographs taught its encoder ("photographs"), or learns from simulated nodules first
("phantoms", which began with photographs too). Each training sees equally many slices, so that a start from phantoms
has seen as many simulated ones besides. Each start has the better of two learning rates, chosen once, with the first
seed and 10 patients, by the Dice of `CHOOSERS` others who may be learned from. Above a probability of a half a pixel
belongs to the nodule, in all cases. Crop, loss and what is changed at random were chosen for the recipe, which begins
with photographs, on training patients, and some of these measure here: as far as that matters, it helps photographs.

With 0 patients no real mark was seen: by networks from phantoms alone, whose exposures are as the physics says
("phantoms"), half at random, or all at random; and by someone who does not look, but knows the usual outline in the
middle. "Two readers" is how two who both marked a slice agree with each other; it can not be held against the rest, see
`evaluation.readers`, where a network can be held against a reader: that is ``over_readers_gain``.

Cost on one core: about forty minutes, five minutes of it for simulating. What is trained is kept in build/studies/.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course_lib.authoring.kept_answers import kept
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.course_data import CourseData
from course_lib.data.marked_slice_data import MarkedSliceDataset
from course_lib.data.marked_slices import MarkedSlice, read_marked
from course_lib.evaluation.intervals import bootstrap_interval, compare
from course_lib.evaluation.readers import AS_LIKELY_AS_NOT, ReaderPredictions
from course_lib.evaluation.segmentation import ImageScores
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_ct.modality import CHEST_CT
from course_lib.modalities.chest_ct.phantoms import VERSION, Settings, make_dataset
from course_lib.modalities.chest_ct.recipe import (
    AT_LEAST_TWO,
    CONFIG,
    CROP,
    DIFFERENCE,
    FIGURES,
    LEARN,
    NEIGHBOURS,
    OF_READERS,
    LungNodules,
    at_size,
)
from course_lib.networks.lite_unet import LiteUNet
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0
from course_lib.support.errors import DataError
from course_lib.support.files import digest
from course_lib.support.runtime import seeded
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

PHOTOGRAPHS, PHANTOMS = STARTS = ("photographs", "phantoms")
NOT_LOOKING, READERS = "without looking", "two readers"
RANDOM = {PHANTOMS: 0.0, "phantoms, half random": 0.5, "phantoms, random": 1.0}  #: how far exposures are at random
SEEDS = (0, 1)
PATIENTS = (1, 3, 10, 30)  #: to learn from, apart from all
HELD_OUT = 5  #: every fifth patient measures
SIMULATED = Settings({"train": 150}, seed=11, pixels=CROP)  #: other people than in the sets of `chest_ct.phantoms`
SLICES_SEEN = 2400  #: of a training, each about as often as any other
LEARNING_RATES = (5e-3, 2e-3)  #: the recipe's, and a gentler one
TUNED_WITH, CHOOSERS = 10, 20  #: patients who are learned from, and others who choose the learning rate
EXPERIMENT = LungNodules(
    at_size(CROP, replace(CONFIG, epochs=1, mixed_precision=False)), networks=1, threshold=AS_LIKELY_AS_NOT
)


def cases(data: CourseData[Any]) -> list[Row]:
    """No real patient, 1, 3, 10, 30, and all, from both starts, with each seed; and both without a network, once."""
    everyone = len({one.patient for one in parted(data)[0]})
    counts = [*(count for count in PATIENTS if count < everyone), everyone]
    no_network: list[Row] = [{"start": name, "patients": 0, "seed": SEEDS[0]} for name in (NOT_LOOKING, READERS)]
    return no_network + [
        {"start": start, "patients": patients, "seed": seed}
        for seed in SEEDS
        for start, patients in [(start, 0) for start in RANDOM] + [(one, count) for count in counts for one in STARTS]
    ]


def measure(data: CourseData[Any], case: Row) -> Row:
    """Dice with its 95 % interval over patients, and paired differences on the same patients, where there are any.

    ``gain`` is over photographs with as many real patients, ``over_phantoms_gain`` over phantoms alone, as the physics
    says, both with the same seed. ``over_readers_gain`` is over a reader, both against the majority of the others.
    """
    ours = _answers(data, case)
    row: dict[str, str | int | float] = _judged(ours, OF_READERS if case["start"] == READERS else AT_LEAST_TWO)
    if case["start"] == READERS:
        return row
    if case["start"] == PHANTOMS and case["patients"]:
        row |= _gained("gain", ours, _answers(data, {**case, "start": PHOTOGRAPHS}))
    if case["start"] != PHANTOMS or case["patients"]:
        row |= _gained("over_phantoms_gain", ours, _answers(data, {**case, "start": PHANTOMS, "patients": 0}))
    row |= {f"over_readers_gain{name}": value for name, value in _named(_judged(ours, DIFFERENCE)).items()}
    if case["patients"]:
        drawn = draw(parted(data)[0], int(case["patients"]), int(case["seed"]))
        row |= {"slices": len(drawn), "chosen": _learning_rate(data, str(case["start"]))}
    return row


def parted(data: CourseData[Any]) -> tuple[list[MarkedSlice], list[MarkedSlice]]:
    """The slices to learn from, and those of the patients who measure; none is of the test part.

    Raises:
        DataError: one of the two would be empty, or too few patients remain to choose a learning rate.
    """
    slices = sorted([*data.train, *data.validation], key=lambda one: (one.nodule, one.position))
    held = [int(digest(one.patient, 8), 16) % HELD_OUT == 0 for one in slices]
    learned = [one for one, out in zip(slices, held, strict=True) if not out]
    needed, there = TUNED_WITH + CHOOSERS, len({one.patient for one in learned})
    if there < needed or not any(held):
        raise DataError(
            f"This study learns from at least {needed} patients and measures on others, but beside the test part there "
            f"are {there} and {len({one.patient for one in slices}) - there}. Take a folder with more patients."
        )
    return learned, [one for one, out in zip(slices, held, strict=True) if out]


def draw(slices: Sequence[MarkedSlice], patients: int, seed: int) -> list[MarkedSlice]:
    """The slices of the first patients in the order of this seed, so that fewer patients are some of more."""
    chosen = set(_in_order(slices, seed)[:patients])
    return [one for one in slices if one.patient in chosen]


def _in_order(slices: Sequence[MarkedSlice], seed: int) -> list[str]:
    names = sorted({one.patient for one in slices})
    return [names[place] for place in np.random.default_rng(seed).permutation(len(names))]


def _answers(data: CourseData[Any], case: Row) -> ImageScores:
    """What is measured of each slice of the patients held out."""
    held = parted(data)[1]
    if case["start"] in (NOT_LOOKING, READERS):
        seen = _look_at(tuple(held))
        return EXPERIMENT.scored(seen.task.baseline(_nothing_said(seen)))
    learning_rate = _learning_rate(data, str(case["start"])) if case["patients"] else CONFIG.learning_rate
    return _scores_after(data, case, learning_rate).take(np.arange(len(held)))


@cache
def _nothing_said(seen: MarkedSliceDataset) -> ReaderPredictions:
    """The marks of the readers, beside a half everywhere."""
    marks = seen.batch(torch.arange(len(seen)))[1]
    return seen.task.predictions(torch.zeros_like(marks[:, :1], dtype=torch.float32), marks, seen.samples)


def _learning_rate(data: CourseData[Any], start: str) -> float:
    """The one that the choosers like best."""
    case: Row = {"start": start, "patients": TUNED_WITH, "seed": SEEDS[0]}
    held = parted(data)[1]
    answers = [_scores_after(data, case, rate) for rate in LEARNING_RATES]
    dice = [_dice(scores.take(np.arange(len(held), len(scores)))) for scores in answers]
    return LEARNING_RATES[int(np.argmax(dice))]


def _choosers(learned: Sequence[MarkedSlice]) -> list[MarkedSlice]:
    """The slices of the last patients in the order of the first seed."""
    last = set(_in_order(learned, SEEDS[0])[-CHOOSERS:])
    return [one for one in learned if one.patient in last]


def _scores_after(data: CourseData[Any], case: Row, learning_rate: float) -> ImageScores:
    """What is measured of each slice held out after this training, which is not done twice.

    After that of a case which chooses the learning rate, the choosers' slices follow.
    """
    learned, held = parted(data)
    tuned = (case["patients"], case["seed"]) == (TUNED_WITH, SEEDS[0])
    seen = _look_at((*held, *(_choosers(learned) if tuned else ())))
    drawn = draw(learned, int(case["patients"]), int(case["seed"]))

    def answer() -> NDArray[np.float64]:
        return EXPERIMENT.scored(predict(_trained(case, learned, drawn, learning_rate), seen)).values

    key = _key(case, learning_rate, _names(drawn), _names(seen.samples))
    values = kept(UNFINISHED / "answers", key, answer).reshape(-1, len(FIGURES))
    return replace(EXPERIMENT.scored(_nothing_said(seen)), values=values)


def _trained(case: Row, learned: Sequence[MarkedSlice], drawn: Sequence[MarkedSlice], learning_rate: float) -> LiteUNet:
    start, seed = str(case["start"]), int(case["seed"])
    if not drawn:
        return _from_phantoms(start, seed)
    model = _from_phantoms(PHANTOMS, seed) if start == PHANTOMS else _new_network(seed)
    place_of = {one.path: place for place, one in enumerate(learned)}
    return _fitted(model, _look_at(tuple(learned)).take([place_of[one.path] for one in drawn]), learning_rate, seed)


def _from_phantoms(name: str, seed: int) -> LiteUNet:
    """The network that learned from simulated nodules alone, with the recipe's learning rate; trained once."""
    model, rate = _new_network(seed), CONFIG.learning_rate
    path = UNFINISHED / "networks" / f"{_key({'start': name, 'seed': seed}, rate)[:16]}.pt"
    if not path.is_file():
        save_checkpoint(_fitted(model, _look_at(tuple(_simulated(RANDOM[name]))), rate, seed), path)
    load_checkpoint(model, path)
    return model


def _fitted(model: LiteUNet, learned: MarkedSliceDataset, learning_rate: float, seed: int) -> LiteUNet:
    """The model, after one long epoch in which each slice comes as often as any other, give or take one."""
    rng = np.random.default_rng(seed)
    rounds = -(-SLICES_SEEN // len(learned))
    places = np.concatenate([rng.permutation(len(learned)) for _ in range(rounds)])[:SLICES_SEEN]
    changed = copy.copy(learned.take(places.tolist()))
    changed.change, changed.mirror = EXPERIMENT.recipe.augmentation, True
    fit_whole(model, changed, learned.take([0]), replace(EXPERIMENT.config, learning_rate=learning_rate, seed=seed))
    return model


def _new_network(seed: int) -> LiteUNet:
    with seeded(seed):
        return LiteUNet(1, weights="imagenet")


def _simulated(randomise: float) -> list[MarkedSlice]:
    """The slices of the simulated patients, made on first use."""
    settings = replace(SIMULATED, randomise=randomise)
    patients = "-".join(map(str, settings.patients.values()))
    root = make_dataset(UNFINISHED / "nodules" / f"v{VERSION}-{randomise:g}-{patients}", settings)
    return read_marked(root / "train")


@cache
def _look_at(slices: tuple[MarkedSlice, ...]) -> MarkedSliceDataset:
    return MarkedSliceDataset(slices, EXPERIMENT.recipe.how, learn=LEARN, crop=CROP, neighbours=NEIGHBOURS)


def _key(case: Row, learning_rate: float, *more: object) -> str:
    """Another one for another training, other simulated patients, other weights to start from, or another torch."""
    training = EXPERIMENT, SLICES_SEEN, learning_rate, LEARN, NEIGHBOURS
    return digest(
        (sorted(case.items()), training, SIMULATED, RANDOM, EFFICIENTNET_LITE0.sha256, torch.__version__, more)
    )


def _names(slices: Sequence[MarkedSlice]) -> list[str]:
    return [f"{one.nodule}/{one.path.name}" for one in slices]


def _dice(scores: ImageScores) -> float:
    return EXPERIMENT.figures(scores)[AT_LEAST_TWO](scores)


def _judged(scores: ImageScores, figure: str) -> dict[str, str | int | float]:
    metric = EXPERIMENT.figures(scores)[figure]
    low, high = bootstrap_interval(scores, metric)
    return {"dice": metric(scores), "low": low, "high": high}


def _named(judged: Row) -> Row:
    return {"": judged["dice"], "_low": judged["low"], "_high": judged["high"]}


def _gained(name: str, ours: ImageScores, others: ImageScores) -> dict[str, float]:
    gain = compare(ours, others, _dice)
    return {name: gain.difference, f"{name}_low": gain.low, f"{name}_high": gain.high}


STUDY = Study(
    name="phantoms_to_ct",
    question="What do simulated nodules teach about real ones, and how many real patients is that worth?",
    factors=("start", "patients"),
    cases=cases,
    measure=measure,
    modality=CHEST_CT.name,
    sources=("real",),
    score="dice",
)
