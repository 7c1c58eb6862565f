"""Runs, cleans and checks the course's notebooks."""

import argparse
import base64
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from traitlets.config import Config

from course_lib.authoring.exercise_cells import ExerciseError, Place, find, solve
from course_lib.authoring.folder_argument import real_folder
from course_lib.authoring.notebook_form import (
    KERNEL,
    NOTEBOOKS,
    WIDGET,
    code_cells,
    course_notebooks,
    form_problems,
    tags,
)
from course_lib.data.image_folder import recognise_card
from course_lib.data.marked_slices import holds_marked
from course_lib.data.outlined_folder import holds_outlined
from course_lib.data.volume_folder import holds_volumes
from course_lib.modalities.chest_xray.modality import CHEST_XRAY
from course_lib.modalities.registry import MODALITIES, dataset_folder, open_dataset
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, current_profile

REAL_RESULTS = COURSE_ROOT / "build" / "real"
SOLUTIONS = COURSE_ROOT / "build" / "solutions"
RESULT = "result"  #: tag of a cell whose table goes to the page of results
EXAMPLE = "example"  #: tag of a check whose exercise is solved on purpose, to show how exercises work
COVER = "cover"  #: tag of the cell whose figure stands for the notebook in the README
FIGURES = NOTEBOOKS / "figures"
CELL_TIMEOUT_SECONDS = 3600
OPENED = re.compile(r'\bopen_dataset\((?:"(\w+)")?')  #: of which modality; none is named for chest X-rays


