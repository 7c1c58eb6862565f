"""Files of MATLAB 7.3 as in the figshare set, small: arrays stored column by column, texts as codes of 16 bits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

HEADER = b"MATLAB 7.3 MAT-file, Platform: PCWIN64, Created on: Sat Apr 01 12:00:00 2017 HDF5 schema 1.00 ."
BEFORE_HDF5 = 512
LABELS = {"meningioma": 1, "glioma": 2, "pituitary": 3}
SHAPE = (40, 48)  #: rows and columns, so that a transposed picture is found out


def picture(seed: int = 0) -> NDArray[np.int16]:
    """A head that is brighter at the top, with grey values as a scanner gives them."""
    noise = np.random.default_rng(seed).integers(0, 200, SHAPE)
    return (noise + np.linspace(2000, 100, SHAPE[0])[:, None]).astype(np.int16)


def tumour() -> NDArray[np.uint8]:
    """A mask at the top right."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:12, 30:44] = 1
    return mask


def write_slice(path: Path, kind: str = "glioma", patient: str = "100360", **others: Any) -> Path:
    """One slice; ``others`` are fields that take the place of the usual ones, and None leaves a field out."""
    seed = int(path.stem) if path.stem.isdigit() else 0
    fields = {"image": picture(seed), "tumorMask": tumour(), "label": np.array([[float(LABELS[kind])]])}
    fields |= {"PID": codes(patient), "tumorBorder": np.zeros((6, 1))} | others
    return write_matlab(path, {f"cjdata/{name}": value for name, value in fields.items() if value is not None})


def write_folds(path: Path, folds: Mapping[int, int], length: int | None = None) -> Path:
    """The fold of each slice, by its number; 1 where none is given."""
    table = np.ones((length or max(folds), 1))
    for number, fold in folds.items():
        table[number - 1] = fold
    return write_matlab(path, {"cvind": table})


def write_matlab(path: Path, variables: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=BEFORE_HDF5) as file:
        for name, value in variables.items():
            file.create_dataset(name, data=np.asarray(value).T)
    with path.open("r+b") as content:
        content.write(HEADER.ljust(124) + b"\0\2IM")
    return path


def codes(text: str) -> NDArray[np.uint16]:
    """A text as MATLAB stores it: one row of codes."""
    return np.array([[ord(letter) for letter in text]], np.uint16)


def write_set(folder: Path, *, folds: int = 3, slices: int = 1, data: str = "data") -> Path:
    """A whole set as Kaggle packs it: in each fold a patient of each kind, with as many slices each."""
    number, fold_of = 0, {}
    for fold in range(1, folds + 1):
        for kind, label in LABELS.items():
            for _ in range(slices):
                number += 1
                fold_of[number] = fold
                write_slice(folder / data / f"{number}.mat", kind, f"P{fold}{label}")
    write_folds(folder / "cvind.mat", fold_of)
    return folder
