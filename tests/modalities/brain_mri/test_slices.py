"""Slices lie as radiologists see them, go through the tumour, and image and mask belong together."""

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from course_lib.modalities.brain_mri.phantoms import CLASSES, Settings, draw_slices
from course_lib.modalities.brain_mri.slices import (
    LEAST_MM2,
    PLANES,
    WIDE_MM,
    ZOOM,
    Plane,
    SimulatedSlice,
    plane_grid,
    tumour_centre,
)
from course_lib.modalities.simulated_head import (
    Kind,
    Structure,
    TumourPart,
    draw_exposure,
    draw_patient,
    hippocampus_centre,
    render,
)

SMALL = Settings({"train": 24}, seed=4, pixels=64)
MIDDLE = (SMALL.pixels - 1) / 2


@lru_cache
def slices_of(kind: Kind, plane: Plane) -> list[SimulatedSlice]:
    first = CLASSES.index(kind)
    return [one for number in range(first, 12, 3) for one in draw_slices(SMALL, number, [plane])]


def middle_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Row and column."""
    return np.asarray(np.argwhere(mask)[:, :2].mean(axis=0))


def where(plane: Plane, structure: Structure, centre_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Row and column of a structure in one slice of a healthy head, 24 the middle."""
    rng = np.random.default_rng(0)
    grid = plane_grid(plane, centre_mm, pixels=49, pixel_mm=4.5)
    found = render(draw_patient(rng, "none"), draw_exposure(rng), grid).structures == structure
    assert found.any()
    return middle_of(found)


def test_the_eyes_are_up_in_an_axial_slice_and_left_in_a_sagittal_one() -> None:
    row, column = where("axial", Structure.EYE, (0, 0, -37))
    assert row < 12
    assert abs(column - 24) < 2, "both are seen"
    row, column = where("sagittal", Structure.EYE, (31, 0, 0))
    assert row > 24
    assert column < 12


def test_the_cerebellum_is_below_in_a_coronal_slice_and_below_at_the_right_in_a_sagittal_one() -> None:
    assert where("coronal", Structure.CEREBELLUM, (0, -55, 0))[0] > 30
    row, column = where("sagittal", Structure.CEREBELLUM, (20, 0, 0))
    assert row > 28
    assert column > 28


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_the_patients_right_is_at_the_left_of_the_picture(plane: Plane) -> None:
    patient = draw_patient(np.random.default_rng(0), "none")
    place = hippocampus_centre(patient, "right")
    grid = plane_grid(plane, (0, place[1], place[2]), pixels=49, pixel_mm=4.5)
    _, column, _ = np.linalg.solve(grid.affine[:3, :3], place - grid.affine[:3, 3])
    assert column < 20


@pytest.mark.parametrize("plane", PLANES)
def test_a_series_lies_around_its_middle_slice_by_slice(plane: Plane) -> None:
    grid = plane_grid(plane, (3, -4, 5), pixels=5, pixel_mm=2, slices=3, gap_mm=7)
    assert np.allclose(grid.affine @ [2, 2, 1, 1], [3, -4, 5, 1])
    assert grid.spacing_mm == pytest.approx((2, 2, 7))
    step = grid.affine[:3, 2]
    assert step[{"sagittal": 0, "coronal": 1, "axial": 2}[plane]] == 7, "to the right, to the front or up"


def test_a_pituitary_tumour_is_in_the_lower_middle_of_a_sagittal_slice() -> None:
    for one in slices_of("pituitary", "sagittal"):
        row, column = middle_of(one.mask) / SMALL.pixels
        assert 0.42 < row < 0.75
        assert 0.3 < column < 0.6


@pytest.mark.parametrize("kind", CLASSES)
def test_the_middle_of_a_tumour_is_in_the_tumour(kind: Kind) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        patient = draw_patient(rng, kind)
        grid = plane_grid("axial", tumour_centre(patient), pixels=3, pixel_mm=1)
        part = render(patient, draw_exposure(rng), grid).tumour[1, 1, 0]
        assert part in (TumourPart.SOLID, TumourPart.NECROSIS)


def test_who_has_no_tumour_has_no_middle_of_it() -> None:
    with pytest.raises(ValueError, match="has no tumour"):
        tumour_centre(draw_patient(np.random.default_rng(0), "none"))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_slice_shows_some_of_the_tumour_and_each_plane_has_several(kind: Kind) -> None:
    narrowest_mm = WIDE_MM * ZOOM[0] / SMALL.pixels
    widest_mm = WIDE_MM * ZOOM[1] / SMALL.pixels
    for plane in PLANES:
        slices = slices_of(kind, plane)
        assert len(slices) >= 8, "of four patients"
        areas = [one.mask.sum() for one in slices]
        assert min(areas) * widest_mm**2 >= LEAST_MM2
        assert 200 < np.median(areas) * narrowest_mm**2 < 2000


@pytest.mark.parametrize("kind", ["meningioma", "pituitary"])
def test_a_tumour_full_of_contrast_agent_is_brighter_than_what_is_around(kind: Kind) -> None:
    contrasts = []
    for plane in PLANES:
        for one in slices_of(kind, plane):
            around = binary_dilation(one.mask, iterations=5) & ~binary_dilation(one.mask)
            contrasts.append(one.image[one.mask].mean() / np.median(one.image[around & (one.image > 10)]))
    assert np.median(contrasts) > 1.25
    assert np.mean(np.array(contrasts) > 1) > 0.9


def test_a_picture_goes_from_black_air_to_white_and_is_not_like_the_next() -> None:
    slices = [one for plane in PLANES for one in slices_of("glioma", plane)]
    for one in slices:
        assert one.image.shape == one.mask.shape == (SMALL.pixels, SMALL.pixels)
        assert one.image.dtype == np.uint8
        assert one.image.max() == 255
        assert np.percentile(one.image, 10) < 12
    assert len({one.image.tobytes() for one in slices}) == len(slices)


def test_slices_are_numbered_along_their_series() -> None:
    taken = draw_slices(SMALL, 0, PLANES)
    for plane in PLANES:
        positions = [one.position for one in taken if one.plane == plane]
        assert positions == list(range(len(positions)))


def test_an_unknown_plane_and_a_length_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="plane must be one of"):
        plane_grid("oblique", (0, 0, 0))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be above 0"):
        plane_grid("axial", (0, 0, 0), pixel_mm=0)
    with pytest.raises(ValueError, match="at least 1"):
        plane_grid("axial", (0, 0, 0), slices=0)
