"""From an archive that nobody has looked at to a folder that is what its data card says, and stays so."""

import os
import re
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TypeVar

from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.download import require_disk
from course_lib.sources.foreign_image import (
    MOST_BYTES,
    ImageError,
    files_named,
    folders_in,
    image_bytes,
    images_in,
    names_an_image,
    read_image,
)
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes
from course_lib.support.foreign import LONGEST_PATH, printable, some_of, understood
from course_lib.support.own_files import remove_half_made
from course_lib.support.runtime import progress

MANIFEST = "SHA256SUMS"  #: in the form that `sha256sum --check` reads
BOXES = "boxes.csv"  #: the table of a set of images with boxes, beside their folder
MAX_MEMBERS_PER_IMAGE = 10  #: the archive on Kaggle has three: the image, its second copy, a file of macOS
MOST_NAMED = 10  #: images or classes in one message
MAX_EXPANSION = 10  #: JPEG and PNG are compressed already; only a bomb unpacks to more than this
HDF5 = b"\x89HDF\r\n\x1a\n"  #: how such a file begins; one of MATLAB 7.3 has a text of 512 bytes before
BEFORE_HDF5 = (0, 512)
MACOS_LEFTOVERS = re.compile(r"(^|/)(__MACOSX(/|$)|\._|\.DS_Store$)")
Item = TypeVar("Item")
Result = TypeVar("Result")


class ArchiveError(DataError):
    """The archive is not what the data card promises, and is of no use."""


def unpack(archive: Path, target: Path, card: DatasetCard) -> Path:
    """The folder ``target`` with the files that the card counts, each opened once, and a manifest of their SHA-256.

    Everything is written beside the target, which appears at the end and whole, by renaming.

    Raises:
        ArchiveError: the archive is damaged, unsafe, or holds other images than the card says.
        DataError: something that is not the course's lies where it would unpack.
        DownloadError: the disk has not enough room.
    """
    scratch = target.with_name(f".{target.name}.unpacking")
    remove_half_made(scratch, lambda path: _is_unpacked(path, card))
    try:
        with _opened(archive, card) as content:
            members = expected_members(content.infolist(), archive.stat().st_size, card)
            require_disk(target.parent, sum(m.file_size for m in members.values()), f"Unpacking {card.name}")
            for folder in {scratch / path.parent for path in members}:
                folder.mkdir(parents=True)
            sums = _in_threads(
                lambda item: _write_image(content, item[1], scratch / item[0], card),
                sorted(members.items()),
                "Unpacking",
            )
        write_manifest(scratch, dict(zip(sorted(members), sums, strict=True)))
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


AGAIN = "It is removed; call again to fetch it anew. If that ends in the same way, Kaggle's copy has changed."


