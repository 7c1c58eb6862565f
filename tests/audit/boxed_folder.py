"""Small films of soft spots with a table of boxes, in the layout of images beside boxes.csv."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from course_lib.sources.dataset_card import DatasetCard, load_card

HEADER = "file,finding,xmin,ymin,xmax,ymax,view"
FINDINGS = ("Nodule", "Mass")
WIDTH, HEIGHT = 96, 80  #: px


def card() -> DatasetCard:
    """The card of these films: patient and study stand in the name, and there are two findings."""
    names = (r"(?P<patient>\d{8})_\d{3}\.(?:png|jpg|jpeg)",)
    return replace(load_card("phantom"), slug="boxed", task="detection", classes=FINDINGS, file_names=names)


def name(patient: int, study: int = 0) -> str:
    """The file name of a film."""
    return f"{patient:08d}_{study:03d}.png"


def film(seed: int) -> NDArray[np.uint8]:
    """Soft spots that are unlike any other seed's; [HEIGHT, WIDTH]."""
    spots = gaussian_filter(np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)), 6)
    falling = np.linspace(1, 0, HEIGHT)[:, None]  # brighter above, in all films, so that none looks like a negative
    pixels: NDArray[np.uint8] = (20 + 100 * falling + 100 * (spots - spots.min()) / np.ptp(spots)).astype(np.uint8)
    return pixels


def write_film(part: Path, file: str, pixels: NDArray[np.uint8]) -> Path:
    """The film in the images of a part."""
    path = part / "images" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def row(file: str, finding: str = "Nodule", box: str = "66,20,80,42", view: str = "PA") -> str:
    """One line of a table; ``box`` is in order, and no other lies there."""
    return f"{file},{finding},{box},{view}"


def write_boxed(part: Path, patients: int = 8, first: int = 1) -> Path:
    """One film of each patient; the films of every second one have a box, nodules and masses in turn. Gives the part.

    The boxes make no sense in another format than corners in px.
    """
    rows = []
    for patient in range(first, first + patients):
        write_film(part, name(patient), film(patient))
        if patient % 2:
            box = f"{64 + patient % 5},{45 + patient % 3}.5,{74 + patient % 7},{60 + patient % 11}"
            rows.append(row(name(patient), FINDINGS[patient // 2 % 2], box, ("PA", "AP")[patient // 4 % 2]))
    write_table(part, rows)
    return part


def write_table(part: Path, rows: list[str], header: str = HEADER) -> Path:
    """The table of a part, anew."""
    path = part / "boxes.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def add_rows(part: Path, *rows: str) -> int:
    """More lines at the end of the table; gives the number of the first one."""
    path = part / "boxes.csv"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "".join(f"{line}\n" for line in rows), encoding="utf-8")
    return before.count("\n") + 1
