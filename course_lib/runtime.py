"""What a program needs to know about the machine it runs on: device, seeds, profile, and whether all is well."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from packaging.requirements import Requirement
from tqdm.auto import tqdm

if TYPE_CHECKING:
    import torch  # only where it is used: a download starts without it, in a tenth of the time and memory

DISTRIBUTION = "medical-imaging-course"
COURSE_ROOT = Path(__file__).resolve().parents[1]
FREE_DISK_NEEDED_GB = 2.0  #: for what the course makes itself; a download compares its own size with the disk
SOURCES = re.compile(r"phantom|kaggle(:[\w-]+)?")  #: what COURSE_DATA may name, other than a folder
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


def data_folder() -> Path | None:
    """The folder that ``COURSE_DATA`` names, there or not; None if it names no folder."""
    given = os.environ.get("COURSE_DATA")
    return None if not given or SOURCES.fullmatch(given) else existing_folder(given) or Path(given).expanduser()


def existing_folder(given: str | Path) -> Path | None:
    """The folder, seen from here or, since notebooks run in a folder of their own, from the course's; or None."""
    folder = Path(given).expanduser()
    return next((root.resolve() for root in (folder, COURSE_ROOT / folder) if root.is_dir()), None)


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


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as the course needs it, and if not, what to do."""

    subject: str
    ok: bool
    remedy: str = ""

    def __str__(self) -> str:
        return f"✓ {self.subject}" if self.ok else f"✗ {self.subject}\n  → {self.remedy}"


@dataclass(frozen=True)
class EnvironmentReport:
    """All findings about this machine; prints as one line each."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    def __str__(self) -> str:
        return "\n".join(str(finding) for finding in self.findings)


def check_environment() -> EnvironmentReport:
    """Look at the packages, torch, the disk and the profile, and say what is wrong and what to do."""
    return EnvironmentReport(
        (
            *_check_packages(),
            _check_torch(),
            _check_disk(COURSE_ROOT),
            _check_profile(),
        )
    )


def _check_packages() -> list[Finding]:
    try:
        required = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        remedy = "Start JupyterLab with `make lab`, or run `pip install -e .` in the course's folder."
        return [Finding("the course is not installed in this Python", ok=False, remedy=remedy)]
    needed = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [finding for requirement in needed if (finding := _check_package(requirement))]
    return wrong or [Finding("every package is here, in a version that the course knows", ok=True)]


def _check_package(requirement: Requirement) -> Finding | None:
    remedy = "Run `make lab` again: it installs what is missing. In conda: `conda env update -f environment.yml`."
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return Finding(f"{requirement.name} is not installed", ok=False, remedy=remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        subject = f"{requirement.name} is {version}, the course needs {requirement.specifier}"
        return Finding(subject, ok=False, remedy=remedy)
    return None


def _check_torch() -> Finding:
    try:
        import torch
        import torchvision  # a torchvision built for another torch fails at import

        torchvision.ops.nms(torch.zeros(1, 4), torch.ones(1), 0.5)
    except (ImportError, RuntimeError, AttributeError) as error:
        remedy = "Install the two together: delete the .venv folder and run `make lab` again."
        return Finding(f"torch and torchvision do not fit together ({error})", ok=False, remedy=remedy)
    return Finding("torch and torchvision work together", ok=True)


def _check_disk(folder: Path) -> Finding:
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb >= FREE_DISK_NEEDED_GB:
        return Finding(f"at least {FREE_DISK_NEEDED_GB:.0f} GB of disk are free", ok=True)
    return Finding(
        f"only {free_gb:.1f} GB of disk are free, the course needs {FREE_DISK_NEEDED_GB:.0f}",
        ok=False,
        remedy="Free some space, or move the course's folder to a larger disk.",
    )


def _check_profile() -> Finding:
    try:
        profile = current_profile()
    except ValueError as error:
        return Finding("COURSE_PROFILE names no profile", ok=False, remedy=str(error))
    return Finding(f"the profile is {profile.name}", ok=True)
