"""Phantoms as files: a whole data set in a folder, with a manifest of settings and files, made anew or continued."""

import contextlib
import errno
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course_lib.support.files import digest_of_bytes, digest_of_file, unfinished_name, write_whole
from course_lib.support.foreign import some_of, understood
from course_lib.support.locks import alone
from course_lib.support.own_files import files_below, finished, remove_half_made

MANIFEST = "manifest.json"
SPLITS = ("train", "test")  #: patients are numbered through in this order
MAX_PATIENTS = 10_000  #: phantom0000 to phantom9999
DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class PhantomError(ValueError):
    """A data set of phantoms is not what it should be; the message says what was expected, what came, what to do."""


def number_patients(patients: Mapping[str, int]) -> list[tuple[str, int]]:
    """The part and the number of each patient, from the number of patients per part: train, test, or both.

    Raises:
        ValueError: there is another part, one without a patient, or more patients than names.
    """
    if not patients or not set(patients) <= set(SPLITS) or min(patients.values()) < 1:
        raise ValueError(f"Expected a number of patients for {' and '.join(SPLITS)}, but got {patients}.")
    if sum(patients.values()) > MAX_PATIENTS:
        raise ValueError(f"There are names for {MAX_PATIENTS:,} patients, but {patients} were asked for.")
    parts = [split for split in SPLITS for _ in range(patients.get(split, 0))]
    return [(split, number) for number, split in enumerate(parts)]


def make_set(
    root: Path,
    settings: dict[str, Any],
    entry: re.Pattern[str],
    fill: Callable[[Path], None],
    what: str = "phantoms",
) -> Path:
    """The folder of a data set, which appears when it is whole; one that is whole already is left as it is.

    ``fill`` writes what is not there yet into the folder that it is given, with `write_whole`. ``entry`` is the form of
    the path of every file in a set, the manifest among them. ``manifest.json`` then holds the settings, which are plain
    values, and the SHA-256 of every file. An interrupted call is taken up where it stopped. ``what`` the files are is
    for the messages.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """
    root = root.absolute()
    unfinished = root.with_name(f".{root.name}-unfinished")
    if _is_made(root, settings):
        return root
    with sole_writer(root, unfinished, what):
        if not _is_made(root, settings):  # else another process made it while this one waited
            _start_or_continue(unfinished, settings, entry)
            fill(unfinished)
            content = {"settings": settings, "files": _hashes(unfinished)}
            _write_manifest(unfinished, {**content, "digest": _digest(content)})
            appear(unfinished, root)
    return root


def check_set(root: Path) -> dict[str, Any]:
    """The settings of a finished data set, once every file has been held against the manifest.

    Hidden files, as some systems leave them in every folder, do not count.

    Raises:
        PhantomError: there is no manifest, it was edited, or a file is missing, changed or one too many.
    """
    content = read_manifest(root)
    listed, there = content.get("files"), _hashes(root)
    if not isinstance(listed, dict) or content.get("digest") != _digest(content):
        raise PhantomError(f"{root / MANIFEST} was edited or is not finished. Remove {root}, and it is made anew.")
    wrong = [name for name in sorted({*there, *listed}) if there.get(name) != listed.get(name)]
    if wrong:
        raise PhantomError(
            f"{len(wrong)} files in {root} are missing, changed or one too many ({some_of(wrong)}). "
            "Remove the folder, and it is made anew."
        )
    settings: dict[str, Any] = content["settings"]
    return settings


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest's content, of which only that it has settings is sure.

    Raises:
        PhantomError: it is missing, or none.
    """
    refuse = f"{root} is not a set of phantoms: {MANIFEST} is missing or can not be read"
    remedy = "Choose another folder, or remove this one, and the phantoms are made anew."
    with understood(lambda reason: PhantomError(f"{refuse} ({reason}). {remedy}")):
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("settings"), dict):
            raise TypeError("it holds no settings")
    return content


def as_png(grey: NDArray[np.uint8]) -> bytes:
    """The bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


@contextlib.contextmanager
def sole_writer(root: Path, work: Path, what: str = "phantoms") -> Iterator[None]:
    """Hold the lock of a data set; say so if another process has it, and what to do when the disk does not do."""
    try:
        with alone(root.with_name(f".{root.name}.lock"), f"making {root.name}"):
            yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = f"The {what} can not be written to {root.parent} ({reason}). Choose a folder that you may write to."
        if error.errno in DISK_FULL:
            kept = f"What is made so far stays in {work}: free some space" if work.exists() else "Free some space"
            remedy = f"The disk that holds {root.parent} is full ({reason}). {kept} and call again."
        raise OSError(error.errno, remedy) from error


def appear(folder: Path, root: Path) -> None:
    """Give a whole folder its name; an empty one may have it already."""
    if root.is_dir():
        root.rmdir()
    folder.rename(root)


def _is_made(root: Path, settings: Mapping[str, Any]) -> bool:
    """Is there a data set with these settings? An empty folder counts as none; anything else is refused."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    _check_same(root, settings)
    content = read_manifest(root)
    missing = [name for name in content.get("files", {}) if not (root / name).is_file()]
    if content.get("digest") != _digest(content) or missing:
        raise PhantomError(
            f"{root} is not what was made: {MANIFEST} was edited or {len(missing)} files are missing. Remove the "
            "folder; it is made anew."
        )
    return True


def _check_same(root: Path, settings: Mapping[str, Any]) -> None:
    there = read_manifest(root)["settings"]
    if there != settings:
        raise PhantomError(
            f"{root} was made with other settings.\n  there:  {json.dumps(there)}\n"
            f"  wanted: {json.dumps(settings)}\n"
            "Remove that folder, choose another one, or ask for the same settings."
        )


def _start_or_continue(unfinished: Path, settings: Mapping[str, Any], entry: re.Pattern[str]) -> None:
    """The folder for what is made so far: as an interrupted call with the same settings left it, or new."""
    if (unfinished / MANIFEST).exists():
        _check_same(unfinished, settings)
        for path in list(files_below(unfinished)):
            if unfinished_name(path.name) and entry.fullmatch(finished(path).as_posix()):
                (unfinished / path).unlink(missing_ok=True)
        return
    remove_half_made(unfinished, lambda path: entry.fullmatch(path.as_posix()))  # the manifest comes first
    _write_manifest(unfinished, {"settings": settings})


def _digest(content: Mapping[str, Any]) -> str:
    """Of a manifest: SHA-256 of its settings and its files, to notice that somebody edited it."""
    text = json.dumps([content.get("settings"), content.get("files")], sort_keys=True)
    return digest_of_bytes(text.encode())


def _hashes(root: Path) -> dict[str, str]:
    """SHA-256 of every file but the manifest, by its path inside the folder."""
    hashes = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path != root / MANIFEST and not path.name.startswith("."):
            hashes[path.relative_to(root).as_posix()] = digest_of_file(path)
    return hashes


def _write_manifest(root: Path, content: Mapping[str, Any]) -> None:
    write_whole(root / MANIFEST, json.dumps(content, indent=1))
