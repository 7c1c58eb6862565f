"""The same picture twice: copies to the last pixel, and copies that were saved, scaled or brightened once more."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from course_lib.audit.inventory import ImageFile, Inventory
from course_lib.support.runtime import progress

HASH_DISTANCE = 10  #: bits of 64; copies were at most 8 apart, or 10 after a change of gamma
CORRELATION = 0.985  #: at 32 px; copies had at least 0.989, different pictures at most 0.975
FEW = 50  #: below this number of images, their median says little, and every pair is compared
ROWS = 256  #: of the table of all pairs that are worked on at once


@dataclass(frozen=True)
class Pair:
    """Two files with, as it seems, one picture."""

    first: ImageFile
    second: ImageFile
    distance: int  #: bits of 64 in which the hashes differ
    correlation: float  #: of the grey values at 32 px


@dataclass(frozen=True)
class Duplicates:
    """What is in the folder more than once."""

    exact: tuple[tuple[ImageFile, ...], ...]  #: groups of files with the same pixels
    near: tuple[Pair, ...]  #: pairs beyond those, the most similar first
    compared: int  #: pairs of files

    @property
    def extra(self) -> int:
        """Files that would have to go for each exact group to have one left."""
        return sum(len(group) - 1 for group in self.exact)

    def _groups(self) -> list[tuple[ImageFile, ...]]:
        return [*self.exact, *((pair.first, pair.second) for pair in self.near)]

    @property
    def across_splits(self) -> int:
        """Groups and pairs that span two splits."""
        return sum(len({file.split for file in group}) > 1 for group in self._groups())

    @property
    def across_classes(self) -> int:
        """Groups and pairs with two labels: at least one of them is wrong."""
        return sum(len({file.label for file in group}) > 1 for group in self._groups())


def find_duplicates(inventory: Inventory) -> Duplicates:
    """Exact copies by SHA-256 of the pixels; near copies by a perceptual hash, confirmed by correlation.

    The hash alone does not do: pictures of one kind all look alike to it. On 5,216 real chest X-rays, the usual
    difference hash gives 305 pairs of different patients the very same 64 bits. So each bit here says whether a
    coefficient is above its median *in this folder*, and what lies within 10 bits is compared again, pixel by pixel.
    """
    same = defaultdict(list)
    for file in inventory.files:
        same[file.digest].append(file)
    small = inventory.small(32)
    hashes = perceptual_hash(small)
    vectors = small.reshape(len(small), -1) - small.mean(axis=(1, 2))[:, None]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    near = []
    for i, j in _close(hashes, HASH_DISTANCE if len(hashes) >= FEW else 64):
        first, second, correlation = inventory.files[i], inventory.files[j], float(vectors[i] @ vectors[j])
        if correlation >= CORRELATION and first.digest != second.digest:
            near.append(Pair(first, second, int(np.bitwise_count(hashes[i] ^ hashes[j])), correlation))
    groups = tuple(tuple(files) for files in same.values() if len(files) > 1)
    near.sort(key=lambda pair: (-round(pair.correlation, 4), pair.first.name, pair.second.name))
    return Duplicates(groups, tuple(near), len(small) * (len(small) - 1) // 2)


def perceptual_hash(images: NDArray[np.float64]) -> NDArray[np.uint64]:
    """64 bits per picture, alike for pictures that look alike; ``images`` [images, 32, 32].

    The picture's 64 coarsest cosine waves, without the mean brightness; a bit is 1 where the wave's part of the
    contrast is above its median over all ``images``. So the hashes of one call can be compared with each other only.

    Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2 (pHash),
    which compares with the median of the same picture instead.
    """
    waves = dctn(images, axes=(1, 2), norm="ortho")[:, :9, :9].reshape(len(images), -1)[:, 1:65]
    waves /= np.maximum(np.linalg.norm(waves, axis=1, keepdims=True), 1e-9)
    bits = np.packbits(waves > np.median(waves, axis=0), axis=1)
    return np.asarray(bits.view(np.uint64)[:, 0])


def difference_hash(images: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The usual dHash: 64 bits that say where the picture gets brighter to the right; ``images`` [images, 32, 32].

    Source: N. Krawetz, Kind of Like That, 2013, hackerfactor.com.
    """
    columns = images[:, :, np.linspace(0, 31, 9).round().astype(int)].reshape(len(images), 8, 4, 9).mean(axis=2)
    return np.asarray(np.packbits(np.diff(columns) > 0, axis=2).reshape(len(images), 8).copy().view(np.uint64)[:, 0])


def hash_distances(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many pairs differ in 0, 1, … 64 bits, [65]."""
    counts = np.zeros(65, dtype=np.int64)
    for start in range(0, len(hashes), ROWS):
        block = np.bitwise_count(hashes[start : start + ROWS, None] ^ hashes[None])
        counts += np.bincount(block[_later(block.shape, start)], minlength=65)
    return counts


def _close(hashes: NDArray[np.uint64], distance: int) -> list[tuple[int, int]]:
    """Places of all pairs whose hashes differ in at most ``distance`` bits: XOR, then count the ones."""
    found = []
    for start in progress(range(0, len(hashes), ROWS), "Comparing images", "block"):
        near = np.bitwise_count(hashes[start : start + ROWS, None] ^ hashes[None]) <= distance
        rows, columns = np.nonzero(near & _later(near.shape, start))
        found += [(start + int(i), int(j)) for i, j in zip(rows, columns, strict=True)]
    return found


def _later(shape: tuple[int, ...], start: int) -> NDArray[np.bool_]:
    """True where the column comes after the row, so that each pair counts once."""
    return np.arange(shape[1])[None] > np.arange(start, start + shape[0])[:, None]
