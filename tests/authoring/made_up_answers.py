"""What detectors might say of boxed films, without a training; for the studies' tests."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.evaluation.detection import Boxes, DetectionPredictions
from course_lib.evaluation.studies import Row
from course_lib.modalities.chest_findings import recipe
from course_lib.modalities.chest_findings.phantoms import Settings
from course_lib.modalities.chest_findings.reader import CLASSES

FEW = Settings({"train": 3, "test": 2}, seed=43, pixels=64)
PX = 64


def small(experiment: recipe.BoxedFindings) -> recipe.BoxedFindings:
    """The same experiment with small films."""
    return replace(experiment, recipe=replace(experiment.recipe, how=replace(experiment.recipe.how, size=PX)))


def made_up(films: Sequence[BoxedImage], seed: int, found: float = 0.7) -> DetectionPredictions:
    """What a detector might say: that part of the true boxes, a little aside, and others anywhere."""
    rng = np.random.default_rng(seed)
    said, true = [], [true_boxes(film) for film in films]
    for boxes in true:
        seen = rng.random(len(boxes)) < found
        low, side = rng.uniform(0, 200, (3, 2)), rng.uniform(8, 50, (3, 2))
        corners = np.concatenate([boxes.corners[seen] + rng.uniform(-2, 2), np.hstack([low, low + side])])
        classes = np.concatenate([boxes.classes[seen], rng.integers(0, len(CLASSES), 3)])
        said.append(
            Boxes(corners, classes, rng.random(len(corners)) * 0.7 + 0.3 * (np.arange(len(corners)) < seen.sum()))
        )
    return DetectionPredictions(
        classes=CLASSES,
        found=tuple(said),
        true=tuple(true),
        losses=np.zeros(len(films)),
        patients=np.array([film.patient for film in films], dtype=np.str_),
        files=tuple(film.path.name for film in films),
    )


def true_boxes(film: BoxedImage) -> Boxes:
    corners = np.array(film.boxes, dtype=np.float64).reshape(-1, 4)
    return Boxes(corners, np.array(film.labels, dtype=np.int64), np.ones(len(corners)))


def check_numbers(row: Row, score: str) -> None:
    """Each is a number, and lies in its interval if it has one."""
    assert all(math.isfinite(float(value)) for value in row.values())
    assert float(row["low"]) <= float(row[score]) <= float(row["high"])
    for name in row:
        if f"{name}_low" in row:
            assert float(row[f"{name}_low"]) <= float(row[name]) <= float(row[f"{name}_high"])
