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
SUBSLICE_MM = 1.0  #: a slice is the mean of slices about as thin as this
PADDING_HU = -2000.0  #: what some scanners write where nothing was measured
BODY_PIXELS, BODY_FIELD_CM = 64, 46.0  #: of the coarse picture of a body of which a part is scanned; it holds anyone
LEAD_MM, LEAD_AT = 2.0, (0.02, 0.05)  #: radius of the lead; left and down, in half-widths, of the middle
IN_SLICE = 0.5  #: part of a voxel from which on it counts as nodule


@dataclass(frozen=True)
class Scan:
    """Slices of a CT, the front up and the patient's right on the left, the upper ones first, and what is true."""

    hounsfield: NDArray[np.float32]  #: [slices, rows, columns]
    labels: NDArray[np.uint8]  #: the tissue of each voxel, a `Tissue`, the same shape
    nodules: tuple[NDArray[np.bool_], ...]  #: where each of the patient's nodules is, the same shape
    spacing_mm: tuple[float, float, float]  #: from slice to slice, row to row, column to column


def scan_chest(patient: Patient, exposure: Exposure, heights_cm: tuple[float, float], pixels: int = 128) -> Scan:
    """All slices from one height to another, cm below the middle of the lungs; the field holds the whole trunk.

    Raises:
        ValueError: the heights are not in order.
    """
    first, last = heights_cm
    if not first < last:
        raise ValueError(f"Expected two heights, the upper one (the smaller number) first, but got {heights_cm}.")
    slices = max(1, round((last - first) * 10 / exposure.thickness_mm))
    side_cm = _field_cm(patient)
    window = _Window((0.0, (first + last) / 2, 0.0), slices, pixels, side_cm / pixels)
    return _scan(patient, exposure, window)


def scan_around(
    patient: Patient, exposure: Exposure, nodule: int, *, slices: int, pixels: int = 128, pixel_mm: float = 0.7
) -> Scan:
    """Slices around one of the patient's nodules, in a small field with it in the middle.

    The rest of the body weakens the rays as it does in a whole slice, so that noise and streaks are the same.
    """
    window = _Window(place(patient, patient.nodules[nodule]), slices, pixels + 2 * RIM, pixel_mm / 10)
    scan = _scan(patient, exposure, window, whole_body=False)
    inner = (..., slice(RIM, -RIM), slice(RIM, -RIM))
    nodules = tuple(mask[inner] for mask in scan.nodules)
    return replace(scan, hounsfield=scan.hounsfield[inner], labels=scan.labels[inner], nodules=nodules)


@dataclass(frozen=True)
class _Window:
    """Which voxels are wanted: a box around a centre (x, y, z), cm, of square slices."""

    centre: tuple[float, float, float]
    slices: int
    pixels: int
    pixel_cm: float


def _scan(patient: Patient, exposure: Exposure, window: _Window, *, whole_body: bool = True) -> Scan:
    """The slices of a window, which either holds the whole body or a part of it."""
    rng = np.random.default_rng([exposure.seed, 1])
    densities = draw_densities(rng, contrast=exposure.contrast, randomise=exposure.randomise)
    geometry = Geometry(window.pixels, 10 * window.pixel_cm, exposure.angles)
    solid, materials = _body(patient, exposure, window, densities)
    moved = None
    if exposure.motion_mm:
        x, y, z = window.centre
        elsewhere = replace(window, centre=(x, y + exposure.motion_mm / 10, z))
        moved = _body(patient, exposure, elsewhere, densities)[1]
    outside = None if whole_body else _outside(patient, exposure, window, densities, geometry)
    photons = 1000 * exposure.photons
    sinograms = acquire(materials, geometry, photons, rng, outside=outside, motion=moved)
    values = hounsfield(filtered_back_projection(sinograms, geometry, exposure.kernel))
    if exposure.padded:
        values[:, _beyond_field(patient, window)] = PADDING_HU
    spacing = (exposure.thickness_mm, 10 * window.pixel_cm, 10 * window.pixel_cm)
    nodules = tuple(_thick(occupancy, exposure) >= IN_SLICE for occupancy in solid.nodules)
    return Scan(values, _middle(solid.labels, exposure), nodules, spacing)


