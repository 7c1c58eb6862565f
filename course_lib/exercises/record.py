"""Which exercises a learner has solved, in one small file that only the learner can read.

The file lies beside the learner's notebooks: whoever copies or deletes the course's folder takes it along, and
``make clean`` leaves it alone. ``COURSE_PROGRESS`` names another file.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from course_lib.support.files import write_whole
from course_lib.support.runtime import COURSE_ROOT

FORMAT = 1


def record_file() -> Path:
    """Where the record is, or would be."""
    given = os.environ.get("COURSE_PROGRESS")
    return Path(given).expanduser() if given else COURSE_ROOT / "notebooks" / ".progress.json"


def solved() -> tuple[set[str], str]:
    """The numbers of the solved exercises, and a sentence for the learner where something is wrong with the record.

    A damaged file is put aside, and a new record begins.
    """
    path = record_file()
    try:
        return _numbers(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return set(), ""
    except OSError as error:
        return set(), f"Your progress can not be read ({error.strerror}): set COURSE_PROGRESS to a file of your own."
    except ValueError:
        aside = path.with_name(path.name + ".damaged")
        with contextlib.suppress(OSError):
            path.replace(aside)
        return set(), f"Your progress file was damaged. It is kept as {aside.name}; a new one begins."


def add_solved(number: str) -> str:
    """Note that an exercise is solved; gives a sentence for the learner where that fails, else nothing."""
    numbers, problem = solved()
    return problem if number in numbers else _write({*numbers, number}) or problem


def forget() -> str:
    """Begin anew; gives a sentence for the learner where that fails, else nothing."""
    return _write(())


def _numbers(text: str) -> set[str]:
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("solved"), list):
        raise ValueError(f"Expected the fields format = {FORMAT} and solved, got {text[:60]!r}.")
    return {str(number) for number in content["solved"]}


def _write(numbers: Iterable[str]) -> str:
    content = json.dumps({"format": FORMAT, "solved": sorted(numbers)})
    try:
        write_whole(record_file(), content, private=True)
    except OSError as error:
        return f"Your progress can not be kept ({error.strerror}): set COURSE_PROGRESS to a file that you can write."
    return ""
