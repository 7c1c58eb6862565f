"""What readers take for nodules: where it lies and how it looks."""

from collections import Counter
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from course_lib.modalities.simulated_chest.anatomy import build_body
from course_lib.modalities.simulated_chest.distractors import draw_distractors, ribs_of, shadows
from course_lib.modalities.simulated_chest.findings import draw_patient_with
from course_lib.modalities.simulated_chest.geometry import Grid, places_grid
from course_lib.modalities.simulated_chest.landmarks import hilum
from course_lib.modalities.simulated_chest.people import Distractor, DistractorKind, Patient, draw_patient

KINDS = get_args(DistractorKind)


def person(adult: bool = True) -> Patient:
    return replace(draw_patient_with(np.random.default_rng(3), [], adult=adult), distractors=(), bend=0.0)


def all_of(patient: Patient, number: int = 400) -> list[tuple[Distractor, ...]]:
    rng = np.random.default_rng(0)
    return [draw_distractors(rng, patient) for _ in range(number)]


def picture(step: float = 0.05) -> Grid:
    """Places 0.5 mm apart over the whole chest."""
    x, y = np.arange(-20, 20, step, dtype=np.float32), np.arange(-20, 20, step, dtype=np.float32)
    return replace(places_grid(*np.meshgrid(x, y)), pixel=step, origin=(20 / step, 20 / step))


def of_kind(patient: Patient, kind: str) -> tuple[Distractor, ...]:
    return next(
        found for found in (tuple(one for one in drawn if one.kind == kind) for drawn in all_of(patient)) if found
    )


@pytest.mark.parametrize("adult", [True, False])
def test_every_kind_is_drawn_and_some_people_have_none(adult: bool) -> None:
    drawn = all_of(person(adult))
    counts = Counter(kind for one in drawn for kind in {part.kind for part in one})
    assert set(counts) == set(KINDS)
    assert any(not one for one in drawn)
    if adult:
        assert counts["nipple"] / len(drawn) == pytest.approx(0.12, abs=0.06)
        assert counts["vessel end-on"] > counts["healed fracture"]


def test_patients_have_none_unless_they_are_given() -> None:
    assert draw_patient(np.random.default_rng(0)).distractors == ()
    patient = person()
    cast = shadows(patient, 1.0, 0.0, picture(0.5))
    assert not any(plane.any() for plane in (cast.in_lung, cast.tissue, cast.bone))


def test_nipples_are_a_pair_whose_outer_edge_is_sharp() -> None:
    patient = person()
    nipples = [[one for one in drawn if one.kind == "nipple"] for drawn in all_of(patient)]
    pair = next(one for one in nipples if len(one) == 2)
    right, left = pair
    assert right.x < 0 < left.x
    assert abs(right.y - left.y) < 0.1 * patient.lung_height
    grid = picture()
    tissue = shadows(replace(patient, distractors=(left,)), 1.0, 0.0, grid).tissue
    row = tissue[np.abs(grid.y[:, 0] - left.y).argmin()]
    there = np.flatnonzero(row > 0.02)
    inner, outer = row[there[2]], row[there[-3]]
    assert outer > 2 * inner  # the left nipple's outer edge is on the right of the picture


def test_vessels_are_small_round_and_near_a_hilum() -> None:
    patient = person()
    for one in of_kind(patient, "vessel end-on"):
        away = min(np.hypot(one.x - x, one.y - y) for x, y in (hilum(patient, -1), hilum(patient, 1)))
        assert away < 0.5 * patient.half_width
        assert one.radius_mm < 5
    cast = shadows(replace(patient, distractors=of_kind(patient, "vessel end-on")), 1.0, 0.0, picture())
    assert cast.in_lung.any()
    assert not cast.bone.any()


@pytest.mark.parametrize("kind", ["rib crossing", "healed fracture"])
def test_what_is_bound_to_ribs_lies_on_bone(kind: str) -> None:
    patient = person()
    found = of_kind(patient, kind)
    grid = places_grid(
        np.array([[one.x for one in found]], dtype=np.float32), np.array([[one.y for one in found]], dtype=np.float32)
    )
    bone = build_body(patient, grid).bone[0]
    between = build_body(patient, replace(grid, y=grid.y + patient.lung_height / 19)).bone[0]
    assert (bone > 0.03).all()
    assert bone.mean() > between.mean()
    cast = shadows(replace(patient, distractors=found), 1.0, 0.0, picture())
    assert cast.bone.max() == pytest.approx(max(one.thickness for one in found), rel=0.35)


def test_the_ribs_are_those_of_the_body() -> None:
    patient = person()
    rib = ribs_of(patient)[6]
    x = 0.6 * rib.width
    y = rib.level + rib.drop * (1 - np.sqrt(1 - 0.36))
    around = np.linspace(-1.2, 1.2, 25)
    grid = places_grid(np.full((1, 25), x), (y + around)[None])
    bone = build_body(patient, grid).bone[0]
    assert abs(around[bone.argmax()]) <= 1.2 * rib.radius


def test_a_button_has_holes_and_lies_in_front() -> None:
    patient = person()
    button = of_kind(patient, "button")[0]
    assert button.z < 0
    grid = picture(0.02)
    bone = shadows(replace(patient, distractors=(replace(button, angle=0.0),)), 1.0, 0.0, grid).bone
    near = np.hypot(grid.x - button.x, grid.y - button.y) < 0.6 * button.radius_mm / 10
    assert bone[near].max() > 0.6 * button.thickness
    assert bone[near].min() < 0.1 * button.thickness


def test_what_lies_in_front_moves_when_the_body_turns() -> None:
    patient = person()
    button = of_kind(patient, "button")[0]
    patient, grid = replace(patient, distractors=(button,)), picture()

    def middle(turn: float) -> float:
        bone = shadows(patient, 1.0, turn, grid).bone
        return float((bone * grid.x).sum() / bone.sum())

    assert middle(10.0) - middle(0.0) == pytest.approx(button.z * np.sin(np.deg2rad(10)), abs=0.05)


def test_a_distractor_that_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kind must be one of .*'pen'"):
        Distractor("pen", 0.0, 0.0, 0.0, 3.0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="radius_mm must be above 0"):
        Distractor("nipple", 0.0, 0.0, 0.0, 0.0, 1.0)
