"""Runs a learner's code for a limited time, whatever it does.

The code runs in a thread of its own. That works on every system, wherever `check` is called from, and it keeps two
things apart that look alike: a KeyboardInterrupt that the code raises ends the code, a real Ctrl-C ends the check.
A loop in Python is stopped at its next step. A call into numpy or torch can not be; it is left behind and ends by
itself. Only C code that never lets another thread run, such as ``sum(itertools.count())``, can not be left.
"""

import contextlib
import ctypes
import io
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import TypeVar

from course_lib.support.runtime import seeded

T = TypeVar("T")
GRACE_SECONDS = 0.3  #: how long to go on asking a thread to stop before it is left behind
STEP_SECONDS = 0.05
_LEFT_BEHIND = weakref.WeakSet[threading.Thread]()
PRINTED_CHARACTERS = 2000  #: of what the learner's code prints; an endless loop prints millions


class TimeIsUpError(BaseException):
    """Raised inside code that runs too long; no ``except Exception`` holds it."""


class FailedError(Exception):
    """The code ended with an exception that nobody caught; it may be of any kind, so it is not shown."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work()`` returns, if it does so in time.

    Raises:
        TimeoutError: it did not; it was stopped, or left behind.
        FailedError: it raised, be it SystemExit or KeyboardInterrupt.
    """
    results: list[T] = []
    ended = threading.Event()  # Thread.is_alive() is wrong after a Ctrl-C during Thread.join(), at least in Python 3.11

    def run() -> None:
        with contextlib.suppress(BaseException):  # FailedError tells it: there is no result
            results.append(work())
        ended.set()

    worker = threading.Thread(target=run, daemon=True)
    in_time = False
    try:
        worker.start()
        in_time = _ended(ended, seconds)
    finally:  # also after a real Ctrl-C
        _LEFT_BEHIND.add(worker)
        _stop(worker, ended)
    if not in_time:
        raise TimeoutError(f"still running after {seconds:g} s")
    if not results:
        raise FailedError
    return results[0]


def end_if_left_behind() -> None:
    """End the thread that calls this if nobody waits for it any more: it would disturb the next check."""
    if threading.current_thread() in _LEFT_BEHIND:
        raise TimeIsUpError


@contextlib.contextmanager
def undisturbed(seed: int = 0) -> Iterator["Printed"]:
    """Keep from the notebook what the code inside prints, warns of, exits, and does to torch's random numbers."""
    printed = Printed()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
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


def _ended(ended: threading.Event, seconds: float) -> bool:
    """Wait for the code in small steps, since a Ctrl-C does not break a long wait everywhere."""
    end = time.monotonic() + seconds
    while not ended.wait(STEP_SECONDS) and time.monotonic() < end:
        pass
    return ended.is_set()


def _stop(worker: threading.Thread, ended: threading.Event) -> None:
    """Ask the thread to end. One that loads a library is left to finish: half of torch is worse than none."""
    end = time.monotonic() + GRACE_SECONDS
    while not ended.is_set() and time.monotonic() < end and not _loads_a_library(worker):
        thread, error = ctypes.c_ulong(worker.ident or 0), ctypes.py_object(TimeIsUpError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
        ended.wait(STEP_SECONDS)


def _loads_a_library(worker: threading.Thread) -> bool:
    frame = sys._current_frames().get(worker.ident or 0)
    while frame and "importlib._bootstrap" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None
