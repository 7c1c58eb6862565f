"""The record of solved exercises: private, whole or not there, and never in the way."""

import os
import re
from pathlib import Path

import pytest

from course_lib.lessons import WORKBOOK, check, progress, reset_progress
from course_lib.support.runtime import COURSE_ROOT


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def solve(*numbers: str) -> None:
    for number in numbers:
        check(number, WORKBOOK.exercises[number].reference)


def test_what_is_solved_is_kept_and_can_be_reset(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve("3.3", "3.1", "3.1")
    check("3.4", lambda *_: 0)
    capsys.readouterr()
    progress()
    assert re.search(r"^03 Building Net +2 of \d+  3\.1 3\.3$", capsys.readouterr().out, re.M)
    if os.name == "posix":
        assert record.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in record.parent.iterdir()] == ["progress.json"]
    reset_progress()
    progress()
    assert re.search(r"^03 Building Net +0 of \d+$", capsys.readouterr().out, re.M)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 9, "solved": []}', "\0\xff"])
def test_a_damaged_record_is_put_aside(record: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    record.write_bytes(content.encode("latin1"))
    solve("3.1")
    assert "It is kept as progress.json.damaged; a new one begins." in capsys.readouterr().out
    assert record.with_name("progress.json.damaged").read_bytes() == content.encode("latin1")
    progress()
    assert re.search(r"1 of \d+  3\.1$", capsys.readouterr().out, re.M)


def test_exercises_work_where_nothing_can_be_written(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record.touch()
    monkeypatch.setenv("COURSE_PROGRESS", str(record / "below a file.json"))
    solve("3.1")
    said = capsys.readouterr().out
    assert said.startswith("Exercise 3.1: correct.\nYour progress can not be kept (")
    assert said.endswith("set COURSE_PROGRESS to a file that you can write.\n")
    progress()
    assert re.search(r" 0 of \d+\nYour progress can not be read \(", capsys.readouterr().out)


def test_the_tests_do_not_touch_the_learners_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert COURSE_ROOT not in Path(os.environ["COURSE_PROGRESS"]).parents
