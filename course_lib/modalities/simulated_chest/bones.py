"""The bones on a chest X-ray: spine, ribs, shoulder girdle, upper arms and jaw; each as cm of cortical bone.

`landmarks` says in which unit the constants are, and where they come from. A *weight* is how much of a shape counts as
cortical bone, where it is spongy or thin.
"""

import numpy as np

from course_lib.modalities.simulated_chest.geometry import (
    Grid,
    Plane,
    add_line,
    ellipsoid,
    fade,
    shell,
    turned,
)
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, arm, inner_width, rib_spacing
from course_lib.modalities.simulated_chest.people import Patient

SPINE_BENDS_OVER = 0.6  #: lung heights from the middle, where a bent spine is back in line

# The spine. Heights and radii in rib spacings, as one vertebra belongs to one rib.
VERTEBRA_HALF_WIDTH = 0.135  #: in a
SPINE_TURNS = 0.75  #: of the half-depth, by which a turn of 90 degrees moves it: it lies at the back
DISC, DISC_FADE = 0.72, 0.12  #: from the middle of a vertebra (0) to that of a disc (1): where bone ends
ENDPLATE, ENDPLATE_WIDTH = 0.68, 0.09  #: the hard plate at the end of a vertebra, on the same scale
THROUGH_DISC, THROUGH_VERTEBRA, THROUGH_ENDPLATE = 0.35, 0.45, 0.25  #: weight of the first; what the others add
PEDICLE_OUT, PEDICLE_NARROWER, PEDICLE_UP = 0.68, 0.75, 0.12  #: in half-widths of a vertebra; ratio; height
PEDICLE_RADIUS, PEDICLE_CORTEX = 0.2, 0.06
PROCESS_TURNS, PROCESS_DOWN = 0.35, 0.15  #: the spinous process: what a turn moves it by, in a; height
PROCESS_HALF_WIDTH, PROCESS_HALF_HEIGHT = 0.035, 0.3  #: in a; in rib spacings
PROCESS_HALF_DEPTH = 0.3  #: cm
TRANSVERSE_RADIUS, TRANSVERSE_CORTEX = 0.13, 0.04  #: the second in a
TRANSVERSE_END, TRANSVERSE_FADE = 1.9, 0.3  #: in half-widths of a vertebra
BODY_WEIGHT, PEDICLE_WEIGHT, PROCESS_WEIGHT, TRANSVERSE_WEIGHT = 0.034, 0.3, 0.35, 0.22  #: the first in a

# The ribs.
PAIRS = 12
FLOATING = 9  #: pairs after this one (counted from 0) do not reach the breastbone
RING_DEPTH = 0.98  #: of the half-depth
RIB_RADIUS, RIB_CORTEX = (0.041, 0.08), (0.010, 0.15)  #: each with its spread among patients
CARTILAGE = (0.5, 0.05)  #: where bone ends, as a part of the width, and its spread
CARTILAGE_FROM, CARTILAGE_GROWS = 6, (0.05, 1.5)  #: from this rib on bone reaches further: factor and power
STEEPER, STEEPER_FROM, TILT_SPREAD = 0.9, 5, 1  #: degrees more from rib to rib, which has the patient's tilt, spread
FIRST_DROP, DROP_GROWS = 0.45, 0.14  #: of a full ring's drop, for the first rib; more for each further one, up to 1
LEVEL, LEVEL_SPREAD = 0.1, 0.05  #: rib spacings above the apex where the first begins
OUTSIDE_CAGE = 0.4  #: radii
FLOATING_SHORTER = 0.06  #: part of the width, for each
MOST_ALONG_RAY = 2.2  #: times as long a way through a rib that runs along the ray; more would only be a spike
BEHIND_FROM, FIRST_BEHIND_FROM, BEHIND_FADE = 0.08, 0.2, 0.1  #: from the spine, where ribs begin to show
FIRST_RIBS = 2  #: the first ones, which lie across each other
FRONT_WEIGHT, FRONT_FADE = 0.6, 0.09  #: in front ribs are flatter
FLOATING_END, FLOATING_FADE = 0.25, 0.2  #: height on the ring
THINNER_FIRST = 0.35
RIB_WEIGHT, RIB_MARROW = 0.75, 0.3

