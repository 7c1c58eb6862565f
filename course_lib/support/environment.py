"""Is this machine as the course needs it? One line for each thing that was looked at."""

import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from course_lib.support.runtime import COURSE_ROOT, DISTRIBUTION, current_profile

FREE_DISK_NEEDED_GB = 2.0  #: for what the course makes itself; a download compares its own size with the disk


@dataclass(frozen=True)
class EnvironmentCheck:
    """One thing that was looked at: whether it is as the course needs it, and if not, what to do."""

    subject: str
    ok: bool
    remedy: str = ""

    def __str__(self) -> str:
        return f"✓ {self.subject}" if self.ok else f"✗ {self.subject}\n  → {self.remedy}"


@dataclass(frozen=True)
class EnvironmentReport:
    """All findings about this machine; prints as one line each."""

    findings: tuple[EnvironmentCheck, ...]

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


def _check_packages() -> list[EnvironmentCheck]:
    try:
        required = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        remedy = "Start JupyterLab with `make lab`, or run `pip install -e .` in the course's folder."
        return [EnvironmentCheck("the course is not installed in this Python", ok=False, remedy=remedy)]
    needed = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [finding for requirement in needed if (finding := _check_package(requirement))]
    return wrong or [EnvironmentCheck("every package is here, in a version that the course knows", ok=True)]


def _check_package(requirement: Requirement) -> EnvironmentCheck | None:
    remedy = "Run `make lab` again: it installs what is missing. In conda: `conda env update -f environment.yml`."
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return EnvironmentCheck(f"{requirement.name} is not installed", ok=False, remedy=remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        subject = f"{requirement.name} is {version}, the course needs {requirement.specifier}"
        return EnvironmentCheck(subject, ok=False, remedy=remedy)
    return None


def _check_torch() -> EnvironmentCheck:
    try:
        import torch
        import torchvision  # a torchvision built for another torch fails at import

        torchvision.ops.nms(torch.zeros(1, 4), torch.ones(1), 0.5)
    except (ImportError, RuntimeError, AttributeError) as error:
        remedy = "Install the two together: delete the .venv folder and run `make lab` again."
        return EnvironmentCheck(f"torch and torchvision do not fit together ({error})", ok=False, remedy=remedy)
    return EnvironmentCheck("torch and torchvision work together", ok=True)


def _check_disk(folder: Path) -> EnvironmentCheck:
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb >= FREE_DISK_NEEDED_GB:
        return EnvironmentCheck(f"at least {FREE_DISK_NEEDED_GB:.0f} GB of disk are free", ok=True)
    return EnvironmentCheck(
        f"only {free_gb:.1f} GB of disk are free, the course needs {FREE_DISK_NEEDED_GB:.0f}",
        ok=False,
        remedy="Free some space, or move the course's folder to a larger disk.",
    )


def _check_profile() -> EnvironmentCheck:
    try:
        profile = current_profile()
    except ValueError as error:
        return EnvironmentCheck("COURSE_PROFILE names no profile", ok=False, remedy=str(error))
    return EnvironmentCheck(f"the profile is {profile.name}", ok=True)
