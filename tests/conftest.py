"""What every run of tests begins with, the limit on what a quick test may take, and small images for any test."""

import os
import tempfile
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.support.process import set_waiting
from tests import notebook_results

set_waiting(os.environ)  # before torch is loaded

MOST_SECONDS = 10  #: of processor time, for a test without the mark `slow`; what takes more than two has it


def pytest_configure(config: pytest.Config) -> None:
    """A cache that all test processes share, so that images are fetched and decoded once; then `in_each_process`."""
    config.pluginmanager.register(notebook_results)
    scratch = tempfile.TemporaryDirectory(prefix="course-tests-")
    config.add_cleanup(scratch.cleanup)
    if not hasattr(config, "workerinput"):  # else the process that hands out the tests has done it
        os.environ["COURSE_CACHE"] = str(Path(scratch.name) / "cache")
        Path(os.environ["COURSE_CACHE"]).mkdir()
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    each = import_module("tests.in_each_process")
    config.pluginmanager.register(each)
    each.set_up(config, Path(scratch.name))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a slow test fail that has no mark, so that `make quick` stays quick."""
    before = sum(os.times()[:4])
    result = yield
    seconds = sum(os.times()[:4]) - before
    if seconds > MOST_SECONDS and item.get_closest_marker("slow") is None:
        pytest.fail(f"It took {seconds:.0f} s of processor time. Make it faster, or mark it: @pytest.mark.slow", False)
    return result


def write_image(path: Path, *, bright: bool, size: tuple[int, int] = (48, 40), seed: int = 0) -> Path:
    """A small grey image file with noise; bright images have a light half."""
    pixels = np.random.default_rng(seed).integers(0, 90, size=size[::-1], dtype=np.uint8)
    if bright:
        pixels[:, size[0] // 2 :] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
