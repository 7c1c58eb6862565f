"""Grids, smooth fields and signed distances."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from course_lib.modalities.simulated_head import Grid
from course_lib.modalities.simulated_head.coats import Points
from course_lib.modalities.simulated_head.geometry import Field, draw_waves, ellipsoid, tube, unite

ONE = np.zeros(1)  #: one sub-slice, in the middle


def cube(half: float, count: int) -> tuple[Field, Field, Field]:
    """Points at equal distances in a cube around the origin."""
    grid = Grid((count, count, count), np.diag([2 * half / (count - 1)] * 3 + [1.0]))
    x, y, z = grid.points(slice(0, count), ONE)
    return x - half, y - half, z - half


def test_the_head_grid_holds_160_by_192_by_160_mm_around_the_origin() -> None:
    grid = Grid.head((1.0, 1.0, 4.0))
    assert grid.shape == (160, 192, 40)
    assert grid.spacing_mm == (1.0, 1.0, 4.0)
    x, y, z = grid.points(slice(0, 160), ONE)
    for values, half in ((x, 80), (y, 96), (z, 80)):
        assert values.min() == pytest.approx(-half, abs=2)
        assert values.max() == pytest.approx(half, abs=4)


def test_a_box_shares_its_voxels_with_any_other_of_the_same_spacing() -> None:
    first, second = (Grid.around(centre, (40, 40, 40), 1.5) for centre in ((-25.2, 3.3, -20.1), (0, 0, 0)))
    apart = (first.affine[:3, 3] - second.affine[:3, 3]) / 1.5
    assert np.allclose(apart, np.round(apart))
    middle = first.affine @ [*((np.array(first.shape) - 1) / 2), 1]
    assert np.abs(middle[:3] - (-25.2, 3.3, -20.1)).max() <= 0.75


def test_a_tilted_grid_gives_the_points_of_its_affine() -> None:
    affine = np.array([[0, -2, 0, 5], [1.5, 0, 0.5, 6], [-0.5, 0, 1.5, 7], [0, 0, 0, 1]], dtype=float)
    x, y, z = Grid((3, 4, 5), affine).points(slice(1, 3), np.array([-0.25, 0.25]))
    assert x.shape == (2, 4, 10)
    assert np.allclose([x[1, 3, 8], y[1, 3, 8], z[1, 3, 8]], (affine @ [2, 3, 3.75, 1])[:3])


@pytest.mark.parametrize(
    ("shape", "change", "message"),
    [
        ((0, 4, 4), {}, "shape"),
        ((4, 4, 4), {(0, 0): 0.0}, "determinant is 0"),
        ((4, 4, 4), {(1, 1): np.nan}, "finite"),
    ],
)
def test_a_grid_refuses_nonsense(
    shape: tuple[int, int, int], change: dict[tuple[int, int], float], message: str
) -> None:
    affine = np.eye(4)
    for place, value in change.items():
        affine[place] = value
    with pytest.raises(ValueError, match=message):
        Grid(shape, affine)


def test_a_grid_refuses_a_spacing_of_zero() -> None:
    with pytest.raises(ValueError, match="above 0 mm"):
        Grid.head(0.0)


def test_distances_to_a_ball_and_to_a_tube_are_right() -> None:
    x, y, z = cube(10, 21)
    radius = np.sqrt(x**2 + y**2 + z**2)
    assert np.allclose(ellipsoid(x, y, z, (0, 0, 0), (5, 5, 5))[radius > 1], (radius - 5)[radius > 1], atol=1e-3)
    bar = tube(x, y, z, ((0, 0, -4), (0, 0, 0), (0, 0, 4)), (2, 2, 2))
    assert np.allclose(bar[:, :, 10], np.hypot(x, y)[:, :, 10] - 2, atol=1e-5)
    assert bar[10, 10, 20] == pytest.approx(4)


def test_bodies_flow_into_each_other_only_where_they_are_close() -> None:
    first, second = np.array([-5.0, 0, 5], np.float32), np.array([5.0, 0, 5], np.float32)
    assert np.allclose(unite(first, second, 4), [-5, -1, 4])


def test_waves_have_mean_zero_and_spread_one_and_come_from_the_seed_alone() -> None:
    values = draw_waves(1, 2, 12.0)(*cube(60, 31))
    assert abs(values.mean()) < 0.1
    assert values.std() == pytest.approx(1, abs=0.1)
    again, other = (draw_waves(seed, 2, 12.0)(*cube(60, 31)) for seed in (1, 2))
    assert np.array_equal(values, again)
    assert abs(np.corrcoef(values.ravel(), other.ravel())[0, 1]) < 0.2


def test_the_distance_to_the_zero_of_a_wave_is_that_to_its_next_sheet() -> None:
    wave = draw_waves(3, 1, 40.0, 1)
    line = np.linspace(0, 60, 601, dtype=np.float32)[:, None, None] * wave.vectors[0] / np.linalg.norm(wave.vectors[0])
    x, y, z = (np.ascontiguousarray(line[..., axis : axis + 1]) for axis in range(3))
    value, distance = wave(x, y, z).ravel(), wave.distance(x, y, z).ravel()
    zeros = [i for i, (a, b) in enumerate(pairwise(value)) if a * b <= 0]
    near = [i for zero in zeros for i in range(zero - 15, zero + 15) if 0 <= i < 601]
    truth = np.array([min(abs(i - zero) for zero in zeros) * 0.1 for i in near])
    assert np.abs(distance[near] - truth).max() < 0.35


def test_a_flat_body_fills_its_voxels_exactly() -> None:
    x, y, z = cube(10, 11)  # voxels of 2 mm
    points = Points(x, y, z, x, 2.0)
    for edge in (0.0, 0.3, -0.7, 1.4):
        assert (points.fill(x - edge).sum(axis=0) * 2).max() == pytest.approx(11 + edge, abs=1e-4)
    assert (points.fill_sheet(x - 0.3, 0.25).sum(axis=0) * 2).max() == pytest.approx(0.5, abs=1e-4)


def test_a_block_of_points_is_the_smallest_that_holds_a_box() -> None:
    points = Points(*cube(10, 21), np.zeros((21, 21, 21), np.float32), 1.0)
    block = points.near((-2, 0, 3), (2, 4, 20))
    assert block is not None
    assert block.place == (slice(8, 13), slice(10, 15), slice(13, 21))
    assert block.x.min() == -2
    assert replace(points).near((11, 0, 0), (12, 1, 1)) is None
