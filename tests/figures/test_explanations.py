"""Figures of explanations: maps over images, and where they are highest."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_lib.data.transforms import Preprocessing, to_display
from course_lib.figures.explanations import place_in_words, plot_maps
from course_lib.figures.style import text_alternative


def test_a_figure_of_maps_says_where_each_is_highest() -> None:
    heats = [np.zeros((30, 30)), np.zeros((30, 30))]
    heats[0][2, 28], heats[1][15, 15], heats[1][0, 0] = 4, 2, -8
    masks = [np.zeros((30, 30), bool), np.zeros((30, 30), bool)]
    masks[1][10:20, 10:20] = True
    grid = plot_maps([to_display(torch.zeros(3, 30, 30), Preprocessing())] * 2, heats, ["a", "b"], "Two", masks=masks)
    assert text_alternative(grid[0, 0]) == (
        "Two. 2 maps on one scale. a: from 0 to 4, highest in the upper right; b: from -8 to 2, highest in the middle, "
        "inside the mask. A white outline marks the mask."
    )
    first, second = (np.asarray(axes.images[0].get_array()) for axes in grid.ravel())
    assert first[0, 0] == pytest.approx([16 / 31] * 3)
    assert first[2, 28, 0] > second[15, 15, 0] > second[15, 15, 2]  # orange, and more of it where the map is higher
    assert second[0, 0, 2] > second[0, 0, 1]  # purple below zero
    assert place_in_words(-np.eye(9)[::-1]) == "upper left"
    plt.close("all")
