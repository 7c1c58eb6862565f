"""Lesson 11: line integrals are the scanner's, and windows are those of DICOM."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from course_lib.exercises.judging import judge
from course_lib.lessons.segmenting_ct.line_integrals import LINE_INTEGRALS, line_integrals
from course_lib.lessons.segmenting_ct.windows import WINDOW, window
from course_lib.modalities.chest_ct.acquisition import Materials, acquire, trace
from course_lib.modalities.chest_ct.beam import attenuate, correct_for_water
from course_lib.modalities.chest_ct.tomography import Geometry

SEEDS = range(10)
PHOTONS = 2000


def drawn_counts(seed: int) -> tuple[np.ndarray, int]:
    counts: Any
    sent: Any
    counts, sent = LINE_INTEGRALS.draw(np.random.default_rng(seed))
    return counts, sent


# --- line integrals


def test_line_integrals_are_those_that_the_scanner_corrects_for_water() -> None:
    geometry = Geometry(pixels=16, pixel_mm=20.0, angles=12)
    water = np.ones((1, 16, 16), dtype=np.float32)
    metal = np.zeros_like(water)
    metal[:, 4:12, 7:9] = 1
    body = Materials(water - metal, np.zeros_like(water), metal)
    scanned = acquire(body, geometry, PHOTONS, np.random.default_rng(0))
    paths = trace(body, geometry)
    counts = np.random.default_rng(0).poisson(PHOTONS * attenuate(paths.water, paths.bone, paths.metal))
    assert (counts == 0).any()
    assert (counts > PHOTONS).any()
    np.testing.assert_allclose(correct_for_water(line_integrals(counts, PHOTONS)), scanned, rtol=1e-4, atol=1e-5)


def test_a_ray_of_which_an_eighth_arrives_has_the_logarithm_of_eight() -> None:
    np.testing.assert_allclose(line_integrals(np.array([[250, 2000, 0]]), PHOTONS), [[np.log(8), 0, np.log(2000)]])


@pytest.mark.parametrize("seed", SEEDS)
def test_rays_without_photons_and_rays_with_too_many_are_drawn(seed: int) -> None:
    counts, sent = drawn_counts(seed)
    assert (counts == 0).sum() >= 2
    assert (counts > sent).sum() == 2
    assert ((counts > 1) & (counts < sent)).sum() >= 4


# --- windows


def test_the_soft_tissue_window_begins_at_minus_160_and_ends_at_240() -> None:
    hounsfield = np.array([-1000.0, -160, -60, 0, 40, 240, 1200])
    np.testing.assert_allclose(window(hounsfield, 40, 400), [0, 0, 0.25, 0.4, 0.5, 1, 1])


def test_stored_integers_are_windowed_like_numbers_with_a_point() -> None:
    stored = np.array([-1024, -600, 150, 3071], dtype=np.int16)
    np.testing.assert_allclose(window(stored, -600, 1500), [(-1024 + 1350) / 1500, 0.5, 1, 1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_window_is_that_of_dicom(seed: int) -> None:
    """The function LINEAR_EXACT of DICOM PS3.3, C.11.2.1.3.2; the older LINEAR takes half a unit off each side."""
    inputs: Any = WINDOW.draw(np.random.default_rng(seed))
    hounsfield, level, width = inputs
    header = Dataset()
    header.PhotometricInterpretation, header.BitsStored, header.PixelRepresentation = "MONOCHROME2", 8, 0
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = level, width, "LINEAR_EXACT"
    np.testing.assert_allclose(window(hounsfield, level, width), apply_windowing(hounsfield, header) / 255, atol=1e-6)


def test_slices_with_nothing_beyond_one_end_are_drawn() -> None:
    """So that stretching what is left from black to white is told from a window."""
    beyond = set()
    for seed in range(20):
        inputs: Any = WINDOW.draw(np.random.default_rng(seed))
        hounsfield, level, width = inputs
        ends = hounsfield.min() < level - width / 2, hounsfield.max() > level + width / 2
        beyond.add(ends)
        assert (abs(hounsfield - level) < width / 2).any()
    assert beyond == {(False, False), (False, True), (True, False), (True, True)}


# --- the usual ways to write the answers


def test_the_difference_of_logarithms_and_a_clipped_count_are_right_too() -> None:
    def line_integrals(counts: np.ndarray, sent: int) -> np.ndarray:
        return np.asarray(np.log(sent) - np.log(np.where(counts == 0, 1, counts)))

    assert judge(LINE_INTEGRALS, line_integrals).outcome == "correct"


def test_clipping_first_is_right_too() -> None:
    def window(hounsfield: np.ndarray, level: float, width: float) -> np.ndarray:
        low, high = level - width / 2, level + width / 2
        return np.asarray((np.clip(hounsfield, low, high) - low) / (high - low))

    assert judge(WINDOW, window).outcome == "correct"
