"""What every test needs: small image folders, and a run that nobody's settings or network can change."""

import os
import signal
import tempfile
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

from course_lib.support.process import set_waiting

set_waiting(os.environ)  # before torch is loaded

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data.image_folder import read_split
from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing, evaluation_transform
from course_lib.exercises import judging
from course_lib.modalities.chest_xray.modality import REAL_SET
from course_lib.modalities.registry import MODALITIES, dataset_folder
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import PROFILES
from tests import notebook_results
from tests.sources.kaggle_fixtures import fault_table, learner, point_client_at
from tests.sources.kaggle_stand_in import StandIn, start
from tests.sources.xray_archive import write_archive

__all__ = ["fault_table", "learner"]

MOST_SECONDS = 10  #: of processor time, for a test without the mark `slow`; what takes more than two has it
NOWHERE = "http://127.0.0.1:9"  # nothing listens there, so that any attempt to use the network fails at once


def pytest_configure(config: pytest.Config) -> None:
    """Settings that reach the kernels of the notebooks too; and the phantoms, so that no notebook shows their bar.

    The home is an empty folder and Kaggle is a stand-in, with all 5,856 images of the course's card in small. Of
    several test processes each has its own. They share the cache, so that images are fetched and decoded once.
    """
    config.pluginmanager.register(notebook_results)
    scratch = tempfile.TemporaryDirectory(prefix="course-tests-")
    config.add_cleanup(scratch.cleanup)
    if not hasattr(config, "workerinput"):  # else the process that hands out the tests has done it
        os.environ["COURSE_CACHE"] = str(Path(scratch.name) / "cache")
        Path(os.environ["COURSE_CACHE"]).mkdir()
        for modality in MODALITIES:
            dataset_folder(modality, source="phantom", profile=PROFILES["quick"])
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background, Python would ignore Ctrl-C
    for variable in [name for name in os.environ if name.startswith("KAGGLE_")]:
        del os.environ[variable]
    for variable in (
        "COURSE_DATA",
        "COURSE_DISEASE",
        "XDG_CONFIG_HOME",
    ):  # in the second the client looks for kaggle.json
        os.environ.pop(variable, None)
    os.environ["COURSE_PROFILE"] = "quick"
    os.environ["TQDM_DISABLE"] = "1"  # a bar that only a slow computer shows is no other result
    os.environ["COURSE_PROGRESS"] = str(Path(scratch.name) / "progress.json")  # the learner's own stays as it is
    os.environ.setdefault("MPLCONFIGDIR", matplotlib.get_configdir())  # fonts need not be looked for again
    for variable, name in (
        ("HOME", "home"),
        ("USERPROFILE", "home"),
        ("TORCH_HOME", "torch"),
    ):
        (Path(scratch.name) / name).mkdir(exist_ok=True)
        os.environ[variable] = str(Path(scratch.name) / name)
    os.environ["HTTPS_PROXY"] = os.environ["https_proxy"] = NOWHERE
    server = start(stand_in := StandIn(archives={load_card(REAL_SET).handle: _whole_archive(Path(scratch.name))}))
    config.add_cleanup(server.server_close)
    config.add_cleanup(server.shutdown)
    point_client_at(stand_in, os.environ.__setitem__)  # it answers nothing else: the tests are offline
    matplotlib.use("Agg")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a slow test fail that has no mark, so that `make quick` stays quick."""
    before = sum(os.times()[:4])
    result = yield
    seconds = sum(os.times()[:4]) - before
    if seconds > MOST_SECONDS and item.get_closest_marker("slow") is None:
        pytest.fail(f"It took {seconds:.0f} s of processor time. Make it faster, or mark it: @pytest.mark.slow", False)
    return result


def _whole_archive(folder: Path) -> Callable[[], Path]:
    """The archive that the notebooks fetch, made when it is first asked for."""
    return cache(lambda: write_archive(folder / "archive.zip", load_card(REAL_SET)))


@pytest.fixture(autouse=True)
def time_for_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right answer is right on a busy computer too."""
    monkeypatch.setattr(judging, "SECONDS", 60)


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
def small_data(folder: Path) -> ImageDataset:
    """The 32 training images of `folder`, as tensors of 32 px."""
    radiographs, classes = read_split(folder, "train")
    return ImageDataset(radiographs, classes, evaluation_transform(Preprocessing(size=32)))


@pytest.fixture
def tiny_model() -> Callable[[int], torch.nn.Module]:
    """Makes a linear classifier for images of 32 px; the same one each time."""

    def make(classes: int = 2) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, classes))

    return make
