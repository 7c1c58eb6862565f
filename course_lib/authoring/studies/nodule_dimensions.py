"""2-D, 2.5-D or 3-D? A nodule outlined in a stack of simulated slices, by three U-Nets of the same layers.

Each patient has one nodule of 6 to 20 mm. What a network sees is a part of the lungs around it, 8 slices of 2 mm with
32 x 32 pixels of 0.9 mm, in which the nodule lies anywhere: in training another part each time, in the test always the
same. A part may cut its nodule: in the test it does so in 63 of 70 patients, and holds three quarters of a nodule in
the median. The 2-D network sees one slice at a time, the 2.5-D one its two neighbours as further channels, and the 3-D
one has convolutions, and halves its maps, along the slices as well. All learn from as many voxels in as many steps. A
voxel is marked where the network finds the nodule more probable than not; Dice is that of what the part holds of the
nodule, and a false alarm is a marked spot that touches no nodule.

Who does not look marks nothing, since no place in the part belongs to the nodule in most patients; the Dice is 0.

Cost on one core: about seven minutes. What a training says is kept in build/studies/.
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
from course_lib.evaluation.readers import MARKED
from course_lib.evaluation.segmentation import ImageScores, SegmentationPredictions, dice
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_ct.exposure import draw_exposure
from course_lib.modalities.chest_ct.modality import CHEST_CT
from course_lib.modalities.chest_ct.scan import scan_around
from course_lib.modalities.simulated_chest.people import draw_patient
from course_lib.networks.costs import count_parameters, gflops
from course_lib.networks.unet import UNet
from course_lib.support.runtime import progress, seeded
from course_lib.tasks.segmentation import Segmentation

NETWORKS = ("2-D", "2.5-D", "3-D")
NOTHING = "nothing marked"  #: in place of a network: who does not look
NEIGHBOURS = 1  #: slices above and below that the 2.5-D network sees
WIDTH, DEPTH = 8, 2  #: of the U-Nets; more halvings leave a thin stack no slices
SEEDS = (0, 1, 2)
SEEN, STACKS = 1600, 2  #: parts of stacks that each training sees; of a step
WINDOW = (8, 32, 32)  #: slices, rows and columns of such a part
COLUMNS = ("dice", "alarms")  #: what is measured of each stack


@dataclass(frozen=True)
class Nodules:
    """The simulated patients, in the order of their numbers, and the stacks around their nodules."""

    learned: int = 100
    validation: int = 20  #: these choose the learning rate
    test: int = 70
    slices: int = 16
    pixels: int = 64
    pixel_mm: float = 0.9
    thickness_mm: float = 2.0
    diameters_mm: tuple[float, float] = (6.0, 20.0)
    seed: int = 13


NODULES = Nodules()
Stacks = InMemory[SegmentationPredictions]


class SliceBySlice(nn.Module):
    """A 2-D network for stacks: [batch, 1, slices, rows, columns] to [batch, labels, slices, rows, columns].

    It sees each slice with so many ``neighbours`` above and below as channels; beyond its ends a stack goes on with its
    last slice.
    """

    def __init__(self, network: nn.Module, neighbours: int = 0) -> None:
        super().__init__()
        self.network, self.neighbours = network, neighbours

    def forward(self, stacks: torch.Tensor) -> torch.Tensor:
        beyond = F.pad(stacks, (0, 0, 0, 0, self.neighbours, self.neighbours), mode="replicate")
        count, slices = len(stacks), stacks.shape[2]
        beside = [beyond[:, 0, start : start + slices] for start in range(2 * self.neighbours + 1)]
        images = torch.stack(beside, dim=2).flatten(0, 1)  # [batch * slices, channels, rows, columns]
        logits: torch.Tensor = self.network(images)
        return logits.reshape(count, slices, *logits.shape[1:]).transpose(1, 2)


class InSpace(nn.Module):
    """A 3-D network for stacks, whose channels lie together in memory, which halves the time on a processor."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, stacks: torch.Tensor) -> torch.Tensor:
        self.network.to(memory_format=torch.channels_last_3d)
        logits: torch.Tensor = self.network(stacks)
        return logits


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Who does not look, and every network with each seed."""
    nothing: list[Row] = [{"network": NOTHING, "seed": SEEDS[0]}]
    return nothing + [{"network": network, "seed": seed} for seed in SEEDS for network in NETWORKS]


def measure(_: CourseData[LabelledImage], case: Row) -> Row:
    """Dice of the nodules of test patients, with a 95 % interval and the paired difference to 2-D; and the costs."""
    network, seed = str(case["network"]), int(case["seed"])
    ours, flat = _numbers(network, seed), _numbers(NETWORKS[0], seed)
    row = judged("", _of(ours, "dice"), _of(flat, "dice"))
    costs = {"chosen": 0.0, "weights": 0, "gflops": 0.0}
    if network != NOTHING:
        shape, model = (1, *WINDOW), build(network)
        costs = {
            "chosen": _learning_rate(network),
            "weights": count_parameters(model),
            "gflops": gflops(model, shape),
        }
    return {"dice": row.pop(""), **row, **judged("false_alarms", _of(ours, "alarms")), **costs}


def build(network: str) -> nn.Module:
    """One of `NETWORKS`: logits of background and nodule for each voxel of a stack."""
    labels = len(MARKED)
    if network == "3-D":
        return InSpace(UNet(labels, dimensions=3, width=WIDTH, depth=DEPTH))
    neighbours = {"2-D": 0, "2.5-D": NEIGHBOURS}[network]
    return SliceBySlice(UNet(labels, 2 * neighbours + 1, width=WIDTH, depth=DEPTH), neighbours)


@cache
def make_stacks(nodules: Nodules) -> tuple[Stacks, Stacks, Stacks]:
    """The stacks of the patients to learn from, of those who choose, and of those of the test."""
    counts = nodules.learned, nodules.validation, nodules.test
    numbers = progress(range(sum(counts)), "Making nodules", "nodule")
    images, marks = (np.stack(several) for several in zip(*(_stack(nodules, n) for n in numbers), strict=True))
    samples = [sample_of(f"phantom{number:04d}") for number in range(sum(counts))]
    everyone = Stacks(samples, torch.from_numpy(images)[:, None], torch.from_numpy(marks), Segmentation(MARKED))
    ends = [0, *np.cumsum(counts).tolist()]
    learned, validation, test = (everyone.take(range(first, end)) for first, end in pairwise(ends))
    return learned.with_(window=WINDOW, flips=(-1, -2, -3)), _cut(validation), _cut(test)


def nothing_marked(stacks: Stacks) -> SegmentationPredictions:
    """What somebody says of the stacks who does not look: background everywhere."""
    nothing = torch.zeros(len(stacks), len(MARKED), *stacks.targets.shape[1:])
    return stacks.task.predictions(nothing, stacks.targets.long(), stacks.samples)


def _cut(stacks: Stacks) -> Stacks:
    """One part of each, cut as for training, and then the same for everybody."""
    with seeded(0):
        images, marks = stacks.with_(window=WINDOW).batch(torch.arange(len(stacks)))
    return Stacks(stacks.samples, images, marks.to(torch.uint8), stacks.task)


def _stack(nodules: Nodules, number: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The slices around one nodule as a network sees them, and where it is: [slices, rows, columns] each."""
    how = replace(nodules, learned=0, validation=0, test=0)
    return kept_scan(how, number, lambda: _scanned(nodules, number), (nodules.pixels, nodules.pixels))


