"""One process at a time: waiting for one that is at work, and not for ever for one that is gone."""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import SoftFileLock

from course_lib.support import locks
from course_lib.support.errors import DataError
from course_lib.support.locks import alone

WAITING = "Another process is making tea. Waiting for it to finish.\n"


@pytest.fixture
def without_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that knows no locks: the file itself is one."""
    monkeypatch.setattr(locks, "FileLock", SoftFileLock)


@contextmanager
def at_work(lock: Path, seconds: float) -> Iterator[None]:
    """Somebody else who has the lock for so long."""
    has_it = threading.Event()

    def work() -> None:
        with alone(lock, "nothing"):
            has_it.set()
            time.sleep(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    assert has_it.wait(30)
    yield
    thread.join()


def test_one_waits_for_another_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with at_work(tmp_path / "new" / "lock", 0.3), alone(tmp_path / "new" / "lock", "making tea"):
        pass
    assert capsys.readouterr().out == WAITING


def test_of_a_short_wait_nothing_is_said_where_one_is_usual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with at_work(tmp_path / "lock", 0.3), alone(tmp_path / "lock", "making tea", silent_seconds=30):
        pass
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("without_flock")
def test_one_waits_for_another_where_the_file_is_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "LONGEST_WAIT_SECONDS", 30)
    lock = tmp_path / "lock"
    with at_work(lock, 0.3), alone(lock, "making tea"):
        pass
    assert capsys.readouterr().out == f"{WAITING}If no other process is at work, delete the file {lock}.\n"
    assert not lock.exists()


def _empty(lock: Path) -> None:
    lock.touch()


def _from_another_computer(lock: Path) -> None:
    lock.write_text("4711\nsome-other-computer\n")


@pytest.mark.usefixtures("without_flock")
@pytest.mark.parametrize("leave", [_empty, _from_another_computer])
def test_a_lock_that_was_left_over_does_not_make_one_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(locks, "LONGEST_WAIT_SECONDS", 0.3)
    lock = tmp_path / "lock"
    leave(lock)
    remedy = rf"making tea.*delete the file {re.escape(str(lock))}, and call again"
    with pytest.raises(DataError, match=remedy), alone(lock, "making tea"):
        pytest.fail("the lock is taken")
    lock.unlink()
    with alone(lock, "making tea"):
        pass


@pytest.mark.usefixtures("without_flock")
def test_waiting_can_be_interrupted(tmp_path: Path) -> None:
    _empty(tmp_path / "lock")
    stop = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    stop.start()
    with pytest.raises(KeyboardInterrupt), alone(tmp_path / "lock", "making tea"):
        pytest.fail("the lock is taken")
    stop.join()
