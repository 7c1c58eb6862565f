"""What lies between and in the lungs and below them: heart, vessels, bronchi, windpipe, and gas in stomach and bowel.

`landmarks` says in which unit the constants are, and where they come from.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from course_lib.modalities.simulated_chest.geometry import (
    Grid,
    Plane,
    Point,
    add_line,
    ellipsoid,
    texture,
    turned,
)
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, hilum
from course_lib.modalities.simulated_chest.people import Patient

Branch = tuple[list[Point], list[float]]  #: the points of a bent line, and its radius at each, cm

GROWN_UP = 12  #: years, from which the aortic arch and the windpipe are those of an adult

# The heart. Places and half axes (across, down, along the ray; the last in half-depths) in half-widths of the heart.
HEART_LEFT = 0.06  #: of its middle, in a
TURN_SHIFTS_HEART = 0.35  #: of the half-depth, by which a turn of 90 degrees moves it
LIES_BROADER = 0.15  #: part by which it does where the breath is `SHALLOW` less than full: the diaphragm is high
SHALLOW = 0.2
VENTRICLES_AT, VENTRICLES_TURN, VENTRICLES = (0.32, 0.45), 36, (0.9, 0.7, 0.9)  #: left and up; degrees; half axes
ATRIUM_AT, ATRIUM = (-0.30, 0.58), (0.48, 0.8, 0.75)
GREAT_VESSELS_LEFT, GREAT_VESSELS_UP, GREAT_VESSELS_TURN = 0.02, 1.3, 8  #: the first in a
GREAT_VESSELS = (0.25, 1.0, 0.7)  #: the first in a
ARCH_LEFT, ARCH_DOWN = 0.10, 0.30  #: in a; in lung heights below the apex
ARCH_RADII = (0.085, 0.14)  #: in a, of a child and of an adult
ARCH_HIGH, ARCH_DEEP = 1.1, 0.6  #: in radii; in half-depths
THYMUS_DOWN, THYMUS_DEEP = 0.26, 0.6  #: in lung heights below the apex; in half-depths
THYMUS_WIDE, THYMUS_HIGH = (0.16, 0.34), (0.26, 0.12)  #: in a and in lung heights: the least, and what a sail adds

# Vessels and bronchi of a lung; angles in degrees below the horizontal.
TRUNKS, TRUNKS_FROM, TRUNKS_TO, TRUNKS_SPREAD = 9, -78, 80, 6  #: number, first and last angle, and its spread
TRUNK_JITTER, TRUNK_JITTER_DOWN = 0.05, 1.6  #: of its root; so many times as much downwards
TRUNK_LENGTH, TRUNK_LONGER_DOWN = 0.30, 0.12  #: for a lung of `LUNG_SHAPE`; more, the more it points down
LUNG_SHAPE = 1.3  #: height of a usual lung, in a
TRUNK_RADIUS, LEAST_BRONCHUS = 0.065, 0.02
BRONCHUS_BELOW, BRONCHUS_RADIUS = 1.4, 0.8  #: of its vessel's radius
HUB_TURN, HUB = 12, (0.11, 0.17, 0.10)  #: the hilum itself: degrees outwards, half axes
SMALL_VESSELS, SMALL_NEAR_HILUM = 0.012, 0.03  #: the many that are too small to be told apart, everywhere and more
SMALL_OUT, SMALL_REACH, SMALL_DOWN = 0.1, 0.42, 0.8  #: centre and reach of the second; scale of the height
SMALL_VARY, SMALL_CELL = 0.4, 0.05  #: by this part, in bumps of this size
BEND = 7  #: degrees, standard deviation
TAPERS = 0.28  #: part of the radius that a branch loses on its way
FORK = (12, 30)  #: degrees between a branch and its children, from and to
CHILD_LENGTH, CHILD_RADIUS = 0.72, 0.66  #: of the branch's

# Windpipe, main bronchi, and gas in the belly.
FORK_RIGHT, FORK_DOWN = 0.01, 0.38  #: in a; in lung heights below the apex
WINDPIPE_LEFT, WINDPIPE_FROM, WINDPIPE_BENDS = 0.02, 0.5, 0.1  #: in a; in lung heights above and below the apex
WINDPIPE_RADII = (0.055, 0.062)  #: of a child and of an adult
RIGHT_BRONCHUS, RIGHT_NARROWS = (-0.2, 0.2), (0.8, 0.65)  #: where to; in radii of the windpipe
LEFT_BRONCHUS, LEFT_NARROWS = (0.27, 0.17), (0.75, 0.55)
WINDPIPE_DEEPER = 1.2  #: than wide
LEAST_GAS = 0.05  #: radius of a stomach bubble that is drawn
BUBBLES = 3  #: overlapping, which make the stomach's bubble irregular; their sizes are parts of the patient's
STOMACH_LEFT, STOMACH_TILT = (0.42, 0.08), 25  #: mean and spread; degrees, spread
STOMACH_BELOW, STOMACH_LOWER = (0.9, 1.3), 0.06  #: radii below the left dome, from and to; and so much more
STOMACH_WIDE, STOMACH_HIGH, STOMACH_DEEP = (0.7, 1.3), 0.6, 0.7
BOWEL_BUBBLES = 7  #: at most one fewer
BOWEL_LEFT, BOWEL_BELOW = (0.1, 0.45), (0.45, 1.1)  #: mean and spread; from and to
BOWEL_RADIUS, BOWEL_LONGER = (0.05, 0.13), 1.6  #: from and to; than wide
GAS_VARIES, GAS_CELL, GAS_LIMITS = 0.25, 0.12, (0.3, 1.5)


def heart_and_great_vessels(patient: Patient, inspiration: float, grid: Grid, turn: float) -> Plane:
    """Ventricles, right atrium, great vessels, aortic arch and thymus; it sinks when the patient breathes in."""
    a, height = patient.half_width, patient.lung_height
    wide, depth = patient.heart * a, patient.half_depth
    floor = apex(patient) + inspiration * height
    middle = HEART_LEFT * a - TURN_SHIFTS_HEART * depth * turn
    lying = 1 + LIES_BROADER * (1 - inspiration) / SHALLOW
    left, up = VENTRICLES_AT
    x, y = turned(grid, (middle + left * wide, floor - up * wide), VENTRICLES_TURN)
    across, down, along = VENTRICLES
    ventricles = ellipsoid(x, y, (across * wide * lying, down * wide, along * depth))
    left, up = ATRIUM_AT
    x, y = turned(grid, (middle + left * wide, floor - up * wide), 0)
    across, down, along = ATRIUM
    atrium = ellipsoid(x, y, (across * wide * lying, down * wide, along * depth))
    x, y = turned(grid, (middle + GREAT_VESSELS_LEFT * a, floor - GREAT_VESSELS_UP * wide), GREAT_VESSELS_TURN)
    across, down, along = GREAT_VESSELS
    great_vessels = ellipsoid(x, y, (across * a, down * wide, along * depth))
    arch, thymus = _arch(patient, grid, middle), _thymus(patient, grid, middle)
    whole = np.maximum(np.maximum(ventricles, atrium), np.maximum(great_vessels, arch))
    return np.asarray(whole if thymus is None else np.maximum(whole, thymus), dtype=np.float32)


def _arch(patient: Patient, grid: Grid, middle: float) -> Plane:
    """The aortic arch, a knob beside the windpipe."""
    a = patient.half_width
    x, y = turned(grid, (middle + ARCH_LEFT * a, apex(patient) + ARCH_DOWN * patient.lung_height), 0)
    child, adult = ARCH_RADII
    knob = (adult if patient.age > GROWN_UP else child) * a
    return ellipsoid(x, y, (knob, ARCH_HIGH * knob, ARCH_DEEP * patient.half_depth))


def _thymus(patient: Patient, grid: Grid, middle: float) -> Plane | None:
    """The thymus, which lies like a sail beside a child's heart; None where there is none."""
    if patient.thymus <= 0:
        return None
    x, y = turned(grid, (middle, apex(patient) + THYMUS_DOWN * patient.lung_height), 0)
    wide, high = (least + more * patient.thymus for least, more in (THYMUS_WIDE, THYMUS_HIGH))
    half_axes = (wide * patient.half_width, high * patient.lung_height, THYMUS_DEEP * patient.half_depth)
    return ellipsoid(x, y, half_axes)


