"""What a program needs to know about the machine it runs on: device, seeds, profile, folders, progress bars."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from tqdm.auto import tqdm

from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, understood

if TYPE_CHECKING:
    import torch  # only where it is used: a download starts without it, in a tenth of the time and memory

DISTRIBUTION = "medical-imaging-course"
COURSE_ROOT = Path(__file__).resolve().parents[2]
SOURCES = re.compile(r"phantom|kaggle(:[\w-]+)?")  #: what COURSE_DATA may name, other than a folder
KEPT_IN = {
    "datasets": ("datasets", "."),
    "pixels": ("build", "pixels"),
    "features": ("build", "features"),
}  #: for each kind of files: the folder that COURSE_CACHE takes the place of, and where they lie in it
NO_HOME = (
    "{name} begins with ~, which stands for a home folder, but this computer knows none of that name. "
    "Give the whole path, or ./~… for a folder whose own name begins with ~."
)
ROOM_FOLDER = "weights"  #: in a workshop's room, beside the data set
Item = TypeVar("Item")


@dataclass(frozen=True)
class Profile:
    """How much work a notebook does: enough to see the point, or as much as the data allow."""

    name: str
    image_size: int  #: side of the square image that a network sees, px
    phantom_patients: int | None  #: simulated patients in the training folder; None: those that come with the course
    max_train_images: int | None  #: at most this many images of the training folder are used; None: all
    net_epochs: int  #: times that Net sees every training image
    resnet_epochs: int  #: the same for ResNet-18, which is some twenty times slower


PROFILES = {
    "quick": Profile("quick", 64, phantom_patients=None, max_train_images=900, net_epochs=15, resnet_epochs=4),
    "full": Profile("full", 64, phantom_patients=2000, max_train_images=None, net_epochs=20, resnet_epochs=6),
}


def current_profile() -> Profile:
    """The profile that ``COURSE_PROFILE`` names; ``quick`` where it is not set.

    Raises:
        ValueError: there is no such profile.
    """
    name = os.environ.get("COURSE_PROFILE") or "quick"
    if name not in PROFILES:
        raise ValueError(
            f"COURSE_PROFILE must be one of {', '.join(PROFILES)}, but it is {name!r}. "
            "Unset it for the quick profile, or set it to one of these before you start Jupyter."
        )
    return PROFILES[name]


def expanded(given: str | Path) -> Path:
    """The folder or file that somebody named, where ``~`` and ``~anna`` stand for the home folder, as in a shell.

    Raises:
        DataError: this computer knows nobody of that name.
    """
    with understood(lambda _: DataError(NO_HOME.format(name=printable(given)))):
        return Path(given).expanduser()


def data_folder() -> Path | None:
    """The folder that ``COURSE_DATA`` names, there or not; None if it names no folder.

    Raises:
        DataError: it begins with ``~`` and a name that this computer does not know.
    """
    given = os.environ.get("COURSE_DATA")
    return None if not given or SOURCES.fullmatch(given) else existing_folder(given) or expanded(given)


def existing_folder(given: str | Path) -> Path | None:
    """The folder, seen from here or, since notebooks run in a folder of their own, from the course's; or None.

    Raises:
        DataError: it begins with ``~`` and a name that this computer does not know.
    """
    folder = expanded(given)
    roots = (folder, COURSE_ROOT / folder)
    return next((root.resolve() for root in roots if os.path.isdir(root)), None)  # noqa: PTH112  # is_dir may raise


def cache_folder(kind: Literal["datasets", "pixels", "features"]) -> Path:
    """Where the course keeps what it fetched or computed: data sets, decoded pixels, or frozen features.

    ``COURSE_CACHE`` names the folder for all three, seen from the course's folder: each data set lies in it under its
    card's name, beside ``pixels`` and ``features``. Without it, data sets lie in the course's folder ``datasets`` and
    the other two in ``build``. Everything there can be deleted, and is made or fetched anew when it is needed.

    Raises:
        DataError: it begins with ``~`` and a name that this computer does not know.
    """
    default, part = KEPT_IN[kind]
    given = expanded(os.environ.get("COURSE_CACHE") or default)
    return (COURSE_ROOT / given / part).resolve()


def pick_device() -> "torch.device":
    """The fastest device here: a CUDA GPU, Apple's GPU (``mps``), or the processor."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make torch's random numbers inside the block follow from ``seed``; afterwards the caller's state is back."""
    import torch

    with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(seed)
        yield


def progress(items: Iterable[Item], doing: str, unit: str, total: int | None = None) -> Iterable[Item]:
    """The items, with a progress bar that appears only if going through them takes more than five seconds."""
    return tqdm(items, desc=doing, unit=unit, total=total, leave=False, delay=5, disable=bars_are_off())


def bars_are_off() -> bool:
    """Whether TQDM_DISABLE asks for no progress bars; tqdm itself heeds it in a terminal, but not in a notebook."""
    return bool(os.environ.get("TQDM_DISABLE"))
