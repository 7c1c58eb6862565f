"""Where a volume's voxels lie, smooth fields without a lattice, and signed distances to simple bodies."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]  #: one number a point, [i, j, k], float32
Point = tuple[float, float, float]  #: mm: to the right, to the front, up
HEAD_MM = (160.0, 192.0, 160.0)  #: the box of a whole head: right, front, up
FLAT = 0.15  #: part of a field's usual steepness, squared, that keeps distances finite on its tops


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxels of a volume: ``shape`` [i, j, k], and ``affine`` [4, 4], from an index to mm to the right, front, up.

    Index (0, 0, 0) is the centre of the first voxel, as in NIfTI. The origin is the middle of the skull's inside.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f"shape must be three numbers of at least 1, but is {self.shape}.")
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise ValueError(f"affine must be 4 x 4 finite numbers, but is {self.affine!r}.")
        if abs(np.linalg.det(self.affine[:3, :3])) < 1e-9:
            raise ValueError("affine must give each voxel a volume, but its determinant is 0.")

    @classmethod
    def head(cls, spacing_mm: float | Point = 1.0) -> "Grid":
        """A box of 160 x 192 x 160 mm around the whole head."""
        return cls.around((0.0, 0.0, 0.0), HEAD_MM, spacing_mm)

    @classmethod
    def around(cls, centre_mm: Point, size_mm: Point, spacing_mm: float | Point = 1.0) -> "Grid":
        """A box with its middle at a point; voxel centres lie on whole multiples of the spacing.

        So two boxes with the same spacing share their voxels where they overlap.
        """
        spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=float), 3)
        if not (spacing > 0).all() or not (np.asarray(size_mm) > 0).all():
            raise ValueError(f"Size and spacing must be above 0 mm, but are {size_mm} and {spacing_mm}.")
        shape = np.maximum(1, np.round(np.asarray(size_mm) / spacing)).astype(int)
        first = np.round((np.asarray(centre_mm) - (shape - 1) * spacing / 2) / spacing)
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = first * spacing
        return cls((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    @property
    def spacing_mm(self) -> Point:
        """Edge lengths of a voxel, mm."""
        i, j, k = (float(edge) for edge in np.linalg.norm(self.affine[:3, :3], axis=0))
        return i, j, k

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000

    def points(self, rows: slice, offsets: NDArray[np.float64]) -> tuple[Field, Field, Field]:
        """The points of some rows along i, mm, each [rows, j, k x offsets]; the offsets are along k, in voxels."""
        i, j, k = (np.arange(count, dtype=float) for count in self.shape)
        slices = (k[:, None] + offsets).ravel()
        shape = (len(i[rows]), len(j), len(slices))
        x, y, z = (
            np.broadcast_to(a * i[rows, None, None] + b * j[:, None] + c * slices + shift, shape).astype(np.float32)
            for a, b, c, shift in self.affine[:3]
        )
        return x, y, z


@dataclass(frozen=True)
class Waves:
    """A smooth field as a sum of plane waves: mean 0, standard deviation 1, defined everywhere."""

    vectors: NDArray[np.float32]  #: [n, 3], radians per mm
    phases: NDArray[np.float32]

    def __call__(self, x: Field, y: Field, z: Field) -> Field:
        """Its values."""
        total = np.zeros_like(x)
        for (kx, ky, kz), phase in zip(self.vectors, self.phases, strict=True):
            total += np.sin(kx * x + ky * y + kz * z + phase)
        return total * np.float32(np.sqrt(2 / len(self.phases)))

    def distance(self, x: Field, y: Field, z: Field) -> Field:
        """About how far the next place lies at which the field is 0, mm, at least 0."""
        value, gradient = np.zeros_like(x), [np.zeros_like(x) for _ in range(3)]
        for k, phase in zip(self.vectors, self.phases, strict=True):
            angle = k[0] * x + k[1] * y + k[2] * z + phase
            value += np.sin(angle)
            slope = np.cos(angle)
            for component, part in zip(gradient, k, strict=True):
                component += part * slope
        usual = float(np.mean((self.vectors**2).sum(1))) * len(self.phases) / 2  # of the steepness, squared
        steep = gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2
        return np.abs(value) / np.sqrt(steep + FLAT * usual)


@lru_cache(maxsize=64)
def draw_waves(seed: int, purpose: int, wavelength_mm: float, count: int = 12) -> Waves:
    """Waves in all directions, of about this length; the same seed and purpose always give the same."""
    rng = np.random.default_rng([seed, purpose])
    vectors = rng.normal(size=(count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= 2 * np.pi / wavelength_mm * rng.uniform(0.8, 1.2, size=(count, 1))
    return Waves(vectors.astype(np.float32), rng.uniform(0, 2 * np.pi, count).astype(np.float32))


def ellipsoid(x: Field, y: Field, z: Field, centre: Point, half_axes: Point) -> Field:
    """Signed distance to an ellipsoid, mm, right near its surface: below 0 inside."""
    a, b, c = ((v - m) / r for v, m, r in zip((x, y, z), centre, half_axes, strict=True))
    radius = np.sqrt(a**2 + b**2 + c**2) + np.float32(1e-6)
    slope = np.sqrt((a / half_axes[0]) ** 2 + (b / half_axes[1]) ** 2 + (c / half_axes[2]) ** 2) + np.float32(1e-6)
    return np.maximum(radius * (radius - 1) / slope, -min(half_axes), dtype=np.float32)


def tube(x: Field, y: Field, z: Field, points: tuple[Point, ...], radii: tuple[float, ...]) -> Field:
    """Signed distance to a bent tube through the points, whose radius changes from point to point, mm."""
    nearest = np.full_like(x, np.inf)
    for start, end, r0, r1 in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        axis = np.subtract(end, start)
        length2 = float(axis @ axis)
        dx, dy, dz = x - np.float32(start[0]), y - np.float32(start[1]), z - np.float32(start[2])
        ax, ay, az = (np.float32(part) for part in axis)
        along = np.clip((dx * ax + dy * ay + dz * az) / np.float32(length2), 0, 1)
        off = np.sqrt((dx - along * ax) ** 2 + (dy - along * ay) ** 2 + (dz - along * az) ** 2)
        np.minimum(nearest, off - np.float32(r0) - along * np.float32(r1 - r0), out=nearest)
    return nearest


def unite(first: Field, second: Field, blend_mm: float) -> Field:
    """Signed distance to two bodies that flow into each other over about this length."""
    overlap = np.maximum(0, blend_mm - np.abs(first - second))
    return np.minimum(first, second) - overlap**2 / np.float32(4 * blend_mm)


def ramp(value: Field, low: float, high: float) -> Field:
    """Smoothly from 0 at ``low`` to 1 at ``high`` (either may be the larger)."""
    part = np.clip((value - low) / np.float32(high - low), 0, 1)
    return part * part * (3 - 2 * part)
