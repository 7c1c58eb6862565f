"""From tissue to grey value: what each tissue answers in each contrast, the coil's shading, and noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.geometry import Field, Grid, draw_waves
from course_lib.modalities.simulated_head.people import CONTRASTS, Contrast, Exposure
from course_lib.modalities.simulated_head.physics import (
    TISSUES,
    Tissue,
    flair,
    mprage,
    relaxation,
    spin_echo,
    spoiled_gradient_echo,
)

BIAS_LENGTH_MM = 280.0
TUMOURS = (Tissue.GLIOMA, Tissue.MENINGIOMA, Tissue.ADENOMA, Tissue.NECROSIS)


@dataclass(frozen=True)
class Look:
    """How a tissue looks in one contrast."""

    mean: float  #: white matter is 1 without contrast agent, unless contrasts are random
    texture: float  #: how much it varies from place to place, standard deviation over mean


def tissue_looks(exposure: Exposure, contrast: Contrast, enhancement: float = 1.0) -> dict[Tissue, Look]:
    """How each tissue looks; tumours take up ``enhancement`` times the usual contrast agent.

    With ``exposure.randomise`` at 1 each mean and texture is random; between 0 and 1 it is a mixture. Networks that
    learn from such images need not know the scanner.
    Source: B. Billot et al., SynthSeg, Med Image Anal 86:102789, 2023.
    """
    rng = np.random.default_rng([exposure.look_seed, CONTRASTS.index(contrast)])
    white = signal(Tissue.WHITE, exposure, "T1" if contrast == "T1c" else contrast)
    looks = {}
    for tissue in Tissue:
        random = Look(rng.uniform(0.05, 1.5), rng.uniform(0, 0.2))
        taken_up = enhancement if tissue in TUMOURS else 1.0
        mean, texture = signal(tissue, exposure, contrast, taken_up) / white, TISSUES[tissue].texture
        part = exposure.randomise if tissue != Tissue.AIR else 0.0
        looks[tissue] = Look(mean + part * (random.mean - mean), texture + part * (random.texture - texture))
    return looks


def signal(tissue: Tissue, exposure: Exposure, contrast: Contrast, enhancement: float = 1.0) -> float:
    """What the physics says that a voxel of nothing but this tissue answers."""
    facts = relaxation(tissue, exposure.field_t, enhancement * exposure.dose if contrast == "T1c" else 0.0)
    t1, t2, density = facts.t1_ms, facts.t2_ms, facts.proton_density
    if contrast in ("T1", "T1c"):
        return spoiled_gradient_echo(t1, density, exposure.t1_tr_ms, exposure.t1_flip_degrees)
    if contrast == "MPRAGE":
        return mprage(t1, density, exposure.mprage_tr_ms, exposure.mprage_ti_ms)
    if contrast == "T2":
        return spin_echo(t1, t2, density, exposure.t2_tr_ms, exposure.t2_te_ms)
    return flair(t1, t2, density, exposure.flair_tr_ms, exposure.flair_te_ms, exposure.flair_ti_ms)


def coil_sensitivity(exposure: Exposure, x: Field, y: Field, z: Field) -> Field:
    """What the coil's place multiplies each signal by: a smooth field around 1, by mm in the scanner."""
    return np.exp(exposure.bias * draw_waves(exposure.look_seed, 8, BIAS_LENGTH_MM, 5)(x, y, z))


def add_noise(image: Field, exposure: Exposure, contrast: Contrast) -> None:
    """Make, in place, of each signal S the magnitude |S + n1 + i n2|, n1 and n2 normal: Rician noise.

    Source: H. Gudbjartsson, S. Patz, Magn Reson Med 34:910, 1995.
    """
    if exposure.noise == 0:
        return
    rng = np.random.default_rng([exposure.noise_seed, CONTRASTS.index(contrast)])
    for plane in image:
        first, second = exposure.noise * rng.standard_normal((2, *plane.shape), dtype=np.float32)
        np.hypot(plane + first, second, out=plane)


def cut_slices(thick_mm: float, grid: Grid) -> NDArray[np.float64]:
    """Where the sub-slices of a slice lie along k, in voxels from its middle: an odd number, as thin as voxels wide."""
    i, j, k = grid.spacing_mm
    count = 2 * round((thick_mm / min(i, j, k) - 1) / 2) + 1
    return ((np.arange(max(1, count)) + 0.5) / max(1, count) - 0.5) * thick_mm / k
