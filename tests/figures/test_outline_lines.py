"""The outline of a mask: between the pixels, closed at the border too, and the picture keeps its limits."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from course_lib.figures.outline_lines import draw_outline


@pytest.fixture
def axes() -> Iterator[Axes]:
    _, made = plt.subplots()
    made.imshow(np.zeros((20, 30)))
    yield made
    plt.close()


def polygons(axes: Axes) -> list[np.ndarray]:
    return [np.asarray(points) for points in axes.collections[0].get_paths()[0].to_polygons(closed_only=False)]


def block(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((20, 30), bool)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(slice(5, 9), slice(3, 8)), (slice(0, 9), slice(3, 8)), (slice(5, 20), slice(0, 30)), (slice(None), slice(None))],
)
def test_an_outline_is_closed_and_runs_between_the_pixels(axes: Axes, rows: slice, columns: slice) -> None:
    before = axes.get_xlim(), axes.get_ylim()
    draw_outline(axes, block(rows, columns), "red", "--", 2)
    (points,) = polygons(axes)
    assert np.array_equal(points[0], points[-1])
    (top, bottom, _), (left, right, _) = rows.indices(20), columns.indices(30)
    assert points.min(axis=0).tolist() == [left - 0.5, top - 0.5]
    assert points.max(axis=0).tolist() == [right - 0.5, bottom - 0.5]
    axes.plot([], [])
    assert (axes.get_xlim(), axes.get_ylim()) == before


def test_with_a_spacing_the_corner_of_the_picture_lies_at_0(axes: Axes) -> None:
    draw_outline(axes, block(slice(0, 4), slice(10, 30)), "red", spacing_mm=(2, 0.5))
    (points,) = polygons(axes)
    assert (points.min(axis=0).tolist(), points.max(axis=0).tolist()) == ([5, 0], [15, 8])


def test_numbers_above_0_are_inside_and_an_empty_mask_has_no_outline(axes: Axes) -> None:
    draw_outline(axes, np.zeros((20, 30)), "red")
    assert not axes.collections
    draw_outline(axes, block(slice(2, 4), slice(2, 4)).astype(np.uint8) * 255, "red", (0, (6, 1)))
    assert len(polygons(axes)) == 1
