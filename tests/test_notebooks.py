"""The notebooks' form, and the tool that checks it."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib import notebooks
from course_lib.notebooks import RealRun, clean, course_notebooks, form_problems, main, results_page

OPENING = (
    "# Title\n\nOne sentence.\n\n**You will learn**\n\n- a\n- b\n- c\n\n**Prerequisites**: none\n\n**Time**: 5 minutes"
)
CLOSING = "## What you have learned\n\n- it\n\n## Next\n\nThe end."


@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_each_notebook_has_the_courses_form(path: Path) -> None:
    assert form_problems(path) == []


def test_the_numbers_of_the_lessons_are_final() -> None:
    names = {path.stem for path in course_notebooks()}
    assert names >= {"00_start_here", "01_preprocessing", "03_building_net", "04_finetuning_resnet", "05_evaluation"}


def code(source: str, count: int = 1, **more: object) -> nbformat.NotebookNode:
    cell: nbformat.NotebookNode = new_code_cell(source, execution_count=count, **more)
    return cell


Wrong = Callable[[], list[nbformat.NotebookNode]]


@pytest.mark.parametrize(
    ("middle", "problem"),
    [
        (lambda: [code("x = 1\n" * 15 + "y")], "more than 15 lines"),
        (lambda: [code("from numpy import *")], r"imports \*"),
        (lambda: [code("plot();")], "semicolon"),
        (lambda: [code("x", 7)], r"execution counts are not 1, 2, 3"),
        (lambda: [code("x", metadata={"tags": ["nbval-ignore-output"]})], "no claim follows"),
        (lambda: [code("x", outputs=[new_output("error", ename="E", evalue="", traceback=[])])], "holds an error"),
        (lambda: [code("x", outputs=[new_output("stream", name="stderr", text="!")])], "stderr"),
        (lambda: [new_markdown_cell("### Too deep"), new_markdown_cell("##### Deeper")], "skips a level"),
        (lambda: [new_markdown_cell("[gone](nowhere.ipynb)")], "nowhere.ipynb leads nowhere"),
        (lambda: [new_markdown_cell("# A second title")], "the only heading with one #"),
        (lambda: [code('check("3.1", output_size)')], "add the stub"),
        (lambda: [code("def output_size(): return 1"), code('check("3.1", output_size)', 2)], "3.1 is no stub"),
    ],
)
def test_each_fault_of_form_is_found(tmp_path: Path, middle: Wrong, problem: str) -> None:
    path = tmp_path / "00_x.ipynb"
    good = [new_markdown_cell(OPENING), new_markdown_cell(CLOSING)]
    nbformat.write(new_notebook(cells=good), path)
    assert form_problems(path) == []
    nbformat.write(new_notebook(cells=[good[0], *middle(), good[1]]), path)
    found = form_problems(path)
    assert any(re.search(problem, text) for text in found), found


@pytest.mark.parametrize("lost", ["**You will learn**", "**Prerequisites**", "**Time**", "## Next"])
def test_each_missing_part_is_found(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "00_x.ipynb"
    cells = [new_markdown_cell(text.replace(lost, "")) for text in (OPENING, CLOSING)]
    nbformat.write(new_notebook(cells=cells), path)
    assert form_problems(path)


def test_solved_copies_are_run_and_a_refused_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        code(
            "from course_lib.exercises import check\nfrom course_lib.exercises.building_net import output_size as right"
        ),
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
    bar = new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"})
    words = new_output("stream", name="stdout", text="kept")
    cell = code(
        "fit()",
        12,
        outputs=[bar, words],
        metadata={"tags": ["nbval-ignore-output"], "execution": {"iopub.status.busy": "2026-01-01T00:00:00.000000Z"}},
    )
    notebook = new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    clean(notebook)
    assert [output["output_type"] for output in notebook.cells[0].outputs] == ["stream"]
    assert notebook.cells[0].execution_count == 1
    assert "execution" not in notebook.cells[0].metadata
    assert "widgets" not in notebook.metadata


def test_the_real_run_wants_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["real", ""]) == 2
    assert "make real DATA=<folder" in capsys.readouterr().out


def test_a_failed_notebook_is_on_the_page() -> None:
    runs = [
        RealRun("03_x", 12.0, ("| a |",), ("✓ good",), ""),
        RealRun("04_y", 3.0, (), (), "ClaimError: Not true here"),
    ]
    page = results_page(runs)
    assert "## 03_x: ran whole, 12 s\n\n| a |\n\n- ✓ good" in page
    assert "## 04_y: FAILED, 3 s" in page
    assert "ClaimError: Not true here" in page
