"""Figures of images: what they draw, and what they say about it in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.plots import plot_images, plot_masks, text_alternative


def test_masks_are_outlined_and_measured_in_words() -> None:
    images = [np.zeros((20, 30), dtype=np.uint8)] * 3
    masks = [np.zeros((20, 30), dtype=bool) for _ in range(3)]
    masks[1][5:10, 6:18] = True
    grid = plot_masks(images, masks, ["none", "some", "none too"], "Where", columns=3)
    assert [len(axes.collections) for axes in grid.ravel().tolist()] == [0, 1, 0]
    assert "An outline marks the mask, which covers 0 %, 10 %, 0 % of the picture." in text_alternative(grid[0, 0])
    plt.close()


def test_a_figure_from_elsewhere_has_no_words() -> None:
    _, axes = plt.subplots()
    with pytest.raises(ValueError, match="no text alternative"):
        text_alternative(axes)
    plt.close()


def test_whole_numbers_are_shown_up_to_255_and_others_up_to_1() -> None:
    grid = plot_images([np.zeros((4, 4), np.uint8), np.zeros((4, 4))], ["a", "b"], "Two")
    assert [axes.images[0].get_clim() for axes in grid.ravel().tolist()] == [(0, 255), (0, 1)]
    plt.close()
