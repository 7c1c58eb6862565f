"""COCO's average precision over ten overlaps, and what becomes of it when small boxes are a few pixels off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import Boxes, DetectionPredictions, judge
from course_lib.evaluation.hit_rules import iou_at_least

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  #: 0.5, 0.55 ... 0.95


def coco_average_precision(
    predictions: DetectionPredictions, class_name: str | None = None, thresholds: Sequence[float] = IOU_THRESHOLDS
) -> float:
    """The mean over ten IoU thresholds of `average_precision`, of one class or of the mean over classes, 0 to 1.

    NaN without a true box. Photographs have large objects with clear borders; a nodule has neither. Of a box of 15 px
    that is 4 px aside, IoU is 0.58, and it counts at two of the ten thresholds, though a reader would look at the right
    place (see `precision_when_shifted`). It also never asks how many false alarms an image has, and images without
    boxes matter only as far as their boxes are surer than hits.

    Raises:
        ValueError: there is no such class.

    Source: T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, arXiv:1405.0312, and its evaluation code.
    """
    judged = (judge(predictions, iou_at_least(threshold)) for threshold in thresholds)
    values = [
        boxes.mean_average_precision() if class_name is None else boxes.average_precision(class_name)
        for boxes in judged
    ]
    return float(np.mean(values))


def precision_when_shifted(sides_px: Sequence[float], shifts_px: Sequence[float]) -> NDArray[np.float64]:
    """`coco_average_precision` of a detector that finds every square box, but so many pixels aside: [sides, shifts].

    There are no false alarms, and all boxes have the right size.

    Raises:
        ValueError: a side is not above 0, or a shift is not 0 or more.
    """
    if not (np.array(sides_px) > 0).all() or not (np.array(shifts_px) >= 0).all():
        raise ValueError(f"Expected sides above 0 and shifts of 0 or more, got {list(sides_px)} and {list(shifts_px)}.")
    return np.array(
        [[coco_average_precision(_one_box(side, shift)) for shift in shifts_px] for side in sides_px], dtype=np.float64
    )


def _one_box(side_px: float, shift_px: float) -> DetectionPredictions:
    """One image with a square box, and the same box found aside."""
    true, found = (
        Boxes(np.array([[aside, 0, aside + side_px, side_px]], float), np.zeros(1, np.int64), np.ones(1))
        for aside in (0.0, shift_px)
    )
    return DetectionPredictions(("box",), (found,), (true,), np.zeros(1), np.array(["one"]), ("one",))
