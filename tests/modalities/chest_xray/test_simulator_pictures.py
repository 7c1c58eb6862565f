"""One simulated radiograph: its geometry and physics, and the disease that the mask marks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.chest_xray.simulator import (
    Exposure,
    Kind,
    Patient,
    draw_exposure,
    draw_patient,
    render,
    render_layers,
)
from course_lib.modalities.simulated_chest.anatomy import build_body
from course_lib.modalities.simulated_chest.disease import lobe_parts
from course_lib.modalities.simulated_chest.nodules import draw_nodule
from course_lib.modalities.simulated_chest.people import Lobe, Pattern
from course_lib.modalities.simulated_film.imaging import BONE, ENERGIES, LUNG_DENSITY, SOFT_TISSUE, Attenuation
from course_lib.modalities.simulated_film.radiograph import make_grid

PATTERNS: list[tuple[Kind, Pattern]] = [
    ("bacteria", "lobar"),
    ("bacteria", "patchy"),
    ("virus", "interstitial"),
]


def patient_and_exposure(
    kind: Kind = "bacteria", seed: int = 3, pattern: Pattern | None = None, severity: float = 0.8
) -> tuple[Patient, Exposure]:
    rng = np.random.default_rng(seed)
    patient, exposure = draw_patient(rng, kind), draw_exposure(rng)
    severity = 0.0 if kind == "normal" else severity
    return replace(patient, severity=severity, pattern=pattern or patient.pattern), exposure


def test_the_table_of_attenuation_is_met_at_its_energies_and_between_them_nothing_jumps() -> None:
    for energy, soft, bone in zip(ENERGIES, SOFT_TISSUE, BONE, strict=True):
        at = Attenuation.at(energy)
        assert (at.soft_tissue, at.bone, at.lung) == pytest.approx((soft, bone, LUNG_DENSITY * soft))
    between = [Attenuation.at(energy) for energy in np.linspace(30, 80, 101)]
    for material in ("soft_tissue", "bone", "lung"):
        values = np.array([getattr(at, material) for at in between])
        assert (np.diff(values) < 0).all()
        assert (np.diff(values) / values[:-1]).min() > -0.06


def test_the_tables_are_those_of_nist() -> None:
    assert np.array(SOFT_TISSUE) / 1.06 == pytest.approx([0.3790, 0.2688, 0.2264, 0.2048, 0.1823])
    assert np.array(BONE) / 1.92 == pytest.approx([1.331, 0.6655, 0.4242, 0.3148, 0.2229])


@pytest.mark.parametrize(("kind", "pattern"), PATTERNS)
def test_the_same_patient_gives_the_same_picture(kind: Kind, pattern: Pattern) -> None:
    patient, exposure = patient_and_exposure(kind, pattern=pattern)
    first, second = render(patient, exposure, 64), render(patient, exposure, 64)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert first[0].shape == first[1].shape == (64, round(64 * exposure.aspect))
    assert first[0].dtype == np.uint8
    assert first[1].dtype == np.bool_
    other, _ = render(patient, replace(exposure, noise_seed=exposure.noise_seed + 1), 64)
    assert not np.array_equal(first[0], other)


def test_the_same_seed_draws_the_same_patient() -> None:
    assert patient_and_exposure(seed=1) == patient_and_exposure(seed=1) != patient_and_exposure(seed=2)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "pattern"), PATTERNS)
def test_disease_whitens_the_picture_where_the_mask_says(kind: Kind, pattern: Pattern) -> None:
    inside, outside, whiter = [], [], []
    for seed in range(12):
        patient, exposure = patient_and_exposure(kind, seed, pattern)
        exposure = replace(exposure, equalisation=0.0, sharpening=0.0, collimation=(0, 0, 0, 0), photons=300)
        layers, well = (render_layers(replace(patient, severity=s), exposure, 96) for s in (0.8, 0.0))
        mask = render(patient, exposure, 96)[1]
        assert mask.any()
        assert not render(replace(patient, severity=0.0), exposure, 96)[1].any()
        darker = np.log(well["photons"] + 1) - np.log(layers["photons"] + 1)  # what the disease takes of the beam
        inside.append(np.median(darker[mask]))
        outside.append(np.median(np.abs(darker[~mask])))
        change = layers["film"] - well["film"]
        whiter.append(255 * (change[mask].mean() - change[~mask].mean()))
    assert min(inside) > 0.02
    assert np.mean(inside) > 3 * np.mean(outside)
    assert np.mean(whiter) > 8
    assert np.median(whiter) > 5


@pytest.mark.parametrize(("kind", "pattern"), PATTERNS)
def test_more_severity_is_more_disease(kind: Kind, pattern: Pattern) -> None:
    patient, exposure = patient_and_exposure(kind, pattern=pattern)
    added = [render_layers(replace(patient, severity=s), exposure, 64)["disease"].sum() for s in (0.0, 0.3, 0.6, 1.0)]
    assert added[0] == 0
    assert sorted(added) == added
    assert added[1] < added[3] / 2
    masks = [render(replace(patient, severity=s), exposure, 64)[1].sum() for s in (0.0, 0.3, 0.6, 1.0)]
    assert sorted(masks) == masks


def test_the_healthy_have_no_disease() -> None:
    for seed in range(5):
        patient, exposure = patient_and_exposure("normal", seed)
        assert not render(patient, exposure, 64)[1].any()
        assert not render_layers(patient, exposure, 64)["disease"].any()


def test_the_picture_is_the_last_layer() -> None:
    patient, exposure = patient_and_exposure()
    layers = render_layers(patient, exposure, 64)
    assert list(layers) == ["soft tissue", "lungs", "heart", "bone", "disease", "photons", "film"]
    assert all(layer.dtype == np.float32 and layer.shape == layers["film"].shape for layer in layers.values())
    assert np.array_equal(render(patient, exposure, 64)[0], np.round(255 * layers["film"]).astype(np.uint8))
    assert (layers["lungs"] <= layers["soft tissue"] + 1e-5).all()
    assert (layers["heart"] <= layers["bone"] + 1e-5).all()
    assert layers["film"].min() >= 0
    assert layers["film"].max() <= 1


def test_bone_is_whiter_than_lung_and_air_is_black() -> None:
    patient, exposure = patient_and_exposure("normal")
    plain = replace(exposure, shift=(0, 0), tilt=0, turn=0, collimation=(0, 0, 0, 0), black=0.0, leads=0)
    layers = render_layers(patient, replace(plain, text=False, marker=(0, 0, 0)), 128)
    film, lung = layers["film"], layers["soft tissue"] - layers["lungs"]
    spine = film[30:100, film.shape[1] // 2]
    assert np.median(film[lung > 0.6]) < np.median(spine) - 0.2
    assert np.median(film[layers["soft tissue"] < 0.01]) < 0.2


@pytest.mark.parametrize("severity", [-0.1, 1.5, float("nan")])
def test_severity_is_from_0_to_1(severity: float) -> None:
    with pytest.raises(ValueError, match=f"severity must be from 0 to 1, but is {severity}"):
        replace(patient_and_exposure()[0], severity=severity)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "flu"}, r"kind must be one of .*'normal', 'bacteria', 'virus'.* but is 'flu'"),
        ({"pattern": "stripes"}, "'bacteria' can not have the pattern 'stripes'"),
        ({"pattern": "none"}, "'bacteria' can not have the pattern 'none'"),
        ({"lobe": "left middle"}, r"lobe must be one of .* but is 'left middle'"),
        ({"half_width": 0.0}, "half_width must be above 0, but is 0"),
    ],
)
def test_a_patient_must_be_possible(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(patient_and_exposure()[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("energy", [29.9, 80.1, float("nan")])
def test_energies_outside_the_table_are_refused(energy: float) -> None:
    with pytest.raises(ValueError, match=f"energy must be from 30 to 80 keV, but is {energy}"):
        replace(patient_and_exposure()[1], energy=energy)


@pytest.mark.parametrize("size_px", [0, -3])
def test_a_picture_needs_a_size(size_px: int) -> None:
    with pytest.raises(ValueError, match=f"size_px must be at least 1, but is {size_px}"):
        render(*patient_and_exposure(), size_px)


@pytest.mark.parametrize("size_px", [1, 2, 3, 7, 17])
def test_even_tiny_pictures_can_be_made(size_px: int) -> None:
    for seed in range(6):
        image, mask = render(*patient_and_exposure(seed=seed), size_px)
        assert image.shape[0] == mask.shape[0] == size_px


def test_anybody_can_be_filmed_in_any_way() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        patient, exposure = draw_patient(rng), draw_exposure(rng)
        image, mask = render(patient, exposure, 32)
        assert image.std() > 5
        assert mask.any() <= (patient.severity > 0)
    assert phantom.VERSION >= 2


SLIDERS: dict[str, Any] = {"severity": 0.6, "energy": 50.0, "photons": 80.0, "gamma": 0.9, "turn": 0.0}


@pytest.mark.parametrize(
    ("slider", "value"), [("severity", 0.9), ("energy", 36.0), ("photons", 6.0), ("gamma", 1.4), ("turn", 12.0)]
)
def test_every_slider_changes_the_picture_and_nothing_else_does(slider: str, value: float) -> None:
    patient, exposure = patient_and_exposure("normal")
    picture = phantom.render_with(patient, exposure, **SLIDERS, size_px=64)
    assert picture.shape == (64, max(1, round(64 * exposure.aspect)))
    assert np.array_equal(picture, phantom.render_with(patient, exposure, **SLIDERS, size_px=64))
    assert not np.array_equal(picture, phantom.render_with(patient, exposure, **SLIDERS | {slider: value}, size_px=64))


def test_a_low_energy_and_few_photons_do_what_they_say() -> None:
    patient, exposure = patient_and_exposure("normal")
    layers = {
        energy: render_layers(patient, replace(exposure, energy=energy), 64)["bone"].max() for energy in (36.0, 70.0)
    }
    assert layers[36.0] > 1.3 * layers[70.0]
    noisy, clean, calm = (
        phantom.render_with(patient, exposure, **SLIDERS | {"photons": photons}, size_px=64).astype(float)
        for photons in (5.0, 5_000.0, 50_000.0)
    )
    assert np.abs(noisy - calm).mean() > 4 * np.abs(clean - calm).mean()


def test_a_slider_can_make_the_healthy_ill_but_not_beyond_measure() -> None:
    patient, exposure = patient_and_exposure("normal")
    well = phantom.render_with(patient, exposure, **SLIDERS | {"severity": 0.0}, size_px=64)
    assert np.array_equal(well, render(patient, replace(exposure, energy=50, photons=80, gamma=0.9, turn=0), 64)[0])
    with pytest.raises(ValueError, match=r"severity must be from 0 to 1, but is 1\.2"):
        phantom.render_with(patient, exposure, **SLIDERS | {"severity": 1.2})


def contrast_at_the_heart(lobe: Lobe | None, seed: int) -> float:
    """How much the lung's air changes across the border of the heart beside ``lobe``, when that lobe is full."""
    patient, exposure = patient_and_exposure("normal", seed)
    patient, exposure = replace(patient, thymus=0.0), replace(exposure, turn=0.0, tilt=0.0, shift=(0.0, 0.0))
    grid = make_grid(patient, exposure, 160)
    body = build_body(patient, grid, exposure.inspiration, exposure.turn)
    side = 1 if lobe and lobe.startswith("left") else 0
    air = body.lungs[side]
    if lobe:
        air = air * (1 - lobe_parts(patient, grid, body, lobe))
    border = (body.heart > 0) & (body.heart < 0.7 * patient.half_depth)
    border &= (body.cavities[side] > patient.half_depth) & (
        np.abs(grid.y - 0.15 * patient.lung_height) < 0.15 * patient.lung_height
    )
    return float(np.abs(np.gradient(air, axis=1))[border].mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2, 5, 6, 7])
