"""Whatever a parser raises becomes one sentence; whatever a foreign name holds can be printed."""

import json

import pytest

from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of, understood


def refusal(reason: str) -> DataError:
    return DataError(f"x.json can not be read ({reason}). Copy it again.")


@pytest.mark.parametrize(
    "error", [ValueError("odd"), RecursionError("odd"), MemoryError("odd"), KeyError("odd"), UnicodeError("odd")]
)
def test_whatever_goes_wrong_becomes_the_refusal_with_its_cause(error: Exception) -> None:
    with pytest.raises(DataError, match=r"can not be read \('?odd'?\)") as caught, understood(refusal):
        raise error
    assert caught.value.__cause__ is error


def test_an_error_without_words_is_named_by_its_kind() -> None:
    with pytest.raises(DataError, match="MemoryError"), understood(refusal):
        raise MemoryError


def test_a_hundred_thousand_brackets_are_refused_too() -> None:
    with pytest.raises(DataError, match="can not be read"), understood(refusal):
        json.loads("[" * 100_000)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_goes_through(error: type[BaseException]) -> None:
    with pytest.raises(error), understood(refusal):
        raise error


def test_the_courses_own_error_goes_through_as_it_is() -> None:
    with pytest.raises(DataError, match=r"^said already$"), understood(refusal):
        raise DataError("said already")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("xray-1.jpeg", "xray-1.jpeg"),
        ("Röntgen 7", "Röntgen 7"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        (b"R\xf6ntgen".decode("utf-8", "surrogateescape"), r"R\udcf6ntgen"),
        ("x" * 300, "x" * 200 + "…"),
    ],
)
def test_a_foreign_text_can_be_printed(text: str, shown: str) -> None:
    assert printable(text) == shown
    printable(text).encode("utf-8")


def test_the_first_three_names_are_named() -> None:
    assert some_of(["a", "b\n", "c"]) == r"a, b\n, c"
    assert some_of(["a", "b", "c", "d"]) == "a, b, c, …"
    assert some_of(["a", "b"], most=1) == "a, …"
