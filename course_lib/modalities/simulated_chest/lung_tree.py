"""Vessels and bronchi of the lungs in space: the branches of the film, each with a depth, and finer ones.

`landmarks` says in which unit the constants are; depths were set by eye beside axial slices of CT.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_chest.geometry import Grid, Line, Plane, Point, points_grid
from course_lib.modalities.simulated_chest.landmarks import SIDES, hilum
from course_lib.modalities.simulated_chest.middle import middle
from course_lib.modalities.simulated_chest.organs import (
    CHILD_LENGTH,
    CHILD_RADIUS,
    TAPERS,
    Branch,
    branches_of,
    bronchus_of,
    hub,
    small_vessels,
)
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.volume import (
    BENT,
    Axes,
    Block,
    Part,
    Place,
    Places,
    WholeGrid,
    around,
    boxes,
    is_empty,
    on_ruler,
    reaching,
    scatter,
    texture3,
)

HILUM_BACK = 0.12  #: of the half-depth
FAN = (-0.6, 0.65)  #: part of the cage's depth to which the trunks of a lung lead, from the front to the back
GOLDEN = 0.618  #: part of the fan from one trunk to the next, so that neighbours on a film differ in depth
FAN_SPREAD, CHILD_SPREAD = 0.2, (0.12, 0.38)  #: of a trunk; of a branch's children, to the front and to the back
DEEPEST = 0.94  #: part of the cage's depth: the way to the pleura
OUT_OF_THE_MIDDLE, LEAST_DEPTH = 0.02, 0.06  #: how far a branch keeps from the heart; how deep a lung holds one
THINNEST_WITH_BRONCHUS = 0.04  #: radius of a vessel whose bronchus is drawn: on CT, finer ones are too thin to be seen
WALL_OF_BRONCHUS = 0.25  #: part of its radius
THINNEST = 0.3  #: of a voxel's side: thinner branches are left out, as on a film
TWIGS, TWIG_BEND = 2, (0.3, 0.8)  #: generations of finer branches after a film's last; to the side, from and to
PERIPHERAL, PERIPHERAL_LENGTH, PERIPHERAL_RADIUS = 2500, (0.07, 0.18), (0.003, 0.01)  #: number; from and to
PERIPHERAL_AWRY = 0.5  #: how far from straight away from the hilum they run
TWIGS_TAKE = 0.5  #: part of the vessels too small for a film that the drawn finer ones make up
NO_TWIGS_FROM = 0.5  #: cm: voxels of this size and more are drawn without them
TWIG_STEP, TWIG_POINTS = 0.5, 3.0  #: of a voxel, between points along a twig; points across, for each voxel's face
TURN_OF_POINTS = 2.399963  #: the golden angle, which spreads points evenly over a disc
FINE_CELL = 0.014  #: size of what is finer still


@dataclass(frozen=True)
class Stretch:
    """A straight piece of a vessel, cm."""

    start: Place
    end: Place
    radii: tuple[float, float]
    first: float  #: radius where its branch begins
    last: bool  #: whether the film shows no branch after it


@dataclass(frozen=True)
class Tree:
    """The part of each voxel that is vessel, the inside of a bronchus, or its wall; and the finest vessels."""

    vessels: Block
    lumens: Block
    walls: Block
    fine: Plane  #: vessels that no voxel shows one by one: cm along the ray


def draw_tree(patient: Patient, inspiration: float, axes: Axes, grid: WholeGrid) -> Tree:
    """Both lungs; the random numbers are the film's, those of depths are drawn apart."""
    vessels, lumens, walls = (np.zeros(axes.shape, np.float32) for _ in range(3))
    fine = np.zeros_like(grid.x)
    for side, (_, small) in zip(SIDES, _film_lungs(patient, grid), strict=True):
        np.maximum(vessels, around(axes, HILUM_BACK * patient.half_depth, hub(patient, grid, side)), out=vessels)
        fine = fine + np.where(side * grid.x > 0, small, 0)
    kept = _keep(replace(patient, nodules=()), inspiration)
    for canvas, lines in zip((vessels, lumens, walls), kept.drawn, strict=True):
        _draw(canvas, lines, axes, grid)
    if min(axes.voxel) < NO_TWIGS_FROM:
        twigs = sum((_points_in(axes, *some) for some in kept.twigs), np.zeros(axes.shape, np.float32))
        np.maximum(vessels, np.minimum(twigs, 1), out=vessels)
    return Tree(vessels, lumens, walls, (1 - TWIGS_TAKE) * fine)


