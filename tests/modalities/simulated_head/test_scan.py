"""The scan: a box is a part of the head, slices, shading, noise, and no chance of its own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_lib.modalities.simulated_head import (
    Exposure,
    Grid,
    Patient,
    Tissue,
    draw_exposure,
    draw_patient,
    hippocampus_centre,
    render,
)
from course_lib.modalities.simulated_head.people import Kind


def drawn(kind: Kind = "none", seed: int = 3, **change: Any) -> tuple[Patient, Exposure]:
    rng = np.random.default_rng(seed)
    return draw_patient(rng, kind), replace(draw_exposure(rng), **change)


@pytest.mark.parametrize("kind", ["none", "meningioma"])
def test_a_box_is_the_same_as_that_part_of_the_whole_head(kind: Kind) -> None:
    patient, exposure = drawn(kind, noise=0.0)
    whole = Grid.head(3.0)
    part = Grid.around(hippocampus_centre(patient, "left"), (48, 66, 48), 3.0)
    first = np.round((part.affine[:3, 3] - whole.affine[:3, 3]) / 3).astype(int)
    place = tuple(slice(start, start + length) for start, length in zip(first, part.shape, strict=True))
    large, small = (render(patient, exposure, grid, ("T1", "T2")) for grid in (whole, part))
    assert np.array_equal(large.structures[place], small.structures)
    assert np.array_equal(large.tissues[place], small.tissues)
    for contrast in ("T1", "T2"):
        assert np.allclose(large.images[contrast][place], small.images[contrast], atol=1e-4)


def test_what_comes_back_has_the_shapes_and_types_that_are_promised() -> None:
    grid = Grid.head(8.0)
    scan = render(*drawn(), grid, ("T1", "T1c", "T2", "FLAIR", "MPRAGE"))
    assert list(scan.images) == ["T1", "T1c", "T2", "FLAIR", "MPRAGE"]
    for image in scan.images.values():
        assert image.shape == grid.shape
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
    for labels in (scan.tissues, scan.structures, scan.tumour):
        assert labels.shape == grid.shape
        assert labels.dtype == np.uint8
    assert np.array_equal(scan.affine, grid.affine)


def test_white_matter_is_about_1_and_the_order_of_tissues_is_seen_in_the_images() -> None:
    scan = render(*drawn(noise=0.0, bias=0.0, blur=1.0), Grid.around((35, 0, 35), (90, 90, 90), 1.5), ("T1", "T2"))
    white, grey, csf = (scan.tissues == t for t in (Tissue.WHITE, Tissue.GREY, Tissue.CSF))
    t1, t2 = scan.images["T1"], scan.images["T2"]
    assert np.median(t1[white]) == pytest.approx(1, abs=0.05)
    assert t1[white].mean() > t1[grey].mean() > t1[csf].mean()
    assert t2[white].mean() < t2[grey].mean() < t2[csf].mean()
    assert t1[scan.tissues == Tissue.FAT].mean() > t1[white].mean() > 2 * t1[scan.tissues == Tissue.BONE].mean()


def test_a_thick_slice_is_the_mean_of_the_thin_ones_in_it() -> None:
    patient, exposure = drawn(noise=0.0, slice_mm=1.0)
    thin = Grid((20, 24, 25), np.diag([1.0, 1, 1, 1]))
    thick_affine = np.diag([1.0, 1, 5, 1])
    thick_affine[2, 3] = 2
    thick = render(patient, replace(exposure, slice_mm=5.0), Grid((20, 24, 5), thick_affine)).images["T1"]
    mean = render(patient, exposure, thin).images["T1"].reshape(20, 24, 5, 5).mean(axis=3)
    assert np.allclose(thick, mean, atol=1e-5)
    assert np.abs(np.diff(thick, axis=2)).mean() > 0.01  # neighbours do differ


def test_noise_in_air_has_the_mean_of_a_rayleigh_distribution() -> None:
    patient, exposure = drawn(noise=0.05, bias=0.0)
    scan = render(patient, exposure, Grid.head(4.0))
    air = scan.images["T1"][:3, :8, -8:]
    assert (scan.tissues[:3, :8, -8:] == Tissue.AIR).all()
    assert air.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.1)
    assert scan.images["T1"].min() >= 0


def test_noise_lifts_dark_tissue_and_leaves_the_mean_of_bright_tissue() -> None:
    patient, exposure = drawn(noise=0.1, bias=0.0)
    noisy, clean = (
        render(patient, replace(exposure, noise=noise), Grid.head(4.0), ("MPRAGE",)) for noise in (0.1, 0.0)
    )
    white = clean.tissues == Tissue.WHITE
    assert noisy.images["MPRAGE"][white].mean() == pytest.approx(clean.images["MPRAGE"][white].mean(), rel=0.02)
    dark = clean.images["MPRAGE"] < 0.05
    assert noisy.images["MPRAGE"][dark].mean() > clean.images["MPRAGE"][dark].mean() + 0.05


def test_shading_is_smooth_and_as_strong_as_it_should_be() -> None:
    patient, exposure = drawn(noise=0.0, bias=0.2)
    shaded, flat = (render(patient, replace(exposure, bias=bias), Grid.head(4.0)).images["T1"] for bias in (0.2, 0.0))
    body = flat > 0.3
    ratio = np.log(np.where(body, shaded / np.maximum(flat, 0.1), 1))
    assert 0.05 < ratio[body].std() < 0.4
    steps = np.abs(np.diff(ratio, axis=0))[body[1:] & body[:-1]]
    assert steps.max() < 0.05


def test_random_contrast_changes_the_image_and_not_the_truth() -> None:
    patient, exposure = drawn(noise=0.0)
    physics, chance = (render(patient, replace(exposure, randomise=part), Grid.head(6.0)) for part in (0.0, 1.0))
    assert np.array_equal(physics.tissues, chance.tissues)
    assert np.abs(physics.images["T1"] - chance.images["T1"]).mean() > 0.05


def test_the_same_in_gives_the_same_bits_out_whatever_the_programs_own_chance() -> None:
    patient, exposure = drawn("glioma")
    np.random.seed(1)
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    first = render(patient, exposure, Grid.head(8.0))
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]
    np.random.seed(2)
    second = render(patient, exposure, Grid.head(8.0))
    assert first.images["T1"].tobytes() == second.images["T1"].tobytes()
    assert first.volumes_ml == second.volumes_ml


def test_volumes_are_those_of_the_voxels_on_the_grid() -> None:
    scan = render(*drawn("glioma"), Grid.head(4.0))
    assert scan.volumes_ml["white"] == pytest.approx((scan.tissues == Tissue.WHITE).sum() * 0.064)
    assert scan.volumes_ml["tumour solid"] == pytest.approx((scan.tumour == 1).sum() * 0.064)


@pytest.mark.parametrize("contrasts", [(), ("T3",), ("T1", "t2")])
def test_an_unknown_contrast_is_refused(contrasts: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="contrasts must be some of"):
        render(*drawn(), Grid.head(8.0), contrasts)
