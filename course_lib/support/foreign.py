"""What comes from elsewhere, a file, a server's answer or a name: it is understood, or refused in a sentence.

Code that reads such things says what it allows and refuses the rest. It does not list what can go wrong, because no
list is complete: a parser that stumbles over damaged bytes may raise anything, from ValueError to RecursionError.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from course_lib.support.errors import DataError, TrainingError

MOST_CHARACTERS = 200  #: of a text from elsewhere in a message
LONGEST_PATH = 1000  #: characters, where a path is what the message is about


@contextmanager
def understood(refuse: Callable[[str], Exception]) -> Iterator[None]:
    """Read something foreign inside; whatever that raises becomes the error that ``refuse`` makes of the reason.

    The reason is a short text that can be printed; the first error is chained as the cause. The course's own errors
    and an interruption go through as they are. Nothing but the reading belongs inside, or a mistake of the course would
    be put down to the file.

        with understood(lambda reason: DataError(f"{name} can not be read ({reason}). Copy it again.")):
            content = json.loads(text)
    """
    try:
        yield
    except (DataError, TrainingError):
        raise
    except Exception as error:  # whatever it is: see above
        raise refuse(_reason(error)) from error


def printable(text: object, most: int = MOST_CHARACTERS) -> str:
    """A foreign text for a message: what a terminal would obey or can not show is spelled out, and the rest is cut.

    Escape codes, line breaks and bytes that are no UTF-8 become ``\\x1b``, ``\\n`` and ``\\udce9``.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text)[: most + 1])
    return shown if len(shown) <= most else shown[:most] + "…"


def some_of(names: Sequence[object], most: int = 3) -> str:
    """The first few names for a message, each of them `printable`; an ellipsis stands for the others."""
    return ", ".join(map(printable, names[:most])) + (", …" if len(names) > most else "")


def _reason(error: Exception) -> str:
    """What an error says of itself; its kind where it says nothing."""
    try:
        said = str(error)
    except Exception:  # noqa: BLE001  # an error that can not be printed is still an error
        said = ""
    return printable(said) or type(error).__name__