def _scanned(nodules: Nodules, number: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The same in Hounsfield units."""
    rng = np.random.default_rng([nodules.seed, number])
    patient, exposure = draw_patient(rng, "normal", adult=True), draw_exposure(rng)
    patient = replace(patient, nodules=(sized_nodule(rng, patient, *nodules.diameters_mm),))
    exposure = replace(exposure, thickness_mm=nodules.thickness_mm)
    scan = scan_around(patient, exposure, 0, slices=nodules.slices, pixels=nodules.pixels, pixel_mm=nodules.pixel_mm)
    return scan.hounsfield, scan.nodules[0]


@cache
def _learning_rate(network: str) -> float:
    return best_rate(lambda rate: float(_answers(network, rate, SEEDS[0])[0][:, 0].mean()))


def _numbers(network: str, seed: int) -> NDArray[np.float64]:
    """`COLUMNS` of every test stack."""
    if network == NOTHING:
        return _measured(nothing_marked(make_stacks(NODULES)[2]))
    return _answers(network, _learning_rate(network), seed)[1]


def _answers(network: str, learning_rate: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`COLUMNS` of validation and test stacks after a training."""
    parts = make_stacks(NODULES)
    config = trained(max(1, round(SEEN / len(parts[0]))), STACKS, learning_rate, seed)
    return numbers_after(lambda: build(network), parts, config, _measured, len(COLUMNS))


def _measured(said: SegmentationPredictions) -> NDArray[np.float64]:
    """`COLUMNS` of each stack."""
    pairs = [(found > 0, true > 0) for found, true in zip(said.predicted, said.true, strict=True)]
    return np.array([(dice(found, true), count_lesions(found, true).false_alarms) for found, true in pairs])


def _of(numbers: NDArray[np.float64], name: str) -> ImageScores:
    return scores_of(numbers[:, COLUMNS.index(name)], make_stacks(NODULES)[2].samples)


STUDY = Study(
    name="nodule_dimensions",
    question="Does a network outline simulated nodules better by seeing more than one slice at once?",
    factors=("network",),
    cases=cases,
    measure=measure,
    modality=CHEST_CT.name,
    sources=("phantom",),
    score="dice",
)
