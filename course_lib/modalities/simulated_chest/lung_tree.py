"""Vessels and bronchi of the lungs in space: the branches of the film, each with a depth, and finer ones.

`landmarks` says in which unit the constants are; depths were set by eye beside axial slices of CT.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from course_lib.modalities.simulated_chest.geometry import Grid, Plane, Point
from course_lib.modalities.simulated_chest.landmarks import SIDES, hilum
from course_lib.modalities.simulated_chest.middle import Middle, middle
from course_lib.modalities.simulated_chest.organs import (
    BRONCHUS_BELOW,
    BRONCHUS_RADIUS,
    CHILD_LENGTH,
    CHILD_RADIUS,
    LEAST_BRONCHUS,
    THINS,
    branches_of,
    bronchus_of,
    hub,
    small_vessels,
)
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.volume import (
    Axes,
    Block,
    Place,
    WholeGrid,
    around,
    box,
    texture3,
)

HILUM_BACK = 0.12  #: of the half-depth
FAN = (-0.6, 0.65)  #: part of the cage's depth to which the trunks of a lung lead, from the front to the back
FAN_SPREAD, CHILD_SPREAD = 0.2, (0.12, 0.38)  #: of a trunk; of a branch's children, to the front and to the back
DEEPEST = 0.94  #: part of the cage's depth: the way to the pleura
OUT_OF_THE_MIDDLE, LEAST_LUNG = 0.02, 0.06  #: how far a branch keeps from the heart; how deep a lung holds one
WALL_OF_BRONCHUS = 0.25  #: of its radius
TWIGS, TWIG_BEND = 2, 0.75  #: generations of finer branches after a film's last; to the side, part of their length
TWIGS_TAKE = 0.4  #: part of the vessels too small for a film that the twigs are
FINE_CELL = 0.016  #: size of what is finer still


@dataclass(frozen=True)
class Stretch:
    """A straight piece of a vessel or a bronchus, cm."""

    start: Place
    end: Place
    radii: tuple[float, float]


@dataclass(frozen=True)
class Tree:
    """The part of each voxel that is vessel, the inside of a bronchus, or its wall; and the finest vessels."""

    vessels: Block
    lumens: Block
    walls: Block
    fine: Plane  #: vessels that no voxel shows one by one: cm along the ray
    uneven: Block  #: how much more or less of them there is in a voxel; mean 1


def draw_tree(patient: Patient, inspiration: float, axes: Axes, grid: WholeGrid) -> Tree:
    """Both lungs; the random numbers are the film's, those of depths are drawn apart."""
    rng, apart = (np.random.default_rng([patient.anatomy_seed, stream]) for stream in (4, 12))
    vessels, lumens, walls = (np.zeros(axes.shape, np.float32) for _ in range(3))
    a, fine = patient.half_width, np.zeros_like(grid.x)
    for side in SIDES:
        branches = list(branches_of(patient, rng, side))
        for stretch, thick in _in_space(patient, inspiration, apart, branches):
            _add(vessels, axes, grid, stretch)
            if thick:
                bronchus, wall = _bronchus(stretch, thick)
                _add(lumens, axes, grid, bronchus)
                _add(walls, axes, grid, wall)
        x, y = hilum(patient, side)
        np.maximum(vessels, around(axes, HILUM_BACK * patient.half_depth, hub(patient, grid, side)), out=vessels)
        fine = fine + np.where(side * grid.x > 0, small_vessels(patient, rng, grid, side), 0)
    speckles = np.maximum(0, texture3(np.random.default_rng([patient.anatomy_seed, 13]), axes, grid, FINE_CELL * a))
    return Tree(vessels, lumens, walls, (1 - TWIGS_TAKE) * fine, 2 * speckles**2)


def _in_space(
    patient: Patient, inspiration: float, rng: np.random.Generator, branches: list[tuple[list[Point], list[float]]]
) -> Iterator[tuple[Stretch, float]]:
    """The stretches of one lung with the depths of their ends; and for those with a bronchus their first radius."""
    places = {point: 0.0 for points, _ in branches for point in points}
    known: dict[Point, float] = {}
    trunks = 0
    for points, _ in branches:
        start = points[0]
        if start not in known:
            known[start], trunks = 0.0, trunks + 1
            towards = FAN[0] + (FAN[1] - FAN[0]) * ((trunks * 0.618) % 1) + rng.normal(0, FAN_SPREAD)
        else:
            towards = known[start] + rng.choice((-1, 1)) * rng.uniform(*CHILD_SPREAD)
        for step, point in enumerate(points[1:], start=1):
            known[point] = float(np.clip(known[start] + (towards - known[start]) * step / (len(points) - 1), -1, 1))
    places = _depths(patient, inspiration, known)
    leaves = min(radii[0] for _, radii in branches) * 1.0001
    for points, radii in branches:
        thick = radii[0] if radii[0] > LEAST_BRONCHUS * patient.half_width else 0.0
        for first, last, r0, r1 in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
            stretch = Stretch((*first, places[first]), (*last, places[last]), (r0, r1))
            yield stretch, thick
        if radii[0] < leaves:
            yield from ((twig, 0.0) for twig in _twigs(rng, stretch, TWIGS))


