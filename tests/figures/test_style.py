"""Figures of images: what they draw, and what they say about it in words."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from course_lib.authoring.notebooks import clean, run
from course_lib.evaluation.predictions import Predictions
from course_lib.figures.classification import plot_confusion, plot_roc, plot_scores
from course_lib.figures.course_map import plot_lessons
from course_lib.figures.images import plot_images, plot_masks
from course_lib.figures.style import compact, describe, text_alternative
from course_lib.figures.training import plot_curves, plot_history
from course_lib.training.history import History

IN_A_NOTEBOOK = """
import matplotlib.pyplot as plt
from course_lib.figures import describe, plot_images

_ = plot_images([[[0.0, 1.0]]] * 2, ["a < b", "b"], "Two")
own = plt.subplots()[1]
describe(own, "An empty box.")
"""


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


def predictions() -> Predictions:
    """Five healthy and five sick images with scores of 0.0 to 0.9; two of them are in the wrong order."""
    labels = np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1])
    scores = np.arange(10) / 10
    patients, files = np.array([str(n) for n in range(10)]), tuple(f"{n}.jpeg" for n in range(10))
    return Predictions(np.stack([1 - scores, scores], axis=1), labels, patients, files, ("WELL", "SICK"))


def test_a_notebook_shows_the_words_with_the_picture_and_under_it() -> None:
    notebook = new_notebook(cells=[new_code_cell(IN_A_NOTEBOOK)])
    run(notebook)
    clean(notebook)
    pictures, captions = notebook.cells[0].outputs[::2], notebook.cells[0].outputs[1::2]
    assert [picture.data["text/plain"] for picture in pictures] == [
        "<Figure size 480x290 with 2 Axes>",
        "<Figure size 640x480 with 1 Axes>",
    ]
    words = [picture.metadata["image/png"]["alt"] for picture in pictures]
    assert words[0].startswith("Two. 2 grey images: a < b (2 x 1 pixels, mean brightness 50 %), b")
    assert words[1] == "An empty box."
    assert [caption.data["text/plain"] for caption in captions] == words
    assert "a &lt; b" in captions[0].data["text/html"]


def test_equal_titles_are_counted() -> None:
    images = [np.full((2, 3), value, np.uint8) for value in (0, 51, 255)]
    grid = plot_images(images, ["dark", "dark", "light"], "Three")
    assert text_alternative(grid[0, 0]) == (
        "Three. 3 grey images: 2 times dark (3 x 2 pixels, mean brightness 10 %), "
        "light (3 x 2 pixels, mean brightness 100 %)."
    )
    plt.close()


def test_curves_say_their_values() -> None:
    history = History((0.9, 0.5, 0.2), (0.8, 0.4, 0.6), (0.5, 0.9, 0.8), best_epoch=1, stopped_early=False)
    words = text_alternative(plot_history(history, "Net"))
    assert "training loss goes from 0.90 to 0.20" in words
    assert "starts at 0.80, is lowest in epoch 2 with 0.40, and ends at 0.60" in words
    assert "a: from 0.50 to 0.80, between 0.50 and 0.90." in text_alternative(
        plot_curves({"a": [0.5, 0.9, 0.8]}, "Nets", "AUROC")
    )
    plt.close("all")


def test_no_more_curves_than_lines_that_can_be_told_apart() -> None:
    with pytest.raises(ValueError, match="at most 5 curves, got 6"):
        plot_curves({str(n): [0.5] for n in range(6)}, "Many", "AUROC")


def test_scores_say_what_a_threshold_does() -> None:
    seen = predictions()
    assert "Sensitivity reaches 1.00 where specificity is 0.80 or more and 0.80 where" in text_alternative(
        plot_roc(seen, "Test", 0.5)
    )
    assert "sensitivity is 0.80 and specificity 0.80." in text_alternative(plot_roc(seen, "Test", 0.5))
    assert "SICK: median 0.70, 80 % at or above the threshold" in text_alternative(plot_scores(seen, 0.5, "Test"))
    assert "of 5 SICK images, 4 are" in text_alternative(plot_confusion(seen, 0.5, "Test"))
    plt.close("all")


def test_two_panels_are_described_one_after_the_other() -> None:
    _, (left, right) = plt.subplots(1, 2)
    plot_confusion(predictions(), 0.5, "Counts", ax=left)
    describe(right, "Nothing here.")
    assert text_alternative(left).startswith("Counts. ")
    assert text_alternative(left).endswith(" Nothing here.")
    plt.close()


@pytest.mark.parametrize(("colour", "mode"), [("0.5", "L"), ("red", "P")])
def test_a_chart_keeps_its_pixels_in_one_channel_or_in_a_palette(colour: str, mode: str) -> None:
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot([0, 1], color=colour)
    before, after = _before_and_after(figure)
    assert after.mode == mode
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()


def test_a_picture_of_many_colours_looks_alike() -> None:
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.imshow(np.random.default_rng(0).random((20, 20, 3)))
    before, after = (np.asarray(picture.convert("RGB"), dtype=float) for picture in _before_and_after(figure))
    assert np.abs(before - after).mean() < 8


def _before_and_after(figure: Figure) -> tuple[Image.Image, Image.Image]:
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor="white")
    plt.close(figure)
    return Image.open(file), Image.open(io.BytesIO(compact(file.getvalue())))


def test_the_map_of_the_course_says_which_lesson_leads_where() -> None:
    lessons = {"00 Start": "words", "01 Files": "tensors", "02 Net": "training", "03 Scores": "intervals"}
    axes = plot_lessons(lessons, [("00 Start", "01 Files"), ("00 Start", "03 Scores")], "Map")
    assert [text.get_text() for text in axes.texts][:2] == ["00 Start\nwords", "01 Files\ntensors"]
    assert len(axes.patches) == 4
    assert text_alternative(axes) == (
        "Map. 4 boxes: 00 Start, words; 01 Files, tensors; 02 Net, training; 03 Scores, intervals. "
        "Arrows lead from 00 Start to 01 Files, and from 00 Start to 03 Scores."
    )
    plt.close()