def expected_members(
    members: Sequence[zipfile.ZipInfo], archive_bytes: int, card: DatasetCard
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The members to unpack, by their path below the target: the files that the card counts, and nothing else.

    What macOS left, a second nested copy of images and files beside these are left out.

    Raises:
        ArchiveError: a member could do harm, there are too many, they are too large, or not those of the card.
    """
    expected = sum(expected_counts(card).values())
    if len(members) > MAX_MEMBERS_PER_IMAGE * expected + 100:
        raise _refusal(card, f"has {len(members):,} members, for {expected:,} {_counted(card)}")
    for member in members:
        _check_harmless(member, card)
    images = _packed_files(members, card) if card.archive else _outermost_copy(members, card)
    largest = max((m.file_size for m in images.values()), default=0)
    if largest > MOST_BYTES or sum(m.file_size for m in images.values()) > MAX_EXPANSION * archive_bytes + 10_000:
        raise _refusal(card, f"would unpack to far more than its {archive_bytes:,} bytes: a bomb")
    check_counts(images, card, "The archive", AGAIN)
    strange = [path.name for path in images if card.file_names and not card.knows(path.name)]
    if strange and not card.archive:
        raise _refusal(card, f"holds images that the card does not know, as {printable(strange[0])}")
    return images


def check_counts(images: Iterable[PurePosixPath], card: DatasetCard, what: str, remedy: str) -> None:
    """Do nothing if there are as many images per split and class as the card says; or files of each kind.

    Raises:
        ArchiveError: there are not.
    """
    found = Counter(_place_of(path, card) for path in images)
    expected = expected_counts(card)
    wrong = [
        f"{place} has {found[place]:,} {_counted(card)} instead of {expected.get(place, 0):,}"
        for place in sorted(expected.keys() | found.keys())
        if found[place] != expected.get(place, 0)
    ]
    if wrong:
        raise ArchiveError(
            f"{printable(what, LONGEST_PATH)} of {card.name} is not what its data card says: "
            f"{some_of(wrong, MOST_NAMED)}. {remedy}"
        )


def expected_counts(card: DatasetCard) -> dict[str, int]:
    """How many files there must be in each ``<split>/<class>``, or of each name in `DatasetCard.archive`."""
    return card.archive or {
        f"{split}/{name}": n for split, by_class in card.counts.items() for name, n in by_class.items()
    }


def files_of_a_set(folder: Path, card: DatasetCard) -> list[PurePosixPath]:
    """What the card counts in the folder, sorted: its images, see `images_of_a_set`, or the files to make them of."""
    if not card.archive:
        return images_of_a_set(folder)

    def is_in_place(path: Path) -> bool:
        return card.packed(place := path.relative_to(folder).as_posix()) == place

    found, folders = [], [folder] if folder.is_dir() else []
    for _ in range(1 + max(pattern.count("/") for pattern in card.archive)):
        found += [path for there in folders for path in files_named(there, is_in_place, "files")]
        folders = [below for there in folders for below in folders_in(there)]
    return sorted(PurePosixPath(path.relative_to(folder).as_posix()) for path in found)


def images_of_a_set(folder: Path) -> list[PurePosixPath]:
    """The images below ``<split>/<class>/``, as paths from the folder, sorted; none where there is no folder.

    Raises:
        DataError: a folder may not be read, or what has the name of an image is no file.
    """
    splits = folders_in(folder) if folder.is_dir() else []
    found = [path for split in splits for name in folders_in(split) for path in images_in(name)]
    return sorted(PurePosixPath(path.relative_to(folder).as_posix()) for path in found)


def is_of_a_set(path: PurePosixPath) -> bool:
    """Whether some data set could have a file at this place, seen from its folder."""
    packed = len(path.parts) == 1 and path.suffix == ".mat"
    return path == PurePosixPath(MANIFEST) or packed or (len(path.parts) == 3 and names_an_image(path))


def is_whole(folder: Path, card: DatasetCard) -> bool:
    """Whether the folder holds the number of files that the card says, and may be listed; looks at the names only."""
    try:
        check_counts(files_of_a_set(folder, card), card, "The folder", "")
    except DataError:  # another folder, or one with links to nothing: whoever lists its images is told
        return False
    return bool(expected_counts(card))


def verify(folder: Path, card: DatasetCard, command: str = "") -> int:
    """How many images there are, once each has been read, opened, and compared with the manifest; a table too.

    ``command`` is what makes the folder anew, for the messages; by default ``make data`` for this card.

    Raises:
        DataError: the folder is not what the card and the manifest say; the message names up to ten files.
    """
    command = command or f"make data CARD={card.slug}"
    remedy = f"Remove that folder and run `{command}` again."
    images, sums = files_of_a_set(folder, card), read_manifest(folder, command)
    check_counts(images, card, f"The copy in {folder}", remedy)
    problems = [f"{path} is missing" for path in sorted(sums.keys() - set(images))]
    problems += [f"{path} is not in the manifest" for path in images if path not in sums]
    found = _in_threads(lambda path: _problem_at(folder / path, sums.get(path)), images, "Verifying")
    problems += [f"{path} {problem}" for path, problem in zip(images, found, strict=True) if problem]
    if problems:
        shown, listed = printable(folder), some_of(problems, MOST_NAMED)
        raise DataError(f"{shown} has changed since it was unpacked, in {len(problems):,} places: {listed}. {remedy}")
    return sum(path.name != BOXES for path in images)


def read_manifest(folder: Path, command: str) -> dict[PurePosixPath, str]:
    """The SHA-256 of each image, by its path from the folder.

    Raises:
        DataError: there is no manifest, or it is none.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{printable(folder)} has no {MANIFEST}: the course did not unpack it, so nothing says what the files "
            "should be. To use it as it is, set COURSE_DATA to it; to have a verified copy, move it away (or unset "
            f"COURSE_DATA), then run `{command}`."
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line.split("  ", 1) for line in text.splitlines()]
    if "\N{REPLACEMENT CHARACTER}" in text or not all(re.fullmatch(r"[0-9a-f]{64}  .+", "  ".join(x)) for x in lines):
        raise DataError(f"{printable(path)} is no list of SHA-256 sums. Remove the folder and run `{command}` again.")
    return {PurePosixPath(name): digest for digest, name in lines}


def write_manifest(folder: Path, sums: Mapping[PurePosixPath, str]) -> None:
    """Write down the SHA-256 of each file, by its path from the folder."""
    text = "".join(f"{digest}  {path}\n" for path, digest in sums.items())
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def _is_unpacked(path: PurePosixPath, card: DatasetCard) -> bool:
    """Whether the archive of the card has a file that belongs at this place."""
    if not card.archive:
        return is_of_a_set(path)
    return path == PurePosixPath(MANIFEST) or card.packed(str(path)) == str(path)


