"""Simulated films with findings in boxes as files, in the layout of the real set.

Half of the patients have nothing, so that most films have no box, as among people who are looked at. The table has two
columns more than the real one: how hard a finding is to see, as a word and as a number.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course_lib.modalities.phantom_files import make_set, number_patients
from course_lib.modalities.simulated_chest.findings import FINDINGS, draw_patient_with
from course_lib.modalities.simulated_film.exposure import Exposure, draw_adult_exposure
from course_lib.modalities.simulated_film.marked_film import Mark, MarkedFilm, render_marked
from course_lib.support.files import write_whole
from course_lib.support.runtime import progress

VERSION = 1  #: raised whenever the films change, also with `simulated_chest` and `simulated_film`
LEAST_PIXELS, MOST_PIXELS = 64, 1024  #: width and height of a film; the second is that of the NIH's own
QUALITY = 85  #: of the JPEGs
HEADER = ("file", "finding", "xmin", "ymin", "xmax", "ymax", "view", "subtlety", "contrast_to_noise")

HEALTHY = 0.5  #: part of the patients
TWO_FINDINGS = 0.3  #: part of the others
TWO_FILMS = 0.2  #: part of all patients
#: How likely each finding is drawn first. Set by hand: nodules are what the lesson is about.
ODDS = {"Nodule": 0.46, "Mass": 0.14, "Effusion": 0.1, "Pneumothorax": 0.1, "Cardiomegaly": 0.1, "Pneumonia": 0.1}

_DONE = "rows"  #: folder for the rows of the patients whose films are written, until the table is
ENTRY = re.compile(
    r"(?a:manifest\.json|(train|test)/(boxes\.csv|images/phantom\d{4}_\d{3}\.jpg|rows/phantom\d{4}\.csv))"
)


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same films."""

    patients: Mapping[str, int]  #: number of patients per split: train, test, or both
    seed: int
    pixels: int = 384  #: width and height of a film
    version: int = VERSION

    def __post_init__(self) -> None:
        number_patients(self.patients)  # refuses what can not be numbered
        if not (isinstance(self.pixels, int) and LEAST_PIXELS <= self.pixels <= MOST_PIXELS):
            raise ValueError(
                f"Expected films of {LEAST_PIXELS} to {MOST_PIXELS} whole pixels, but got pixels={self.pixels}."
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file."""
        return asdict(self)


QUICK_SET = Settings({"train": 134, "test": 66}, seed=0, pixels=256)
FULL_SET = Settings({"train": 600, "test": 200}, seed=1)  # other people: none is trained on here and tested there


def make_dataset(root: Path, settings: Settings) -> Path:
    """Write ``<root>/{train,test}/images/phantomNNNN_00K.jpg`` and ``boxes.csv`` beside; it appears when it is whole.

    All films of a patient lie in one part. A film of 256 px takes about a quarter of a second. An interrupted call is
    taken up where it stopped; a folder that is whole already is left as it is, see `make_set`.

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        DataError: something that is not the course's lies where an interrupted call leaves what it has made.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """

    def fill(folder: Path) -> None:
        numbered = number_patients(settings.patients)
        for split, number in progress(numbered, "Making phantoms", "patient"):
            if not (folder / split / "boxes.csv").exists():
                _write_patient(folder / split, settings, number)
        for split in settings.patients:
            _write_table(folder / split, [number for part, number in numbered if part == split])

    return make_set(root, settings.to_json(), ENTRY, fill, "films")


def draw_films(settings: Settings, number: int) -> list[tuple[Exposure, MarkedFilm]]:
    """The films of one patient of the set, one or two, with how each was taken: the same findings, seen anew."""
    rng = np.random.default_rng([settings.seed, number])
    findings = draw_findings(rng)
    films = 2 if rng.random() < TWO_FILMS else 1
    patient = draw_patient_with(rng, findings, adult=True)
    exposures = [draw_adult_exposure(rng) for _ in range(films)]
    return [(exposure, render_marked(patient, exposure, settings.pixels)) for exposure in exposures]


def draw_findings(rng: np.random.Generator) -> tuple[str, ...]:
    """What a patient has: mostly nothing, else one finding or two different ones."""
    healthy, two = rng.random() < HEALTHY, rng.random() < TWO_FINDINGS
    drawn = rng.choice(len(FINDINGS), 2, replace=False, p=[ODDS[name] for name in FINDINGS])
    return () if healthy else tuple(FINDINGS[index] for index in drawn[: 2 if two else 1])


def _write_patient(folder: Path, settings: Settings, number: int) -> None:
    """The films of a patient, and last the rows of the table for them: where these are, all is."""
    rows_file = folder / _DONE / f"phantom{number:04d}.csv"
    if rows_file.exists():
        return
    rows: list[Sequence[object]] = []
    for k, (exposure, film) in enumerate(draw_films(settings, number)):
        name = f"phantom{number:04d}_{k:03d}.jpg"
        write_whole(folder / "images" / name, _as_jpeg(film.image))
        marks = {(mark.finding, mark.box): mark for mark in film.marks}  # of two with the same box, one
        rows += [_row(name, exposure, mark) for mark in marks.values()]
    write_whole(rows_file, _as_csv(rows))


def _write_table(folder: Path, numbers: Sequence[int]) -> None:
    """The table of a part, out of the rows of its patients, which are removed then."""
    kept = [folder / _DONE / f"phantom{number:04d}.csv" for number in numbers]
    if not (folder / "boxes.csv").exists():
        rows = "".join(path.read_text(encoding="utf-8") for path in kept)
        write_whole(folder / "boxes.csv", _as_csv([HEADER]) + rows)
    for path in kept:
        path.unlink(missing_ok=True)
    if (folder / _DONE).is_dir():
        (folder / _DONE).rmdir()


def _row(name: str, exposure: Exposure, mark: Mark) -> Sequence[object]:
    return (name, mark.finding, *mark.box, exposure.view, mark.subtlety, f"{mark.contrast_to_noise:.2f}")


def _as_csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _as_jpeg(grey: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
