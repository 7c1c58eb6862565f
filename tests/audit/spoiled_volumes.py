"""A made-up folder of volumes and label maps without a fault, and every fault that the audit knows, to be planted."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from numpy.typing import NDArray

PATIENTS = 12
SHAPE = (20, 24, 18)
LABELS = "labels"
Array = NDArray[Any]


def clean_folder(root: Path, patients: int = PATIENTS) -> Path:
    """Volumes of 2 mm voxels with one anatomy, which no axis mirrors, and two structures in it; values of a scanner."""
    i, j, k = (np.arange(side).reshape([-1 if axis == n else 1 for n in range(3)]) for axis, side in enumerate(SHAPE))
    anatomy = 300 * np.exp(-((i - 5) ** 2 + (j - 8) ** 2 + (k - 4) ** 2) / 60) + 10 * i + 5 * j + 2 * k
    for number in range(patients):
        rng = np.random.default_rng(number)
        centre = rng.normal((6, 7, 6), 0.3)
        label_map = np.zeros(SHAPE, np.uint8)
        for label, place in ((1, centre), (2, centre + np.array([1, 9, 3]))):
            away = np.sqrt((i - place[0]) ** 2 + (j - place[1]) ** 2 + (k - place[2]) ** 2)
            label_map[away < 3.2 + rng.uniform(-0.1, 0.1)] = label
        volume = anatomy + 200 * (label_map > 0) + rng.normal(0, 20, SHAPE) + 100
        write(root / "images" / name(number), volume.astype(np.float32))
        write(root / LABELS / name(number), label_map)
    return root


def name(number: int) -> str:
    return f"head_{number:03d}.nii.gz"


def write(path: Path, values: Array, affine: Array | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine), path)


def change(
    path: Path, values: Callable[[Array], Array] = np.asarray, affine: Callable[[Array], Array] = np.asarray
) -> None:
    """Write a file anew with other values, another affine, or both."""
    image = opened(path)
    write(path, np.ascontiguousarray(values(np.asarray(image.dataobj))), affine(image.affine))


def opened(path: Path) -> nibabel.Nifti1Image:
    image = nibabel.load(path)
    assert isinstance(image, nibabel.Nifti1Image)
    return image


def of(root: Path, number: int = 3) -> tuple[Path, Path]:
    """The files of one patient: volume and label map."""
    return root / "images" / name(number), root / LABELS / name(number)


def turned(root: Path) -> None:
    """The first two axes run to the other side, and the affine says so."""
    for path in of(root):
        image = opened(path)
        turn = ornt_transform(io_orientation(image.affine), axcodes2ornt(("L", "P", "S")))
        write(path, np.asarray(image.as_reoriented(turn).dataobj), image.affine @ inv_ornt_aff(turn, image.shape))


def tilted(root: Path) -> None:
    cos, sin = np.cos(np.radians(10)), np.sin(np.radians(10))
    turn = np.array([[1, 0, 0, 0], [0, cos, -sin, 0], [0, sin, cos, 0], [0, 0, 0, 1]])
    for path in of(root):
        change(path, affine=lambda affine: turn @ affine)


def thick(root: Path) -> None:
    for path in of(root):
        change(path, affine=lambda affine: affine @ np.diag([1, 1, 2, 1]))


def shorter(root: Path) -> None:
    for path in of(root):
        change(path, lambda values: values[:-1])


def flipped(*paths: Path, axis: int = 0) -> None:
    for path in paths:
        change(path, lambda values: np.flip(values, axis))


def spoiled(path: Path, place: Any, value: float) -> None:
    def put(values: Array) -> Array:
        changed = values.astype(np.float32)
        changed[place] = value
        return changed

    change(path, put)


def copied(root: Path, images: str = "images", *, volume: bool = True, label_map: bool = True) -> None:
    """Patient 3 once more, with the volume or the label map of its own where they are not copied."""
    own = of(clean_folder(root / "more", PATIENTS + 1), PATIENTS)
    for copy, file, other, folder in zip((volume, label_map), of(root), own, (images, LABELS), strict=True):
        (root / folder).mkdir(exist_ok=True)
        shutil.copy(file if copy else other, root / folder / name(PATIENTS))
    shutil.rmtree(root / "more")


def mirrored_copy(root: Path) -> None:
    copied(root)
    flipped(*of(root, PATIENTS))


FAULTS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a file that is cut short": (lambda r: of(r)[0].write_bytes(of(r)[0].read_bytes()[:900]), {"unreadable files"}),
    "a file of another kind": (lambda r: (r / "images" / "notes.txt").write_text("hello"), {"other files"}),
    "no label map": (lambda r: of(r)[1].unlink(), {"volumes without label map"}),
    "no volume": (lambda r: of(r)[0].unlink(), {"label maps without volume"}),
    "other axes": (turned, {"orientation"}),
    "a tilted head": (tilted, {"tilted volumes"}),
    "another spacing": (thick, {"spacing", "volume of the structures"}),
    "another size": (shorter, {"size"}),
    "one value": (lambda r: change(of(r)[0], lambda v: np.full_like(v, 7)), {"constant volumes"}),
    "another scale": (lambda r: change(of(r)[0], lambda v: 1000 * v), {"range of values"}),
    "a mirrored volume": (lambda r: flipped(of(r)[0]), {"mirrored volumes"}),
    "a mirrored label map": (lambda r: flipped(of(r)[1], axis=1), {"mirrored label maps"}),
    "a label map elsewhere": (
        lambda r: change(of(r)[1], affine=lambda a: a + 5 * np.eye(4, 4, 3)),
        {"label maps on another grid"},
    ),
    "a value that is no label": (lambda r: spoiled(of(r)[1], (0, 0, 0), 7), {"values that are no label"}),
    "a fraction": (lambda r: spoiled(of(r)[1], (0, 0, 0), 0.5), {"values that are no label"}),
    "nothing outlined": (lambda r: change(of(r)[1], np.zeros_like), {"empty label maps"}),
    "a forgotten label": (lambda r: change(of(r)[1], lambda v: v * (v != 2)), {"missing labels"}),
    "a speck": (lambda r: spoiled(of(r)[1], np.s_[17, 3:5, 14:16], 1), {"pieces"}),
    "a structure at the edge": (lambda r: spoiled(of(r)[1], np.s_[6, :8, 6], 1), {"cut off at the edge"}),
    "half a structure": (
        lambda r: spoiled(of(r)[1], np.s_[:, :, :6], 0),
        {"volume of the structures"},
    ),
    "the other side": (
        lambda r: change(of(r)[1], lambda v: np.roll(v, 5, axis=0)),
        {"side of the structures", "mirrored label maps"},
    ),
    "a copy": (copied, {"duplicates"}),
    "a mirrored copy": (
        mirrored_copy,
        {"duplicates", "mirrored volumes", "mirrored label maps", "side of the structures"},
    ),
    "two volumes with one label map": (lambda r: copied(r, volume=False), {"duplicates"}),
}  #: what is done to a clean folder, and what the audit then finds
