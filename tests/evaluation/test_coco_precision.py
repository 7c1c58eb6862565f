"""Average precision over ten overlaps, and what a few pixels do to small boxes."""

import numpy as np
import pytest

from course_lib.evaluation.coco_precision import IOU_THRESHOLDS, coco_average_precision, precision_when_shifted
from course_lib.evaluation.detection import average_precision, mean_average_precision
from course_lib.evaluation.hit_rules import iou_at_least
from tests.made_boxes import FAR, TRUE, boxes, detections_of, some_detections


def test_it_is_the_mean_over_ten_thresholds() -> None:
    predictions = some_detections(2)
    assert IOU_THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    each = [average_precision(predictions, "Mass", iou_at_least(t)) for t in IOU_THRESHOLDS]
    assert coco_average_precision(predictions, "Mass") == pytest.approx(np.mean(each))
    means = [mean_average_precision(predictions, iou_at_least(t)) for t in IOU_THRESHOLDS]
    assert coco_average_precision(predictions) == pytest.approx(np.mean(means))
    assert 0 < coco_average_precision(predictions) < mean_average_precision(predictions, iou_at_least(0.5))


def test_a_few_pixels_cost_a_small_box_all_and_a_large_one_little() -> None:
    table = precision_when_shifted((15, 60, 150), (0, 4, 8))
    # So many of the ten thresholds are not above the IoU, which is (side - shift) / (side + shift).
    expected = [
        [np.mean([(side - shift) / (side + shift) >= t for t in IOU_THRESHOLDS]) for shift in (0, 4, 8)]
        for side in (15, 60, 150)
    ]
    assert table == pytest.approx(np.array(expected))
    assert table[0].tolist() == [1, 0.2, 0]
    assert table[2, 2] > 0.75


def test_without_a_true_or_a_found_box() -> None:
    assert np.isnan(coco_average_precision(detections_of((boxes(FAR), boxes()))))
    assert np.isnan(coco_average_precision(detections_of((boxes(), boxes(TRUE))), "Mass"))
    assert coco_average_precision(detections_of((boxes(), boxes(TRUE)))) == 0


def test_what_can_not_be_shifted_is_an_error() -> None:
    for sides, shifts in (((0,), (1,)), ((10,), (-1,)), ((float("nan"),), (1,)), ((10,), (float("nan"),))):
        with pytest.raises(ValueError, match="sides above 0 and shifts of 0 or more"):
            precision_when_shifted(sides, shifts)
    with pytest.raises(ValueError, match="'Tumour'"):
        coco_average_precision(some_detections(images=2), "Tumour")
