"""What cached features save: an epoch of training a head through the whole frozen network, against one on its features.

For both, images or features are in memory before the clock starts, so that the ratio is of the networks alone.

python -m tests.benchmarks.frozen_features
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing, evaluation_transform
from course_lib.evaluation.classification import auroc
from course_lib.modalities.registry import open_dataset
from course_lib.networks.backbones import build_backbone, head_of
from course_lib.networks.freezing import freeze
from course_lib.networks.frozen_features import features, linear_probe, probe_predictions
from course_lib.support.runtime import seeded
from course_lib.training.inference import predict

NETWORK, SIZE, BATCH = "resnet18", 64, 32
EPOCHS = 4
Result = TypeVar("Result")


def run() -> list[str]:
    """A table in Markdown."""
    course, transform = open_dataset(source="phantom"), evaluation_transform(Preprocessing(SIZE))
    train, validation = (ImageDataset(part, course.classes, transform) for part in (course.train, course.validation))
    with seeded(0):
        model = build_backbone(NETWORK, weights=None)
    freeze(model, except_for=head_of(model))
    images, labels = train.inputs(torch.arange(len(train))), torch.tensor(train.labels)
    through = _epoch(model, images, labels)
    with tempfile.TemporaryDirectory() as folder:
        computing, seen = _timed(lambda: features(model, train, folder=Path(folder)))
        reading, _ = _timed(lambda: features(model, train, folder=Path(folder)))
        other = features(model, validation, folder=Path(folder))
    head = nn.Linear(seen.values.shape[1], len(train.classes))
    on_features = _epoch(head, torch.from_numpy(seen.values), labels)
    fitting, probe = _timed(lambda: linear_probe(seen))
    return [
        f"The head of a frozen {NETWORK} (random weights) on {len(train)} simulated images of {SIZE} px:",
        "",
        "| | seconds |",
        "|---|---|",
        f"| an epoch of the head, through the whole network | {through:.2f} |",
        f"| reading the images and computing their features, once | {computing:.2f} |",
        f"| finding the features again | {reading:.3f} |",
        f"| an epoch of the head, on the features | {on_features:.4f} |",
        f"| a linear probe, trained to the end | {fitting:.3f} |",
        "",
        f"An epoch is {through / on_features:.0f} times as fast on the features. AUROC on other patients: the probe "
        f"{auroc(probe_predictions(probe, other)):.3f}, the head after {EPOCHS} epochs "
        f"{auroc(predict(model, validation)):.3f}.",
    ]


def _epoch(model: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Median seconds of an epoch of training, without the first."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3)

    def train() -> None:
        for chosen in torch.randperm(len(labels)).split(BATCH):  # type: ignore[no-untyped-call]
            loss = F.cross_entropy(model(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    model.eval()  # a frozen network stays as it is, its batch norm too
    return statistics.median([_timed(train)[0] for _ in range(EPOCHS)][1:])


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    print("\n".join(run()))
