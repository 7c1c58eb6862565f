"""Boxes of voxels: where each lies in the patient, and how bodies are drawn in them, with soft edges.

Blocks are float32 arrays [y, z, x]: slices from head to feet, in each the front above and the patient's right on the
left, as radiologists look at them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from course_lib.modalities.simulated_chest.geometry import Grid, Line, Plane, Point, irregular, ruler_places
from course_lib.modalities.simulated_chest.people import Patient

Block = NDArray[np.floating[Any]]  #: one number per voxel, float32 [y, z, x]
Places = NDArray[np.floating[Any]]  #: x, y and z in the last axis, cm
Place = tuple[float, float, float]  #: x, y and z, cm
Part = tuple[slice, slice, slice]  #: of a block

SIZE = 48  #: of the lattice of random numbers behind a texture; it repeats after so many bumps
JOINT = 0.06  #: of its length, by which a piece of a bent line reaches into the next
BENT = 0.1  #: cm by which the warp may bend a straight piece of a vessel or a bone
EVEN = 1e-3  #: of a voxel, by which places on an axis may miss an even grid


@dataclass(frozen=True)
class Axes:
    """The middles of voxels, cm: x to the patient's left, y down to the feet, z to the back; 0 in the middle of the
    lungs. Along each axis they are evenly spaced, and there are at least two of them.

    Raises:
        ValueError: they are not.
    """

    x: Line
    y: Line
    z: Line

    def __post_init__(self) -> None:
        for name in ("x", "y", "z"):
            places = getattr(self, name)
            steps = np.diff(places) if np.ndim(places) == 1 else np.zeros(0)
            if len(steps) == 0 or not steps[0] > 0 or not (np.abs(steps - steps[0]) < EVEN * steps[0]).all():
                raise ValueError(f"{name} must be two or more places in one row, rising evenly, but is {places!r}.")

    @property
    def voxel(self) -> Place:
        """Its sides along x, y and z, cm."""
        x, y, z = (float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in (self.x, self.y, self.z))
        return x, y, z

    @property
    def edge(self) -> float:
        """The side of a cube as large as a voxel, cm: the length over which the borders of bodies fade out."""
        return float(np.prod(self.voxel) ** (1 / 3))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a block: y, z, x."""
        return len(self.y), len(self.z), len(self.x)


class WholeGrid(Grid):
    """The places of rays through a block: each is drawn on the whole plane, as voxels need not be cubes."""

    def window(self, points: Sequence[Point], margin: float) -> tuple[slice, slice]:  # noqa: ARG002
        """All rows and columns."""
        return slice(None), slice(None)


def rays(patient: Patient, axes: Axes) -> WholeGrid:
    """Where in the regular body the rays along z lie, [y, x]; the warp is the one of the patient's films."""
    across, down = np.meshgrid(axes.x.astype(np.float32), axes.y.astype(np.float32))
    x, y, slack = irregular(patient, across, down, exact=True)
    return WholeGrid(x, y, min(axes.voxel[:2]), slack, (0, 0), 1, 0, exact=True)


def overlap(axes: Axes, low: Plane, high: Plane) -> Block:
    """The part of each voxel that lies between two surfaces [y, x] along z."""
    block = np.zeros(axes.shape, dtype=np.float32)
    there = high > low
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if len(rows) == 0:
        return block
    half = axes.voxel[2] / 2
    first, last = np.searchsorted(axes.z, (low[there].min() - half, high[there].max() + half))
    part = slice(rows[0], rows[-1] + 1), slice(first, last), slice(columns[0], columns[-1] + 1)
    z = axes.z[part[1]].astype(np.float32)[None, :, None]
    low, high = (np.asarray(plane[part[0], part[2]], dtype=np.float32)[:, None, :] for plane in (low, high))
    filled = np.minimum(high, z + np.float32(half))
    filled -= np.maximum(low, z - np.float32(half))
    filled *= np.float32(1 / (2 * half))
    block[part] = np.maximum(filled, 0, out=filled)
    return block


def around(axes: Axes, middle: Plane | float, length: Plane) -> Block:
    """The part of each voxel inside a body of this length along the ray, centred on a surface."""
    return overlap(axes, middle - length / 2, middle + length / 2)


def on_ruler(patient: Patient, ends: Places) -> Places:
    """Pairs of places of the body [n, 2, 3] where they lie on the ruler."""
    if len(ends) == 0:
        return ends
    x, y = ruler_places(patient, ends[..., 0].ravel(), ends[..., 1].ravel())
    return np.stack([x.reshape(-1, 2), y.reshape(-1, 2), ends[..., 2]], axis=-1)


