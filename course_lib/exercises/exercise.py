"""What an exercise is made of: a task, its reference answer, fresh inputs, hints, and typical mistakes."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from course_lib.exercises.questions import Question

Answer = Callable[..., object]
Inputs = tuple[object, ...]


def returned(answer: Answer, inputs: Inputs) -> object:
    """What the answer returns for these inputs; most exercises compare just this."""
    return answer(*inputs)


def no_inputs(_: np.random.Generator) -> Inputs:
    """For exercises that ask for a value."""
    return ()


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and what to tell a learner whose answer gives the same results."""

    answer: Answer
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise. The learner's function bears the name of the reference and takes the same parameters.

    A reference without parameters asks for a value: the learner's variable bears its name, and holds what it returns.
    """

    number: str  #: lesson and place, as in "3.2"
    title: str
    reference: Answer  #: its source is the solution; it may use what its module imports, and nothing else of it
    hints: tuple[str, ...]  #: from a nudge to nearly code
    mistakes: tuple[Mistake, ...]
    draw: Callable[[np.random.Generator], Inputs] = no_inputs  #: fresh inputs; torch is seeded alike before each draw
    observe: Callable[[Answer, Inputs], object] = returned  #: what is compared; a dict names its parts
    cases: int = 20  #: inputs per check; so many that a wrong answer is not right on all of them by luck

    @property
    def name(self) -> str:
        """What the learner's function or variable is called."""
        return self.reference.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the function's parameters are called; none where a value is asked for."""
        return tuple(inspect.signature(self.reference).parameters)

    @property
    def solution(self) -> str:
        """The reference answer as code for the notebook, with the imports that it needs."""
        source = textwrap.dedent(inspect.getsource(self.reference))
        if not self.parameters:
            source = _as_assignment(source, self.name)
        imports = _imports_for(source, sys.modules[self.reference.__module__])
        return "\n".join([*imports, "", "", source] if imports else [source]).rstrip() + "\n"


@dataclass(frozen=True)
class Lesson:
    """The exercises and questions of one notebook."""

    number: str  #: of the notebook, as in "03"
    title: str
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...] = ()


def _as_assignment(source: str, name: str) -> str:
    """``def name() -> int: … return value`` becomes ``… name = value``."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)  # for mypy: inspect found it there
    first = function.body[1 if ast.get_docstring(function) else 0]
    body = textwrap.dedent("\n".join(source.splitlines()[first.lineno - 1 :]))
    return body.replace("return ", f"{name} = ", 1)


def _imports_for(source: str, module: ModuleType) -> list[str]:
    """The module's import statements, cut down to the names that the source uses."""
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    statements = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
            statements += [ast.unparse(node)] if node.names else []
    return statements
