"""Readers who do not exist, and outline nodules as radiologists do: borders differ, and the small and faint are missed.

How much they differ was set so that four of them agree about as much as the four of LIDC-IDRI do, which a test holds.
Source of the reading: S. G. Armato et al., The Lung Image Database Consortium (LIDC) and Image
Database Resource Initiative (IDRI), Med. Phys. 38:915-931, 2011: each reader marks by themselves, then once more after
having seen the others' marks, and nobody is forced to agree.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter
from scipy.special import ndtri

from course_lib.modalities.simulated_chest.people import Nodule

READERS = 4  #: who outline each nodule, as in LIDC-IDRI

GENEROUS_MM, GENEROUS_EACH_MM = 0.35, 0.35  #: spread of the border's place: of a reader, and from nodule to nodule
ROUGH_MM, BUMP_MM = 0.57, 2.5  #: spread of the border's bumps, and their size
FAINT_IS_ROUGHER = 2.0  #: times, where a nodule is ground glass
HALF_SEE_MM, LOG_SLOPE = 5.0, 0.25  #: diameter that half of the readers mark; how fast that changes, in log mm
KEEN = 0.4  #: spread among readers of that diameter's logarithm
FAINT_LOOKS = 0.5  #: times as large, a nodule of ground glass
MARGIN_MM = 8.0  #: around a nodule within which a border can lie


@dataclass(frozen=True)
class SimulatedReader:
    """What is typical of one reader."""

    generous_mm: float  #: by which the borders lie farther out than the true ones
    sees_mm: float  #: diameter of a solid nodule that is marked every second time


def draw_readers(rng: np.random.Generator, count: int = READERS) -> tuple[SimulatedReader, ...]:
    """So many readers, as different from each other as usual ones; which of them has which habits is random."""
    usual = ndtri((np.arange(count) + 0.5) / count)  # evenly spread over the normal distribution
    generous_mm, sees_mm = GENEROUS_MM * rng.permutation(usual), HALF_SEE_MM * np.exp(KEEN * rng.permutation(usual))
    return tuple(SimulatedReader(float(out), float(sees)) for out, sees in zip(generous_mm, sees_mm, strict=True))


def notices(nodule: Nodule, reader: SimulatedReader, rng: np.random.Generator) -> bool:
    """Does the reader mark this nodule at all? The smaller and the fainter it is, the less often."""
    looks_mm = 2 * nodule.radius_mm * (FAINT_LOOKS if nodule.density == "ground glass" else 1)
    return bool(rng.random() < 1 / (1 + np.exp(-np.log(looks_mm / reader.sees_mm) / LOG_SLOPE)))


def outline(
    true: NDArray[np.bool_],
    nodule: Nodule,
    reader: SimulatedReader,
    spacing_mm: tuple[float, float, float],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """What the reader marks of a nodule that was noticed, [slices, rows, columns] as ``true`` is."""
    marked = np.zeros_like(true)
    if not true.any():
        return marked
    box = _around(true, spacing_mm)
    bumps = gaussian_filter(rng.normal(size=true[box].shape), [BUMP_MM / step for step in spacing_mm])
    rough_mm = ROUGH_MM * (FAINT_IS_ROUGHER if nodule.density == "ground glass" else 1)
    out_mm = reader.generous_mm + rng.normal(0, GENEROUS_EACH_MM) + rough_mm * bumps / max(bumps.std(), 1e-6)
    depth_mm = _from_border_mm(true[box], spacing_mm) + out_mm
    marked[box] = (depth_mm > 0) | (depth_mm == depth_mm.max())  # who noticed it marks its middle at the least
    return marked


def _from_border_mm(true: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """How deep inside of the nodule the middle of a voxel lies; below 0 outside.

    Slices are cut into about as thin ones as a pixel is wide, since a border lies half a voxel from its middle.
    """
    thick, *in_plane = spacing_mm
    parts = 2 * int(thick / min(in_plane) / 2) + 1  # odd, so that one of them lies in the middle
    thin, steps = np.repeat(true, parts, axis=0), (thick / parts, *in_plane)
    half = min(steps) / 2
    inside = distance_transform_edt(np.pad(thin, 1), sampling=steps)[1:-1, 1:-1, 1:-1] - half
    outside = distance_transform_edt(~thin, sampling=steps) - half
    return np.asarray(np.where(thin, inside, -outside)[parts // 2 :: parts])


def _around(true: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    """The box around a nodule, with a margin as far as the scan goes."""
    box = find_objects(true.astype(np.uint8))[0]
    margins = [int(np.ceil(MARGIN_MM / step)) for step in spacing_mm]
    return tuple(
        slice(max(0, side.start - margin), min(length, side.stop + margin))
        for side, margin, length in zip(box, margins, true.shape, strict=True)
    )
