"""Masks that do not fit their images: of another size, empty, with other values than 0 and 255, or alone."""

from dataclasses import dataclass, field

import numpy as np

from course_lib.audit.inventory import ImageFile, Inventory
from course_lib.data.image_file import open_mask
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.sources.foreign_image import ImageError
from course_lib.support.runtime import progress


@dataclass(frozen=True)
class MaskFaults:
    """What was found among the masks; texts that are to be printed, each with the name of the image first."""

    masks: int  #: images with one
    missing: list[str] = field(default_factory=list)  #: images without one
    unreadable: list[str] = field(default_factory=list)
    other_size: list[str] = field(default_factory=list)  #: than the image
    other_values: list[str] = field(default_factory=list)  #: than 0 and 255
    empty: list[str] = field(default_factory=list)  #: nothing in it belongs


def check_masks(inventory: Inventory) -> MaskFaults:
    """Open every mask once, and compare it with its image. What is wrong with a mask is said once, the worst of it."""
    faults = MaskFaults(sum(file.mask is not None for file in inventory.files))
    for file in progress(inventory.files, "Reading masks", "mask"):
        _check(file, faults)
    return faults


def _check(file: ImageFile, faults: MaskFaults) -> None:
    if file.mask is None:
        faults.missing.append(file.shown)
        return
    try:
        mask = np.asarray(open_mask(file.mask))
    except ImageError as error:
        faults.unreadable.append(f"{file.shown}: {error.problem}")
        return
    values = np.unique(mask).tolist()
    if mask.shape != (file.height, file.width):
        faults.other_size.append(
            f"{file.shown}: {mask.shape[1]} x {mask.shape[0]} instead of {file.width} x {file.height}"
        )
    elif strange := [value for value in values if value not in MASK_VALUES]:
        faults.other_values.append(f"{file.shown}: {', '.join(map(str, strange[:3]))}{', …' if strange[3:] else ''}")
    elif values == [MASK_VALUES[0]]:
        faults.empty.append(file.shown)