def _check_harmless(member: zipfile.ZipInfo, card: DatasetCard) -> None:
    name = member.orig_filename
    parts = name.replace("\\", "/").split("/")
    if {"", ".", ".."} & {*parts[:-1]} or parts[-1] in (".", "..") or ":" in name or "\0" in name:
        raise _refusal(card, f"has a member that leads out of the folder ({name[:80]!r})")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(card, f"has a link or a device among its members ({name[:80]!r})")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refusal(card, f"has a member in another compression than Kaggle's ({name[:80]!r})")
    if member.flag_bits & 0x1:
        raise _refusal(card, f"has an encrypted member ({name[:80]!r})")


def _outermost_copy(members: Sequence[zipfile.ZipInfo], card: DatasetCard) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The images of the copy with the fewest folders above it."""
    copies: dict[tuple[str, ...], dict[PurePosixPath, zipfile.ZipInfo]] = {}
    for member in members:
        path = PurePosixPath(member.filename)
        split, name = path.parts[-3:-1] if len(path.parts) >= 3 else ("", "")
        if member.is_dir() or MACOS_LEFTOVERS.search(member.filename) or split not in card.counts:
            continue
        if names_an_image(path):
            copy = copies.setdefault(path.parts[:-3], {})
            if (place := PurePosixPath(split, name, path.name)) in copy:
                raise _refusal(card, f"holds {printable(place)} twice")
            copy[place] = member
    return copies[min(copies, key=lambda above: (len(above), above))] if copies else {}


def _packed_files(members: Sequence[zipfile.ZipInfo], card: DatasetCard) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """The files that the card names, wherever they lie in the archive, by where they belong in the folder."""
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        packed = card.packed(member.filename)
        if member.is_dir() or MACOS_LEFTOVERS.search(member.filename) or not packed:
            continue
        if (place := PurePosixPath(packed)) in files:
            raise _refusal(card, f"holds {printable(place)} twice")
        files[place] = member
    return files


def _counted(card: DatasetCard) -> str:
    return "files" if card.archive else "images"


def _place_of(path: PurePosixPath, card: DatasetCard) -> str:
    """What `expected_counts` counts a file under."""
    if card.archive:
        return next((pattern for pattern in card.archive if re.fullmatch(pattern, str(path))), str(path))
    return "/".join(path.parts[:2])


def _opened(archive: Path, card: DatasetCard) -> zipfile.ZipFile:
    with understood(lambda reason: _damage(card, reason)):
        return zipfile.ZipFile(archive)


def _write_image(content: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, card: DatasetCard) -> str:
    with understood(lambda reason: _damage(card, reason)), content.open(member) as packed:
        data = packed.read(member.file_size)  # read() without a limit would unpack up to 2 GB before it looks
        packed.read(1)  # the end, where the checksum is compared
    if problem := _problem_of(data, None, path):
        raise ArchiveError(f"{printable(member.filename)} in the archive {problem}. {AGAIN}")
    with path.open("wb") as file:
        file.write(data)
    return digest_of_bytes(data)


def _problem_at(path: Path, digest: str | None) -> str:
    try:
        return _problem_of(image_bytes(path), digest, path)
    except ImageError as error:
        return error.problem


def _problem_of(data: bytes, digest: str | None, path: Path) -> str:
    if digest and digest_of_bytes(data) != digest:
        return "has another SHA-256"
    if path.name == BOXES:
        return ""  # whoever reads the boxes looks at them
    if path.suffix == ".mat":
        is_hdf5 = any(data.startswith(HDF5, start) for start in BEFORE_HDF5)
        return "" if is_hdf5 else "is no file of MATLAB 7.3, which is HDF5"
    try:
        read_image(data, "it")
    except ImageError as error:
        return error.problem
    return ""


def _in_threads(work: Callable[[Item], Result], items: Sequence[Item], doing: str) -> list[Result]:
    """The results in order; what is left is dropped at the first error and at Ctrl-C."""
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        return list(progress(pool.map(work, items), doing, "image", len(items)))
    finally:
        pool.shutdown(cancel_futures=True)


def _damage(card: DatasetCard, reason: str) -> ArchiveError:
    return ArchiveError(f"The archive of {card.name} is damaged ({reason}). {AGAIN}")


def _refusal(card: DatasetCard, problem: str) -> ArchiveError:
    return ArchiveError(f"The archive of {card.name} is refused: it {problem}. Nothing of it was unpacked. {AGAIN}")
