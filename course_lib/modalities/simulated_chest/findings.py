"""People with the findings that a film is asked about: any combination of them, and what imitates them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course_lib.modalities.simulated_chest.distractors import draw_distractors
from course_lib.modalities.simulated_chest.landmarks import inner_width
from course_lib.modalities.simulated_chest.nodules import draw_mass, draw_shown_nodule
from course_lib.modalities.simulated_chest.organs import (
    ATRIUM,
    ATRIUM_AT,
    HEART_LEFT,
    VENTRICLES,
    VENTRICLES_AT,
    VENTRICLES_TURN,
)
from course_lib.modalities.simulated_chest.people import (
    Effusion,
    Nodule,
    Patient,
    Pattern,
    Pneumothorax,
    Side,
    draw_patient,
)

FINDINGS = ("Nodule", "Mass", "Effusion", "Pneumothorax", "Cardiomegaly", "Pneumonia")  #: "Pneumonia": a consolidation

NODULES_OF_ONE = (0.65, 0.2, 0.1, 0.05)  #: how many people have one, two, three, four
MASSES_OF_ONE = (0.8, 0.2)
BOTH_SIDES = 0.25  #: of the effusions
EFFUSION_HEIGHT, EFFUSION_HEIGHTS = (-0.06, 0.6), (1.0, 1.6)  #: lung heights, from and to; of the beta distribution
EFFUSION_CLIMB = (0.3, 1.3)  #: parts of the height above the angle between ribs and diaphragm, from and to
ANGLE_BELOW = 0.12  #: lung heights that this angle lies below the dome
PNEUMOTHORAX_DEPTH, PNEUMOTHORAX_REACH = (0.04, 0.2), (0.12, 0.8)  #: in half-widths; in lung heights
SEVERITY = (0.3, 0.9)  #: of pneumonia
LOBAR = 0.6  #: part of the consolidations; the others are patchy
LUNG_HEIGHT = (1.87, 0.12)  #: of adults, in half-widths: mean and spread, set by eye beside square films
ARMS = (-80, -30)  #: of adults, degrees above the horizontal: they hang or stand off
MORE_VESSELS, LESS_BREAST = 1.35, 0.6  #: times as prominent, and times as thick, for the same reason
SMALL_CHILD = 2  #: years, below which a heart may be wider
NORMAL_RATIO, NORMAL_RATIO_OF_SMALL = 0.50, 0.58  #: the largest cardiothoracic ratio that is normal
HEALTHY_RATIO, ENLARGED_RATIO = (0.41, 0.48), (0.52, 0.64)  #: of adults, from and to; between them readers disagree


def draw_patient_with(rng: np.random.Generator, findings: Sequence[str], *, adult: bool = True) -> Patient:
    """A person with these findings of `FINDINGS`, no other, and distractors as often as people have them.

    Someone has one nodule or several, one mass or two, an effusion on one side or on both.

    Raises:
        ValueError: a finding is not one of `FINDINGS`, or is named twice.
    """
    unknown = [name for name in findings if name not in FINDINGS]
    if unknown:
        raise ValueError(f"A finding must be one of {FINDINGS}, but these are given: {unknown}.")
    if len(set(findings)) < len(findings):
        raise ValueError(f"Each finding can be named once, but these are given: {list(findings)}.")
    patient = draw_patient(rng, "normal", adult=adult)
    if adult:
        patient = _as_on_square_films(rng, patient)
    patient = with_heart(patient, _draw_ratio(rng, patient, "Cardiomegaly" in findings))
    if "Pneumonia" in findings:
        pattern: Pattern = "lobar" if rng.random() < LOBAR else "patchy"
        patient = replace(patient, kind="bacteria", pattern=pattern, severity=float(rng.uniform(*SEVERITY)))
    if "Effusion" in findings:
        patient = replace(patient, effusions=_draw_effusions(rng))
    if "Pneumothorax" in findings:
        patient = replace(patient, pneumothoraces=(_draw_pneumothorax(rng, patient),))
    patient = replace(patient, nodules=tuple(_draw_nodules(rng, patient, findings)))
    return replace(patient, distractors=draw_distractors(rng, patient))


def cardiothoracic_ratio(patient: Patient) -> float:
    """The width of the heart over the inner width of the chest, at its widest, of the regular body in a full breath."""
    wide, a = patient.heart * patient.half_width, patient.half_width
    across, down, _ = VENTRICLES
    turn = np.deg2rad(VENTRICLES_TURN)
    ventricles = wide * np.hypot(across * np.cos(turn), down * np.sin(turn))  # half the width of a turned ellipse
    left = HEART_LEFT * a + VENTRICLES_AT[0] * wide + ventricles
    right = HEART_LEFT * a + ATRIUM_AT[0] * wide - ATRIUM[0] * wide
    return float((left - right) / (2 * inner_width(patient, patient.lung_height / 2)))


def with_heart(patient: Patient, ratio: float) -> Patient:
    """The patient with a heart of this `cardiothoracic_ratio`."""
    return replace(patient, heart=patient.heart * ratio / cardiothoracic_ratio(patient))


def normal_ratio(patient: Patient) -> float:
    """The largest cardiothoracic ratio that is normal: 0.5, and more in small children, whose hearts are larger.

    Source of 0.5, and of 0.66 for newborns: Primary Care Notebook, cardiothoracic ratio. The value below two years lies
    between both.
    """
    return NORMAL_RATIO_OF_SMALL if patient.age < SMALL_CHILD else NORMAL_RATIO


def has_large_heart(patient: Patient) -> bool:
    """Whether the patient has cardiomegaly."""
    return cardiothoracic_ratio(patient) > normal_ratio(patient)


def healthy_heart(patient: Patient) -> float:
    """`Patient.heart` of the same patient with a heart in the middle of what is normal."""
    ratio = sum(HEALTHY_RATIO) / 2 + normal_ratio(patient) - NORMAL_RATIO
    return with_heart(patient, ratio).heart


def _as_on_square_films(rng: np.random.Generator, patient: Patient) -> Patient:
    """An adult in the position of adults' films, whose lungs are higher for their width than a child's."""
    height = patient.half_width * float(rng.normal(*LUNG_HEIGHT))
    arms = float(rng.uniform(*ARMS))
    vessels, breast = MORE_VESSELS * patient.vessels, LESS_BREAST * patient.breast
    return replace(patient, lung_height=height, vessels=vessels, arms=arms, breast=breast, resting_heart=True)


def _draw_ratio(rng: np.random.Generator, patient: Patient, enlarged: bool) -> float:
    more = normal_ratio(patient) - NORMAL_RATIO
    return float(rng.uniform(*(ENLARGED_RATIO if enlarged else HEALTHY_RATIO)) + more)


def _draw_effusions(rng: np.random.Generator) -> tuple[Effusion, ...]:
    sides: list[Side] = ["right", "left"]
    if rng.random() >= BOTH_SIDES:
        sides = [sides[rng.integers(2)]]
    lowest, highest = EFFUSION_HEIGHT
    heights = lowest + (highest - lowest) * rng.beta(*EFFUSION_HEIGHTS, size=len(sides))
    return tuple(
        Effusion(side, float(height), float(rng.uniform(*EFFUSION_CLIMB) * (height + ANGLE_BELOW)))
        for side, height in zip(sides, heights, strict=True)
    )


def _draw_pneumothorax(rng: np.random.Generator, patient: Patient) -> Pneumothorax:
    side: Side = "right" if rng.random() < 0.5 else "left"
    depth = patient.half_width * rng.uniform(*PNEUMOTHORAX_DEPTH)
    return Pneumothorax(side, float(depth), float(rng.uniform(*PNEUMOTHORAX_REACH)))


def _draw_nodules(rng: np.random.Generator, patient: Patient, findings: Sequence[str]) -> list[Nodule]:
    found = []
    for name, parts, draw in (("Nodule", NODULES_OF_ONE, draw_shown_nodule), ("Mass", MASSES_OF_ONE, draw_mass)):
        if name in findings:
            found += [draw(rng, patient) for _ in range(1 + rng.choice(len(parts), p=parts))]
    return found
