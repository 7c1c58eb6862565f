"""Phantom radiographs as files: whole data sets in the course's layout, with masks, rendered by several processes."""

import contextlib
import multiprocessing
import os
import re
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from course_lib.modalities.chest_xray.simulator.plan import Picture, Planned, Settings, make_picture, plan_pictures
from course_lib.modalities.phantom_files import MANIFEST, PhantomError, check_set, make_set
from course_lib.sources.foreign_image import image_bytes, read_bits, read_image
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood

MASKS = "masks"
AHEAD = 8  #: pictures per worker that are rendered before they are written; keeps the memory flat
WORTH_A_WORKER = 40  #: pictures that take as long to render as another process takes to start
_PICTURE = r"phantom\d{4}_(normal|bacteria|virus)_\d+\.(jpeg|png)"
#: the path of every file in a set, seen from its folder
ENTRY = re.compile(rf"(?a:manifest\.json|(masks/)?(train|val|test)/(NORMAL|PNEUMONIA)/{_PICTURE})")


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

    def fill(folder: Path) -> None:
        _write_pictures(folder, settings, workers, progress)

    return make_set(root, settings.to_json(), ENTRY, fill)


def check_dataset(root: Path) -> Settings:
    """The settings of a finished data set, once every file has been held against the manifest.

    Hidden files, as some systems leave them in every folder, do not count.

    Raises:
        PhantomError: there is no manifest, it was edited, or a file is missing, changed or one too many.
    """
    content = check_set(root)
    unknown = f"{root / MANIFEST} holds settings that this version does not know"
    with understood(lambda reason: PhantomError(f"{unknown} ({reason}).")):
        return Settings.from_json(content)


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