def _body(patient: Patient, exposure: Exposure, window: _Window, densities: Densities) -> tuple[Solid, Materials]:
    """The thin slices of which the wanted ones are the mean, and the materials of the wanted ones."""
    solid = build_solid(patient, _axes(window, exposure))
    thin = materials_of(solid, densities)
    metal = np.zeros_like(thin.water)
    if exposure.metal:
        metal += _lead(patient, _axes(window, exposure))
    return solid, Materials(*(_thick(part, exposure) for part in (thin.water * (1 - metal), thin.bone, metal)))


def _outside(patient: Patient, exposure: Exposure, window: _Window, densities: Densities, geometry: Geometry) -> Paths:
    """How much of the body beyond the window each ray crosses, from one coarse slice of the whole."""
    x, y, z = window.centre
    coarse = _Window((0.0, y, 0.0), 1, BODY_PIXELS, BODY_FIELD_CM / BODY_PIXELS)
    whole = _body(patient, exposure, coarse, densities)[1]
    body = Geometry(BODY_PIXELS, 10 * coarse.pixel_cm, exposure.angles)
    return outside_of(whole, body, geometry, centre_mm=(10 * x, 10 * z))


def _axes(window: _Window, exposure: Exposure) -> Axes:
    """The centres of the voxels of thin slices."""
    x, y, z = window.centre
    thin = _thin(exposure)
    step = exposure.thickness_mm / 10 / thin
    rows = (np.arange(window.pixels) - (window.pixels - 1) / 2) * window.pixel_cm
    heights = (np.arange(window.slices * thin) - (window.slices * thin - 1) / 2) * step
    return Axes(x + rows, y + heights, z + rows)


def _thin(exposure: Exposure) -> int:
    """How many thin slices make one."""
    return max(2, round(exposure.thickness_mm / SUBSLICE_MM))


def _thick(thin: NDArray[np.float32], exposure: Exposure) -> NDArray[np.float32]:
    """The mean of each few thin slices."""
    return np.asarray(thin.reshape(-1, _thin(exposure), *thin.shape[1:]).mean(axis=1))


def _middle(labels: NDArray[np.uint8], exposure: Exposure) -> NDArray[np.uint8]:
    """The labels of the thin slice in the middle of each."""
    return labels[_thin(exposure) // 2 :: _thin(exposure)]


def _field_cm(patient: Patient) -> float:
    """The side of a field that holds the trunk."""
    return 2 * (CHEST_HALF_WIDTH * patient.half_width + patient.wall * (1 + BELLY_WIDER) + FIELD_MARGIN_CM)


def _beyond_field(patient: Patient, window: _Window) -> NDArray[np.bool_]:
    """The pixels of a slice outside of the scanned circle, [rows, columns]."""
    axes = (np.arange(window.pixels) - (window.pixels - 1) / 2) * window.pixel_cm
    away = np.hypot(window.centre[0] + axes[None, :], window.centre[2] + axes[:, None])
    return np.asarray(away > _field_cm(patient) / 2)


def _lead(patient: Patient, axes: Axes) -> NDArray[np.float32]:
    """Where the metal is: a thin wire from top to bottom, [slices, rows, columns]."""
    left, down = (part * patient.half_width for part in LEAD_AT)
    away = np.hypot(axes.x[None, :] - left, axes.z[:, None] - down)
    disc = np.clip((LEAD_MM / 10 - away) / axes.voxel[0] + 0.5, 0, 1)
    return np.broadcast_to(disc, (len(axes.y), *disc.shape)).astype(np.float32)
