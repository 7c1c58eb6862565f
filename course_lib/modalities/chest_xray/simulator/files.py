"""Phantoms as files: whole data sets in the course's layout, with masks and a manifest, made anew or continued."""

import contextlib
import errno
import json
import multiprocessing
import os
import re
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from course_lib.modalities.chest_xray.simulator.plan import Picture, Planned, Settings, make_picture, plan_pictures
from course_lib.sources.foreign_image import image_bytes, read_bits, read_image
from course_lib.support.files import digest_of_bytes, digest_of_file, remove_unfinished, write_whole
from course_lib.support.foreign import some_of, understood
from course_lib.support.locks import alone
from course_lib.support.own_files import remove_half_made

MANIFEST = "manifest.json"
MASKS = "masks"
AHEAD = 8  #: pictures per worker that are rendered before they are written; keeps the memory flat
WORTH_A_WORKER = 40  #: pictures that take as long to render as another process takes to start
_PICTURE = r"phantom\d{4}_(normal|bacteria|virus)_\d+\.(jpeg|png)"
FILE_NAME = re.compile(rf"(?a:manifest\.json|{_PICTURE})")  #: of every file in a set
ENTRY = re.compile(rf"(?a:manifest\.json|(masks/)?(train|val|test)/(NORMAL|PNEUMONIA)/{_PICTURE})")  #: and its path
DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class PhantomError(ValueError):
    """A data set of phantoms is not what it should be; the message says what was expected, what came, what to do."""


def make_dataset(root: Path, settings: Settings, *, workers: int | None = None, progress: bool = True) -> Path:
    """Write ``<root>/<split>/{NORMAL,PNEUMONIA}/<patient>_<kind>_<n>.jpeg``; the folder appears when it is whole.

    One to three pictures per patient, all in one split. The mask of each picture of the sick is at the same place
    under ``<root>/masks``, as PNG. ``manifest.json`` holds the settings and the SHA-256 of every file. An interrupted
    call is taken up where it stopped; a folder that is whole already is left as it is. ``workers`` processes render
    at once (default: up to one per core); 1 renders in this one.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """
    _check_not_a_worker()
    root = root.absolute()
    unfinished = root.with_name(f".{root.name}-unfinished")
    if _is_made(root, settings):
        return root
    with sole_writer(root, unfinished):
        if not _is_made(root, settings):  # else another process made it while this one waited
            _start_or_continue(unfinished, settings)
            _write_pictures(unfinished, settings, workers, progress)
            content = {"settings": settings.to_json(), "files": _hashes(unfinished)}
            _write_manifest(unfinished, {**content, "digest": _digest(content)})
            appear(unfinished, root)
    return root


def check_dataset(root: Path) -> Settings:
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
    unknown = f"{root / MANIFEST} holds settings that this version does not know"
    with understood(lambda reason: PhantomError(f"{unknown} ({reason}).")):
        return Settings.from_json(content["settings"])


def read_mask(picture: Path) -> NDArray[np.bool_]:
    """The mask of a picture in a data set of phantoms, [height, width]; all False where there is no disease.

    Raises:
        PhantomError: the picture is not in such a set, or its mask is missing.
        ImageError: one of the two can not be read.
    """
    picture = picture.absolute()
    root = picture.parents[min(2, len(picture.parents) - 1)]
    if not (root / MANIFEST).is_file() or not picture.is_file():
        raise PhantomError(
            f"There is no mask of {picture}: it is not a picture in a set of phantoms, which has a {MANIFEST}. "
            "Only of simulated images is the true place of the disease known."
        )
    if picture.parent.name == "NORMAL":
        return np.zeros(read_image(image_bytes(picture), picture).grey.size[::-1], dtype=bool)
    path = root / mask_path(picture.relative_to(root))
    if not path.is_file():
        raise PhantomError(
            f"The mask of {picture.name} is missing: expected {path}. Remove {root}, and it is made anew."
        )
    return np.asarray(read_bits(image_bytes(path), path), dtype=bool)


def mask_path(picture: PurePath) -> PurePath:
    """Where the mask of a picture lies; both inside the data set."""
    return (MASKS / picture).with_suffix(".png")


