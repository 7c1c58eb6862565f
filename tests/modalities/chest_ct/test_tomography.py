"""Projection and reconstruction against discs whose chords are known, and against scikit-image as the referee."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.transform import iradon, radon

from course_lib.modalities.chest_ct.tomography import (
    KERNELS,
    Geometry,
    Images,
    filtered_back_projection,
    project,
    sirt,
    system_matrix,
)

GEOMETRY = Geometry(pixels=127, pixel_mm=2.0, angles=90)
DEGREES = np.arange(GEOMETRY.angles) * 180 / GEOMETRY.angles


def disc(pixels: int, radius: float, right: float = 0, down: float = 0) -> Images:
    """One slice with a disc, in pixels from the middle; pixels at its edge are partly covered."""
    place = (np.arange(8 * pixels) + 0.5) / 8 - pixels / 2
    inside = (place - right) ** 2 + (place[:, None] - down) ** 2 < radius**2
    return np.asarray(inside.reshape(1, pixels, 8, pixels, 8).mean(axis=(2, 4)), dtype=np.float32)


def chords(geometry: Geometry, radius: float, right: float, down: float) -> NDArray[np.float64]:
    """The disc's chord, cm, as each detector sees it, averaged over its width."""
    middle = right * np.cos(geometry.radians) - down * np.sin(geometry.radians)
    within = (np.arange(21) - 10) / 21
    ray = np.arange(geometry.detectors) - (geometry.detectors - 1) / 2
    distance = ray[:, None] + within - middle[:, None, None]
    return np.asarray(geometry.pixel_cm * 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0)).mean(axis=-1))


HALF = np.float32(0.5)
TWO_DISCS = disc(127, 40, -10, 5) + HALF * disc(127, 15, 25, -8)


def rms(difference: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(difference**2)))


def test_a_projection_meets_the_chords_of_discs() -> None:
    sinogram = project(TWO_DISCS, GEOMETRY)[0]
    true = chords(GEOMETRY, 40, -10, 5) + chords(GEOMETRY, 15, 25, -8) / 2
    assert true.max() == pytest.approx(19.0, abs=0.1)  # cm
    assert rms(sinogram - true) < 0.035
    assert np.abs(sinogram - true).max() < 0.5  # at the edges, where a chord grows fastest


def test_every_projection_holds_all_of_the_slice() -> None:
    sinogram = project(TWO_DISCS, GEOMETRY)[0]
    area = TWO_DISCS.sum() * GEOMETRY.pixel_cm**2
    np.testing.assert_allclose(sinogram.sum(axis=1) * GEOMETRY.pixel_cm, area, rtol=1e-5)


def test_the_corners_of_the_slice_are_seen_at_every_angle() -> None:
    for pixels in (1, 2, 5, 64, 127):
        geometry = Geometry(pixels, 10.0, 36)
        sinogram = project(np.ones((1, pixels, pixels), dtype=np.float32), geometry)[0]
        np.testing.assert_allclose(sinogram.sum(axis=1), pixels**2, rtol=1e-5)


def test_a_point_is_seen_on_the_right_at_the_first_angle_and_later_further_up() -> None:
    geometry = Geometry(pixels=9, pixel_mm=1.0, angles=2)  # at 0 and at 90 degrees
    middle = (geometry.detectors - 1) // 2
    slices = np.zeros((1, 9, 9), dtype=np.float32)
    slices[0, 1, 6] = 1  # 2 to the right, 3 up
    assert project(slices, geometry)[0].argmax(axis=1).tolist() == [middle + 2, middle + 3]


def test_scikit_image_projects_the_same() -> None:
    ours = project(TWO_DISCS, GEOMETRY)[0] / GEOMETRY.pixel_cm
    theirs = radon(TWO_DISCS[0].astype(float), DEGREES, circle=False).T
    left = (GEOMETRY.detectors - 1) // 2 - theirs.shape[1] // 2
    difference = ours[:, left : left + theirs.shape[1]] - theirs
    assert theirs.max() == pytest.approx(95, abs=1)
    assert rms(difference) < 0.04
    assert np.abs(difference).max() < 0.8


@pytest.mark.parametrize("kernel", KERNELS)
def test_scikit_image_reconstructs_the_same_with_each_kernel(kernel: str) -> None:
    sinogram = project(TWO_DISCS, GEOMETRY)
    ours = filtered_back_projection(sinogram, GEOMETRY, kernel)[0]
    theirs = iradon(
        sinogram[0].T.astype(float), DEGREES, output_size=127, circle=False, filter_name=kernel
    ) / GEOMETRY.pixel_cm  # fmt: skip
    assert rms(ours - theirs) < 0.004
    assert np.abs(ours - theirs).max() < 0.05
    assert rms(ours - TWO_DISCS[0]) < 0.05  # a referee that is wrong in the same way would not be enough


