"""Kinds and outlines together: what belongs to an image stays with it, and without a mask no outline is judged."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.evaluation.kinds_and_outlines import OUTLINED, KindsAndOutlines
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.segmentation import mean_dice


@pytest.fixture
def predictions() -> KindsAndOutlines:
    """Three images, the second without a mask; the first outline is right, the third covers half of the truth."""
    kinds = Predictions(
        np.array([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]),
        np.array([0, 1, 1]),
        np.array(["a", "a", "b"]),
        ("1", "2", "3"),
        ("x", "y"),
    )
    whole, half = np.zeros((4, 6), np.float16), np.zeros((4, 6), np.float16)
    whole[:, :4], half[:, :2] = 0.9, 0.6
    return KindsAndOutlines(kinds, (whole, whole, half), (whole > 0, None, whole > 0), np.array([0.1, np.nan, 0.8]))


def test_only_images_with_a_mask_have_an_outline_to_judge(predictions: KindsAndOutlines) -> None:
    outlines = predictions.outlines
    assert outlines.labels == OUTLINED
    assert outlines.files == ("1", "3")
    assert outlines.patients.tolist() == ["a", "b"]
    assert outlines.losses.tolist() == [0.1, 0.8]
    assert mean_dice(outlines) == pytest.approx((1 + 2 / 3) / 2)


def test_what_is_taken_stays_together(predictions: KindsAndOutlines) -> None:
    taken = predictions.take(np.array([2, 2, 0]))
    assert len(taken) == 3
    assert taken.files == ("3", "3", "1")
    assert taken.patients.tolist() == ["b", "b", "a"]
    assert taken.kinds.labels.tolist() == [1, 1, 0]
    assert taken.losses.tolist() == [0.8, 0.8, 0.1]
    assert mean_dice(taken.outlines) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_nothing_can_be_measured_without_a_mask_or_a_kind(predictions: KindsAndOutlines) -> None:
    assert predictions.measurable
    assert not predictions.take(np.array([0])).measurable
    assert not predictions.take(np.array([1])).measurable
    without = replace(predictions, masks=(None,) * 3)
    assert not without.measurable
    assert len(without.outlines) == 0


def test_fields_that_do_not_fit_are_an_error(predictions: KindsAndOutlines) -> None:
    with pytest.raises(ValueError, match=r"Expected 3 of each, one per file, but got 3, 2, 3"):
        replace(predictions, masks=predictions.masks[:2])
    with pytest.raises(ValueError, match=r"3: the map is \(4, 6\), the mask \(2, 2\)"):
        replace(predictions, masks=(*predictions.masks[:2], np.ones((2, 2), np.bool_)))
