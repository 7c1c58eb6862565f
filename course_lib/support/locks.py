"""One process at a time, where several would write the same file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def alone(lock: Path, doing: str) -> Iterator[None]:
    """Hold the lock, in a folder that is made for it; say so if another process has it, such as ``making phantoms``.

    Raises:
        OSError: no lock can be kept there.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        print(f"Another process is {doing}. Waiting for it to finish.", flush=True)
        held.acquire()
    try:
        yield
    finally:
        held.release()
