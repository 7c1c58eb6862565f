"""Lesions counted one by one: which are found, which are missed, and what was outlined where nothing is."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from course_lib.evaluation.surfaces import Mask, check_masks


@dataclass(frozen=True)
class LesionCounts:
    """How many lesions of one image, or of several, are found, are missed, and are false alarms."""

    found: int
    missed: int
    false_alarms: int

    def __add__(self, other: "LesionCounts") -> "LesionCounts":
        return LesionCounts(
            self.found + other.found, self.missed + other.missed, self.false_alarms + other.false_alarms
        )

    @property
    def sensitivity(self) -> float:
        """The part of the lesions that is found, 0 to 1; NaN where there is none."""
        there = self.found + self.missed
        return self.found / there if there else float("nan")


def count_lesions(predicted: Mask, true: Mask) -> LesionCounts:
    """The lesions of two masks [*spatial], 2-D or 3-D, whose voxels share a face.

    A lesion of the true mask is found if the prediction touches it in one voxel at least: the most lenient rule. So an
    outline that joins two lesions finds both, and two outlines on one lesion find one. What was outlined and touches
    nothing true is a false alarm.

    Raises:
        ValueError: the masks are not boolean or differ in shape.
    """
    check_masks(predicted, true)
    (lesions, there), (outlines, drawn) = label(true), label(predicted)
    found = len(np.unique(lesions[predicted & true]))
    return LesionCounts(found, there - found, drawn - len(np.unique(outlines[predicted & true])))
