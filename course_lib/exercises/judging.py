"""Tries an answer on fresh inputs, and says what came of it."""

import dis
import linecache
import re
import time
import traceback
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from course_lib.exercises.comparing import Difference, Raised, difference, only_of_another_kind, same, shown
from course_lib.exercises.exercise import Answer, Exercise
from course_lib.exercises.limits import FailedError, TimeIsUpError, end_if_left_behind, undisturbed, within

SECONDS = 1.5  #: that an answer has for all its inputs
WAITED = "It hardly calculated in that time. Does it wait for something? Or the computer is busy: then check again."
MAX_PRINTED_LINES = 5
MAX_LINE = 80  #: longer descriptions of the input get one line for each part
STUB_STEPS = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP", "CACHE", "COPY_FREE_VARS"}


@dataclass(frozen=True)
class Verdict:
    """What came of an answer, and the words for it."""

    outcome: Literal["not attempted", "correct", "wrong"]
    text: str


def judge(exercise: Exercise, answer: object, seed: int | None = None) -> Verdict:
    """The verdict on any object, in less than 2 s; with a seed, on the same inputs again."""
    latest: list[int] = []  # seeds of the inputs so far; the answer is busy with the last
    started = time.process_time()
    with undisturbed() as printed:
        try:
            verdict = within(SECONDS, lambda: _judge(exercise, answer, seed, latest))
        except TimeoutError:
            verdict = _wrong(
                exercise,
                _described(exercise, latest[-1]) if latest else "",
                Difference("", "an answer within milliseconds", f"nothing after {SECONDS:g} s, so it was stopped"),
                "Is there a loop that never ends?" if time.process_time() - started > SECONDS / 2 else WAITED,
            )
        except FailedError:
            came = "an object that raises an error when it is looked at"
            verdict = _wrong(exercise, "", Difference("", "a plain value", came), "")
    lines = printed.getvalue().splitlines()
    heard = [f"  printed    {line}" for line in lines[:MAX_PRINTED_LINES]]
    return Verdict(verdict.outcome, "\n".join([verdict.text, *heard]))


def _judge(exercise: Exercise, answer: object, seed: int | None, latest: list[int]) -> Verdict:
    if _is_stub(answer):
        return _not_attempted(exercise)
    if callable(answer) != bool(exercise.parameters):
        wanted = "a function" if exercise.parameters else "a value"
        remedy = f'Hand over {wanted}: check("{exercise.number}", {exercise.name}).'
        return _wrong(exercise, "", Difference("", wanted, shown(answer)), remedy)
    function: Answer = answer if callable(answer) else lambda: answer
    seeds = [int(s) for s in np.random.default_rng(seed).integers(2**32, size=exercise.cases)]
    results = []
    for case in seeds:
        latest.append(case)
        results.append(_trial(exercise, function, case))
    if any(_is_blank(came) for came in results):
        return _not_attempted(exercise)
    for case, came in zip(seeds, results, strict=True):
        if found := difference(_trial(exercise, exercise.reference, case), came):
            return _wrong(exercise, _described(exercise, case), found, _diagnosis(exercise, seeds, results, found))
    return Verdict("correct", f"Exercise {exercise.number}: correct.")


def _trial(exercise: Exercise, answer: Answer, seed: int) -> object:
    """What is seen of the answer on the inputs that follow from the seed; each call makes them anew."""
    end_if_left_behind()
    torch.manual_seed(seed)
    inputs = exercise.draw(np.random.default_rng(seed))
    try:
        return exercise.observe(answer, inputs)
    except TimeIsUpError:
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit too: it is the learner's, and would end the kernel
        return Raised(type(error).__name__, str(error)[:200], _line_of_cell(error))


def _line_of_cell(error: BaseException) -> str:
    """The line of the notebook that raised; it alone is read, for an answer that calls itself has a thousand frames."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return next((linecache.getline(*place).strip() for place in reversed(places) if _is_cell(place[0])), "")


def _diagnosis(exercise: Exercise, seeds: list[int], results: list[object], found: Difference) -> str:
    """What to tell if a typical mistake gives the same results on all inputs, or nothing was returned."""
    for mistake in exercise.mistakes:
        if all(same(_trial(exercise, mistake.answer, case), came) for case, came in zip(seeds, results, strict=True)):
            return mistake.diagnosis
    if found.came == "None":
        return "Nothing was returned: is there a return at the end?"
    expected = [_trial(exercise, exercise.reference, case) for case in seeds]
    words = {only_of_another_kind(*pair) for pair in zip(expected, results, strict=True)}
    return words.pop() if len(words) == 1 else ""


def _described(exercise: Exercise, seed: int) -> str:
    torch.manual_seed(seed)
    inputs = exercise.draw(np.random.default_rng(seed))
    parts = [f"{name}={shown(value)}" for name, value in zip(exercise.parameters, inputs, strict=True)]
    return ", ".join(parts) if sum(map(len, parts)) < MAX_LINE else f",\n{' ' * 13}".join(parts)


def _wrong(exercise: Exercise, inputs: str, found: Difference, diagnosis: str) -> Verdict:
    lines = [
        f"Exercise {exercise.number}: not yet.",
        f"  input      {inputs}" if inputs else "",
        f"  looked at  {found.part}" if found.part else "",
        f"  expected   {found.expected}",
        f"  came       {found.came}",
        f"  → {diagnosis}" if diagnosis else "",
    ]
    return Verdict("wrong", "\n".join(line for line in lines if line))


def _not_attempted(exercise: Exercise) -> Verdict:
    text = f'Exercise {exercise.number}: not attempted yet. Fill in the cell above; hint("{exercise.number}") helps.'
    return Verdict("not attempted", text)


def _is_stub(answer: object) -> bool:
    """``...``, nothing, or a function that does no more than return one of them."""
    if answer is None or answer is ...:
        return True
    code = getattr(answer, "__code__", None)
    if code is None or code.co_names or {step.opname for step in dis.get_instructions(code)} - STUB_STEPS:
        return False
    constants = [step.argval for step in dis.get_instructions(code) if "CONST" in step.opname]
    return all(constant is None or constant is ... for constant in constants)


def _is_blank(came: object) -> bool:
    """A stub that was filled in halfway still returns ``...``."""
    return came is ... or (type(came) is dict and any(part is ... for part in came.values()))


def _is_cell(filename: str) -> bool:
    """Whether code is from a notebook; IPython keeps its cells under such names."""
    return bool(re.search(r"[\\/]ipykernel_\d+[\\/]|<ipython", filename))
