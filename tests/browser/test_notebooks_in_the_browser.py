"""Every notebook with a widget or a quiz, run in JupyterLab and used by keyboard and mouse."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from course_lib.authoring.notebook_form import code_cells, course_notebooks
from tests.browser.lab import NotebookPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

INTERACTIVE = re.compile(r"course_lib\.figures\.widgets|\bquiz\(")


def interactive_notebooks() -> list[Path]:
    """The notebooks whose code shows a widget or asks a quiz."""
    return [
        path
        for path in course_notebooks()
        if any(INTERACTIVE.search(cell["source"]) for cell in code_cells(nbformat.read(path, as_version=4)))
    ]


@pytest.mark.parametrize("name", [path.name for path in interactive_notebooks()])
def test_a_notebook_with_widgets_runs_and_answers(run: Callable[[str], NotebookPage], name: str) -> None:
    notebook = run(name)
    page = notebook.page
    assert notebook.stderr() == []
    assert notebook.wordless_pictures() == []
    for number, handle in enumerate(page.locator(".noUi-handle").all()):
        notebook.move_slider(handle)
        notebook.keep(f"slider-{number}")
    for number, group in enumerate(page.locator(".widget-radio-box").all()):
        for option in group.locator("input").all():
            if not option.is_checked():
                notebook.choose(option)
        notebook.keep(f"quiz-{number}")
    notebook.keep("end")
    assert notebook.complaints == []


def test_the_token_dialogue_answers(run_cells: Callable[..., NotebookPage]) -> None:
    notebook = run_cells("from course_lib.figures.widgets import token_dialogue\ntoken_dialogue()")
    notebook.page.get_by_placeholder("paste the token here").fill("short")
    notebook.choose(notebook.page.get_by_role("button", name="Store"))
    assert "Expected the API token" in notebook.page.locator(".widget-html").last.inner_text()
    notebook.keep("dialogue")


def test_a_link_to_the_glossary_leads_to_its_entry(page: "Page", address: str) -> None:
    """While notebook 00 is open. JupyterLab 4.6 opens it at its beginning; only the next click leads to the entry."""
    lesson = NotebookPage.open(page, address, "05_evaluation.ipynb")
    link = page.locator(".jp-Notebook a", has_text="confusion matrix").first
    link.click()
    entry = page.locator("h4[data-jupyter-id=confusion-matrix]")
    entry.wait_for(timeout=60_000)
    page.get_by_role("tab", name=lesson.name).click()
    link.click()
    page.wait_for_function("() => document.querySelector('h4[data-jupyter-id=confusion-matrix]')?.checkVisibility()")
    page.wait_for_timeout(1000)
    box = entry.bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 1000 - box["height"]
    lesson.close()
