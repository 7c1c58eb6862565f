"""People who have the findings that were asked for, and no other."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_chest.findings import (
    FINDINGS,
    cardiothoracic_ratio,
    draw_patient_with,
    has_large_heart,
    healthy_heart,
    with_heart,
)
from course_lib.modalities.simulated_chest.nodules import is_mass
from course_lib.modalities.simulated_chest.people import Effusion, Patient, Pneumothorax


def findings_of(patient: Patient) -> set[str]:
    """What a patient has, from the record alone."""
    has = {
        "Nodule": any(not is_mass(one) for one in patient.nodules),
        "Mass": any(is_mass(one) for one in patient.nodules),
        "Effusion": bool(patient.effusions),
        "Pneumothorax": bool(patient.pneumothoraces),
        "Cardiomegaly": has_large_heart(patient),
        "Pneumonia": patient.severity > 0,
    }
    return {name for name, there in has.items() if there}


@pytest.mark.parametrize("adult", [True, False])
@pytest.mark.parametrize("findings", [(), *((name,) for name in FINDINGS), FINDINGS, ("Mass", "Cardiomegaly")])
def test_a_patient_has_exactly_the_findings_that_were_asked_for(findings: tuple[str, ...], adult: bool) -> None:
    for seed in range(3):
        patient = draw_patient_with(np.random.default_rng(seed), findings, adult=adult)
        assert findings_of(patient) == set(findings)
        assert (patient.age >= 18) == adult
        assert patient == draw_patient_with(np.random.default_rng(seed), findings, adult=adult)


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        (["Nodule", "Fracture"], r"one of .*'Nodule'.*given: \['Fracture'\]"),
        (["nodule"], r"given: \['nodule'\]"),
        (["Mass", "Mass"], "named once"),
    ],
)
def test_findings_that_are_unknown_or_doubled_are_refused(findings: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_patient_with(np.random.default_rng(0), findings)


def test_sizes_are_those_of_nodules_and_masses() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_patient_with(rng, ["Nodule", "Mass"]) for _ in range(25)]
    nodules, masses = (
        [2 * one.radius_mm for patient in drawn for one in patient.nodules if is_mass(one) == large]
        for large in (False, True)
    )
    assert 5 <= min(nodules) < 9
    assert 24 < max(nodules) <= 30
    assert 30 < min(masses) < 38
    assert 60 < max(masses) <= 90
    assert len(nodules) > len(drawn)
    assert {one.density for patient in drawn for one in patient.nodules if is_mass(one)} == {"solid"}
    child = draw_patient_with(rng, ["Mass"], adult=False)
    assert all(2 * one.radius_mm / 10 < 0.75 * child.half_width for one in child.nodules)


def test_the_cardiothoracic_ratio_is_that_of_the_heart_in_the_chest() -> None:
    patient = draw_patient_with(np.random.default_rng(0), [])
    for ratio in (0.4, 0.5, 0.65):
        assert cardiothoracic_ratio(with_heart(patient, ratio)) == pytest.approx(ratio, abs=0.01)
    assert has_large_heart(with_heart(patient, 0.51))
    assert not has_large_heart(with_heart(patient, 0.49))
    usual = replace(patient, heart=healthy_heart(with_heart(patient, 0.6)))
    assert 0.41 < cardiothoracic_ratio(usual) < 0.48


def test_a_heart_of_an_infant_may_be_larger() -> None:
    infant = replace(draw_patient_with(np.random.default_rng(0), [], adult=False), age=0.5)
    assert not has_large_heart(with_heart(infant, 0.55))
    assert has_large_heart(with_heart(replace(infant, age=5.0), 0.55))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Effusion("middle", 0.1, 0.1), "side must be one of .*'middle'"),  # type: ignore[arg-type]
        (lambda: Effusion("left", 1.5, 0.1), r"height must be from -0.1 to 1 lung heights, but is 1\.5"),
        (lambda: Effusion("left", 0.1, 0.0), "climb must be above 0"),
        (lambda: Pneumothorax("up", 1.0, 0.5), "side must be one of .*'up'"),  # type: ignore[arg-type]
        (lambda: Pneumothorax("left", 0.0, 0.5), "depth must be above 0"),
    ],
)
def test_a_finding_that_can_not_be_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_a_side_has_one_effusion_at_most() -> None:
    patient = draw_patient_with(np.random.default_rng(0), [])
    twice = (Effusion("left", 0.1, 0.1), Effusion("left", 0.3, 0.1))
    with pytest.raises(ValueError, match="one of the effusions at most"):
        replace(patient, effusions=twice)
