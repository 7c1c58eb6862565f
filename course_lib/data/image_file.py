"""One image file, opened as grey, with an error that says what to do where that fails."""

from pathlib import Path

from PIL import Image

from course_lib.sources.foreign_image import MASK_MODES, image_bytes, read_image


def open_grey(path: Path, at_least: int | None = None) -> Image.Image:
    """The image as 8-bit grey, mode ``L``, decoded to the last byte and upright as a viewer shows it.

    A JPEG may be decoded at a half, a quarter or an eighth of its size, which is faster, if both sides still have
    ``at_least`` so many pixels.

    Raises:
        DataError: the file can not be read, or is of a kind that `read_image` refuses.
    """
    return read_image(image_bytes(path), path, at_least).grey


def open_mask(path: Path) -> Image.Image:
    """The same for a mask, which may also have one bit per pixel: 0 and 255 then."""
    return read_image(image_bytes(path), path, modes=MASK_MODES).grey
