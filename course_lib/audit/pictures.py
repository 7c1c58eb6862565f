"""Pictures that are unlike the others of their folder: blank, negative, blurred, or of an odd size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.audit.inventory import ImageFile, Inventory

BLANK = 3.0  #: grey levels of standard deviation below which there is nothing to see
FAR = 6.0  #: robust standard deviations from the median; of normal values, one in a thousand million is as far
BLURRED = 4.5  #: the same for sharpness; a picture of 6 x 5 pixels, made large again, is 5 below the median
WIDEST = 3.0  #: a side over the other


@dataclass(frozen=True)
class OddPictures:
    """Files to look at before anything is trained on them."""

    blank: tuple[ImageFile, ...]  #: one grey value all over, or nearly
    negative: tuple[ImageFile, ...]  #: black and white exchanged
    blurred: tuple[ImageFile, ...]  #: far less sharp than the others
    odd_size: tuple[ImageFile, ...]  #: far larger or smaller than the others, or a strip


def find_odd_pictures(inventory: Inventory) -> OddPictures:
    """What stands out from the other pictures of the folder; if most are odd, the usual ones stand out."""
    files = inventory.files
    blank = np.array([file.contrast < BLANK for file in files], dtype=bool)
    sides = np.array([(file.width, file.height) for file in files], dtype=np.float64).reshape(-1, 2)
    size, sharpness = np.log(sides.prod(axis=1)), np.log([max(file.sharpness, 1e-3) for file in files])
    strip = sides.max(axis=1) > WIDEST * sides.min(axis=1)
    flat = inventory.standardised()
    against = flat @ np.median(flat[~blank], axis=0) < 0 if not blank.all() else np.zeros(len(files), dtype=bool)
    chosen = (
        blank,
        against & ~blank,
        (robust_distance(sharpness, ~blank) < -BLURRED) & ~blank,
        (np.abs(robust_distance(size, ~blank)) > FAR) | strip,
    )
    return OddPictures(*(tuple(f for f, odd in zip(files, each, strict=True) if odd) for each in chosen))


def robust_distance(values: NDArray[np.float64], usual: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance from the median in units of the spread, which is at least 0.1: a tenth, where values are logarithms."""
    if not usual.any():
        return np.zeros_like(values)
    median = np.median(values[usual])
    spread = 1.4826 * np.median(np.abs(values[usual] - median))
    return np.asarray((values - median) / max(float(spread), 0.1))
