"""One JupyterLab and one browser for all tests of this folder; each test gets a page of its own."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.authoring.notebook_form import KERNEL, NOTEBOOKS
from course_lib.support.runtime import COURSE_ROOT
from tests.browser.lab import NotebookPage, chromium, lab
from tests.in_each_process import make_phantoms_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DATASETS = str(COURSE_ROOT / "datasets")


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
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course, without what it downloads, makes or is developed with."""

    def ignored(folder: str, names: list[str]) -> set[str]:
        made = {name for name in names if name.startswith(".") or name in {"build", "__pycache__", "pretrained"}}
        return made | ({path.name for path in Path(folder).iterdir() if path.is_dir()} if folder == DATASETS else set())

    return shutil.copytree(COURSE_ROOT, tmp_path_factory.mktemp("jupyter") / "course", ignore=ignored)


@pytest.fixture(scope="session")
def notebooks(course: Path) -> Path:
    """The folder of its notebooks."""
    return course / NOTEBOOKS.name


@pytest.fixture(scope="session")
def address(browser: "Browser", course: Path) -> Iterator[str]:
    """JupyterLab on that course."""
    assert browser.is_connected()
    with lab(course) as url:
        yield url


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """An empty tab."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        yield context.new_page()


@pytest.fixture
def run(page: "Page", address: str, notebooks: Path) -> Iterator[Callable[[str, Sequence[int]], NotebookPage]]:
    """Opens a notebook and runs some of its cells; its kernel ends with the test."""
    opened = []

    def open_and_run(name: str, cells: Sequence[int]) -> NotebookPage:
        make_phantoms_of(notebooks / name)  # before, so that no cell waits for them
        opened.append(notebook := NotebookPage.open(page, address, name))
        notebook.run(cells)
        return notebook

    yield open_and_run
    for notebook in opened:
        notebook.close()


@pytest.fixture
def run_cells(run: Callable[[str, Sequence[int]], NotebookPage], notebooks: Path) -> Callable[..., NotebookPage]:
    """The same with a notebook of these cells and no others."""

    def write_and_run(*sources: str) -> NotebookPage:
        cells = [new_code_cell(source.strip()) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), notebooks / "cells.ipynb")
        return run("cells.ipynb", range(len(cells)))

    return write_and_run
