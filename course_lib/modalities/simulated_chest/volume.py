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

from course_lib.modalities.simulated_chest.geometry import Grid, Plane, irregular
from course_lib.modalities.simulated_chest.people import Patient

Block = NDArray[np.float32]  #: one number per voxel, [y, z, x]
Line = NDArray[np.floating[Any]]  #: one number per place on an axis
Place = tuple[float, float, float]  #: x, y and z, cm
Part = tuple[slice, slice, slice]  #: of a block

SIZE = 48  #: of the lattice of random numbers behind a texture; it repeats after so many bumps
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
        return tuple(float(axis[-1] - axis[0]) / (len(axis) - 1) for axis in (self.x, self.y, self.z))  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a block: y, z, x."""
        return len(self.y), len(self.z), len(self.x)


class WholeGrid(Grid):
    """The places of rays through a block: each is drawn on the whole plane, as voxels need not be cubes."""

    def window(self, points: object, margin: float) -> tuple[slice, slice]:
        """All rows and columns."""
        return slice(None), slice(None)


def rays(patient: Patient, axes: Axes) -> WholeGrid:
    """Where in the regular body the rays along z lie, [y, x]; the warp is the one of the patient's films."""
    across, down = np.meshgrid(axes.x.astype(np.float32), axes.y.astype(np.float32))
    x, y, slack = irregular(patient, across, down, exact=True)
    return WholeGrid(x, y, min(axes.voxel[:2]), slack, (0, 0), 1, 0)


def overlap(axes: Axes, low: Plane, high: Plane) -> Block:
    """The part of each voxel that lies between two surfaces [y, x] along z."""
    half = axes.voxel[2] / 2
    z = axes.z.astype(np.float32)[None, :, None]
    low, high = (np.asarray(plane, dtype=np.float32)[:, None, :] for plane in (low, high))
    part = np.minimum(high, z + half)
    part -= np.maximum(low, z - half)
    part *= 1 / (2 * half)
    return np.maximum(part, 0, out=part)


def around(axes: Axes, middle: Plane | float, length: Plane) -> Block:
    """The part of each voxel inside a body of this length along the ray, centred on a surface."""
    return overlap(axes, middle - length / 2, middle + length / 2)


def box(axes: Axes, grid: Grid, points: Sequence[Place], margin: float) -> Part:
    """The part of a block that holds everything nearer to the points than ``margin``, cm."""
    reach = margin + grid.slack
    slices = []
    for axis, extra, across in ((axes.y, reach, 1), (axes.z, margin, 2), (axes.x, reach, 0)):
        places = [point[across] for point in points]
        first = np.searchsorted(axis, min(places) - extra)
        slices.append(slice(int(first), int(np.searchsorted(axis, max(places) + extra))))
    return slices[0], slices[1], slices[2]


def distance_to_line(
    axes: Axes, grid: Grid, part: Part, start: Place, end: Place, flat: tuple[Place, float] = ((0, 0, 1), 1)
) -> Block:
    """How far the voxels of a part of a block lie from a straight line, cm; in one direction, ``flat``'s first, so
    many times as far as they do."""
    rows, depths, columns = part
    x = grid.x[rows, columns][:, None, :] - np.float32(start[0])
    y = grid.y[rows, columns][:, None, :] - np.float32(start[1])
    z = (axes.z[depths].astype(np.float32) - np.float32(start[2]))[None, :, None]
    dx, dy, dz = (np.float32(b - a) for a, b in zip(start, end, strict=True))
    along = np.clip((x * dx + y * dy + z * dz) / np.float32(max(dx * dx + dy * dy + dz * dz, 1e-9)), 0, 1)
    off = (x - along * dx, y - along * dy, z - along * dz)
    (nx, ny, nz), times = flat
    squared = off[0] ** 2 + off[1] ** 2 + off[2] ** 2
    squared += np.float32(times**2 - 1) * (np.float32(nx) * off[0] + np.float32(ny) * off[1] + np.float32(nz) * off[2]) ** 2
    return np.asarray(np.sqrt(squared), dtype=np.float32)


def texture3(rng: np.random.Generator, axes: Axes, grid: Grid, cell: float) -> Block:
    """Smooth random numbers in space, mean 0 and standard deviation about 1; ``cell`` is the size of bumps, cm."""
    lattice = 1.9 * rng.normal(size=(SIZE, SIZE, SIZE)).astype(np.float32)
    places = np.empty((3, *axes.shape), dtype=np.float32)
    places[0], places[1], places[2] = grid.y[:, None, :], axes.z[None, :, None], grid.x[:, None, :]
    places /= cell
    return np.asarray(map_coordinates(lattice, places, order=1, mode="grid-wrap", prefilter=False), dtype=np.float32)
