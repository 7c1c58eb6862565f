"""The simulated radiographs that come with the course, as one file."""

from pathlib import Path

from course_lib.modalities import phantom_archive
from course_lib.modalities.chest_xray.simulator.files import ENTRY, make_dataset
from course_lib.modalities.chest_xray.simulator.plan import Settings
from course_lib.support.runtime import COURSE_ROOT

QUICK_SET = Settings(patients={"train": 300, "val": 40, "test": 120}, size_px=160, seed=0)
QUICK_ARCHIVE = COURSE_ROOT / "datasets" / "phantoms-quick.zip"


def unpack_dataset(archive: Path, root: Path) -> Path:
    """The folder with the radiographs of an archive, unpacked now if need be, see `phantom_archive.unpack_dataset`."""
    return phantom_archive.unpack_dataset(archive, root, ENTRY)


def make_quick_archive(archive: Path = QUICK_ARCHIVE, *, workers: int | None = None, progress: bool = True) -> Path:
    """The set that comes with the course, made anew from its settings; takes about a minute.

    Raises:
        PhantomError: it is larger than the repository should carry; the file that was there stays.
    """
    return phantom_archive.make_archive(
        archive, lambda root: make_dataset(root, QUICK_SET, workers=workers, progress=progress)
    )
