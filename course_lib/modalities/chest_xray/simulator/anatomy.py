"""The healthy body: how many cm of soft tissue, air and bone each ray of the picture crosses.

Shapes and proportions were set by eye beside radiographs; the terms are those of any anatomy book. Depths count from
the middle of the chest to the back. All lengths scale with the patient's rib cage, of half-width ``a`` below.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from course_lib.modalities.chest_xray.simulator.geometry import (
    Grid,
    Plane,
    Point,
    add_line,
    ellipsoid,
    fade,
    shell,
    texture,
    tube,
    turned,
)
from course_lib.modalities.chest_xray.simulator.people import Exposure, Patient

SIDES = (-1, 1)  #: the patient's right, on the left of the picture, and the patient's left


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


def build_body(patient: Patient, exposure: Exposure, grid: Grid) -> Body:
    """The patient without any disease."""
    rng = np.random.default_rng([patient.anatomy_seed, 2])
    turn = float(np.sin(np.deg2rad(exposure.turn)))
    trunk = _trunk(patient, grid)
    heart = _heart(patient, exposure, grid, turn)
    right, left = (_cavity(patient, exposure, grid, side, turn) for side in SIDES)
    lungs = (np.maximum(0, right - heart), np.maximum(0, left - heart))
    vessels, bronchi = _trees(patient, grid)
    bone = _spine(patient, rng, grid, turn) + _ribs(patient, rng, grid, turn) + _girdle(patient, rng, grid, turn)
    air = _airways(patient, grid) + _gas(patient, exposure, rng, grid)
    return Body(trunk, (right, left), lungs, heart, vessels, bronchi, np.minimum(air, 0.9 * trunk), bone)


def apex(patient: Patient) -> float:
    """Where the lungs begin, cm; the dome of the right diaphragm is as far below 0, after a full breath."""
    return -patient.lung_height / 2


def inner_width(patient: Patient, y: Plane | float) -> Plane:
    """Half-width of the inside of the rib cage at a height, cm: 0 at the apex, full below the middle."""
    part = np.maximum(0, (np.asarray(y) - apex(patient)) / patient.lung_height)
    top = np.sqrt(np.clip(1 - (1 - part / 0.22) ** 2, 0, 1) * (part < 0.22) + (part >= 0.22))
    return np.asarray(patient.half_width * top * (0.48 + 0.54 * np.minimum(part, 1.15) ** 0.65))


def hilum(patient: Patient, side: int) -> Point:
    """Where bronchi and vessels enter a lung; the left one lies a little higher."""
    return side * 0.24 * patient.half_width, -(0.02 + 0.02 * side) * patient.lung_height


def dome(patient: Patient, exposure: Exposure, x: Plane, side: int) -> Plane:
    """Height of the top of the diaphragm, cm; a full breath flattens it."""
    top = apex(patient) + exposure.inspiration * patient.lung_height + (patient.dome_step if side > 0 else 0)
    outward = (side * x - 0.42 * patient.half_width) / (0.55 * patient.half_width)
    fall = np.where(outward > 0, 0.11, 0.04) * outward**2  # steep towards the ribs, gentle towards the heart
    return np.asarray(top + fall * patient.lung_height / exposure.inspiration)


def _trunk(patient: Patient, grid: Grid) -> Plane:
    """Chest, belly, shoulders, neck, head, arms and breasts."""
    a, height, x, y = patient.half_width, patient.lung_height, grid.x, grid.y
    half = 1.03 * a + patient.wall * (1 + 0.25 * fade(-y, 0.5 * height))
    depth = 2 * (patient.half_depth + 0.7 * patient.wall)
    side = np.abs(x)
    shoulder = (
        apex(patient) - 0.45 * height + 0.40 * height * (side / (1.1 * a)) ** 3
    )  # the slope from the neck outwards
    front = np.clip((y - shoulder) / (0.75 * height), 0, 1) ** 0.65
    chest = (
        depth
        * np.maximum(0, 1 - (side / half) ** 3.2) ** 0.45
        * front
        * (1 + 0.12 * fade(y - 0.42 * height, 0.2 * height))
    )
    neck = tube(x, 0.36 * a) * fade(apex(patient) + 0.1 * height - y, 0.3 * height)
    head = ellipsoid(x, y - apex(patient) + 0.8 * a + patient.neck * height, (0.72 * a, 0.8 * a, 0.85 * a))
    whole = np.maximum(np.maximum(chest, neck), head)
    for side_ in SIDES:
        arm = np.zeros_like(x)
        thickness = 0.26 * a + 0.6 * patient.wall
        add_line(arm, grid, _arm(patient, side_), [1.25 * thickness, 1.1 * thickness, 0.9 * thickness])
        whole = np.maximum(whole, arm)
        if patient.breast:
            off = ellipsoid(x - side_ * 0.5 * a, y - 0.3 * height, (0.42 * a, 0.26 * height, patient.breast / 2))
            whole = whole + off * fade(0.45 * height - y, 0.3)
    return np.asarray(whole)


def _arm(patient: Patient, side: int) -> list[Point]:
    """Shoulder, middle of the upper arm, elbow."""
    a, angle = patient.half_width, np.deg2rad(patient.arms)
    shoulder = (
        side * (1.03 * a + 0.3 * patient.wall),
        apex(patient) + (0.16 - 0.08 * np.sin(angle)) * patient.lung_height,
    )
    reach = (side * np.cos(angle) * a + (side * 0.12 * a if angle < 0 else 0), -np.sin(angle) * 1.3 * a)
    return [(shoulder[0] + part * reach[0], shoulder[1] + part * reach[1]) for part in (0, 0.5, 1.0)]


def _heart(patient: Patient, exposure: Exposure, grid: Grid, turn: float) -> Plane:
    """Ventricles, right atrium, great vessels, aortic arch and thymus; it sinks when the patient breathes in."""
    a, height = patient.half_width, patient.lung_height
    wide, depth = patient.heart * a, patient.half_depth
    floor = apex(patient) + exposure.inspiration * height
    middle = 0.06 * a - 0.35 * depth * turn
    lying = 1 + 0.15 * (1 - exposure.inspiration) / 0.2  # a high diaphragm makes the heart lie broader
    x, y = turned(grid, (middle + 0.32 * wide, floor - 0.45 * wide), 36)
    ventricles = ellipsoid(x, y, (0.9 * wide * lying, 0.7 * wide, 0.9 * depth))
    x, y = turned(grid, (middle - 0.30 * wide, floor - 0.58 * wide), 0)
    atrium = ellipsoid(x, y, (0.48 * wide * lying, 0.8 * wide, 0.75 * depth))
    x, y = turned(grid, (middle + 0.02 * a, floor - 1.3 * wide), 8)
    great_vessels = ellipsoid(x, y, (0.25 * a, 1.0 * wide, 0.7 * depth))
    x, y = turned(grid, (middle + 0.10 * a, apex(patient) + 0.30 * height), 0)
    knob = 0.14 * a if patient.age > 12 else 0.085 * a
    arch = ellipsoid(x, y, (knob, 1.1 * knob, 0.6 * depth))
    whole = np.maximum(np.maximum(ventricles, atrium), np.maximum(great_vessels, arch))
    if patient.thymus > 0:
        sail = 0.16 + 0.34 * patient.thymus
        x, y = turned(grid, (middle, apex(patient) + 0.26 * height), 0)
        whole = np.maximum(whole, ellipsoid(x, y, (sail * a, (0.26 + 0.12 * patient.thymus) * height, 0.6 * depth)))
    return np.asarray(whole, dtype=np.float32)


def _cavity(patient: Patient, exposure: Exposure, grid: Grid, side: int, turn: float) -> Plane:
    """The inside of the rib cage on one side, without what lies between the lungs and without the diaphragm's dome."""
    a, height, x, y = patient.half_width, patient.lung_height, grid.x, grid.y
    outward = side * x
    part = (y - apex(patient)) / height
    wide = np.maximum(inner_width(patient, y), 1e-3)
    inner = (
        (0.19 - 0.03 * side) * a
        + 0.22 * a * np.exp(-np.maximum(part, 0) / 0.07)
        + side * 0.3 * patient.half_depth * turn
    )
    half_depth = patient.half_depth * np.sqrt(np.clip(part / 0.45, 0, 1))
    depth = half_depth * np.maximum(0, 1 - np.clip(outward / wide, 0, 1) ** 5) ** 0.5
    below = np.maximum(0, y - dome(patient, exposure, x, side))
    blocked = np.sqrt(below / (0.18 * height)) * 1.3 * patient.half_depth  # a dome in depth too, its top in front
    front, back = (
        np.minimum(depth, blocked + 0.3 * patient.half_depth),
        np.minimum(depth, blocked - 0.3 * patient.half_depth),
    )
    taken = np.where(below > 0, np.maximum(0, front + back), 0)
    thickness = np.maximum(0, 2 * depth - taken) * fade(outward - inner, 0.09 * a) * (part > 0)
    return np.asarray(thickness, dtype=np.float32)


