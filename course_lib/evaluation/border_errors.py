"""What a border that is off by one voxel does to Dice and to the volume, of discs and balls from small to large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from course_lib.evaluation.segmentation import dice
from course_lib.evaluation.surfaces import Mask, check_spacing

TOO_LARGE, TOO_SMALL, ASIDE = "one voxel too large", "one voxel too small", "one voxel to the side"
MARGIN = 2  #: voxels around a disc or ball


@dataclass(frozen=True)
class BorderErrors:
    """Of discs or balls of several sizes: what each border error does. The errors are the keys."""

    diameters_mm: NDArray[np.float64]  #: [sizes]
    spacing_mm: tuple[float, ...]  #: two numbers for discs, three for balls
    dice: Mapping[str, NDArray[np.float64]]  #: each [sizes], 0 to 1
    sizes: NDArray[np.float64]  #: [sizes], true areas in mm² of discs, volumes in mm³ of balls, counted in voxels
    wrong_sizes: Mapping[str, NDArray[np.float64]]  #: each [sizes], the same of what was outlined


def border_errors(diameters_mm: Sequence[float], spacing_mm: Sequence[float]) -> BorderErrors:
    """Dice and size of discs (two spacings) or balls (three), outlined one voxel too large, too small or to the side.

    Larger and smaller are by a neighbour across each face, so along the diagonals the border moves less. To the side
    is along the last axis.

    Raises:
        ValueError: a diameter is not above 0, or the spacing has neither two nor three numbers above 0.
    """
    true = [ball(diameter, spacing_mm) for diameter in diameters_mm]
    wrong = {
        TOO_LARGE: [binary_dilation(mask) for mask in true],
        TOO_SMALL: [binary_erosion(mask) for mask in true],
        ASIDE: [np.roll(mask, 1, axis=-1) for mask in true],
    }
    voxel = float(np.prod(spacing_mm))
    return BorderErrors(
        np.asarray(diameters_mm, dtype=np.float64),
        tuple(spacing_mm),
        {error: np.array([dice(*pair) for pair in zip(masks, true, strict=True)]) for error, masks in wrong.items()},
        _sizes(true, voxel),
        {error: _sizes(masks, voxel) for error, masks in wrong.items()},
    )


def ball(diameter_mm: float, spacing_mm: Sequence[float]) -> Mask:
    """A disc [rows, columns] or ball [slices, rows, columns] around the middle voxel, with some voxels around it.

    A voxel belongs to it if its centre does; so one of the smallest has one voxel.

    Raises:
        ValueError: as `border_errors`.
    """
    if len(spacing_mm) not in (2, 3):
        raise ValueError(f"Expected two spacings for a disc or three for a ball, but got {len(spacing_mm)}.")
    check_spacing(spacing_mm, len(spacing_mm))
    if not 0 < diameter_mm < np.inf:
        raise ValueError(f"Expected a diameter above 0 mm, but got {diameter_mm}.")
    halves = [int(diameter_mm / 2 / step) + MARGIN for step in spacing_mm]
    axes = [np.arange(-half, half + 1) * step for half, step in zip(halves, spacing_mm, strict=True)]
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    inside: Mask = np.sqrt(squares) <= diameter_mm / 2
    return inside


def _sizes(masks: Sequence[Mask], voxel: float) -> NDArray[np.float64]:
    return np.array([np.count_nonzero(mask) * voxel for mask in masks], dtype=np.float64)
