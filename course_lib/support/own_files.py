"""What the course keeps under names of its own, in a folder that may hold other people's files as well.

Anybody may name a folder for the course to keep things in, also one where their own files lie. So nothing is deleted
for its suffix: a file counts as the course's if it is a regular file, if its whole name is one that the course gives,
and if it begins as the course begins it. What a link leads to is never touched.
"""

import hashlib
import math
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from course_lib.support.errors import DataError
from course_lib.support.files import SHA256_DIGITS, remove_unfinished, unfinished_name, write_whole
from course_lib.support.foreign import printable

HEADER_BYTES = 4096  #: before the content, which then begins on a page of memory


@dataclass(frozen=True)
class OwnFiles:
    """Files of one kind in one folder, each named after a key: 64 hexadecimal digits, a SHA-256 of what it depends on.

    A file holds a header, which says the kind, the key and the SHA-256 of the content, and then the content.
    """

    folder: Path
    kind: str  #: what they hold, in a few words with which each of them begins
    suffix: str  #: of their names, with the dot

    @property
    def lock(self) -> Path:
        """The file that a process locks while it writes such a file."""
        return self.folder / f"{self.suffix}.lock"

    def path(self, key: str) -> Path:
        """The file of this key, there or not."""
        return self.folder / f"{key}{self.suffix}"

    def write(self, key: str, content: Iterable[bytes]) -> Path:
        """Keep the content, which comes in pieces, in a file that appears at the end, whole; gives its path.

        Raises:
            OSError: the folder can not be written, or the disk is full.
        """

        def put(file: BinaryIO) -> None:
            checksum = hashlib.sha256()
            file.seek(HEADER_BYTES)
            for piece in content:
                file.write(piece)
                checksum.update(piece)
            file.seek(0)
            file.write(self._header(key, checksum.hexdigest()))

        return write_whole(self.path(key), put)

    def is_whole(self, key: str) -> bool:
        """Whether the file is there, and holds to the last bit what was put into it; read in pieces.

        Raises:
            OSError: it is there, but can not be read.
        """
        if not _is_regular(self.path(key)):
            return False
        with self.path(key).open("rb") as file:
            header = file.read(HEADER_BYTES)
            return header == self._header(key, hashlib.file_digest(file, "sha256").hexdigest())

    def mark_used(self, key: str) -> None:
        """Let the file count as used just now, where the folder may be written."""
        with suppress(OSError):
            os.utime(self.path(key))

    def delete_oldest(self, keep: str, *, most_files: float = math.inf, most_bytes: float = math.inf) -> None:
        """Delete those that were not used for longest, as far as there are more than so many files or bytes.

        The file of the key ``keep`` stays, and so does everything that is not of this kind.
        """
        files = size = 0
        for path, found in sorted(self._found(), key=lambda pair: pair[1].st_mtime, reverse=True):
            files, size = files + 1, size + found.st_size
            if (files > most_files or size > most_bytes) and path != self.path(keep):
                with suppress(PermissionError):  # on Windows, while another process reads it
                    path.unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what killed processes have left of such files; only for who holds the lock."""
        remove_unfinished(self.folder, self._names)

    @property
    def _names(self) -> re.Pattern[str]:
        return re.compile(rf"([0-9a-f]{{{SHA256_DIGITS}}}){re.escape(self.suffix)}")

    def _header(self, key: str, checksum: str) -> bytes:
        return f"{self.kind}\n{key}\n{checksum}\n".encode().ljust(HEADER_BYTES)

    def _found(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process has just removed it, or nobody may read it
                if (name := self._names.fullmatch(path.name)) and _is_regular(path):
                    begin = f"{self.kind}\n{name[1]}\n".encode()
                    with path.open("rb") as file:
                        if file.read(len(begin)) == begin:
                            yield path, path.stat()


def remove_half_made(folder: Path, is_part: Callable[[PurePosixPath], object]) -> None:
    """Remove a folder in which a killed process was making something; one that is not there is no problem.

    ``is_part`` says of a path, seen from the folder, whether what is made has such a file.

    Raises:
        DataError: the folder holds something else, so it is not the course's; it stays as it is.
        OSError: it can not be removed.
    """
    if folder.is_symlink() or folder.is_file():
        strange: Path | None = folder
    else:
        strange = next((folder / path for path in files_below(folder) if not is_part(finished(path))), None)
    if strange:
        raise DataError(
            f"{printable(strange)} is not the course's, but lies where the course would work. Move it away, and call "
            "again."
        )
    if folder.exists():
        shutil.rmtree(folder)


def files_below(folder: Path) -> Iterator[PurePosixPath]:
    """Everything below the folder that is no folder, links among it, as paths from the folder, in order.

    Raises:
        OSError: a folder below can not be read.
    """

    def refuse(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=refuse) if folder.exists() else ():
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders.sort()
        for name in sorted([*links, *files]):
            yield PurePosixPath(Path(parent, name).relative_to(folder).as_posix())


def finished(path: PurePosixPath) -> PurePosixPath:
    """The path that a file would have got that `write_whole` has not finished; any other path as it is."""
    return path.with_name(unfinished_name(path.name) or path.name)


def _is_regular(path: Path) -> bool:
    """Whether it is a file, neither a link nor anything else."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