# Collar bones, upper arms, jaw and shoulder blades.
COLLAR_DOWN, COLLAR_TURNS = 0.10, 0.8  #: lung heights below the apex; half-depths that a turn of 90 degrees moves it
COLLAR_SLOPE, COLLAR_RAISED, COLLAR_SPREAD, COLLAR_LENGTH = (0.03, 0.06), 0.12, 1.6, (1, 0.05)
COLLAR_PATH = ((0.11, 0.07), (0.3, 0.02), (0.52, -0.05), (0.75, -0.06), (0.95, -0.01))  #: outwards and down
COLLAR_RADII, COLLAR_CORTEX, COLLAR_WEIGHT = (0.055, 0.042, 0.034, 0.036, 0.045), 0.011, 1.15
ARM_RADII, ARM_CORTEX, ARM_WEIGHT = (0.13, 0.068, 0.075), 0.02, 0.8
ARM_HEAD, ARM_HEAD_CORTEX, ARM_HEAD_MARROW = 0.14, 0.012, 0.25
JAW_ABOVE, JAW_OUTSIDE, JAW_INSIDE, JAW_BACK = 0.8, (0.62, 0.76, 0.5), (0.52, 0.66, 0.4), 0.05
JAW_WEIGHT = 0.35
BLADE_DOWN, BLADE_SWINGS = 0.09, 0.22  #: lung heights below the apex; outwards with a raised arm
BLADE_CORNERS = ((0.66, 0.04), (1.02, 0.10), (0.80, 0.66))  #: inner, at the joint, tip: outwards and down
BLADE_CORNERS_SWING, BLADE_TIP_RISES = (1.0, 0.6, 1.6), 0.15  #: parts of the swing; with a raised arm
BLADE_EDGES = ((0, 2, (0.02, 0.03)), (1, 2, (0.055, 0.04)), (0, 1, (0.03, 0.05)))  #: from, to, radii at both ends
BLADE_EDGE_CORTEX, BLADE_EDGE_WEIGHT, BLADE_THICKNESS, BLADE_FADE = 0.012, 0.45, 0.012, 0.04


