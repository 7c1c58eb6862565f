"""Exercises are checked in a kernel, after a training on several threads, as learners do."""

from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.authoring.notebook_form import NOTEBOOKS

TRAIN = """
import torch
from torch.nn import functional as F
from course_lib.exercises import judging
from course_lib.exercises.child import NoChildError
from course_lib.lessons import WORKBOOK, check

judging.SECONDS = 60
torch.set_num_threads(4)
network = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3), torch.nn.Flatten(), torch.nn.Linear(16 * 30 * 30, 2))
optimizer = torch.optim.Adam(network.parameters())
def train():
    optimizer.zero_grad()
    F.cross_entropy(network(torch.randn(32, 1, 32, 32)), torch.arange(32) % 2).backward()
    optimizer.step()
train()
"""
CHECK = """
for exercise in WORKBOOK.exercises.values():
    mistake = exercise.mistakes[0]
    for answer, outcome, last in [
        (exercise.reference, "correct", f"Exercise {exercise.number}: correct."),
        (mistake.answer, "wrong", f"  → {mistake.diagnosis}"),
    ]:
        verdict = judging.judge(exercise, answer if exercise.parameters else answer())
        if (verdict.outcome, verdict.text.splitlines()[-1]) != (outcome, last):
            print(verdict.text)
    train()
print("all checked")
"""
INTERRUPT = """
import os, signal, threading
from itertools import count
threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    check("3.1", lambda *_: sum(count()))
except KeyboardInterrupt:
    train()
    print("interrupted")
"""
END = """
judging.SECONDS = 1.5
check("3.1", lambda *_: sum(count()), seed=0)
check("3.1", lambda *_: os._exit(0), seed=0)
check("3.1", lambda *_: exit(), seed=0)
def forever(*_):
    while True:
        pass
judging.SECONDS = 0.5
check("3.1", forever)
in_child, judging.in_child = judging.in_child, lambda *_: (_ for _ in ()).throw(NoChildError)
check("3.1", forever)
judging.SECONDS, judging.in_child = 60, in_child
train()
check("3.1", WORKBOOK.exercises["3.1"].reference)
"""


@pytest.mark.slow
def test_a_check_neither_hangs_nor_misjudges_after_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    notebook = new_notebook(cells=list(map(new_code_cell, (TRAIN, CHECK, INTERRUPT, END))))  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    train, checked, interrupted, ended = (
        "".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells
    )
    assert (train, checked, interrupted) == ("", "all checked\n", "interrupted\n")
    assert ended.count("→ Is there a loop that never ends?") == 2 or "→ It hardly calculated" in ended  # if it is busy
    assert [line for line in ended.splitlines() if line.startswith(("  came", "Exercise"))] == [
        "Exercise 3.1: not yet.",
        "  came       nothing after 1.5 s, so it was stopped",
        "Exercise 3.1: not yet.",
        "  came       nothing, because Python ended (exit code 0)",
        "Exercise 3.1: not yet.",
        next(line for line in ended.splitlines() if "SystemExit" in line),
        *["Exercise 3.1: not yet.", "  came       nothing after 0.5 s, so it was stopped"] * 2,
        "Exercise 3.1: correct.",
    ]
