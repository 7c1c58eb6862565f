"""The record of solved exercises: private, whole or not there, and never in the way."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.exercises.record import MOST_BYTES, add_solved, solved
from course_lib.lessons import WORKBOOK, check, progress, reset_progress
from course_lib.support.runtime import COURSE_ROOT

DEEP = "[" * 90_000
INPUTS = 2000 if os.environ.get("COURSE_THOROUGH") else 200


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
    assert {path.name for path in record.parent.iterdir()} <= {"progress.json", "progress.json.lock"}
    reset_progress()
    progress()
    assert re.search(r"^03 Building Net +0 of \d+$", capsys.readouterr().out, re.M)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"format": 1}', '{"format": 9, "solved": []}', '{"format": 1, "solved": [3.1]}', "\0\xff", DEEP],
    ids=range(8),
)
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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([1, "3.1", ["3.1", "3.2"]]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["format", "solved"]) | st.text(), inner, max_size=4)
    ),
)
contents = st.one_of(
    json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(st.text()).map(lambda numbers: json.dumps({"format": 1, "solved": numbers}).encode()),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(),
)


@settings(max_examples=INPUTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=contents)
def test_no_record_is_lost_without_a_word_whatever_is_in_it(record: Path, content: bytes) -> None:
    for path in record.parent.iterdir():
        path.unlink()
    record.write_bytes(content)
    before, problem = solved()
    assert (content in [path.read_bytes() for path in record.parent.glob("*.damaged")]) == bool(problem)
    assert add_solved("3.1") == ""
    assert solved() == ({*before, "3.1"}, "")


def test_a_second_damaged_record_leaves_the_first_where_it_is(record: Path) -> None:
    for content in ("first", "second", "{" * (MOST_BYTES + 1)):
        record.write_text(content)
        assert "was damaged" in add_solved("3.1")
    names = [f"progress.json.damaged{n}" for n in ("", 1, 2)]
    assert [record.with_name(name).read_text()[:6] for name in names] == ["first", "second", "{" * 6]


@pytest.mark.parametrize("given", ["~nouser/x", "/", ".", "/dev/zero", "/dev/full"])
def test_a_name_of_no_file_is_told_in_one_sentence(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_PROGRESS", given)
    solve("3.1")
    progress()
    reset_progress()
    assert len(re.findall(r"^COURSE_PROGRESS names ", capsys.readouterr().out, re.M)) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files here")
def test_a_file_that_never_gives_anything_is_not_waited_for(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(record)
    progress()
    assert "which is no file" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read here")
def test_a_record_that_can_not_be_read_is_left_alone(record: Path) -> None:
    record.write_text("kept")
    record.chmod(0)
    assert "can not be kept (Permission denied)" in add_solved("3.1")
    record.chmod(0o600)
    assert record.read_text() == "kept"


@pytest.mark.slow
def test_two_processes_that_solve_at_once_keep_what_both_have_solved(record: Path) -> None:
    code = (
        "import sys\n"
        "from course_lib.exercises.record import add_solved\n"
        "print(flush=True); input()\n"
        "print(*[add_solved(f'{sys.argv[1]}.{n}') for n in range(20)])"
    )
    run = [sys.executable, "-c", code]
    solvers = [
        subprocess.Popen([*run, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    for solver in solvers:
        assert solver.stdout is not None
        assert solver.stdout.readline() == "\n"  # both are ready, and begin together
    for solver in solvers:
        assert solver.stdin is not None
        solver.stdin.write("\n")
        solver.stdin.flush()
    assert [solver.communicate(timeout=60)[0].split() for solver in solvers] == [[], []]
    assert solved() == ({f"{name}.{n}" for name in "ab" for n in range(20)}, "")
    assert record.is_file()


def test_a_process_that_holds_the_record_is_not_waited_for_without_end(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.exercises.record.MOST_SECONDS", 0.05)
    with FileLock(f"{record}.lock"):
        assert re.match(r"Your progress can not be kept now, .*progress\.json\.lock\.$", add_solved("3.1"))
    assert add_solved("3.1") == ""


def test_the_tests_do_not_touch_the_learners_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert COURSE_ROOT not in Path(os.environ["COURSE_PROGRESS"]).parents
