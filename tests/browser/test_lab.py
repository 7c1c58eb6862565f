"""The page that the browser tests use: it moves what moves, and reports what stands still or has no words."""

from collections.abc import Callable

import pytest

from tests.browser import lab
from tests.browser.lab import NotebookPage

WIDGETS = """
import ipywidgets as w

def view(kind, **options):
    control, shown = kind(**options), w.HTML()
    control.observe(lambda change: setattr(shown, "value", f"It is {change.new}."), "value")
    return w.VBox([control, shown])
"""
ANSWERING = ["view(w.IntSlider, value=9, max=9)", "view(w.RadioButtons, options=['a', 'b'], value=None)"]
SILENT = ["w.IntSlider()", "w.RadioButtons(options=['a', 'b'], value=None)"]
PICTURES = """
from course_lib.figures import plot_images
_ = plot_images([[[0.0, 1.0]]], ["two pixels"], "A picture with words")
w.HTML("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
"""


def test_widgets_that_answer_are_moved_and_clicked(run_cells: Callable[..., NotebookPage]) -> None:
    notebook = run_cells(WIDGETS, *ANSWERING)
    assert 0 < notebook.move_slider(notebook.page.locator(".noUi-handle")) < lab.CHANGE_SECONDS
    assert "It is 8." in notebook.page.inner_text(".jp-Notebook")  # it stood at its end
    for option in notebook.page.locator(".widget-radio-box input").all():
        notebook.choose(option)
    assert "It is b." in notebook.page.inner_text(".jp-Notebook")
    assert notebook.keep("widgets").stat().st_size > 1000
    assert notebook.complaints == []


def test_widgets_that_stay_silent_are_reported(
    run_cells: Callable[..., NotebookPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "CHANGE_SECONDS", 1)
    notebook = run_cells(WIDGETS, *SILENT)
    with pytest.raises(TimeoutError, match=r"cells.ipynb shows the same after 1 s"):
        notebook.move_slider(notebook.page.locator(".noUi-handle"))
    with pytest.raises(TimeoutError, match=r"cells.ipynb shows the same after 1 s"):
        notebook.choose(notebook.page.locator(".widget-radio-box input").first)


def test_what_goes_wrong_in_a_notebook_is_seen(run_cells: Callable[..., NotebookPage]) -> None:
    notebook = run_cells(WIDGETS, PICTURES, "import sys; print('careful', file=sys.stderr)", "1 / 0")
    assert notebook.wordless_pictures() == ["from course_lib.figures import plot_images"]  # the first has words
    careful, traceback = notebook.stderr()
    assert careful.strip() == "careful"
    assert "ZeroDivisionError" in traceback
    notebook.page.evaluate("console.error('broken')")
    assert notebook.complaints == ["broken"]
