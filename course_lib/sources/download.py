"""Downloads that survive a broken line: they resume, show a bar, and end with a whole file or a clear sentence."""

import contextlib
import errno
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import requests
import urllib3
from tqdm.auto import tqdm

from course_lib.support.errors import DataError
from course_lib.support.foreign import understood
from course_lib.support.locks import alone
from course_lib.support.runtime import bars_are_off

CHUNK_BYTES = 256 * 1024  #: written at most at once, and as soon as it is here
MOST_BYTES = 10**15  #: of one file; whoever says more is not believed
MOST_NOTE_BYTES = 1000
SIZE = re.compile(r"[0-9]{1,15}")  #: how a server says a number; `str.isdigit` would allow ² and ٣ too
SECONDS = re.compile(r"[0-9]{1,9}")
MARK = re.compile(r"[!-~][ -~]{0,199}")  #: what can be sent back to a server in one line
OFFLINE_REMEDY = "Check the network and the proxy settings, then call again."
LARGER_DISK = "name a larger disk: COURSE_CACHE=<folder> for images, TORCH_HOME=<folder> for weights"
BUSY_REMEDY = "Wait a while, then call again."


class DownloadError(ConnectionError):
    """A file could not be fetched; the message says what was expected, what came and what to do."""


class BrokenTryError(Exception):
    """One try failed, and another may succeed: what happened, what to do, and how long the server asks to wait."""

    def __init__(self, problem: str, remedy: str = OFFLINE_REMEDY, wait_seconds: float | None = None) -> None:
        super().__init__(problem)
        self.remedy = remedy
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Patience:
    """How long a download holds out."""

    tries: int = 4  #: in a row that bring next to nothing
    pause_seconds: float = 1.0  #: before the second try; doubles with every further one
    silence_seconds: float = 30.0  #: without a byte, after which a line counts as dead
    least_speed: float = 1000.0  #: bytes per second; a line that brings less for so long counts as dead too
    longest_wait_seconds: float = 60.0  #: a server that asks for a longer pause ends the download


@dataclass(frozen=True)
class Kept:
    """What an earlier call has left of a file: bytes, and proof of which file they belong to."""

    part: Path
    note: Path
    bytes: int = 0
    size: int = 0  #: of the whole file
    mark: str = ""  #: the server's ETag, which changes when the file does


def fetch(
    where: Callable[[], str],
    target: Path,
    title: str,
    *,
    patience: Patience | None = None,
    approve: Callable[[int, int], None] = lambda _size, _missing: None,
    told: Callable[[int], object] | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Path:
    """The file at ``target``, whole. What an earlier call left of it is kept, and only the rest is asked for.

    ``where`` gives the address and is asked again before each try, since signed addresses expire. ``approve`` learns
    the size and how many bytes are missing before the first of them is fetched, and may raise. ``told`` learns how many
    bytes have come, instead of a bar that shows it, and may raise; ``pause`` waits for so many seconds. Of two
    processes that want the same file, the second waits for the first.

    Raises:
        DownloadError: no try succeeded, the disk is full, or the folder can not be written.
    """
    patience = patience or Patience()
    failures = 0
    if target.exists():
        return target  # without a lock, since the folder may be read-only
    with _said_clearly(target, title), alone(target.with_name(target.name + ".lock"), f"fetching {title}"):
        while not target.exists():  # it may have come while this process waited
            before, started = what_is_kept(target).bytes, time.monotonic()
            try:
                _fetch_rest(where, target, title, patience, approve, told)
            except BrokenTryError as broken:
                kept = what_is_kept(target)
                little = patience.least_speed * (time.monotonic() - started)
                failures = 1 if kept.bytes - before > little else failures + 1
                wait = broken.wait_seconds or patience.pause_seconds * 2 ** (failures - 1)
                if failures >= patience.tries or wait > patience.longest_wait_seconds:
                    raise DownloadError(
                        f"{title} could not be fetched: {broken}. {_kept_sentence(kept)}{broken.remedy}"
                    ) from None  # the causes name the signed address, which is nobody else's business
                pause(wait)
    return target


def what_is_kept(target: Path) -> Kept:
    """What is left of a download of ``target`` that did not come to its end; nothing, if its note makes no sense."""
    empty = Kept(target.with_name(target.name + ".part"), target.with_name(target.name + ".part.json"))
    try:
        with understood(DataError), empty.note.open("rb") as file:
            note = json.loads(file.read(MOST_NOTE_BYTES))
            kept = Kept(empty.part, empty.note, empty.part.stat().st_size, note["size"], note["mark"])
            sensible = type(kept.size) is int and kept.bytes <= kept.size < MOST_BYTES
            return kept if sensible and (kept.mark == "" or MARK.fullmatch(kept.mark)) else empty
    except DataError:
        return empty


def discard(target: Path) -> None:
    """Remove the file and everything that is kept of it."""
    for path in (target, what_is_kept(target).part, what_is_kept(target).note):
        path.unlink(missing_ok=True)


def say_bytes(count: float) -> str:
    """A number of bytes as people say it: 1.2 GB."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def require_disk(folder: Path, needed: int, purpose: str) -> None:
    """Do nothing if the disk of ``folder`` has room.

    Raises:
        DownloadError: it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{purpose} needs {say_bytes(needed)} of disk, but only {say_bytes(free)} are free. Free some space and "
            f"call again, or {LARGER_DISK}."
        )


