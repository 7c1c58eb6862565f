"""Patients with a ball of tumour in a leg of muscle, as NIfTI files in the layout of the real set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from course_lib.modalities.sarcoma_ct.reader import IMAGE, MASK
from tests.data.made_volumes import write

SPACING = (1.0, 1.0, 3.0)
AIR, FAT, MUSCLE, TUMOUR = -1000, -100, 60, 30  #: HU
AFFINE = np.diag([-1.0, -1.0, 3.0, 1.0])

Maker = Callable[..., Path]


def write_patient(root: Path, number: int, side: int = 40, radius: float = 8.0) -> Path:
    """One folder: a ball of tumour in a cylinder of muscle, with fat around it."""
    folder = root / f"STS_{number:03d}"
    folder.mkdir(parents=True)
    shape = (side, side, side // 2)
    rng = np.random.default_rng(number)
    i, j, k = (np.arange(n) * mm for n, mm in zip(shape, SPACING, strict=True))
    middle = np.array([side / 2, side / 2, side * 0.75]) + rng.uniform(-3, 3, 3)
    across = np.hypot(i[:, None, None] - side / 2, j[None, :, None] - side / 2)
    away = np.sqrt(
        (i[:, None, None] - middle[0]) ** 2 + (j[None, :, None] - middle[1]) ** 2 + (k[None, None, :] - middle[2]) ** 2
    )
    leg = np.where(across < side * 0.45, np.where(across < side * 0.4, MUSCLE, FAT), AIR)
    tumour = away < radius
    values = np.where(tumour, TUMOUR, np.broadcast_to(leg, shape)) + rng.normal(0, 10, shape)
    write(folder / IMAGE, values.astype(np.float32), AFFINE)
    write(folder / MASK, tumour.astype(np.uint8), AFFINE)
    return folder


@pytest.fixture
def patients(tmp_path: Path) -> Maker:
    """Makes so many patients; gives the folder that holds theirs."""

    def make(number: int) -> Path:
        for one in range(1, number + 1):
            write_patient(tmp_path / "sarcomas", one, radius=6 + one)
        return tmp_path / "sarcomas"

    return make