def lung_trees(patient: Patient, grid: Grid) -> tuple[Plane, Plane]:
    """Vessels and bronchi: they leave the hilum together, branch in two again and again, and get thinner.

    Bronchi are left out where nothing could show them: air in air can not be seen.
    """
    rng = np.random.default_rng([patient.anatomy_seed, 4])
    vessels, bronchi = np.zeros_like(grid.x), np.zeros_like(grid.x)
    a = patient.half_width
    for side in SIDES:
        for points, radii in branches_of(patient, rng, side):
            add_line(vessels, grid, points, radii)
            if radii[0] > LEAST_BRONCHUS * a and patient.severity > 0:
                add_line(bronchi, grid, *bronchus_of(points, radii, radii[0]))
        vessels = np.maximum(vessels, hub(patient, grid, side)) + small_vessels(patient, rng, grid, side)
    return vessels, bronchi


def branches_of(patient: Patient, rng: np.random.Generator, side: int) -> Iterator[Branch]:
    """The vessels of one lung, each a bent line and its radii; after a branch come its children."""
    a, start = patient.half_width, hilum(patient, side)
    for angle in np.linspace(TRUNKS_FROM, TRUNKS_TO, TRUNKS) + rng.normal(0, TRUNKS_SPREAD, size=TRUNKS):
        jitter = rng.normal(0, TRUNK_JITTER * a, size=2)
        root = (start[0] + jitter[0], start[1] + TRUNK_JITTER_DOWN * jitter[1])
        longer = TRUNK_LENGTH + TRUNK_LONGER_DOWN * np.sin(np.deg2rad(max(angle, 0)))
        reach = a * longer * patient.lung_height / (LUNG_SHAPE * a)
        yield from _branches(rng, root, side, angle, reach, TRUNK_RADIUS * a * patient.vessels)


