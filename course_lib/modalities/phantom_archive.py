"""A set of phantoms as one file, for those that come with the course."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from course_lib.modalities.phantom_files import MANIFEST, PhantomError, appear, check_set, sole_writer
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood
from course_lib.support.own_files import remove_half_made

MAX_SHIPPED_BYTES = 8_000_000  #: of an archive that is in the repository
MAX_UNPACKED_BYTES = 2_000_000_000
MAX_FILE_BYTES = 50_000_000


def pack_dataset(root: Path, archive: Path) -> Path:
    """One file with a whole set in it; the same set gives the same bytes. Unpack it with `unpack_dataset`.

    Raises:
        PhantomError: the set is not whole.
    """
    check_set(root)
    return write_whole(archive, lambda file: _pack(root, file))


def unpack_dataset(archive: Path, root: Path, entry: re.Pattern[str]) -> Path:
    """The folder with what `pack_dataset` packed, checked; unpacked now if it is not there yet.

    ``entry`` is the form of the path of every file in the set, the manifest among them.

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
    _check_entries(archive, entry)
    with sole_writer(root, work):
        if not _is_unpacked(archive, root):  # else another process unpacked it while this one waited
            remove_half_made(work, lambda path: entry.fullmatch(path.as_posix()))
            try:
                _extract(archive, work)
                appear(work, root)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return root


def make_archive(archive: Path, make: Callable[[Path], Path]) -> Path:
    """The archive of a set that ``make`` writes into the folder that it is given.

    Raises:
        PhantomError: it is larger than the repository should carry; the file that was there stays.
    """
    with tempfile.TemporaryDirectory() as scratch:
        packed = pack_dataset(make(Path(scratch) / "set"), Path(scratch) / archive.name)
        if packed.stat().st_size > MAX_SHIPPED_BYTES:
            raise PhantomError(
                f"The set is {packed.stat().st_size / 1e6:.1f} MB, but at most {MAX_SHIPPED_BYTES / 1e6:.0f} MB may go "
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


def _check_entries(archive: Path, entry: re.Pattern[str]) -> None:
    """Do nothing if the archive lists what a set of phantoms has, and nothing else."""
    with understood(lambda reason: _refusal(archive, reason)), zipfile.ZipFile(archive) as file:
        entries = file.infolist()
    names = [one.filename for one in entries]
    strange = [name for name in names if not entry.fullmatch(name)]
    if strange:
        raise _refusal(archive, f"it holds {strange[0]!r}, which is no part of a set of phantoms")
    if len({name.lower() for name in names}) < len(names):
        raise _refusal(archive, "it holds a file twice")
    if any(one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for one in entries):
        raise _refusal(archive, "it is packed in another way than the course packs")
    sizes = [one.file_size for one in entries]
    if sum(sizes) > MAX_UNPACKED_BYTES or max(sizes, default=0) > MAX_FILE_BYTES:
        raise _refusal(archive, f"it would grow to {sum(sizes) / 1e6:,.0f} MB, more than any set of phantoms")


def _extract(archive: Path, work: Path) -> None:
    """Write what is in the archive, whose names were checked, and compare it with its manifest."""
    for name, content in _read_entries(archive):
        write_whole(work / name, content)
    try:
        check_set(work)
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
        f"Get the file again; the one of the course comes with `git checkout -- datasets/{archive.name}`."
    )
