"""The CT of a simulated patient: Hounsfield units, what is true, and what a scanner and a patient may do to them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from course_lib.modalities.chest_ct.exposure import Exposure, draw_exposure
from course_lib.modalities.chest_ct.scan import PADDING_HU, Scan, scan_around, scan_chest
from course_lib.modalities.simulated_chest.nodules import draw_nodule, place
from course_lib.modalities.simulated_chest.people import Patient, draw_patient
from course_lib.modalities.simulated_chest.solid import Tissue

PX = 64
PLAIN = replace(
    draw_exposure(np.random.default_rng(0)), thickness_mm=2.5, photons=1e4, contrast=False, padded=False, kernel="hann"
)


@pytest.fixture(scope="module")
def patient() -> Patient:
    rng = np.random.default_rng(4)
    someone = draw_patient(rng, "normal", adult=True)
    nodule = replace(draw_nodule(rng, someone), radius_mm=9.0, density="solid")
    return replace(someone, nodules=(nodule,))


def around(patient: Patient, exposure: Exposure) -> Scan:
    return scan_around(patient, exposure, 0, slices=5, pixels=PX, pixel_mm=1.0)


def test_the_tissues_have_their_hounsfield_units(patient: Patient) -> None:
    scan = scan_chest(patient, PLAIN, (0.0, 1.0), pixels=96)
    mean = {tissue: float(np.median(scan.hounsfield[scan.labels == tissue])) for tissue in (Tissue.LUNG, Tissue.MUSCLE)}
    assert mean[Tissue.LUNG] == pytest.approx(-840, abs=60)
    assert mean[Tissue.MUSCLE] == pytest.approx(40, abs=50)
    assert scan.spacing_mm[0] == 2.5
    assert scan.hounsfield.shape == scan.labels.shape == (4, 96, 96)


def test_a_small_field_shows_its_nodule_in_the_middle_and_the_lung_around_it(patient: Patient) -> None:
    scan = around(patient, PLAIN)
    (nodule,) = scan.nodules
    assert nodule[2, 30:34, 30:34].all()
    assert not nodule[:, :8].any()
    assert float(scan.hounsfield[nodule].mean()) > -150
    assert float(np.median(scan.hounsfield[scan.labels == Tissue.LUNG])) == pytest.approx(-840, abs=60)


def test_the_same_patient_and_exposure_give_the_same_scan(patient: Patient) -> None:
    assert around(patient, PLAIN).hounsfield.tobytes() == around(patient, PLAIN).hounsfield.tobytes()


def test_a_quarter_of_the_photons_is_twice_the_noise(patient: Patient) -> None:
    clean = around(patient, replace(PLAIN, photons=1e9)).hounsfield
    noise = [float((around(patient, replace(PLAIN, photons=n)).hounsfield - clean).std()) for n in (25.0, 100.0)]
    assert noise[0] / noise[1] == pytest.approx(2, rel=0.1)


def test_metal_leaves_streaks_and_a_moving_patient_blurs(patient: Patient) -> None:
    still = scan_chest(patient, PLAIN, (3.0, 3.5), pixels=PX).hounsfield
    with_metal = scan_chest(patient, replace(PLAIN, metal=True), (3.0, 3.5), pixels=PX).hounsfield
    moved = scan_chest(patient, replace(PLAIN, motion_mm=10.0), (3.0, 3.5), pixels=PX).hounsfield
    assert float(with_metal.max()) > float(still.max()) + 100
    assert float(np.median(np.abs(with_metal - still))) > 0.3  # all over the slice, not in the rods alone
    assert float(np.abs(moved - still).mean()) > 5


def test_some_scanners_write_nothing_beyond_their_circle(patient: Patient) -> None:
    scan = scan_chest(patient, replace(PLAIN, padded=True), (0.0, 0.3), pixels=PX)
    assert (scan.hounsfield[:, 0, 0] == PADDING_HU).all()
    assert (scan.hounsfield[:, PX // 2, PX // 2] > -1100).all()


def test_contrast_agent_brightens_the_blood_and_random_densities_change_all_tissues(patient: Patient) -> None:
    blood = [
        float(scan.hounsfield[scan.labels == Tissue.BLOOD].mean())
        for contrast in (False, True)
        for scan in [scan_chest(patient, replace(PLAIN, contrast=contrast), (3.0, 3.3), pixels=PX)]
    ]
    assert blood[1] - blood[0] > 60
    random = [around(patient, replace(PLAIN, randomise=1.0, seed=seed)) for seed in range(3)]
    for tissue in (Tissue.LUNG, Tissue.NODULE):
        values = [float(np.median(scan.hounsfield[scan.labels == tissue])) for scan in random]
        assert max(values) - min(values) > 150


@pytest.mark.parametrize("heights", [(1.0, 0.0), (1.0, 1.0)])
def test_heights_that_are_not_in_order_are_refused(patient: Patient, heights: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="upper one"):
        scan_chest(patient, PLAIN, heights)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thickness_mm": float("inf")}, "thickness_mm"),
        ({"photons": 0.0}, "photons"),
        ({"angles": 0}, "angles"),
        ({"angles": 180.5}, "angles"),
        ({"motion_mm": float("nan")}, "motion_mm"),
        ({"motion_mm": -1.0}, "motion_mm"),
        ({"randomise": 2.0}, "randomise"),
        ({"kernel": "x"}, "kernel"),
    ],
)
def test_an_exposure_that_can_not_be_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(PLAIN, **change)  # type: ignore[arg-type]


def test_a_small_field_shows_what_a_whole_slice_shows_there(patient: Patient) -> None:
    """Without noise, and on the same pixels: of the whole slice those around the nodule."""
    exposure = replace(PLAIN, photons=float("inf"))
    x, y, z = place(patient, patient.nodules[0])
    pixel_cm, px = 0.3, 24
    right, back = (round(at / pixel_cm) * pixel_cm for at in (x, z))  # whole pixels from the middle
    moved = replace(patient, nodules=(replace(patient.nodules[0], x=patient.nodules[0].x + right - x),))
    moved = replace(moved, nodules=(replace(moved.nodules[0], z=moved.nodules[0].z + back - z),))
    x, y, z = place(moved, moved.nodules[0])
    small = scan_around(moved, exposure, 0, slices=1, pixels=px, pixel_mm=10 * pixel_cm).hounsfield[0]
    half = exposure.thickness_mm / 20
    whole = scan_chest(moved, exposure, (y - half, y + half), pixels=160)
    zoom = whole.spacing_mm[1] / (10 * pixel_cm)
    places = np.stack(
        np.meshgrid(
            *(((np.arange(px) - (px - 1) / 2) / zoom + at * 10 / whole.spacing_mm[1] + 79.5) for at in (z, x)),
            indexing="ij",
        )
    )
    there = map_coordinates(whole.hounsfield[0], places, order=1)
    assert abs(float((small - there).mean())) < 15
    assert float(np.corrcoef(small.ravel(), there.ravel())[0, 1]) > 0.97


def test_the_liver_is_on_the_left_of_the_picture_and_the_spine_below(patient: Patient) -> None:
    low = 0.48 * patient.lung_height
    scan = scan_chest(patient, PLAIN, (low, low + 0.3), pixels=PX)
    liver, bone = (np.argwhere(scan.labels == tissue) for tissue in (Tissue.LIVER, Tissue.SPONGY_BONE))
    spine = bone[np.abs(bone[:, 2] - PX / 2) < 5]
    assert liver[:, 2].mean() < PX / 2 - 4
    assert spine[:, 1].mean() > PX / 2 + 4


def test_a_patient_who_moves_slides_to_the_head(patient: Patient) -> None:
    """All angles but the first half see the body where it lay deeper: with all of them it is the slice below."""
    still = scan_chest(patient, PLAIN, (3.0, 3.5), pixels=PX).hounsfield
    moved = scan_chest(patient, replace(PLAIN, motion_mm=10.0), (3.0, 3.5), pixels=PX).hounsfield
    below, above = (scan_chest(patient, PLAIN, (3.0 + by, 3.5 + by), pixels=PX).hounsfield for by in (1.0, -1.0))
    assert np.abs(moved - (still + below) / 2).mean() < np.abs(moved - (still + above) / 2).mean()


@pytest.mark.parametrize(
    ("nodule", "slices", "pixels", "said"),
    [
        (1, 3, 32, "numbered from 0"),
        (-1, 3, 32, "numbered from 0"),
        (0, 0, 32, "at least one"),
        (0, 3, 0, "at least one"),
    ],
)
def test_a_nodule_or_a_field_that_is_none_is_refused(
    patient: Patient, nodule: int, slices: int, pixels: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        scan_around(patient, PLAIN, nodule, slices=slices, pixels=pixels)


def test_a_nodule_outside_the_lungs_and_a_patient_who_does_not_fit_are_refused(patient: Patient) -> None:
    in_spine = replace(patient.nodules[0], x=0.0, z=patient.half_depth * 0.9)
    with pytest.raises(ValueError, match="no lung"):
        around(replace(patient, nodules=(in_spine,)), PLAIN)
    with pytest.raises(ValueError, match="must fit into 46 cm"):
        around(replace(patient, half_width=24.0), PLAIN)
