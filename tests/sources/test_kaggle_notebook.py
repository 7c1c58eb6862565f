"""Notebook 00's section on Kaggle, run in a kernel of its own: without a network first, then with a token."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.authoring.notebook_form import NOTEBOOKS
from course_lib.sources.dataset_card import load_card
from tests.sources.kaggle_fixtures import NOBODYS_PROXY, SECRETS, TOKEN, point_client_at
from tests.sources.kaggle_stand_in import StandIn, running
from tests.sources.xray_archive import write_archive


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Serves the whole set in small, to those with a token only; what the kernel inherits says where."""
    card = load_card("chest-xray-pneumonia")
    archive = write_archive(tmp_path / "served.zip", card)
    (tmp_path / "home").mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    with running(StandIn({card.handle: lambda: archive}, tokens={TOKEN}, anonymous=False)) as world:
        point_client_at(world, monkeypatch.setenv)
        yield world


def section() -> list[nbformat.NotebookNode]:
    """The code cells of the section as the learner has them."""
    cells = nbformat.read(NOTEBOOKS / "00_start_here.ipynb", as_version=4).cells
    first = next(n for n, cell in enumerate(cells) if cell.source.startswith("## Real radiographs"))
    last = next(n for n, cell in enumerate(cells) if cell.source.startswith("## The lessons"))
    return [new_code_cell(cell.source) for cell in cells[first:last] if cell.cell_type == "code"]


@pytest.mark.slow
def test_the_section_runs_without_a_network_without_a_token_and_with_one(kaggle: StandIn) -> None:
    start = "import os\nfrom course_lib.support import claim\nfrom course_lib.modalities.registry import open_dataset"
    offline = "\n".join(f"os.environ[{name!r}] = {NOBODYS_PROXY!r}" for name in ("HTTP_PROXY", "http_proxy"))
    online = "\n".join(f"os.environ[{name!r}] = {kaggle.url!r}" for name in ("HTTP_PROXY", "http_proxy"))
    type_token = f"row = dialogue.children[1]\nrow.children[0].value = {TOKEN!r}\nrow.children[1].click()"
    dialogue, ask, check = section()
    dialogue.source = dialogue.source.replace("\ntoken_dialogue()", "\ndialogue = token_dialogue()\ndialogue")
    cells = [
        new_code_cell(f"{start}\n{offline}"),
        *(new_code_cell(cell.source) for cell in (dialogue, ask, check)),
        new_code_cell(online),
        *(new_code_cell(cell.source) for cell in (ask, check)),
        new_code_cell(type_token),
        *(new_code_cell(cell.source) for cell in (ask, check)),
    ]
    notebook = new_notebook(cells=cells)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    said = ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]
    assert "Kaggle can not be reached" in said[2]
    assert "there is no token on this computer" in said[5]
    assert said[8].startswith("Asking Kaggle for Chest X-Ray Images (Pneumonia) …\nUnpacking and verifying")
    assert "Chest X-Ray Images (Pneumonia)\n" in said[8]
    assert "test             624" in said[8]
    assert all(said[n].startswith("✓ the whole test split") for n in (3, 6, 9))
    assert len(kaggle.downloads()) == 1
    notebook.cells[7].source = ""  # the test's own way of typing
    assert not [secret for secret in SECRETS if secret in nbformat.writes(notebook)]
