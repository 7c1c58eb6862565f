"""Simulated volumes of the hippocampus: cut out of simulated heads as the real ones are, and written as NIfTI files.

The real set's way is copied as far as its files show it. Each volume is a box around one hippocampus with a few voxels
of margin, of 1 mm, tilted as the head lay in the scanner, and in a scale of grey values of its own; right ones are
mirrored, so that all look like left ones; and no affine tells where in the head it was.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel
import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.phantom_files import make_set, number_patients
from course_lib.modalities.simulated_head import (
    Grid,
    Structure,
    draw_exposure,
    draw_patient,
    hippocampus_centre,
    render,
)
from course_lib.support.files import write_whole
from course_lib.support.runtime import progress

VERSION = 1  #: raised whenever the volumes change, also with `simulated_head`
ENTRY = re.compile(r"(?a:manifest\.json|(train|test)/(images|labels)/phantom\d{4}\.nii\.gz)")

SCANNED = (48, 62, 50)  #: voxels of 1 mm around a hippocampus, of which the box is cut out
LEAST_MARGIN, MOST_MARGIN = (4, 4, 4), (9, 8, 6)  #: voxels between structure and border; of nine in ten real volumes
TILT_DEGREES = (6.0, 3.0, 3.0)  #: spread of the head's turns about the axes to the right, front and up; nods vary most
GREYEST, BRIGHTEST = 60.0, 4000.0  #: what white matter is in a file: real ones have no scale in common
BITS_16 = 32_767


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same volumes."""

    patients: Mapping[str, int]  #: number of patients per split: train, test, or both
    seed: int
    randomise: float = 0.0  #: of the exposures, see `draw_exposure`
    version: int = VERSION

    def __post_init__(self) -> None:
        number_patients(self.patients)  # refuses what can not be numbered

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file."""
        return asdict(self)


QUICK_SET = Settings({"train": 40, "test": 12}, seed=0)
FULL_SET = Settings({"train": 240, "test": 40}, seed=0)


def make_dataset(root: Path, settings: Settings) -> Path:
    """Write ``<root>/{train,test}/{images,labels}/phantomNNNN.nii.gz``; the folder appears when it is whole.

    One volume and its label map per patient, a fifth of a second for each. An interrupted call is taken up where it
    stopped; a folder that is whole already is left as it is, see `make_set`.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """

    def fill(folder: Path) -> None:
        for split, number in progress(number_patients(settings.patients), "Making phantoms", "volume"):
            name = f"phantom{number:04d}.nii.gz"
            if not (folder / split / "images" / name).exists():
                image, labels = make_volume(settings, number)
                write_whole(folder / split / "labels" / name, as_nifti(labels))  # first: where the image is, both are
                write_whole(folder / split / "images" / name, as_nifti(image))

    return make_set(root, settings.to_json(), ENTRY, fill)


def make_volume(settings: Settings, number: int) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """The hippocampus of one patient and its parts, both [i, j, k]: grey values, and 0, 1 anterior or 2 posterior."""
    rng = np.random.default_rng([settings.seed, number])
    patient, exposure = draw_patient(rng, "none"), draw_exposure(rng, settings.randomise)
    side: Literal["right", "left"] = "right" if rng.random() < 0.5 else "left"
    scan = render(patient, exposure, _tilted(hippocampus_centre(patient, side), rng), ("MPRAGE",))
    parts = (Structure.HIPPOCAMPUS_ANTERIOR, Structure.HIPPOCAMPUS_POSTERIOR)
    labels = np.where(np.isin(scan.structures, parts), scan.structures, 0).astype(np.uint8)
    white = GREYEST * (BRIGHTEST / GREYEST) ** rng.random()
    image = np.clip(np.rint(scan.images["MPRAGE"] * white), 0, BITS_16).astype(np.int16)
    if side == "right":
        image, labels = image[::-1], labels[::-1]
    box = _box(labels, rng)
    return image[box], labels[box]


def as_nifti(voxels: NDArray[Any]) -> bytes:
    """A compressed NIfTI file, the same bytes each time: voxels of 1 mm, axes to the right, front and up."""
    image = nibabel.Nifti1Image(voxels, np.eye(4))
    image.header.set_xyzt_units("mm")
    image.set_sform(np.eye(4), code=1)
    image.set_qform(np.eye(4), code=1)
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _tilted(centre_mm: tuple[float, float, float], rng: np.random.Generator) -> Grid:
    """Voxels of 1 mm around a point, turned as the head lay in the scanner."""
    turn = np.eye(3)
    for axis, degrees in enumerate(rng.normal(0, TILT_DEGREES)):
        first, second = (other for other in range(3) if other != axis)
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        one = np.eye(3)
        one[[first, first, second, second], [first, second, first, second]] = cos, -sin, sin, cos
        turn = one @ turn
    affine = np.eye(4)
    affine[:3, :3] = turn
    affine[:3, 3] = centre_mm - turn @ ((np.array(SCANNED) - 1) / 2)
    return Grid(SCANNED, affine)


def _box(labels: NDArray[np.uint8], rng: np.random.Generator) -> tuple[slice, ...]:
    """Where the structure is, with a margin at each side, as far as was scanned."""
    inside = np.argwhere(labels)
    first = inside.min(axis=0) - rng.integers(LEAST_MARGIN, MOST_MARGIN, endpoint=True)
    last = inside.max(axis=0) + rng.integers(LEAST_MARGIN, MOST_MARGIN, endpoint=True)
    sides = zip(np.maximum(first, 0), np.minimum(last + 1, labels.shape), strict=True)
    return tuple(slice(int(start), int(stop)) for start, stop in sides)
