"""The scan of one patient in one exposure on one grid. No chance here: the same in, the same out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.anatomy import build_head
from course_lib.modalities.simulated_head.coats import Structure
from course_lib.modalities.simulated_head.geometry import Field, Grid, draw_waves
from course_lib.modalities.simulated_head.people import CONTRASTS, Contrast, Exposure, Patient
from course_lib.modalities.simulated_head.physics import Tissue
from course_lib.modalities.simulated_head.scanner import Look, add_noise, coil_sensitivity, cut_slices, tissue_looks
from course_lib.modalities.simulated_head.tumours import PART_OF_TISSUE, TumourPart
from course_lib.modalities.simulated_head.warp import find_places

SLAB = 120_000  #: points worked on at a time, so that they stay in the processor's cache
TEXTURE_MM = 8.0  #: from one bright spot to the next within a tissue

Looks = dict[Contrast, dict[Tissue, Look]]


@dataclass(frozen=True, eq=False)
class Scan:
    """What the scanner gives, and the truth behind it, all [i, j, k] on the same voxels."""

    images: dict[Contrast, NDArray[np.float32]]  #: white matter is about 1, but for contrast agent and random contrast
    tissues: NDArray[np.uint8]  #: values of `Tissue`: what lies at the middle of the voxel
    structures: NDArray[np.uint8]  #: values of `Structure`
    tumour: NDArray[np.uint8]  #: values of `TumourPart`
    affine: NDArray[np.float64]  #: from an index to mm to the right, front, up
    volumes_ml: dict[str, float]  #: of tissues, structures and tumour parts by name: of voxels on this grid only


def render(patient: Patient, exposure: Exposure, grid: Grid, contrasts: Sequence[Contrast] = ("T1",)) -> Scan:
    """The images and the truth.

    Every voxel is computed from where it lies, so a small box gives the same signals as the whole head (their noise
    differs). A slice is the mean of sub-slices, so that a thick one blurs what it holds.

    Raises:
        ValueError: a contrast has no known name, or none is asked for.
    """
    if not contrasts or not set(contrasts) <= set(CONTRASTS):
        raise ValueError(f"contrasts must be some of {CONTRASTS}, but are {tuple(contrasts)}.")
    enhancement = patient.tumour.enhancement if patient.tumour else 1.0
    looks: Looks = {contrast: tissue_looks(exposure, contrast, enhancement) for contrast in contrasts}
    images = {contrast: np.empty(grid.shape, dtype=np.float32) for contrast in looks}
    labels = np.empty((2, *grid.shape), dtype=np.uint8)
    offsets = cut_slices(exposure.slice_mm, grid)
    step = max(1, SLAB // (grid.shape[1] * grid.shape[2] * len(offsets)))
    for first in range(0, grid.shape[0], step):
        rows = slice(first, min(first + step, grid.shape[0]))
        signals, labels[:, rows] = _render_rows(patient, exposure, grid, rows, offsets, looks)
        for contrast, image in images.items():
            image[rows] = signals[contrast]
    for contrast, image in images.items():
        add_noise(image, exposure, contrast)
    tumour = np.array([PART_OF_TISSUE.get(tissue, TumourPart.NONE) for tissue in Tissue], dtype=np.uint8)[labels[0]]
    return Scan(images, labels[0], labels[1], tumour, grid.affine, _volumes(labels[0], labels[1], tumour, grid))


def _render_rows(
    patient: Patient, exposure: Exposure, grid: Grid, rows: slice, offsets: NDArray[np.float64], looks: Looks
) -> tuple[dict[Contrast, Field], NDArray[np.uint8]]:
    """Signals of some rows along i, the mean of sub-slices, and the labels [2, rows, j, k] in the middle of each."""
    x, y, z = grid.points(rows, offsets)
    i, j, k = grid.spacing_mm
    edge = exposure.blur * float((i * j * min(i, j, k)) ** (1 / 3))
    points, displaced = find_places(patient, x, y, z, edge)
    texture = draw_waves(patient.anatomy_seed, 7, TEXTURE_MM, 8)(displaced.x, displaced.y, displaced.z)
    signals: dict[Contrast, Field] = {contrast: np.zeros_like(x) for contrast in looks}
    labels = np.zeros((2, *x.shape), dtype=np.uint8)
    for coat in build_head(patient, displaced, points):
        filled = coat.part > 0.5
        labels[0][coat.place][filled] = coat.tissue
        labels[1][coat.place][filled] = coat.structure
        for contrast, signal in signals.items():
            look, here = looks[contrast][coat.tissue], signal[coat.place]
            here += coat.part * (look.mean * (1 + look.texture * texture[coat.place]) - here)
    sensitivity = coil_sensitivity(exposure, x, y, z)
    by_slice = (*x.shape[:2], grid.shape[2], len(offsets))
    means = {contrast: (signal * sensitivity).reshape(by_slice).mean(axis=3) for contrast, signal in signals.items()}
    return means, labels.reshape(2, *by_slice)[..., len(offsets) // 2]


def _volumes(
    tissues: NDArray[np.uint8], structures: NDArray[np.uint8], tumour: NDArray[np.uint8], grid: Grid
) -> dict[str, float]:
    volumes = {}
    for labels, names in ((tissues, Tissue), (structures, Structure), (tumour, TumourPart)):
        counts = np.bincount(labels.ravel(), minlength=len(names))
        for name in list(names)[1:]:
            key = f"tumour {name.name.lower()}" if names is TumourPart else name.name.lower().replace("_", " ")
            volumes[key] = float(counts[name] * grid.voxel_ml)
    return volumes
