"""Figures of wrong outlines: the curves are what was measured, and the words give the numbers that differ."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.border_errors import border_errors
from course_lib.evaluation.surfaces import surface_distances
from course_lib.figures.outline_errors import plot_border_errors, plot_surface_distances
from course_lib.figures.style import text_alternative


@pytest.fixture(autouse=True)
def closed() -> None:
    plt.close("all")


def with_a_speck() -> tuple[np.ndarray, np.ndarray]:
    true = np.zeros((60, 90), dtype=bool)
    true[10:50, 10:50] = True
    predicted = true.copy()
    predicted[28:32, 70:73] = True
    return predicted, true


def test_each_border_error_has_its_curve() -> None:
    errors = border_errors((4, 10, 40), (1, 1))
    axes = plot_border_errors(errors, "Dice\ndiscs")
    assert [line.get_label() for line in axes.lines] == [
        "one pixel too large",
        "one pixel too small",
        "one pixel to the side",
    ]
    assert [np.asarray(line.get_ydata()).tolist() for line in axes.lines] == [v.tolist() for v in errors.dice.values()]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "10", "40"]
    words = text_alternative(axes)
    assert words.startswith(
        "Dice: discs. Dice of discs with pixels of 1 x 1 mm, at diameters of 4, 10, 40 mm: one pixel"
    )
    assert f"one pixel too large {', '.join(f'{value:.2f}' for value in errors.dice['one voxel too large'])};" in words
    assert "voxel" not in words


def test_balls_are_said_to_be_made_of_voxels() -> None:
    axes = plot_border_errors(border_errors((4, 10), (1, 1, 2)), "Balls")
    assert axes.lines[0].get_label() == "one voxel too large"
    assert "Dice of balls with voxels of 1 x 1 x 2 mm, at diameters of 4, 10 mm: one voxel" in text_alternative(axes)
    assert "pixel" not in text_alternative(axes)


def test_an_outline_that_reaches_the_border_is_closed_and_the_picture_keeps_its_limits() -> None:
    true, predicted = np.zeros((40, 60), dtype=bool), np.zeros((40, 60), dtype=bool)
    true[:20, 10:30] = True
    predicted[:25, 10:30] = True
    picture, _ = plot_surface_distances(predicted, true, (2, 0.5), "At the upper border")
    for outline, deep_mm in zip(picture.collections, (40, 50), strict=True):
        (points,) = outline.get_paths()[0].to_polygons(closed_only=False)
        assert np.array_equal(points[0], points[-1])
        assert (points.min(axis=0).tolist(), points.max(axis=0).tolist()) == ([5, 0], [15, deep_mm])
    assert (picture.get_xlim(), picture.get_ylim()) == ((0, 30), (80, 0))


def test_the_distances_of_each_direction_are_drawn_sorted_and_said() -> None:
    predicted, true = with_a_speck()
    forth, back = surface_distances(predicted, true, (1, 1))
    picture, curves = plot_surface_distances(predicted, true, (1, 1), "A speck")
    drawn = [np.asarray(line.get_ydata()) for line in curves.lines if len(line.get_ydata()) > 2]
    expected = (forth, back, np.concatenate([forth, back]))
    assert [line.tolist() for line in drawn] == [np.sort(distances).tolist() for distances in expected]
    at_95 = [float(line.get_ydata()[0]) for line in curves.lines if list(line.get_xdata()) == [95]]
    assert at_95 == [float(np.percentile(distances, 95)) for distances in expected]
    words = text_alternative(picture)
    assert words.startswith(
        "A speck. Two outlines, and the distances between them. predicted to true: 166 points, 95th"
    )
    assert "HD95 by the larger of the directions 21.0 mm, both directions in one list 0.0 mm, the mean of the" in words


def test_an_empty_mask_and_a_volume_are_refused() -> None:
    predicted, true = with_a_speck()
    for masks in ((predicted & False, true), (predicted, true & False), (predicted[None], true[None])):
        with pytest.raises(ValueError, match="two slices with something in each"):
            plot_surface_distances(masks[0], masks[1], (1,) * masks[0].ndim, "Nothing")
