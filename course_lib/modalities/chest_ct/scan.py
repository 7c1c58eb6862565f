"""The CT of one patient: slices of the whole chest, or a small field around a nodule. The same in, the same out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.chest_ct.acquisition import Materials, Paths, acquire, outside_of
from course_lib.modalities.chest_ct.beam import hounsfield
from course_lib.modalities.chest_ct.exposure import Exposure
from course_lib.modalities.chest_ct.tissues import Densities, draw_densities, materials_of
from course_lib.modalities.chest_ct.tomography import Geometry, filtered_back_projection
from course_lib.modalities.simulated_chest.anatomy import BELLY_WIDER, CHEST_HALF_WIDTH
from course_lib.modalities.simulated_chest.nodules import place
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.solid import Solid, build_solid
from course_lib.modalities.simulated_chest.volume import Axes

FIELD_MARGIN_CM = 2.0  #: of the scanned circle beyond the widest part of the trunk
RIM = 4  #: pixels around a small field that are scanned too and cut off: at a sharp edge they come out too dark
THIN_MM = 1.0  #: a slice is the mean of slices about as thin as this
PADDING_HU = -2000.0  #: what some scanners write where nothing was measured
BODY_PIXELS, BODY_FIELD_CM = 64, 46.0  #: of the coarse picture of a body of which a part is scanned; it holds anyone
RODS_MM, RODS_AT = 2.75, (0.16, 0.75)  #: radius; to both sides in half-widths, and to the back in half-depths
HALF = 0.5  #: of the most that a nodule fills of a voxel: where its border is drawn
DENSITIES, NOISE = 1, 2  #: streams of random numbers


@dataclass(frozen=True)
class Scan:
    """Slices of a CT, the front up and the patient's right on the left, the upper ones first, and what is true."""

    hounsfield: NDArray[np.float32]  #: [slices, rows, columns]
    labels: NDArray[np.uint8]  #: the tissue of each voxel, a `Tissue`, the same shape
    nodules: tuple[
        NDArray[np.bool_], ...
    ]  #: where each nodule fills half as much of a voxel as anywhere, the same shape
    spacing_mm: tuple[float, float, float]  #: from slice to slice, row to row, column to column


def scan_chest(patient: Patient, exposure: Exposure, heights_cm: tuple[float, float], pixels: int = 128) -> Scan:
    """All slices from one height to another, cm below the middle of the lungs; the field holds the whole trunk.

    Raises:
        ValueError: the heights are not in order, there is no pixel, or the patient has pneumonia.
    """
    first, last = heights_cm
    if not first < last:
        raise ValueError(f"Expected two heights, the upper one (the smaller number) first, but got {heights_cm}.")
    slices = max(1, round((last - first) * 10 / exposure.thickness_mm))
    window = _Window((0.0, (first + last) / 2, 0.0), slices, pixels, _field_cm(patient) / max(1, pixels))
    return _scan(patient, exposure, window, noise=0)


def scan_around(
    patient: Patient, exposure: Exposure, nodule: int, *, slices: int, pixels: int = 128, pixel_mm: float = 0.7
) -> Scan:
    """Slices around one of the patient's nodules, numbered from 0, in a small field with it in the middle.

    The rest of the body weakens the rays as it does in a whole slice, so that noise and streaks are the same.

    Raises:
        ValueError: there is no such nodule, slice or pixel, the nodule lies in no lung, or the patient is too large for
            the scanner or has pneumonia.
    """
    if not 0 <= nodule < len(patient.nodules):
        raise ValueError(f"The patient has {len(patient.nodules)} nodules, numbered from 0; there is no {nodule}.")
    if _field_cm(patient) - 2 * FIELD_MARGIN_CM > BODY_FIELD_CM:
        raise ValueError(f"The trunk must fit into {BODY_FIELD_CM:.0f} cm, but needs {_field_cm(patient):.0f} cm.")
    middle = place(patient, patient.nodules[nodule])
    window = _Window(middle, slices, pixels, pixel_mm / 10)
    scan = _scan(patient, exposure, replace(window, pixels=pixels + 2 * RIM), noise=1 + nodule, whole_body=False)
    inner = (..., slice(RIM, -RIM), slice(RIM, -RIM))
    nodules = tuple(mask[inner] for mask in scan.nodules)
    if not nodules[nodule].any():
        raise ValueError(f"Nodule {nodule} lies in no lung of this patient: see {middle} cm.")
    return replace(scan, hounsfield=scan.hounsfield[inner], labels=scan.labels[inner], nodules=nodules)


@dataclass(frozen=True)
class _Window:
    """Which voxels are wanted: a box around a centre (x, y, z), cm, of square slices."""

    centre: tuple[float, float, float]
    slices: int
    pixels: int
    pixel_cm: float

    def __post_init__(self) -> None:
        if self.slices < 1 or self.pixels < 1 or not self.pixel_cm > 0:
            raise ValueError(
                f"Expected at least one slice of one pixel, but got {self.slices} slices of {self.pixels} pixels, "
                f"{10 * self.pixel_cm:g} mm each."
            )