def test_kernels_go_from_sharp_to_smooth() -> None:
    noise = np.random.default_rng(0).normal(size=(1, GEOMETRY.angles, GEOMETRY.detectors)).astype(np.float32)
    spread = [filtered_back_projection(noise, GEOMETRY, kernel).std() for kernel in KERNELS]
    assert spread == sorted(spread, reverse=True)
    assert spread[0] > 2 * spread[-1]


@pytest.mark.parametrize("pixel_mm", [0.5, 4.0])
def test_the_size_of_pixels_changes_lengths_but_not_what_is_reconstructed(pixel_mm: float) -> None:
    geometry = Geometry(64, pixel_mm, 100)
    sinogram = project(np.float32(0.2) * disc(64, 20), geometry)
    assert sinogram.max() == pytest.approx(0.2 * 4 * pixel_mm, rel=0.01)
    slices = filtered_back_projection(sinogram, geometry)
    assert slices[0, 22:42, 22:42].mean() == pytest.approx(0.2, rel=1e-3)
    assert np.abs(slices[0, :4, :4]).mean() < 0.002


def test_slices_do_not_touch_each_other() -> None:
    geometry = Geometry(32, 1.0, 20)
    stack = np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)
    sinograms = project(stack, geometry)
    assert sinograms.dtype == np.float32
    together = filtered_back_projection(sinograms, geometry), sirt(sinograms, geometry, 3)
    second = sinograms[1:2]
    alone = filtered_back_projection(second, geometry), sirt(second, geometry, 3)
    for slices, one in zip(together, alone, strict=True):
        assert slices.shape == stack.shape
        assert slices.dtype == np.float32
        np.testing.assert_allclose(slices[1:2], one, atol=1e-4)


def test_one_angle_gives_a_smear_along_its_rays() -> None:
    geometry = Geometry(33, 1.0, 1)
    sinogram = project(disc(33, 6, 5, 0), geometry)
    for smear in (filtered_back_projection(sinogram, geometry)[0], sirt(sinogram, geometry, 2)[0]):
        assert np.ptp(smear, axis=0).max() < 1e-5  # each column the same from top to bottom
        assert smear[0, 21] > smear[0, 5] + 0.1


def test_sirt_comes_nearer_with_every_step_and_beats_back_projection_from_ten_angles() -> None:
    geometry = Geometry(64, 1.0, 10)
    truth = disc(64, 24) - HALF * disc(64, 8, 8, 0)
    sinogram = project(truth, geometry)
    steps = [sirt(sinogram, geometry, n) for n in (1, 5, 50)]
    missing = [rms(project(slices, geometry) - sinogram) for slices in steps]
    assert missing[0] > 2 * missing[1] > 4 * missing[2]
    assert rms(steps[-1] - truth) < rms(filtered_back_projection(sinogram, geometry) - truth) / 1.5


def test_the_matrix_is_made_once_per_geometry() -> None:
    matrix = system_matrix(Geometry(16, 1.0, 8))
    assert system_matrix(Geometry(16, 1.0, 8)) is matrix
    assert matrix.shape == (8 * Geometry(16, 1.0, 8).detectors, 256)
    assert matrix.dtype == np.float32


@pytest.mark.parametrize(
    ("pixels", "pixel_mm", "angles", "expected"),
    [(0, 1, 10, "a pixel"), (8, 1, 0, "an angle"), (8, 0, 10, "positive"), (8, np.nan, 10, "positive")],
)
def test_a_scanner_that_can_not_be_is_refused(pixels: int, pixel_mm: float, angles: int, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Geometry(pixels, pixel_mm, angles)


def test_what_does_not_fit_the_scanner_is_refused() -> None:
    geometry = Geometry(16, 1.0, 8)
    sinogram = project(disc(16, 5), geometry)
    with pytest.raises(ValueError, match=r"images must have the shape \[slices, 16, 16\].*not \[16, 16\]"):
        project(disc(16, 5)[0], geometry)
    with pytest.raises(ValueError, match=r"sinograms must have the shape \[slices, 8, "):
        filtered_back_projection(sinogram[:, :7], geometry)
    with pytest.raises(ValueError, match="sinograms must have the shape"):
        sirt(sinogram[:, :, 1:], geometry, 1)
    with pytest.raises(ValueError, match="NaN"):
        filtered_back_projection(np.full_like(sinogram, np.nan), geometry)
    with pytest.raises(ValueError, match=r"no kernel 'sharp'; choose one of ramp, shepp-logan"):
        filtered_back_projection(sinogram, geometry, "sharp")
    with pytest.raises(ValueError, match="iterations must be 1 or more"):
        sirt(sinogram, geometry, 0)
