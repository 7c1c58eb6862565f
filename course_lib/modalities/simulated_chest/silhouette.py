"""An adult's heart as films show it: it rests on the diaphragm, and its left border has no deep notch."""

import numpy as np

from course_lib.modalities.simulated_chest.geometry import Grid, Plane, ellipsoid, fade, turned
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, dome
from course_lib.modalities.simulated_chest.organs import HEART_LEFT, TURN_SHIFTS_HEART, heart_and_great_vessels
from course_lib.modalities.simulated_chest.people import Patient

TRUNK_AT = (0.16, 1.0)  #: of the pulmonary trunk: left of the heart's middle, above the dome; half-widths of the heart
TRUNK = (0.55, 0.85, 0.6)  #: its half axes; the last in half-depths, the others in half-widths of the heart
TRUNK_TURN = 25  #: degrees
INTO_DOME, DOME_EDGE = 0.015, 0.02  #: lung heights that the heart dips into the diaphragm; over which it ends


def heart_shape(patient: Patient, inspiration: float, grid: Grid, turned_by: float) -> Plane:
    """The length of rays in heart and great vessels, cm: as in `organs`, or that of an adult if the patient says so."""
    heart = heart_and_great_vessels(patient, inspiration, grid, turned_by)
    if not patient.resting_heart:
        return heart
    a, height, depth = patient.half_width, patient.lung_height, patient.half_depth
    wide, floor = patient.heart * a, apex(patient) + inspiration * height
    (left, up), (across, down, along) = TRUNK_AT, TRUNK
    centre = HEART_LEFT * a - TURN_SHIFTS_HEART * depth * turned_by + left * wide, floor - up * wide
    trunk = ellipsoid(*turned(grid, centre, -TRUNK_TURN), (across * wide, down * wide, along * depth))
    low = np.where(grid.x < 0, *(dome(patient, inspiration, grid.x, side) for side in SIDES))
    above = fade(low + INTO_DOME * height - grid.y, DOME_EDGE * height)
    return np.asarray(np.maximum(heart, trunk) * above, dtype=np.float32)
