"""What every run of tests begins with, which tests took long without saying so, and small images for any test."""

import itertools
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

PROCESSOR_SECONDS = "processor seconds"
MANY_SECONDS = 5  #: of processor time, without the mark `slow`, which is for what takes more than two


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
    """Note what a test without the mark `slow` took; a browser's tests are never quick, and need none."""
    before = sum(os.times()[:4])
    result = yield
    if item.get_closest_marker("slow") is None and "browser" not in item.path.parts:
        item.user_properties.append((PROCESSOR_SECONDS, sum(os.times()[:4]) - before))
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that `make quick` could do without. They do not fail: a busy computer makes any test slow."""
    took = {
        report.nodeid: seconds
        for report in itertools.chain.from_iterable(terminalreporter.stats.values())
        if isinstance(report, pytest.TestReport)
        for name, seconds in report.user_properties
        if name == PROCESSOR_SECONDS and isinstance(seconds, float) and seconds > MANY_SECONDS
    }
    if took:
        terminalreporter.section("seconds of processor time: make these faster, or mark them @pytest.mark.slow")
        for test, seconds in sorted(took.items(), key=lambda pair: -pair[1]):
            terminalreporter.line(f"{seconds:6.1f}  {test}")


def write_image(path: Path, *, bright: bool, size: tuple[int, int] = (48, 40), seed: int = 0) -> Path:
    """A small grey image file with noise; bright images have a light half."""
    pixels = np.random.default_rng(seed).integers(0, 90, size=size[::-1], dtype=np.uint8)
    if bright:
        pixels[:, size[0] // 2 :] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
