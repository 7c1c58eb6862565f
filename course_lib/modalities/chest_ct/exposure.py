"""How a CT was taken: a record of plain numbers, and how to draw one at random."""

import math
from dataclasses import dataclass

import numpy as np

from course_lib.modalities.chest_ct.tomography import KERNELS

THICKNESSES_MM, THICKNESS_ODDS = (1.25, 2.0, 2.5, 3.0), (0.25, 0.25, 0.35, 0.15)  #: of slices; set by hand
PHOTONS = (30.0, 300.0)  #: thousands, from a low dose to a usual one
USED = ("hann", "shepp-logan")  #: kernels: smooth, for soft tissue, and sharp, for lungs
WITH_CONTRAST, PADDED = 0.4, 0.25  #: parts of the scans


@dataclass(frozen=True)
class Exposure:
    """How one CT was taken and reconstructed."""

    thickness_mm: float  #: of a slice; the next one follows without a gap
    photons: float  #: per ray where nothing is in the way, in thousands: four times as many, half the noise
    kernel: str  #: of the reconstruction, one of `tomography.KERNELS`: sharp and noisy, or smooth
    angles: int  #: over half a turn, from which the patient is seen
    contrast: bool  #: is there a contrast agent in the blood?
    padded: bool  #: are the corners outside of the scanned circle set to `PADDING_HU`, as some scanners do?
    metal: bool  #: do two rods of titanium hold the spine?
    motion_mm: float  #: by which the patient slides to the head after half of the angles
    randomise: float  #: 0: densities as the physics says; 1: those of the tissues at random
    seed: int  #: of the noise and the densities

    def __post_init__(self) -> None:
        if not 0 < self.thickness_mm < math.inf:
            raise ValueError(f"thickness_mm must be a number above 0, but is {self.thickness_mm}.")
        if not self.photons > 0:
            raise ValueError(f"photons must be above 0, but is {self.photons}.")
        if not (isinstance(self.angles, int) and self.angles >= 1):
            raise ValueError(f"angles must be a whole number, 1 or more, but is {self.angles}.")
        if not 0 <= self.motion_mm < math.inf:
            raise ValueError(f"motion_mm must be 0 or more, but is {self.motion_mm}.")
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}, but is {self.kernel!r}.")
        if not 0 <= self.randomise <= 1:
            raise ValueError(f"randomise must be from 0 to 1, but is {self.randomise}.")


def draw_exposure(rng: np.random.Generator, randomise: float = 0.0) -> Exposure:
    """A way to take a CT, at random; without metal and without motion, which are there to be switched on."""
    return Exposure(
        thickness_mm=float(rng.choice(THICKNESSES_MM, p=THICKNESS_ODDS)),
        photons=float(np.exp(rng.uniform(*np.log(PHOTONS)))),
        kernel=USED[int(rng.integers(len(USED)))],
        angles=180,
        contrast=bool(rng.random() < WITH_CONTRAST),
        padded=bool(rng.random() < PADDED),
        metal=False,
        motion_mm=0.0,
        randomise=randomise,
        seed=int(rng.integers(2**31)),
    )
