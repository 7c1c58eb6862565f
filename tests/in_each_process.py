"""What each process that runs tests needs: settings that nobody else's can change, and the fixtures of all tests.

The process that only hands out the tests does without, so that it need not load torch before the others start.
"""

import gc
import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib
import pytest
import torch
from nbval.plugin import IPyNbFile

from course_lib.data.image_folder import read_split
from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing, evaluation_transform
from course_lib.exercises import judging
from course_lib.modalities.chest_xray.modality import CHEST_XRAY, REAL_SET
from course_lib.modalities.registry import dataset_folder
from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import PROFILES
from tests.conftest import write_image
from tests.sources.kaggle_fixtures import fault_table, learner, point_client_at
from tests.sources.kaggle_stand_in import StandIn, start
from tests.sources.xray_archive import write_archive

__all__ = ["fault_table", "learner"]

NOWHERE = "http://127.0.0.1:9"  # nothing listens there, so that any attempt to use the network fails at once


def set_up(config: pytest.Config, scratch: Path) -> None:
    """Settings that reach the kernels of the notebooks too, and the phantoms that most of these open.

    The home is an empty folder and Kaggle is a stand-in, with all 5,856 images of the course's card in small. Of
    several test processes each has its own.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background, Python would ignore Ctrl-C
    for variable in [name for name in os.environ if name.startswith("KAGGLE_")]:
        del os.environ[variable]
    for variable in (
        "COURSE_DATA",
        "COURSE_DISEASE",
        "XDG_CONFIG_HOME",
    ):  # in the last the client looks for kaggle.json
        os.environ.pop(variable, None)
    os.environ["COURSE_PROFILE"] = "quick"
    os.environ["TQDM_DISABLE"] = "1"  # a bar that only a slow computer shows is no other result
    os.environ["COURSE_PROGRESS"] = str(scratch / "progress.json")  # the learner's own stays as it is
    os.environ.setdefault("MPLCONFIGDIR", matplotlib.get_configdir())  # fonts need not be looked for again
    for variable, name in (
        ("HOME", "home"),
        ("USERPROFILE", "home"),
        ("TORCH_HOME", "torch"),
    ):
        (scratch / name).mkdir(exist_ok=True)
        os.environ[variable] = str(scratch / name)
    os.environ["HTTPS_PROXY"] = os.environ["https_proxy"] = NOWHERE
    server = start(stand_in := StandIn(archives={load_card(REAL_SET).handle: _whole_archive(scratch)}))
    config.add_cleanup(server.server_close)
    config.add_cleanup(server.shutdown)
    point_client_at(stand_in, os.environ.__setitem__)  # it answers nothing else: the tests are offline
    matplotlib.use("Agg")
    make_phantoms(CHEST_XRAY.name)
    gc.disable()  # until `pytest_collection_finish`


def pytest_collection_finish() -> None:
    """What was loaded stays to the end, so that no search for garbage in a test goes through it, and takes a second."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a notebook's first cell, the phantoms that it opens: none then shows a bar, or waits for another."""
    if isinstance(item.parent, IPyNbFile):
        make_phantoms_of(item.path)


@cache
def make_phantoms_of(notebook: Path) -> None:
    """Make the simulated images that a notebook opens, unless they are there."""
    from course_lib.authoring.notebooks import modalities_of  # it loads all lessons, which most tests do not need

    for modality in modalities_of(notebook):
        make_phantoms(modality)


def make_phantoms(modality: str) -> None:
    """Make the simulated images of a modality for the profile ``quick``, unless they are there."""
    dataset_folder(modality, "phantom", profile=PROFILES["quick"])


@pytest.fixture(autouse=True)
def time_for_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right answer is right on a busy computer too."""
    monkeypatch.setattr(judging, "SECONDS", 60)


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


def _whole_archive(folder: Path) -> Callable[[], Path]:
    """The archive that the notebooks fetch, made when it is first asked for."""
    return cache(lambda: write_archive(folder / "archive.zip", load_card(REAL_SET)))
