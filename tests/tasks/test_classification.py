"""Classification: a loss over classes that exist, and over no others."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.support.errors import DataError
from course_lib.tasks.classification import Classification
from tests.made_predictions import predictions_of

TASK = Classification(("NORMAL", "BACTERIA", "VIRUS"))
LOGITS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("label", [-1, 3, 5, -100, 2**40])
def test_a_label_that_is_no_class_is_never_left_out(label: int) -> None:
    labels = torch.tensor([0, label, 2, 1])
    for smoothing in (0.0, 0.1):
        with pytest.raises((IndexError, RuntimeError)):
            TASK.loss(LOGITS, labels, label_smoothing=smoothing)
    with pytest.raises(DataError, match=rf"0 to 2 \(NORMAL, BACTERIA, VIRUS\), but 1 of 4 images have {label}\."):
        TASK.class_weights(labels.tolist())


def test_there_is_no_score_where_a_class_has_no_image() -> None:
    task = Classification(("NORMAL", "PNEUMONIA"))
    assert task.score(predictions_of([0, 1], [0.2, 0.9])) == 1
    assert math.isnan(task.score(predictions_of([1, 1], [0.2, 0.9])))


def test_labels_are_whole_numbers() -> None:
    with pytest.raises(DataError, match="index of a class"):
        TASK.class_weights([0.5, 1.0, 2.0, 0.0])  # type: ignore[list-item]
    with pytest.raises(RuntimeError):
        TASK.loss(LOGITS, torch.tensor([0.5, 1.0, 2.0, 0.0]))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 3.0])])
def test_the_loss_is_torchs_to_the_bit(weights: torch.Tensor | None, smoothing: float) -> None:
    labels = torch.tensor([0, 1, 2, 1])
    expected = F.cross_entropy(LOGITS, labels, weights, label_smoothing=smoothing)
    assert torch.equal(TASK.loss(LOGITS, labels, weights, smoothing), expected)
