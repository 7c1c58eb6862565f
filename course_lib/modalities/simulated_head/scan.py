"""The scan of one patient in one exposure on one grid. No chance here: the same in, the same out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.anatomy import Coat, Structure, healthy_head
from course_lib.modalities.simulated_head.geometry import Field, Grid, Points, draw_waves
from course_lib.modalities.simulated_head.people import CONTRASTS, Contrast, Exposure, Patient
from course_lib.modalities.simulated_head.physics import (
    RELAXIVITY,
    T1_GROWS,
    TISSUES,
    Tissue,
    add_contrast_agent,
    flair,
    spin_echo,
    spoiled_gradient_echo,
)
from course_lib.modalities.simulated_head.tumours import PARTS, grow_tumour, spread_oedema
from course_lib.modalities.simulated_head.warp import to_standard

SLAB = 260_000  #: points worked on at a time: they fit into the processor's cache


@dataclass(frozen=True)
class Scan:
    """What the scanner gives, and the truth behind it, all [i, j, k] on the same voxels."""

    images: dict[str, NDArray[np.float32]]  #: by contrast; white matter is about 1 in T1
    tissues: NDArray[np.uint8]  #: values of `Tissue`
    structures: NDArray[np.uint8]  #: values of `Structure`
    tumour: NDArray[np.uint8]  #: values of `TumourPart`
    affine: NDArray[np.float64]
    volumes_ml: dict[str, float]  #: of tissues, structures and tumour parts by name, as far as they lie on the grid


def render(patient: Patient, exposure: Exposure, grid: Grid, contrasts: Sequence[Contrast] = ("T1",)) -> Scan:
    """The images and the truth.

    Raises:
        ValueError: a contrast has no known name, or none is asked for.
    """
    if not contrasts or not set(contrasts) <= set(CONTRASTS):
        raise ValueError(f"contrasts must be some of {CONTRASTS}, but are {tuple(contrasts)}.")
    looks = [tissue_signals(exposure, contrast) for contrast in contrasts]
    images = [np.empty(grid.shape, dtype=np.float32) for _ in contrasts]
    labels = [np.zeros(grid.shape, dtype=np.uint8) for _ in range(3)]
    subs = max(1, round(exposure.slice_mm / min(grid.spacing_mm)))
    offsets = ((np.arange(subs) + 0.5) / subs - 0.5) * exposure.slice_mm / grid.spacing_mm[2]
    step = max(1, SLAB // (grid.shape[0] * grid.shape[1] * subs))
    for first in range(0, grid.shape[2], step):
        slices = np.arange(first, min(first + step, grid.shape[2]))
        _render_slab(patient, grid, slices, offsets, looks, images, labels)
    for name, image in zip(contrasts, images, strict=True):
        _finish(image, name, exposure, grid)
    volumes = _volumes(labels, grid)
    return Scan(dict(zip(contrasts, images, strict=True)), labels[0], labels[1], labels[2], grid.affine, volumes)


def tissue_signals(exposure: Exposure, contrast: Contrast) -> dict[Tissue, tuple[float, float]]:
    """Signal of each tissue (white matter 1, where the physics decides) and how much it varies within the tissue."""
    raw = {tissue: _signal(tissue, exposure, contrast) for tissue in Tissue}
    scale = raw[Tissue.WHITE] if contrast != "T1c" else _signal(Tissue.WHITE, exposure, "T1")
    rng = np.random.default_rng([exposure.look_seed, CONTRASTS.index(contrast)])
    looks = {}
    for tissue in Tissue:
        mean, texture = raw[tissue] / scale, TISSUES[tissue].texture
        other, rough = rng.uniform(0.05, 1.5), rng.uniform(0, 0.2)
        if tissue != Tissue.AIR:
            mean += exposure.randomise * (other - mean)
            texture += exposure.randomise * (rough - texture)
        looks[tissue] = (float(mean), float(texture))
    return looks


def _signal(tissue: Tissue, exposure: Exposure, contrast: Contrast) -> float:
    facts = TISSUES[tissue]
    watery = tissue in (Tissue.CSF, Tissue.VITREOUS, Tissue.FAT, Tissue.NECROSIS)
    t1 = facts.t1_ms * (1 if watery else T1_GROWS[exposure.field_t])
    if contrast == "T1c":
        t1 = add_contrast_agent(t1, facts.uptake * exposure.dose, RELAXIVITY[exposure.field_t])
    if contrast in ("T1", "T1c"):
        return spoiled_gradient_echo(t1, facts.proton_density, exposure.tr_ms[0], exposure.flip_degrees)
    if contrast == "T2":
        return spin_echo(t1, facts.t2_ms, facts.proton_density, exposure.tr_ms[1], exposure.te_ms[0])
    return flair(t1, facts.t2_ms, facts.proton_density, exposure.tr_ms[2], exposure.te_ms[1], exposure.ti_ms)


def _render_slab(
    patient: Patient,
    grid: Grid,
    slices: NDArray[np.int64],
    offsets: NDArray[np.float64],
    looks: list[dict[Tissue, tuple[float, float]]],
    images: list[NDArray[np.float32]],
    labels: list[NDArray[np.uint8]],
) -> None:
    """Some slices, each the mean of sub-slices; the labels are those of the sub-slice in the middle."""
    x, y, z = grid.points((slices[:, None] + offsets).ravel())
    edge = float(np.prod([grid.spacing_mm[0], grid.spacing_mm[1], min(grid.spacing_mm[2], min(grid.spacing_mm))]) ** (1 / 3))
    points = Points(*to_standard(patient, x, y, z), edge)
    signals = [np.zeros_like(x) for _ in looks]
    tissues, structures = np.zeros(x.shape, np.uint8), np.zeros(x.shape, np.uint8)
    texture = draw_waves(patient.anatomy_seed, 7, 9.0, 10)(points.x, points.y, points.z)
    for coat in _coats(patient, points):
        filled = coat.part > 0.5
        tissues[coat.place][filled] = coat.tissue
        structures[coat.place][filled] = coat.structure
        for signal, look in zip(signals, looks, strict=True):
            mean, rough = look[coat.tissue]
            here = signal[coat.place]
            here += coat.part * (mean * (1 + rough * texture[coat.place]) - here)
    middle, shape = len(offsets) // 2, (*grid.shape[:2], len(slices), len(offsets))
    where = slice(int(slices[0]), int(slices[-1]) + 1)
    for image, signal in zip(images, signals, strict=True):
        image[:, :, where] = signal.reshape(shape).mean(axis=3)
    labels[0][:, :, where] = tissues.reshape(shape)[..., middle]
    labels[1][:, :, where] = structures.reshape(shape)[..., middle]
    table = np.array([PARTS.get(tissue, 0) for tissue in Tissue], dtype=np.uint8)
    labels[2][:, :, where] = table[labels[0][:, :, where]]


def _coats(patient: Patient, points: Points):
    """Healthy coats, the oedema right after the white matter of the cerebrum, the tumour last."""
    for coat in healthy_head(patient, points):
        yield coat
        if coat.tissue == Tissue.WHITE and coat.structure == Structure.CEREBRUM and patient.tumour and patient.tumour.oedema_mm > 0:
            swollen = spread_oedema(patient, points.at(coat.place), coat.part)
            yield Coat(swollen.tissue, swollen.part, coat.place, coat.structure)
    if patient.tumour is not None:
        yield from grow_tumour(patient, points)


def _finish(image: Field, name: Contrast, exposure: Exposure, grid: Grid) -> None:
    """Bias field and noise, in place."""
    bias = draw_waves(exposure.look_seed, 8, 260.0, 5)
    rng = np.random.default_rng([exposure.noise_seed, CONTRASTS.index(name)])
    for k in range(grid.shape[2]):
        place = grid.points(np.array([float(k)]))
        plane = image[:, :, k : k + 1]
        plane *= np.exp(np.float32(exposure.bias) * bias(*place))
        if exposure.noise > 0:
            noise = np.float32(exposure.noise) * rng.standard_normal((2, *plane.shape), dtype=np.float32)
            plane[...] = np.hypot(plane + noise[0], noise[1])


def _volumes(labels: list[NDArray[np.uint8]], grid: Grid) -> dict[str, float]:
    counts = np.bincount(labels[0].ravel(), minlength=len(Tissue)) * grid.voxel_ml
    parts = np.bincount(labels[1].ravel(), minlength=len(Structure)) * grid.voxel_ml
    return {t.name.lower(): float(counts[t]) for t in Tissue if t} | {
        s.name.lower(): float(parts[s]) for s in Structure if s
    }