def branches_in_space(patient: Patient, inspiration: float = 1.0) -> list[Stretch]:
    """The vessels of both lungs that a film shows."""
    nowhere = points_grid(np.zeros(1), np.zeros(1))
    lungs = zip(SIDES, _film_lungs(patient, nowhere), strict=True)
    return [one for side, (branches, _) in lungs for one in _in_space(patient, inspiration, branches, side)]


def unevenness(patient: Patient, axes: Axes, grid: WholeGrid, there: NDArray[np.bool_]) -> Line:
    """How much more or less of the finest vessels than elsewhere there is in a voxel: mean 1."""
    rng = np.random.default_rng([patient.anatomy_seed, 13])
    speckles = np.maximum(0, texture3(rng, axes, grid, FINE_CELL * patient.half_width, there))
    return 2 * speckles * speckles


@dataclass(frozen=True)
class _Lines:
    """Straight pieces, and where their ends lie on the ruler, [n, 2, 3]."""

    stretches: list[Stretch]
    ends: Places


@dataclass(frozen=True)
class _Kept:
    """What is the same in every box of a patient."""

    drawn: tuple[_Lines, _Lines, _Lines]  #: vessels, insides and outsides of bronchi
    twigs: list[tuple[Places, Line]]  #: finer vessels, some alike: ends on the ruler, radii


@lru_cache(maxsize=2)
def _keep(patient: Patient, inspiration: float) -> _Kept:
    """The tree of a patient, kept because several boxes are drawn one after the other."""
    stretches = branches_in_space(patient, inspiration)
    thick = [one for one in stretches if one.first > THINNEST_WITH_BRONCHUS * patient.half_width]
    parts = (
        stretches,
        [_bronchus(one, 1 - WALL_OF_BRONCHUS) for one in thick],
        [_bronchus(one) for one in thick],
    )
    vessels, lumens, walls = (
        _Lines(some, on_ruler(patient, np.array([(one.start, one.end) for one in some]).reshape(-1, 2, 3)))
        for some in parts
    )
    return _Kept((vessels, lumens, walls), _twigs(patient, stretches))


def _film_lungs(patient: Patient, grid: Grid) -> list[tuple[list[Branch], Plane]]:
    """The branches of the right and the left lung, and the vessels too small to be told apart, as on a film."""
    rng = np.random.default_rng([patient.anatomy_seed, 4])
    return [(list(branches_of(patient, rng, side)), small_vessels(patient, rng, grid, side)) for side in SIDES]


def _in_space(patient: Patient, inspiration: float, branches: list[Branch], side: int) -> list[Stretch]:
    """The branches of one lung, with a depth for each of their points."""
    rng = np.random.default_rng([patient.anatomy_seed, 12, side + 1])
    parts: dict[Point, float] = {}  # of the cage's depth
    trunks = 0
    for points, _ in branches:
        start = points[0]
        if start in parts:
            towards = parts[start] + rng.choice((-1, 1)) * rng.uniform(*CHILD_SPREAD)
        else:
            parts[start], trunks = 0.0, trunks + 1
            towards = FAN[0] + (FAN[1] - FAN[0]) * ((trunks * GOLDEN) % 1) + rng.normal(0, FAN_SPREAD)
        for step, point in enumerate(points[1:], start=1):
            parts[point] = float(np.clip(parts[start] + (towards - parts[start]) * step / (len(points) - 1), -1, 1))
    depths = _depths(patient, inspiration, parts)
    leaves = min(radii[0] for _, radii in branches) * 1.0001
    stretches = []
    for points, radii in branches:
        for number in range(len(points) - 1):
            (x0, y0), (x1, y1) = start, end = points[number : number + 2]
            ends = (x0, y0, depths[start]), (x1, y1, depths[end])
            stretches.append(Stretch(*ends, (radii[number], radii[number + 1]), radii[0], radii[0] < leaves))
    return stretches


