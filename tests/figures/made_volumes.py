"""A made-up head: an ellipsoid with a bright voxel to the patient's right, in front and above."""

import numpy as np
from numpy.typing import NDArray

SHAPE, SPACING = (12, 16, 8), (1.0, 1.5, 3.0)
MARK = (9, 13, 6)  #: the bright voxel
AFFINE = np.diag([*SPACING, 1.0])
AFFINE[:3, 3] = (-6, -12, -12)
MARK_MM = (3.0, 7.5, 6.0)
LABELS = ("background", "front", "back")


def head() -> NDArray[np.float32]:
    """Values from 0 to 1, and 2 in the marked voxel; float32 [i, j, k] in RAS."""
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij"))
    values: NDArray[np.float32] = (np.square(places).sum(axis=0) < 1).astype(np.float32)
    values[MARK] = 2
    return values


def mask() -> NDArray[np.uint8]:
    """1 in a box of 3 x 4 x 2 voxels in front, 2 in one of 3 x 5 x 2 voxels right behind it."""
    marked = np.zeros(SHAPE, dtype=np.uint8)
    marked[2:5, 8:12, 3:5], marked[2:5, 3:8, 3:5] = 1, 2
    return marked


def store(
    values: NDArray[np.generic], order: tuple[int, ...], mirrored: tuple[bool, ...]
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """The volume in memory with its axes in this order, some of them mirrored, and the affine that belongs to it."""
    turned, affine = np.transpose(values, order), AFFINE[:, [*order, 3]].copy()
    for axis in np.flatnonzero(mirrored).tolist():
        turned = np.flip(turned, axis)
        affine[:, 3] += affine[:, axis] * (turned.shape[axis] - 1)
        affine[:, axis] *= -1
    return turned, affine
