"""The bones of the chest in space: ribs around the lungs, a spine with its canal, collar bones, blades, breastbone.

All but the breastbone are those of the film, which says how wide they are and how much bone a ray crosses. `landmarks`
says in which unit the constants are; depths were set by eye beside axial slices of CT.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from course_lib.modalities.simulated_chest.anatomy import CAVITY_OUTLINE, FULL_DEPTH_AT
from course_lib.modalities.simulated_chest.bones import (
    COLLAR_CORTEX,
    COLLAR_RADII,
    COLLAR_WEIGHT,
    RIB_MARROW,
    VERTEBRA_HALF_WIDTH,
    Rib,
    bend,
    collar_bone,
    draw_ribs,
    shoulder_blade,
    spine,
)
from course_lib.modalities.simulated_chest.geometry import Plane, points_grid
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, inner_width
from course_lib.modalities.simulated_chest.middle import (
    Layers,
    Middle,
    back_of,
    front_of_spine,
    layers,
    skin_in_front,
)
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.volume import (
    BENT,
    Axes,
    Block,
    Part,
    Place,
    WholeGrid,
    around,
    boxes,
    distance_to_line,
    is_empty,
    on_ruler,
    overlap,
)

# The spine, from the front to the back, in a.
BODY_DEPTH, RIM_FROM, RIM_TAKES = 0.19, 0.88, 0.4  #: of a vertebra; where its rim begins; the part of the bone in it
PEDICLE_DEPTH, ARCH_BEHIND, ARCH_DEPTH = 0.09, 0.285, 0.03  #: behind its front: the arch behind the canal
PROCESS_DEPTH = 0.09

STEPS = 24  #: of a rib, from the spine to the breastbone
FLATTEST = 0.6  #: of its radius a rib keeps across, where the wall is thin
COLLAR_FORWARD = (0.84, 0.84, 0.72, 0.45, 0.15)  #: of the chest's half-depth, from the breastbone outwards
BLADE_DENSITY, THINNEST_BLADE = 0.6, 1e-3  #: of cortical bone's; cm of it, below which nothing is drawn
BREASTBONE_FROM, BREASTBONE_TO = 0.10, 0.72  #: in lung heights below the apex
BREASTBONE_HALF_WIDTH, BREASTBONE_DEPTH, BREASTBONE_OUT = (0.17, 0.11), 0.075, 0.02  #: above, below
BREASTBONE_NARROWS = 0.2  #: lung heights over which it does
BREASTBONE_DENSITY = 0.16
COLLAR_MARROW = 0.2
LEAST_BONE = 0.02  #: weight, below which nothing is drawn
RIB_ENDS = 0.13  #: from the middle: at the vertebra
RIB_WALL = 0.7  #: of the wall's thickness, in front and behind
HIGHEST_RIB = 0.02  #: in parts of the height over which the cage gets deep: a rib farther up bends as one there

EVERYWHERE: Part = (slice(None), slice(None), slice(None))


@dataclass(frozen=True)
class Tube:
    """A straight piece of a bone, cm."""

    ends: tuple[Place, Place]
    radius: float
    cortex: float
    weight: float  #: how much of cortical bone's density it has
    marrow: float  #: how much of that its inside has
    flat: tuple[Place, float] = ((0, 0, 1), 1)  #: the direction in which it is thinner, and so many times


@dataclass(frozen=True)
class Skeleton:
    """The part of each voxel that is bone, and how much of cortical bone's density it has."""

    occupancy: Block
    density: Block

    def add(self, part: Part, occupancy: Block, density: Block) -> None:
        """Draw a bone where it is the densest."""
        np.maximum(self.occupancy[part], occupancy, out=self.occupancy[part])
        np.maximum(self.density[part], np.minimum(density, occupancy), out=self.density[part])


