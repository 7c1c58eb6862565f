"""A plugin of pytest for the notebooks: that two of them fetched what they show, and what each took.

A plugin, because pytest asks the hooks of ``tests/conftest.py`` only about what lies in ``tests``.
"""

import itertools
import math
from collections import defaultdict
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

from course_lib.support.runtime import cache_folder

FETCHING = ("00_start_here.ipynb", "08_your_own_run.ipynb")
MEGABYTES = "megabytes"


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """When a notebook is through: how much memory it took, and whether it fetched what it should have fetched."""
    if isinstance(item.parent, IPyNbFile) and (nextitem is None or nextitem.path != item.path):
        item.user_properties.append((MEGABYTES, peak_megabytes(item.parent.kernel.km.provisioner.pid)))
        cells = [other for other in item.session.items if other.path == item.path]
        if len(cells) == item.path.read_text(encoding="utf-8").count('"cell_type": "code"'):
            _must_have_fetched(item.path.name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each notebook took, and how much memory."""
    seconds: dict[str, float] = defaultdict(float)
    megabytes: dict[str, object] = defaultdict(lambda: math.nan)
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport) and (path := Path(report.nodeid.split("::")[0])).suffix == ".ipynb":
            seconds[path.name] += report.duration
            megabytes[path.name] = dict(report.user_properties).get(MEGABYTES, megabytes[path.name])
    if seconds:
        terminalreporter.section("seconds and megabytes per notebook")
        for name, duration in sorted(seconds.items()):
            terminalreporter.line(f"{duration:6.1f} {megabytes[name]:6.0f}  {name}")
        terminalreporter.line(f"{sum(seconds.values()):6.1f}         together")


def peak_megabytes(process: int) -> float:
    """The most memory that a process has had so far; not a number where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return math.nan
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def _must_have_fetched(notebook: str) -> None:
    """Notebooks 00 and 08 pass without a network too, and must not here.

    Of the two, the first to run fetches, and the other finds what it has fetched.
    """
    from course_lib.modalities.chest_xray.modality import REAL_SET  # the process that hands out tests has no torch

    if notebook in FETCHING and not (cache_folder("datasets") / REAL_SET).is_dir():
        pytest.fail(f"{notebook} ran, but fetched nothing from the stand-in for Kaggle.", pytrace=False)
