"""Where things lie in the chest: the points and lines from which every shape is placed, cm.

Shapes and proportions, here and in the modules that draw them, were set by eye beside radiographs; the terms are those
of any anatomy book. All lengths scale with the patient's rib cage: a constant is a part of its half-width ``a``, or of
the lung height where it says so, unless it names a unit.
"""

import numpy as np

from course_lib.modalities.simulated_chest.geometry import Plane, Point
from course_lib.modalities.simulated_chest.people import Patient

SIDES = (-1, 1)  #: the patient's right, on the left of the picture, and the patient's left
RIBS_ABOVE_DOME = 9.3  #: rib spacings from the apex to the right dome, after a full breath
APEX_CAP = 0.22  #: over so much of the lung height the rib cage rounds off at its top
CAGE_AT_APEX, CAGE_WIDENS = 0.48, 0.54  #: width below the cap, and what is added on the way down
CAGE_WIDEST, CAGE_POWER = 1.15, 0.65  #: at so many lung heights it is widest; how soon it gets there
HILUM_OUT = 0.24  #: from the middle
HILUM_STEP = 0.02  #: of the lung height: the left hilum is twice that above 0, the right one at 0
DOME_TOP, DOME_SPAN = 0.42, 0.55  #: from the middle to the highest point of a dome, and from there to its edge
DOME_FALL = (0.11, 0.04)  #: of the lung height, at the edge towards the ribs (steep) and towards the heart (gentle)
SHOULDER_OUT, SHOULDER_WALL = 1.03, 0.3  #: from the middle; and so much of the wall's thickness on top
SHOULDER_DOWN, SHOULDER_RISES = 0.16, 0.08  #: of the lung height, below the apex; less, the higher the arm is raised
UPPER_ARM = 1.3  #: length downwards; sideways it is 1
HANGING_ARM_OUT = 0.12  #: how far an elbow that hangs stands off


def apex(patient: Patient) -> float:
    """Where the lungs begin, cm; the dome of the right diaphragm is as far below 0, after a full breath."""
    return -patient.lung_height / 2


def inner_width(patient: Patient, y: Plane | float) -> Plane:
    """Half-width of the inside of the rib cage at a height, cm: 0 at the apex, full below the middle."""
    part = np.maximum(0, (np.asarray(y) - apex(patient)) / patient.lung_height)
    top = np.sqrt(np.clip(1 - (1 - part / APEX_CAP) ** 2, 0, 1) * (part < APEX_CAP) + (part >= APEX_CAP))
    widening = CAGE_AT_APEX + CAGE_WIDENS * np.minimum(part, CAGE_WIDEST) ** CAGE_POWER
    return np.asarray(patient.half_width * top * widening)


def hilum(patient: Patient, side: int) -> Point:
    """Where bronchi and vessels enter a lung; the left one lies a little higher."""
    return side * HILUM_OUT * patient.half_width, -(HILUM_STEP + HILUM_STEP * side) * patient.lung_height


def dome(patient: Patient, inspiration: float, x: Plane, side: int) -> Plane:
    """Height of the top of the diaphragm, cm; a full breath flattens it."""
    top = apex(patient) + inspiration * patient.lung_height + (patient.dome_step if side > 0 else 0)
    outward = (side * x - DOME_TOP * patient.half_width) / (DOME_SPAN * patient.half_width)
    to_ribs, to_heart = DOME_FALL
    fall = np.where(outward > 0, to_ribs, to_heart) * outward**2
    return np.asarray(top + fall * patient.lung_height / inspiration)


def rib_spacing(patient: Patient) -> float:
    """From one rib to the next at the spine, cm: about nine and a half of them reach down to the right dome."""
    return patient.lung_height / RIBS_ABOVE_DOME


def arm(patient: Patient, side: int) -> list[Point]:
    """Shoulder, middle of the upper arm, elbow."""
    a, angle = patient.half_width, np.deg2rad(patient.arms)
    shoulder = (
        side * (SHOULDER_OUT * a + SHOULDER_WALL * patient.wall),
        apex(patient) + (SHOULDER_DOWN - SHOULDER_RISES * np.sin(angle)) * patient.lung_height,
    )
    stands_off = side * HANGING_ARM_OUT * a if angle < 0 else 0
    reach = (side * np.cos(angle) * a + stands_off, -np.sin(angle) * UPPER_ARM * a)
    return [(shoulder[0] + part * reach[0], shoulder[1] + part * reach[1]) for part in (0, 0.5, 1.0)]
