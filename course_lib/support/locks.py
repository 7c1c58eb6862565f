"""One process at a time, where several would write the same file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from course_lib.support.errors import DataError
from course_lib.support.foreign import printable

LONGEST_WAIT_SECONDS = 1800.0  #: for a lock that may be left over; a large download takes minutes


@contextmanager
def alone(lock: Path, doing: str, *, silent_seconds: float = 0) -> Iterator[None]:
    """Hold the lock, in a folder that is made for it; say so if another process has it, such as ``making phantoms``.

    Where it is held for a moment as a rule, nothing is said of a wait of so few seconds.

    As a rule the system frees the lock of a process that ends. On a disk that knows no such locks the file itself is
    the lock, and a process that was killed may leave it behind; there the wait has an end.

    Raises:
        DataError: the file is the lock, and has not gone away in `LONGEST_WAIT_SECONDS`.
        OSError: no lock can be kept there.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held: BaseFileLock = FileLock(lock)
    try:
        held.acquire(timeout=silent_seconds)
    except Timeout:
        _wait(held, lock, doing)
    try:
        yield
    finally:
        held.release()


def _wait(held: BaseFileLock, lock: Path, doing: str) -> None:
    print(f"Another process is {doing}. Waiting for it to finish.", flush=True)
    if not isinstance(held, SoftFileLock):
        held.acquire()
        return
    remedy = f"If no other process is at work, delete the file {printable(lock)}"
    print(f"{remedy}.", flush=True)
    try:
        held.acquire(timeout=LONGEST_WAIT_SECONDS)
    except Timeout as error:
        minutes = LONGEST_WAIT_SECONDS / 60
        raise DataError(
            f"Another process seems to be {doing}, but has not finished in {minutes:.0f} minutes. {remedy}, and call "
            "again."
        ) from error
