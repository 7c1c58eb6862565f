"""Tries a learner's code in a child process, which can be ended whatever the code does.

The child is a copy of this process, made by ``fork`` for this one time: it has the learner's objects as they are, and
nothing that it does to them comes back. Loading a library does: see `NoChildError`. It is made on Linux only. Windows
has no ``fork``; on a Mac, and with CUDA, libraries do not work in a copy.
"""

import contextlib
import faulthandler
import gc
import json
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import torch

from course_lib.exercises.limits import STEP_SECONDS
from course_lib.support.errors import DataError
from course_lib.support.foreign import understood

Tell = Callable[[int], object]
ORPHAN_SECONDS = 1  #: that a child may still live when the notebook was killed while it waited for the child
PIECE = 65536  #: bytes that are read from the child at once
LAST_TO_BE_KEPT = "1000"  #: where Linux looks for a process to end when the memory runs out


class NoChildError(Exception):
    """The work is to be done in this process.

    None can be made, or torch refuses backward() in a child, or the work loads a library, which then would be loaded
    anew each time.
    """


class DiedError(Exception):
    """The child ended before the work did; the message says how."""


def in_child(work: Callable[[Tell], object], seconds: float, heard: Tell) -> Any:
    """What ``work(tell)`` returns in a child, if it does so in time; a number that it tells is ``heard`` here.

    What is returned is made of numbers, texts and lists. Nothing of the child remains, nor of what it has started, if
    that has not left its group of processes.

    Raises:
        NoChildError: it is to be done without one.
        TimeoutError: it was not ready in time, and was ended.
        DiedError: it ended by itself.
    """
    if sys.platform != "linux" or torch.cuda.is_available():
        raise NoChildError
    with _pipe() as (pipe, its_end):
        child, status = 0, 0
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # no Ctrl-C must bring the child out of here
        try:
            if not (child := _forked()):
                _live(work, seconds, its_end, mask)
            its_end.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            answer = _answer(pipe, seconds, heard)
        finally:  # also after a real Ctrl-C
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            status = _end(child) if child else 0
    match answer:
        case ["returned", result]:
            return result
        case ["unfit"]:
            raise NoChildError
    raise DiedError(signal.strsignal(-status) if status < 0 else f"exit code {status}")


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    try:
        reading, writing = os.pipe()
    except OSError as error:  # too many files are open
        raise NoChildError from error
    with os.fdopen(reading, "rb", buffering=0) as pipe, os.fdopen(writing, "wb", buffering=0) as its_end:
        yield pipe, its_end


def _forked() -> int:
    """The child's process number here, and 0 in the child."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # since 3.12 Python warns of forks where there are threads
        try:
            return os.fork()
        except (OSError, RuntimeError) as error:  # too little memory, too many processes
            raise NoChildError from error


def _live(work: Callable[[Tell], object], seconds: float, pipe: BinaryIO, mask: set[Any]) -> NoReturn:
    """Be the child: do the work, say what came of it, and end, with nothing tidied up that is the notebook's."""
    try:
        _settle(seconds, mask)
        loaded = set(sys.modules)
        result = work(lambda told: _say(pipe, "told", told))
        _say(pipe, *(["unfit"] if set(sys.modules) - loaded else ["returned", result]))
    except Exception:  # noqa: BLE001  # whatever it is will be seen when this process does the work
        _say(pipe, "unfit")
    finally:
        while True:
            try:
                os._exit(0)
            except BaseException:  # noqa: BLE001  # as where the recursion limit is too low for any call
                continue


def _settle(seconds: float, mask: set[Any]) -> None:
    """Make the copy fit to live by itself.

    Raises:
        RuntimeError: torch refuses backward() here, since it had threads for it before.
    """
    import resource  # which Windows does not have

    os.setpgid(0, 0)  # so that it ends with what it starts; and a Ctrl-C is for the notebook alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + ORPHAN_SECONDS)
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(LAST_TO_BE_KEPT)
    gc.freeze()  # what the notebook has thrown away, the notebook tidies up
    torch.set_num_threads(1)  # the other threads of OpenMP are not in the copy
    torch.ones((), requires_grad=True).backward()  # type: ignore[no-untyped-call]


def _say(pipe: BinaryIO, *message: object) -> None:
    """A line of its own, whatever the learner's code may have written into the pipe before."""
    pipe.write(b"\n" + json.dumps(message).encode() + b"\n")


def _answer(pipe: BinaryIO, seconds: float, heard: Tell) -> list[object]:
    """The child's last message, ``heard`` those before; an empty list if it ended without one."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    end, begun = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        if not poll.poll(STEP_SECONDS * 1000):
            continue
        if not (piece := pipe.read(PIECE)):
            return []
        *lines, begun = (begun + piece).split(b"\n")
        for line in lines:
            match _understood(line):
                case ["told", int(number)]:
                    heard(number)
                case ["returned" | "unfit", *_] as message:
                    return list(message)
    raise TimeoutError(f"still running after {seconds:g} s")


def _understood(line: bytes) -> object:
    """A message of the child; None for what the learner's code has written into the pipe itself."""
    with contextlib.suppress(DataError), understood(DataError):
        return json.loads(line)
    return None


def _end(child: int) -> int:
    """Kill the child and what it has started; gives its exit code, or the signal that ended it as a negative number."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # another part of the program waits for all children
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return -signal.SIGKILL
