"""The tool that runs and cleans the notebooks."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.authoring import notebooks
from course_lib.authoring.__main__ import main
from course_lib.authoring.folder_argument import real_folder
from course_lib.authoring.notebook_form import KERNEL, WIDGET, course_notebooks
from course_lib.authoring.notebooks import FIGURES, RealRun, clean, covers, exercise_problems, results_page
from course_lib.support.runtime import COURSE_ROOT
from tests.modalities.brain_mri.matlab_files import write_set
from tests.modalities.brain_mri.slices_folder import write_folds
from tests.modalities.chest_ct.marked_folder import write_patients as write_nodules
from tests.modalities.chest_findings.made_films import write_patients as write_films


def code(source: str, count: int = 1, **more: object) -> nbformat.NotebookNode:
    cell: nbformat.NotebookNode = new_code_cell(source, execution_count=count, **more)
    return cell


@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_no_exercise_is_solved_already(path: Path) -> None:
    assert exercise_problems(path) == []


@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_the_readme_shows_one_figure_of_each_notebook(path: Path) -> None:
    picture = FIGURES / f"{path.stem}.png"
    assert covers(nbformat.read(path, as_version=4)) == [picture.read_bytes()]
    shown = rf'<img src="{picture.relative_to(COURSE_ROOT).as_posix()}" width="\d+" alt="[^"]{{40,}}">'
    assert re.search(shown, (COURSE_ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([code('check("3.1", output_size)')], "add the stub"),
        ([code("def output_size(): return 1"), code('check("3.1", output_size)', 2)], "3.1 is no stub"),
    ],
)
def test_an_exercise_without_a_stub_is_found(tmp_path: Path, cells: list[nbformat.NotebookNode], problem: str) -> None:
    nbformat.write(new_notebook(cells=cells), tmp_path / "00_x.ipynb")
    assert any(problem in found for found in exercise_problems(tmp_path / "00_x.ipynb"))


def test_an_example_may_be_solved(tmp_path: Path) -> None:
    example = code('check("3.1", output_size)', 2, metadata={"tags": ["example"]})
    nbformat.write(new_notebook(cells=[code("def output_size(): return 1"), example]), tmp_path / "00_x.ipynb")
    assert exercise_problems(tmp_path / "00_x.ipynb") == []


@pytest.mark.slow
def test_solved_copies_are_run_and_a_refused_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        code("from course_lib.lessons import check\nfrom course_lib.lessons.building_net import output_size as right"),
        code("def output_size(): ...\ndef receptive_field(): ..."),
        code('check("3.1", output_size)'),
        code('globals()["receptive_field"] = right'),
        code('check("3.3", receptive_field)'),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "00_x.ipynb")
    monkeypatch.setattr(notebooks, "course_notebooks", lambda: [tmp_path / "00_x.ipynb"])
    monkeypatch.setattr(notebooks, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    assert main(["solutions"]) == 1
    said = capsys.readouterr().out
    assert "00_x.ipynb: 2 exercises\n00_x.ipynb: the reference answer is refused:\nExercise 3.3: not yet." in said
    assert "Exercise 3.1" not in said
    solved = nbformat.read(tmp_path / "solutions" / "00_x.ipynb", as_version=4)["cells"]
    assert not (tmp_path / "progress.json").exists()
    assert solved[2]["outputs"][0]["text"] == "Exercise 3.1: correct.\n"


def test_cleaning_keeps_outputs_and_drops_noise() -> None:
    question = new_output("execute_result", data={WIDGET: {"model_id": "5f"}, "text/plain": "Which?"})
    words = new_output("stream", name="stdout", text="kept")
    cell = new_code_cell(
        "fit()",
        execution_count=12,
        outputs=[question, words],
        metadata={"execution": {"iopub.status.busy": "2026-01-01T00:00:00.000000Z"}},
    )
    notebook = new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    written = cell["id"]
    clean(notebook)
    assert notebook.cells[0].id == written
    assert notebook.metadata.kernelspec == KERNEL
    assert notebook.cells[0].outputs[0].data == {"text/plain": "Which?"}
    assert notebook.cells[0].outputs[1].text == "kept"
    assert notebook.cells[0].execution_count == 1
    assert "execution" not in notebook.cells[0].metadata
    assert "widgets" not in notebook.metadata


@pytest.mark.slow
def test_what_only_the_author_sees_does_not_get_into_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_DATA", "real X-rays")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    says = code("import os; print(os.environ.get('COURSE_DATA'), os.listdir(os.environ['COURSE_CACHE']))")
    bars = code("from course_lib.support.runtime import bars_are_off; print(bars_are_off())")
    path = tmp_path / "08_x.ipynb"
    monkeypatch.delenv("TQDM_DISABLE")
    nbformat.write(new_notebook(cells=[says, bars]), path)
    notebooks.execute_in_place(path)
    assert capfd.readouterr().err == ""  # the kernel warns of nothing
    cells = nbformat.read(path, as_version=4)["cells"]
    assert cells[0]["outputs"][0]["text"] == "None []\n"
    assert cells[1]["outputs"][0]["text"] == "True\n"


def test_a_failed_notebook_is_on_the_page() -> None:
    runs = [
        RealRun("03_x", 12.0, ("| a |",), ("✓ good",), ""),
        RealRun("04_y", 3.0, (), (), "ClaimError: Not true here"),
    ]
    page = results_page(runs, {"09_z": ["hippocampus_mri"]})
    assert "## 03_x: ran whole, 12 s\n\n| a |\n\n- ✓ good" in page
    assert "## 04_y: FAILED, 3 s" in page
    assert "ClaimError: Not true here" in page
    assert "- 09_z was not run: the folder holds no hippocampus_mri" in page


def test_a_notebook_runs_where_the_images_are_that_it_opens(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "09_x.ipynb"
    cells = [code("data = open_dataset()"), code('more = open_dataset("hippocampus_mri", profile=small)', 2)]
    nbformat.write(new_notebook(cells=cells), path)
    assert notebooks.modalities_of(path) == {"chest_xray", "hippocampus_mri"}
    assert notebooks.modalities_in(folder) == {"chest_xray"}
    assert notebooks.modalities_in(tmp_path / "empty") == set()


def test_a_folder_of_slices_or_of_their_matlab_files_is_of_one_modality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    for folder in (write_folds(tmp_path / "folds"), write_set(tmp_path / "set")):
        assert real_folder(str(folder)) == folder
        assert notebooks.modalities_in(folder) == {"brain_mri"}


@pytest.mark.parametrize(
    ("write", "slug", "modality"),
    [(write_nodules, "lidc-nodules", "chest_ct"), (write_films, "nih-chest-xrays", "chest_findings")],
)
def test_a_room_with_another_set_is_for_the_notebook_that_opens_it(
    tmp_path: Path, folder: Path, write: Callable[..., Path], slug: str, modality: str
) -> None:
    room = tmp_path / "room"
    write(room / slug, patients=6)
    folder.rename(room / "chest-xray-pneumonia")
    path = tmp_path / "11_x.ipynb"
    nbformat.write(new_notebook(cells=[code(f'data = open_dataset("{modality}", "phantom")')]), path)
    assert real_folder(str(room)) == room
    assert notebooks.modalities_of(path) == {modality}
    assert notebooks.modalities_in(room / slug) == {modality}
    assert notebooks.modalities_in(room) == {"chest_xray", modality}
