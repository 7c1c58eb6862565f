"""Detections that are made up: found and true boxes without an image or a network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import Boxes, DetectionPredictions

CLASSES = ("Nodule", "Mass")
Row = tuple[float, float, float, float]

TRUE: Row = (0, 0, 10, 10)
FAR: Row = (50, 50, 60, 60)
FARTHER: Row = (80, 80, 90, 90)


def boxes(*rows: Row, classes: Sequence[int] | None = None, scores: Sequence[float] | None = None) -> Boxes:
    return Boxes(
        corners=np.array(rows, dtype=np.float64).reshape(-1, 4),
        classes=np.array([0] * len(rows) if classes is None else classes, dtype=np.int64),
        scores=np.array([1.0] * len(rows) if scores is None else scores, dtype=np.float64),
    )


def detections_of(
    *images: tuple[Boxes, Boxes], patients: Sequence[str] | None = None, classes: tuple[str, ...] = CLASSES
) -> DetectionPredictions:
    """Of images, each the found and the true boxes; without patients, each image has its own."""
    return DetectionPredictions(
        classes=classes,
        found=tuple(found for found, _ in images),
        true=tuple(true for _, true in images),
        losses=np.zeros(len(images)),
        patients=np.array([f"p{i}" for i in range(len(images))] if patients is None else patients, dtype=np.str_),
        files=tuple(f"{i}.png" for i in range(len(images))),
    )


def some_detections(
    seed: int = 0, images: int = 40, *, found_share: float = 0.8, alarms: float = 2.0, decimals: int = 9
) -> DetectionPredictions:
    """Two films of each patient: every other patient is healthy, hits are a little surer than false alarms."""
    rng = np.random.default_rng(seed)
    pairs = []
    for image in range(images):
        true = _somewhere(rng, int(rng.integers(1, 3)) if image // 2 % 2 else 0)
        kinds, seen = rng.integers(0, 2, len(true)), rng.random(len(true)) < found_share
        wrong = _somewhere(rng, int(rng.poisson(alarms)))
        found = np.concatenate([true[seen] + rng.uniform(-2, 2, (int(seen.sum()), 1)), wrong])
        scores = rng.beta(2, 3, len(found)) + 0.3 * (np.arange(len(found)) < seen.sum())
        said = np.append(kinds[seen], rng.integers(0, 2, len(wrong)))
        pairs.append((Boxes(found, said, scores.clip(0, 1).round(decimals)), Boxes(true, kinds, np.ones(len(true)))))
    return detections_of(*pairs, patients=[f"p{image // 2}" for image in range(images)])


def _somewhere(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    corner, side = rng.uniform(0, 250, (count, 2)), rng.uniform(12, 60, (count, 1))
    return np.concatenate([corner, corner + side], axis=1)
