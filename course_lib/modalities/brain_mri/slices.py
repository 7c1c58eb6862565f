"""Slices of a simulated head as a hospital takes them: a series of thick ones in one plane, through the tumour."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head import Exposure, Grid, Kind, Patient, TumourPart, render
from course_lib.modalities.simulated_head.geometry import Point
from course_lib.modalities.simulated_head.warp import to_head

Plane = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = get_args(Plane)

#: for each plane three directions in the head (to the right, to the front, up): from row to row, from column to
#: column, and from slice to slice; the picture is seen as radiologists see it
DIRECTIONS: dict[Plane, tuple[Point, Point, Point]] = {
    "axial": ((0, -1, 0), (-1, 0, 0), (0, 0, 1)),
    "coronal": ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    "sagittal": ((0, 0, -1), (0, -1, 0), (1, 0, 0)),
}
#: where the middle of the picture lies in the head, mm; pictures across the neck are centred below the brain
MIDDLES: dict[Plane, Point] = {"axial": (0, -2, 0), "coronal": (0, 0, -30), "sagittal": (0, 8, -30)}
WIDE_MM = 128 * 1.8  #: usual width of a picture
SLICE_MM = 5.0
LEAST_GAP_MM, MOST_GAP_MM = 6.0, 7.0  #: from the middle of a slice to that of the next
FEWEST, MOST = 3, 5  #: slices of a series
LEAST_MM2 = 40.0  #: of tumour in a slice that is kept


@dataclass(frozen=True, eq=False)
class SimulatedSlice:
    """One slice and the truth about it."""

    image: NDArray[np.uint8]  #: [row, column], scaled by itself: the brightest pixel is 255
    mask: NDArray[np.bool_]  #: where the tumour is, oedema not counted
    kind: Kind
    plane: Plane
    patient: int  #: the patient's number
    position: int  #: the slice's place in its series, from 0


def plane_grid(
    plane: Plane,
    centre_mm: Point,
    *,
    pixels: int = 128,
    pixel_mm: float = 1.8,
    slices: int = 1,
    gap_mm: float = 6.0,
) -> Grid:
    """Voxels [row, column, slice] of a series of slices with its middle at a point, mm to the right, front and up.

    A slice can be drawn as it is: axial with the front up and the patient's right on the left of the picture, coronal
    with the top up and the right on the left, sagittal with the top up and the front on the left.

    Raises:
        ValueError: the plane has no known name, or a length or number is not above 0.
    """
    if plane not in PLANES:
        raise ValueError(f"plane must be one of {PLANES}, but is {plane!r}.")
    if not (pixel_mm > 0 and gap_mm > 0):
        raise ValueError(f"pixel_mm and gap_mm must be above 0, but are {pixel_mm} and {gap_mm}.")
    shape = (pixels, pixels, slices)
    affine = np.eye(4)
    affine[:3, :3] = np.array(DIRECTIONS[plane], dtype=float).T * (pixel_mm, pixel_mm, gap_mm)
    affine[:3, 3] = centre_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def tumour_centre(patient: Patient) -> Point:
    """The middle of the patient's tumour as it lies in the head, mm to the right, front and up.

    Raises:
        ValueError: the patient has no tumour.
    """
    if patient.tumour is None:
        raise ValueError("This patient has no tumour; draw one of another kind.")
    x, y, z = patient.tumour.centre_mm
    if patient.kind == "pituitary":
        z += 0.5 * patient.tumour.radius_mm  # it grows upwards from there
    return to_head(replace(patient, kind="none", tumour=None), (x, y, z))


def take_series(
    patient: Patient, exposure: Exposure, plane: Plane, number: int, rng: np.random.Generator, pixels: int = 128
) -> list[SimulatedSlice]:
    """The slices of one plane that show the tumour, in T1 after contrast agent; ``number`` is the patient's."""
    gap_mm = rng.uniform(LEAST_GAP_MM, MOST_GAP_MM)
    grid = plane_grid(
        plane,
        _middle(patient, plane, gap_mm, rng),
        pixels=pixels,
        pixel_mm=WIDE_MM / pixels * rng.uniform(0.93, 1.07),
        slices=_slices_through(patient, gap_mm),
        gap_mm=gap_mm,
    )
    exposure = replace(exposure, slice_mm=SLICE_MM, noise_seed=int(rng.integers(2**31)))
    scan = render(patient, exposure, grid, ("T1c",))
    masks = np.isin(scan.tumour, (TumourPart.SOLID, TumourPart.NECROSIS))
    least = LEAST_MM2 / (grid.spacing_mm[0] * grid.spacing_mm[1])
    shown = [index for index in range(grid.shape[2]) if masks[..., index].sum() >= least]
    return [
        SimulatedSlice(
            as_grey(scan.images["T1c"][..., index]), masks[..., index], patient.kind, plane, number, position
        )
        for position, index in enumerate(shown)
    ]


def as_grey(signal: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A slice as 8-bit grey values, scaled by itself: the brightest pixel is 255."""
    return np.rint(signal * (255 / signal.max())).astype(np.uint8)


def _middle(patient: Patient, plane: Plane, gap_mm: float, rng: np.random.Generator) -> Point:
    """The middle of a series: about that of the head across the slices' normal, the tumour's along it."""
    tumour = np.array(tumour_centre(patient)) + rng.uniform(-0.25, 0.25) * gap_mm
    usual = np.array(MIDDLES[plane]) + rng.normal(0, 4, 3)
    x, y, z = np.where(np.abs(DIRECTIONS[plane][2]), tumour, usual)
    return float(x), float(y), float(z)


def _slices_through(patient: Patient, gap_mm: float) -> int:
    """So many slices go through the tumour."""
    radius_mm = patient.tumour.radius_mm if patient.tumour else 0.0
    return int(np.clip(round(2 * radius_mm / gap_mm), FEWEST, MOST))