def _depths(patient: Patient, inspiration: float, parts: dict[Point, float]) -> dict[Point, float]:
    """Where along the ray the points lie, cm, for parts of the cage's depth: not in the heart, nor below the dome."""
    x, y = np.array(list(parts)).T
    inside = middle(patient, inspiration, points_grid(x, y))
    part, a = np.array(list(parts.values())), patient.half_width
    cage, low, high = inside.cage[0], inside.low[0], inside.high[0]
    z = np.where(part == 0, HILUM_BACK * patient.half_depth, DEEPEST * part * cage)
    gap, least = OUT_OF_THE_MIDDLE * a, LEAST_DEPTH * a
    blocked = (part != 0) & (high - low > gap) & (z > low - gap) & (z < high + gap)
    to_front = (low + cage > least) & ((z < (low + high) / 2) | (cage - high < least))
    moved = np.where(to_front, np.maximum(low - gap, -DEEPEST * cage), np.minimum(high + gap, DEEPEST * cage))
    return dict(zip(parts, map(float, np.where(blocked, moved, z)), strict=True))


def _bronchus(vessel: Stretch, part: float = 1) -> Stretch:
    """The bronchus that runs along a vessel as deep as it, or what is nearer to its axis than a part of its radius."""
    (x0, y0, z0), (x1, y1, z1) = vessel.start, vessel.end
    ((x0, y0), (x1, y1)), (r0, r1) = bronchus_of([(x0, y0), (x1, y1)], vessel.radii, vessel.first)
    return replace(vessel, start=(x0, y0, z0), end=(x1, y1, z1), radii=(part * r0, part * r1))


def _draw(canvas: Block, lines: _Lines, axes: Axes, grid: WholeGrid) -> None:
    """Draw stretches with the chords that they have on a film."""
    if not lines.stretches:  # vessels may be too thin for any bronchus
        return
    margins = np.array([max(one.radii) for one in lines.stretches]) + max(axes.voxel) + BENT
    near = reaching(axes, lines.ends, margins)
    for number, part in zip(near, boxes(axes, lines.ends[near], margins[near]), strict=True):
        one = lines.stretches[number]
        if max(one.radii) > THINNEST * grid.pixel and not is_empty(part):
            _draw_one(canvas, one, part, axes, grid)


def _draw_one(canvas: Block, stretch: Stretch, part: Part, axes: Axes, grid: WholeGrid) -> None:
    """Across the ray it is round, along the ray it is sheared."""
    rows, depths, columns = part
    (x0, y0, z0), (x1, y1, z1), (r0, r1) = stretch.start, stretch.end, stretch.radii
    x, y = grid.x[rows, columns] - np.float32(x0), grid.y[rows, columns] - np.float32(y0)
    dx, dy = np.float32(x1 - x0), np.float32(y1 - y0)
    along = (x * dx + y * dy) / max(dx * dx + dy * dy, np.float32(1e-9))
    along = np.minimum(np.maximum(along, 0), 1)
    apart = (x - along * dx) ** 2 + (y - along * dy) ** 2
    half = np.sqrt(np.maximum(0, (np.float32(r0) + along * np.float32(r1 - r0)) ** 2 - apart))[:, None, :]
    z, step = axes.z[depths].astype(np.float32)[None, :, None], np.float32(axes.voxel[2])
    at = z - (np.float32(z0) + along * np.float32(z1 - z0))[:, None, :]
    filled = (np.minimum(half, at + step / 2) - np.maximum(-half, at - step / 2)) / step
    np.maximum(canvas[part], filled, out=canvas[part])


