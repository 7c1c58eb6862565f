"""Patients and exposures: what is drawn, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.simulated_head import KINDS, draw_exposure, draw_patient
from course_lib.modalities.simulated_head.people import Kind


def test_the_same_seed_draws_the_same_and_another_draws_another() -> None:
    def draw(seed: int) -> tuple[object, object]:
        rng = np.random.default_rng(seed)
        return draw_patient(rng), draw_exposure(rng)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_patient_has_the_kind_that_is_asked_for(kind: Kind) -> None:
    patient = draw_patient(np.random.default_rng(0), kind)
    assert patient.kind == kind
    assert (patient.tumour is None) == (kind == "none")


def test_all_kinds_occur_when_none_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    assert {draw_patient(rng).kind for _ in range(40)} == set(KINDS)


def test_the_old_have_wider_ventricles_and_smaller_hippocampi() -> None:
    rng = np.random.default_rng(0)
    people = [draw_patient(rng, "none") for _ in range(400)]
    young, old = ([p for p in people if low < p.age < high] for low, high in ((18, 45), (70, 90)))
    for name, factor in (("ventricles", 1.2), ("sulci_mm", 1.3), ("csf_mm", 1.3)):
        means = [np.mean([getattr(p, name) for p in group]) for group in (young, old)]
        assert means[1] > factor * means[0]
    volumes = [np.mean([np.power(p.hippocampus, 3).mean() for p in group]) for group in (young, old)]
    assert 0.8 < volumes[1] / volumes[0] < 0.95


def test_the_right_hippocampus_is_on_average_a_little_larger() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([draw_patient(rng, "none").hippocampus for _ in range(400)]) ** 3
    assert 1.02 < (sizes[:, 0] / sizes[:, 1]).mean() < 1.08
    assert (sizes[:, 0] < sizes[:, 1]).mean() > 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "lymphoma"}, "kind must be one of"),
        ({"kind": "glioma"}, "can not have the tumour None"),
        ({"age": 0.0}, "age must be above 0"),
        ({"ventricles": float("nan")}, "ventricles must be above 0"),
        ({"scale": (1.0, -1.0, 1.0)}, "scale must be above 0"),
    ],
)
def test_a_patient_refuses_nonsense(change: dict[str, object], message: str) -> None:
    patient = draw_patient(np.random.default_rng(0), "none")
    with pytest.raises(ValueError, match=message):
        replace(patient, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"radius_mm": 0.0}, "radius_mm"), ({"push": 1.0}, "push must be from 0"), ({"oedema_mm": -1.0}, "below 0")],
)
def test_a_tumour_refuses_nonsense(change: dict[str, float], message: str) -> None:
    tumour = draw_patient(np.random.default_rng(0), "glioma").tumour
    assert tumour is not None
    with pytest.raises(ValueError, match=message):
        replace(tumour, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field_t": 7.0}, "field_t must be one of"),
        ({"t2_te_ms": 0.0}, "t2_te_ms must be above 0"),
        ({"randomise": 1.5}, "randomise must be from 0 to 1"),
        ({"noise": -0.1}, "noise can not be below 0"),
        ({"slice_mm": -1.0}, "slice_mm must be above 0"),
        ({"blur": 0.5}, "blur must be at least 1"),
    ],
)
def test_an_exposure_refuses_nonsense(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(draw_exposure(np.random.default_rng(0)), **change)  # type: ignore[arg-type]
