"""Figures of images: what they draw, and what they say about it in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_lib.figures.images import plot_images, plot_masks, plot_outlines
from course_lib.figures.style import text_alternative


def test_whole_numbers_are_shown_up_to_255_and_others_up_to_1() -> None:
    grid = plot_images([np.zeros((4, 4), np.uint8), np.zeros((4, 4))], ["a", "b"], "Two")
    assert [axes.images[0].get_clim() for axes in grid.ravel().tolist()] == [(0, 255), (0, 1)]
    plt.close()


def test_equal_titles_are_counted() -> None:
    images = [np.full((2, 3), value, np.uint8) for value in (0, 51, 255)]
    grid = plot_images(images, ["dark", "dark", "light"], "Three")
    assert text_alternative(grid[0, 0]) == (
        "Three. 3 grey images: 2 times dark (3 x 2 pixels, mean brightness 10 %), "
        "light (3 x 2 pixels, mean brightness 100 %)."
    )
    plt.close()


def test_masks_are_outlined_and_measured_in_words() -> None:
    images = [np.zeros((20, 30), dtype=np.uint8)] * 3
    masks = [np.zeros((20, 30), dtype=bool) for _ in range(3)]
    masks[1][5:10, 6:18] = True
    grid = plot_masks(images, masks, ["none", "some", "none too"], "Where", columns=3)
    assert [len(axes.collections) for axes in grid.ravel().tolist()] == [0, 1, 0]
    assert "An outline marks the mask, which covers 0 %, 10 %, 0 % of the picture." in text_alternative(grid[0, 0])
    plt.close()


def test_an_image_without_a_mask_has_no_outline_and_is_named() -> None:
    mask = np.zeros((20, 30), dtype=np.uint8)
    mask[5:10, 6:18] = 255
    grid = plot_masks([np.zeros((20, 30), np.uint8)] * 2, [None, mask], ["a", "b"], "Some", side=1.5)
    assert [len(axes.collections) for axes in grid.ravel().tolist()] == [0, 1]
    assert text_alternative(grid[0, 0]).endswith(
        "An outline marks the mask, which covers 10 % of the picture. There is no mask of picture 1."
    )
    assert grid[0, 0].figure.get_size_inches()[0] == 3
    grid = plot_masks([np.zeros((20, 30), np.uint8)], [None], ["a"], "None")
    assert text_alternative(grid[0, 0]).endswith("%). There is no mask of picture 1.")
    plt.close("all")


def test_outlines_bear_their_names_and_say_how_large_they_are() -> None:
    mask = np.zeros((20, 30), bool)
    mask[:5, 4:14] = True
    marks = [{"reader 1": mask, "reader 2": np.roll(mask, 3, axis=1)}, {"reader 1": np.zeros_like(mask)}]
    grid = plot_outlines([np.zeros((20, 30), np.uint8)] * 2, marks, ["a", "b"], "Two readers")
    legend = grid[0, 0].figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["reader 1", "reader 2"]
    assert [len(axes.collections) for axes in grid.ravel()] == [2, 0]
    assert text_alternative(grid[0, 0]) == (
        "Two readers. 2 grey images, and how many pixels are within each outline: a: reader 1 50, reader 2 50; "
        "b: reader 1 0."
    )
    plt.close()


def test_titles_and_headings_with_a_line_break_are_said_in_one_line() -> None:
    image = np.zeros((20, 30), np.uint8)
    grid = plot_outlines([image], [{}], ["case 3\nslice 7"], "Two readers\n(simulated)")
    assert text_alternative(grid[0, 0]) == (
        "Two readers: (simulated). One grey image, and how many pixels are within each outline: case 3: slice 7: none."
    )
    plt.close()


def test_other_numbers_of_outlines_or_titles_than_images_are_refused() -> None:
    image, mask = np.zeros((20, 30), np.uint8), np.ones((20, 30), bool)
    for outlines, titles in (([{"a": mask}], ["a", "b"]), ([{}, {}], ["a"]), ([{}, {}, {}], ["a", "b"])):
        with pytest.raises(ValueError, match=f"got 2 images, {len(outlines)} times outlines and {len(titles)} titles"):
            plot_outlines([image, image], outlines, titles, "Many")


def test_a_mask_of_another_shape_than_its_image_is_refused() -> None:
    image = np.zeros((20, 30), np.uint8)
    with pytest.raises(ValueError, match=r"reader 1 of b: left has \(30, 20\), and the image \(20, 30\)"):
        plot_outlines([image] * 2, [{}, {"reader 1": np.ones((30, 20), bool)}], ["a", "b\nleft"], "Turned")


def test_more_outlines_than_can_be_told_apart_are_refused() -> None:
    mask = np.ones((4, 4), bool)
    with pytest.raises(ValueError, match="at most 5 names, got 6"):
        plot_outlines([mask], [{str(number): mask for number in range(6)}], ["a"], "Many")
