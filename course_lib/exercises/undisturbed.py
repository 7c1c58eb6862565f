"""Keeps from the notebook what a learner's code does to it while it is tried.

In a child process none of it reaches the notebook; where the code runs in a thread, it does. What is kept here is what
lessons and their readers rely on. What else a process has one of, such as torch's default type, is not.
"""

import contextlib
import io
import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np

from course_lib.exercises.limits import TimeIsUpError
from course_lib.support.runtime import seeded

PRINTED_CHARACTERS = 2000  #: of what the learner's code prints; an endless loop prints millions


@contextlib.contextmanager
def undisturbed(seed: int = 0) -> Iterator["Printed"]:
    """Give what the code inside prints; undo what it does to warnings, logging, the folder, the environment, and seeds.

    ``exit()`` ends the code and not the kernel, the recursion limit stays, and torch's random numbers follow from the
    seed inside.
    """
    printed = Printed()
    with (
        _process_kept(),
        _random_numbers_kept(),
        _logging_kept(),
        _recursion_limit_kept(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
        _uncaught_printed(),
        _kernel_kept(),
        seeded(seed),
    ):
        warnings.simplefilter("ignore")
        yield printed


class Printed(io.StringIO):
    """Takes what is printed, and keeps the beginning of it."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, PRINTED_CHARACTERS - self.tell())])
        return len(text)

    def close(self) -> None:
        """The learner's code may close its standard output; the check goes on."""


@contextlib.contextmanager
def _process_kept() -> Iterator[None]:
    """Keep the working directory and the environment variables."""
    folder, variables = None, dict(os.environ)
    with contextlib.suppress(OSError):  # it has been deleted
        folder = os.getcwd()  # noqa: PTH109
    try:
        yield
    finally:
        for name in {*variables, *os.environ}:
            if name not in variables:
                os.environ.pop(name, None)
            elif os.environ.get(name) != variables[name]:
                os.environ[name] = variables[name]
        if folder is not None:
            with contextlib.suppress(OSError):
                os.chdir(folder)


@contextlib.contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """Keep the random numbers of Python and numpy that follow from a seed which all code shares."""
    pythons, numpys = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(pythons)
        np.random.set_state(numpys)


@contextlib.contextmanager
def _logging_kept() -> Iterator[None]:
    """Keep where log lines go: the first call of ``logging.info`` sends them to what is standard error by then."""
    states = {logger: _state(logger) for logger in _loggers()}
    disabled_up_to = logging.root.manager.disable
    try:
        yield
    finally:
        for logger in _loggers():
            handlers, logger.level, logger.propagate, logger.disabled = states.get(logger, ([], 0, True, False))
            logger.handlers[:] = handlers
        logging.disable(disabled_up_to)  # also lets the loggers notice their levels


def _loggers() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(logger for logger in known if isinstance(logger, logging.Logger))]


def _state(logger: logging.Logger) -> tuple[list[logging.Handler], int, bool, bool]:
    return list(logger.handlers), logger.level, logger.propagate, logger.disabled


@contextlib.contextmanager
def _recursion_limit_kept() -> Iterator[None]:
    """Let the limit stay, and say so: a recursion that is too deep for the machine ends Python, without an error."""
    change, limit = sys.setrecursionlimit, sys.getrecursionlimit()
    told = "The recursion limit stays as it is while an answer is checked."
    sys.setrecursionlimit = lambda _limit: print(told)
    try:
        yield
    finally:
        sys.setrecursionlimit = change
        if sys.getrecursionlimit() != limit:  # somebody has imported the function by its name
            change(limit)


@contextlib.contextmanager
def _uncaught_printed() -> Iterator[None]:
    """Let Python print what is raised where nobody can catch it, as in a destructor; a stop is not worth a word."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda raised: None if raised.exc_type is TimeIsUpError else sys.__unraisablehook__(raised)
    try:
        yield
    finally:
        sys.unraisablehook = hook


@contextlib.contextmanager
def _kernel_kept() -> Iterator[None]:
    """Let ``exit()`` end the code that says it, and not the notebook's kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit  # what remains is the method of its class
