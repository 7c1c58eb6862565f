"""Files that are there whole or not at all, and digests that tell one content from another."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".part"  #: how the hidden files end that are being written
PRIVATE, SHARED = 0o600, 0o666  #: who may read and write a new file; the umask takes away from it
SHA256_DIGITS = 64


def write_whole(
    path: Path,
    content: bytes | str | Callable[[BinaryIO], object],
    *,
    private: bool = False,
    durable: bool = False,
) -> Path:
    """Write a file so that, whenever the process dies, it is there whole or as it was before; gives its path.

    ``content`` is bytes, a text (stored as UTF-8), or a function that writes into the open file. The folder is made.
    Two processes that write the same file do not disturb each other: the last one wins. A process that is killed
    leaves a hidden file beside it at most, which `remove_unfinished` finds.

    With ``private`` nobody but the owner may read it, from its first byte on. With ``durable`` it is on the disk before
    it gets its name, so that it is whole even after a power cut; this takes time.

    Raises:
        OSError: the folder can not be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name.lstrip('.')}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        part.touch(PRIVATE if private else SHARED, exist_ok=False)
        with part.open("wb") as file:
            _write(file, content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def unfinished_name(name: str) -> str | None:
    """The name that a file would have got, if this is the name of one that `write_whole` was writing; else None."""
    found = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}" + re.escape(UNFINISHED), name)
    return found[1] if found else None


def remove_unfinished(folder: Path, names: re.Pattern[str]) -> None:
    """Remove what killed processes have left of `write_whole` for files with such names, in this folder and not below.

    Only for who holds the lock of the folder.
    """
    for part in folder.iterdir():
        name = unfinished_name(part.name)
        if name and names.fullmatch(name) and part.is_file() and not part.is_symlink():
            part.unlink(missing_ok=True)


def digest(value: object, digits: int = SHA256_DIGITS) -> str:
    """The first hexadecimal digits of the SHA-256 of ``repr(value)``: the same for values that print alike."""
    return digest_of_bytes(repr(value).encode())[:digits]


def digest_of_bytes(content: bytes) -> str:
    """The SHA-256 of the content, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file, 64 hexadecimal digits; read in pieces.

    Raises:
        OSError: it can not be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: BinaryIO, content: bytes | str | Callable[[BinaryIO], object]) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode() if isinstance(content, str) else content)
