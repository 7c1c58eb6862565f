"""Image files as they come from elsewhere: turned, cut short, in parts that no camera writes, or no images at all."""

import io
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from course_lib.sources.foreign_image import PNG_START

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\nshowpage\n%%EOF\n"
ORIENTATION = 0x0112  #: the number of the EXIF entry
LATIN = os.fsdecode(b"R\xf6ntgen")  #: a name in Latin-1, as an old disk has it
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not UTF-8")


def noise(width: int = 64, height: int = 48, mode: str = "L", seed: int = 0) -> Image.Image:
    """A picture that has something in every block, so that no part of its file can be spared."""
    shape = (height, width) if mode == "L" else (height, width, 3)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def saved(image: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def turned(image: Image.Image, orientation: int, kind: str = "JPEG") -> bytes:
    """A file that says how a viewer has to turn the picture."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(image, kind, exif=exif)


def cut_and_closed(jpeg: bytes, share: float = 0.5) -> bytes:
    """A JPEG whose picture ends after a share of its bytes, with an end marker all the same."""
    start = jpeg.index(b"\xff\xda") + 2
    start += int.from_bytes(jpeg[start : start + 2])
    return jpeg[: start + int(share * (len(jpeg) - 2 - start))] + b"\xff\xd9"


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, extra: bytes = b"") -> bytes:
    """A black PNG, made by hand, so that it may be what Pillow does not write."""
    channels = {0: 1, 2: 3}[colour]
    rows = bytes(1 + width * channels * depth // 8) * height
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = part(b"IHDR", header) + extra + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return PNG_START + parts


def part(kind: bytes, content: bytes) -> bytes:
    """One part of a PNG, with its length and its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def long_note(size: int = 3_000_000) -> bytes:
    """The part of a PNG that holds a text of so many bytes, packed."""
    return part(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(size)))


def forbid_postscript(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of Pillow's PostScript decoder, which starts a program: a list that must stay empty."""
    asked: list[str] = []

    def note(name: str) -> Any:
        return lambda *_, **__: asked.append(name)

    Image.init()
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", note("Ghostscript"))
    monkeypatch.setattr(EpsImagePlugin.EpsImageFile, "_open", note("open"))
    return asked


def without_permission(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a folder be one that may not be listed, whoever runs the tests."""
    listed = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
