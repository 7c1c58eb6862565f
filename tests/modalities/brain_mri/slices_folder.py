"""Stand-ins of the real folder of JPEGs and of the simulated one: small images in classes, most with a mask."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("glioma", "meningioma", "pituitary")
SIZE = (24, 20)  #: px, width and height


def write_masked(
    folder: Path, class_name: str, name: str, *, seed: int = 0, masked: bool = True, bits: int = 1
) -> Path:
    """An image of noise with a bright block, and the mask of the block; gives the image's path."""
    pixels = np.random.default_rng(seed).integers(0, 90, size=SIZE[::-1], dtype=np.uint8)
    mask = np.zeros(SIZE[::-1], bool)
    mask[4:10, 6:15] = True
    path = folder / "images" / class_name / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.where(mask, pixels + 150, pixels).astype(np.uint8)).save(path)
    if masked:
        there = folder / "masks" / class_name / f"{path.stem}.png"
        there.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask if bits == 1 else mask * np.uint8(255)).save(there)
    return path


def write_folds(root: Path, folds: Sequence[int] = (1, 2, 3), slices: int = 4) -> Path:
    """As the real folder: in each fold so many slices of a class, with numbers of their own; one has no mask."""
    number = 0
    for fold in folds:
        for name in CLASSES:
            number += 3  # so that another run of numbers begins
            for _ in range(slices):
                number += 1
                write_masked(root, name, f"fold{fold}_{number:04d}.jpg", seed=number, masked=number != 4)
    return root


def write_phantoms(root: Path, patients: int = 4) -> Path:
    """As the simulated folder: so many patients of each class to train on, and one of each to test on."""
    number = 0
    for part, each in (("train", patients), ("test", 1)):
        for name in CLASSES:
            for _ in range(each):
                number += 1
                for plane in ("axial", "sagittal"):
                    file = f"phantom{number:04d}_{plane}_01.png"
                    write_masked(root / part, name, file, seed=10 * number + len(plane), bits=8)
    return root
