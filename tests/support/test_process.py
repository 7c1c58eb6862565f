"""Threads wait and memory is kept as the course says, unless somebody has decided otherwise."""

import os
import subprocess
import sys
from contextlib import suppress

import pytest

from course_lib.support import process
from course_lib.support.process import KEEPING, WAITING, keeping_memory, set_waiting
from course_lib.support.runtime import COURSE_ROOT

BLOCKS = """
import ctypes, resource
from course_lib.support.process import keeping_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
size = 50 << 20
def use():
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    libc.free(block)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
def count():
    use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        use()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
usual = count()
at_first = resident()
with keeping_memory():
    kept = count()
    inside = resident()
print(usual, kept, count(), inside - at_first > size // 2, resident() - at_first > size // 2)
"""
IS_GLIBC = pytest.mark.skipif(process._glibc() is None, reason="only glibc can be told what to do with freed memory")


class Library:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, ...]] = []

    def mallopt(self, number: int, value: int) -> int:
        self.told.append((number, value))
        return 1

    def malloc_trim(self, kept: int) -> int:
        self.told.append((kept,))
        return 1


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    for name in [name for name in os.environ if name.startswith(process.KEEPING_IS_DECIDED)]:
        monkeypatch.delenv(name)
    found = Library()
    monkeypatch.setattr(process, "_glibc", lambda: found)
    return found


def test_how_threads_wait_is_set_once() -> None:
    environment = {"HOME": "/home/anna"}
    set_waiting(environment)
    assert environment == {"HOME": "/home/anna", **WAITING}


@pytest.mark.parametrize("decided", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "7"}])
def test_your_own_way_of_waiting_wins(decided: dict[str, str]) -> None:
    environment = dict(decided)
    set_waiting(environment)
    assert environment == decided


def test_memory_is_kept_inside_and_given_back_afterwards_however_it_ends(library: Library) -> None:
    with suppress(KeyboardInterrupt), keeping_memory():
        assert library.told == [(number, inside) for number, inside, _ in KEEPING.values()]
        library.told.clear()
        raise KeyboardInterrupt
    assert library.told == [*[(number, afterwards) for number, _, afterwards in KEEPING.values()], (0,)]


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_your_own_settings_of_memory_win(library: Library, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with keeping_memory():
        pass
    assert library.told == []


@pytest.mark.parametrize("error", [AttributeError, ValueError])
def test_on_other_systems_nothing_happens(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def confstr(_: str) -> str:
        raise error

    monkeypatch.setattr(os, "confstr", confstr, raising=False)
    assert process._glibc() is None
    with keeping_memory():
        pass


@IS_GLIBC
@pytest.mark.slow
def test_large_blocks_are_used_again_instead_of_asked_for() -> None:
    """A block of 50 MB has 12,800 pages, each of which costs a fault where the block comes from the system anew."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(process.KEEPING_IS_DECIDED)}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS], cwd=COURSE_ROOT, env=quiet, capture_output=True, text=True, check=True
    )
    usual, kept, afterwards, holds_inside, holds_afterwards = done.stdout.split()
    assert int(usual) > 1000 > int(kept)
    assert int(afterwards) > 1000
    assert (holds_inside, holds_afterwards) == ("True", "False")


@pytest.mark.slow
def test_jupyterlab_hands_it_to_its_kernels() -> None:
    probe = "import os; from traitlets.config.loader import PyFileConfigLoader\n"
    probe += "PyFileConfigLoader('jupyter_lab_config.py').load_config(); print(os.environ['GOMP_SPINCOUNT'])"
    environment = {name: value for name, value in os.environ.items() if name not in process.WAITING_IS_DECIDED}
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=COURSE_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [WAITING["GOMP_SPINCOUNT"]]


@pytest.mark.slow
def test_the_commands_for_authors_set_it_before_torch_is_loaded() -> None:
    probe = "import os, sys, course_lib.authoring.__main__ as command\n"
    probe += "command._call = lambda *_: print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])\n"
    probe += "command.main(['sheets'])"
    environment = {name: value for name, value in os.environ.items() if name not in process.WAITING_IS_DECIDED}
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=COURSE_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", WAITING["GOMP_SPINCOUNT"]]