def disk_problem(error: OSError, folder: Path, title: str, kept: str = "") -> DownloadError:
    """What to tell the learner when the disk refused: it is full, or the folder may not be written."""
    if error.errno == errno.ENOSPC:
        return DownloadError(f"The disk filled up: {title} is not complete. {kept}Free some space and call again.")
    return DownloadError(
        f"{title} could not be written into {folder} ({error.strerror or error}). Make the folder writable and "
        f"call again, or {LARGER_DISK}."
    )


def _fetch_rest(
    where: Callable[[], str],
    target: Path,
    title: str,
    patience: Patience,
    approve: Callable[[int, int], None],
    told: Callable[[int], object] | None,
) -> None:
    kept = what_is_kept(target)
    if not kept.size or kept.bytes != kept.size:  # else an earlier call was stopped just before the last step
        address = where()
        with _address_unlogged(), _opened(address, kept, patience) as response:
            kept = _start(response, kept)
            approve(kept.size, kept.size - kept.bytes)
            require_disk(target.parent, kept.size - kept.bytes, f"Fetching {title}")
            with _bar(kept, title, hidden=bool(told)) as bar:
                _receive(response, kept, patience, told or bar.update)
    kept.part.replace(target)
    kept.note.unlink()


def _opened(address: str, kept: Kept, patience: Patience) -> requests.Response:
    headers = {"Accept-Encoding": "identity"}
    if kept.bytes and kept.mark:
        headers |= {"Range": f"bytes={kept.bytes}-", "If-Range": kept.mark}
    timeout = (patience.silence_seconds, patience.silence_seconds)
    with _broken_line():
        return requests.get(address, headers=headers, stream=True, timeout=timeout)


def _start(response: requests.Response, kept: Kept) -> Kept:
    """What is kept, once the server has said whether it sends the rest of it or another file from its beginning."""
    if response.status_code == requests.codes.requested_range_not_satisfiable:
        _discard_kept(kept)
        raise BrokenTryError("the server has less of the file than is already here")
    _check_answer(response)
    length = int(response.headers["Content-Length"])
    tag = response.headers.get("ETag", "")
    mark = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    mark = mark if MARK.fullmatch(mark) else ""
    if response.status_code == requests.codes.partial_content:
        missing = f"bytes {kept.bytes}-{kept.size - 1}/{kept.size}"
        if (response.headers.get("Content-Range"), length) == (missing, kept.size - kept.bytes):
            return kept
        _discard_kept(kept)
        raise BrokenTryError("the server sent another part of the file than was asked for")
    _discard_kept(kept)
    kept.note.write_text(json.dumps({"size": length, "mark": mark}), encoding="utf-8")
    kept.part.touch()
    return Kept(kept.part, kept.note, 0, length, mark)


def _discard_kept(kept: Kept) -> None:
    """Remove the bytes first: without their note they would prove nothing."""
    kept.part.unlink(missing_ok=True)
    kept.note.unlink(missing_ok=True)