def run_in_place(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``notebooks``; gives 0 if all ran and their form is right."""
    parser.add_argument("notebooks", nargs="*", type=Path, help="these alone; without any, all of the course")
    paths = parser.parse_args(arguments).notebooks or course_notebooks()
    for path in paths:
        execute_in_place(path)
    return _report_form(paths)


def check_form(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``check-notebooks``; gives 0 if the form of all is right."""
    parser.parse_args(arguments)
    return _report_form(course_notebooks())


def run_solved(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``solutions``; gives 0 if every check says correct. The copies go to build/solutions/."""
    parser.parse_args(arguments)
    SOLUTIONS.mkdir(parents=True, exist_ok=True)
    return _report({path: _run_solved(path) for path in course_notebooks()})


def run_on_real_images(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``real``; gives 0 if each notebook ran whole and every claim held.

    The executed notebooks and the page ``results.md`` go to ``build/real/``, which git ignores: real patient images
    stay out of the repository.
    """
    parser.add_argument("folder", type=real_folder, help="one data set, or a room with several")
    folder = parser.parse_args(arguments).folder
    os.environ["COURSE_DATA"] = str(folder)
    REAL_RESULTS.mkdir(parents=True, exist_ok=True)
    there = modalities_in(folder)
    for modality in there:
        print(open_dataset(modality))
    needs = {path: modalities_of(path) for path in course_notebooks()}
    runs = [_run_on_real_images(path) for path, names in needs.items() if names <= there]
    left_out = {path.stem: sorted(names - there) for path, names in needs.items() if not names <= there}
    page = results_page(runs, left_out)
    (REAL_RESULTS / "results.md").write_text(page, encoding="utf-8")
    print(f"\n{page}\nWritten to {REAL_RESULTS.relative_to(COURSE_ROOT)}/")
    return 1 if any(run.error for run in runs) else 0


def modalities_in(folder: Path) -> set[str]:
    """The names of the modalities of which this folder holds images: one data set, or a room with several."""
    return {name for name in MODALITIES if _holds(folder, name)}


def modalities_of(path: Path) -> set[str]:
    """The names of the modalities whose images a notebook opens; chest X-rays, if it names none."""
    code = "\n".join(cell["source"] for cell in code_cells(nbformat.read(path, as_version=4)))
    return {name or CHEST_XRAY.name for name in OPENED.findall(code)} or {CHEST_XRAY.name}


def execute_in_place(path: Path) -> None:
    """Run a notebook from top to bottom as a learner would get it, clean it, and save it with its outputs.

    An empty cache stands in for the author's own, so that no patient's image gets into a notebook. No progress bar
    does either: only a slow computer would show it.

    Raises:
        CellExecutionError: a cell failed; the file is left as it was.
    """
    os.environ.pop("COURSE_DATA", None)
    os.environ["COURSE_PROFILE"] = "quick"
    for modality in modalities_of(path):
        open_dataset(modality)  # made before the run, so that its progress bar is in no output
    print(f"{path.name} … ", end="", flush=True)
    started = time.monotonic()
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as empty:
        run(notebook, COURSE_CACHE=empty, TQDM_DISABLE="1")
    clean(notebook)
    nbformat.write(notebook, path)
    for picture in covers(notebook):
        (FIGURES / f"{path.stem}.png").write_bytes(picture)
    print(f"{time.monotonic() - started:.0f} s")


def run(notebook: NotebookNode, **settings: str) -> None:
    """Execute all cells with the notebooks' folder as the working folder; the outputs go into the notebook.

    ``settings`` are environment variables for the kernel.

    The exercises are those of a learner who has solved none; what the author has solved stays as it is.
    """
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        config=Config(KernelManager={"transport_encryption": "auto"}),  # a kernel warns of a connection in plain text
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    with tempfile.TemporaryDirectory() as scratch:
        client.execute(env={**os.environ, **settings, "COURSE_PROGRESS": str(Path(scratch) / "progress.json")})


def clean(notebook: NotebookNode) -> None:
    """Take out what changes from run to run and tells a reader nothing: widgets, but not their words, and timings.

    What is left is what JupyterLab writes when it saves the notebook unchanged. The cells keep their ids.
    """
    from nbstripout import strip_output  # in the extra `test`, which learners do not install

    keys = [
        "metadata.widgets",
        "metadata.language_info.version",
        "cell.metadata.execution",
        "cell.metadata.ExecuteTime",
    ]
    strip_output(notebook, keep_output=True, keep_count=True, keep_id=True, extra_keys=keys)
    for number, cell in enumerate(code_cells(notebook)):
        cell["execution_count"] = number + 1
        for output in cell["outputs"]:
            output.get("data", {}).pop(WIDGET, None)
            if "execution_count" in output:
                output["execution_count"] = number + 1
    notebook["metadata"]["kernelspec"] = dict(KERNEL)


def covers(notebook: NotebookNode) -> list[bytes]:
    """The figures, as PNG, of the cells with the tag `COVER`."""
    outputs = [output for cell in code_cells(notebook) if COVER in tags(cell) for output in cell["outputs"]]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    return [base64.b64decode(picture) for picture in pictures]


def exercise_problems(path: Path) -> list[str]:
    """What is wrong with a notebook's exercises: each must be a stub above its check, and not solved.

    A check with the tag `EXAMPLE` shows an answer.
    """
    cells = code_cells(nbformat.read(path, as_version=4))
    try:
        places = find([cell["source"] for cell in cells])
    except ExerciseError as error:
        return [str(error)]
    attempted = [
        place
        for place in places
        if EXAMPLE not in tags(cells[place.check])
        and f"Exercise {place.exercise.number}: not attempted yet." not in _said(cells[place.check])
    ]
    return [f"exercise {place.exercise.number} is no stub: let its body be ..." for place in attempted]


@dataclass(frozen=True)
class RealRun:
    """What came of one notebook on real images."""

    name: str
    seconds: float
    tables: tuple[str, ...]  #: Markdown, from the cells tagged ``result``
    claims: tuple[str, ...]  #: the sentences that held
    error: str  #: empty if the notebook ran whole


def results_page(runs: Sequence[RealRun], left_out: Mapping[str, Sequence[str]]) -> str:
    """One page of Markdown: per notebook whether it ran, its tables and its claims.

    ``left_out`` are the notebooks that were not run, each with the modalities whose images are missing.
    """
    lines = [f"# Results on real images, profile {current_profile().name}", ""]
    lines += [f"- {name} was not run: the folder holds no {' and no '.join(names)}" for name, names in left_out.items()]
    lines += [""] if left_out else []
    for run_ in runs:
        lines += [f"## {run_.name}: {'FAILED' if run_.error else 'ran whole'}, {run_.seconds:.0f} s", ""]
        lines += [part for table in run_.tables for part in (table, "")]
        lines += [f"- {claim}" for claim in run_.claims] + ([""] if run_.claims else [])
        lines += ["```", run_.error, "```", ""] if run_.error else []
    return "\n".join(lines)


def _holds(folder: Path, modality: str) -> bool:
    try:
        root = dataset_folder(modality, folder)
        card = recognise_card(root)
    except DataError:
        return False
    if card is None:
        others = holds_volumes(root) or holds_outlined(root) or holds_marked(root)
        return modality == CHEST_XRAY.name and (root / "train").is_dir() and not others
    return card.modality == modality


def _run_on_real_images(path: Path) -> RealRun:
    notebook, error, started = nbformat.read(path, as_version=4), "", time.monotonic()
    print(f"{path.name} … ", end="", flush=True)
    try:
        run(notebook)
    except CellExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
    seconds = time.monotonic() - started
    print(f"{seconds:.0f} s {error}", flush=True)
    nbformat.write(notebook, REAL_RESULTS / path.name)
    outputs = [(cell, output) for cell in code_cells(notebook) for output in cell["outputs"]]
    tables = [
        o["data"]["text/markdown"] for c, o in outputs if RESULT in tags(c) and "text/markdown" in o.get("data", {})
    ]
    printed = "".join(o["text"] for _, o in outputs if o.get("name") == "stdout")
    claims = [line for line in printed.splitlines() if line.startswith("✓ ")] if path.name[:2] != "00" else []
    return RealRun(path.stem, seconds, tuple(tables), tuple(claims), error)


def _run_solved(path: Path) -> list[str]:
    """What is wrong with a notebook's reference answers, one sentence each."""
    notebook = nbformat.read(path, as_version=4)
    cells = code_cells(notebook)
    places = find([cell["source"] for cell in cells])
    for cell, source in zip(cells, solve([cell["source"] for cell in cells]), strict=True):
        cell["source"] = source
    print(f"{path.name}: {len(places)} exercises", flush=True)
    try:
        run(notebook)
    except CellExecutionError as failure:
        return [f"{failure.ename}: {failure.evalue}"]
    finally:
        nbformat.write(notebook, SOLUTIONS / path.name)
    return [said for place in places if (said := _not_correct(place, cells))]


def _not_correct(place: Place, cells: list[NotebookNode]) -> str:
    said = _said(cells[place.check])
    return "" if f"Exercise {place.exercise.number}: correct." in said else f"the reference answer is refused:\n{said}"


def _said(cell: NotebookNode) -> str:
    """What a cell printed."""
    return "".join(output["text"] for output in cell["outputs"] if output.get("name") == "stdout")


def _report_form(paths: Sequence[Path]) -> int:
    return _report({path: [*form_problems(path), *exercise_problems(path)] for path in paths})


def _report(problems: dict[Path, list[str]]) -> int:
    for path, found in problems.items():
        for problem in found:
            print(f"{path.name}: {problem}")
    return 1 if any(problems.values()) else 0
