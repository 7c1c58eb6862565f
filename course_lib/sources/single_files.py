"""Some files of a Kaggle data set, fetched one by one where nobody needs the whole set; what is there is kept."""

import contextlib
import io
import math
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm.auto import tqdm

from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.download import (
    DownloadError,
    discard,
    disk_problem,
    fetch,
    require_disk,
    say_bytes,
)
from course_lib.sources.kaggle_address import KaggleAddresses, MissingFileError
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes, write_whole
from course_lib.support.foreign import printable, some_of, understood
from course_lib.support.own_files import remove_half_made
from course_lib.support.runtime import bars_are_off

AT_ONCE = 4  #: files on their way; Kaggle is asked for one at a time
MOST_BAD = 20  #: files that Kaggle lacks or that are of no use, before the rest is not asked for any more
ZIP_START = b"PK\x03\x04"
COMING = ".coming"  #: how the folder ends that lies beside, with what has not come whole yet
FETCHED = ("", ".lock", ".part", ".part.json")  #: how the names end that a download uses


@dataclass(frozen=True)
class Limits:
    """What is expected of the files, and what is refused."""

    most_bytes: int  #: of one file, packed or not
    usual_bytes: int  #: of one file, as far as is known before it comes
    most_together: float = math.inf  #: bytes of all files


def fetch_files(
    addresses: KaggleAddresses,
    paths: Mapping[str, str],
    folder: Path,
    limits: Limits,
    *,
    made_of: Callable[[bytes], bytes] = bytes,
) -> dict[str, str]:
    """Fetch files of a data set into a folder; gives the SHA-256 of each, by its place there.

    ``paths`` says for each path in the data set where the file belongs, as a path from the folder. ``made_of`` makes of
    what came what is kept, or raises a DataError, the end of a sentence that begins with the file's name; what is there
    already goes through it as well, and is fetched again only if it is refused. A file that Kaggle packs is unpacked.
    Each appears whole or not at all; what has come of it is kept beside the folder, so that a call goes on where
    another ended. Only for who holds the lock of the data set.

    Raises:
        DownloadError: Kaggle can not be reached or says no, a file is missing or of no use, they are too large, or the
            disk is full. What is whole stays.
        DataError: a path leads out of the data set or out of the folder.
    """
    _check_paths(paths)
    coming = folder.with_name(folder.name + COMING)
    with _disk_said_clearly(folder, addresses.card):
        for path in {coming, *(folder / PurePosixPath(place).parent for place in paths.values())}:
            path.mkdir(parents=True, exist_ok=True)
    sums = _Fetching(addresses, paths, folder, coming, limits, made_of).all()
    with contextlib.suppress(OSError, DataError):  # where somebody else has put something, all of it stays
        remove_half_made(coming, lambda path: is_coming(path, paths.values()))
    return sums


def is_coming(path: PurePosixPath, places: Iterable[str]) -> bool:
    """Whether the folder for what has not come whole yet may have a file with this path, when these are fetched."""
    return str(path) in {_coming_name(place) + ending for place in places for ending in FETCHED}


def _coming_name(place: str) -> str:
    """What a file is called while it comes."""
    return place.replace("/", "_")


class _StoppedError(Exception):
    """Another file failed, or the user stopped it: nothing more is fetched."""