def draw_bones(
    patient: Patient, rng: np.random.Generator, axes: Axes, grid: WholeGrid, coats: Layers, inside: Middle
) -> Skeleton:
    """All of them; ``rng`` is the one that a film of this patient draws its bones with."""
    bones = Skeleton(np.zeros(axes.shape, np.float32), np.zeros(axes.shape, np.float32))
    _add_spine(bones, patient, rng, axes, grid, inside)
    tubes = [tube for rib in draw_ribs(patient, rng) for side in SIDES for tube in _rib(patient, rib, side)]
    for side in SIDES:
        tubes += _collar_bone(patient, rng, side)
    ends, edge = np.array([tube.ends for tube in tubes]), axes.edge
    margins = np.array([tube.radius for tube in tubes]) + edge + BENT
    for tube, part in zip(tubes, boxes(axes, on_ruler(patient, ends), margins), strict=True):
        if not is_empty(part):
            _add_tube(bones, tube, part, edge, axes, grid)
    for side in SIDES:
        _add_blade(bones, shoulder_blade(patient, grid, side), axes, coats, inside)
    _add_breastbone(bones, patient, axes, grid, inside)
    return bones


def _add_spine(
    bones: Skeleton, patient: Patient, rng: np.random.Generator, axes: Axes, grid: WholeGrid, inside: Middle
) -> None:
    """Spongy bodies in a harder rim; behind them the arch, with its processes, around the canal."""
    a, parts = patient.half_width, spine(patient, rng, grid, 0.0)
    front, back = front_of_spine(patient, grid.y), back_of(patient, grid.y)
    half = VERTEBRA_HALF_WIDTH * a
    depth, inner = (
        size * BODY_DEPTH * a * np.sqrt(np.maximum(0, 1 - np.abs(parts.x / half / size) ** 4)) for size in (1, RIM_FROM)
    )
    middle = front + BODY_DEPTH * a / 2
    whole, spongy = around(axes, middle, depth), around(axes, middle, inner)
    in_rim = np.where(inner > 0, RIM_TAKES, 1) * parts.bodies / np.maximum(depth - inner, 1e-3)
    in_core = (1 - RIM_TAKES) * parts.bodies / np.maximum(inner, 1e-3)
    hard = in_rim[:, None, :] * (whole - spongy) + in_core[:, None, :] * spongy
    bones.add(EVERYWHERE, whole, hard)
    arch = np.where(np.abs(parts.x) < half, front + ARCH_BEHIND * a, np.maximum(front + ARCH_BEHIND * a, inside.cage))
    for plane, at, length in (
        (parts.pedicles, front + BODY_DEPTH * a + PEDICLE_DEPTH * a / 2, PEDICLE_DEPTH * a),
        (parts.transverse, arch, ARCH_DEPTH * a),
        (parts.processes, back - PROCESS_DEPTH * a / 2, PROCESS_DEPTH * a),
    ):
        _add_plate(bones, plane, at, length, axes)


def _add_plate(bones: Skeleton, plane: Plane, at: Plane, length: float | Plane, axes: Axes) -> None:
    """A body of this length along the ray, with the bone that a film shows of it."""
    length = np.where(plane > 0, np.maximum(length, plane), 0)
    occupancy = around(axes, at, length)
    density = plane / np.maximum(length, 1e-6)
    bones.add(EVERYWHERE, occupancy, density[:, None, :] * occupancy)


def _rib(patient: Patient, rib: Rib, side: int) -> Iterator[Tube]:
    """One rib as a bent tube just outside the room for the lungs; where the wall is thin it is flat."""
    angle = np.linspace(0, np.pi, STEPS + 1)
    u, v = np.sin(angle), -np.cos(angle)
    weights = rib.bone(u, v, patient.half_width)
    room_for_it = RIB_WALL * patient.wall - skin_in_front(patient)
    thin = float(np.clip(room_for_it / 2, FLATTEST * rib.radius, rib.radius))
    places, normals = _rib_curve(patient, rib, u, v, min(thin, room_for_it - thin))
    bent = bend(patient, np.array([y for _, y, _ in places])) * (1 - u * u)  # the spine takes its ends along
    places = [(side * x + float(aside), y, z) for (x, y, z), aside in zip(places, bent, strict=True)]
    for step, (out_x, out_z) in enumerate(normals[:-1]):
        weight = float(weights[step] + weights[step + 1]) / 2
        if weight > LEAST_BONE and abs(places[step + 1][0]) > RIB_ENDS * patient.half_width:
            flat = ((side * out_x, 0.0, out_z), rib.radius / thin)
            yield Tube((places[step], places[step + 1]), rib.radius, rib.cortex, weight * flat[1], RIB_MARROW, flat)


