"""Figures of wrong outlines: the curves are what was measured, and the words give the numbers that differ."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.evaluation.border_errors import border_errors
from course_lib.evaluation.surfaces import hausdorff_distance, surface_distances
from course_lib.figures.outline_errors import hd95_definitions, plot_border_errors, plot_surface_distances
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
    assert [line.get_label() for line in axes.lines] == list(errors.dice)
    assert [np.asarray(line.get_ydata()).tolist() for line in axes.lines] == [v.tolist() for v in errors.dice.values()]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["4", "10", "40"]
    words = text_alternative(axes)
    assert words.startswith(
        "Dice: discs. Dice of discs with voxels of 1 x 1 mm, at diameters of 4, 10, 40 mm: one voxel"
    )
    assert f"one voxel too large {', '.join(f'{value:.2f}' for value in errors.dice['one voxel too large'])};" in words


def test_the_definitions_of_hd95_are_apart_where_a_speck_is_outlined() -> None:
    predicted, true = with_a_speck()
    said = hd95_definitions(*surface_distances(predicted, true, (1, 1)))
    assert said["the larger of the directions"] == hausdorff_distance(predicted, true, (1, 1)) > 20
    assert said["the mean of the directions"] == said["the larger of the directions"] / 2
    assert said["both directions in one list"] == 0


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
    for found, there in ((predicted & False, true), (predicted, true & False), (predicted[None], true[None])):
        with pytest.raises(ValueError, match="two slices with something in each"):
            plot_surface_distances(found, there, (1,) * there.ndim, "Nothing")
