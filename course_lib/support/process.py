"""How a process waits and keeps memory while it trains: the course's settings, in one place, and the way to others.

Whoever sets one of the variables named here has decided, and the course changes nothing of that kind. No setting
changes a number that is computed.
"""

import ctypes
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

#: How long a thread of torch that waits for the others looks again and again, in turns of a loop, before it sleeps.
#: libgomp's own number is 300,000, some milliseconds; beside one busy program the looking takes the processor from the
#: thread that it waits for. Source: GNU libgomp manual, section 4.13, GOMP_SPINCOUNT.
WAITING = {"GOMP_SPINCOUNT": "1000"}
#: Variables of the threads' libraries by which someone may have decided otherwise.
WAITING_IS_DECIDED = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")

#: Settings of glibc's ``mallopt``: number, value while a training keeps its memory, value afterwards. Without them a
#: block above 32 MB comes from the system in every step, and each of its pages is filled with zeros at the first touch.
#: Afterwards they are the values that glibc comes to by itself in a process that uses large blocks; to set one
#: of them ends its own search. Source: man page mallopt(3).
KEEPING = {
    "M_TRIM_THRESHOLD": (-1, -1, 64 << 20),  #: bytes free at the end of the heap that go back; -1: they stay
    "M_TOP_PAD": (-2, 64 << 20, 128 << 10),  #: bytes asked for beyond those needed
    "M_MMAP_MAX": (-4, 0, 65536),  #: blocks that may come from the system one by one
    "M_MMAP_THRESHOLD": (-3, 32 << 20, 32 << 20),  #: bytes above which a block may
}
KEEPING_IS_DECIDED = ("MALLOC_", "GLIBC_TUNABLES")  #: beginnings of the names of variables


def set_waiting(environment: MutableMapping[str, str]) -> None:
    """Put into an environment how threads wait, unless it says so already.

    With ``os.environ`` it holds for this process if torch is not loaded yet, and for those that are started from here.
    On Windows and macOS nothing reads it.
    """
    if not any(name in environment for name in WAITING_IS_DECIDED):
        environment.update(WAITING)


@contextmanager
def keeping_memory() -> Iterator[None]:
    """Let freed memory stay with the process inside the block, to be used again; afterwards it goes back.

    The process may hold more than its largest step needs, because small blocks between the large ones keep gaps. Only
    glibc, the C library of most Linux systems, can be told so; elsewhere nothing changes.
    """
    library = _glibc()
    if library is None or any(name.startswith(KEEPING_IS_DECIDED) for name in os.environ):
        yield
        return
    try:
        for number, inside, _ in KEEPING.values():
            library.mallopt(number, inside)
        yield
    finally:
        for number, _, afterwards in KEEPING.values():
            library.mallopt(number, afterwards)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, if it is glibc."""
    try:
        is_glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):  # Windows has no confstr; macOS and musl have no such name
        return None
    return ctypes.CDLL(None) if is_glibc else None
