"""What changes when a picture is changed: an intervention shows what a map only suggests."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from course_lib.data.image_file import open_grey
from course_lib.data.samples import LabelledImage
from course_lib.support.errors import DataError

SAVED_QUALITY = 95  #: of the JPEG files that `intervene` writes


def intervene(
    radiographs: Sequence[LabelledImage],
    folder: Path,
    change: Callable[[Image.Image], Image.Image],
    quality: int = SAVED_QUALITY,
) -> list[LabelledImage]:
    """The same radiographs after a change, saved as JPEG in the folder; labels and patients stay.

    Raises:
        DataError: a file can not be read, or two would get the same name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = [replace(r, path=folder / r.path.with_suffix(".jpeg").name) for r in radiographs]
    if len({r.path for r in changed}) < len(changed):
        raise DataError("Two of the radiographs have the same file name. Give each a name of its own.")
    for before, after in zip(radiographs, changed, strict=True):
        change(open_grey(before.path)).save(after.path, "jpeg", quality=quality)
    return changed


def cover(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A copy with an even grey in a box: left, top, right, bottom, as parts of the image's *height*.

    The grey is the median of the image, which says nothing of what was there.
    """
    covered = image.copy()
    left, top, right, bottom = (round(part * image.height) for part in box)
    covered.paste(int(np.median(np.asarray(image))), (left, top, min(right, image.width), bottom))
    return covered
