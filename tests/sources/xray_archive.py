"""Archives laid out like the one on Kaggle, its mess included, with small generated images."""

import io
import stat
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from course_lib.sources.dataset_card import DatasetCard

FIRST_SEED = {"train": 0, "val": 1000, "test": 2000}  #: so that no test image lies in train too
MACOS_FILE = b"\x00\x05\x16\x07Mac OS X        "


@cache
def jpeg(seed: int, bright: bool, width: int = 48, height: int = 40) -> bytes:
    """A small grey JPEG of noise; bright ones have a light half."""
    pixels = np.random.default_rng(seed).integers(0, 90, size=(height, width), dtype=np.uint8)
    pixels[:, width // 2 :] += 120 if bright else 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def image_names(card: DatasetCard) -> Iterator[tuple[str, bool]]:
    """The path of every image below the top folder, and whether it is bright; as many as the card counts."""
    for split, classes in card.counts.items():
        first = {"train": 1, "val": 5001, "test": 7001}[split]
        for name, count in classes.items():
            for n in range(count):
                sick = name == "PNEUMONIA"
                file = f"person{first + n // 2}_bacteria_{n + 1}" if sick else f"IM-{first + n:04d}-0001"
                yield f"{split}/{name}/{file}.jpeg", sick


def write_archive(path: Path, card: DatasetCard, *, kinds: int = 8) -> Path:
    """The archive of a card: its images twice, and what macOS leaves. ``kinds`` different ones per class and split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for top in ("chest_xray/", "chest_xray/chest_xray/"):
            archive.writestr(f"{top}.DS_Store", MACOS_FILE)
            for number, (name, bright) in enumerate(image_names(card)):
                archive.writestr(top + name, jpeg(number % kinds + FIRST_SEED[name.split("/")[0]], bright))
        for name, _ in image_names(card):
            folder, _, file = name.rpartition("/")
            archive.writestr(f"chest_xray/__MACOSX/{folder}/._{file}", MACOS_FILE)
    return path


def link_member(name: str) -> zipfile.ZipInfo:
    """A member that unpacks to a symbolic link."""
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member
