"""Simulated slices of brain tumours as files: one or two series of slices for each patient, and the tumours' masks.

A series is of one plane, and which plane is taken depends on the kind of tumour, as it may in a hospital. So the plane
tells something of the kind although it is nothing of the tumour: a shortcut, on purpose.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.modalities.brain_mri.slices import PLANES, Plane, SimulatedSlice, take_series
from course_lib.modalities.phantom_files import as_png, make_set, number_patients
from course_lib.modalities.simulated_head import Kind, draw_exposure, draw_patient
from course_lib.support.files import write_whole
from course_lib.support.runtime import progress

VERSION = 1  #: raised whenever the slices change, also with `simulated_head`
CLASSES: tuple[Kind, ...] = ("glioma", "meningioma", "pituitary")  #: in the order of their labels
LEAST_PIXELS = 16
_SLICE = rf"phantom\d{{4}}_({'|'.join(PLANES)})_\d\d\.png"
ENTRY = re.compile(rf"(?a:manifest\.json|(train|test)/(images|masks)/({'|'.join(CLASSES)})/{_SLICE})")

TWO_SERIES = 0.35  #: part of the patients of whom two planes are taken
#: how likely each plane is taken first: axial, coronal, sagittal
PLANE_ODDS: dict[Kind, tuple[float, float, float]] = {
    "glioma": (0.8, 0.1, 0.1),
    "meningioma": (0.34, 0.33, 0.33),
    "pituitary": (0.1, 0.4, 0.5),
}


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same slices."""

    patients: Mapping[str, int]  #: number of patients per split: train, test, or both; the kinds come in turn
    seed: int
    randomise: float = 0.0  #: of the exposures, see `draw_exposure`
    pixels: int = 128  #: width and height of a slice
    version: int = VERSION

    def __post_init__(self) -> None:
        number_patients(self.patients)  # refuses what can not be numbered
        if self.pixels < LEAST_PIXELS:
            raise ValueError(f"pixels must be at least {LEAST_PIXELS}, but is {self.pixels}.")

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file."""
        return asdict(self)


QUICK_SET = Settings({"train": 120, "test": 60}, seed=0, pixels=96)
FULL_SET = Settings({"train": 600, "test": 180}, seed=1)  # other people: none is trained on here and tested there


def make_dataset(root: Path, settings: Settings) -> Path:
    """Write ``<root>/{train,test}/{images,masks}/<class>/phantomNNNN_<plane>_NN.png``; it appears when it is whole.

    All slices of a patient lie in one part. A mask is 255 where the tumour is and 0 elsewhere. A slice of 96 pixels
    takes about a hundredth of a second. An interrupted call is taken up where it stopped; a folder that is whole
    already is left as it is, see `make_set`.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """

    def fill(folder: Path) -> None:
        for split, number in progress(number_patients(settings.patients), "Making phantoms", "patient"):
            _write_patient(folder / split, settings, number)

    return make_set(root, settings.to_json(), ENTRY, fill)


def draw_slices(settings: Settings, number: int, planes: Sequence[Plane] | None = None) -> list[SimulatedSlice]:
    """The slices of one patient that show the tumour, series by series.

    They are those of the data set; with ``planes`` those that would be in it, had these planes been taken. A plane's
    slices are the same in both cases.
    """
    rng = np.random.default_rng([settings.seed, number])
    patient, exposure = draw_patient(rng, kind_of(number)), draw_exposure(rng, settings.randomise)
    slices = []
    for plane in planes or planes_of(settings, number):
        of_plane = _stream(settings, number, plane)
        slices += take_series(patient, exposure, plane, number, of_plane, settings.pixels)
    return slices


def kind_of(number: int) -> Kind:
    """The kind of a patient's tumour: each in turn."""
    return CLASSES[number % len(CLASSES)]


def planes_of(settings: Settings, number: int) -> tuple[Plane, ...]:
    """The planes that are taken of a patient, one or two. Nothing but the kind decides how likely each is."""
    rng = _stream(settings, number, "which planes")
    count = 2 if rng.random() < TWO_SERIES else 1
    chosen = rng.choice(len(PLANES), count, replace=False, p=PLANE_ODDS[kind_of(number)])
    return tuple(PLANES[index] for index in chosen)


def _stream(settings: Settings, number: int, purpose: str) -> np.random.Generator:
    """Random numbers of a patient for one purpose, apart from those that the patient is drawn with.

    A purpose counts from 1, since numpy takes ``[seed, number, 0]`` for ``[seed, number]``.
    """
    return np.random.default_rng([settings.seed, number, 1 + (*PLANES, "which planes").index(purpose)])


def _write_patient(folder: Path, settings: Settings, number: int) -> None:
    """The images and masks of a patient, the first image last: where it is, all are."""
    kind, first = kind_of(number), planes_of(settings, number)[0]
    if (folder / "images" / kind / _name(number, first, 0)).exists():
        return
    for one in reversed(draw_slices(settings, number)):
        name = _name(number, one.plane, one.position)
        write_whole(folder / "masks" / kind / name, as_png(np.where(one.mask, 255, 0).astype(np.uint8)))
        write_whole(folder / "images" / kind / name, as_png(one.image))


def _name(number: int, plane: Plane, position: int) -> str:
    return f"phantom{number:04d}_{plane}_{position:02d}.png"
