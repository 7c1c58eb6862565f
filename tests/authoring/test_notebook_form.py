"""The form of the notebooks, and the check that holds it."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.authoring.notebook_form import (
    GLOSSARY,
    KERNEL,
    NOTEBOOKS,
    anchors,
    course_notebooks,
    form_problems,
    glossary,
)

OPENING = (
    "# Title\n\nOne sentence.\n\n**You will learn**\n\n- to do a\n- to do b\n- to do c\n\n"
    "**Prerequisites**: none\n\n**Time**: 5 minutes"
)
CLOSING = "## What you have learned\n\n- this\n- that\n\n## Next\n\nThe end."
ENTRIES = "## Glossary\n\n#### opacity\n\nLighter.\n\n#### AUROC\n\nAn area.\n\n#### ROC curve\n\nA curve."
WORDS = "Eight simulated radiographs, four of them with pneumonia."
LIKE_JUPYTERLAB = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
Cells = Callable[[], list[nbformat.NotebookNode]]


def code(source: str, count: int = 1, **more: object) -> nbformat.NotebookNode:
    cell: nbformat.NotebookNode = new_code_cell(source, execution_count=count, **more)
    return cell


def say(words: str) -> nbformat.NotebookNode:
    cell: nbformat.NotebookNode = new_markdown_cell(words)
    return cell


def picture(words: str, caption: str | None = None) -> list[nbformat.NotebookNode]:
    outputs = [new_output("display_data", data={"image/png": "iVBO"}, metadata={"image/png": {"alt": words}})]
    if caption is not None:
        outputs.append(new_output("display_data", data={"text/plain": caption}))
    return outputs


def problems_of(
    folder: Path, *middle: nbformat.NotebookNode, opening: str = OPENING, closing: str = CLOSING
) -> list[str]:
    """What is wrong with lesson 01 of a course with three terms, between whose opening and closing the cells stand."""
    nbformat.write(new_notebook(cells=[say(OPENING), say(ENTRIES), say(CLOSING)]), folder / GLOSSARY)
    cells = [say(opening), *middle, say(closing)]
    nbformat.write(new_notebook(cells=cells, metadata=LIKE_JUPYTERLAB), folder / "01_x.ipynb")
    return form_problems(folder / "01_x.ipynb")


@pytest.mark.slow
@pytest.mark.parametrize("path", course_notebooks(), ids=lambda path: path.stem)
def test_each_notebook_has_the_courses_form(path: Path) -> None:
    assert form_problems(path) == []


def test_the_numbers_of_the_lessons_are_final() -> None:
    names = {path.stem for path in course_notebooks()}
    assert names >= {"00_start_here", "01_preprocessing", "03_building_net", "04_finetuning_resnet", "05_evaluation"}


def test_a_notebook_in_good_form_has_no_problems(tmp_path: Path) -> None:
    drawn = code("plot()", outputs=picture(WORDS, WORDS))
    linked = say(f"[Opacities]({GLOSSARY}#opacity) and the [ROC\ncurve]({GLOSSARY}#ROC-curve). An opacity is light.")
    program = code("x = 1\n" * 24 + "y", 2, metadata={"tags": ["recipe"]})
    assert problems_of(tmp_path, say("## A step"), drawn, linked, program) == []


@pytest.mark.parametrize(
    ("middle", "problem"),
    [
        (lambda: [code("x = 1\n" * 15 + "y")], "more than 15 lines"),
        (lambda: [code("x = 1\n" * 25 + "y", metadata={"tags": ["recipe"]})], "more than 25 lines"),
        (lambda: [code("from numpy import *")], r"imports \*"),
        (lambda: [code("plot();")], "semicolon"),
        (lambda: [code("x", 7)], r"execution counts are not 1, 2, 3"),
        (lambda: [new_code_cell("x")], r"execution counts are not 1, 2, 3"),
        (lambda: [code("x", metadata={"tags": ["nbval-ignore-output"]})], "no claim follows"),
        (lambda: [code("x", outputs=[new_output("error", ename="E", evalue="", traceback=[])])], "holds an error"),
        (lambda: [code("x", outputs=[new_output("stream", name="stderr", text="!")])], "stderr"),
        (lambda: [code("x", 1), code("y", 2), code("z", 3)], "code cell 2 has no words beside it"),
        (lambda: [say("### Too deep"), say("##### Deeper")], "'Too deep' skips a level: it has 3 #.* has 1"),
        (lambda: [say("# A second title")], "the only heading with one #"),
        (lambda: [say("[gone](nowhere.ipynb)")], r"there is no nowhere.ipynb"),
        (lambda: [say(f"[gone]({GLOSSARY}#hilum)")], "00_start_here.ipynb has no heading 'hilum'"),
        (lambda: [say("[gone](#hilum)")], "01_x.ipynb has no heading 'hilum'"),
        (lambda: [code("x", outputs=picture("Short", "Short"))], "5 characters of text alternative"),
        (lambda: [code("x", outputs=picture(WORDS))], "no caption"),
        (lambda: [code("x", outputs=picture(WORDS, "Something else."))], "no caption"),
        (lambda: [code("x", outputs=picture(WORDS, WORDS) * 2)], "says the same as an earlier one"),
        (lambda: [say("Two opacities.")], r"'opacity' is new in '.* Two opacities. .*': write \[opacities\]"),
        (lambda: [say("*Opacity*")], rf"write \[Opacity\]\({GLOSSARY}#opacity\)"),
        (lambda: [say(f"Opacity, or [opacity]({GLOSSARY}#opacity)")], "'opacity' is new"),
        (lambda: [say("The ROC\ncurve")], rf"'ROC curve' is new .*\({GLOSSARY}#ROC-curve\)"),
    ],
)
def test_each_fault_of_form_is_found(tmp_path: Path, middle: Cells, problem: str) -> None:
    found = problems_of(tmp_path, *middle())
    assert any(re.search(problem, text, re.S) for text in found), found


@pytest.mark.parametrize(
    ("found", "written", "problem"),
    [
        ('"nbformat_minor": 5', '"nbformat_minor": 4', "the format must be 4.5"),
        ('"id": "a"', '"metadata": {}', "1 cells have no id"),
        ('"id": "a"', '"id": "b"', "the id 'b' names 2 cells"),
        ("Python 3 (ipykernel)", "Python 3", "the kernel must be"),
        ('"name": "python"\n', '"name": "python", "version": "3.12.1"\n', "no version of it"),
    ],
)
def test_what_jupyterlab_would_write_otherwise_is_found(tmp_path: Path, found: str, written: str, problem: str) -> None:
    path = tmp_path / "01_x.ipynb"
    cells = [new_markdown_cell("a", id="a"), new_markdown_cell("b", id="b")]
    text = nbformat.writes(new_notebook(cells=cells, metadata=LIKE_JUPYTERLAB))
    assert found in text
    path.write_text(text.replace(found, written, 1), encoding="utf-8")
    (said,) = form_problems(path)
    assert problem in said


@pytest.mark.parametrize(
    "words",
    [
        "`opacity`",
        "$AUROC$",
        "## Opacity",
        "auroc",
        "OPACITY",
        "opacity-free",
        "```\nopacity\n```",
        "[opacity](https://x.org)",
    ],
)
def test_only_prose_uses_a_term(tmp_path: Path, words: str) -> None:
    assert problems_of(tmp_path, say(words)) == []


@pytest.mark.parametrize(
    "lost", ["# Title", "**You will learn**", "- to do b\n", "to do b", "**Prerequisites**", "5 minutes"]
)
def test_each_missing_part_of_the_opening_is_found(tmp_path: Path, lost: str) -> None:
    assert problems_of(tmp_path, opening=OPENING.replace(lost, ""))


@pytest.mark.parametrize("lost", ["## What you have learned", "- that\n", "## Next"])
def test_each_missing_part_of_the_closing_is_found(tmp_path: Path, lost: str) -> None:
    assert problems_of(tmp_path, closing=CLOSING.replace(lost, ""))


def test_the_glossary_explains_each_term_once(tmp_path: Path) -> None:
    terms = glossary(NOTEBOOKS / GLOSSARY)
    assert len(terms) >= 40
    assert [term for term, words in terms.items() if not re.match(r"[A-Z0-9].{30,}[.]$", words)] == []
    path = tmp_path / GLOSSARY
    nbformat.write(new_notebook(cells=[say(ENTRIES + "\n\n#### AUROC\n\nAgain.")]), path)
    with pytest.raises(ValueError, match="explains a term twice"):
        glossary(path)


def test_anchors_are_those_of_jupyterlab(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("# One *two*\n\n```\n# no heading\n```\n\n## [A link](x.md) and `code`\n")
    assert anchors(path) == {"One-two", "A-link-and-code"}
