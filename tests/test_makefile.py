"""The Makefile: what its variables change, told by a dry run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from course_lib.support.runtime import COURSE_ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

#: What make finds around it, without what another make left there.
SURROUNDINGS = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("MAKE") and name not in {"DATA", "DIR", "CARD"}
}


def dry_run(tmp_path: Path, *arguments: str) -> str:
    """What make would do in a fresh copy of the course."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(COURSE_ROOT / name, tmp_path)
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=tmp_path, env=SURROUNDINGS, capture_output=True, text=True, check=True).stdout


def test_lab_opens_the_first_notebook_and_passes_arguments_on(tmp_path: Path) -> None:
    done = dry_run(tmp_path, "lab", "ARGS=--no-browser")
    assert re.search(r"jupyter lab --config=jupyter_lab_config\.py --no-browser", done)
    assert "[test]" not in done


def started(course: Path, *arguments: str, **environment: str) -> list[str]:
    """What make gives to Python in a copy of the course where everything is installed."""
    shutil.copy(COURSE_ROOT / "Makefile", course)
    (course / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    python = course / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n", encoding="utf-8")  # what it is given, NUL after each
    python.chmod(0o755)
    for number, name in enumerate(("constraints.txt", "pyproject.toml", *INSTALLED)):  # each newer than those before it
        (course / name).touch()
        os.utime(course / name, (number, number))
    command = ["make", "--silent", *arguments]
    done = subprocess.run(command, cwd=course, env=SURROUNDINGS | environment, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


INSTALLED = [f".venv/{name}" for name in ("python-is-new-enough", "torch", "installed-lab", "installed-test")]


def test_the_data_commands_pass_their_variables_on(tmp_path: Path) -> None:
    assert started(tmp_path, "data") == ["-m", "course_lib.sources", "data", "--", "chest-xray-pneumonia"]
    assert started(tmp_path, "data-verify", "CARD=other") == ["-m", "course_lib.sources", "verify", "--", "other"]
    room = ["-m", "course_lib.modalities.room", "--", "/srv/my room"]
    assert started(tmp_path, "room", "DIR=/srv/my room") == [*room, "chest-xray-pneumonia"]
    assert started(tmp_path, "room", "DIR=/srv/my room", "CARD=one two") == [*room, "one", "two"]
    assert "[test]" not in dry_run(tmp_path, "room", "DIR=/srv/my room")


@pytest.mark.parametrize("given", ["on the command line", "in the environment"])
@pytest.mark.parametrize(
    "name",
    [
        "~/x",
        "two words",
        "it's",
        'a "b',
        "$(touch done)",
        "$(shell touch done)",
        "`touch done`",
        "x; touch done",
        "$HOME",
        "${PWD}",
        "$$",
        "a\\",
        "#x",
        "*",
        "a\nb",
        "é",
        "-h",
    ],
)
def test_a_name_reaches_python_as_it_is_and_nothing_in_it_is_carried_out(tmp_path: Path, name: str, given: str) -> None:
    def heard(command: str, variable: str) -> list[str]:
        if given == "in the environment":
            return started(tmp_path, command, **{variable: name})
        return started(tmp_path, command, f"{variable}={name}")

    assert heard("audit", "DATA") == ["-m", "course_lib.audit", "--", name]
    assert heard("real", "DATA") == ["-m", "course_lib.authoring", "real", "--", name]
    assert heard("room", "DIR") == ["-m", "course_lib.modalities.room", "--", name, "chest-xray-pneumonia"]
    assert heard("data", "CARD") == ["-m", "course_lib.sources", "data", "--", name]
    assert heard("room", "CARD") == ["-m", "course_lib.modalities.room", "--", "", *name.split()]
    assert not (tmp_path / "done").exists()


def test_the_real_images_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        started(tmp_path, "real")
    assert (
        refused.value.stdout == b"Say which images: make real DATA=<folder of one data set, or a room with several>\n"
    )


def test_the_tests_are_three_commands(tmp_path: Path) -> None:
    assert re.search(r'pytest tests --ignore=tests/browser -m "not slow" --numprocesses', dry_run(tmp_path, "quick"))
    everything = dry_run(tmp_path, "test", "ARGS=-x")
    assert re.search(r"pytest --ignore=tests/browser --numprocesses .* -x$", everything, re.M)
    assert re.search(r"pytest tests/browser .* -x$", dry_run(tmp_path, "browser", "ARGS=-x"), re.M)


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
