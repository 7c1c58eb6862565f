"""Finds the exercises among the cells of a notebook, and puts the reference answers in; for authors and tests.

A cell that says ``check("3.2", convolve)`` marks an exercise; its stub is in the nearest cell above that defines
``convolve``. So nothing needs to be kept in step with the cells, no tag and no number.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.exercises.exercise import Exercise
from course_lib.lessons import WORKBOOK


class ExerciseError(ValueError):
    """A notebook's exercise is not whole; the message says what is missing."""


@dataclass(frozen=True)
class Place:
    """Where an exercise is among the code cells, 0-based."""

    exercise: Exercise
    stub: int
    check: int


def find(sources: Sequence[str]) -> list[Place]:
    """The exercises among the sources of a notebook's code cells, in their order.

    Raises:
        ExerciseError: there is no such exercise, its name is another, or no cell above defines a stub for it.
    """
    places = []
    for at, source in enumerate(sources):
        for number, name in _checks(source):
            if number not in WORKBOOK.exercises:
                raise ExerciseError(f"check({number!r}) names no exercise; there are {', '.join(WORKBOOK.exercises)}.")
            if name != (expected := WORKBOOK.exercises[number].name):
                raise ExerciseError(f"Exercise {number} is called {expected}, but what is checked is {name}.")
            above = [i for i in range(at) if _definition(sources[i], name)]
            if not above:
                raise ExerciseError(f"No cell above check({number!r}, {name}) defines {name}: add the stub.")
            places.append(Place(WORKBOOK.exercises[number], above[-1], at))
    return places


def solve(sources: Sequence[str]) -> list[str]:
    """The same cells, with the reference answers in place of the stubs."""
    solved = list(sources)
    for place in find(sources):
        if stub := _definition(solved[place.stub], place.exercise.name):
            lines = solved[place.stub].splitlines()
            lines[stub.lineno - 1 : stub.end_lineno] = place.exercise.solution.splitlines()
            solved[place.stub] = "\n".join(lines)
    return solved


def solved_alone(sources: Sequence[str]) -> list[str]:
    """Only the imports, the reference answers and the checks: enough to see whether all checks say correct."""
    needed = {at for place in find(sources) for at in (place.stub, place.check)}
    return [source if at in needed else _imports(source) for at, source in enumerate(solve(sources))]


def _checks(source: str) -> list[tuple[str, str]]:
    """The number and the name in every ``check("3.2", name)``."""
    calls = [node for node in ast.walk(_tree(source)) if isinstance(node, ast.Call)]
    return [
        (ast.unparse(call.args[0]).strip("'"), ast.unparse(call.args[1]))
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "check" and len(call.args) == 2
    ]


def _definition(source: str, name: str) -> ast.stmt | None:
    """The statement that defines the name: ``def name(…)`` or ``name = …``."""
    for node in _tree(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if (isinstance(node, ast.FunctionDef) and node.name == name) or name in map(ast.unparse, targets):
            return node
    return None


def _imports(source: str) -> str:
    statements = [node for node in _tree(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, statements))


def _tree(source: str) -> ast.Module:
    """The cell as a tree; empty where it is not plain Python, such as a cell with a magic."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])
