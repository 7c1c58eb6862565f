"""Slices of a simulated head as a hospital takes them: a series in one plane, through the tumour.

What is set here was set by eye beside real slices: how they lie, how wide they are, how grey and how noisy.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from course_lib.modalities.simulated_head import Exposure, Grid, Kind, Patient, TumourPart, render
from course_lib.modalities.simulated_head.geometry import Field, Point, ramp
from course_lib.modalities.simulated_head.scanner import add_noise
from course_lib.modalities.simulated_head.warp import to_head

Plane = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[Plane, ...] = get_args(Plane)
#: for each plane three directions in the head (to the right, to the front, up): from row to row, from column to
#: column, and from slice to slice
DIRECTIONS: dict[Plane, tuple[Point, Point, Point]] = {
    "axial": ((0, -1, 0), (-1, 0, 0), (0, 0, 1)),
    "coronal": ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    "sagittal": ((0, 0, -1), (0, -1, 0), (1, 0, 0)),
}

#: the usual middle of a picture, mm in the head: below the brain where the neck is in the picture
MIDDLES: dict[Plane, Point] = {"axial": (0, -2, 0), "coronal": (0, 0, -18), "sagittal": (0, 8, -18)}
SHIFT_MM: Point = (15.0, 15.0, 10.0)  #: so far the middle lies from the usual one at most
TURN_DEGREES = 5.0  #: spread of the head's turns about each of its axes
WIDE_MM = 128 * 1.8  #: usual width of a picture
ZOOM = (0.9, 1.15)  #: of which a picture is so many times as wide, at least and at most
SLICE_MM = 3.0  #: thickness of a slice: thin, so that one layer of voxels will do
GAP_MM = (6.0, 6.5)  #: from the middle of a slice to that of the next, at least and at most
FEWEST, MOST = 3, 4  #: slices of a series; those that do not show the tumour are not kept
LEAST_MM2 = 80.0  #: of tumour in a slice that is kept

FLIP_DEGREES = (17.0, 22.0)  #: lower than in volumes, so that grey and white matter differ as little as in real slices
QUIETER = 0.7  #: noise over that of volumes, whose voxels are smaller and hold less signal
RIM = (0.0, 1.0)  #: by which the coil's sensitivity rises from the middle to its wall, at least and at most
COIL_MM: Point = (90.0, 110.0, 95.0)  #: half-axes of the coil
BODY_MM: Point = (90.0, 118.0, 90.0)  #: a head ends before: to each side, to front and back, upwards
NECK_FADES_MM, NECK_LEFT = (-50.0, -150.0), 0.25  #: heights between which sensitivity falls to this part


@dataclass(frozen=True, eq=False)
class SimulatedSlice:
    """One slice and the truth about it."""

    image: NDArray[np.uint8]  #: [row, column], scaled by itself: the brightest pixel is 255
    mask: NDArray[np.bool_]  #: [row, column], where the tumour is; oedema is not counted
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
    """Voxels [row, column, slice] of a series of slices around a point, mm to the right, front and up.

    A slice can be drawn as it is, and is seen as radiologists see it: axial with the front up and the patient's right
    on the left of the picture, coronal with the top up and the right on the left, sagittal with the top up and the
    front on the left.

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
    """The middle of the patient's tumour where it lies in the head, mm to the right, front and up.

    Raises:
        ValueError: the patient has no tumour.
    """
    if patient.tumour is None:
        raise ValueError("This patient has no tumour. Draw a patient of another kind.")
    x, y, z = patient.tumour.centre_mm
    if patient.kind == "pituitary":
        z += 0.6 * patient.tumour.radius_mm  # it grows upwards from there
    return to_head(replace(patient, kind="none", tumour=None), (x, y, z))  # its own push does not move it


