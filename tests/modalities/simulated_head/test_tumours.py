"""Each kind of tumour in its place, what it does to the brain around it, and how it looks after contrast agent."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from course_lib.modalities.simulated_head import (
    Exposure,
    Grid,
    Patient,
    Scan,
    Structure,
    Tissue,
    TumourPart,
    draw_exposure,
    draw_patient,
    render,
)
from course_lib.modalities.simulated_head.people import PITUITARY, Kind, Tumour
from course_lib.modalities.simulated_head.warp import to_head

SEEDS = range(4)
CORE = (TumourPart.SOLID, TumourPart.NECROSIS)


def patient_of(kind: Kind, seed: int) -> tuple[Patient, Tumour]:
    patient = draw_patient(np.random.default_rng(seed), kind)
    assert patient.tumour is not None
    return patient, patient.tumour


def quiet(seed: int = 0) -> Exposure:
    return replace(draw_exposure(np.random.default_rng(seed)), noise=0.0, bias=0.0)


@lru_cache
def scan_of(kind: Kind, seed: int) -> Scan:
    patient, tumour = patient_of(kind, seed)
    grid = Grid.around(to_head(patient, tumour.centre_mm), (84, 84, 84), 2.0)
    return render(patient, quiet(), grid, ("T1", "T1c"))


def touching(scan: Scan) -> set[int]:
    core = np.isin(scan.tumour, CORE)
    assert core.any()
    return set(np.unique(scan.tissues[binary_dilation(core, iterations=2) & ~core]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_glioma_grows_in_white_matter_with_oedema_around(seed: int) -> None:
    scan = scan_of("glioma", seed)
    assert Tissue.OEDEMA in touching(scan) or Tissue.WHITE in touching(scan)
    assert scan.volumes_ml["tumour oedema"] > 1
    assert set(np.unique(scan.tissues[scan.tumour == TumourPart.OEDEMA])) == {Tissue.OEDEMA}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_meningioma_sits_on_the_dura_and_has_no_dead_tissue(seed: int) -> None:
    scan = scan_of("meningioma", seed)
    assert touching(scan) & {Tissue.DURA, Tissue.BONE}
    assert Tissue.CSF in touching(scan)
    assert scan.volumes_ml["tumour necrosis"] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_an_adenoma_grows_from_the_sella_upwards(seed: int) -> None:
    patient, tumour = patient_of("pituitary", seed)
    scan = scan_of("pituitary", seed)
    places = np.argwhere(np.isin(scan.tumour, CORE)) @ scan.affine[:3, :3].T + scan.affine[:3, 3]
    sella = to_head(patient, PITUITARY)
    assert abs(places[:, 0].mean() - sella[0]) < 6
    assert abs(places[:, 1].mean() - sella[1]) < 6
    assert places[:, 2].min() < sella[2] + 3
    assert places[:, 2].max() > sella[2] + tumour.radius_mm


def test_who_has_no_tumour_has_none_in_the_truth() -> None:
    scan = render(draw_patient(np.random.default_rng(0), "none"), quiet(), Grid.head(5.0))
    assert not scan.tumour.any()


def test_tumours_have_about_the_volume_of_their_radius() -> None:
    for seed in SEEDS:
        _, tumour = patient_of("glioma", seed)
        volumes = scan_of("glioma", seed).volumes_ml
        ball = 4 / 3 * np.pi * tumour.radius_mm**3 / 1000
        assert 0.6 < (volumes["tumour solid"] + volumes["tumour necrosis"]) / ball < 1.5


def test_what_lies_beside_a_tumour_is_pushed_away_and_the_far_side_stays() -> None:
    for kind in ("glioma", "meningioma"):
        patient, tumour = patient_of(kind, 1)
        healthy = replace(patient, kind="none", tumour=None)
        inward = -np.array(tumour.centre_mm) / np.linalg.norm(tumour.centre_mm)
        beside = np.array(tumour.centre_mm) + tumour.radius_mm * inward
        moved = np.subtract(to_head(patient, tuple(beside)), to_head(healthy, tuple(beside)))
        assert moved @ inward > 0.1 * tumour.radius_mm
        far = tuple(np.array(tumour.centre_mm) + 100 * inward)
        assert np.allclose(to_head(patient, far), to_head(healthy, far), atol=0.1)


def test_the_ring_of_a_glioma_lights_up_and_its_middle_does_not() -> None:
    patient, tumour = patient_of("glioma", 1)
    tumour = replace(tumour, radius_mm=18, necrosis=0.7, enhancement=1.0)
    patient = replace(patient, tumour=tumour)
    grid = Grid.around(to_head(patient, tumour.centre_mm), (60, 60, 60), 1.5)
    scan = render(patient, quiet(), grid, ("T1", "T1c"))
    ring, middle = scan.tumour == TumourPart.SOLID, scan.tumour == TumourPart.NECROSIS
    change = scan.images["T1c"] / np.maximum(scan.images["T1"], 0.05)
    assert change[ring].mean() > 1.4
    assert change[middle].mean() < 1.3
    assert scan.images["T1c"][ring].mean() > 1.3 * scan.images["T1c"][middle].mean()


def test_a_meningioma_is_evenly_bright_and_a_glioma_is_not() -> None:
    spread = {}
    for kind in ("meningioma", "glioma"):
        scan = scan_of(kind, 2)
        values = scan.images["T1c"][np.isin(scan.tumour, CORE)]
        spread[kind] = values.std() / values.mean()
    assert spread["meningioma"] < 0.15
    assert spread["glioma"] > 1.5 * spread["meningioma"] or spread["glioma"] > 0.1


def test_a_tumour_takes_the_place_of_what_was_there() -> None:
    scan = scan_of("glioma", 0)
    core = np.isin(scan.tumour, CORE)
    assert set(np.unique(scan.structures[core])) == {Structure.NONE}
