"""Who is on the picture: a record of plain numbers, and how to draw one at random."""

from dataclasses import dataclass, field
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
NoduleDensity = Literal["solid", "part-solid", "ground glass"]
Side = Literal["right", "left"]  #: of the patient
DistractorKind = Literal[
    "nipple", "vessel end-on", "rib crossing", "healed fracture", "button", "electrode"
]  #: the last two lie on the skin


@dataclass(frozen=True)
class Nodule:
    """A round spot in a lung. Its place is in the patient after a full breath, cm: x to the patient's left, y down to
    the feet, z to the back; 0 is the middle of the lungs. It moves with the breath.

    x and y are those of the regular body, which a smooth warp makes irregular; `nodules.place` says where it lies on
    the ruler of a scanner.
    """

    x: float
    y: float
    z: float
    radius_mm: float
    lobulation: float  #: 0 (round) to 1 (deep bays)
    spiculation: float  #: 0 (smooth) to 1 (long spikes)
    density: NoduleDensity
    malignant: bool
    seed: int  #: of its bays and spikes
    calcium: float = 0.0  #: density of its calcium as a part of cortical bone's; above 0 in some that are benign

    def __post_init__(self) -> None:
        if self.density not in get_args(NoduleDensity):
            raise ValueError(f"density must be one of {get_args(NoduleDensity)}, but is {self.density!r}.")
        for name in ("lobulation", "spiculation", "calcium"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, but is {getattr(self, name)}.")
        check_positive(self, "radius_mm")


@dataclass(frozen=True)
class Effusion:
    """Fluid around a lung of someone who stands or sits: it gathers below and creeps up along the chest wall."""

    side: Side
    height: float  #: where it ends at the chest wall, lung heights above the dome; below 0 only the angle fills
    climb: float  #: over how many lung heights it thins out to there; below that no lung is left

    def __post_init__(self) -> None:
        _check_side(self)
        check_positive(self, "climb")
        if not -0.1 <= self.height <= 1:
            raise ValueError(f"height must be from -0.1 to 1 lung heights, but is {self.height}.")


@dataclass(frozen=True)
class Pneumothorax:
    """Air between a lung and the chest wall of someone who stands or sits: it gathers at the top."""

    side: Side
    depth: float  #: from the chest wall to the edge of the lung at the top, cm; less further down
    reach: float  #: lung heights from the top down to where the lung lies at the chest wall again

    def __post_init__(self) -> None:
        _check_side(self)
        check_positive(self, "depth", "reach")


@dataclass(frozen=True)
class Distractor:
    """Something that a reader may take for a nodule. Its place is in the regular body, like that of a `Nodule`, cm."""

    kind: DistractorKind
    x: float
    y: float
    z: float  #: its depth: when the patient turns, what lies behind moves to one side, what lies in front to the other
    radius_mm: float  #: of what is bound to a rib: half the thickness of the rib
    thickness: float  #: in its middle, cm of soft tissue (nipple, vessel, electrode) or of cortical bone (the others)
    angle: float = 0.0  #: of the rib, or where the sharp edge of a nipple faces; degrees clockwise from the right

    def __post_init__(self) -> None:
        if self.kind not in get_args(DistractorKind):
            raise ValueError(f"kind must be one of {get_args(DistractorKind)}, but is {self.kind!r}.")
        check_positive(self, "radius_mm", "thickness")


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
    nodules: tuple[Nodule, ...] = field(default=(), repr=False)  #: those above 30 mm are called masses
    effusions: tuple[Effusion, ...] = field(default=(), repr=False)
    pneumothoraces: tuple[Pneumothorax, ...] = field(default=(), repr=False)
    distractors: tuple[Distractor, ...] = field(default=(), repr=False)
    resting_heart: bool = False  #: the heart's outline is that of `silhouette`

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {get_args(Kind)}, but is {self.kind!r}.")
        if self.pattern not in get_args(Pattern) or (self.pattern == "none") != (self.kind == "normal"):
            raise ValueError(f"A patient of kind {self.kind!r} can not have the pattern {self.pattern!r}.")
        if self.lobe not in get_args(Lobe):
            raise ValueError(f"lobe must be one of {get_args(Lobe)}, but is {self.lobe!r}.")
        if not 0 <= self.severity <= 1:
            raise ValueError(f"severity must be from 0 to 1, but is {self.severity}.")
        check_positive(self, "half_width", "half_depth", "lung_height", "wall", "heart", "rib_tilt")
        for name in ("effusions", "pneumothoraces"):
            sides = [one.side for one in getattr(self, name)]
            if len(set(sides)) < len(sides):
                raise ValueError(f"A side can have one of the {name} at most, but the sides are {sides}.")


def draw_patient(rng: np.random.Generator, kind: Kind | None = None, *, adult: bool | None = None) -> Patient:
    """A person at random. Six in ten have pneumonia, two thirds of them bacterial, unless ``kind`` says which. A tenth
    are grown up, unless ``adult`` says who is.

    The healthy vary in ways that look like trouble: a wide thymus, strong vessels, a large heart, breasts over the
    lungs; and their exposures in a shallow breath or a turned body, which crowd or shift what is there.
    """
    kind = kind or get_args(Kind)[rng.choice(3, p=[0.4, 0.4, 0.2])]
    patterns, parts = zip(*PATTERNS[kind], strict=True)
    grown_up = bool(rng.random() < ADULTS)  # drawn also where it is known: what is drawn after it stays the same
    adult = grown_up if adult is None else adult
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


def check_positive(record: object, *names: str) -> None:
    """Do nothing if these numbers of a record are above 0.

    Raises:
        ValueError: one is not.
    """
    for name in names:
        value = getattr(record, name)
        if not value > 0:
            raise ValueError(f"{name} must be above 0, but is {value}.")


def _check_side(record: Effusion | Pneumothorax) -> None:
    if record.side not in get_args(Side):
        raise ValueError(f"side must be one of {get_args(Side)}, but is {record.side!r}.")