def _depths(patient: Patient, inspiration: float, parts: dict[Point, float]) -> dict[Point, float]:
    """Where along the ray the points lie, cm, for parts of the cage's depth: not in the heart, nor below the dome."""
    plane = np.array([list(parts)], dtype=np.float64)
    inside: Middle = middle(patient, inspiration, Grid(plane[..., 0], plane[..., 1], 1, 0, (0, 0), 1, 0))
    part = np.array(list(parts.values()))
    cage, low, high = inside.cage[0], inside.low[0], inside.high[0]
    z = np.where(part == 0, HILUM_BACK * patient.half_depth, DEEPEST * part * cage)
    a = patient.half_width
    gap, least = OUT_OF_THE_MIDDLE * a, LEAST_LUNG * a
    blocked = (part != 0) & (high - low > gap) & (z > low - gap) & (z < high + gap)
    to_front = (low + cage > least) & ((z < (low + high) / 2) | (cage - high < least))
    moved = np.where(to_front, np.maximum(low - gap, -DEEPEST * cage), np.minimum(high + gap, DEEPEST * cage))
    return dict(zip(parts, map(float, np.where(blocked, moved, z)), strict=True))


def _twigs(rng: np.random.Generator, parent: Stretch, generations: int) -> Iterator[Stretch]:
    """Branches that are too fine for a film, two after each."""
    start, end = np.array(parent.start), np.array(parent.end)
    way = end - start
    length = CHILD_LENGTH * float(np.linalg.norm(way))
    aside = np.cross(way, rng.normal(size=3))
    aside = aside / max(float(np.linalg.norm(aside)), 1e-9)
    for turn in (-1, 1):
        course = way / max(float(np.linalg.norm(way)), 1e-9) + turn * TWIG_BEND * rng.uniform(0.4, 1) * aside
        tip = end + length * course / float(np.linalg.norm(course))
        radius = CHILD_RADIUS * parent.radii[0]
        twig = Stretch(parent.end, (float(tip[0]), float(tip[1]), float(tip[2])), (radius, radius * (1 - THINS)))
        yield twig
        if generations > 1:
            yield from _twigs(rng, twig, generations - 1)


def _bronchus(vessel: Stretch, thick: float) -> tuple[Stretch, Stretch]:
    """The inside and the outside of the bronchus that runs along a vessel."""
    points, radii = bronchus_of([vessel.start[:2], vessel.end[:2]], list(vessel.radii))
    below = BRONCHUS_BELOW * (thick - vessel.radii[0])  # the whole branch lies as far below as its beginning
    start, end = ((x, y + below, z) for (x, y), z in zip(points, (vessel.start[2], vessel.end[2]), strict=True))
    inner, outer = ((radii[0] * part, radii[1] * part) for part in (1, 1 + WALL_OF_BRONCHUS))
    return Stretch(start, end, inner), Stretch(start, end, outer)


def _add(canvas: Block, axes: Axes, grid: WholeGrid, stretch: Stretch) -> None:
    """Draw a stretch with the chords that it has on a film: across the ray it is round, along the ray it is sheared."""
    radius = max(stretch.radii)
    if radius < 0.3 * grid.pixel:
        return
    part = box(axes, grid, (stretch.start, stretch.end), radius + axes.voxel[2])
    rows, depths, columns = part
    if rows.start >= rows.stop or depths.start >= depths.stop or columns.start >= columns.stop:
        return
    (x0, y0, z0), (x1, y1, z1), (r0, r1) = stretch.start, stretch.end, stretch.radii
    x, y = grid.x[rows, columns] - np.float32(x0), grid.y[rows, columns] - np.float32(y0)
    dx, dy = x1 - x0, y1 - y0
    along = np.clip((x * np.float32(dx) + y * np.float32(dy)) / np.float32(max(dx * dx + dy * dy, 1e-9)), 0, 1)
    apart = (x - along * np.float32(dx)) ** 2 + (y - along * np.float32(dy)) ** 2
    half = np.sqrt(np.maximum(0, (r0 + along * np.float32(r1 - r0)) ** 2 - apart))
    if not half.any():
        return
    z, step = axes.z[depths].astype(np.float32)[None, :, None], np.float32(axes.voxel[2])
    at = z - (np.float32(z0) + along * np.float32(z1 - z0))[:, None, :]
    half = half[:, None, :]
    filled = np.clip((np.minimum(half, at + step / 2) - np.maximum(-half, at - step / 2)) / step, 0, 1)
    np.maximum(canvas[part], filled, out=canvas[part])
