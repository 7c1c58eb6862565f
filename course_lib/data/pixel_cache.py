"""The pixels of many images: every file decoded once, kept together in one file, read in batches."""

import copy
import errno
import hashlib
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import PIL
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as image_functional

from course_lib.data.image_file import open_grey
from course_lib.data.samples import ImageDataset, LabelledImage
from course_lib.data.transforms import (
    Preprocessing,
    evaluation_transform,
    fit_to_square,
    network_input,
    training_transform,
)
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable
from course_lib.support.locks import alone
from course_lib.support.own_files import HEADER_BYTES, OwnFiles
from course_lib.support.runtime import cache_folder, expanded, progress

FORMAT = 3  #: of the files; another number makes all of them anew
MOST_NAMED = 10  #: files that can not be read, in one message
SILENT_SECONDS = 10  #: in which another process has read its images, as a rule
MOST_BYTES = 4_000_000_000  #: of all caches in a folder; those that were not used for longest are deleted


class UnreadableError(DataError):
    """Some images can not be read."""

    def __init__(self, problems: Mapping[Path, str], images: int) -> None:
        self.problems = dict(problems)
        named = "\n".join(f"  {printable(problem, LONGEST_PATH)}" for problem in list(problems.values())[:MOST_NAMED])
        more = f"\n  … and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        super().__init__(f"{len(problems)} of {images} images can not be used:\n{named}{more}")


class PixelCache(ImageDataset):
    """An `ImageDataset` whose files were decoded once and whose pixels now come from one file.

    Item i is (float32 [channels, size, size], label); `inputs` gives a batch some hundred times as fast as decoding
    does. With an augmentation, or another change of grey images, each image is changed anew each time it is asked for.
    A JPEG is decoded at a half, a quarter or an eighth where that is enough, which changes a full-size X-ray by half a
    grey level on average.

    The file is kept in ``folder``, or else in `cache_folder`. Images that were moved, changed or put into another
    order get another file, and so does another size or geometry. A file whose checksum does not hold is made anew.
    Processes that start at once decode once. Only the images that are asked for are read, so memory does not grow. In
    the folder nothing is changed or deleted but such files.

    With ``skip_unreadable`` the images that can not be read are named and left out.

    Raises:
        UnreadableError: images can not be read; the message names them.
        DataError: a file is missing, or the folder can not be written.
    """

    def __init__(
        self,
        samples: Sequence[LabelledImage],
        classes: Sequence[str],
        how: Preprocessing,
        augmentation: Callable[[torch.Tensor], torch.Tensor] | None = None,
        *,
        folder: Path | str | None = None,
        skip_unreadable: bool = False,
    ) -> None:
        chain = evaluation_transform(how) if augmentation is None else training_transform(how, augmentation)
        super().__init__(samples, classes, chain)
        self.how = how
        self.augmentation = augmentation
        folder = (expanded(folder) if folder else cache_folder("pixels")).resolve()
        try:
            self._file = _open_or_make([r.path for r in self.samples], how, folder)
        except UnreadableError as error:
            if not skip_unreadable:
                raise
            print(f"Left out: {error}")
            super().__init__([r for r in self.samples if r.path not in error.problems], classes, chain)
            self._file = _open_or_make([r.path for r in self.samples], how, folder)
        self._rows = torch.arange(len(self))

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.inputs(torch.tensor([index]))[0].contiguous(), self.samples[index].label

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device.

        Bytes go to the device; augmentation and normalisation happen there. Channels that are alike share their
        memory, see `network_input`.
        """
        pixels = self._file.read(self._rows[indices]).to(device)
        if self.augmentation is not None:
            pixels = self.augmentation(image_functional.to_dtype(pixels, torch.float32, scale=True))
        return network_input(pixels, self.how)

    def take(self, indices: Iterable[int]) -> "PixelCache":
        """The same kind of data with some of the images only, in the order of ``indices``, from the same file."""
        chosen = list(indices)
        part = copy.copy(self)
        part.samples, part._targets = super().take(chosen).samples, self._targets[chosen]
        part._rows = self._rows[chosen]
        return part


class _PixelFile:
    """A whole file of pixels, open to be read; pickled as its name, so that another process opens it itself.

    It is not mapped into memory: if a mapped file is cut short, the system ends the process that looks at it.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._arguments = path, size
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._descriptor)

    def __reduce__(self) -> tuple[type["_PixelFile"], tuple[Path, int]]:
        return _PixelFile, self._arguments

    def read(self, rows: torch.Tensor) -> torch.Tensor:
        """A copy of these images, uint8 [rows, 1, size, size]; those that follow each other are read at once.

        Raises:
            DataError: the file has been cut short since it was opened.
        """
        size = self._arguments[1]
        row = size**2
        pixels = np.empty(len(rows) * row, np.uint8)
        numbers, buffer = rows.tolist(), pixels.data
        first = 0
        for end in range(1, len(numbers) + 1):
            if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
                self._fill(buffer[first * row : end * row], HEADER_BYTES + numbers[first] * row)
                first = end
        return torch.from_numpy(pixels.reshape(-1, 1, size, size))

    def _fill(self, buffer: memoryview, offset: int) -> None:
        while (count := _read_at(self._descriptor, buffer, offset)) != len(buffer):
            if not count:
                raise DataError(
                    f"The pixels in {printable(self._arguments[0])} were cut short while they were in use. Make the "
                    "PixelCache once more: it then reads the images anew."
                )
            buffer, offset = buffer[count:], offset + count  # the system reads at most 2 GB at once


