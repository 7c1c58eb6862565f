"""How a radiograph was taken and developed: a record of plain numbers, and how to draw one at random."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from course_lib.modalities.simulated_chest.people import check_positive

View = Literal["PA", "AP"]  #: which way the beam runs: from back to front (standing) or from front to back (in bed)
BEDSIDE = 0.43  #: part of the adults' films that are taken AP; about as among the NIH's films with boxes


@dataclass(frozen=True)
class Exposure:
    """How one picture was taken and developed."""

    tilt: float  #: of the patient in the plane of the picture, degrees
    turn: float  #: of the patient around the body's long axis, degrees; moves the spine against the breastbone
    shift: tuple[float, float]  #: of the patient to the right and down, as a part of the field
    field: float  #: height of the field as a multiple of the lung height; below 1 it cuts the lungs
    aspect: float  #: width over height of the picture
    inspiration: float  #: height of the lungs as a part of a full breath
    energy: float  #: of all X-rays, as if they had the same one, keV (30 to 80); the higher, the less bone stands out
    photons: float  #: per pixel where nothing is in the way, in thousands
    scatter: float  #: scattered over direct radiation, where nothing is in the way
    blur: float  #: of the detector (standard deviation), as a part of the height of the picture
    sharpening: float  #: how strongly the scanner enhances edges; 0 is not at all
    equalisation: float  #: how much of the slow changes of brightness the scanner takes out, 0 to 1
    latitude: float  #: 0: the grey scale starts at the lungs (contrasty); 1: at free air (flat and hazy)
    gamma: float  #: of the display curve; above 1 is darker
    black: float  #: grey value of the darkest part, 0 to 1
    white: float  #: grey value of the brightest part, 0 to 1
    collimation: tuple[float, float, float, float]  #: width of the dark border: left, top, right, bottom, part of side
    marker: tuple[float, float, float]  #: place (right, down) and height of the letter R, parts of the height; 0: none
    leads: int  #: number of ECG leads on the skin
    text: bool  #: is there writing in a corner?
    noise_seed: int  #: of the noise and of the place of leads and writing
    view: View = "PA"
    heart_enlarged: float = 1.0  #: times as wide the heart's shadow is as in PA

    def __post_init__(self) -> None:
        check_positive(self, "field", "aspect", "inspiration", "photons", "gamma", "heart_enlarged")
        if self.view not in get_args(View):
            raise ValueError(f"view must be one of {get_args(View)}, but is {self.view!r}.")
        if not 30 <= self.energy <= 80:
            raise ValueError(f"energy must be from 30 to 80 keV, but is {self.energy}.")


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """A way to take a picture, at random; it does not depend on whether the patient is ill."""
    return Exposure(
        tilt=float(rng.normal(0, 3)),
        turn=float(rng.normal(0, 5)),
        shift=(float(rng.normal(0, 0.02)), float(rng.normal(-0.01, 0.028))),
        field=float(np.clip(rng.normal(1.55, 0.14), 1.1, 2.0)),
        aspect=float(np.clip(rng.normal(1.22, 0.16), 0.9, 1.7)),
        inspiration=float(np.clip(rng.normal(0.96, 0.08), 0.6, 1.12)),
        energy=float(rng.uniform(36, 60)),
        photons=float(np.exp(rng.uniform(np.log(15), np.log(300)))),
        scatter=float(rng.uniform(0.05, 0.4)),
        blur=float(rng.uniform(0.001, 0.0035)),
        sharpening=float(rng.uniform(0, 1.2)),
        equalisation=float(rng.uniform(0.0, 0.4)),
        latitude=float(np.clip(rng.normal(0.4, 0.45), 0, 1)),
        gamma=float(np.exp(rng.normal(-0.2, 0.3))),
        black=float(max(0, rng.normal(0.02, 0.05))),
        white=float(rng.uniform(0.8, 1.0)),
        collimation=_draw_collimation(rng),
        marker=_draw_marker(rng),
        leads=int(rng.integers(1, 4)) if rng.random() < 0.2 else 0,
        text=bool(rng.random() < 0.15),
        noise_seed=int(rng.integers(2**31)),
    )


def draw_adult_exposure(rng: np.random.Generator) -> Exposure:
    """A way to take a square film of an adult: PA of someone who stands, or AP of someone in bed.

    In bed the breath is shallower, the body lies less straight, scatter is stronger, there are leads, and the heart is
    farther from the detector and nearer to the tube, so that its shadow is larger.

    Source of how much: S. B. Chon et al., Calculation of the cardiothoracic ratio from portable anteroposterior chest
    radiography, Journal of Korean Medical Science 26(11), 2011: the width in PA is 0.79 + 0.00099 times the
    distance in cm of that in AP, 0.90 at 1.1 m.
    """
    exposure = draw_exposure(rng)
    in_bed = bool(rng.random() < BEDSIDE)
    return replace(
        exposure,
        aspect=1.0,
        view="AP" if in_bed else "PA",
        heart_enlarged=float(rng.normal(1.11, 0.02)) if in_bed else 1.0,
        tilt=float(rng.normal(0, 4 if in_bed else 1.5)),
        turn=float(rng.normal(0, 6 if in_bed else 3)),
        shift=(float(rng.normal(0, 0.025 if in_bed else 0.012)), float(rng.normal(-0.04, 0.03))),
        field=float(np.clip(rng.normal(1.5, 0.12), 1.25, 1.9)),
        inspiration=float(np.clip(rng.normal(0.87 if in_bed else 0.98, 0.06), 0.65, 1.1)),
        energy=float(rng.uniform(52, 68) if in_bed else rng.uniform(62, 78)),
        photons=float(np.exp(rng.uniform(np.log(60), np.log(600)))),
        scatter=float(rng.uniform(0.2, 0.5) if in_bed else rng.uniform(0.05, 0.3)),
        blur=float(rng.uniform(0.0006, 0.0018)),
        sharpening=float(rng.uniform(0.2, 1.4)),
        latitude=float(np.clip(rng.normal(0.25, 0.25), 0, 1)),
        gamma=float(np.exp(rng.normal(-0.15, 0.2))),
        white=float(rng.uniform(0.85, 0.95)),
        marker=(float(rng.uniform(0.01, 0.12)), float(rng.uniform(0.01, 0.12)), float(rng.uniform(0.03, 0.055))),
        leads=int(rng.integers(1, 5)) if rng.random() < (0.45 if in_bed else 0.05) else 0,
        text=False,
    )


def _draw_collimation(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Often no border at all; the bottom and the top are cut less deeply than the sides."""
    depth = rng.uniform(0, [0.09, 0.05, 0.09, 0.05]) * (rng.random(4) < 0.25)
    left, top, right, bottom = (float(part) for part in depth)
    return left, top, right, bottom


def _draw_marker(rng: np.random.Generator) -> tuple[float, float, float]:
    """The letter R at the upper left, as technicians place it, most of the time."""
    height = float(rng.uniform(0.035, 0.09)) if rng.random() < 0.8 else 0.0
    return float(rng.uniform(0.01, 0.16)), float(rng.uniform(0.02, 0.6) ** 1.5), height