def is_part(path: PurePath) -> bool:
    """Whether a set of phantoms has a file at this place, seen from its folder."""
    return ENTRY.fullmatch(path.as_posix()) is not None


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest's content, of which only that it has settings is sure."""
    refuse = f"{root} is not a set of phantoms: {MANIFEST} is missing or can not be read"
    remedy = "Choose another folder, or remove this one, and the phantoms are made anew."
    with understood(lambda reason: PhantomError(f"{refuse} ({reason}). {remedy}")):
        content = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("settings"), dict):
            raise TypeError("it holds no settings")
    return content


@contextlib.contextmanager
def sole_writer(root: Path, work: Path) -> Iterator[None]:
    """Hold the lock of a data set; say so if another process has it, and what to do when the disk does not do."""
    try:
        with alone(root.with_name(f".{root.name}.lock"), f"making {root.name}"):
            yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = f"The phantoms can not be written to {root.parent} ({reason}). Choose a folder that you may write to."
        if error.errno in DISK_FULL:
            kept = f"What is made so far stays in {work}: free some space" if work.exists() else "Free some space"
            remedy = f"The disk that holds {root.parent} is full ({reason}). {kept} and call again."
        raise OSError(error.errno, remedy) from error


def appear(folder: Path, root: Path) -> None:
    """Give a whole folder its name; an empty one may have it already."""
    if root.is_dir():
        root.rmdir()
    folder.rename(root)


def _is_made(root: Path, settings: Settings) -> bool:
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


def _check_same(root: Path, settings: Settings) -> None:
    there = read_manifest(root)["settings"]
    if there != settings.to_json():
        raise PhantomError(
            f"{root} was made with other settings.\n  there:  {json.dumps(there)}\n"
            f"  wanted: {json.dumps(settings.to_json())}\n"
            "Remove that folder, choose another one, or ask for the same settings."
        )


def _start_or_continue(unfinished: Path, settings: Settings) -> None:
    """The folder for what is made so far: as an interrupted call with the same settings left it, or new."""
    if (unfinished / MANIFEST).exists():
        _check_same(unfinished, settings)
        for folder, _, _ in os.walk(unfinished):
            remove_unfinished(Path(folder), FILE_NAME)
        return
    remove_half_made(unfinished, is_part)  # the manifest comes first, so there is nothing of value
    _write_manifest(unfinished, {"settings": settings.to_json()})


def _write_pictures(folder: Path, settings: Settings, workers: int | None, progress: bool) -> None:
    """Render what is not there yet. The mask is written first: where the picture is, both are."""
    total = sum(1 for _ in plan_pictures(settings))
    missing = sum(1 for planned in plan_pictures(settings) if not (folder / planned.path).exists())
    jobs = (planned for planned in plan_pictures(settings) if not (folder / planned.path).exists())
    workers = workers or min(os.cpu_count() or 1, 1 + missing // WORTH_A_WORKER)
    bar = tqdm(
        total=total, initial=total - missing, desc="Making phantoms", unit="picture", leave=False, disable=not progress
    )
    with bar, contextlib.closing(_rendered(settings, jobs, workers)) as pictures:
        for picture in pictures:
            if picture.mask is not None:
                write_whole(folder / mask_path(picture.path), picture.mask)
            write_whole(folder / picture.path, picture.file)
            bar.update()


def _rendered(settings: Settings, jobs: Iterable[Planned], workers: int) -> Generator[Picture]:
    """One picture after the other; the workers stay only a few ahead."""
    if workers == 1:
        yield from (make_picture(settings, planned) for planned in jobs)
        return
    waiting: deque[Future[Picture]] = deque()
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_follow_parent)
    try:
        for planned in jobs:
            waiting.append(pool.submit(make_picture, settings, planned))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise PhantomError(
            "A process that renders phantoms ended early: it could not start, or the memory is full. What is made so "
            "far is kept. Call again with workers=1; in a script, under `if __name__ == '__main__':`."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_parent() -> None:
    """Let a worker end when its parent does, however that ends, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _check_not_a_worker() -> None:
    """A script that makes phantoms when it is imported is imported by each worker, which would wait for its parent."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise PhantomError("Call make_dataset with workers=1; or, in a script, under `if __name__ == '__main__':`.")


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


def _write_manifest(root: Path, content: dict[str, Any]) -> None:
    write_whole(root / MANIFEST, json.dumps(content, indent=1))
