"""An image file from elsewhere: which files count as one, and what such a file may hold; the rest is refused.

Whatever opens images that the course did not make opens them here. Allowed are JPEG and PNG of 8-bit grey or colour,
within bounds that are checked before anything is decoded. No other decoder of Pillow is ever asked, so that a text that
begins like PostScript does not start a program.
"""

import io
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable, some_of, understood

IMAGE_SUFFIXES = {".jpeg", ".jpg", ".png"}
READABLE_MODES = {"L": "8-bit grey", "RGB": "8-bit colour"}
MASK_MODES = READABLE_MODES | {"1": "one bit per pixel"}  #: of a mask, where one bit becomes 0 or 255
MOST_BYTES = 50_000_000
MOST_PIXELS = 50_000_000  #: a large chest X-ray has 10 million
MOST_TIMES_LONGER = 10  #: than wide; a film of the whole spine is three times, and a thin line would be made huge

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
JPEG_END = b"\xff\xd9"
LOOKED_AHEAD = b"\xff\x00" * 8  #: libjpeg fetches up to 57 bits before it needs them; these are 64, no code of an image
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  #: by the orientation of the EXIF standard

COPY_AGAIN = "Expected a whole JPEG or PNG: copy it again from its source, or leave it out with skip_unreadable=True."
CONVERT = "Convert it first: choose what becomes black and what white, then save it as 8-bit grey."
CUT_OUT = "Cut out the part that shows the patient, or make it smaller."


class ImageError(DataError):
    """An image file that the course does not read. ``problem`` is the end of a sentence that begins with its name."""

    def __init__(self, file: object, problem: str, remedy: str = COPY_AGAIN, reason: str = "") -> None:
        self.problem = problem
        because = f" ({reason})" if reason else ""
        super().__init__(f"{printable(file, LONGEST_PATH)} {problem}{because}. {remedy}")


@dataclass(frozen=True)
class Picture:
    """What an image file holds, decoded to the last byte."""

    grey: Image.Image  #: mode ``L``, turned upright as a viewer shows it
    mode: str  #: of the file, one of the modes that were allowed
    quantisation: tuple[int, ...]  #: the JPEG's tables, one after the other; empty for PNG
    metadata_bytes: int  #: EXIF and comments


def read_image(
    content: bytes, file: object, at_least: int | None = None, modes: Mapping[str, str] = READABLE_MODES
) -> Picture:
    """The picture in the bytes of a file, whose name ``file`` is for the messages; ``modes`` are those allowed.

    A JPEG may be decoded at a half, a quarter or an eighth of its size, which is faster, if both sides still have
    ``at_least`` so many pixels. A JPEG that was cut short is refused even if it has an end marker, except where it is
    progressive: there a missing scan can not be told from one that was left out. Where the EXIF data can not be read,
    the picture stays as it lies in the file, as in a viewer.

    Raises:
        ImageError: it is no JPEG or PNG, too large or too narrow, not 8-bit grey or colour, or it can not be decoded.
    """
    with understood(lambda reason: ImageError(file, "can not be decoded", reason=reason)):
        image = _opened(content, file, modes)
        mode = image.mode
        if at_least:
            image.draft("L", (at_least, at_least))
        grey = image.convert("L")
        turn = _turn_of(image)
        tables = sorted(getattr(image, "quantization", {}).items())
        return Picture(
            grey=grey if turn is None else grey.transpose(turn),
            mode=mode,
            quantisation=tuple(value for _, table in tables for value in table),
            metadata_bytes=sum(len(image.info.get(key, b"")) for key in ("exif", "comment")),
        )


def read_bits(content: bytes, file: object) -> Image.Image:
    """A mask of one bit per pixel, mode ``1``; the bounds and errors are those of `read_image`."""
    with understood(lambda reason: ImageError(file, "can not be decoded", reason=reason)):
        image = _opened(content, file, {"1": "one bit per pixel"})
        image.load()
        return image


def image_bytes(path: Path) -> bytes:
    """The content of an image file.

    Raises:
        ImageError: there is no such file, it may not be read, or it is far larger than an image.
    """
    with understood(lambda reason: ImageError(path, "can not be read", reason=reason)):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(path, "is no file, but has the name of an image")
        if found.st_size > MOST_BYTES:
            raise ImageError(path, f"has {found.st_size:,} bytes, more than any image of the course", CUT_OUT)
        return path.read_bytes()