def test_fluid_in_front_hides_the_border_of_the_heart_and_fluid_behind_does_not(seed: int) -> None:
    """The silhouette sign."""
    well, in_front, behind = (contrast_at_the_heart(lobe, seed) for lobe in (None, "right middle", "right lower"))
    assert in_front < 0.5 * well
    assert in_front < 0.6 * behind
    in_front, behind = (contrast_at_the_heart(lobe, seed) for lobe in ("left upper", "left lower"))
    assert in_front < 0.7 * behind


def test_the_lobes_of_a_lung_make_up_the_whole() -> None:
    patient, exposure = patient_and_exposure("normal")
    grid = make_grid(patient, exposure, 64)
    body = build_body(patient, grid, exposure.inspiration, exposure.turn)
    of_each_side: tuple[tuple[Lobe, ...], ...] = (
        ("right upper", "right middle", "right lower"),
        ("left upper", "left lower"),
    )
    for side, lobes in enumerate(of_each_side):
        whole = np.sum([lobe_parts(patient, grid, body, lobe) for lobe in lobes], axis=0)
        assert np.allclose(whole[body.lungs[side] > 0.1], 1, atol=1e-4)


def test_the_mask_is_of_the_patient_and_not_of_the_beam() -> None:
    patient, exposure = patient_and_exposure("bacteria", pattern="lobar")
    exposure = replace(exposure, collimation=(0.0, 0.0, 0.0, 0.0))
    _, mask = render(patient, replace(exposure, energy=36), 96)
    assert mask.any()
    assert np.array_equal(mask, render(patient, replace(exposure, energy=75), 96)[1])
    _, seen = render(patient, replace(exposure, collimation=(0.3, 0.0, 0.3, 0.4)), 96)
    assert not seen[:, : round(0.3 * seen.shape[1])].any()
    assert not seen[-round(0.4 * 96) :].any()


def test_a_nodule_whitens_the_film_where_it_lies_and_nowhere_else() -> None:
    patient, exposure = patient_and_exposure("bacteria", pattern="lobar")
    patient, exposure = replace(patient, severity=0.3), replace(exposure, leads=0)
    nodule = replace(draw_nodule(np.random.default_rng(0), patient), radius_mm=6.0, density="solid", spiculation=0.0)
    ill = replace(patient, nodules=(nodule,))
    without, with_it = (render_layers(one, exposure, 256)["disease"] for one in (patient, ill))
    grid = make_grid(patient, exposure, 256)
    top = -patient.lung_height / 2
    away = np.hypot(grid.x - nodule.x, grid.y - (top + (nodule.y - top) * exposure.inspiration))
    assert (with_it - without)[away < 0.3].min() > 0.1  # a tenth of the beam
    assert np.array_equal(with_it[away > 1.5], without[away > 1.5])
    assert np.array_equal(render(ill, exposure, 64)[1], render(patient, exposure, 64)[1])  # the mask is of pneumonia
