"""A data set of phantoms as one file, and the one that comes with the course."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from course_lib.modalities.chest_xray.simulator.files import ENTRY, check_dataset, is_part, make_dataset
from course_lib.modalities.chest_xray.simulator.plan import Settings
from course_lib.modalities.phantom_files import MANIFEST, PhantomError, appear, sole_writer
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood
from course_lib.support.own_files import remove_half_made
from course_lib.support.runtime import COURSE_ROOT

QUICK_SET = Settings(patients={"train": 300, "val": 40, "test": 120}, size_px=160, seed=0)
QUICK_ARCHIVE = COURSE_ROOT / "datasets" / "phantoms-quick.zip"
MAX_QUICK_BYTES = 8_000_000  #: it is in the repository
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_FILE_BYTES = 50_000_000


def pack_dataset(root: Path, archive: Path) -> Path:
    """One file with a whole data set in it; the same set gives the same bytes. Unpack it with `unpack_dataset`.

    Raises:
        PhantomError: the data set is not whole.
    """
    check_dataset(root)
    return write_whole(archive, lambda file: _pack(root, file))


def unpack_dataset(archive: Path, root: Path) -> Path:
    """The folder with what `pack_dataset` packed, checked; unpacked now if it is not there yet.

    Raises:
        PhantomError: the archive is missing or damaged, holds something else than a whole set, or another set than
            the folder.
        DataError: something that is not the course's lies where a call that was killed leaves what it has unpacked.
        OSError: the folder can not be written, or the disk is full.
    """
    root = root.absolute()
    work = root.with_name(f".{root.name}-unpacking")
    if _is_unpacked(archive, root):
        return root
    _check_entries(archive)
    with sole_writer(root, work):
        if not _is_unpacked(archive, root):  # else another process unpacked it while this one waited
            remove_half_made(work, is_part)
            try:
                _extract(archive, work)
                appear(work, root)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return root


def make_quick_archive(archive: Path = QUICK_ARCHIVE, *, workers: int | None = None, progress: bool = True) -> Path:
    """The set that comes with the course, made anew from its settings; takes about a minute.

    Raises:
        PhantomError: it is larger than the repository should carry; the file that was there stays.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = make_dataset(Path(scratch) / "quick", QUICK_SET, workers=workers, progress=progress)
        packed = pack_dataset(root, Path(scratch) / archive.name)
        if packed.stat().st_size > MAX_QUICK_BYTES:
            raise PhantomError(
                f"The set is {packed.stat().st_size / 1e6:.1f} MB, but at most {MAX_QUICK_BYTES / 1e6:.0f} MB may go "
                "into the repository. Ask for fewer patients or smaller pictures in QUICK_SET."
            )
        shutil.copyfile(packed, archive)
    return archive


def _pack(root: Path, archive: BinaryIO) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith(".")):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix())  # dated 1980, as on every computer
            entry.create_system = 3
            content.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def _is_unpacked(archive: Path, root: Path) -> bool:
    """Is the folder there? If so, it must be what the archive holds, as far as their manifests say."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    if archive.is_file():
        problem = f"its manifest can not be compared with that of {root}: "
        with understood(lambda reason: _refusal(archive, problem + reason)), zipfile.ZipFile(archive) as file:
            same = file.read(MANIFEST) == (root / MANIFEST).read_bytes()
        if not same:
            raise PhantomError(f"{root} holds other phantoms than {archive}. Remove that folder, and call again.")
    return True


def _check_entries(archive: Path) -> None:
    """Do nothing if the archive lists what a set of phantoms has, and nothing else."""
    with understood(lambda reason: _refusal(archive, reason)), zipfile.ZipFile(archive) as file:
        entries = file.infolist()
    names = [entry.filename for entry in entries]
    strange = [name for name in names if not ENTRY.fullmatch(name)]
    if strange:
        raise _refusal(archive, f"it holds {strange[0]!r}, which is no part of a set of phantoms")
    if len({name.lower() for name in names}) < len(names):
        raise _refusal(archive, "it holds a file twice")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise _refusal(archive, "it is packed in another way than the course packs")
    sizes = [entry.file_size for entry in entries]
    if sum(sizes) > MAX_UNPACKED_BYTES or max(sizes, default=0) > MAX_FILE_BYTES:
        raise _refusal(archive, f"it would grow to {sum(sizes) / 1e6:,.0f} MB, more than any set of phantoms")


def _extract(archive: Path, work: Path) -> None:
    """Write what is in the archive, whose names were checked, and compare it with its manifest."""
    for name, content in _read_entries(archive):
        write_whole(work / name, content)
    try:
        check_dataset(work)
    except PhantomError as error:
        raise _refusal(archive, str(error).replace(str(work), "it")) from error


def _read_entries(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of one file after the other."""
    with understood(lambda reason: _refusal(archive, reason)), zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            yield name, file.read(name)


def _refusal(archive: Path, reason: str) -> PhantomError:
    return PhantomError(
        f"{archive} is missing or damaged: {reason}. Expected a set of phantoms as the course packs them. "
        "Get the file again; the one of the course comes with `git checkout -- datasets/phantoms-quick.zip`."
    )