def _check_answer(response: requests.Response) -> None:
    if response.status_code in (requests.codes.not_found, requests.codes.gone):
        raise DownloadError(
            f"The server has no such file any more ({response.status_code}). Take the newest version of the course."
        )
    if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
        raise BrokenTryError(
            f"the server answered {response.status_code}",
            BUSY_REMEDY,
            seconds_to_wait(response.headers.get("Retry-After", "")),
        )
    if "html" in response.headers.get("Content-Type", ""):
        raise DownloadError(WEB_PAGE)
    told = response.headers.get("Content-Length", "")
    if not SIZE.fullmatch(told) or "Transfer-Encoding" in response.headers:  # with the second, the first does not count
        raise BrokenTryError("the server did not say how long the file is")


WEB_PAGE = (
    "Expected a file, but a web page came, as from the sign-in page of a guest network or from a proxy. "
    "Open a browser, sign in to the network, then call again."
)


def seconds_to_wait(retry_after: str) -> float | None:
    """Seconds that a server asks to wait by its header Retry-After, or None if it does not say."""
    return float(retry_after) if SECONDS.fullmatch(retry_after) else None


def _bar(kept: Kept, title: str, *, hidden: bool) -> "tqdm[NoReturn]":
    return tqdm(
        desc=title,
        total=kept.size,
        initial=kept.bytes,
        unit="B",
        unit_scale=True,
        leave=False,
        miniters=1,
        disable=hidden or bars_are_off(),
    )


def _receive(response: requests.Response, kept: Kept, patience: Patience, told: Callable[[int], object]) -> None:
    left, brought, since = kept.size - kept.bytes, 0, time.monotonic()
    with kept.part.open("ab") as file:
        while chunk := _read(response):
            file.write(chunk)
            file.flush()
            told(len(chunk))
            left, brought, seconds = left - len(chunk), brought + len(chunk), time.monotonic() - since
            if seconds >= patience.silence_seconds:
                if left and brought < patience.least_speed * seconds:
                    raise BrokenTryError(f"the line brings {brought / seconds:.0f} bytes per second only")
                brought, since = 0, time.monotonic()
    if left:
        raise BrokenTryError("the line broke")


def _read(response: requests.Response) -> bytes:
    with _broken_line():
        chunk: bytes = response.raw.read1(CHUNK_BYTES)
        return chunk


@contextlib.contextmanager
def _address_unlogged() -> Iterator[None]:
    """Keep signed addresses out of the log, where urllib3 writes them at level DEBUG."""

    def keep(record: logging.LogRecord) -> bool:
        return "://" not in record.getMessage()

    logger = logging.getLogger("urllib3.connectionpool")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


@contextlib.contextmanager
def _broken_line() -> Iterator[None]:
    """Turn whatever a network or a server's answer ends in into one error, without the address that it names."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # no list of what a server can do wrong is complete
        raise BrokenTryError(_what_broke(error)) from None


def _what_broke(error: Exception) -> str:
    match error:
        case requests.Timeout() | urllib3.exceptions.TimeoutError():
            return "the server fell silent"
        case requests.exceptions.ProxyError() | requests.exceptions.SSLError():
            return f"the proxy or the certificate failed ({type(error).__name__})"
        case requests.exceptions.ChunkedEncodingError():
            return "the line broke"
        case requests.ConnectionError():
            return "the server can not be reached"
        case ValueError():  # as of an address that is none
            return f"the server's answer makes no sense ({type(error).__name__})"
        case OSError() | urllib3.exceptions.HTTPError():
            return "the line broke"
    return f"the server's answer makes no sense ({type(error).__name__})"


@contextlib.contextmanager
def _said_clearly(target: Path, title: str) -> Iterator[None]:
    """Say what a full disk, a forbidden folder or Ctrl-C means for the download."""
    try:
        yield
    except DownloadError:
        raise
    except KeyboardInterrupt:
        print(f"{title}: stopped. {_kept_sentence(what_is_kept(target))}Call again to go on.")
        raise
    except OSError as error:
        raise disk_problem(error, target.parent, title, _kept_sentence(what_is_kept(target))) from error


def _kept_sentence(kept: Kept) -> str:
    return f"{say_bytes(kept.bytes)} of {say_bytes(kept.size)} are kept for the next call. " if kept.bytes else ""
