"""What every program of the course starts with: it is light, and one variable says where files are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, cache_folder, data_folder, existing_folder, expanded

NOBODY = "~somebody-unknown/x"


def test_without_a_variable_each_kind_of_files_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_CACHE")
    assert cache_folder("datasets") == COURSE_ROOT / "datasets"
    assert cache_folder("pixels") == COURSE_ROOT / "build" / "pixels"
    assert cache_folder("features") == COURSE_ROOT / "build" / "features"


def test_one_variable_moves_all_of_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    assert cache_folder("datasets") == tmp_path.resolve()
    assert cache_folder("pixels") == tmp_path.resolve() / "pixels"
    assert cache_folder("features") == tmp_path.resolve() / "features"


def test_a_relative_cache_is_seen_from_the_course(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_CACHE", "build/images")
    assert cache_folder("datasets") == COURSE_ROOT / "build" / "images"


def test_a_tilde_stands_for_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # what it is called in Windows
    assert expanded("~/x") == tmp_path / "x"
    assert existing_folder("~/x") == (tmp_path / "x").resolve()
    assert expanded("x/~y") == Path("x/~y")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows guesses where the folder of another user would be")
def test_the_home_of_nobody_is_refused_wherever_a_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", NOBODY)
    monkeypatch.setenv("COURSE_CACHE", NOBODY)
    for name in (
        lambda: expanded(NOBODY),
        lambda: existing_folder(Path(NOBODY)),
        lambda: data_folder(),
        lambda: cache_folder("pixels"),
    ):
        with pytest.raises(
            DataError, match=r"~somebody-unknown/x begins with ~.* knows none of that name. .* whole path"
        ):
            name()


@pytest.mark.parametrize("name", ["nowhere", "x" * 3000, "a\0b"])
def test_what_can_not_be_a_folder_is_none(name: str) -> None:
    assert existing_folder(name) is None


def test_the_support_of_everything_loads_neither_torch_nor_numpy() -> None:
    heavy = ("torch", "torchvision", "numpy", "matplotlib", "sklearn")
    code = f"import sys, course_lib.support; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
