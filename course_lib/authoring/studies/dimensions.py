"""Does a network gain by seeing more than one slice? 2-D, 2.5-D and 3-D on the same simulated heads, five seeds.

Each patient is one axial stack of thick slices of the whole head, in T1 after contrast agent, and all that is known of
it in training is the kind of tumour, not where that is. The three networks have the same layers, of the same width, and
are pooled alike: they differ only in how many neighbouring slices a layer sees at once. Each has its learning rate
chosen from the same two, by the mean loss of validation patients over all seeds; these also choose the epoch.

Cost on one core: about a quarter of an hour. What a training says is kept in build/studies/.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.kept_answers import kept, predictions_of
from course_lib.authoring.studies.methods import NET, SEEDS
from course_lib.authoring.studies.study import UNFINISHED, Study
from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.classification import Metric, accuracy, auroc
from course_lib.evaluation.intervals import compare
from course_lib.evaluation.predictions import Predictions, loss_of_each
from course_lib.evaluation.studies import Row
from course_lib.modalities.brain_mri.modality import BRAIN_MRI
from course_lib.modalities.brain_mri.phantoms import CLASSES, kind_of
from course_lib.modalities.simulated_head import Grid, draw_exposure, draw_patient, render
from course_lib.networks.costs import count_parameters, gflops
from course_lib.support.files import digest, digest_of_bytes
from course_lib.support.runtime import progress, seeded
from course_lib.tasks.classification import Classification
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

NETWORKS = {"2-D": (1, 1, 1), "2.5-D": (3, 1, 1), "3-D": (3, 3, 3)}  #: slices that each layer sees at once
WIDTHS = (8, 16, 32)  #: channels of the layers
LEARNING_RATES = (3e-3, 1e-2)
TRAINING = replace(NET, epochs=15, batch_size=8)
RESAMPLES = 500  #: of the test patients, for the intervals


@dataclass(frozen=True)
class Heads:
    """The simulated patients, in the order of their numbers, and their voxels."""

    learned: int = 240  #: from these, a third of each kind
    validation: int = 60  #: these choose the epoch and the learning rate
    test: int = 150
    spacing_mm: tuple[float, float, float] = (4.0, 4.0, 6.0)  #: the last one is from slice to slice, and its thickness
    seed: int = 10


HEADS = Heads()


class Stacks:
    """Whole heads in memory, one stack of slices a patient; fits `ImageData`.

    With ``mirrored``, right and left change places in every second head, drawn anew each time with torch's numbers.
    """

    def __init__(self, samples: Iterable[LabelledImage], stacks: torch.Tensor, *, mirrored: bool = False) -> None:
        self.samples, self.mirrored, self.task = tuple(samples), mirrored, Classification(CLASSES)
        self.stacks = stacks  #: float32 [patients, 1, slices, to the front, to the right]
        self._labels = torch.tensor([sample.label for sample in self.samples])

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these patients."""
        stacks = self.stacks[indices]
        if self.mirrored:
            stacks = torch.where(torch.rand(len(stacks), 1, 1, 1, 1) < 0.5, stacks.flip(-1), stacks)
        return stacks.to(device)

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """`inputs`, and the kind of tumour, int64 [patients]."""
        return self.inputs(indices, device), self._labels[indices].to(device)

    def take(self, indices: Iterable[int]) -> Self:
        """Some of the patients, in the order of ``indices``."""
        chosen, part = list(indices), copy.copy(self)
        part.samples = tuple(self.samples[i] for i in chosen)
        part.stacks, part._labels = self.stacks[chosen], self._labels[chosen]
        return part


def cases(_: CourseData[LabelledImage]) -> list[Row]:
    """Every network with each seed."""
    return [{"network": network, "seed": seed} for network in NETWORKS for seed in SEEDS]


def measure(_: CourseData[LabelledImage], case: Row) -> Row:
    """Accuracy and AUROC on test patients with 95 % intervals, and the paired differences to 2-D; and what it costs."""
    network, seed = str(case["network"]), int(case["seed"])
    chosen = _learning_rate(network)
    ours, flat = _answers(network, chosen, seed)[1], _answers("2-D", _learning_rate("2-D"), seed)[1]
    model = build(network)
    shape = tuple(make_stacks(HEADS)[2].inputs(torch.tensor([0])).shape[1:])
    right, area = _judged(ours, flat, accuracy), _judged(ours, flat, auroc)
    return {
        **{f"accuracy{name}": value for name, value in right.items()},
        "auroc": area[""],
        **{name.removeprefix("_"): value for name, value in area.items() if name},
        "chosen": chosen,
        "weights": count_parameters(model),
        "gflops": gflops(model, shape),
    }