def bronchus_of(points: list[Point], radii: Sequence[float], first: float) -> Branch:
    """The bronchus that runs along a vessel, or along a piece of one whose branch begins with the radius ``first``."""
    return [(x, y + BRONCHUS_BELOW * first) for x, y in points], [BRONCHUS_RADIUS * r for r in radii]


def hub(patient: Patient, grid: Grid, side: int) -> Plane:
    """The hilum of one lung, where its vessels meet, cm."""
    across, down = turned(grid, hilum(patient, side), HUB_TURN * side)
    wide, high, deep = (part * patient.half_width for part in HUB)
    return ellipsoid(across, down, (wide, high, deep * patient.vessels))


def small_vessels(patient: Patient, rng: np.random.Generator, grid: Grid, side: int) -> Plane:
    """The vessels of one lung that are too small to be told apart, cm."""
    a = patient.half_width
    across, down = turned(grid, hilum(patient, side), HUB_TURN * side)
    away = np.hypot(across - SMALL_OUT * a * side, SMALL_DOWN * down) / (SMALL_REACH * a)
    small = a * patient.vessels * (SMALL_NEAR_HILUM * np.exp(-away * away) + SMALL_VESSELS)
    uneven = SMALL_VARY * texture(rng, grid.x, grid.y, SMALL_CELL * a, exact=grid.exact)
    return np.asarray(small * np.clip(1 + uneven, 0, 2))


def _branches(
    rng: np.random.Generator, start: Point, side: int, angle: float, length: float, radius: float, depth: int = 4
) -> Iterator[Branch]:
    """A branch, bent once if it is thick, and after it its two children; ``angle`` counts down from the horizontal."""
    points, bends = [start], 2 if depth > 2 else 1
    for _ in range(bends):
        angle += rng.normal(0, BEND)
        x, y = points[-1]
        across, down = side * np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        points.append((x + across * length / bends, y + down * length / bends))
    yield points, [radius * (1 - TAPERS * bend / bends) for bend in range(bends + 1)]
    if depth > 1:
        spread = rng.uniform(*FORK)
        for turn in (-spread, spread * rng.uniform(0.5, 1)):
            child = (CHILD_LENGTH * length, CHILD_RADIUS * radius)
            yield from _branches(rng, points[-1], side, angle + turn, *child, depth - 1)


def airways(patient: Patient, grid: Grid) -> Plane:
    """The windpipe down to its fork, and the two main bronchi; the right one is the steeper."""
    return WINDPIPE_DEEPER * windpipe(patient, grid)


def windpipe(patient: Patient, grid: Grid) -> Plane:
    """How far rays run inside the windpipe down to its fork and the two main bronchi, cm, as if these were round."""
    a, height = patient.half_width, patient.lung_height
    air = np.zeros_like(grid.x)
    fork = (-FORK_RIGHT * a, apex(patient) + FORK_DOWN * height)
    child, adult = WINDPIPE_RADII
    radius = (child if patient.age < GROWN_UP else adult) * a
    top = (WINDPIPE_LEFT * a, apex(patient) - WINDPIPE_FROM * height)
    add_line(air, grid, [top, (0, apex(patient) + WINDPIPE_BENDS * height), fork], [radius] * 3)
    for (out, down), narrows in ((RIGHT_BRONCHUS, RIGHT_NARROWS), (LEFT_BRONCHUS, LEFT_NARROWS)):
        add_line(air, grid, [fork, (out * a, fork[1] + down * a)], [part * radius for part in narrows])
    return air


def gas(patient: Patient, inspiration: float, rng: np.random.Generator, grid: Grid) -> Plane:
    """The bubble in the stomach under the left dome, and some gas in the bowel below."""
    a, height = patient.half_width, patient.lung_height
    bubbles = np.zeros_like(grid.x)
    floor = apex(patient) + inspiration * height + patient.dome_step
    if patient.gas > LEAST_GAS * a:
        for _ in range(BUBBLES):
            across, down = a * rng.normal(*STOMACH_LEFT), patient.gas * rng.uniform(*STOMACH_BELOW)
            x, y = turned(grid, (across, floor + down + STOMACH_LOWER * a), rng.normal(0, STOMACH_TILT))
            wide = patient.gas * rng.uniform(*STOMACH_WIDE)
            one = ellipsoid(x, y, (wide, STOMACH_HIGH * patient.gas, STOMACH_DEEP * patient.gas))
            bubbles = np.maximum(bubbles, one)
    for _ in range(rng.integers(0, BOWEL_BUBBLES)):
        centre = (a * rng.normal(*BOWEL_LEFT), floor + a * rng.uniform(*BOWEL_BELOW))
        x, y = turned(grid, centre, rng.uniform(-90, 90))
        size = a * rng.uniform(*BOWEL_RADIUS)
        bubbles = np.maximum(bubbles, ellipsoid(x, y, (BOWEL_LONGER * size, size, size)))
    mottled = 1 + GAS_VARIES * texture(rng, grid.x, grid.y, GAS_CELL * a, exact=grid.exact)
    return np.asarray(bubbles * np.clip(mottled, *GAS_LIMITS), dtype=np.float32)