def names_an_image(path: PurePath) -> bool:
    """Whether a file with this name is taken for an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def entries_in(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """What is ``wanted`` in a folder, file or not, sorted; otherwise as `folders_in`."""
    shown = printable(folder, LONGEST_PATH)
    with understood(lambda reason: DataError(f"{shown} can not be listed ({reason}). Make it readable, or remove it.")):
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and wanted(path))


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted; what begins with a dot does not count.

    Raises:
        DataError: the folder may not be read.
    """
    return entries_in(folder, Path.is_dir)


def class_folders(split: Path) -> list[Path]:
    """The folders of the classes in the folder of a split, as `folders_in`, without those that begin with ``_``.

    Where there is no such split, there are none.
    """
    return [path for path in folders_in(split) if not path.name.startswith("_")] if split.is_dir() else []


def files_in(folder: Path) -> list[Path]:
    """The files in a folder, sorted, and what has the name of an image but is none; otherwise as `folders_in`."""
    return entries_in(folder, lambda path: path.is_file() or names_an_image(path))


def images_in(folder: Path) -> list[Path]:
    """The images that lie in a folder, by their names, sorted.

    Raises:
        DataError: the folder may not be read; or something in it has the name of an image and is no file.
    """
    return files_named(folder, names_an_image, "images")


def files_named(folder: Path, wanted: Callable[[Path], bool], what: str) -> list[Path]:
    """The files whose names are ``wanted``, sorted; ``what`` names them in a message. Otherwise as `images_in`."""
    found = entries_in(folder, wanted)
    if missing := [path.name for path in found if not path.is_file()]:
        raise DataError(
            f"{len(missing)} of {len(found)} {what} in {printable(folder, LONGEST_PATH)} are no files, but folders "
            f"or links to nothing ({some_of(missing)}). Copy the {what} there, or remove these names."
        )
    return found


def _opened(content: bytes, file: object, modes: Mapping[str, str] = READABLE_MODES) -> JpegImageFile | PngImageFile:
    """The image with its header read and nothing decoded, once the header says that it is allowed."""
    image: JpegImageFile | PngImageFile
    if content.startswith(JPEG_START):
        image = JpegImageFile(io.BytesIO(_without_end(content)))
        mode = image.mode
    elif content.startswith(PNG_START):
        image = PngImageFile(io.BytesIO(content))
        mode = _png_mode(image, content)
    else:
        raise ImageError(file, "is no JPEG or PNG", reason=f"it begins with {content[:8]!r}")
    shorter, longer = sorted(image.size)
    size = f"{image.width} x {image.height} pixels"
    if shorter * longer > MOST_PIXELS:
        raise ImageError(file, f"has {size}, more than any image of the course", CUT_OUT)
    if longer > MOST_TIMES_LONGER * shorter:
        raise ImageError(file, f"has {size}: one side is more than {MOST_TIMES_LONGER} times the other", CUT_OUT)
    if mode not in modes:
        raise ImageError(file, f"is an image of mode {mode}; expected {' or '.join(modes.values())}", CONVERT)
    return image


def _png_mode(image: PngImageFile, content: bytes) -> str:
    """The mode, and that colours have 16 bits, which Pillow does not say: it gives the higher eight of them.

    Source: W3C, Portable Network Graphics, third edition, 2025, 11.2.1: the header comes first; byte 8 is the depth.
    """
    if content[12:16] != b"IHDR":
        raise SyntaxError("it does not begin with its header")
    return "RGB with 16 bits" if image.mode == "RGB" and content[24] == 16 else image.mode


def _without_end(content: bytes) -> bytes:
    """A JPEG of a single scan with its end marker replaced by bits that only libjpeg's looking ahead may need.

    At a marker libjpeg makes up what is missing, and warns where Pillow does not hear it. Without one it asks for more,
    and Pillow says that there is none, unless only the last few blocks of 8 x 8 pixels are missing. In a scan no code
    looks like the marker, so the first one is the end of the picture. Other JPEGs stay as they are.
    """
    scan = _single_scan(content)
    end = content.find(JPEG_END, scan) if scan else -1
    return content if end < 0 else content[:end] + LOOKED_AHEAD


def _single_scan(content: bytes) -> int:
    """Where the codes of the only scan begin; 0 where there are several, or codes of another kind.

    Source: ITU-T T.81, 1992, B.1.1.4 and B.2: the frame header of Huffman-coded, sequential images is FFC0 or FFC1.
    """
    place, parts = 2, 0
    while content[place : place + 1] == b"\xff":
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4])
        if marker == 0xDA:
            return place + 2 + length if content[place + 4] == parts else 0
        if marker in (0xC0, 0xC1):
            parts = content[place + 9]
        place += 1 if marker == 0xFF else 2 + length
    return 0


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """How the picture becomes upright; None where it is, or where the EXIF data can not be read."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001  # damaged notes beside a whole picture: a viewer does not mind them either
        return None
