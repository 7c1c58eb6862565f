"""What every program of the course starts with: it is light, and one variable says where files are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.support.runtime import COURSE_ROOT, cache_folder


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


def test_the_support_of_everything_loads_neither_torch_nor_numpy() -> None:
    heavy = ("torch", "torchvision", "numpy", "matplotlib", "sklearn")
    code = f"import sys, course_lib.support; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
