"""What cached features save: an epoch of training a head through the whole frozen network, against one on its features.

Images are in memory before the clock starts, so that the ratio is of the networks alone.

python -m tests.benchmarks.frozen_features
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from course_lib.backbones import build_backbone, head_of
from course_lib.dataset import ImageData, Radiograph, RadiographDataset
from course_lib.evaluation import auroc, predict
from course_lib.features import features, linear_probe, probe_predictions
from course_lib.runtime import seeded
from course_lib.sources import open_dataset
from course_lib.training import freeze, train_one_epoch
from course_lib.transforms import Preprocessing, evaluation_transform

NETWORK, SIZE, BATCH = "resnet18", 64, 32
EPOCHS = 3
Result = TypeVar("Result")


class InMemory(RadiographDataset):
    """Images, or what stands for them, that are tensors already."""

    def __init__(self, data: ImageData, values: torch.Tensor) -> None:
        super().__init__(data.radiographs, data.classes, evaluation_transform(Preprocessing()))
        self.values = values

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.values[indices].to(device)

    def take(self, indices: Iterable[int]) -> "InMemory":
        chosen = list(indices)
        return InMemory(super().take(chosen), self.values[chosen])


def run() -> list[str]:
    """A table in Markdown."""
    course = open_dataset("phantom")
    train, validation = (_in_memory(part, course.classes) for part in (course.train, course.validation))
    with seeded(0):
        model = build_backbone(NETWORK, weights=None)
    freeze(model, except_for=head_of(model))
    through = _epoch(model, train)
    with tempfile.TemporaryDirectory() as folder:
        computing, seen = _timed(lambda: features(model, train, folder=Path(folder)))
        reading, _ = _timed(lambda: features(model, train, folder=Path(folder)))
        other = features(model, validation, folder=Path(folder))
    width = seen.values.shape[1]
    on_features = _epoch(nn.Linear(width, len(train.classes)), InMemory(train, torch.from_numpy(seen.values)))
    fitting, probe = _timed(lambda: linear_probe(seen))
    return [
        f"Head of a frozen {NETWORK} (random weights), {len(train)} simulated images of {SIZE} px, in memory:",
        "",
        "| | seconds |",
        "|---|---|",
        f"| an epoch of the head, through the whole network | {through:.2f} |",
        f"| computing the features, once | {computing:.2f} |",
        f"| reading them again | {reading:.3f} |",
        f"| an epoch of the head, on the features | {on_features:.4f} |",
        f"| a linear probe, trained to the end | {fitting:.3f} |",
        "",
        f"An epoch is {through / on_features:.0f} times as fast on the features. AUROC of the probe on other patients: "
        f"{auroc(probe_predictions(probe, other)):.3f}; of the head after {EPOCHS + 1} epochs: "
        f"{auroc(predict(model, validation)):.3f}.",
    ]


def _in_memory(radiographs: Sequence[Radiograph], classes: tuple[str, ...]) -> InMemory:
    data = RadiographDataset(radiographs, classes, evaluation_transform(Preprocessing(SIZE)))
    return InMemory(data, data.inputs(torch.arange(len(data))))


def _epoch(model: nn.Module, data: ImageData) -> float:
    """Median seconds of an epoch, after one to warm up."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3)
    times = [_timed(lambda: train_one_epoch(model, data, optimizer, BATCH))[0] for _ in range(EPOCHS + 1)]
    return statistics.median(times[1:])


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    print("\n".join(run()))