def _trees(patient: Patient, grid: Grid) -> tuple[Plane, Plane]:
    """Vessels and bronchi: they leave the hilum together, branch in two again and again, and get thinner.

    Bronchi are left out where nothing could show them: air in air can not be seen.
    """
    rng = np.random.default_rng([patient.anatomy_seed, 4])
    vessels, bronchi = np.zeros_like(grid.x), np.zeros_like(grid.x)
    a = patient.half_width
    for side in SIDES:
        start = hilum(patient, side)
        for angle in np.linspace(-78, 80, 9) + rng.normal(0, 6, size=9):
            jitter = rng.normal(0, 0.05 * a, size=2)
            root = (start[0] + jitter[0], start[1] + 1.6 * jitter[1])
            reach = a * (0.30 + 0.12 * np.sin(np.deg2rad(max(angle, 0)))) * patient.lung_height / (1.3 * a)
            for points, radii in _branches(rng, root, side, angle, reach, 0.065 * a * patient.vessels):
                add_line(vessels, grid, points, radii)
                if radii[0] > 0.02 * a and patient.severity > 0:
                    offset = 1.4 * radii[0]
                    add_line(bronchi, grid, [(px, py + offset) for px, py in points], [0.8 * r for r in radii])
        across, down = turned(grid, start, 12 * side)
        hub = ellipsoid(across, down, (0.11 * a, 0.17 * a, 0.10 * a * patient.vessels))
        away = np.hypot(across - 0.1 * a * side, 0.8 * down) / (0.42 * a)
        small = (
            a * patient.vessels * (0.03 * np.exp(-away * away) + 0.012)
        )  # the many that are too small to be told apart
        vessels = np.maximum(vessels, hub) + small * np.clip(1 + 0.4 * texture(rng, grid.x, grid.y, 0.05 * a), 0, 2)
    return vessels, bronchi


