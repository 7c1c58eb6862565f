"""Simulated slices of brain tumours as files: one or two series of slices for each patient, and the tumours' masks.

As in the real set, a series is of one plane, and which plane is taken depends on the kind of tumour. So the plane tells
something of the kind although no pixel of the tumour is seen: a shortcut, on purpose.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course_lib.modalities.brain_mri.slices import PLANES, Plane, SimulatedSlice, take_series
from course_lib.modalities.phantom_files import make_set
from course_lib.modalities.simulated_head import Kind, draw_exposure, draw_patient
from course_lib.support.files import write_whole
from course_lib.support.runtime import progress

VERSION = 1  #: raised whenever the slices change, also with `simulated_head`
CLASSES: tuple[Kind, ...] = ("glioma", "meningioma", "pituitary")  #: in the order of their labels
SPLITS = ("train", "test")  #: patients are numbered through in this order
MAX_PATIENTS = 10_000  #: phantom0000 to phantom9999
ENTRY = re.compile(
    rf"(?a:manifest\.json|(train|test)/(images|masks)/({'|'.join(CLASSES)})/phantom\d{{4}}_({'|'.join(PLANES)})_\d\d\.png)"
)

TWO_SERIES = 0.5  #: part of the patients with series in two planes
#: how often each plane is the first that is taken: axial, coronal, sagittal
PLANE_ODDS: dict[Kind, tuple[float, float, float]] = {
    "glioma": (0.6, 0.2, 0.2),
    "meningioma": (0.34, 0.33, 0.33),
    "pituitary": (0.1, 0.4, 0.5),
}


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same slices."""

    patients: Mapping[str, int]  #: number of patients per split: train, test, or both; one in three of each class
    seed: int
    randomise: float = 0.0  #: of the exposures, see `draw_exposure`
    pixels: int = 128  #: width and height of a slice
    version: int = VERSION

    def __post_init__(self) -> None:
        if not self.patients or not set(self.patients) <= set(SPLITS) or min(self.patients.values()) < 1:
            raise ValueError(f"Expected a number of patients for {' and '.join(SPLITS)}, but got {self.patients}.")
        if sum(self.patients.values()) > MAX_PATIENTS:
            raise ValueError(f"There are names for {MAX_PATIENTS:,} patients, but {self.patients} were asked for.")

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file."""
        return asdict(self)


QUICK_SET = Settings({"train": 60, "test": 30}, seed=0)
FULL_SET = Settings({"train": 480, "test": 120}, seed=0)


def make_dataset(root: Path, settings: Settings) -> Path:
    """Write ``<root>/{train,test}/{images,masks}/<class>/phantomNNNN_<plane>_NN.png``; it appears when it is whole.

    All slices of a patient lie in one part. A mask is 255 where the tumour is and 0 elsewhere. An interrupted call is
    taken up where it stopped; a folder that is whole already is left as it is, see `make_set`.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """

    def fill(folder: Path) -> None:
        for split, number in progress(list(_plan(settings)), "Making phantoms", "patient"):
            _write_patient(folder / split, settings, number)

    return make_set(root, settings.to_json(), ENTRY, fill)


def draw_slices(settings: Settings, number: int, planes: Sequence[Plane] | None = None) -> list[SimulatedSlice]:
    """The slices of one patient, series by series: in the planes that were taken of this one, or in those named.

    A plane's slices are the same in both cases.
    """
    rng = np.random.default_rng([settings.seed, number])
    patient, exposure = draw_patient(rng, kind_of(number)), draw_exposure(rng, settings.randomise)
    slices = []
    for plane in planes or planes_of(settings, number):
        own = np.random.default_rng([settings.seed, number, PLANES.index(plane)])
        slices += take_series(patient, exposure, plane, number, own, settings.pixels)
    return slices


def kind_of(number: int) -> Kind:
    """The kind of a patient's tumour: each in turn."""
    return CLASSES[number % len(CLASSES)]


def planes_of(settings: Settings, number: int) -> tuple[Plane, ...]:
    """The planes that were taken of a patient, one or two, in the order in which they were taken."""
    rng = np.random.default_rng([settings.seed, number, len(PLANES)])
    count = 2 if rng.random() < TWO_SERIES else 1
    chosen = rng.choice(len(PLANES), count, replace=False, p=PLANE_ODDS[kind_of(number)])
    return tuple(PLANES[index] for index in chosen)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """A grey PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _plan(settings: Settings) -> Iterator[tuple[str, int]]:
    """The part and the number of each patient."""
    number = 0
    for split in (split for split in SPLITS if split in settings.patients):
        for _ in range(settings.patients[split]):
            yield split, number
            number += 1


def _write_patient(folder: Path, settings: Settings, number: int) -> None:
    """The images and masks of a patient, the very first image last: where it is, all are."""
    kind = kind_of(number)
    if (folder / "images" / kind / _name(number, planes_of(settings, number)[0], 0)).exists():
        return
    for one in reversed(draw_slices(settings, number)):
        name = _name(number, one.plane, one.position)
        write_whole(folder / "masks" / kind / name, as_png(np.where(one.mask, 255, 0).astype(np.uint8)))
        write_whole(folder / "images" / kind / name, as_png(one.image))


def _name(number: int, plane: Plane, position: int) -> str:
    return f"phantom{number:04d}_{plane}_{position:02d}.png"
