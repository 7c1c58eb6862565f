"""Tries an answer on fresh inputs, and says what came of it."""

import dis
import linecache
import os
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Literal

import numpy as np
import torch

from course_lib.exercises.child import DiedError, NoChildError, in_child
from course_lib.exercises.comparing import Difference, Raised, difference, only_of_another_kind, same, shown
from course_lib.exercises.exercise import Answer, Exercise, Inputs
from course_lib.exercises.limits import GRACE_SECONDS, FailedError, TimeIsUpError, end_if_left_behind, within
from course_lib.exercises.undisturbed import undisturbed

SECONDS = 1.5  #: that an answer has for all its inputs
MORE_SECONDS = GRACE_SECONDS + 0.2  #: after which its process is ended, if it has not stopped by itself
ENDLESS = "Is there a loop that never ends?"
UNBROKEN = (
    "Is there one call that takes so long, such as a sum over billions of numbers? It could not be interrupted from "
    "inside, so the process in which your answer was tried was ended."
)
DIED = (
    "Only the process in which your answer was tried has ended. Did the answer end it, call itself too often, "
    "or ask for more memory than there is?"
)
WAITED = "It hardly calculated in that time. Does it wait for something? Or the computer is busy: then check again."
MAX_PRINTED_LINES = 5
MAX_LINE = 80  #: longer descriptions of the input get one line for each part
STUB_STEPS = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "NOP", "CACHE", "COPY_FREE_VARS"}
Outcome = Literal["not attempted", "correct", "wrong"]


@dataclass(frozen=True)
class Verdict:
    """What came of an answer, and the words for it."""

    outcome: Outcome
    text: str


def judge(exercise: Exercise, answer: object, seed: int | None = None) -> Verdict:
    """The verdict on any object, after little more than 2 s at most; with a seed, on the same inputs again.

    A child process tries the answer, in a thread. Where no child can be made the thread is one of this process, and C
    code that never lets another thread run is waited for. An answer that loads a library is tried in both, one after
    the other, so that the library stays loaded.
    """
    if _is_stub(answer):
        return _not_attempted(exercise)
    latest: list[int] = []  # seeds of the inputs so far; the answer is busy with the last
    before = _processor_seconds()
    try:
        verdict = Verdict(
            *in_child(lambda tell: _tried(exercise, answer, seed, tell), SECONDS + MORE_SECONDS, latest.append)
        )
    except NoChildError:
        verdict = Verdict(*_tried(exercise, answer, seed, lambda _: None))
    except TimeoutError:
        calculated = _processor_seconds() - before > SECONDS / 2
        with undisturbed():
            verdict = _too_late(exercise, latest, UNBROKEN if calculated else WAITED)
    except DiedError as death:
        found = Difference("", "an answer", f"nothing, because Python ended ({death})")
        with undisturbed():
            verdict = _wrong(exercise, _latest_described(exercise, latest), found, DIED)
    return Verdict(verdict.outcome, verdict.text.encode("utf-8", "backslashreplace").decode())


def _tried(exercise: Exercise, answer: object, seed: int | None, began: Callable[[int], object]) -> tuple[Outcome, str]:
    """The parts of the verdict of a thread; it tells the seed of each input with which it ``began``."""
    latest: list[int] = []

    def begin(case: int) -> None:
        latest.append(case)
        began(case)

    before = _processor_seconds()
    with undisturbed() as printed:
        try:
            verdict = within(SECONDS, lambda: _judge(exercise, answer, seed, begin))
        except TimeoutError:
            verdict = _too_late(exercise, latest, ENDLESS if _processor_seconds() - before > SECONDS / 2 else WAITED)
        except FailedError:
            came = "an object that raises an error when it is looked at"
            verdict = _wrong(exercise, "", Difference("", "a plain value", came), "")
    lines = printed.getvalue().splitlines()
    heard = [f"  printed    {line}" for line in lines[:MAX_PRINTED_LINES]]
    return verdict.outcome, "\n".join([verdict.text, *heard])


def _judge(exercise: Exercise, answer: object, seed: int | None, begin: Callable[[int], object]) -> Verdict:
    if callable(answer) != bool(exercise.parameters):
        wanted = "a function" if exercise.parameters else "a value"
        remedy = f'Hand over {wanted}: check("{exercise.number}", {exercise.name}).'
        return _wrong(exercise, "", Difference("", wanted, shown(answer)), remedy)
    function: Answer = answer if callable(answer) else lambda: answer
    seeds = [int(s) for s in np.random.default_rng(seed).integers(2**32, size=exercise.cases)]
    results = []
    for case in seeds:
        begin(case)
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
    inputs = _inputs(exercise, seed)
    try:
        return exercise.observe(answer, inputs)
    except TimeIsUpError:
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit too: it is the learner's, and would end the kernel
        return Raised(type(error).__name__, str(error)[:200], _line_of_cell(error))


def _inputs(exercise: Exercise, seed: int) -> Inputs:
    """What follows from the seed; torch's random numbers on the processor afterwards too.

    Answers draw on the processor only. ``torch.manual_seed`` would seed other devices as well, and takes longer for
    that than most answers do.
    """
    torch.default_generator.manual_seed(seed)
    return exercise.draw(np.random.default_rng(seed))


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
    inputs = _inputs(exercise, seed)
    parts = [f"{name}={shown(value)}" for name, value in zip(exercise.parameters, inputs, strict=True)]
    return ", ".join(parts) if sum(map(len, parts)) < MAX_LINE else f",\n{' ' * 13}".join(parts)


def _latest_described(exercise: Exercise, latest: list[int]) -> str:
    return _described(exercise, latest[-1]) if latest else ""


def _too_late(exercise: Exercise, latest: list[int], diagnosis: str) -> Verdict:
    found = Difference("", "an answer within milliseconds", f"nothing after {SECONDS:g} s, so it was stopped")
    return _wrong(exercise, _latest_described(exercise, latest), found, diagnosis)


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
    if type(answer) is not FunctionType:  # anything else may be an object of the learner's, which acts when looked at
        return False
    code = answer.__code__
    if code.co_names or {step.opname for step in dis.get_instructions(code)} - STUB_STEPS:
        return False
    constants = [step.argval for step in dis.get_instructions(code) if "CONST" in step.opname]
    return all(constant is None or constant is ... for constant in constants)


def _is_blank(came: object) -> bool:
    """A stub that was filled in halfway still returns ``...``."""
    return came is ... or (type(came) is dict and any(part is ... for part in came.values()))


def _processor_seconds() -> float:
    """What this process has calculated for so far, and the children that have ended."""
    return sum(os.times()[:4])


def _is_cell(filename: str) -> bool:
    """Whether code is from a notebook; IPython keeps its cells under such names."""
    return bool(re.search(r"[\\/]ipykernel_\d+[\\/]|<ipython", filename))
