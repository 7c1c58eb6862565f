"""The tool that runs and cleans the notebooks."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.notebooks import RealRun, clean, main, results_page


def test_cleaning_keeps_outputs_and_drops_noise() -> None:
    bar = new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"})
    words = new_output("stream", name="stdout", text="kept")
    cell = new_code_cell(
        "fit()",
        execution_count=12,
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
