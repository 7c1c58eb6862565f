"""The pixels of many images: every file decoded once, kept together in one file, read in batches."""

import copy
import errno
import hashlib
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

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
from course_lib.support.files import remove_unfinished, write_whole
from course_lib.support.locks import alone
from course_lib.support.runtime import cache_folder, progress

FORMAT = 3  #: of the files; another number makes all of them anew
HEADER_BYTES = 4096  #: before the pixels, which then begin on a page of memory
MOST_NAMED = 10  #: files that can not be read, in one message
MOST_BYTES = 4_000_000_000  #: of all caches in a folder; those that were not used for longest are deleted


class UnreadableError(DataError):
    """Some images can not be read."""

    def __init__(self, problems: Mapping[Path, str], images: int) -> None:
        self.problems = dict(problems)
        named = "\n".join(f"  {problem}" for problem in list(problems.values())[:MOST_NAMED])
        more = f"\n  … and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        super().__init__(f"{len(problems)} of {images} images can not be used:\n{named}{more}")


class PixelCache(ImageDataset):
    """An `ImageDataset` whose files were decoded once and whose pixels now come from one memory-mapped file.

    Item i is (float32 [channels, size, size], label); `inputs` gives a batch some hundred times as fast as decoding
    does. With an augmentation, or another change of grey images, each image is changed anew each time it is asked for.
    A JPEG is decoded at a half, a quarter or an eighth where that is enough, which changes a full-size X-ray by half a
    grey level on average.

    The file is kept in ``folder``, or else in `cache_folder`. Images that were moved, changed or put into another
    order get another file, and so does another size or geometry. A file whose checksum does not hold is made anew.
    Processes that start at once decode once. Pages that were read are given back, so that memory does not grow.

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
        folder: Path | None = None,
        skip_unreadable: bool = False,
    ) -> None:
        chain = evaluation_transform(how) if augmentation is None else training_transform(how, augmentation)
        super().__init__(samples, classes, chain)
        self.how = how
        self.augmentation = augmentation
        folder = (folder or cache_folder("pixels")).resolve()
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
    """A whole file of pixels, mapped into memory; pickled as its name, so that another process maps it itself."""

    def __init__(self, path: Path, size: int) -> None:
        self._arguments = path, size
        with path.open("rb") as file:
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._images = np.frombuffer(self._mapped, np.uint8, offset=HEADER_BYTES).reshape(-1, 1, size, size)

    def __reduce__(self) -> tuple[type["_PixelFile"], tuple[Path, int]]:
        return _PixelFile, self._arguments

    def read(self, rows: torch.Tensor) -> torch.Tensor:
        """A copy of these images, uint8 [rows, 1, size, size]."""
        images = torch.from_numpy(self._images[rows.cpu().numpy()])
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows, which takes pages back by itself
            self._mapped.madvise(mmap.MADV_DONTNEED)  # they stay in the system's file cache, but count no more as ours
        return images


def _open_or_make(paths: Sequence[Path], how: Preprocessing, folder: Path) -> _PixelFile:
    key = _key(paths, how)
    path = folder / f"{key}.pixels"
    with _explained(folder):
        if not _is_whole(path, key, len(paths), how.size):
            with alone(folder / "lock", "reading images too"):
                if not _is_whole(path, key, len(paths), how.size):  # else it was made while this process waited
                    if path.exists():
                        print(f"The pixels in {path} are damaged. They are read anew from the images.", flush=True)
                    _make(path, key, paths, how)
                    _delete_oldest(folder, path)
        with suppress(OSError):  # a folder that may only be read
            os.utime(path)
        return _PixelFile(path, how.size)


def _key(paths: Sequence[Path], how: Preprocessing) -> str:
    """What the pixels depend on, as 64 hexadecimal digits: of each file its place, size and time; and the settings."""
    digest = hashlib.sha256(repr((FORMAT, how.size, how.geometry, PIL.__version__)).encode())
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise DataError(
                f"{path} can not be read ({error.strerror}). Copy it again, or read the folder anew."
            ) from error
        digest.update(f"\n{path.resolve()}\0{found.st_size}\0{found.st_mtime_ns}".encode())
    return digest.hexdigest()


def _header(key: str, checksum: str) -> bytes:
    return f"pixels of images\n{key}\n{checksum}\n".encode().ljust(HEADER_BYTES)


def _is_whole(path: Path, key: str, images: int, size: int) -> bool:
    """Whether the file is there, and holds to the last bit what was put into it; read in pieces."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        whole = path.stat().st_size == HEADER_BYTES + images * size**2
        return whole and header == _header(key, hashlib.file_digest(file, "sha256").hexdigest())


def _make(path: Path, key: str, paths: Sequence[Path], how: Preprocessing) -> None:
    """Decode all images into the file, which appears at the end, whole.

    Raises:
        UnreadableError: there are some that can not be read.
    """
    remove_unfinished(path.parent)  # what a process has left that was killed
    if shutil.disk_usage(path.parent).free < HEADER_BYTES + len(paths) * how.size**2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    write_whole(path, lambda file: _decode_all(file, key, paths, how))


def _decode_all(file: BinaryIO, key: str, paths: Sequence[Path], how: Preprocessing) -> None:
    checksum, problems = hashlib.sha256(), dict[Path, str]()
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        file.seek(HEADER_BYTES)
        squares = progress(pool.map(_decoder(how), paths), "Reading the images", "image", len(paths))
        for source, pixels in zip(paths, squares, strict=True):
            if isinstance(pixels, str):
                problems[source] = pixels
                continue
            file.write(pixels)
            checksum.update(pixels)
        file.seek(0)
        file.write(_header(key, checksum.hexdigest()))
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


def _delete_oldest(folder: Path, keep: Path) -> None:
    """Delete the files that were not used for longest, as far as all together are more than `MOST_BYTES`."""
    total = 0
    for path in sorted(folder.glob("*.pixels"), key=lambda path: path.stat().st_mtime, reverse=True):
        total += path.stat().st_size
        if total > MOST_BYTES and path != keep:
            with suppress(PermissionError):  # on Windows, while another process reads it
                path.unlink()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Say what to do when the disk refuses."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        remedy = "Free some space" if full else "Make it writable"
        raise DataError(
            f"The pixels of the images can not be kept in {folder} ({error.strerror or error}). {remedy}, or set "
            "COURSE_CACHE to a folder on another disk, and call again."
        ) from error
