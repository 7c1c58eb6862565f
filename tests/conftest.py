"""What every test needs: small image folders, and a run that nobody's settings or network can change."""

import itertools
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.dataset import RadiographDataset, read_split
from course_lib.sources import open_dataset
from course_lib.transforms import Preprocessing, evaluation_transform
from tests.kaggle_fixtures import fault_table, learner

__all__ = ["fault_table", "learner"]

NOWHERE = "http://127.0.0.1:9"  # nothing listens there, so that any attempt to use the network fails at once


def pytest_configure() -> None:
    """Settings that reach the kernels of the notebooks too; and the phantoms, so that no notebook shows their bar."""
    os.environ.pop("COURSE_DATA", None)
    os.environ["COURSE_PROFILE"] = "quick"
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ[variable] = NOWHERE
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    matplotlib.use("Agg")
    open_dataset("phantom")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each notebook took."""
    seconds: dict[str, float] = defaultdict(float)
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        path = Path(getattr(report, "nodeid", "").split("::")[0])
        if path.suffix == ".ipynb":
            seconds[path.name] += report.duration
    if seconds:
        terminalreporter.section("seconds per notebook")
        for name, duration in sorted(seconds.items()):
            terminalreporter.line(f"{duration:6.1f}  {name}")
        terminalreporter.line(f"{sum(seconds.values()):6.1f}  together")


def write_image(path: Path, *, bright: bool, size: tuple[int, int] = (48, 40), seed: int = 0) -> Path:
    """A small grey image file with noise; bright images have a light half."""
    pixels = np.random.default_rng(seed).integers(0, 90, size=size[::-1], dtype=np.uint8)
    if bright:
        pixels[:, size[0] // 2 :] += 120
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set in the course's layout: 8 + 8 patients with two images each to train on, 3 + 3 to test on."""
    root, serial = tmp_path / "xrays", 0
    for split, patients in (("train", range(8)), ("test", range(8, 11))):
        for patient in patients:
            for n in (1, 2):
                serial += 1
                normal = root / split / "NORMAL" / f"phantom{patient:04d}_normal_{n}.jpeg"
                sick = root / split / "PNEUMONIA" / f"phantom{patient + 100:04d}_virus_{n}.jpeg"
                write_image(normal, bright=False, seed=serial)
                write_image(sick, bright=True, seed=serial)
    return root


@pytest.fixture
def small_data(folder: Path) -> RadiographDataset:
    """The 32 training images of `folder`, as tensors of 32 px."""
    radiographs, classes = read_split(folder, "train")
    return RadiographDataset(radiographs, classes, evaluation_transform(Preprocessing(size=32)))


@pytest.fixture
def tiny_model() -> Callable[[int], torch.nn.Module]:
    """Makes a linear classifier for images of 32 px; the same one each time."""

    def make(classes: int = 2) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, classes))

    return make
