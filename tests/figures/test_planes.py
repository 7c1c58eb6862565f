"""Planes of volumes: upright however they are stored, with the patient's sides where the letters say."""

from itertools import permutations, product

import numpy as np
import pytest

from course_lib.figures.planes import PLANES, number, pixels_per_mm, unturned, upright, window_of
from tests.figures.made_volumes import AFFINE, MARK, MARK_MM, SHAPE, SPACING, head, mask, store

TOWARDS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
ORIENTATIONS = list(product(permutations(range(3)), product((False, True), repeat=3)))


@pytest.mark.parametrize(("order", "mirrored"), ORIENTATIONS)
def test_a_mark_appears_on_the_side_with_its_letter_however_the_volume_is_stored(
    order: tuple[int, ...], mirrored: tuple[bool, ...]
) -> None:
    values, affine = store(head(), order, mirrored)
    volume = upright(values, affine, store(mask(), order, mirrored)[0])
    voxel = volume.voxel(MARK_MM)
    assert voxel == MARK
    assert values[tuple(volume.stored_voxel(voxel))] == 2
    for plane in PLANES:
        cut = volume.cut(plane, voxel)
        rows, columns = cut.pixels.shape
        row, column = divmod(int(cut.pixels.argmax()), columns)
        assert (row, column) == cut.cross
        left, right, top, bottom = cut.edges
        assert (column < columns / 2, row < rows / 2) == (True, True)  # the mark is to the right, in front and above
        assert {left, top} <= {"R", "A", "S"}
        assert np.add(TOWARDS[left], TOWARDS[right]).tolist() == np.add(TOWARDS[top], TOWARDS[bottom]).tolist()
        assert cut.size_mm == (rows * cut.pixel_mm[0], columns * cut.pixel_mm[1])
    np.testing.assert_array_equal(volume.values, head())
    np.testing.assert_array_equal(volume.mask, mask())
    np.testing.assert_allclose(volume.affine, AFFINE)
    assert volume.spacing == SPACING


def test_each_plane_lies_in_radiological_convention() -> None:
    volume = upright(head(), AFFINE)
    edges = {plane: volume.cut(plane, MARK).edges for plane in PLANES}
    assert edges == {"axial": tuple("RLAP"), "coronal": tuple("RLSI"), "sagittal": tuple("APSI")}
    assert [volume.cut(plane, MARK).name for plane in PLANES] == [
        "axial, z = 6 mm",
        "coronal, y = 7.5 mm",
        "sagittal, x = 3 mm",
    ]
    with pytest.raises(ValueError, match="No plane is called 'frontal'"):
        volume.cut("frontal", MARK)


def test_as_it_is_stored_a_plane_has_the_rows_and_columns_of_the_array() -> None:
    values, _ = store(head(), (2, 0, 1), (True, False, False))
    cut = unturned(values).cut("axial", (1, 2, 3))
    np.testing.assert_array_equal(cut.pixels, values[:, :, 3])
    assert (cut.name, cut.pixel_mm, cut.cross) == ("k = 3", (1.0, 1.0), (1, 2))
    assert cut.edges == ("i ↓", "", "j →", "")


def test_the_words_count_voxels_in_the_array_as_it_came() -> None:
    volume = upright(*store(head(), (2, 0, 1), (True, False, True)))
    assert volume.grid_in_words() == "8 x 12 x 16 voxels of 3 x 1 x 1.5 mm, stored as IRP"
    assert volume.place_in_words(MARK) == "x 3, y 7.5, z 6 mm, voxel [1, 9, 2]"
    assert unturned(head()).grid_in_words() == "12 x 16 x 8 voxels as they are stored, whatever their affine says"
    assert unturned(head()).place_in_words(MARK) == "voxel [9, 13, 6]"


def test_a_mask_is_measured_in_ml_and_the_middle_is_where_most_of_it_is_cut() -> None:
    volume = upright(head(), AFFINE, mask())
    assert volume.marked_in_words(1) == "0.108 ml, 3 x 6 x 6 mm"
    assert volume.marked_in_words(3) == "nowhere"
    i, j, k = volume.middle()
    assert (2 <= i < 5, 3 <= j < 12, 3 <= k < 5) == (True, True, True)
    assert upright(head(), AFFINE).middle() == (6, 8, 4)
    assert unturned(head(), mask()).marked_in_words(2) == "30 voxels"


