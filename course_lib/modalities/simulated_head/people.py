"""Who lies in the scanner and how it is set: records of plain numbers, and how to draw them at random."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from course_lib.modalities.simulated_head.cavity import below_vault
from course_lib.modalities.simulated_head.geometry import Point
from course_lib.modalities.simulated_head.physics import RELAXIVITY, csf_null_ms

Kind = Literal["none", "glioma", "meningioma", "pituitary"]
Contrast = Literal["T1", "T1c", "T2", "FLAIR", "MPRAGE"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONTRASTS: tuple[Contrast, ...] = get_args(Contrast)
LOW_GRADE = 0.2  #: part of the gliomas that take up hardly any contrast agent and have no dead tissue
PITUITARY: Point = (0.0, 18.0, -38.0)  #: its middle in the standard head, mm


@dataclass(frozen=True)
class Tumour:
    """A tumour. Places in mm of the standard head, that is, before the patient's sizes and warp."""

    centre_mm: Point
    radius_mm: float
    necrosis: float  #: 0 solid, to 0.95: a thin rim around dead tissue; of an adenoma the size of its cyst
    oedema_mm: float  #: how far the swelling reaches beyond the tumour
    push: float  #: how strongly it displaces what is around, 0 to 0.6
    enhancement: float  #: uptake of contrast agent as a multiple of what is usual for its kind

    def __post_init__(self) -> None:
        _check_positive("radius_mm", self.radius_mm)
        for name, value, highest in (("necrosis", self.necrosis, 0.95), ("push", self.push, 0.6)):
            if not 0 <= value <= highest:
                raise ValueError(f"{name} must be from 0 to {highest}, but is {value}.")
        for name in ("oedema_mm", "enhancement"):
            _check_not_below_zero(name, getattr(self, name))


@dataclass(frozen=True)
class Patient:
    """A simulated person. Lengths in mm."""

    kind: Kind
    tumour: Tumour | None  #: None where kind is "none"
    age: float  #: years
    scale: Point  #: of the head, to the right, front and up; 1 is an average adult
    warp_mm: float  #: how far things lie from where they lie in the standard head (standard deviation)
    scalp_mm: float  #: thickness of skin and fat
    skull_mm: float  #: thickness of the skull
    csf_mm: float  #: width of the gap between brain and dura; grows with age
    sulci_mm: float  #: half-width of the sulci; grows with age
    cortex_mm: float  #: thickness of the cortex
    ventricles: float  #: width of the ventricles; 1 is usual in the middle of life
    hippocampus: tuple[float, float]  #: size of the right and the left one; 1 is usual, the volume goes with its cube
    anatomy_seed: int  #: of everything irregular: folds, warp, textures, the tumour's edge

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, but is {self.kind!r}.")
        if (self.tumour is None) != (self.kind == "none"):
            raise ValueError(f"A patient of kind {self.kind!r} can not have the tumour {self.tumour}.")
        for name in ("age", "scalp_mm", "skull_mm", "csf_mm", "sulci_mm", "cortex_mm", "ventricles"):
            _check_positive(name, getattr(self, name))
        for name in ("scale", "hippocampus"):
            _check_positive(name, *getattr(self, name))


@dataclass(frozen=True)
class Exposure:
    """How the scanner is set. Times in ms. Where voxels lie is the `Grid`'s matter."""

    field_t: float  #: strength of the magnet, tesla: 1.5 or 3.0
    t1_tr_ms: float  #: repetition time of the spoiled gradient echo
    t1_flip_degrees: float
    mprage_tr_ms: float  #: from one inversion to the next
    mprage_ti_ms: float  #: from the inversion to the read-out
    t2_tr_ms: float
    t2_te_ms: float  #: echo time
    flair_tr_ms: float
    flair_te_ms: float
    flair_ti_ms: float
    dose: float  #: of contrast agent, as a multiple of 0.1 mmol/kg
    slice_mm: float  #: thickness of a slice along k
    blur: float  #: how wide an edge is in the image, in voxels; 1 is as sharp as can be
    noise: float  #: standard deviation, as a part of white matter's signal
    bias: float  #: how far the coil's sensitivity departs from 1 (standard deviation)
    randomise: float  #: 0: signals as the physics says; 1: each tissue's mean and texture at random
    noise_seed: int
    look_seed: int  #: of bias field and random contrast

    def __post_init__(self) -> None:
        if self.field_t not in RELAXIVITY:
            raise ValueError(f"field_t must be one of {tuple(RELAXIVITY)} T, but is {self.field_t}.")
        times = [field.name for field in fields(self) if field.name.endswith("_ms")]
        for name in (*times, "t1_flip_degrees", "slice_mm"):
            _check_positive(name, getattr(self, name))
        if not self.blur >= 1:
            raise ValueError(f"blur must be at least 1 voxel, but is {self.blur}.")
        if not 0 <= self.randomise <= 1:
            raise ValueError(f"randomise must be from 0 to 1, but is {self.randomise}.")
        for name in ("noise", "bias", "dose"):
            _check_not_below_zero(name, getattr(self, name))


