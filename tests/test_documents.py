"""What the README and the other pages say is true: links lead somewhere, and commands, files and numbers are there."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.authoring.__main__ import VERBS
from course_lib.authoring.notebook_form import LINK, anchors, course_notebooks
from course_lib.lessons import WORKBOOK
from course_lib.support.runtime import COURSE_ROOT

README = COURSE_ROOT / "README.md"
RESULTS = COURSE_ROOT / "docs" / "results.md"
PAGES = [README, COURSE_ROOT / "CONTRIBUTING.md", COURSE_ROOT / "datasets" / "README.md"]
PAGES += sorted((COURSE_ROOT / "docs").glob("*.md"))
MOST_LINES = 120

CODE = re.compile(r"^```\n(.+?)^```$|`([^`\n]+)`", re.M | re.S)
FILE = re.compile(
    r"(?<![\w./-])(?:(?:course_lib|tests|notebooks|datasets|docs|\.github)/[\w./-]*\w|\w+\.(?:md|toml|yml|txt|cff))"
)
EXAMPLES = {"datasets/a.toml", "datasets/b.toml", "notebooks/.progress.json"}  #: no file of the repository
ROW = re.compile(r"^\|.*\[(\d\d) ([^]]+)\]\(([^)]+)\) \|(.+)\|$", re.M)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(COURSE_ROOT).as_posix())


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> list[str]:
    """What stands in code blocks, line by line and without its remarks, and between backticks."""
    found = [block or span for block, span in CODE.findall(text(page))]
    return [re.split(r"\s{2,}# ", line)[0] for part in found for line in part.splitlines()]


def commands(page: Path, program: str) -> Iterator[list[str]]:
    """The arguments of each call of a program."""
    for line in code(page):
        for given in re.findall(rf"(?:^|[\s/]){re.escape(program)} ([^;]+)", line):
            yield given.split()


def on_github(anchor: str) -> str:
    """How GitHub calls the heading that JupyterLab calls so."""
    return re.sub(r"[^\w-]", "", anchor).lower()


def test_the_readme_is_short() -> None:
    assert text(README).count("\n") <= MOST_LINES


@pages
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """In the repository and in JupyterLab, which shows no hidden files and opens no folders by a link."""
    targets = [target for _, target in LINK.findall(text(page))]
    targets += re.findall(r'(?:!\[[^\]]*\]\(|<img src=")([^)"]+)', text(page))
    wrong = []
    for target in (target for target in targets if not re.match("https?:", target)):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        hidden = any(part.startswith(".") for part in file.relative_to(COURSE_ROOT).parts)
        named = not anchor or (anchor in anchors(file) and on_github(anchor) == anchor.lower())
        if hidden or not file.is_file() or not named:
            wrong.append(target)
    assert wrong == []


@pages
def test_every_make_target_and_variable_is_in_the_makefile(page: Path) -> None:
    makefile = text(COURSE_ROOT / "Makefile")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.M))
    variables = set(re.findall(r"^(\w+) \?=", makefile, re.M))
    for words in commands(page, "make"):
        assert words[0] in targets or words[0].partition("=")[0] in variables, f"make {' '.join(words)}"
        assert set(re.findall(r"(?:^|\s)([A-Z_]+)=", " ".join(words))) <= variables


@pages
def test_every_module_that_is_called_can_be(page: Path) -> None:
    for module, *arguments in commands(page, "python -m"):
        if module in ("pip", "pytest"):
            continue
        spec = importlib.util.find_spec(module)
        assert spec, module
        runs = importlib.util.find_spec(f"{module}.__main__") if spec.submodule_search_locations else spec
        assert runs, module
        assert '__name__ == "__main__"' in text(Path(str(runs.origin))), module
        if module == "course_lib.authoring" and arguments:
            assert arguments[0] in {*VERBS, "<verb>"}, arguments


@pages
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {file for line in code(page) if "<" not in line for file in FILE.findall(line)} - EXAMPLES
    assert [file for file in named if not any((folder / file).exists() for folder in (COURSE_ROOT, page.parent))] == []


@pages
def test_every_module_that_is_named_is_there(page: Path) -> None:
    for name in {name for line in code(page) for name in re.findall(r"\bcourse_lib(?:\.\w+)+", line)}:
        place, attribute = COURSE_ROOT / name.replace(".", "/"), name.rpartition(".")[2]
        if place.is_dir() or place.with_suffix(".py").is_file():
            continue
        module = place.parent / "__init__.py" if place.parent.is_dir() else place.parent.with_suffix(".py")
        assert module.is_file(), name
        assert re.search(rf"\b{attribute}\b", text(module)), name


@pytest.mark.parametrize("page", ["Makefile", "environment.yml", "docs/installing.md"])
def test_every_way_in_starts_jupyterlab_alike(page: str) -> None:
    assert "jupyter lab --config=jupyter_lab_config.py" in text(COURSE_ROOT / page)


def test_the_readme_shows_one_table_of_results_as_the_page_of_results_has_it() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", text(README), re.M)
    path, results = tables
    assert "[00 Start here]" in path
    assert results.startswith("| 95 % interval over patients |")
    assert results in text(RESULTS)


@pytest.mark.parametrize("page", [README, COURSE_ROOT / "docs" / "instructors.md"], ids=["README", "instructors"])
def test_the_path_lists_the_notebooks_with_their_titles_and_minutes(page: Path) -> None:
    rows = [
        (number, title, (page.parent / link).resolve(), cells) for number, title, link, cells in ROW.findall(text(page))
    ]
    assert [path for _, _, path, _ in rows] == course_notebooks()
    for number, title, path, cells in rows:
        opening = "".join(json.loads(text(path))["cells"][0]["source"])
        assert path.name.startswith(number)
        assert opening.startswith(f"# {title}\n")
        (time,) = re.findall(r"\*\*Time\*\*: (open end|\d+ minutes)", opening)
        assert time.removesuffix(" minutes") in [cell.strip() for cell in cells.split("|")]


def test_the_instructors_page_counts_exercises_and_questions() -> None:
    rows = ROW.findall(text(COURSE_ROOT / "docs" / "instructors.md"))
    counts = {number: [int(cell) for cell in cells.split("|")[1:]] for number, _, _, cells in rows}
    assert counts == {lesson.number: [len(lesson.exercises), len(lesson.questions)] for lesson in WORKBOOK.lessons}
