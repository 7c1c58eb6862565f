"""Answers that become labels: only the surest, as many of each class, and no label that an image came with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib.data.samples import LabelledImage
from course_lib.evaluation.predictions import Predictions
from course_lib.training.self_training import labelled_by

SCORES = np.array([0.9, 0.2, 0.5, 0.1, 0.6, 0.95, 0.55, 0.45])
SAMPLES = [LabelledImage(Path(f"{i}.jpeg"), i % 2, f"child{i}") for i in range(len(SCORES))]


def said(scores: np.ndarray) -> Predictions:
    names = tuple(sample.path.name for sample in SAMPLES)
    patients = np.array([sample.patient for sample in SAMPLES])
    return Predictions(np.stack([1 - scores, scores], axis=1), np.arange(8) % 2, patients, names, ("well", "ill"))


def test_the_surest_get_the_class_that_was_answered_whatever_their_label_was() -> None:
    named = labelled_by(said(SCORES), SAMPLES, 1 / 4)
    assert {int(image.path.stem): image.label for image in named} == {0: 1, 1: 0, 3: 0, 5: 1}
    assert [image.patient for image in named] == ["child0", "child1", "child3", "child5"]
    other = [replace(image, label=1 - image.label) for image in SAMPLES]
    assert labelled_by(said(SCORES), other, 1 / 4) == named


def test_each_image_gets_one_label_even_if_all_are_taken_or_all_are_alike() -> None:
    for scores in (SCORES, np.full(8, 0.5)):
        named = labelled_by(said(scores), SAMPLES, 1 / 2)
        assert [image.path for image in named] == [image.path for image in SAMPLES]
        assert sum(image.label for image in named) == 4


@pytest.mark.parametrize("fraction", [0, -0.1, 0.51])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"fraction must be above 0 and at most 0\.5"):
        labelled_by(said(SCORES), SAMPLES, fraction)


def test_too_few_images_and_others_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a single one"):
        labelled_by(said(SCORES), SAMPLES, 0.1)
    with pytest.raises(ValueError, match="of the same images"):
        labelled_by(said(SCORES), SAMPLES[::-1], 1 / 4)
