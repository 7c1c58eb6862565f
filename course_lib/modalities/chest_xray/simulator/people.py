"""Who is on the picture and how it was taken: two records of plain numbers, and how to draw them at random."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Kind = Literal["normal", "bacteria", "virus"]
Pattern = Literal["none", "lobar", "patchy", "interstitial"]
Lobe = Literal["right upper", "right middle", "right lower", "left upper", "left lower"]
PATTERNS: dict[Kind, tuple[tuple[Pattern, float], ...]] = {
    "normal": (("none", 1.0),),
    "bacteria": (("lobar", 0.4), ("patchy", 0.6)),
    "virus": (("interstitial", 0.8), ("patchy", 0.2)),
}
ADULTS = 0.1  #: part of the patients that are grown up


@dataclass(frozen=True)
class Patient:
    """A simulated person. Lengths in cm. The person looks at us: the heart lies to the right of the picture.

    The sizes are about those of children of up to six years and of adults; they were set by eye beside radiographs.
    """

    kind: Kind
    pattern: Pattern  #: how the disease spreads: one lobe, many patches, or along bronchi and vessels; "none" if normal
    severity: float  #: 0 (nothing to see) to 1 (white-out of what is affected)
    lobe: Lobe  #: where lobar disease sits
    age: float  #: years
    half_width: float  #: of the inside of the rib cage, where it is widest
    half_depth: float  #: of the inside of the rib cage, front to back
    lung_height: float  #: from the top to the right dome of the diaphragm, after a full breath
    wall: float  #: thickness of muscle, fat and skin at the side
    heart: float  #: half-width of the heart as a part of half_width: about the cardiothoracic ratio
    rib_tilt: float  #: of the rings of the ribs, degrees
    bend: float  #: of the spine to the side
    dome_step: float  #: how far the left dome of the diaphragm lies below the right one
    neck: float  #: from the top of the lungs to the chin, as a part of the lung height
    arms: float  #: direction of the upper arms, degrees above the horizontal; below 0 they hang
    thymus: float  #: 0 (none, as in adults) to 1 (wide as a sail)
    vessels: float  #: prominence of hila and lung vessels; 1 is usual
    gas: float  #: radius of the bubble in the stomach
    breast: float  #: thickness of the breasts, 0 in children
    anatomy_seed: int  #: of everything irregular: vessels, ribs, the place and texture of the disease

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {get_args(Kind)}, but is {self.kind!r}.")
        if self.pattern not in get_args(Pattern) or (self.pattern == "none") != (self.kind == "normal"):
            raise ValueError(f"A patient of kind {self.kind!r} can not have the pattern {self.pattern!r}.")
        if self.lobe not in get_args(Lobe):
            raise ValueError(f"lobe must be one of {get_args(Lobe)}, but is {self.lobe!r}.")
        if not 0 <= self.severity <= 1:
            raise ValueError(f"severity must be from 0 to 1, but is {self.severity}.")
        _check_positive(self, "half_width", "half_depth", "lung_height", "wall", "heart", "rib_tilt")


@dataclass(frozen=True)
class Exposure:
    """How one picture was taken and developed."""

    tilt: float  #: of the patient in the plane of the picture, degrees
    turn: float  #: of the patient around the body's long axis, degrees; moves the spine against the breastbone
    shift: tuple[float, float]  #: of the patient to the right and down, as a part of the field
    field: float  #: height of the field as a multiple of the lung height; below 1 it cuts the lungs
    aspect: float  #: width over height of the picture
    inspiration: float  #: height of the lungs as a part of a full breath
    energy: (
        float  #: of the X-rays, keV (30 to 80), as if they all had the same one; the higher, the less bone stands out
    )
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

    def __post_init__(self) -> None:
        _check_positive(self, "field", "aspect", "inspiration", "photons", "gamma")
        if not 30 <= self.energy <= 80:
            raise ValueError(f"energy must be from 30 to 80 keV, but is {self.energy}.")


def draw_patient(rng: np.random.Generator, kind: Kind | None = None) -> Patient:
    """A person at random. Six in ten have pneumonia, two thirds of them bacterial, unless ``kind`` says which.

    The healthy vary in ways that look like trouble: a wide thymus, strong vessels, a large heart, breasts over the
    lungs; and their exposures in a shallow breath or a turned body, which crowd or shift what is there.
    """
    kind = kind or get_args(Kind)[rng.choice(3, p=[0.4, 0.4, 0.2])]
    patterns, parts = zip(*PATTERNS[kind], strict=True)
    adult = bool(rng.random() < ADULTS)
    age = float(rng.uniform(18, 80) if adult else rng.uniform(0.3, 6))
    half_width = (14.0 if adult else 6.9 + 0.42 * age) * rng.normal(1, 0.06)
    return Patient(
        kind=kind,
        pattern=patterns[rng.choice(len(patterns), p=parts)],
        severity=0.0 if kind == "normal" else float(rng.uniform(0.1, 1.0)),
        lobe=get_args(Lobe)[rng.choice(5, p=[0.24, 0.14, 0.24, 0.14, 0.24])],
        age=age,
        half_width=half_width,
        half_depth=half_width * rng.normal(0.66, 0.05) * (0.9 if adult else 1),
        lung_height=half_width * (rng.normal(1.65, 0.12) if adult else rng.normal(1.32, 0.09)),
        wall=(rng.uniform(1.5, 4.0) if adult else rng.uniform(0.4, 1.4)),
        heart=float(np.clip(rng.normal(0.42 if adult else 0.49 - 0.012 * age, 0.05), 0.34, 0.62)),
        rib_tilt=float(np.clip(rng.normal(33 if adult else 27, 4), 14, 42)),
        bend=float(rng.normal(0, 0.2)),
        dome_step=float(rng.normal(0.05, 0.035) * half_width),
        neck=float(np.clip(rng.normal(0.26 if adult else 0.17, 0.07), 0.05, 0.5)),
        arms=float(rng.choice([rng.uniform(-85, -60), rng.uniform(-50, 80)], p=[0.2, 0.8])),
        thymus=0.0 if adult else float(np.clip(rng.normal(0.5 - 0.15 * age, 0.35), 0, 1)),
        vessels=float(np.clip(rng.normal(1.0, 0.25), 0.4, 2)),
        gas=float(rng.uniform(0, 0.3) * half_width),
        breast=float(rng.uniform(0, 5)) if adult and rng.random() < 0.5 else 0.0,
        anatomy_seed=int(rng.integers(2**31)),
    )


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


def _draw_collimation(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Often no border at all; the bottom and the top are cut less deeply than the sides."""
    depth = rng.uniform(0, [0.09, 0.05, 0.09, 0.05]) * (rng.random(4) < 0.25)
    left, top, right, bottom = (float(part) for part in depth)
    return left, top, right, bottom


def _draw_marker(rng: np.random.Generator) -> tuple[float, float, float]:
    """The letter R at the upper left, as technicians place it, most of the time."""
    height = float(rng.uniform(0.035, 0.09)) if rng.random() < 0.8 else 0.0
    return float(rng.uniform(0.01, 0.16)), float(rng.uniform(0.02, 0.6) ** 1.5), height


def _check_positive(record: Patient | Exposure, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not value > 0:
            raise ValueError(f"{name} must be above 0, but is {value}.")
