"""Nodules: their shapes, where they lie, and how likely they are malignant."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from course_lib.modalities.chest_ct.simulated_readers import draw_readers, notices
from course_lib.modalities.simulated_chest import Patient, draw_patient
from course_lib.modalities.simulated_chest.nodules import (
    chord,
    draw_nodule,
    in_upper_lobe,
    occupancy,
    place,
    probability_of_cancer,
    relative_density,
)
from course_lib.modalities.simulated_chest.people import Nodule
from course_lib.modalities.simulated_chest.solid import Lobe, build_solid
from course_lib.modalities.simulated_chest.volume import Axes, rays
from tests.modalities.simulated_chest.film_and_ct import axes_of

ROUND = Nodule(1.0, 2.0, 3.0, 8.0, 0.0, 0.0, "solid", malignant=False, seed=1)
STEP = 0.05


def person(adult: bool = True) -> Patient:
    return draw_patient(np.random.default_rng(0), "normal", adult=adult)


def cube(nodule: Nodule, half: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places around a nodule: x, y and z, [y, z, x]."""
    around = np.arange(-half, half, STEP)
    return (nodule.x + around)[None, None], (nodule.y + around)[:, None, None], (nodule.z + around)[None, :, None]


def test_a_round_nodule_has_the_volume_of_a_ball() -> None:
    inside = occupancy(ROUND, *cube(ROUND))
    assert inside.sum() * STEP**3 == pytest.approx(4 / 3 * np.pi * 0.8**3, rel=0.02)


def test_bays_and_spikes_make_the_surface_longer_for_what_is_inside() -> None:
    def roughness(nodule: Nodule) -> float:
        inside = occupancy(nodule, *cube(nodule)) > 0.5
        faces = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in range(3))
        return float(faces / inside.sum() ** (2 / 3))

    lobulated, spiculated = replace(ROUND, lobulation=1.0), replace(ROUND, spiculation=1.0)
    assert roughness(ROUND) < roughness(lobulated) < roughness(spiculated)


def test_the_length_of_a_ray_in_a_nodule_is_that_of_a_ball() -> None:
    off = np.linspace(0, 0.7, 8)[None]
    inside, tissue = chord(ROUND, ROUND.x + off, ROUND.y + 0 * off)
    assert np.allclose(inside, 2 * np.sqrt(0.64 - off**2), atol=0.05)
    assert np.array_equal(inside, tissue)


def test_ground_glass_is_thin_and_a_part_solid_nodule_has_a_core() -> None:
    places = cube(ROUND)
    inside = occupancy(ROUND, *places) > 0.9
    glass, partly = (
        np.broadcast_to(relative_density(replace(ROUND, density=kind), *places), inside.shape)[inside]
        for kind in ("ground glass", "part-solid")
    )
    assert 0.3 <= glass.min() == glass.max() <= 0.5
    assert partly.max() == 1
    assert 0.05 < (partly > 0.9).mean() < 0.5


def test_the_probability_of_cancer_is_that_of_the_published_model() -> None:
    man = replace(person(), age=62.0, breast=0.0)
    usual = -6.7892 + 3 * 0.0824  # at 4 mm the model's term of size is 0
    for logit, probability in (
        (usual, probability_of_cancer(man, 4.0, "solid", False, False)),
        (usual + 0.3770 + 0.6581 + 0.7729, probability_of_cancer(man, 4.0, "part-solid", True, True)),
        (usual - 5.3854 * (2**-0.5 - 1.58113883), probability_of_cancer(man, 20.0, "solid", False, False)),
        (usual + 0.6011, probability_of_cancer(replace(man, breast=3.0), 4.0, "solid", False, False)),
    ):
        assert probability == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-3)


@pytest.mark.parametrize("adult", [True, False])
def test_nodules_lie_in_the_lungs(adult: bool) -> None:
    patient = person(adult)
    rng = np.random.default_rng(7)
    parts = []
    for _ in range(6):
        nodule = replace(draw_nodule(rng, patient), lobulation=0.0, spiculation=0.0, density="solid")
        step = nodule.radius_mm / 50
        around = np.arange(-7, 7.5) * step
        axes = Axes(*(at + around for at in place(patient, nodule)))
        (inside,) = build_solid(replace(patient, nodules=(nodule,)), axes).nodules
        parts.append(inside.sum() * step**3 / (4 / 3 * np.pi * (nodule.radius_mm / 10) ** 3))
    assert min(parts) > 0.5
    assert np.mean(parts) > 0.85


def test_the_upper_lobes_are_those_of_ct() -> None:
    patient = person()
    axes = axes_of(patient, 12.0, 12.0)
    lobes, grid = build_solid(patient, axes).lobes, rays(patient, axes)
    rng = np.random.default_rng(2)
    for lobe in set(Lobe) - {Lobe.NONE}:
        for row, depth, column in rng.permutation(np.argwhere(lobes == lobe))[:20]:
            place_of_it = float(grid.x[row, column]), float(grid.y[row, column]), float(axes.z[depth])
            assert in_upper_lobe(patient, *place_of_it) == (lobe in (Lobe.RIGHT_UPPER, Lobe.LEFT_UPPER)), lobe


@pytest.mark.slow
def test_nodules_are_as_large_and_as_dense_as_those_that_are_found() -> None:
    rng = np.random.default_rng(0)
    patient = person()
    found = [draw_nodule(rng, patient) for _ in range(300)]
    sizes = np.array([2 * one.radius_mm for one in found])
    assert sizes.min() > 3
    assert sizes.max() < 30
    assert (sizes < 3.1).mean() < 0.06  # none are gathered at the limit
    readers = draw_readers(rng)
    marked = [2 * one.radius_mm for one in found if any(notices(one, reader, rng) for reader in readers)]
    assert np.median(marked) == pytest.approx(5.7, abs=0.6)
    assert np.mean(marked) == pytest.approx(7.1, abs=0.8)
    kinds = Counter(one.density for one in found)
    assert kinds["solid"] / 300 == pytest.approx(189 / 233, abs=0.07)
    assert kinds["part-solid"] > 0
    assert 0 < np.mean([one.spiculation > 0 for one in found]) < 0.3
    assert not any(one.malignant and one.calcium for one in found)
    assert len({one.x > 0 for one in found}) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"density": "hazy"}, "density must be one of"),
        ({"radius_mm": 0.0}, "radius_mm must be above 0"),
        ({"spiculation": 1.5}, r"spiculation must be from 0 to 1, but is 1\.5"),
    ],
)
def test_a_nodule_that_can_not_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ROUND, **change)  # type: ignore[arg-type]