def reaching(axes: Axes, ends: Places, margins: Line) -> NDArray[np.intp]:
    """Which of the lines between two places on the ruler [n, 2, 3] come nearer to a box than their margin, cm."""
    first, last = (np.array([axes.x[end], axes.y[end], axes.z[end]]) for end in (0, -1))
    low, high = ends.min(axis=1) - margins[:, None], ends.max(axis=1) + margins[:, None]
    return np.flatnonzero(((low <= last) & (high >= first)).all(axis=1))


def boxes(axes: Axes, ends: Places, margins: Line) -> list[Part]:
    """For each pair of places on the ruler [n, 2, 3] the part of a block that holds all that is nearer to the line
    between them than a margin, cm; parts without voxels are empty."""
    low, high = ends.min(axis=1) - margins[:, None], ends.max(axis=1) + margins[:, None]
    slices = []
    for number, axis in ((1, axes.y), (2, axes.z), (0, axes.x)):
        first, last = np.searchsorted(axis, low[:, number]), np.searchsorted(axis, high[:, number])
        slices.append([slice(int(a), int(b)) for a, b in zip(first, last, strict=True)])
    return list(zip(*slices, strict=True))


def is_empty(part: Part) -> bool:
    """Whether it has no voxels."""
    return any(one.start >= one.stop for one in part)


def scatter(axes: Axes, places: Places, volumes: Line) -> Block:
    """Small volumes, cm3, at places on the ruler [n, 3]: the part of each voxel that they fill, at most 1."""
    index = [
        (places[:, n] - axis[0]) / step
        for n, axis, step in zip((0, 1, 2), (axes.x, axes.y, axes.z), axes.voxel, strict=True)
    ]
    (ix, fx), (iy, fy), (iz, fz) = ((np.floor(i).astype(np.intp), i - np.floor(i)) for i in index)
    height, depth, width = axes.shape
    total = np.zeros(height * depth * width)
    parts = volumes / np.prod(axes.voxel)
    for up in (0, 1):
        for back in (0, 1):
            for left in (0, 1):
                weight = parts * np.abs(1 - up - fy) * np.abs(1 - back - fz) * np.abs(1 - left - fx)
                y, z, x = iy + up, iz + back, ix + left
                there = (y >= 0) & (y < height) & (z >= 0) & (z < depth) & (x >= 0) & (x < width)
                flat = (y[there] * depth + z[there]) * width + x[there]
                total += np.bincount(flat, weight[there], minlength=len(total))
    return np.minimum(1, total).reshape(axes.shape).astype(np.float32)


def distance_to_line(
    axes: Axes, grid: Grid, part: Part, start: Place, end: Place, flat: tuple[Place, float] = ((0, 0, 1), 1)
) -> Block:
    """How far the voxels of a part of a block lie from a straight piece of a line, cm; in one direction, ``flat``'s
    first, so many times as far as they do; infinitely far before its start and after its end."""
    rows, depths, columns = part
    x = grid.x[rows, columns][:, None, :] - np.float32(start[0])
    y = grid.y[rows, columns][:, None, :] - np.float32(start[1])
    z = (axes.z[depths].astype(np.float32) - np.float32(start[2]))[None, :, None]
    dx, dy, dz = (np.float32(b - a) for a, b in zip(start, end, strict=True))
    along = (x * dx + y * dy + z * dz) / np.maximum(dx * dx + dy * dy + dz * dz, np.float32(1e-9))
    off = (x - along * dx, y - along * dy, z - along * dz)
    (nx, ny, nz), times = flat
    squared = off[0] ** 2 + off[1] ** 2 + off[2] ** 2
    if times != 1:
        across = np.float32(nx) * off[0] + np.float32(ny) * off[1] + np.float32(nz) * off[2]
        squared += np.float32(times**2 - 1) * across**2
    return np.asarray(np.where(np.abs(along - 0.5) < 0.5 + JOINT, np.sqrt(squared), np.inf), dtype=np.float32)


def texture3(rng: np.random.Generator, axes: Axes, grid: Grid, cell: float, there: NDArray[np.bool_]) -> Line:
    """Smooth random numbers in space, mean 0 and standard deviation about 1, for the voxels that are ``there``.

    ``cell`` is the size of their bumps, cm.
    """
    lattice = 1.9 * rng.normal(size=(SIZE, SIZE, SIZE)).astype(np.float32)
    rows, depths, columns = np.nonzero(there)
    places = np.stack([grid.y[rows, columns], axes.z.astype(np.float32)[depths], grid.x[rows, columns]])
    places /= np.float32(cell)
    return np.asarray(map_coordinates(lattice, places, order=1, mode="grid-wrap", prefilter=False), dtype=np.float32)