def _rib_curve(
    patient: Patient, rib: Rib, u: Plane, v: Plane, outside: float
) -> tuple[list[Place], list[tuple[float, float]]]:
    """Points of the left rib's axis, so far ``outside`` the room for the lungs, cm; and the ways outwards, x and z."""
    x, y = rib.width * u, rib.level + rib.drop * (1 + v)
    part = np.clip((y - apex(patient)) / patient.lung_height / FULL_DEPTH_AT, HIGHEST_RIB, 1)
    half_depth = patient.half_depth * np.sqrt(part)
    power, root = CAVITY_OUTLINE
    wide = np.maximum(inner_width(patient, y), rib.width)
    z = -np.sign(v) * half_depth * np.maximum(0, 1 - (x / wide) ** power) ** root
    across, along = power * (x / wide) ** (power - 1) / wide, 2 * z / half_depth**2  # which way the outline faces
    norm = np.hypot(across, along) + 1e-9
    out_x, out_z = across / norm, along / norm
    out = x + outside * out_x, y, z + outside * out_z
    places = [(float(one[0]), float(one[1]), float(one[2])) for one in zip(*out, strict=True)]
    return places, [(float(one[0]), float(one[1])) for one in zip(out_x, out_z, strict=True)]


def _add_tube(bones: Skeleton, tube: Tube, part: Part, edge: float, axes: Axes, grid: WholeGrid) -> None:
    """A straight piece of a bone, which fades out over ``edge``, cm."""
    distance = distance_to_line(axes, grid, part, *tube.ends, tube.flat)
    outer, inner = (
        np.clip(np.float32(0.5 + radius / edge) - distance * np.float32(1 / edge), 0, 1)
        for radius in (tube.radius, tube.radius - tube.cortex)
    )
    bones.add(part, outer, np.float32(tube.weight) * (outer - np.float32(1 - tube.marrow) * inner))


def _collar_bone(patient: Patient, rng: np.random.Generator, side: int) -> Iterator[Tube]:
    """A tube from the breastbone outwards and back."""
    a, points = patient.half_width, collar_bone(patient, rng, side, 0.0)
    x, y = np.array(points).T
    deep = layers(patient, points_grid(x, y)).inside_fat[0] / 2
    places = [(*point, -float(d) * part) for point, d, part in zip(points, deep, COLLAR_FORWARD, strict=True)]
    for ends, radii in zip(pairwise(places), pairwise(COLLAR_RADII), strict=True):
        yield Tube(ends, sum(radii) / 2 * a, COLLAR_CORTEX * a, min(1, COLLAR_WEIGHT), COLLAR_MARROW)


def _add_blade(bones: Skeleton, plane: Plane, axes: Axes, coats: Layers, inside: Middle) -> None:
    """A thin plate between the ribs and the skin of the back."""
    at = np.maximum((inside.cage + coats.inside_fat / 2) / 2, 0)
    _add_plate(bones, np.where(plane > THINNEST_BLADE, plane, 0), at, plane / BLADE_DENSITY, axes)


def _add_breastbone(bones: Skeleton, patient: Patient, axes: Axes, grid: WholeGrid, inside: Middle) -> None:
    """A flat bone in front, wide above; what a film shows of it is lost in the middle."""
    a = patient.half_width
    part = (grid.y - apex(patient)) / patient.lung_height
    there = (part > BREASTBONE_FROM) & (part < BREASTBONE_TO)
    above, below = BREASTBONE_HALF_WIDTH
    half = (below + (above - below) * np.clip(1 - (part - BREASTBONE_FROM) / BREASTBONE_NARROWS, 0, 1)) * a
    depth = BREASTBONE_DEPTH * a * np.sqrt(np.maximum(0, 1 - np.abs(grid.x / half) ** 4)) * there
    front = np.minimum(back_of(patient, grid.y), inside.cage + (BREASTBONE_OUT + BREASTBONE_DEPTH) * a)
    low = -front + (BREASTBONE_DEPTH * a - depth) / 2
    occupancy = overlap(axes, low, low + depth)
    bones.add(EVERYWHERE, occupancy, np.float32(BREASTBONE_DENSITY) * occupancy)
