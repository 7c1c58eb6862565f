"""The healthy body: how many cm of soft tissue, air and bone each ray of the picture crosses.

Here are its outline and the room for the lungs; `organs` and `bones` are inside. Depths count from the middle of the
chest to the back. `landmarks` says in which unit the constants are, and where they come from.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.modalities.simulated_chest.bones import girdle, ribs, spine
from course_lib.modalities.simulated_chest.geometry import Grid, Plane, add_line, ellipsoid, fade, tube
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, arm, dome, inner_width
from course_lib.modalities.simulated_chest.organs import airways, gas, heart_and_great_vessels, lung_trees
from course_lib.modalities.simulated_chest.people import Patient

MOST_AIR = 0.9  #: of the trunk that air outside the lungs may take
CHEST_HALF_WIDTH = 1.03
BELLY_WIDER, WIDER_OVER = 0.25, 0.5  #: of the wall's thickness; over this part of the lung height
WALL_IN_FRONT = 0.7  #: of its thickness at the side
SHOULDER_LINE, SHOULDER_SLOPE = 0.45, 0.40  #: of the lung height: above the apex; down to the end of the shoulder
SHOULDER_END = 1.1
CHEST_ROUNDS_OFF = 0.75  #: of the lung height, from the shoulder downwards
CHEST_OUTLINE = (3.2, 0.45)  #: powers of its cross-section, between an ellipse and a box
FRONT_POWER = 0.65  #: how soon the chest is as deep as it gets
BELLY_DEEPER, BELLY_FROM, BELLY_FADE = 0.12, 0.42, 0.2  #: part of the depth; at and over parts of the lung height
NECK_HALF_WIDTH, NECK_FROM, NECK_FADE = 0.36, 0.1, 0.3  #: the last two in lung heights
HEAD_ABOVE, HEAD = 0.8, (0.72, 0.8, 0.85)  #: its middle above the chin, and its half axes
ARM_THICKNESS, ARM_WALL = 0.26, 0.6  #: and so much of the wall's thickness
ARM_TAPERS = (1.25, 1.1, 0.9)  #: of the thickness at shoulder, middle and elbow
BREAST_OUT, BREAST_WIDE = 0.5, 0.42
BREAST_DOWN, BREAST_HIGH, BREAST_END = 0.3, 0.26, 0.45  #: of the lung height
BREAST_EDGE = 0.3  #: cm over which it fades at its fold
BETWEEN_LUNGS, LEFT_NARROWER = 0.19, 0.03  #: half-width of what lies between the lungs; less on the left
APEX_NARROWER, APEX_NARROWS_OVER = 0.22, 0.07  #: more at the apex; it falls off with this part of the lung height
TURN_SHIFTS = 0.3  #: of the half-depth, by which a turn of 90 degrees moves it
EDGE_OF_LUNG = 0.09  #: over which a lung fades in beside the mediastinum
FULL_DEPTH_AT = 0.45  #: of the lung height
CAVITY_OUTLINE = (5, 0.5)  #: powers of its cross-section
DOME_DEPTH, DOME_DOWN = 1.3, 0.18  #: half-depths; so much of the lung height below its top the dome fills the chest
DOME_TOP_IN_FRONT = 0.3  #: half-depths


@dataclass(frozen=True)
class Body:
    """Lengths along the ray, cm, each a plane [height, width]; the lung comes for the right and the left side."""

    trunk: Plane  #: everything inside the skin
    cavities: tuple[Plane, Plane]  #: room for the lungs: inside the ribs, above the diaphragm, beside the mediastinum
    lungs: tuple[Plane, Plane]  #: what the heart leaves of it
    heart: Plane  #: heart and great vessels, inside the trunk
    vessels: Plane  #: inside the lungs
    bronchi: Plane  #: inside the lungs, full of air
    air: Plane  #: elsewhere: windpipe, stomach, bowel
    bone: Plane  #: as cortical bone; spongy bone counts less

    @property
    def lung(self) -> Plane:
        return self.lungs[0] + self.lungs[1]


def build_body(patient: Patient, grid: Grid, inspiration: float = 1.0, turn: float = 0.0) -> Body:
    """The patient without any disease.

    ``inspiration`` is the height of the lungs as a part of a full breath, ``turn`` that of the patient around the long
    axis of the body, degrees.
    """
    rng = np.random.default_rng([patient.anatomy_seed, 2])
    turned_by = float(np.sin(np.deg2rad(turn)))
    trunk = _trunk(patient, grid)
    heart = heart_and_great_vessels(patient, inspiration, grid, turned_by)
    right, left = (_cavity(patient, inspiration, grid, side, turned_by) for side in SIDES)
    lungs = (np.maximum(0, right - heart), np.maximum(0, left - heart))
    vessels, bronchi = lung_trees(patient, grid)
    bone = spine(patient, rng, grid, turned_by)
    bone = bone + ribs(patient, rng, grid, turned_by) + girdle(patient, rng, grid, turned_by)
    air = airways(patient, grid) + gas(patient, inspiration, rng, grid)
    return Body(trunk, (right, left), lungs, heart, vessels, bronchi, np.minimum(air, MOST_AIR * trunk), bone)


def _trunk(patient: Patient, grid: Grid) -> Plane:
    """Chest, belly, shoulders, neck, head, arms and breasts."""
    a, height, x, y = patient.half_width, patient.lung_height, grid.x, grid.y
    neck = tube(x, NECK_HALF_WIDTH * a) * fade(apex(patient) + NECK_FROM * height - y, NECK_FADE * height)
    across, down, along = HEAD
    chin = y - apex(patient) + HEAD_ABOVE * a + patient.neck * height
    head = ellipsoid(x, chin, (across * a, down * a, along * a))
    whole = np.maximum(np.maximum(_chest(patient, grid), neck), head)
    for side in SIDES:
        limb = np.zeros_like(x)
        thickness = ARM_THICKNESS * a + ARM_WALL * patient.wall
        add_line(limb, grid, arm(patient, side), [taper * thickness for taper in ARM_TAPERS])
        whole = np.maximum(whole, limb)
        if patient.breast:
            half_axes = (BREAST_WIDE * a, BREAST_HIGH * height, patient.breast / 2)
            off = ellipsoid(x - side * BREAST_OUT * a, y - BREAST_DOWN * height, half_axes)
            whole = whole + off * fade(BREAST_END * height - y, BREAST_EDGE)
    return np.asarray(whole)


def _chest(patient: Patient, grid: Grid) -> Plane:
    """Chest and belly, up to the slope from the neck to the end of the shoulders."""
    a, height, y, side = patient.half_width, patient.lung_height, grid.y, np.abs(grid.x)
    half = CHEST_HALF_WIDTH * a + patient.wall * (1 + BELLY_WIDER * fade(-y, WIDER_OVER * height))
    depth = 2 * (patient.half_depth + WALL_IN_FRONT * patient.wall)
    slope = SHOULDER_SLOPE * height * (side / (SHOULDER_END * a)) ** 3
    shoulder = apex(patient) - SHOULDER_LINE * height + slope
    front = np.clip((y - shoulder) / (CHEST_ROUNDS_OFF * height), 0, 1) ** FRONT_POWER
    power, root = CHEST_OUTLINE
    belly = 1 + BELLY_DEEPER * fade(y - BELLY_FROM * height, BELLY_FADE * height)
    return np.asarray(depth * np.maximum(0, 1 - (side / half) ** power) ** root * front * belly)


def _cavity(patient: Patient, inspiration: float, grid: Grid, side: int, turn: float) -> Plane:
    """The inside of the rib cage on one side, without what lies between the lungs and without the diaphragm's dome."""
    a, height, x, y = patient.half_width, patient.lung_height, grid.x, grid.y
    outward = side * x
    part = (y - apex(patient)) / height
    wide = np.maximum(inner_width(patient, y), 1e-3)
    inner = (
        (BETWEEN_LUNGS - LEFT_NARROWER * side) * a
        + APEX_NARROWER * a * np.exp(-np.maximum(part, 0) / APEX_NARROWS_OVER)
        + side * TURN_SHIFTS * patient.half_depth * turn
    )
    half_depth = patient.half_depth * np.sqrt(np.clip(part / FULL_DEPTH_AT, 0, 1))
    power, root = CAVITY_OUTLINE
    depth = half_depth * np.maximum(0, 1 - np.clip(outward / wide, 0, 1) ** power) ** root
    below = np.maximum(0, y - dome(patient, inspiration, x, side))
    blocked = np.sqrt(below / (DOME_DOWN * height)) * DOME_DEPTH * patient.half_depth  # a dome in depth too
    front = np.minimum(depth, blocked + DOME_TOP_IN_FRONT * patient.half_depth)
    back = np.minimum(depth, blocked - DOME_TOP_IN_FRONT * patient.half_depth)
    taken = np.where(below > 0, np.maximum(0, front + back), 0)
    thickness = np.maximum(0, 2 * depth - taken) * fade(outward - inner, EDGE_OF_LUNG * a) * (part > 0)
    return np.asarray(thickness, dtype=np.float32)
