"""One image file, opened as grey, with an error that says what to do where that fails."""

from pathlib import Path

from PIL import Image

from course_lib.support.errors import DataError

READABLE_MODES = {"L": "8-bit grey", "RGB": "8-bit colour"}


def open_grey(path: Path, at_least: int | None = None) -> Image.Image:
    """The image as 8-bit grey, mode ``L``, decoded to the last byte.

    A JPEG may be decoded at a half, a quarter or an eighth of its size, which is faster, if both sides still have
    ``at_least`` so many pixels.

    Raises:
        DataError: the file can not be read, or holds something else than 8-bit grey or colour.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in READABLE_MODES:
                raise DataError(
                    f"{path.name} is an image of mode {image.mode}; expected {' or '.join(READABLE_MODES.values())}. "
                    "Convert it first: choose what becomes black and what white, then save it as 8-bit grey."
                )
            if at_least:
                image.draft("L", (at_least, at_least))
            return image.convert("L")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path} can not be read as an image ({error}). Expected a whole JPEG or PNG: copy it again from its "
            "source, or leave it out with skip_unreadable=True."
        ) from error