def test_a_turned_array_says_so_and_its_points_are_still_found() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
    volume = upright(head(), turn @ AFFINE)
    assert volume.grid_in_words().endswith("stored as RAS, turned by up to 17.2 degrees against the patient")
    assert volume.voxel((turn @ [*MARK_MM, 1])[:3]) == MARK


def test_a_point_outside_is_refused_or_taken_to_the_border() -> None:
    volume = upright(head(), AFFINE)
    assert volume.voxel((-6.4, 0, 0)) == (0, 8, 4)
    with pytest.raises(ValueError, match=r"\[-7, 0, 0\] mm lies outside .* x -6 to 5, y -12 to 10.5, z -12 to 9 mm"):
        volume.voxel((-7, 0, 0))
    with pytest.raises(ValueError, match=r"\[12, 0, 0\] lies outside .* i 0 to 11, j 0 to 15, k 0 to 7\."):
        unturned(head()).voxel((12, 0, 0))
    with pytest.raises(ValueError, match="Expected a point of three numbers"):
        volume.voxel((1, 2))
    assert volume.nearest_voxel((-7, 99, 0)) == (0, 15, 4)


def test_the_window_leaves_the_rarest_values_out_unless_nothing_would_be_left() -> None:
    assert window_of(np.arange(1001.0)) == (10, 995)
    assert window_of(mask()) == (0, 2)
    assert window_of(np.zeros((2, 2, 2))) == (0, 1)
    rare = np.zeros((10, 10, 10))
    rare[0, 0, 0] = 7
    assert window_of(rare) == (0, 7)
    assert window_of(rare, (2, 3)) == (2, 3)
    with pytest.raises(ValueError, match="low below high"):
        window_of(rare, (3, 3))


def test_a_row_of_planes_fits_and_voxels_are_whole_pixels() -> None:
    large, small = np.zeros((160, 192, 160), np.uint8), np.zeros((35, 51, 35), np.uint8)
    scales = []
    for values in (large, small):
        volume = upright(values, np.eye(4))
        cuts = [volume.cut(plane, volume.middle()) for plane in PLANES]
        scales.append(pixels_per_mm([cuts]))
    assert scales == [1, 4]


def test_numbers_are_said_with_few_digits() -> None:
    assert [number(value) for value in (-0.0, 1.23456, 123.456, -1234.5, 0.001)] == [
        "0",
        "1.23",
        "123.5",
        "-1234",
        "0.001",
    ]


SINGULAR = np.diag([1.0, 1.0, 0.0, 1.0])
WRONG = np.full(SHAPE, np.nan)


@pytest.mark.parametrize(
    ("values", "affine", "marked", "message"),
    [
        (np.zeros((1, *SHAPE)), AFFINE, None, r"shape \[1, 12, 16, 8\].*take one channel"),
        (np.zeros((0, 3, 3)), AFFINE, None, r"shape \[0, 3, 3\]"),
        (np.zeros(SHAPE, complex), AFFINE, None, "real numbers, but got complex128"),
        (WRONG, AFFINE, None, "1,536 of 1,536 voxels are not finite"),
        (np.zeros(SHAPE), np.eye(3), None, r"an affine \[4, 4\]"),
        (np.zeros(SHAPE), AFFINE * np.nan, None, "finite numbers"),
        (np.zeros(SHAPE), SINGULAR, None, "singular.*1, 1 and 0 mm long"),
        (np.zeros(SHAPE), AFFINE, np.zeros((12, 8, 16)), r"mask is \[12, 8, 16\], the volume \[12, 16, 8\].*Resample"),
        (np.zeros(SHAPE), AFFINE, np.full(SHAPE, 0.5), "whole numbers from 0 to 255"),
        (np.zeros(SHAPE), AFFINE, np.full(SHAPE, -1), "whole numbers from 0 to 255"),
        (np.zeros(SHAPE), AFFINE, WRONG, "whole numbers from 0 to 255"),
    ],
)
def test_what_is_no_volume_is_refused(
    values: np.ndarray, affine: np.ndarray, marked: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        upright(values, affine, marked)
