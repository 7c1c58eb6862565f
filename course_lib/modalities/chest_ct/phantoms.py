"""Simulated crops of lung nodules as files, in the layout of the real ones: each with the masks of four readers.

The real set's way is copied as far as its files show it: square crops with the nodule in the middle, every slice scaled
by itself to 0 to 255, and only slices that at least one reader marked.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.chest_ct.exposure import Exposure, draw_exposure
from course_lib.modalities.chest_ct.scan import scan_around
from course_lib.modalities.chest_ct.simulated_readers import SimulatedReader, draw_readers, notices, outline
from course_lib.modalities.phantom_files import as_png, make_set, number_patients
from course_lib.modalities.simulated_chest.nodules import draw_nodule
from course_lib.modalities.simulated_chest.people import Nodule, Patient, draw_patient
from course_lib.support.files import write_whole
from course_lib.support.runtime import progress

VERSION = 1  #: raised whenever the crops change, also with `simulated_chest`
LEAST_PIXELS = 32
ENTRY = re.compile(r"(?a:manifest\.json|(train|test)/phantom\d{4}/nodule-\d/(images|mask-[0-3])/slice-\d{1,2}\.png)")
NODULES, NODULE_ODDS = (1, 2, 3), (0.45, 0.35, 0.2)  #: of a patient
READERS_STREAM = 10_000_019  #: of random numbers, apart from those of any patient
MOST_TRIES = 60  #: to draw the nodules of a patient
TOUCHING = 1.5  #: radii of both, within which they may run into each other
REACHES, BEYOND_MM = 1.2, 3.0  #: radii, and mm beyond, above and below the middle of a nodule that are scanned


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same crops."""

    patients: Mapping[str, int]  #: number of patients per split: train, test, or both
    seed: int
    randomise: float = 0.0  #: of the exposures, see `draw_exposure`
    pixels: int = 128  #: width and height of a crop
    pixel_mm: float = 0.7
    version: int = VERSION

    def __post_init__(self) -> None:
        number_patients(self.patients)  # refuses what can not be numbered
        if self.pixels < LEAST_PIXELS or not 0 < self.pixel_mm < math.inf or not 0 <= self.randomise <= 1:
            raise ValueError(
                f"Expected at least {LEAST_PIXELS} pixels of more than 0 mm, and randomise from 0 to 1, but got "
                f"{self.pixels} of {self.pixel_mm} and {self.randomise}."
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file."""
        return asdict(self)


QUICK_SET = Settings({"train": 56, "test": 24}, seed=0, pixels=64, pixel_mm=0.9)
FULL_SET = Settings({"train": 400, "test": 120}, seed=1)  # other people: none is trained on here and tested there


@dataclass(frozen=True)
class MarkedCrop:
    """One slice of a crop around a nodule, and what the readers marked on it."""

    image: NDArray[np.uint8]  #: [pixels, pixels]
    marks: NDArray[np.bool_]  #: [readers, pixels, pixels]
    true: NDArray[np.bool_]  #: [pixels, pixels]: where the nodule really is


def make_dataset(root: Path, settings: Settings) -> Path:
    """Write ``<root>/{train,test}/phantomNNNN/nodule-K/{images,mask-0..3}/slice-J.png``; it appears when it is whole.

    All nodules of a patient lie in one part. A mask is 255 where the reader marked the nodule and 0 elsewhere. An
    interrupted call is taken up where it stopped; a folder that is whole already is left as it is, see `make_set`.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """

    def fill(folder: Path) -> None:
        for split, number in progress(number_patients(settings.patients), "Making phantoms", "patient"):
            _write_patient(folder / split / f"phantom{number:04d}", settings, number)

    return make_set(root, settings.to_json(), ENTRY, fill)


def draw_nodules(settings: Settings, number: int) -> list[list[MarkedCrop]]:
    """The slices of each nodule of one patient of the set, from top to bottom; a reader has marked each of them.

    All nodules are in the same lungs and the same scan, so one may be seen beside another, whose marks leave it out.

    Raises:
        RuntimeError: no nodules are drawn that a reader notices and that have room, `draw_nodule` was changed.
    """
    rng = np.random.default_rng([settings.seed, number])
    patient = draw_patient(rng, "normal", adult=True)
    exposure, readers = draw_exposure(rng, settings.randomise), readers_of(settings)
    wanted = int(rng.choice(NODULES, p=NODULE_ODDS))
    noticed: list[list[bool]] = []
    for _ in range(MOST_TRIES):
        nodule = draw_nodule(rng, patient)
        by_whom = [notices(nodule, reader, rng) for reader in readers]
        if any(by_whom) and not any(_touch(nodule, other) for other in patient.nodules):
            patient = replace(patient, nodules=(*patient.nodules, nodule))
            noticed.append(by_whom)
        if len(noticed) == wanted:
            return [_marked_crops(patient, exposure, k, readers, noticed[k], settings, rng) for k in range(wanted)]
    raise RuntimeError(
        f"In {MOST_TRIES} tries no {wanted} nodules were drawn that a reader notices and that have room."
    )


def readers_of(settings: Settings) -> tuple[SimulatedReader, ...]:
    """The four who mark all crops of a set; in the real one a reader's number says nothing about who it is."""
    return draw_readers(np.random.default_rng([settings.seed, READERS_STREAM]))


def _touch(nodule: Nodule, other: Nodule) -> bool:
    """Whether two nodules may run into each other."""
    apart_cm = np.linalg.norm([nodule.x - other.x, nodule.y - other.y, nodule.z - other.z])
    return bool(10 * apart_cm < TOUCHING * (nodule.radius_mm + other.radius_mm))


def _marked_crops(
    patient: Patient,
    exposure: Exposure,
    number: int,
    readers: Sequence[SimulatedReader],
    noticed: Sequence[bool],
    settings: Settings,
    rng: np.random.Generator,
) -> list[MarkedCrop]:
    """The slices of one of the patient's nodules that at least one reader has marked."""
    nodule = patient.nodules[number]
    tall_mm = 2 * (REACHES * nodule.radius_mm + BEYOND_MM)
    slices = max(1, round(tall_mm / exposure.thickness_mm))
    scan = scan_around(patient, exposure, number, slices=slices, pixels=settings.pixels, pixel_mm=settings.pixel_mm)
    true = scan.nodules[number]
    marks = np.stack(
        [
            outline(true, nodule, reader, scan.spacing_mm, rng) if saw else np.zeros_like(true)
            for reader, saw in zip(readers, noticed, strict=True)
        ]
    )  # [readers, slices, rows, columns]
    shown = [as_grey(one) for one in scan.hounsfield]
    return [MarkedCrop(shown[j], marks[:, j], true[j]) for j in range(slices) if marks[:, j].any()]


def as_grey(hounsfield: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One slice scaled by itself, its darkest voxel 0 and its brightest 255, as the files of the real set are."""
    low, high = float(hounsfield.min()), float(hounsfield.max())
    return np.asarray(np.rint(255 * (hounsfield - low) / max(high - low, 1e-6)), dtype=np.uint8)


def _write_patient(folder: Path, settings: Settings, number: int) -> None:
    """The files of a patient, the first image of the first nodule last: where it is, all are."""
    if (folder / "nodule-0" / "images" / "slice-0.png").exists():
        return
    for k, crops in reversed(list(enumerate(draw_nodules(settings, number)))):
        for j, crop in reversed(list(enumerate(crops))):
            for reader, mark in enumerate(crop.marks):
                file = as_png(np.where(mark, 255, 0).astype(np.uint8))
                write_whole(folder / f"nodule-{k}" / f"mask-{reader}" / f"slice-{j}.png", file)
            write_whole(folder / f"nodule-{k}" / "images" / f"slice-{j}.png", as_png(crop.image))
