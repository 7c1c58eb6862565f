"""Runs a learner's code for a limited time, whatever it does.

The code runs in a thread of its own. That works on every system, wherever `check` is called from, and it keeps two
things apart that look alike: a KeyboardInterrupt that the code raises ends the code, a real Ctrl-C ends the check.
A loop in Python is stopped at its next step. A call into numpy or torch can not be; it is left behind and ends by
itself. Only C code that never lets another thread run, such as ``sum(itertools.count())``, can not be left; so all of
this is done in a child process where there can be one, and the child is ended: see `child`.

A stop is an exception that comes between any two steps of a thread, so no ``except`` is sure to hold it: it may come
just behind. See _Worker for why none gets out.
"""

import contextlib
import ctypes
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
STOPS = 6  #: that a thread is sent before it is left behind; the code may catch some
STEP_SECONDS = 0.05
GRACE_SECONDS = STOPS * STEP_SECONDS
_LEFT_BEHIND = weakref.WeakSet[threading.Thread]()


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
    worker = _Worker(work)
    in_time = False
    try:
        worker.start()
        in_time = _ended(worker.ended, seconds)
    finally:  # also after a real Ctrl-C
        _LEFT_BEHIND.add(worker)
        _stop(worker)
    if not in_time:
        raise TimeoutError(f"still running after {seconds:g} s")
    if not worker.results:
        raise FailedError
    return worker.results[0]


def end_if_left_behind() -> None:
    """End the thread that calls this if nobody waits for it any more: it would disturb the next check."""
    if threading.current_thread() in _LEFT_BEHIND:
        raise TimeIsUpError


class _Worker(threading.Thread, Generic[T]):
    """Does the work. Stops come to it from when the work begins until the gate is shut, and never get out of it.

    The thread shuts the gate behind the work, on each of STOPS + 1 levels around it. A stop that comes outside the work
    keeps one level at most from doing so, and there are no more than STOPS; so one level shuts it, the outermost at the
    latest, and what follows is undisturbed.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self.results: list[T] = []
        self.ended = threading.Event()  # is_alive() is wrong after a Ctrl-C during join(), at least in Python 3.11
        self._work = work
        self._began = False
        self._gate = threading.RLock()  # who holds it can take it again, so a level can do what the one inside began

    def run(self) -> None:
        self._hold(STOPS)
        self.ended.set()

    def stop(self) -> None:
        """Send a stop, if the work has begun and the gate is not shut. To be called STOPS times at most."""
        if self._began and self._gate.acquire(blocking=False):
            try:
                self._send()
            finally:
                self._gate.release()

    def _hold(self, levels: int) -> None:
        with contextlib.suppress(BaseException):  # FailedError tells it: there is no result
            if levels:
                self._hold(levels - 1)
            else:
                self._began = True
                end_if_left_behind()  # on a busy computer it may begin when all stops have been spent
                self.results.append(self._work())
        self._gate.acquire()  # for good: no stop is sent from here on
        with contextlib.suppress(TimeIsUpError):  # until one has come, none is on its way any more
            while True:
                self._send()  # and not None in its place, after which Python 3.11 looks for a stop at every step

    def _send(self) -> None:
        error = ctypes.py_object(TimeIsUpError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), error)


def _ended(ended: threading.Event, seconds: float) -> bool:
    """Wait for the code in small steps, since a Ctrl-C does not break a long wait everywhere."""
    end = time.monotonic() + seconds
    while not ended.wait(STEP_SECONDS) and time.monotonic() < end:
        pass
    return ended.is_set()


def _stop(worker: _Worker[T]) -> None:
    """Ask the thread to end. One that loads a library is left to finish: half of torch is worse than none."""
    for _ in range(STOPS):
        if worker.ended.is_set() or _loads_a_library(worker):
            return
        worker.stop()
        worker.ended.wait(STEP_SECONDS)


def _loads_a_library(worker: threading.Thread) -> bool:
    frame = sys._current_frames().get(worker.ident or 0)
    while frame and "importlib._bootstrap" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None