def spine(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Vertebral bodies with discs between them, pedicles as rings, spinous processes in the middle."""
    a, spacing = patient.half_width, rib_spacing(patient)
    x = grid.x - _bend(patient, grid) - SPINE_TURNS * patient.half_depth * turn
    half = VERTEBRA_HALF_WIDTH * a
    phase = (grid.y - apex(patient)) / spacing + rng.uniform(0, 1)
    across = np.maximum(0, 1 - np.abs(x / half) ** 4) ** 0.5
    into = np.abs(phase - np.round(phase)) * 2  # 0 in the middle of a body, 1 in the middle of a disc
    endplate = THROUGH_ENDPLATE * np.exp(-(((into - ENDPLATE) / ENDPLATE_WIDTH) ** 2))
    body = across * (THROUGH_DISC + THROUGH_VERTEBRA * fade(DISC - into, DISC_FADE) + endplate)
    nearest = (phase - np.round(phase)) * spacing
    pedicles = np.zeros_like(x)
    for side in SIDES:
        out = np.abs(x - side * PEDICLE_OUT * half) / PEDICLE_NARROWER
        distance = np.hypot(out, nearest + PEDICLE_UP * spacing)
        pedicles += shell(distance, PEDICLE_RADIUS * spacing, PEDICLE_CORTEX * spacing)
    half_axes = (PROCESS_HALF_WIDTH * a, PROCESS_HALF_HEIGHT * spacing, PROCESS_HALF_DEPTH)
    process = ellipsoid(x + PROCESS_TURNS * turn * a, nearest - PROCESS_DOWN * spacing, half_axes)
    transverse = shell(nearest + PROCESS_DOWN * spacing, TRANSVERSE_RADIUS * spacing, TRANSVERSE_CORTEX * a)
    transverse = transverse * fade(TRANSVERSE_END * half - np.abs(x), TRANSVERSE_FADE * half)
    bone = BODY_WEIGHT * a * body + PEDICLE_WEIGHT * pedicles + PROCESS_WEIGHT * process
    return np.asarray(bone + TRANSVERSE_WEIGHT * transverse, dtype=np.float32)


def ribs(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Twelve pairs. Each is a tilted ring, and a tilted ring seen from the front is an ellipse: its upper half is the
    part of the rib behind the lung, its lower half the part in front, which ends where the rib turns into cartilage.
    """
    bones, spacing, a = np.zeros_like(grid.x), rib_spacing(patient), patient.half_width
    depth = RING_DEPTH * patient.half_depth
    bend = _bend(patient, grid)
    radius = RIB_RADIUS[0] * a * rng.normal(1, RIB_RADIUS[1])
    cortex = RIB_CORTEX[0] * a * rng.normal(1, RIB_CORTEX[1])
    cartilage = rng.normal(*CARTILAGE)
    top_rows, bottom_rows = grid.y.min(axis=1), grid.y.max(axis=1)
    for number in range(PAIRS):
        tilt = patient.rib_tilt + STEEPER * (number - STEEPER_FROM) + rng.normal(0, TILT_SPREAD)
        drop = depth * np.tan(np.deg2rad(tilt)) * min(1.0, FIRST_DROP + DROP_GROWS * number)
        level = apex(patient) + spacing * (number - LEVEL + rng.normal(0, LEVEL_SPREAD))
        width = float(inner_width(patient, level + drop)) + OUTSIDE_CAGE * radius
        if number > FLOATING:
            width *= 1.0 - FLOATING_SHORTER * (number - FLOATING)
        rows = np.flatnonzero(
            (bottom_rows > level - 2 * radius - grid.slack) & (top_rows < level + 2 * drop + 2 * radius)
        )
        if len(rows) == 0:
            continue
        rows_ = slice(rows[0], rows[-1] + 1)
        v = (grid.y[rows_] - level - drop) / drop
        u = (grid.x[rows_] - bend[rows_] + v * depth * turn) / width
        weight = _weight_of_rib(number, u, v, width, cartilage, a) * _along_ray(u, v, width, drop, depth)
        bones[rows_] += weight * shell(_from_ring(u, v, width, drop), radius, cortex, marrow=RIB_MARROW)
    return bones


def _bend(patient: Patient, grid: Grid) -> Plane:
    """How far to the side the spine lies, cm."""
    return np.asarray(patient.bend * (1 - (grid.y / (SPINE_BENDS_OVER * patient.lung_height)) ** 2))


def _from_ring(u: Plane, v: Plane, width: float, drop: float) -> Plane:
    """Distance from the ellipse with these half axes, cm; ``u`` and ``v`` are coordinates in half axes."""
    ring = np.sqrt(u * u + v * v) + 1e-6
    return np.asarray((ring - 1) * ring / np.sqrt((u / width) ** 2 + (v / drop) ** 2 + 1e-9))


def _along_ray(u: Plane, v: Plane, width: float, drop: float, depth: float) -> Plane:
    """How much longer than straight across the way through a rib is, where it runs along the ray."""
    across = (width * v) ** 2 + (drop * u) ** 2
    return np.asarray(np.minimum(MOST_ALONG_RAY, np.sqrt(1 + (depth * u) ** 2 / (across + 1e-6))))


def _weight_of_rib(number: int, u: Plane, v: Plane, width: float, cartilage: float, a: float) -> Plane:
    """How much of a ring counts as bone: nothing beside the spine, in cartilage, and past a floating rib's end."""
    factor, power = CARTILAGE_GROWS
    ends = cartilage + factor * max(0, number - CARTILAGE_FROM) ** power
    begins = (FIRST_BEHIND_FROM if number < FIRST_RIBS else BEHIND_FROM) * a
    behind = fade(np.abs(u) * width - begins, BEHIND_FADE * a)
    shown = np.where(v < 0, behind, FRONT_WEIGHT * fade(np.abs(u) - ends, FRONT_FADE))
    if number > FLOATING:
        shown = shown * fade(FLOATING_END - v, FLOATING_FADE)
    thin = 1 - THINNER_FIRST * np.minimum(1, np.maximum(0, FIRST_RIBS - number))
    return np.asarray(RIB_WEIGHT * thin * shown)


def girdle(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Collar bones, shoulder blades, upper arms and the jaw."""
    a, height = patient.half_width, patient.lung_height
    bones = np.zeros_like(grid.x)
    raised = max(0.0, np.sin(np.deg2rad(patient.arms)))
    for side in SIDES:
        slope, length = rng.normal(*COLLAR_SLOPE) + COLLAR_RAISED * raised, rng.normal(*COLLAR_LENGTH)
        middle = -COLLAR_TURNS * patient.half_depth * turn
        collar = apex(patient) + COLLAR_DOWN * height
        points = [
            (middle + side * length * px * a, collar + (py - slope * px * COLLAR_SPREAD) * a) for px, py in COLLAR_PATH
        ]
        line = np.zeros_like(bones)
        add_line(line, grid, points, [part * a for part in COLLAR_RADII], cortex=COLLAR_CORTEX * a)
        bones += COLLAR_WEIGHT * line
        bones += _shoulder_blade(patient, grid, side, raised)
        bones += ARM_WEIGHT * _upper_arm(patient, grid, side)
    return np.asarray(bones + JAW_WEIGHT * np.maximum(0, _jaw(patient, grid)), dtype=np.float32)


def _upper_arm(patient: Patient, grid: Grid, side: int) -> Plane:
    """The shaft, and the round head in the shoulder."""
    a, points = patient.half_width, arm(patient, side)
    shaft = np.zeros_like(grid.x)
    add_line(shaft, grid, points, [part * a for part in ARM_RADII], cortex=ARM_CORTEX * a)
    x, y = turned(grid, points[0], 0)
    head = shell(np.hypot(x, y), ARM_HEAD * a, ARM_HEAD_CORTEX * a, marrow=ARM_HEAD_MARROW)
    return np.maximum(shaft, head)


def _jaw(patient: Patient, grid: Grid) -> Plane:
    """The bone between two ellipsoids; below 0 where there is none."""
    a = patient.half_width
    x, y = turned(grid, (0, apex(patient) - JAW_ABOVE * a - patient.neck * patient.lung_height), 0)
    (wide, high, deep), (wide_in, high_in, deep_in) = JAW_OUTSIDE, JAW_INSIDE
    outside = ellipsoid(x, y, (wide * a, high * a, deep * a))
    return outside - ellipsoid(x, y + JAW_BACK * a, (wide_in * a, high_in * a, deep_in * a))


def _shoulder_blade(patient: Patient, grid: Grid, side: int, raised: float) -> Plane:
    """A thin triangle with thick edges; a raised arm swings it outwards."""
    a, top = patient.half_width, apex(patient) + BLADE_DOWN * patient.lung_height
    swing = BLADE_SWINGS * raised
    places = [(px + part * swing, py) for (px, py), part in zip(BLADE_CORNERS, BLADE_CORNERS_SWING, strict=True)]
    places[-1] = (places[-1][0], places[-1][1] - BLADE_TIP_RISES * raised)
    corners = [(side * px * a, top + py * a) for px, py in places]
    edges = np.zeros_like(grid.x)
    for first, last, radii in BLADE_EDGES:
        cortex = None if first == 0 and last == 2 else BLADE_EDGE_CORTEX * a  # the inner edge is thin, and solid
        add_line(edges, grid, [corners[first], corners[last]], [radius * a for radius in radii], cortex=cortex)
    blade = np.ones_like(grid.x)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        cross = (end[0] - start[0]) * (grid.y - start[1]) - (end[1] - start[1]) * (grid.x - start[0])
        blade *= fade(side * cross / np.hypot(end[0] - start[0], end[1] - start[1]), BLADE_FADE * a)
    return np.asarray(BLADE_EDGE_WEIGHT * edges + BLADE_THICKNESS * a * blade, dtype=np.float32)