_seeking = threading.Lock()


def _read_at(descriptor: int, buffer: memoryview, offset: int) -> int:
    """Read from there into the buffer; gives how many bytes came. Threads and forked processes do not disturb it."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], offset)
    with _seeking:  # Windows, which has no forked processes
        os.lseek(descriptor, offset, os.SEEK_SET)
        content = os.read(descriptor, len(buffer))
    buffer[: len(content)] = content
    return len(content)


def _open_or_make(paths: Sequence[Path], how: Preprocessing, folder: Path) -> _PixelFile:
    files, key = OwnFiles(folder, "pixels of images", ".pixels"), _key(paths, how)
    path = files.path(key)
    with _explained(folder):
        if not files.is_whole(key):
            with alone(files.lock, "reading images too", silent_seconds=SILENT_SECONDS):
                if not files.is_whole(key):  # else it was made while this process waited
                    if path.exists():
                        print(
                            f"The pixels in {printable(path)} are damaged. They are read anew from the images.",
                            flush=True,
                        )
                    _make(files, key, paths, how)
                    files.delete_oldest(key, most_bytes=MOST_BYTES)
        files.mark_used(key)
        return _PixelFile(path, how.size)


def _key(paths: Sequence[Path], how: Preprocessing) -> str:
    """What the pixels depend on, as 64 hexadecimal digits: of each file its place, size and time; and the settings."""
    digest = hashlib.sha256(repr((FORMAT, how.size, how.geometry, PIL.__version__)).encode())
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise DataError(
                f"{printable(path)} can not be read ({error.strerror}). Copy it again, or read the folder anew."
            ) from error
        digest.update(b"\n%b\0%d\0%d" % (os.fsencode(path.resolve()), found.st_size, found.st_mtime_ns))
    return digest.hexdigest()


def _make(files: OwnFiles, key: str, paths: Sequence[Path], how: Preprocessing) -> None:
    """Decode all images into the file, which appears at the end, whole.

    Raises:
        UnreadableError: there are some that can not be read.
    """
    files.remove_unfinished()
    if shutil.disk_usage(files.folder).free < HEADER_BYTES + len(paths) * how.size**2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with closing(_decode_all(paths, how)) as squares:
        files.write(key, squares)


def _decode_all(paths: Sequence[Path], how: Preprocessing) -> Generator[bytes]:
    """The pixels of one image after the other; at the end the error that names those that can not be read."""
    problems = dict[Path, str]()
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        squares = progress(pool.map(_decoder(how), paths), "Reading the images", "image", len(paths))
        for source, pixels in zip(paths, squares, strict=True):
            if isinstance(pixels, str):
                problems[source] = pixels
            else:
                yield pixels
    finally:
        pool.shutdown(cancel_futures=True)
    if problems:
        raise UnreadableError(problems, len(paths))


def _decoder(how: Preprocessing) -> Callable[[Path], bytes | str]:
    """What makes of a file its square of grey pixels, or a sentence that says why that can not be."""
    fit = v2.Compose(fit_to_square(how))

    def decode(path: Path) -> bytes | str:
        try:
            pixels: bytes = fit(open_grey(path, at_least=how.size)).tobytes()
        except DataError as problem:
            return str(problem)
        return pixels

    return decode


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Say what to do when the disk refuses."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        remedy = "Free some space" if full else "Make it writable"
        raise DataError(
            f"The pixels of the images can not be kept in {printable(folder)} ({error.strerror or error}). {remedy}, "
            "or set COURSE_CACHE to a folder on another disk, and call again."
        ) from error