def _twigs(patient: Patient, stretches: list[Stretch]) -> list[tuple[Places, Line]]:
    """Branches that are too fine for a film: two after each of its last ones, two after these, and all over the lungs
    the ends of others."""
    leaves = [one for one in stretches if one.last]
    starts, ends = (np.array([getattr(one, name) for one in leaves]) for name in ("start", "end"))
    radii = np.array([one.first for one in leaves])
    rng = np.random.default_rng([patient.anatomy_seed, 14])
    twigs = []
    for _ in range(TWIGS):
        starts, ends, radii = _next_twigs(rng, starts, ends, radii)
        twigs.append((starts, ends, radii))
    twigs.append(_peripheral(patient, rng))
    return [(on_ruler(patient, np.stack([one, other], axis=1)), thick) for one, other, thick in twigs]


def _peripheral(patient: Patient, rng: np.random.Generator) -> tuple[Places, Places, Line]:
    """Small vessels anywhere in the box around the lungs, which lead away from the hila."""
    a = patient.half_width
    half = np.array([a, patient.lung_height / 2, patient.half_depth])
    starts = rng.uniform(-half, half, size=(PERIPHERAL, 3))
    hila = np.array([(*hilum(patient, side), HILUM_BACK * patient.half_depth) for side in SIDES])
    way = starts - hila[(starts[:, 0] > 0).astype(int)]
    way = way / np.linalg.norm(way, axis=1, keepdims=True) + rng.normal(0, PERIPHERAL_AWRY, size=way.shape)
    length, radii = (a * rng.uniform(*limits, size=PERIPHERAL) for limits in (PERIPHERAL_LENGTH, PERIPHERAL_RADIUS))
    return starts, starts + length[:, None] * way / np.linalg.norm(way, axis=1, keepdims=True), radii


def _next_twigs(rng: np.random.Generator, starts: Places, ends: Places, radii: Line) -> tuple[Places, Places, Line]:
    """Two branches after each."""
    way = ends - starts
    length = np.linalg.norm(way, axis=1, keepdims=True) + 1e-9
    aside = np.cross(way, rng.normal(size=way.shape))
    aside = aside / (np.linalg.norm(aside, axis=1, keepdims=True) + 1e-9)
    tips = []
    for turn in (-1, 1):
        course = way / length + turn * rng.uniform(*TWIG_BEND, size=(len(way), 1)) * aside
        tips.append(ends + CHILD_LENGTH * length * course / np.linalg.norm(course, axis=1, keepdims=True))
    return np.concatenate([ends, ends]), np.concatenate(tips), CHILD_RADIUS * np.concatenate([radii, radii])


def _points_in(axes: Axes, ends: Places, radii: Line) -> Block:
    """Twigs as many small volumes, spread evenly over their length and their sections."""
    longest = float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).max())
    count = int(np.ceil(longest / (TWIG_STEP * min(axes.voxel))))
    across = int(np.ceil(TWIG_POINTS * np.pi * radii.max() ** 2 / min(axes.voxel) ** 2))
    near = reaching(axes, ends, radii + max(axes.voxel))
    if len(near) == 0:
        return np.zeros(axes.shape, np.float32)
    starts, radii = ends[near, 0], radii[near]
    way = ends[near, 1] - starts
    length = np.linalg.norm(way, axis=1)
    part = ((np.arange(count) + 0.5) / count)[None, :, None, None]
    number = np.arange(across)
    out, turn = np.sqrt((number + 0.5) / across), TURN_OF_POINTS * number
    first = np.cross(way, (0.3, 0.5, 0.81))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(way, first) / length[:, None]
    off = out[:, None] * (np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None])
    tapers = 1 - TAPERS * part
    places = starts[:, None, None] + part * way[:, None, None] + tapers * radii[:, None, None, None] * off[:, None]
    volumes = np.pi * (radii[:, None] * tapers[..., 0, 0]) ** 2 * length[:, None] / (count * across)
    return scatter(axes, places.reshape(-1, 3), np.repeat(volumes.ravel(), across))
