"""Small pictures of discs, each with a mask of its disc, in the layout of images beside masks."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

CLASSES = ("glioma", "meningioma", "pituitary")
DISC = 230  #: grey value from which a pixel belongs to the disc; all others are darker


def picture(seed: int, height: int = 64, width: int = 64) -> NDArray[np.uint8]:
    """Soft spots, unlike any other seed's and unlike its own mirror image, and a bright disc; [height, width]."""
    rng = np.random.default_rng(seed)
    spots = gaussian_filter(rng.normal(size=(height, width)), height / 10)
    spots = 20 + 180 * (spots - spots.min()) / np.ptp(spots)
    rows, columns = np.mgrid[:height, :width]
    row, column = rng.uniform(0.25, 0.75, 2) * (height, width)
    return np.where(np.hypot(rows - row, columns - column) < 8, 255, spots).astype(np.uint8)


def disc(image: Image.Image) -> Image.Image:
    """The mask of a picture."""
    return image.point(lambda grey: 255 * (grey >= DISC))


def write_slice(root: Path, label: str, name: str, pixels: NDArray[np.uint8], mode: str = "L") -> Path:
    """The image, and its mask where the layout wants it; gives the path of the image."""
    path, image = root / "images" / label / name, Image.fromarray(pixels)
    mask = (root / "masks" / label / name).with_suffix(".png")
    for place in (path, mask):
        place.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    disc(image).convert(mode).save(mask)
    return path


def in_folds(root: Path, each: int = 4) -> Path:
    """Three folds with ``each`` images of every class, named as in the real set; masks have one bit per pixel."""
    for number in range(9 * each):
        fold, label = number % 3 + 1, CLASSES[number // 3 % 3]
        write_slice(root, label, f"fold{fold}_{number:04d}.jpg", picture(number), mode="1")
    return root


def of_patients(root: Path, train: int = 18, test: int = 9) -> Path:
    """Two slices of each patient in ``train`` and ``test``, named as those of the phantoms are."""
    for patient in range(train + test):
        for n in (1, 2):
            part = root / ("train" if patient < train else "test")
            name = f"phantom{patient:04d}_axial_{n:02d}.png"
            write_slice(part, CLASSES[patient % 3], name, picture(2 * patient + n))
    return root
