"""The same picture twice: copies to the last pixel, and copies that were saved, scaled, mirrored or turned since."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from course_lib.audit.inventory import ImageFile, Inventory
from course_lib.support.runtime import progress

HASH_DISTANCE = 10  #: bits of 64; copies were at most 8 apart, or 10 after a change of gamma
#: At 32 px. Copies had at least 0.989; real chests and heads of different patients at most 0.978, or 0.960 where one of
#: them was mirrored or turned. Neighbouring slices of one head had up to 0.992.
CORRELATION = 0.985
FEW = 50  #: below this number of images, their median says little, and every pair is compared
ROWS = 256  #: of the table of all pairs that are worked on at once
AS_IT_IS = "as it is"

Pixels = NDArray[np.float64]
#: The eight symmetries of a square: what each makes of pictures [..., rows, columns].
SYMMETRIES: dict[str, Callable[[Pixels], Pixels]] = {
    AS_IT_IS: lambda pictures: pictures,
    "mirrored left to right": lambda pictures: pictures[..., ::-1],
    "mirrored top to bottom": lambda pictures: pictures[..., ::-1, :],
    "turned by 180 degrees": lambda pictures: pictures[..., ::-1, ::-1],
    "turned by 90 degrees to the left": lambda pictures: np.rot90(pictures, 1, (-2, -1)),
    "turned by 90 degrees to the right": lambda pictures: np.rot90(pictures, -1, (-2, -1)),
    "mirrored along the falling diagonal": lambda pictures: pictures.swapaxes(-2, -1),
    "mirrored along the rising diagonal": lambda pictures: pictures[..., ::-1, ::-1].swapaxes(-2, -1),
}


@dataclass(frozen=True)
class Pair:
    """Two files with, as it seems, one picture."""

    first: ImageFile
    second: ImageFile
    distance: int  #: bits of 64 in which the hashes differ
    correlation: float  #: of the grey values at 32 px
    symmetry: str = AS_IT_IS  #: what makes the second picture of the first, one of `SYMMETRIES`


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

    @property
    def mirrored(self) -> tuple[Pair, ...]:
        """The near pairs in which one picture is the other, mirrored or turned."""
        return tuple(pair for pair in self.near if pair.symmetry != AS_IT_IS)

    @property
    def of_one_patient(self) -> int:
        """Near pairs of one patient, as far as the file names tell: some may be two images that are much alike."""
        return sum(pair.first.patient == pair.second.patient for pair in self.near)

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

    Each picture is compared with each other one as it is, mirrored, and turned by quarters. A picture that was turned
    by a few degrees, or of which a border was cut off, is not found. Neighbouring slices of one head can be as alike as
    copies.
    """
    same = defaultdict(list)
    for file in inventory.files:
        same[file.digest].append(file)
    alike: dict[tuple[int, int], Pair] = {}
    for i, j, distance, correlation, symmetry in _alike(inventory.small(32)):
        first, second = inventory.files[i], inventory.files[j]
        known = alike.get((i, j))
        if first.digest != second.digest and (known is None or correlation > known.correlation):
            alike[i, j] = Pair(first, second, distance, correlation, symmetry)
    groups = tuple(tuple(files) for files in same.values() if len(files) > 1)
    near = sorted(alike.values(), key=lambda pair: (-round(pair.correlation, 4), pair.first.name, pair.second.name))
    return Duplicates(groups, tuple(near), len(inventory) * (len(inventory) - 1) // 2)


def perceptual_hash(images: NDArray[np.float64]) -> NDArray[np.uint64]:
    """64 bits per picture, alike for pictures that look alike; ``images`` [images, 32, 32].

    The picture's 64 coarsest cosine waves, without the mean brightness; a bit is 1 where the wave's part of the
    contrast is above its median over all ``images``. So the hashes of one call can be compared with each other only.

    Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2 (pHash),
    which compares with the median of the same picture instead.
    """
    waves = _waves(images)
    return _packed(waves > np.median(waves, axis=0))


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


def _alike(small: Pixels) -> Iterator[tuple[int, int, int, float, str]]:
    """Pairs of places, bits, correlation and symmetry: wherever a picture, so moved, looks like a later one.

    ``small`` [images, 32, 32].
    """
    waves, vectors = _waves(small), _unit_vectors(small)
    medians = np.median(waves, axis=0)
    hashes, most = _packed(waves > medians), HASH_DISTANCE if len(small) >= FEW else 64
    for start in progress(range(0, len(small), ROWS), "Comparing images", "block"):
        for symmetry, move in SYMMETRIES.items():
            moved = move(small[start : start + ROWS])
            own = _packed(_waves(moved) > medians)
            distances = np.bitwise_count(own[:, None] ^ hashes[None])
            rows, columns = np.nonzero((distances <= most) & _later(distances.shape, start))
            (firsts, row), (seconds, column) = (np.unique(each, return_inverse=True) for each in (rows, columns))
            correlations = (_unit_vectors(moved)[firsts] @ vectors[seconds].T)[row, column]
            for k in np.flatnonzero(correlations >= CORRELATION):
                i, j = int(rows[k]), int(columns[k])
                yield start + i, j, int(distances[i, j]), float(correlations[k]), symmetry


def _waves(images: Pixels) -> NDArray[np.float64]:
    """The part of each of the 64 coarsest cosine waves in the contrast of each picture, [images, 64]."""
    waves = dctn(images, axes=(1, 2), norm="ortho")[:, :9, :9].reshape(len(images), -1)[:, 1:65]
    waves /= np.maximum(np.linalg.norm(waves, axis=1, keepdims=True), 1e-9)
    return np.asarray(waves)


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """[images, 64] as one number each."""
    return np.asarray(np.packbits(bits, axis=1).view(np.uint64)[:, 0])


def _unit_vectors(images: Pixels) -> NDArray[np.float64]:
    """[images, pixels], whose products are correlations; 0 for what has no contrast."""
    vectors = images.reshape(len(images), -1) - images.mean(axis=(1, 2))[:, None]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors)


def _later(shape: tuple[int, ...], start: int) -> NDArray[np.bool_]:
    """True where the column comes after the row, so that each pair counts once."""
    return np.arange(shape[1])[None] > np.arange(start, start + shape[0])[:, None]