def _scan(patient: Patient, exposure: Exposure, window: _Window, *, noise: int, whole_body: bool = True) -> Scan:
    """The slices of a window, which either holds the whole body or a part of it.

    The densities are the same in all scans of an exposure; ``noise`` is the number of the scan, whose noise differs.
    """
    stream = np.random.default_rng([exposure.seed, DENSITIES])
    densities = draw_densities(stream, contrast=exposure.contrast, randomise=exposure.randomise)
    geometry = Geometry(window.pixels, 10 * window.pixel_cm, exposure.angles)
    solid, materials = _body(patient, exposure, window, densities)
    moved = None
    if exposure.motion_mm:
        x, y, z = window.centre
        elsewhere = replace(window, centre=(x, y + exposure.motion_mm / 10, z))
        moved = _body(patient, exposure, elsewhere, densities)[1]
    outside = None if whole_body else _outside(patient, exposure, window, densities, geometry)
    rng = np.random.default_rng([exposure.seed, NOISE, noise])
    sinograms = acquire(materials, geometry, 1000 * exposure.photons, rng, outside=outside, motion=moved)
    values = hounsfield(filtered_back_projection(sinograms, geometry, exposure.kernel))
    if exposure.padded:
        values[:, _beyond_field(patient, window)] = PADDING_HU
    spacing = (exposure.thickness_mm, 10 * window.pixel_cm, 10 * window.pixel_cm)
    nodules = tuple(occupancy > HALF * occupancy.max() for occupancy in solid.nodules)
    return Scan(values, solid.labels, nodules, spacing)


def _body(patient: Patient, exposure: Exposure, window: _Window, densities: Densities) -> tuple[Solid, Materials]:
    """The wanted slices, each the mean of thin ones: their tissues, and their materials."""
    axes = _thin_axes(window, exposure)
    thin = build_solid(patient, axes)
    solid = replace(
        thin,
        fractions={tissue: _mean_of_thin(part, exposure) for tissue, part in thin.fractions.items()},
        bone=_mean_of_thin(thin.bone, exposure),
        nodules=tuple(_mean_of_thin(occupancy, exposure) for occupancy in thin.nodules),
    )
    materials = materials_of(solid, densities)
    if not exposure.metal:
        return solid, materials
    metal = _mean_of_thin(_rods(patient, axes), exposure)
    return solid, Materials(materials.water * (1 - metal), materials.bone * (1 - metal), metal)


def _outside(patient: Patient, exposure: Exposure, window: _Window, densities: Densities, geometry: Geometry) -> Paths:
    """How much of the body beyond the window each ray crosses, from one coarse slice of the whole."""
    x, y, z = window.centre
    coarse = _Window((0.0, y, 0.0), 1, BODY_PIXELS, BODY_FIELD_CM / BODY_PIXELS)
    whole = _body(patient, exposure, coarse, densities)[1]
    body = Geometry(BODY_PIXELS, 10 * coarse.pixel_cm, exposure.angles)
    return outside_of(whole, body, geometry, centre_mm=(10 * x, 10 * z))


def _thin_axes(window: _Window, exposure: Exposure) -> Axes:
    """The centres of the voxels of thin slices."""
    x, y, z = window.centre
    count = thin_slices(exposure)
    heights = _centred(window.slices * count, exposure.thickness_mm / 10 / count)
    across = _centred(window.pixels, window.pixel_cm)
    return Axes(x + across, y + heights, z + across)


def _centred(count: int, step: float) -> NDArray[np.float64]:
    """So many places in a row, with 0 in their middle."""
    return np.asarray((np.arange(count) - (count - 1) / 2) * step, dtype=np.float64)


def thin_slices(exposure: Exposure) -> int:
    """How many thin slices make one."""
    return max(2, round(exposure.thickness_mm / THIN_MM))


def _mean_of_thin(thin: NDArray[np.float32], exposure: Exposure) -> NDArray[np.float32]:
    """The mean of each few thin slices."""
    return np.asarray(thin.reshape(-1, thin_slices(exposure), *thin.shape[1:]).mean(axis=1))


def _field_cm(patient: Patient) -> float:
    """The side of a field that holds the trunk."""
    return 2 * (CHEST_HALF_WIDTH * patient.half_width + patient.wall * (1 + BELLY_WIDER) + FIELD_MARGIN_CM)


def _beyond_field(patient: Patient, window: _Window) -> NDArray[np.bool_]:
    """The pixels of a slice outside of the scanned circle, [rows, columns]."""
    across = _centred(window.pixels, window.pixel_cm)
    away = np.hypot(window.centre[0] + across[None, :], window.centre[2] + across[:, None])
    return np.asarray(away > _field_cm(patient) / 2)


def _rods(patient: Patient, axes: Axes) -> NDArray[np.float32]:
    """Where the metal is: two rods along the spine. Their sections keep their area on coarse pixels too."""
    side, back = RODS_AT[0] * patient.half_width, RODS_AT[1] * patient.half_depth
    radius, pixel = RODS_MM / 10, axes.voxel[0]
    away = np.hypot(np.abs(axes.x[None, :]) - side, axes.z[:, None] - back)
    discs = np.clip((max(radius, pixel) - away) / pixel + 0.5, 0, 1)
    area = 2 * np.pi * radius**2
    discs *= min(1.0, area / max(float(discs.sum()) * pixel**2, area))
    return np.broadcast_to(discs, (len(axes.y), *discs.shape)).astype(np.float32)
