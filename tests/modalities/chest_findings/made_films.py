"""Stand-ins of the real folder and of the simulated one: small films of noise, and a table of boxes beside them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (48, 40)  #: width and height of a film, px
HEADER = ("file", "finding", "xmin", "ymin", "xmax", "ymax", "view")
FINDINGS = ("Nodule", "Mass", "Effusion", "Pneumothorax", "Cardiomegaly", "Pneumonia")
Row = Sequence[object]


def write_film(path: Path, seed: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """A film of noise, 8-bit grey, in the form that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_table(folder: Path, rows: Sequence[Row], header: Sequence[str] = HEADER) -> Path:
    """The table ``boxes.csv`` with these rows, lines ended as in the real one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "boxes.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return folder / "boxes.csv"


def write_patients(folder: Path, names: str = "{:08d}_{:03d}.jpg", patients: int = 12, first: int = 1) -> Path:
    """So many patients with a film or, every second of them, two; every third patient has no box.

    The others have one box on each film, of one finding after the other, and two on the first film of every fourth.
    """
    rows: list[Row] = []
    for number in range(first, first + patients):
        for k in range(1 + number % 2):
            name = names.format(number, k)
            write_film(folder / "images" / name, seed=10 * number + k)
            if number % 3:
                finding = FINDINGS[number % len(FINDINGS)]
                rows.append((name, finding, 3.5, 4, 20, 20.4 + number % 10, "PA"))
            if number % 3 and k == 0 and number % 4 == 0:
                rows.append((name, "Mass", 30, 2, 47.5, 40, "PA"))
    write_table(folder, rows)
    return folder


def write_phantoms(root: Path, patients: int = 10) -> Path:
    """As the simulated folder: so many patients to train on, and three to test on."""
    write_patients(root / "train", "phantom{:04d}_{:03d}.jpg", patients)
    write_patients(root / "test", "phantom{:04d}_{:03d}.jpg", 3, first=patients + 1)
    return root
