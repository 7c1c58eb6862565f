"""The form that every notebook keeps: how it opens, is built and ends, and that it explains its words and pictures.

For authors; not imported by any notebook. The glossary of notebook 00 is the one list of the course's terms: each
heading of level four in it is a term, and each notebook links a term to it where it uses the term first.
"""

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.support.runtime import COURSE_ROOT

NOTEBOOKS = COURSE_ROOT / "notebooks"
GLOSSARY = "00_start_here.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"
NOT_COMPARED = "nbval-ignore-output"
MAX_CODE_LINES = 15
RECIPE = "recipe"  #: tag of a cell that is a whole program, as people write it, and is to be seen at once
MAX_RECIPE_LINES = 25
MAX_BYTES = 500 * 1024
RUN_IT = "run python -m course_lib.authoring notebooks"
MIN_ALTERNATIVE = 40  #: characters
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}  #: as ipykernel installs it

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) +(.+?) *$", re.M)
NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\$[^$]*\$|^#+ [^\n]*|<[^>]+>|(?<!\()https?://\S+", re.M | re.S)


def course_notebooks() -> list[Path]:
    """The notebooks of the course, in the order in which they are read."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def form_problems(path: Path) -> list[str]:
    """What is wrong with a notebook's form, one sentence each, with what to do; empty if nothing is."""
    if unlike_jupyterlab := _saving_problems(json.loads(path.read_text(encoding="utf-8"))):
        return unlike_jupyterlab
    notebook = nbformat.read(path, as_version=4)
    prose = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    text = "\n\n".join(prose)
    problems = [
        *_opening_problems(prose[0] if prose else ""),
        *_section_problems(text),
        *_step_problems(notebook["cells"]),
        *_code_problems(code_cells(notebook)),
        *_picture_problems(code_cells(notebook)),
        *_link_problems(path, text),
        *_term_problems(path, text, glossary(path.parent / GLOSSARY)),
    ]
    if path.stat().st_size > MAX_BYTES:
        problems.append(f"the file has {path.stat().st_size // 1024} KiB, at most {MAX_BYTES // 1024} are allowed")
    return problems


def glossary(path: Path) -> dict[str, str]:
    """The terms that a notebook explains under *Glossary*, each with its explanation; empty if there is no notebook.

    Raises:
        ValueError: a term is explained twice.
    """
    if not path.exists():
        return {}
    *_, section = ["", *re.findall(r"^## Glossary$(.*?)(?=^## |\Z)", _text(path), re.M | re.S)]
    entries = re.findall(r"^#### +(.+?) *$\n(.*?)(?=^#|\Z)", section, re.M | re.S)
    terms = {term: words.strip() for term, words in entries}
    if len(terms) < len(entries):
        raise ValueError(f"{path.name} explains a term twice in its glossary; keep one of the entries.")
    return terms


def anchors(path: Path) -> set[str]:
    """What a link can name in a notebook or a Markdown file: its headings, with dashes for spaces as in JupyterLab."""
    return {re.sub(r"[*`]|\]\([^)]*\)|\[", "", words).replace(" ", "-") for _, words in HEADING.findall(_text(path))}


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that hold code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["source"].strip()]


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    found: list[str] = cell["metadata"].get("tags", [])
    return found


def _saving_problems(notebook: dict[str, Any]) -> list[str]:
    """What JupyterLab would write otherwise; such a notebook counts as changed as soon as it is opened."""
    ids = Counter(cell.get("id", "") for cell in notebook["cells"])
    problems = []
    if (notebook["nbformat"], notebook["nbformat_minor"]) != (4, 5):
        problems.append("the format must be 4.5: save the notebook in JupyterLab")
    if missing := ids.pop("", 0):
        problems.append(f"{missing} cells have no id: {RUN_IT}, which gives them one")
    problems += [f"the id {name!r} names {count} cells: keep one" for name, count in ids.items() if count > 1]
    if notebook["metadata"].get("kernelspec") != KERNEL:
        problems.append(f"the kernel must be {KERNEL}: {RUN_IT}, which writes that")
    if "version" in notebook["metadata"].get("language_info", {"version": ""}):
        problems.append(f"the metadata must name the language, but no version of it: {RUN_IT}")
    return problems


def _opening_problems(opening: str) -> list[str]:
    problems = []
    if not re.match(r"# \S", opening):
        problems.append("the first cell must open with the title, a heading with one #")
    outcomes = re.search(r"\*\*You will learn\*\*\s*\n((?:\s*- .+\n?)+)", opening)
    listed = re.findall(r"^\s*- (.+)$", outcomes[1], re.M) if outcomes else []
    if not 3 <= len(listed) <= 5:
        problems.append("**You will learn** must be followed by a list of three to five outcomes, in the first cell")
    problems += [
        f"the outcome {words!r} must say what the learner can do: begin it with 'to' and a verb"
        for words in listed
        if not re.match(r"to [a-z]", words)
    ]
    for pattern, what in (
        (r"\*\*Prerequisites\*\*: \S", "**Prerequisites**"),
        (r"\*\*Time\*\*: .*?\d+ minutes", "**Time** in minutes"),
    ):
        if not re.search(pattern, opening):
            problems.append(f"the first cell must say {what}")
    return problems


