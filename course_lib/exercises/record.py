"""Which exercises a learner has solved, in one small file that only the learner can read.

The file lies beside the learner's notebooks: whoever copies or deletes the course's folder takes it along, and
``make clean`` leaves it alone. ``COURSE_PROGRESS`` names another file.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from course_lib.support.errors import DataError
from course_lib.support.files import write_whole
from course_lib.support.foreign import printable, understood
from course_lib.support.runtime import COURSE_ROOT, expanded

FORMAT = 1
MOST_BYTES = 100_000  #: of a record; one with every exercise has a thousand
MOST_SECONDS = 2.0  #: that one process waits for another to write
POLL_SECONDS = 0.01


def solved() -> tuple[set[str], str]:
    """The numbers of the solved exercises, and a sentence for the learner where something is wrong with the record.

    A damaged file is put aside, and a new record begins.
    """
    try:
        path = _record_file()
        with contextlib.suppress(DataError):
            return _numbers(path), ""
        with _alone(path):
            return _renewed(path)
    except _NoRecordError as error:
        return set(), str(error)
    except OSError as error:
        reason = printable(error.strerror or error)
        return set(), f"Your progress can not be read ({reason}): set COURSE_PROGRESS to a file of your own."


def add_solved(number: str) -> str:
    """Note that an exercise is solved; gives a sentence for the learner where something is wrong, else nothing."""
    try:
        with _alone(path := _record_file()):
            numbers, problem = _renewed(path)
            if number not in numbers:
                _write(path, {*numbers, number})
            return problem
    except (_NoRecordError, OSError) as error:
        return _not_kept(error)


def forget() -> str:
    """Begin anew; gives a sentence for the learner where that fails, else nothing."""
    try:
        with _alone(path := _record_file()):
            _write(path, ())
            return ""
    except (_NoRecordError, OSError) as error:
        return _not_kept(error)


class _NoRecordError(Exception):
    """There is no record to be had; the message is a sentence for the learner."""


def _record_file() -> Path:
    """Where the record is, or would be.

    Raises:
        _NoRecordError: ``COURSE_PROGRESS`` names something else, such as a folder.
    """
    given = os.environ.get("COURSE_PROGRESS")
    if not given:
        return COURSE_ROOT / "notebooks" / ".progress.json"
    try:
        path = expanded(given)
    except DataError as error:
        raise _NoRecordError(f"COURSE_PROGRESS names no file for your progress: {error}") from error
    with contextlib.suppress(OSError):  # it is not there yet; or it is told when it is read
        if not stat.S_ISREG(path.stat().st_mode):
            raise _NoRecordError(f"COURSE_PROGRESS names {printable(path)}, which is no file: set it to one.")
    return path


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let no other process write the record meanwhile. A folder that keeps no lock is not written, or by one process.

    Raises:
        _NoRecordError: another process does not end.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=MOST_SECONDS, poll_interval=POLL_SECONDS)
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock)
        except Timeout as error:
            raise _NoRecordError(
                f"Your progress can not be kept now, because another process is writing it: check again. "
                f"If there is none, delete {printable(lock.lock_file)}."
            ) from error
        except (OSError, NotImplementedError):  # then writing fails too; or it is a drive without locks
            pass
        yield


def _renewed(path: Path) -> tuple[set[str], str]:
    """The numbers, and a sentence if the file was damaged; it is put aside then, under a name that is free."""
    try:
        return _numbers(path), ""
    except DataError:
        names = (path.with_name(f"{path.name}.damaged{n or ''}") for n in count())
        aside = next(name for name in names if not name.exists())
        path.rename(aside)
        return set(), f"Your progress file was damaged. It is kept as {printable(aside.name)}; a new one begins."


def _numbers(path: Path) -> set[str]:
    """What the file says; no number where there is no file.

    Raises:
        DataError: it is damaged.
        OSError: it can not be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return set()
    with understood(DataError):
        record = json.loads(content.decode()) if len(content) <= MOST_BYTES else None
    if not isinstance(record, dict) or record.get("format") != FORMAT or not isinstance(record.get("solved"), list):
        raise DataError(f"Expected the fields format = {FORMAT} and solved, got {printable(content)}.")
    if not all(isinstance(number, str) for number in record["solved"]):
        raise DataError(f"Expected the numbers of exercises as texts, got {printable(record['solved'])}.")
    return set(record["solved"])


def _write(path: Path, numbers: Iterable[str]) -> None:
    write_whole(path, json.dumps({"format": FORMAT, "solved": sorted(numbers)}), private=True)


def _not_kept(error: Exception) -> str:
    if isinstance(error, OSError):
        reason = printable(error.strerror or error)
        return f"Your progress can not be kept ({reason}): set COURSE_PROGRESS to a file that you can write."
    return str(error)
