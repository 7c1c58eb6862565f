"""Which backbone? What each costs and what it reaches, on the data at hand and on this computer."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data.samples import LabelledData
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval, with_interval
from course_lib.networks.backbones import BACKBONES, Weights, build_backbone, drop_auxiliary_head
from course_lib.networks.costs import count_parameters, gflops
from course_lib.support.runtime import seeded
from course_lib.training.before_training import check_belong_together
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

RESAMPLES = 200
TIMED_REPEATS = 3


@dataclass(frozen=True)
class BackboneScore:
    """One backbone of a comparison."""

    name: str
    parameters: int
    gflops: float  #: for one image, see `gflops`
    images_per_second: float  #: forward, on this computer
    training_images_per_second: float  #: forward, backward and the weights' step, on this computer
    megabytes: float  #: of its weights in a file, float32
    auroc: float  #: on the validation images
    low: float  #: lower end of its 95 % interval over patients
    high: float


@dataclass(frozen=True, repr=False)
class BackboneComparison:
    """Several backbones, trained alike on the same images. Shows itself as a table."""

    title: str
    rows: tuple[BackboneScore, ...]

    def __getitem__(self, name: str) -> BackboneScore:
        return next(row for row in self.rows if row.name == name)

    def _repr_markdown_(self) -> str:
        head = (
            "| | parameters | GFLOPs per image | images/s here | images/s here, training | MB | AUROC (chance: 0.5) |",
            "|---|---|---|---|---|---|---|",
        )
        lines = [f"| {' | '.join((f'`{row.name}`', *_cells(row)))} |" for row in self.rows]
        return "\n".join([f"**{self.title}**", "", *head, *lines])

    def __repr__(self) -> str:
        names = ("parameters", "GFLOPs per image", "images/s here", "images/s here, training", "MB", "AUROC")
        lines = [
            f"{row.name}: " + "; ".join(f"{name} {cell}" for name, cell in zip(names, _cells(row), strict=True))
            for row in self.rows
        ]
        return "\n".join([self.title, *lines])


def compare_backbones(
    train: LabelledData,
    validation: LabelledData,
    title: str,
    names: Sequence[str] = tuple(BACKBONES),
    *,
    weights: Weights | None,
    config: TrainConfig,
    device: torch.device | str = "cpu",
) -> BackboneComparison:
    """Train each backbone on the same images in the same way, and say what it costs and what it reaches.

    The images come at one size and with one normalisation: with ``weights="imagenet"`` that of
    `backbones.preprocessing_for`. Inception's auxiliary head is left out, since it needs images of 299 px.
    The title says what the images are. Speeds are of this computer, at this moment.

    Raises:
        ValueError: no such backbone or weights, or the images are too small for one of them.
        TrainingError: there is no validation image, or these have other classes, or in another order.
        ConnectionError: ImageNet weights are not on this computer and can not be downloaded.
    """
    check_belong_together(train, validation)
    rows = []
    for name in names:
        with seeded(config.seed):
            model = build_backbone(name, len(train.classes), weights=weights)
        drop_auxiliary_head(model)
        fit_whole(model, train, validation, config, device=device)
        rows.append(_measure(name, model, train, validation, config.batch_size, device))
    size = train.inputs(torch.tensor([0])).shape[-1]
    start = f"{weights} weights" if weights else "a random start"
    return BackboneComparison(
        f"{title}: {len(train)} images of {size} px to train on for {config.epochs} epochs from {start}, "
        f"{len(validation)} to judge by",
        tuple(rows),
    )


def _measure(
    name: str,
    model: nn.Module,
    train: LabelledData,
    validation: LabelledData,
    batch_size: int,
    device: torch.device | str,
) -> BackboneScore:
    """All numbers of a trained model. The weights are not the same afterwards."""
    predictions = predict(model, validation, device=device)
    low, high = bootstrap_interval(predictions, auroc, resamples=RESAMPLES)
    first = torch.arange(min(batch_size, len(train)))
    images, labels = train.inputs(first, device), torch.tensor(train.labels)[first].to(device)
    return BackboneScore(
        name=name,
        parameters=count_parameters(model),
        gflops=gflops(model, images.shape[-1]),
        images_per_second=len(first) / _seconds(lambda: _forward(model, images), images.device),
        training_images_per_second=len(first) / _seconds(_training_step(model, images, labels), images.device),
        megabytes=sum(v.numel() * v.element_size() for v in model.state_dict().values()) / 1e6,
        auroc=auroc(predictions),
        low=low,
        high=high,
    )


def _forward(model: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        model.eval()(images)


def _training_step(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> Callable[[], None]:
    optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model.train()(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    """The median time of a few runs, after one to warm up."""
    times = []
    for _ in range(1 + TIMED_REPEATS):
        started = time.perf_counter()
        work()
        if device.type != "cpu":
            torch.accelerator.synchronize()  # a GPU answers before it has finished
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def _cells(row: BackboneScore) -> tuple[str, ...]:
    return (
        f"{row.parameters / 1e6:.1f} M",
        f"{row.gflops:.3g}",
        f"{row.images_per_second:.0f}",
        f"{row.training_images_per_second:.0f}",
        f"{row.megabytes:.0f}",
        with_interval(row.auroc, row.low, row.high),
    )
