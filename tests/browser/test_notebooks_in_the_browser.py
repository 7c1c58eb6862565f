"""Every notebook with a widget or a quiz, run in JupyterLab and used by keyboard and mouse."""

import re
import symtable
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from course_lib.authoring.notebook_form import code_cells, course_notebooks
from tests.browser.lab import OUTPUT, NotebookPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEW = f"{OUTPUT}:has(> .jupyter-widgets)"
WIDGET = re.compile(
    r"^(?:from course_lib\.figures\.widgets import \w+_(?:explorer|viewer|dialogue|breaker)$|quiz\()", re.M
)


def cells_to_run(path: Path) -> list[int]:
    """The code cells with a widget or a quiz, and those above that make what these use; by their place, in order.

    The others say the same in every run: nbval runs them all and compares, and the page shows what is stored of them.
    """
    cells = nbformat.read(path, as_version=4)["cells"]
    needed: set[str] = set()
    places = []
    for place, cell in reversed(list(enumerate(cells))):
        if cell["cell_type"] == "code":
            made, used = _names(cell["source"])
            if made & needed or WIDGET.search(cell["source"]):
                places.append(place)
                needed = (needed - made) | used
    return sorted(places)


def widgets(path: Path) -> int:
    """How many widgets and quizzes a notebook has."""
    return sum(len(WIDGET.findall(cell["source"])) for cell in code_cells(nbformat.read(path, as_version=4)))


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names of the notebook that a cell binds, and those that it uses."""
    table = symtable.symtable(source, "cell", "exec")
    bound = [name for name in table.get_symbols() if name.is_assigned() or name.is_imported() or name.is_namespace()]
    return {name.get_name() for name in bound}, _used(table)


def _used(table: symtable.SymbolTable) -> set[str]:
    names = [name for name in table.get_symbols() if name.is_referenced()]
    own = {name.get_name() for name in names if table.get_type() == "module" or name.is_global()}
    return own.union(*(_used(inner) for inner in table.get_children()))


INTERACTIVE = [path for path in course_notebooks() if cells_to_run(path)]


@pytest.mark.parametrize("path", INTERACTIVE, ids=lambda path: path.name)
def test_a_notebook_with_widgets_runs_and_answers(run: Callable[..., NotebookPage], path: Path) -> None:
    notebook = run(path.name, cells_to_run(path))
    page = notebook.page
    page.locator(VIEW).nth(widgets(path) - 1).wait_for(timeout=60_000)
    assert notebook.stderr() == []
    assert notebook.wordless_pictures() == []
    for number, handle in enumerate(page.locator(".noUi-handle").all()):
        notebook.move_slider(handle)
        notebook.keep(f"slider-{number}")
    for number, group in enumerate(page.locator(".widget-radio-box").all()):
        for option in group.locator("input").all():
            if not option.is_checked():
                notebook.choose(option)
        notebook.keep(f"choice-{number}")
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