def draw_patient(rng: np.random.Generator, kind: Kind | None = None) -> Patient:
    """A grown-up at random. One in four has no tumour, unless ``kind`` says which."""
    kind = kind or KINDS[rng.choice(4)]
    age = float(rng.uniform(18, 85))
    old = max(0.0, age - 40) / 40
    size = float(np.clip(rng.normal(1, 0.025), 0.94, 1.06))
    hippocampus = rng.normal(0.96, 0.024) * (1 - 0.05 * old)
    asymmetry = rng.normal(0.008, 0.012)  # on average the right one has 5 % more volume: 3.43 to 3.26 ml, PMC3773349
    return Patient(
        kind=kind,
        tumour=_draw_tumour(rng, kind),
        age=age,
        scale=(size * rng.normal(1.0, 0.012), size * rng.normal(1.0, 0.012), size * rng.normal(1.02, 0.012)),
        warp_mm=float(rng.uniform(0.5, 1.1)),
        scalp_mm=float(rng.uniform(3.5, 6)),
        skull_mm=float(rng.uniform(4.5, 7)),
        csf_mm=float(rng.uniform(0.4, 0.9) + 0.7 * old),
        sulci_mm=float(rng.uniform(0.2, 0.4) + 0.35 * old),
        cortex_mm=float(rng.normal(2.8, 0.1) - 0.2 * old),
        ventricles=float(np.exp(rng.normal(-0.1 + 0.4 * old, 0.15))),
        hippocampus=(float(hippocampus * (1 + asymmetry)), float(hippocampus * (1 - asymmetry))),
        anatomy_seed=int(rng.integers(2**31)),
    )


def draw_exposure(rng: np.random.Generator, randomise: float = 0.0) -> Exposure:
    """A way to set the scanner, at random; it does not depend on the patient."""
    field_t = float(rng.choice(list(RELAXIVITY)))
    flair_tr_ms = float(rng.uniform(8000, 10000))
    return Exposure(
        field_t=field_t,
        t1_tr_ms=float(rng.uniform(18, 30)),
        t1_flip_degrees=float(rng.uniform(25, 35)),
        mprage_tr_ms=float(rng.uniform(2100, 2400)),
        mprage_ti_ms=float(rng.uniform(860, 940) if field_t > 2 else rng.uniform(790, 870)),
        t2_tr_ms=float(rng.uniform(3500, 6000)),
        t2_te_ms=float(rng.uniform(80, 110)),
        flair_tr_ms=flair_tr_ms,
        flair_te_ms=float(rng.uniform(90, 130)),
        flair_ti_ms=csf_null_ms(flair_tr_ms, field_t) * float(rng.uniform(0.97, 1.03)),
        dose=float(rng.uniform(0.9, 1.1)),
        slice_mm=1.0,
        blur=float(rng.uniform(1.0, 1.8)),
        noise=float(rng.uniform(0.02, 0.06)),
        bias=float(rng.uniform(0.02, 0.12)),
        randomise=randomise,
        noise_seed=int(rng.integers(2**31)),
        look_seed=int(rng.integers(2**31)),
    )


def _draw_tumour(rng: np.random.Generator, kind: Kind) -> Tumour | None:
    if kind == "none":
        return None
    side = float(rng.choice([-1.0, 1.0]))
    if kind == "glioma":
        low_grade = rng.random() < LOW_GRADE
        return Tumour(
            centre_mm=(side * rng.uniform(20, 40), rng.uniform(-45, 40), rng.uniform(-12, 30)),
            radius_mm=rng.uniform(11, 26),
            necrosis=0.0 if low_grade else rng.uniform(0.3, 0.9),
            oedema_mm=rng.uniform(4, 18),
            push=0.35,
            enhancement=rng.uniform(0, 0.1) if low_grade else rng.uniform(0.7, 1.4),
        )
    if kind == "meningioma":
        radius = rng.uniform(12, 27)
        turn, rise = rng.uniform(-1.3, 1.3), rng.uniform(-0.5, 1.3)
        direction = (side * float(np.cos(turn) * np.cos(rise)), float(np.sin(turn) * np.cos(rise)), float(np.sin(rise)))
        centre = below_vault(direction, 0.6 * radius)
        return Tumour(centre, radius, 0.0, float(rng.choice([0.0, rng.uniform(2, 9)])), 0.5, rng.uniform(0.8, 1.2))
    x, y, z = PITUITARY
    cyst = float(rng.choice([0.0, rng.uniform(0.2, 0.5)]))
    return Tumour((x + rng.normal(0, 1.5), y, z + 2), rng.uniform(8.5, 18), cyst, 0.0, 0.3, rng.uniform(0.7, 1.2))


def _check_positive(name: str, *values: float) -> None:
    for value in values:
        if not value > 0:
            raise ValueError(f"{name} must be above 0, but is {value}.")


def _check_not_below_zero(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name} can not be below 0, but is {value}.")
