"""One JupyterLab and one browser for all tests of this folder; each test gets a page of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.authoring.notebook_form import NOTEBOOKS
from tests.browser.lab import NotebookPage, chromium, lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium or any Chrome, without a window; where there is none, the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = chromium()
    if executable is None:
        pytest.skip("there is no Chromium or Chrome on the PATH; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"]
        started = driver.chromium.launch(executable_path=executable, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the notebooks."""
    ignored = shutil.ignore_patterns(".ipynb_checkpoints")
    return shutil.copytree(NOTEBOOKS, tmp_path_factory.mktemp("course") / "notebooks", ignore=ignored)


@pytest.fixture(scope="session")
def address(browser: "Browser", notebooks: Path) -> Iterator[str]:
    """JupyterLab on that folder; the address has a place for a notebook's ``{name}``."""
    assert browser.is_connected()
    with lab(notebooks) as url:
        yield url


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """An empty tab."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        yield context.new_page()


@pytest.fixture
def run(page: "Page", address: str) -> Iterator[Callable[[str], NotebookPage]]:
    """Opens a notebook and runs all of it; its kernel ends with the test."""
    opened = []

    def open_and_run(name: str) -> NotebookPage:
        opened.append(notebook := NotebookPage.open(page, address, name))
        notebook.run_all()
        return notebook

    yield open_and_run
    for notebook in opened:
        notebook.close()


@pytest.fixture
def run_cells(run: Callable[[str], NotebookPage], notebooks: Path) -> Callable[..., NotebookPage]:
    """The same with a notebook of some cells."""

    def write_and_run(*sources: str) -> NotebookPage:
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        cells = [new_code_cell(source.strip()) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata=kernel), notebooks / "cells.ipynb")
        return run("cells.ipynb")

    return write_and_run