def _branches(
    rng: np.random.Generator, start: Point, side: int, angle: float, length: float, radius: float, depth: int = 4
) -> Iterator[tuple[list[Point], list[float]]]:
    """A branch, bent once if it is thick, and after it its two children; ``angle`` counts down from the horizontal."""
    points, bends = [start], 2 if depth > 2 else 1
    for _ in range(bends):
        angle += rng.normal(0, 7)
        x, y = points[-1]
        across, down = side * np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        points.append((x + across * length / bends, y + down * length / bends))
    yield points, [radius * (1 - 0.28 * bend / bends) for bend in range(bends + 1)]
    if depth > 1:
        spread = rng.uniform(12, 30)
        for turn in (-spread, spread * rng.uniform(0.5, 1)):
            yield from _branches(rng, points[-1], side, angle + turn, 0.72 * length, 0.66 * radius, depth - 1)


def _spine(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Vertebral bodies with discs between them, pedicles as rings, spinous processes in the middle."""
    a, spacing = patient.half_width, rib_spacing(patient)
    bend = patient.bend * (1 - (grid.y / (0.6 * patient.lung_height)) ** 2)
    x = grid.x - bend - 0.75 * patient.half_depth * turn
    half = 0.135 * a
    phase = (grid.y - apex(patient)) / spacing + rng.uniform(0, 1)
    across = np.maximum(0, 1 - np.abs(x / half) ** 4) ** 0.5
    into = np.abs(phase - np.round(phase)) * 2  # 0 in the middle of a body, 1 in the middle of a disc
    body = across * (0.35 + 0.45 * fade(0.72 - into, 0.12) + 0.25 * np.exp(-(((into - 0.68) / 0.09) ** 2)))
    nearest = (phase - np.round(phase)) * spacing
    pedicles = np.zeros_like(x)
    for side in SIDES:
        distance = np.hypot((np.abs(x - side * 0.68 * half) / 0.75), nearest + 0.12 * spacing)
        pedicles += shell(distance, 0.2 * spacing, 0.06 * spacing)
    process = ellipsoid(x + 0.35 * turn * a, nearest - 0.15 * spacing, (0.035 * a, 0.3 * spacing, 0.3))
    transverse = shell(nearest + 0.15 * spacing, 0.13 * spacing, 0.04 * a) * fade(1.9 * half - np.abs(x), 0.3 * half)
    return np.asarray(0.034 * a * body + 0.3 * pedicles + 0.35 * process + 0.22 * transverse, dtype=np.float32)


def rib_spacing(patient: Patient) -> float:
    """From one rib to the next at the spine, cm: about nine and a half of them reach down to the right dome."""
    return patient.lung_height / 9.3


def _ribs(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Twelve pairs. Each is a tilted ring, and a tilted ring seen from the front is an ellipse: its upper half is the
    part of the rib behind the lung, its lower half the part in front, which ends where the rib turns into cartilage.
    """
    bones, spacing, a = np.zeros_like(grid.x), rib_spacing(patient), patient.half_width
    depth = 0.98 * patient.half_depth
    bend = patient.bend * (1 - (grid.y / (0.6 * patient.lung_height)) ** 2)
    radius, cortex = 0.041 * a * rng.normal(1, 0.08), 0.010 * a * rng.normal(1, 0.15)
    cartilage = rng.normal(0.5, 0.05)
    top_rows, bottom_rows = grid.y.min(axis=1), grid.y.max(axis=1)
    for number in range(12):
        tilt = np.tan(np.deg2rad(patient.rib_tilt + 0.9 * (number - 5) + rng.normal(0, 1)))
        drop = depth * tilt * min(1.0, 0.45 + 0.14 * number)
        level = apex(patient) + spacing * (number - 0.1 + rng.normal(0, 0.05))
        width = float(inner_width(patient, level + drop)) + 0.4 * radius
        if number > 9:
            width *= 1.0 - 0.06 * (number - 9)
        rows = np.flatnonzero(
            (bottom_rows > level - 2 * radius - grid.slack) & (top_rows < level + 2 * drop + 2 * radius)
        )
        if len(rows) == 0:
            continue
        rows_ = slice(rows[0], rows[-1] + 1)
        v = (grid.y[rows_] - level - drop) / drop
        u = (grid.x[rows_] - bend[rows_] + v * depth * turn) / width
        ring = np.sqrt(u * u + v * v) + 1e-6
        distance = (ring - 1) * ring / np.sqrt((u / width) ** 2 + (v / drop) ** 2 + 1e-9)
        across = (width * v) ** 2 + (drop * u) ** 2
        along_ray = np.minimum(2.2, np.sqrt(1 + (depth * u) ** 2 / (across + 1e-6)))  # the ray runs along the rib
        ends = cartilage + 0.05 * max(0, number - 6) ** 1.5
        shown = np.where(
            v < 0,
            fade(np.abs(u) * width - (0.2 if number < 2 else 0.08) * a, 0.1 * a),
            0.6 * fade(np.abs(u) - ends, 0.09),
        )
        if number > 9:
            shown = shown * fade(0.25 - v, 0.2)
        thin = 1 - 0.35 * np.minimum(1, np.maximum(0, 2 - number))
        bones[rows_] += 0.75 * thin * shown * along_ray * shell(distance, radius, cortex, marrow=0.3)
    return bones


def _girdle(patient: Patient, rng: np.random.Generator, grid: Grid, turn: float) -> Plane:
    """Collar bones, shoulder blades, upper arms and the jaw."""
    a, height = patient.half_width, patient.lung_height
    bones = np.zeros_like(grid.x)
    raised = max(0.0, np.sin(np.deg2rad(patient.arms)))
    for side in SIDES:
        slope, length = rng.normal(0.03, 0.06) + 0.12 * raised, rng.normal(1, 0.05)
        middle = -0.8 * patient.half_depth * turn
        collar = apex(patient) + 0.10 * height
        path = [(0.11, 0.07), (0.3, 0.02), (0.52, -0.05), (0.75, -0.06), (0.95, -0.01)]
        points = [(middle + side * length * px * a, collar + (py - slope * px * 1.6) * a) for px, py in path]
        line = np.zeros_like(bones)
        add_line(line, grid, points, [0.055 * a, 0.042 * a, 0.034 * a, 0.036 * a, 0.045 * a], cortex=0.011 * a)
        bones += 1.15 * line
        bones += _shoulder_blade(patient, grid, side, raised)
        arm = _arm(patient, side)
        shaft = np.zeros_like(bones)
        add_line(shaft, grid, arm, [0.13 * a, 0.068 * a, 0.075 * a], cortex=0.02 * a)
        x, y = turned(grid, arm[0], 0)
        head = shell(np.hypot(x, y), 0.14 * a, 0.012 * a, marrow=0.25)
        bones += 0.8 * np.maximum(shaft, head)
    x, y = turned(grid, (0, apex(patient) - 0.8 * a - patient.neck * height), 0)
    jaw = ellipsoid(x, y, (0.62 * a, 0.76 * a, 0.5 * a)) - ellipsoid(x, y + 0.05 * a, (0.52 * a, 0.66 * a, 0.4 * a))
    return np.asarray(bones + 0.35 * np.maximum(0, jaw), dtype=np.float32)


def _shoulder_blade(patient: Patient, grid: Grid, side: int, raised: float) -> Plane:
    """A thin triangle with thick edges; a raised arm swings it outwards."""
    a, top = patient.half_width, apex(patient) + 0.09 * patient.lung_height
    out = 0.22 * raised
    inner, joint, tip = ((0.66 + out, 0.04), (1.02 + 0.6 * out, 0.10), (0.80 + 1.6 * out, 0.66 - 0.15 * raised))
    corners = [(side * px * a, top + py * a) for px, py in (inner, joint, tip)]
    edges = np.zeros_like(grid.x)
    add_line(edges, grid, [corners[0], corners[2]], [0.02 * a, 0.03 * a])
    add_line(edges, grid, [corners[1], corners[2]], [0.055 * a, 0.04 * a], cortex=0.012 * a)
    add_line(edges, grid, [corners[0], corners[1]], [0.03 * a, 0.05 * a], cortex=0.012 * a)
    blade = np.ones_like(grid.x)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        cross = (end[0] - start[0]) * (grid.y - start[1]) - (end[1] - start[1]) * (grid.x - start[0])
        blade *= fade(side * cross / np.hypot(end[0] - start[0], end[1] - start[1]), 0.04 * a)
    return np.asarray(0.45 * edges + 0.012 * a * blade, dtype=np.float32)


def _airways(patient: Patient, grid: Grid) -> Plane:
    """The windpipe down to its fork, and the two main bronchi; the right one is the steeper."""
    a, height = patient.half_width, patient.lung_height
    air = np.zeros_like(grid.x)
    fork = (-0.01 * a, apex(patient) + 0.38 * height)
    radius = 0.055 * a if patient.age < 12 else 0.062 * a
    add_line(
        air, grid, [(0.02 * a, apex(patient) - 0.5 * height), (0, apex(patient) + 0.1 * height), fork], [radius] * 3
    )
    add_line(air, grid, [fork, (-0.2 * a, fork[1] + 0.2 * a)], [0.8 * radius, 0.65 * radius])
    add_line(air, grid, [fork, (0.27 * a, fork[1] + 0.17 * a)], [0.75 * radius, 0.55 * radius])
    return 1.2 * air


def _gas(patient: Patient, exposure: Exposure, rng: np.random.Generator, grid: Grid) -> Plane:
    """The bubble in the stomach under the left dome, and some gas in the bowel below."""
    a, height = patient.half_width, patient.lung_height
    gas = np.zeros_like(grid.x)
    floor = apex(patient) + exposure.inspiration * height + patient.dome_step
    if patient.gas > 0.05 * a:
        for _ in range(3):
            centre = (a * rng.normal(0.42, 0.08), floor + patient.gas * rng.uniform(0.9, 1.3) + 0.06 * a)
            x, y = turned(grid, centre, rng.normal(0, 25))
            one = ellipsoid(x, y, (patient.gas * rng.uniform(0.7, 1.3), 0.6 * patient.gas, 0.7 * patient.gas))
            gas = np.maximum(gas, one)
    for _ in range(rng.integers(0, 7)):
        centre = (a * rng.normal(0.1, 0.45), floor + a * rng.uniform(0.45, 1.1))
        x, y = turned(grid, centre, rng.uniform(-90, 90))
        size = a * rng.uniform(0.05, 0.13)
        gas = np.maximum(gas, ellipsoid(x, y, (1.6 * size, size, size)))
    mottled = 1 + 0.25 * texture(rng, grid.x, grid.y, 0.12 * a)
    return np.asarray(gas * np.clip(mottled, 0.3, 1.5), dtype=np.float32)