class _Fetching:
    """One call of `fetch_files`: what its threads share."""

    def __init__(
        self,
        addresses: KaggleAddresses,
        paths: Mapping[str, str],
        folder: Path,
        coming: Path,
        limits: Limits,
        made_of: Callable[[bytes], bytes],
    ) -> None:
        self.addresses, self.paths, self.folder, self.coming = addresses, paths, folder, coming
        self.limits, self.made_of = limits, made_of
        self.card = addresses.card
        self.stopped = threading.Event()
        self.bar = _Bar(self.card.name, len(paths), limits.usual_bytes)
        self.sizes: dict[str, int] = {}
        self.sums: dict[str, str] = {}
        self.bad: list[str] = []

    def all(self) -> dict[str, str]:
        with self.bar:
            self._require_disk()
            try:
                self._in_threads()
            except KeyboardInterrupt:
                print(f"{self.card.name}: stopped. {self._kept()}Call again to go on.")
                raise
            except DownloadError as problem:
                raise DownloadError(f"{problem} {self._kept()}".rstrip()) from None
        return self.sums

    def _require_disk(self) -> None:
        missing = sum(not (self.folder / place).exists() for place in self.paths.values())
        require_disk(self.folder, missing * self.limits.usual_bytes, f"Fetching {missing:,} files of {self.card.name}")

    def _in_threads(self) -> None:
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for done in as_completed([pool.submit(self._one, *item) for item in self.paths.items()]):
                done.result()
                if len(self.bad) >= MOST_BAD:
                    raise DownloadError(self._what_is_bad())
        except BaseException:
            self.stopped.set()
            self.addresses.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        if self.bad:
            raise DownloadError(self._what_is_bad())

    def _one(self, path: str, place: str) -> None:
        try:
            with _disk_said_clearly(self.folder, self.card):
                content = self._here(place)
                if content is None:
                    content = self._fetched(path, place)
        except MissingFileError as problem:
            self.bad.append(str(problem))
        except DataError as problem:
            self.bad.append(f"{printable(path)} {problem}")
        else:
            self.sums[place] = digest_of_bytes(content)

    def _here(self, place: str) -> bytes | None:
        """What an earlier call has put there, unless it is of no use."""
        target = self.folder / place
        if target.is_file() and target.stat().st_size <= self.limits.most_bytes:
            self._check_going_on()
            content = target.read_bytes()
            with contextlib.suppress(DataError):
                content = self.made_of(content)
                self.sizes[place] = len(content)
                self.bar.was_here(len(content))
                return content
        return None

    def _fetched(self, path: str, place: str) -> bytes:
        packed = self.coming / _coming_name(place)
        fetch(
            lambda: self._address(path),
            packed,
            f"{printable(path)} of {self.card.name}",
            patience=self.addresses.patience,
            approve=lambda size, _: self._approve(size, place, packed),
            told=self._told,
            pause=self._pause,
        )
        try:
            content = self.made_of(_unpacked(packed.read_bytes(), path, self.limits.most_bytes))
            write_whole(self.folder / place, content)
        finally:
            discard(packed)
        self.bar.is_whole()
        return content

    def _address(self, path: str) -> str:
        self._check_going_on()
        return self.addresses.of(path, pause=self._pause)

    def _pause(self, seconds: float) -> None:
        """Wait; who waits to ask Kaggle when the call is stopped asks no more."""
        self.stopped.wait(seconds)
        self._check_going_on()

    def _approve(self, size: int, place: str, packed: Path) -> None:
        if size > self.limits.most_bytes:
            discard(packed)
            raise DataError(f"has {say_bytes(size)}; expected {say_bytes(self.limits.most_bytes)} at most")
        self.sizes[place] = size
        if sum(self.sizes.copy().values()) > self.limits.most_together:
            raise DownloadError(
                f"{self.card.name} is larger than was to be expected: more than the "
                f"{say_bytes(self.limits.most_together)} that were allowed here. Call again without the limit."
            )

    def _told(self, came: int) -> None:
        self._check_going_on()
        self.bar.came(came)

    def _check_going_on(self) -> None:
        if self.stopped.is_set():
            raise _StoppedError

    def _kept(self) -> str:
        whole = sum((self.folder / place).is_file() for place in self.paths.values())
        return f"{whole:,} of {len(self.paths):,} files are kept for the next call. " if whole else ""

    def _what_is_bad(self) -> str:
        return (
            f"{len(self.bad):,} of {len(self.paths):,} files of {self.card.name} could not be fetched: "
            f"{some_of(self.bad)}. Call again to ask for what is missing. If that ends in the same way, Kaggle's copy "
            f"has changed or Kaggle has a fault: get the set from its source ({self.card.source}) and set COURSE_DATA."
        )


class _Bar:
    """One progress bar over all files, in bytes; how many there will be is estimated anew with each file."""

    def __init__(self, title: str, files: int, usual_bytes: int) -> None:
        self._title, self._files = title, files
        self._lock = threading.Lock()
        self._whole = self.bytes = 0
        self._bar = tqdm(
            desc=title,
            total=files * usual_bytes,
            unit="B",
            unit_scale=True,
            leave=False,
            disable=bars_are_off(),
        )

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def came(self, count: int) -> None:
        with self._lock:
            self.bytes += count
            self._bar.update(count)

    def is_whole(self) -> None:
        with self._lock:
            self._whole += 1
            self._bar.total = round(self.bytes / self._whole * self._files)
            self._bar.set_description(f"{self._title}, {self._whole:,} of {self._files:,} files", refresh=False)

    def was_here(self, count: int) -> None:
        with self._lock:
            self.bytes += count
            if not self._bar.disable:
                self._bar.initial += count  # so that it does not count for the speed
            self._bar.update(count)
        self.is_whole()


def _check_paths(paths: Mapping[str, str]) -> None:
    for path in (*paths, *paths.values()):
        if {"", ".", ".."} & {*path.split("/")} or {":", "\\"} & {*path} or not path.isprintable():
            raise DataError(f"{printable(path)} is no path in a data set: expected names, with / between them.")
    if len({_coming_name(place) for place in paths.values()}) < len(paths):
        raise DataError("Two files of the data set would get one place: expected a place for each.")


def _unpacked(content: bytes, path: str, most_bytes: int) -> bytes:
    """The file, where Kaggle has packed it into a ZIP archive of its own; else what came.

    Raises:
        DataError: the archive holds anything but this file, or can not be unpacked.
    """
    if not content.startswith(ZIP_START) or path.endswith(".zip"):
        return content
    with understood(_can_not_unpack), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        names = [member.filename.replace("\\", "/").split("/")[-1] for member in members]
        if names != [path.split("/")[-1]]:
            raise DataError(f"came packed with other files ({some_of(names)})")
        if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError("came packed in another compression than Kaggle's")
        if members[0].file_size > most_bytes:
            raise DataError(f"would unpack to {say_bytes(members[0].file_size)}")
        with archive.open(members[0]) as packed:
            unpacked = packed.read(members[0].file_size)
            packed.read(1)  # the end, where the checksum is compared
            return unpacked


def _can_not_unpack(reason: str) -> DataError:
    return DataError(f"came packed, and can not be unpacked ({reason})")


@contextlib.contextmanager
def _disk_said_clearly(folder: Path, card: DatasetCard) -> Iterator[None]:
    try:
        yield
    except DownloadError:
        raise
    except OSError as error:
        raise disk_problem(error, folder.parent, card.name) from error
