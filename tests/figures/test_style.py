"""What all figures share: words in a notebook, and pictures of few bytes."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from course_lib.authoring.notebooks import clean, run
from course_lib.figures.classification import plot_confusion
from course_lib.figures.style import GREYS, compact, describe, text_alternative
from tests.made_predictions import TEN

IN_A_NOTEBOOK = """
import matplotlib.pyplot as plt
from course_lib.figures import describe, plot_images

_ = plot_images([[[0.0, 1.0]]] * 2, ["a < b", "b"], "Two")
own = plt.subplots()[1]
describe(own, "An empty box.")
"""


@pytest.mark.slow
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


def test_a_figure_from_elsewhere_has_no_words() -> None:
    _, axes = plt.subplots()
    with pytest.raises(ValueError, match="no text alternative"):
        text_alternative(axes)
    plt.close()


def test_two_panels_are_described_one_after_the_other() -> None:
    _, (left, right) = plt.subplots(1, 2)
    plot_confusion(TEN, 0.5, "Counts", ax=left)
    describe(right, "Nothing here.")
    assert text_alternative(left).startswith("Counts. ")
    assert text_alternative(left).endswith(" Nothing here.")
    plt.close()


@pytest.mark.parametrize(("colour", "mode", "off"), [("0.5", "L", 2), ("red", "P", 0)])
def test_a_chart_keeps_its_pixels_in_one_channel_or_in_a_palette(colour: str, mode: str, off: int) -> None:
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot([0, 1], color=colour)
    before, after = _before_and_after(figure)
    assert after.mode == mode
    pixels = (np.asarray(picture.convert("RGB"), dtype=float) for picture in (before, after))
    assert np.abs(np.subtract(*pixels)).max() <= off


def test_black_and_white_stay_so_where_greys_are_rounded() -> None:
    picture = Image.fromarray(np.arange(256, dtype=np.uint8)[None].repeat(4, axis=0))
    file = io.BytesIO()
    picture.save(file, "PNG")
    after = np.asarray(Image.open(io.BytesIO(compact(file.getvalue()))))
    assert len(np.unique(after)) == GREYS
    assert (after[0, 0], after[0, -1]) == (0, 255)


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
