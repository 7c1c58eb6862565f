"""What the commands that fetch data say when something goes wrong: one sentence, and an exit code."""

import sys
from collections.abc import Callable

from course_lib.sources.download import DownloadError
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable


def explained(work: Callable[[], str]) -> int:
    """Do the work and print what it returns; gives 0, or another code and one sentence if all is not well."""
    try:
        print(work())
    except (DataError, DownloadError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except OSError as problem:
        what = printable(problem.filename or "a file or folder", LONGEST_PATH)
        why = problem.strerror or type(problem).__name__
        print(f"The system refused {what} ({why}). Give yourself access to it, then call again.", file=sys.stderr)
        return 1
    return 0
