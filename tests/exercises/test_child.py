"""An answer that no thread can be stopped in: its process is ended, and the notebook goes on."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from course_lib.exercises import judging
from course_lib.exercises.child import NoChildError, in_child
from course_lib.exercises.judging import judge
from course_lib.lessons import WORKBOOK

FIRST, WITH_BACKWARD = WORKBOOK.exercises["3.1"], WORKBOOK.exercises["3.5"]
only_with_children = pytest.mark.skipif(
    sys.platform != "linux" or torch.cuda.is_available(), reason="no child can be made here"
)


def runs(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rsplit(")")[-1].split()[0] not in "ZX"


def ends(process: int, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while runs(process) and time.monotonic() < end:
        time.sleep(0.05)
    return not runs(process)


@only_with_children
@pytest.mark.parametrize(
    "call", [lambda: sum(range(10**11)), lambda: re.match("(a+)+b", "a" * 40), lambda: sum(count())]
)
def test_a_call_that_never_lets_go_is_ended(call: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "SECONDS", 0.3)
    text = judge(FIRST, lambda *_: call()).text
    assert re.search(r"  input      size=.*\n.*\n  came       nothing after 0.3 s, so it was stopped\n  → ", text)


@only_with_children
def test_the_words_say_that_it_could_not_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def calculating(*_: object) -> NoReturn:
        raise TimeoutError

    monkeypatch.setattr(judging, "in_child", calculating)
    seconds = iter([0, 60])
    monkeypatch.setattr(judging, "_processor_seconds", lambda: next(seconds))
    assert judge(FIRST, FIRST.reference).text.splitlines()[-1] == f"  → {judging.UNBROKEN}"


@only_with_children
def test_a_real_interruption_ends_a_call_that_never_lets_go(tmp_path: Path) -> None:
    def answer(*_: object) -> object:
        (tmp_path / "process").write_text(str(os.getpid()))
        return sum(count())

    def interrupt() -> None:
        while not (tmp_path / "process").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        judge(FIRST, answer)
    assert not runs(int((tmp_path / "process").read_text()))


@only_with_children
@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: os._exit(0), "exit code 0"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "Killed"),
        (lambda: ctypes.string_at(0), "Segmentation fault"),
    ],
)
def test_an_answer_that_ends_python_ends_a_child(
    end: Callable[[], object], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = judge(FIRST, lambda *_: end()).text
    assert f"\n  came       nothing, because Python ended ({words})\n  → Only the process in which" in text
    assert "  input      size=" in text
    assert capfd.readouterr() == ("", "")


@only_with_children
def test_what_an_answer_does_is_lost_with_the_child() -> None:
    kept: list[object] = []

    def answer(*sizes: int) -> object:
        kept.append(sizes)
        return FIRST.reference(*sizes)

    assert judge(FIRST, answer).outcome == "correct"
    assert kept == []


SCRIBBLE = """
import contextlib, os, sys
from course_lib.exercises.child import in_child
def scribble(tell):
    for file in range(3, 64):
        with contextlib.suppress(OSError):
            os.write(file, bytes.fromhex(sys.argv[1]))
    tell(7)
    return "done"
heard = []
print(in_child(scribble, 60, heard.append), heard)
"""


@pytest.mark.slow
@only_with_children
@pytest.mark.parametrize("junk", [b"garbage", b'["told", "x"]\n7\n\xff\n[]\n' + b"[" * 9000])
def test_what_an_answer_writes_into_every_open_file_disturbs_nothing(junk: bytes) -> None:
    """In a process of its own, which has no other files open."""
    command = [sys.executable, "-c", SCRIBBLE, junk.hex()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "done [7]\n", done.stderr


@only_with_children
def test_nothing_remains_of_what_an_answer_starts(tmp_path: Path) -> None:
    def answer(*_: object) -> object:
        started = subprocess.Popen(["sleep", "600"])
        (tmp_path / str(started.pid)).touch()
        return 0

    assert judge(FIRST, answer).outcome == "wrong"
    assert all(ends(int(path.name)) for path in tmp_path.iterdir())


@only_with_children
@pytest.mark.slow
def test_a_child_ends_soon_when_the_notebook_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from itertools import count\n"
        "from pathlib import Path\n"
        "from course_lib.exercises.child import in_child\n"
        "def work(tell):\n"
        "    Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "    return sum(count())\n"
        "in_child(work, 2, print)\n"
    )
    notebook = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "process")])
    while not (tmp_path / "process").exists():
        assert notebook.poll() is None
        time.sleep(0.01)
    notebook.kill()
    notebook.wait()
    time.sleep(0.1)
    assert ends(int((tmp_path / "process").read_text()), seconds=20)


def refused_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch refuses backward() in a child where it has used threads of its own for it before."""
    backward, here = torch.Tensor.backward, os.getpid()

    def refused(tensor: torch.Tensor, *arguments: Any, **named: Any) -> None:
        if os.getpid() != here:
            raise RuntimeError("Unable to handle autograd's threading in combination with fork-based multiprocessing.")
        backward(tensor, *arguments, **named)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(torch.Tensor, "backward", refused)


def not_forked() -> NoReturn:
    raise BlockingIOError("Resource temporarily unavailable")


@pytest.mark.parametrize(
    "prevent",
    [
        refused_in_a_child,
        lambda patch: patch.setattr(os, "fork", not_forked),
        lambda patch: patch.setattr(os, "pipe", not_forked),
        lambda patch: patch.setattr(sys, "platform", "darwin"),
    ],
)
def test_where_no_child_can_be_the_answer_is_judged_here(
    prevent: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    prevent(monkeypatch)
    places: list[int] = []

    def answer(*inputs: Any) -> object:
        places.append(os.getpid())
        return WITH_BACKWARD.reference(*inputs)

    def swallowing(*inputs: Any) -> object:
        try:
            return WITH_BACKWARD.reference(*inputs)
        except RuntimeError:
            return 0.0

    mistake = WITH_BACKWARD.mistakes[0]
    assert judge(WITH_BACKWARD, answer).text == f"Exercise {WITH_BACKWARD.number}: correct."
    assert judge(WITH_BACKWARD, swallowing).outcome == "correct"
    assert judge(WITH_BACKWARD, mistake.answer).text.endswith(f"→ {mistake.diagnosis}")
    assert set(places) == {os.getpid()}


def test_a_library_that_an_answer_loads_stays_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new_library.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def answer(*sizes: int) -> object:
        import new_library  # type: ignore[import-not-found]  # noqa: F401

        return FIRST.reference(*sizes)

    assert judge(FIRST, answer).outcome == "correct"
    assert sys.modules.pop("new_library")


@only_with_children
def test_what_goes_wrong_in_a_child_is_left_to_this_process() -> None:
    with pytest.raises(NoChildError):
        in_child(lambda _: object(), 60, print)
    with pytest.raises(NoChildError):
        in_child(lambda _: 1 // 0, 60, print)


@only_with_children
def test_a_child_tells_numbers_and_gives_what_it_returns() -> None:
    heard: list[int] = []
    assert in_child(lambda tell: [tell(1), tell(2), "\ud800" * 10**5], 60, heard.append)[2] == "\ud800" * 10**5
    assert heard == [1, 2]