def build(network: str) -> nn.Sequential:
    """One of `NETWORKS`, from [batch, 1, slices, rows, columns] to logits [batch, classes].

    Every layer halves the sides of the slices, and none the number of slices. Of each channel the strongest answer in
    the whole stack counts, so that one place in one slice is enough.
    """
    layers: list[nn.Module] = []
    for slices, before, after in zip(NETWORKS[network], (1, *WIDTHS), WIDTHS, strict=False):
        convolution = nn.Conv3d(
            before, after, (slices, 3, 3), stride=(1, 2, 2), padding=(slices // 2, 1, 1), bias=False
        )
        layers += [convolution, nn.BatchNorm3d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool3d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], len(CLASSES)))


@cache
def make_stacks(heads: Heads) -> tuple[Stacks, Stacks, Stacks]:
    """The patients to learn from, those who choose, and those of the test."""
    counts = heads.learned, heads.validation, heads.test
    numbers = progress(range(sum(counts)), "Making heads", "head")
    voxels = torch.from_numpy(np.stack([_stack(heads, number) for number in numbers])[:, None])
    samples = [
        LabelledImage(Path(f"phantom{number:04d}"), CLASSES.index(kind_of(number)), f"phantom{number:04d}")
        for number in range(sum(counts))
    ]
    everyone = Stacks(samples, voxels)
    ends = [sum(counts[:part]) for part in range(4)]
    learned, validation, test = (everyone.take(range(first, end)) for first, end in pairwise(ends))
    learned.mirrored = True
    return learned, validation, test


def _stack(heads: Heads, number: int) -> NDArray[np.float32]:
    """One head, [slices, to the front, to the right], with a mean of 0 and a standard deviation of 1."""
    rng = np.random.default_rng([heads.seed, number])
    patient, exposure = draw_patient(rng, kind_of(number)), draw_exposure(rng)
    exposure = replace(exposure, slice_mm=heads.spacing_mm[2])
    voxels = render(patient, exposure, Grid.head(heads.spacing_mm), ("T1c",)).images["T1c"].transpose(2, 1, 0)
    stack: NDArray[np.float32] = (voxels - voxels.mean()) / voxels.std()
    return stack


@cache
def _content(heads: Heads) -> str:
    """Another one for other voxels or labels, and so for another simulator."""
    parts = make_stacks(heads)
    return digest([(part.samples, digest_of_bytes(part.stacks.numpy().tobytes())) for part in parts])


def _learning_rate(network: str) -> float:
    """The one with the lowest mean loss of the validation patients over all seeds."""
    losses = [
        fmean(float(loss_of_each(_answers(network, rate, seed)[0]).mean()) for seed in SEEDS) for rate in LEARNING_RATES
    ]
    return LEARNING_RATES[int(np.argmin(losses))]


def _answers(network: str, learning_rate: float, seed: int) -> tuple[Predictions, Predictions]:
    """What a network says of validation and test patients after its training, which is not done twice."""
    learned, *judged = make_stacks(HEADS)
    config = replace(TRAINING, learning_rate=learning_rate, seed=seed)

    def answer() -> NDArray[np.float64]:
        with seeded(seed):
            model = build(network)
        fit_whole(model, learned, judged[0], config)
        return np.concatenate([predict(model, part).probabilities for part in judged])

    key = digest((str(build(network)), config, _content(HEADS), torch.__version__))
    said = kept(UNFINISHED / "answers", key, answer).reshape(-1, len(CLASSES))
    validation, test = np.split(said, [len(judged[0])])
    return predictions_of(judged[0].samples, CLASSES, validation), predictions_of(judged[1].samples, CLASSES, test)


def _judged(ours: Predictions, flat: Predictions, metric: Metric) -> dict[str, float]:
    """A metric with its interval, and how much higher it is than that of 2-D on the same patients."""
    gain = compare(ours, flat, metric, resamples=RESAMPLES)
    low, high = np.quantile(gain.draws[:, 0], [0.025, 0.975])
    return {
        "": metric(ours),
        "_low": float(low),
        "_high": float(high),
        "_gain": gain.difference,
        "_gain_low": gain.low,
        "_gain_high": gain.high,
    }


STUDY = Study(
    name="dimensions",
    question="Does a network gain by seeing more than one slice of a simulated head at once?",
    factors=("network",),
    cases=cases,
    measure=measure,
    modality=BRAIN_MRI.name,
    sources=("phantom",),
)
