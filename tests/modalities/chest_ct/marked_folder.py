"""Stand-ins of the real folder and of the simulated one: small slices, each marked by four readers."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16  #: px
READERS = 4


def write_nodule(folder: Path, *, slices: int = 3, readers: int = READERS, seed: int = 0) -> Path:
    """A nodule of so many slices in this folder: noise with a bright disc that every reader but the last marked."""
    rng = np.random.default_rng(seed)
    down, across = np.indices((SIDE, SIDE)) - SIDE // 2
    for number in range(slices):
        disc = down**2 + across**2 < (3 + number % 2) ** 2
        pixels = rng.integers(0, 90, size=disc.shape, dtype=np.uint8)
        write_slice(folder / "images" / f"slice-{number}.png", np.where(disc, pixels + 150, pixels))
        for reader in range(readers):
            shown = disc & (reader + 1 < readers or readers == 1)
            write_slice(folder / f"mask-{reader}" / f"slice-{number}.png", shown * 255)
    return folder


def write_slice(path: Path, pixels: NDArray[Any]) -> Path:
    """One image or mask, 8-bit grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def write_patients(root: Path, names: str = "LIDC-IDRI-{:04d}", patients: int = 12, first: int = 1) -> Path:
    """So many patients, of whom every second has two nodules."""
    for number in range(first, first + patients):
        for nodule in range(1 + number % 2):
            write_nodule(root / names.format(number) / f"nodule-{nodule}", seed=10 * number + nodule)
    return root


def write_phantoms(root: Path, patients: int = 10) -> Path:
    """As the simulated folder: so many patients to train on, and two to test on."""
    write_patients(root / "train", "phantom{:04d}", patients)
    write_patients(root / "test", "phantom{:04d}", 2, first=patients + 1)
    return root
