"""Localisation as Wang et al. measured it when they published ChestX-ray8, and the numbers that they reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.evaluation.detection import DetectionPredictions, class_places
from course_lib.evaluation.hit_rules import Corners, box_iobb

Overlap = Callable[[Corners, Corners], NDArray[np.float64]]  #: `box_iobb` or `box_iou`

PUBLISHED_BOXES: Mapping[str, int] = {
    "Atelectasis": 180,
    "Cardiomegaly": 146,
    "Effusion": 153,
    "Infiltrate": 123,
    "Mass": 85,
    "Nodule": 79,
    "Pneumonia": 120,
    "Pneumothorax": 98,
}  #: boxes that radiologists drew, 984 in all; what is called infiltrate there is infiltration in the paper

PUBLISHED_AT_IOBB_01: Mapping[str, tuple[float, float]] = {
    "Atelectasis": (0.7277, 0.8323),
    "Cardiomegaly": (0.9931, 0.3506),
    "Effusion": (0.7124, 0.7998),
    "Infiltrate": (0.7886, 0.5589),
    "Mass": (0.4352, 0.6423),
    "Nodule": (0.1645, 0.6047),
    "Pneumonia": (0.7500, 0.9055),
    "Pneumothorax": (0.4591, 0.4776),
}
"""Accuracy and average false positives for T(IoBB) = 0.1, by class.

Source: X. Wang et al., ChestX-ray8, CVPR 2017, arXiv:1705.02315, table 4.
"""


@dataclass(frozen=True)
class Localisation:
    """How many true boxes of a class are localised, and how many found ones lie elsewhere."""

    accuracy: float  #: the part of the true boxes that is localised, 0 to 1; NaN without one
    false_positives: float  #: per image; NaN without an image
    boxes: int  #: true boxes of the class
    images: int  #: over which the false positives are counted


def localisation(
    predictions: DetectionPredictions,
    class_name: str,
    least: float = 0.1,
    overlap: Overlap = box_iobb,
    *,
    lowest_score: float = 0.0,
) -> Localisation:
    """The localisation accuracy of a class, and its average number of false positives (AFP) per image.

    A true box is localised if it and any found box of its class overlap by more than ``least``. A found box is a false
    positive if it overlaps with no true box of its class by as much. Boxes below ``lowest_score`` do not count.

    What is as in the paper: the two overlaps and "more than"; the true box as the unit, since each accuracy of table 4
    is a whole number over the published boxes of the class; and several boxes on one true box, none of which is a false
    positive (from 0.1 to 0.25 two hearts fewer are localised, and 103 boxes more are false). No healthy film is among
    theirs: give films with a box if the numbers are to stand side by side.

    What is not: each AFP of table 4 is a whole number over 984, all published boxes. These lie on 880 films, so that
    the same false positives are 12 % more per film than per box; here they are counted per film. Their network never
    saw a box in training, so that a detector that learned from boxes has to be better. It tested on all published
    boxes, and we on those of the test part. Its boxes surround what a heat map of 32 x 32 cells shows above a threshold
    (60 and 180 of 255), and have no score; ours have one, and the number of false positives hangs on ``lowest_score``.
    And IoBB alone is easily pleased: one pixel inside a heart has an IoBB of 1.

    Raises:
        ValueError: there is no such class, a score is not a number, or ``least`` is not 0 or more and below 1.

    Source: X. Wang et al., ChestX-ray8, CVPR 2017, arXiv:1705.02315, section 4. How the numbers were counted is not
    said there; that is worked out from table 4.
    """
    (place,) = class_places(predictions.classes, (class_name,))
    if not 0 <= least < 1:
        raise ValueError(f"The overlap to be exceeded must be 0 or more and below 1, but is {least}.")
    localised, false, boxes = 0, 0, 0
    for found, true in zip(predictions.found, predictions.true, strict=True):
        if np.isnan(found.scores).any():
            raise ValueError(f"{np.isnan(found.scores).sum()} of {len(found)} scores are not a number.")
        there = true.corners[true.classes == place]
        said = found.corners[(found.classes == place) & (found.scores >= lowest_score)]
        over = overlap(said, there) > least
        localised += int(over.any(axis=0).sum())
        false += int((~over.any(axis=1)).sum())
        boxes += len(there)
    images = len(predictions)
    return Localisation(_part(localised, boxes), _part(false, images), boxes, images)


def _part(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
