"""Which pictures a data set of phantoms has, and how each is made: all of it follows from the settings alone."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from course_lib.modalities.simulated_chest.people import Kind, Patient, draw_patient
from course_lib.modalities.simulated_film.exposure import draw_exposure
from course_lib.modalities.simulated_film.radiograph import render

VERSION = 2  #: raised whenever the pictures change
SPLITS = ("train", "val", "test")  #: patients are numbered through in this order
MAX_PATIENTS = 10_000  #: phantom0000 to phantom9999
MAX_PICTURES = 3  #: of one patient
FIRST_KINDS: tuple[Kind, ...] = ("normal", "bacteria")  #: of a split, so that even the smallest has both classes


@dataclass(frozen=True)
class Confounders:
    """Traps: properties of the picture that follow the label, each with a strength from 0 (never) to 1 (always).

    At strength s, the property is set by the label in a part s of the pictures, and as usual in the others. Real
    data sets have such traps because the sick and the healthy were filmed in different rooms.
    """

    jpeg_quality: float = 0.0  #: healthy are saved at quality 95, sick at 70
    image_size: float = 0.0  #: pictures of the sick are a third smaller
    marker: float = 0.0  #: the healthy have the letter R on the picture, the sick have not
    exposure: float = 0.0  #: pictures of the sick are brighter and flatter; their black is grey
    patient_reuse: float = 0.0  #: part of the patients outside ``train`` who are patients of ``train``, filmed again

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0 <= getattr(self, part.name) <= 1:
                raise ValueError(f"{part.name} must be from 0 to 1, but is {getattr(self, part.name)}.")


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same pictures."""

    patients: Mapping[str, int]  #: number of patients per split: train, val, test, or some of them
    size_px: int  #: height of the pictures
    seed: int
    quality: int = 85  #: of the JPEG files, 1 to 95
    confounders: Confounders = field(default_factory=Confounders)
    version: int = VERSION

    def __post_init__(self) -> None:
        if not self.patients or not set(self.patients) <= set(SPLITS):
            raise ValueError(f"The splits must be some of {', '.join(SPLITS)}, but are {list(self.patients)}.")
        if min(self.size_px, *self.patients.values()) < 1:
            raise ValueError(
                f"Need at least one patient per split and 1 px, got {dict(self.patients)} and {self.size_px} px."
            )
        if sum(self.patients.values()) > MAX_PATIENTS:
            raise ValueError(
                f"There are names for {MAX_PATIENTS:,} patients, but {sum(self.patients.values()):,} were asked for. "
                "Make several sets with different seeds."
            )
        if self.seed < 0 or not 1 <= self.quality <= 95:
            raise ValueError(
                f"seed must be 0 or more and quality from 1 to 95, but they are {self.seed} and {self.quality}."
            )

    def to_json(self) -> dict[str, Any]:
        """As plain values for a file; the splits are in their usual order, however they were given."""
        return asdict(replace(self, patients={s: self.patients[s] for s in SPLITS if s in self.patients}))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Settings":
        return cls(**{**values, "confounders": Confounders(**values["confounders"])})


@dataclass(frozen=True)
class Planned:
    """One picture that a data set has, before it is made."""

    path: PurePosixPath  #: inside the data set
    patient: Patient
    seed: tuple[int, ...]  #: of the way in which it is taken


@dataclass(frozen=True)
class Picture:
    """One picture as it goes to disk."""

    path: PurePosixPath  #: inside the data set
    file: bytes  #: JPEG
    mask: bytes | None  #: PNG of one bit per pixel; None for the healthy


def plan_pictures(settings: Settings) -> Iterator[Planned]:
    """All pictures of the data set: one to three of each patient, in a folder by the split and the class."""
    used: Counter[int] = Counter()  # how often a patient was filmed: a patient filmed again needs other file names
    number = 0
    for split in (s for s in SPLITS if s in settings.patients):
        for place, identity in enumerate(_identities(settings, split, number)):
            own_place = place if identity == number else identity  # the patients of train are the first
            kind = FIRST_KINDS[own_place] if own_place < len(FIRST_KINDS) else None
            patient = draw_patient(np.random.default_rng([settings.seed, identity]), kind)
            folder = PurePosixPath(split) / ("NORMAL" if patient.kind == "normal" else "PNEUMONIA")
            pictures = np.random.default_rng([settings.seed, number, 0, 1]).integers(1, MAX_PICTURES + 1)
            for n in range(1, pictures + 1):
                name = f"phantom{identity:04d}_{patient.kind}_{n + MAX_PICTURES * used[identity]}.jpeg"
                yield Planned(folder / name, patient, (settings.seed, number, n))
            used[identity] += 1
            number += 1


def make_picture(settings: Settings, planned: Planned) -> Picture:
    """The picture and its mask, with the traps that the settings ask for."""
    rng = np.random.default_rng(planned.seed)
    exposure, sick, traps = draw_exposure(rng), planned.patient.kind != "normal", settings.confounders
    size_px, quality = settings.size_px, settings.quality
    jpeg, size, marker, bright = rng.random(4) < (traps.jpeg_quality, traps.image_size, traps.marker, traps.exposure)
    if jpeg:
        quality = 70 if sick else 95
    if size and sick:
        size_px = max(1, round(size_px * 2 / 3))
    if marker:
        exposure = replace(exposure, marker=(0.04, 0.05, 0.0 if sick else 0.07))
    if bright:
        gamma, latitude, black = (0.75, 0.7, 0.2) if sick else (1.2, 0.1, 0.0)
        exposure = replace(exposure, gamma=gamma, latitude=latitude, black=black)
    image, mask = render(planned.patient, exposure, size_px)
    file, mask_file = io.BytesIO(), io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality)
    Image.fromarray(mask).save(mask_file, "png", optimize=True)
    return Picture(planned.path, file.getvalue(), mask_file.getvalue() if sick else None)


def _identities(settings: Settings, split: str, first: int) -> Iterator[int]:
    """Who is filmed in a split: each its own patients, numbered from ``first``; in the trap, patients of ``train``."""
    trained, strength = settings.patients.get("train", 0), settings.confounders.patient_reuse
    again = np.random.default_rng([settings.seed, SPLITS.index(split), 0, 2]).permutation(trained)
    again = np.r_[again[again < len(FIRST_KINDS)].copy(), again[again >= len(FIRST_KINDS)]]
    again[: len(FIRST_KINDS)].sort()  # so that a split whose patients are all filmed again has both classes too
    for place in range(settings.patients[split]):
        number = first + place
        reused = np.random.default_rng([settings.seed, number, 0, 3]).random() < strength
        yield int(again[place % trained]) if reused and trained and split != "train" else number