def _section_problems(text: str) -> list[str]:
    headings = [(len(marks), words) for marks, words in HEADING.findall(_without_code(text))]
    problems = []
    if [level for level, _ in headings].count(1) != 1:
        problems.append("the title must be the only heading with one #")
    if [words for level, words in headings if level == 2][-2:] != ["What you have learned", "Next"]:
        problems.append("the last two sections must be 'What you have learned' and 'Next'")
    if not re.search(r"^## What you have learned\s+(?:- .+\s+){2}", text, re.M):
        problems.append("'What you have learned' must be a list of at least two points")
    problems += [
        f"the heading {words!r} skips a level: it has {level} #, the one before it has {before}"
        for (before, _), (level, words) in itertools.pairwise(headings)
        if level > before + 1
    ]
    return problems


def _step_problems(cells: list[NotebookNode]) -> list[str]:
    kinds, number, problems = [cell["cell_type"] for cell in cells], 0, []
    for place, kind in enumerate(kinds):
        number += kind == "code"
        if kind == "code" and "markdown" not in kinds[max(0, place - 1) : place + 2]:
            problems.append(f"code cell {number} has no words beside it: say before or after it what it shows")
    return problems


def _code_problems(cells: list[NotebookNode]) -> list[str]:
    problems = []
    if [cell["execution_count"] for cell in cells] != list(range(1, len(cells) + 1)):
        problems.append(f"execution counts are not 1, 2, 3, …: {RUN_IT}")
    for number, cell in enumerate(cells, start=1):
        source, where = cell["source"], f"code cell {number}"
        most = MAX_RECIPE_LINES if RECIPE in tags(cell) else MAX_CODE_LINES
        if source.count("\n") >= most:
            problems.append(f"{where} has more than {most} lines: move code to course_lib")
        if re.search(r"import \*", source):
            problems.append(f"{where} imports *")
        if source.rstrip().endswith(";"):
            problems.append(f"{where} ends with a semicolon, which nbval does not honour: write _ = …")
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            problems.append(f"{where} holds an error")
        if any(output.get("name") == "stderr" for output in cell["outputs"]):
            problems.append(f"{where} wrote to stderr")
        following = "\n".join(other["source"] for other in cells[number - 1 : number + 3])
        if NOT_COMPARED in tags(cell) and "claim(" not in following:
            problems.append(f"{where} is not compared and no claim follows it")
    return problems


def _picture_problems(cells: list[NotebookNode]) -> list[str]:
    problems, said = [], set()
    for number, cell in enumerate(cells, start=1):
        for output, below in itertools.pairwise([*cell["outputs"], {}]):
            picture = next((kind for kind in output.get("data", {}) if kind.startswith("image/")), None)
            if picture is None:
                continue
            words = output["metadata"].get(picture, {}).get("alt", "")
            if len(words) < MIN_ALTERNATIVE:
                problems.append(
                    f"a picture of code cell {number} has {len(words)} characters of text alternative, at least "
                    f"{MIN_ALTERNATIVE} are needed: draw it with course_lib.figures, or describe(axes, '…') it"
                )
            elif below.get("data", {}).get("text/plain") != words:
                problems.append(f"a picture of code cell {number} has no caption with its text alternative under it")
            elif words in said:
                problems.append(f"a picture of code cell {number} says the same as an earlier one: {words!r}")
            said.add(words)
    return problems


def _link_problems(path: Path, text: str) -> list[str]:
    problems = []
    for target in (target for _, target in LINK.findall(text) if not re.match(r"https?:|mailto:", target)):
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists():
            problems.append(f"the link {target} leads nowhere: there is no {name}")
        elif anchor and anchor not in anchors(file):
            problems.append(f"the link {target} leads nowhere: {file.name} has no heading {anchor!r}")
    return problems


def _term_problems(path: Path, text: str, terms: dict[str, str]) -> list[str]:
    home = "" if path.name == GLOSSARY else GLOSSARY
    prose = NOT_PROSE.sub(" ", re.sub(r"^## Glossary$.*?(?=^## |\Z)", "", text, flags=re.M | re.S))
    problems = []
    for term in terms:
        target = f"{home}#{term.replace(' ', '-')}"
        use = _first_use(term, target, prose)
        if use is not None:
            context = " ".join(prose[max(0, use.start() - 30) : use.end() + 20].split())
            problems.append(f"the term {term!r} is new in '… {context} …': write [{use[0]}]({target})")
    return problems


def _first_use(term: str, target: str, prose: str) -> re.Match[str] | None:
    """Where the term, or its plural, is used before it is a link to its target; None if that does not happen.

    Words of other links do not count as uses. An abbreviation is a term in capitals only, and a word in capitals that
    is none, such as the class PNEUMONIA, is no term.
    """
    ending = rf"{re.escape(term[1:-1])}(?:y|ies)" if term.endswith("y") else rf"{re.escape(term[1:])}(?:s|es)?"
    first = term[0] if term[0].isupper() else f"[{term[0]}{term[0].upper()}]"
    words = f"{first}{ending}".replace(r"\ ", r"\s+")
    for use in re.finditer(rf"(?P<link>(?<!!)\[[^\]]+\]\((?P<to>[^)\s]+)\))|(?<![\w-]){words}(?![\w-])", prose):
        if use["link"] is None:
            return use
        if use["to"] == target:
            return None
    return None


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.S)


def _text(path: Path) -> str:
    """The prose of a notebook or a Markdown file."""
    if path.suffix != ".ipynb":
        return _without_code(path.read_text(encoding="utf-8"))
    cells = nbformat.read(path, as_version=4)["cells"]
    return _without_code("\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown"))
