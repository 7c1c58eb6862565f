"""The Makefile: what its variables change, told by a dry run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from course_lib.support.runtime import COURSE_ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def dry_run(tmp_path: Path, *arguments: str) -> str:
    """What make would do in a fresh copy of the course."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(COURSE_ROOT / name, tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout


def test_lab_opens_the_first_notebook_and_passes_arguments_on(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "lab", "ARGS=--no-browser")
    assert re.search(r"jupyter lab --config=jupyter_lab_config\.py --no-browser", done)
    assert "[test]" not in done


def test_the_data_commands_pass_their_variables_on(tmp_path: Path) -> None:
    assert "-m course_lib.sources data chest-xray-pneumonia" in dry_run(tmp_path, "data")
    assert "-m course_lib.sources verify other" in dry_run(tmp_path, "data-verify", "CARD=other")
    room = dry_run(tmp_path, "room", "DIR=/srv/my room")
    assert '-m course_lib.modalities.room "/srv/my room" chest-xray-pneumonia' in room
    assert '"/srv/my room" one two' in dry_run(tmp_path, "room", "DIR=/srv/my room", "CARD=one two")
    assert "[test]" not in room


def test_the_tests_are_three_commands(tmp_path: Path) -> None:
    assert re.search(r'pytest tests --ignore=tests/browser -m "not slow" --numprocesses', dry_run(tmp_path, "quick"))
    everything = dry_run(tmp_path, "test", "ARGS=-x")
    assert re.search(r"pytest --ignore=tests/browser --numprocesses .* -x$", everything, re.M)
    assert re.search(r"pytest tests/browser .* -x$", dry_run(tmp_path, "browser", "ARGS=-x"), re.M)


def test_the_commands_that_need_a_folder_pass_it_on(tmp_path: Path) -> None:
    assert 'course_lib.audit "/x rays"' in dry_run(tmp_path, "audit", "DATA=/x rays")
    assert 'course_lib.authoring real "/x rays"' in dry_run(tmp_path, "real", "DATA=/x rays")


def test_help_is_the_default_and_names_every_target(tmp_path: Path) -> None:
    said = dry_run(tmp_path)
    (phony,) = re.findall(r"^\.PHONY: (.+)$", (tmp_path / "Makefile").read_text(encoding="utf-8"), re.M)
    named = set(re.findall(r"^  make (\S+)", said, re.M))
    assert named == {*phony.split()} - {"help"}


def test_help_names_every_variable_that_has_a_default(tmp_path: Path) -> None:
    said = dry_run(tmp_path)
    variables = re.findall(r"^(\w+) \?=", (tmp_path / "Makefile").read_text(encoding="utf-8"), re.M)
    assert [variable for variable in variables if f"{variable}=" not in said] == []


def test_the_tested_releases_are_the_default(tmp_path: Path) -> None:
    assert "--constraint constraints.txt" in dry_run(tmp_path, "test")
    assert "--constraint" not in dry_run(tmp_path, "test", "CONSTRAINTS=")


def test_another_index_is_for_torch_alone(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "test", "TORCH_INDEX=https://example.org/cpu")
    (line,) = [line for line in done.splitlines() if "example.org" in line]
    assert line.endswith("--index-url https://example.org/cpu torch torchvision")
    assert "--index-url" not in dry_run(tmp_path, "test")


def test_an_old_python_is_refused_with_the_remedy(tmp_path: Path) -> None:
    fake = tmp_path / "python-fake"
    fake.write_text('#!/bin/sh\necho "$2" | grep -q "3, 11" && { echo "needs Python 3.11" >&2; exit 1; }\n')
    fake.chmod(0o755)
    shutil.copy(COURSE_ROOT / "Makefile", tmp_path)
    run = subprocess.run(
        ["make", f"PYTHON={fake}", ".venv/python-is-new-enough"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert not (tmp_path / ".venv").exists()


def test_the_tested_set_pins_torch() -> None:
    pins = (COURSE_ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "torch==2.14.1;" in pins
    assert "torchvision==0.29.1;" in pins
