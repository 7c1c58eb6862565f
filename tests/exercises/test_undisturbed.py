"""What a learner's code does to the notebook is undone where it is tried in the notebook's own process."""

import logging
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.exercises.undisturbed import undisturbed

LOGGER = logging.getLogger("course_lib.tests")
set_limit = sys.setrecursionlimit  # as after `from sys import setrecursionlimit`


def add_a_handler() -> None:
    LOGGER.addHandler(logging.NullHandler())


def fill_the_environment() -> None:
    os.environ.pop("COURSE_PROFILE")
    os.environ["HOME"] = "elsewhere"
    os.environ["COURSE_NEW"] = "1"


@pytest.mark.parametrize(
    ("change", "look"),
    [
        (lambda: os.chdir(Path.cwd().parent), Path.cwd),
        (fill_the_environment, lambda: dict(os.environ)),
        (lambda: sys.setrecursionlimit(9000), sys.getrecursionlimit),
        (lambda: set_limit(9000), sys.getrecursionlimit),
        (lambda: random.seed(0), random.getstate),
        (lambda: np.random.seed(0), lambda: np.random.get_state(legacy=False)["state"]["key"].tolist()),
        (lambda: torch.manual_seed(0), lambda: torch.get_rng_state().tolist()),
        (lambda: LOGGER.setLevel(logging.DEBUG), lambda: LOGGER.isEnabledFor(logging.DEBUG)),
        (lambda: logging.disable(logging.ERROR), lambda: LOGGER.isEnabledFor(logging.ERROR)),
        (add_a_handler, lambda: list(LOGGER.handlers)),
    ],
    ids=["folder", "environment", "limit", "limit by name", "random", "numpy", "torch", "level", "off", "handler"],
)
def test_it_is_as_before(change: Callable[[], object], look: Callable[[], object]) -> None:
    before = look()
    with undisturbed():
        change()
    assert look() == before


def test_log_lines_that_come_later_are_seen(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    with undisturbed() as printed:
        logging.getLogger("course_lib.new").warning("within")
        logging.warning("within too")
    logging.getLogger("course_lib.new").warning("later")
    assert "within too" in printed.getvalue()
    assert capfd.readouterr().err == "later\n"


def test_a_logger_that_is_new_keeps_no_way_to_what_was_printed() -> None:
    with undisturbed():
        logging.getLogger("course_lib.newer").addHandler(logging.StreamHandler())
    assert logging.getLogger("course_lib.newer").handlers == []


def test_the_recursion_limit_stays_and_the_learner_is_told() -> None:
    limit = sys.getrecursionlimit()
    with undisturbed() as printed:
        sys.setrecursionlimit(10**6)
        assert sys.getrecursionlimit() == limit
    assert printed.getvalue() == "The recursion limit stays as it is while an answer is checked.\n"


def test_a_working_directory_that_is_gone_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    os.chdir("gone")
    Path("../gone").rmdir()
    with undisturbed():
        os.chdir(tmp_path)
    assert Path.cwd() == tmp_path