def take_series(
    patient: Patient, exposure: Exposure, plane: Plane, number: int, rng: np.random.Generator, pixels: int
) -> list[SimulatedSlice]:
    """The slices of one plane that show the tumour, T1 after contrast agent; ``number`` is the patient's."""
    grid = _through_tumour(patient, plane, rng, pixels)
    exposure = replace(
        exposure,
        t1_flip_degrees=rng.uniform(*FLIP_DEGREES),
        slice_mm=SLICE_MM,
        noise=QUIETER * exposure.noise,
        noise_seed=int(rng.integers(2**31)),
    )
    signal, masks = _scan(patient, replace(exposure, noise=0.0), grid)
    signal *= _head_coil(grid, rng.uniform(*RIM))
    add_noise(signal, exposure, "T1c")
    height, width, _ = grid.spacing_mm
    shown = np.flatnonzero(masks.sum(axis=(0, 1)) * height * width >= LEAST_MM2)
    return [
        SimulatedSlice(_as_grey(signal[..., index]), masks[..., index], patient.kind, plane, number, position)
        for position, index in enumerate(shown)
    ]


def _through_tumour(patient: Patient, plane: Plane, rng: np.random.Generator, pixels: int) -> Grid:
    """Slices through the tumour, of a head that lies a little turned, with the head in the middle of the picture."""
    radius_mm = patient.tumour.radius_mm if patient.tumour else 0.0
    gap_mm = rng.uniform(*GAP_MM)
    straight = plane_grid(
        plane,
        (0, 0, 0),
        pixels=pixels,
        pixel_mm=WIDE_MM / pixels * rng.uniform(*ZOOM),
        slices=int(np.clip(round(1.7 * radius_mm / gap_mm), FEWEST, MOST)),
        gap_mm=gap_mm,
    )
    turn = Rotation.from_euler("xyz", rng.normal(0, TURN_DEGREES, 3), degrees=True).as_matrix()
    normal = turn @ DIRECTIONS[plane][2]
    middle = MIDDLES[plane] + rng.uniform(-1, 1, 3) * SHIFT_MM
    middle += normal * (normal @ (tumour_centre(patient) - middle) + rng.uniform(-0.25, 0.25) * gap_mm)
    affine = np.eye(4)
    affine[:3] = turn @ straight.affine[:3]
    affine[:3, 3] += middle
    return Grid(straight.shape, affine)


def _scan(patient: Patient, exposure: Exposure, grid: Grid) -> tuple[Field, NDArray[np.bool_]]:
    """Signal and tumour, [row, column, slice]. Rows and columns of nothing but air are spared the computation."""
    x, y, z = grid.points(slice(None), np.zeros(1))
    body = (np.abs(x) < BODY_MM[0]) & (np.abs(y) < BODY_MM[1]) & (z < BODY_MM[2])
    rows, columns = (np.flatnonzero(body.any(axis=axes)) for axes in ((1, 2), (0, 2)))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.affine[:3] @ [rows[0], columns[0], 0, 1]
    scan = render(patient, exposure, Grid((len(rows), len(columns), grid.shape[2]), affine), ("T1c",))
    signal, masks = np.zeros(grid.shape, dtype=np.float32), np.zeros(grid.shape, dtype=np.bool_)
    signal[np.ix_(rows, columns)] = scan.images["T1c"]
    masks[np.ix_(rows, columns)] = np.isin(scan.tumour, (TumourPart.SOLID, TumourPart.NECROSIS))
    return signal, masks


def _head_coil(grid: Grid, rim: float) -> Field:
    """Sensitivity of a coil around the head: it rises towards the coil's wall, and falls along the neck."""
    x, y, z = grid.points(slice(None), np.zeros(1))
    to_wall = sum((v / half_axis) ** 2 for v, half_axis in zip((x, y, np.maximum(z, 0)), COIL_MM, strict=True))
    return (1 + rim * to_wall**2) * (1 - (1 - NECK_LEFT) * ramp(z, *NECK_FADES_MM))


def _as_grey(signal: Field) -> NDArray[np.uint8]:
    """A slice as 8-bit grey values, scaled by itself: the brightest pixel is 255."""
    grey: NDArray[np.uint8] = np.rint(signal * (255 / signal.max())).astype(np.uint8)
    return grey
