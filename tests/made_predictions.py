"""Predictions that are made up: what a test of numbers and figures needs, and no network."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from course_lib.evaluation.predictions import Predictions


def predictions_of(labels: list[int], scores: list[float], patients: list[str] | None = None) -> Predictions:
    return Predictions(
        probabilities=np.stack([1 - np.array(scores), np.array(scores)], axis=1),
        labels=np.array(labels),
        patients=np.array(patients or [f"p{i}" for i in range(len(labels))]),
        files=tuple(f"{i}.jpeg" for i in range(len(labels))),
        classes=("NORMAL", "PNEUMONIA"),
    )


@st.composite
def any_predictions(draw: st.DrawFn) -> Predictions:
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), min_size=2, max_size=40))]
    scores = draw(st.lists(st.sampled_from(np.linspace(0, 1, 21).tolist()), min_size=len(labels), max_size=len(labels)))
    return predictions_of(labels, scores)


def two_models(seed: int = 0) -> tuple[Predictions, Predictions]:
    """Two models that find the same children hard; the second is a little worse."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 150)
    clear = 0.3 * labels + rng.normal(0.35, 0.15, 150)
    scores = [np.clip(clear + rng.normal(0, noise, 150), 0, 1).tolist() for noise in (0.02, 0.08)]
    return predictions_of(labels.tolist(), scores[0]), predictions_of(labels.tolist(), scores[1])


FOUR = predictions_of([0, 1, 1, 0], [0.1, 0.45, 0.9, 0.6])  #: the two surest are right, the two others wrong
SEVEN = predictions_of([1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.1])  #: 11 of the 12 pairs are in order
TEN = replace(
    predictions_of([0, 0, 0, 0, 1, 0, 1, 1, 1, 1], (np.arange(10) / 10).tolist()), classes=("WELL", "SICK")
)  #: five of each class with scores of 0.0 to 0.9; two are in the wrong order


def of_three_classes(images: int = 120, noise: float = 1.0, seed: int = 0) -> Predictions:
    """Three classes, one image in two, three and six, two images of a patient; the more noise, the more mistakes."""
    labels, rng = np.tile([0, 0, 0, 1, 1, 2], images // 6), np.random.default_rng(seed)
    likeness = np.exp(2 * np.eye(3)[labels] + rng.normal(0, noise, (images, 3)))
    return Predictions(
        probabilities=likeness / likeness.sum(axis=1, keepdims=True),
        labels=labels,
        patients=np.array([f"p{i // 2}" for i in range(images)]),
        files=tuple(f"{i}.jpeg" for i in range(images)),
        classes=("cyst", "stone", "tumour"),
    )
