"""Phantoms as files: whole data sets in the course's layout, with masks and a manifest, made anew or continued."""

import errno
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from tqdm.auto import tqdm

from course_lib.phantom.people import Kind, Patient, draw_exposure, draw_patient
from course_lib.phantom.radiograph import render

VERSION = 2  #: raised whenever the pictures change
MAX_PATIENTS = 9_999  #: more would not fit the names, phantom0000 to phantom9999
FIRST_KINDS: tuple[Kind, ...] = ("normal", "bacteria")  #: of a split, so that even the smallest has both classes
MANIFEST = "manifest.json"
AHEAD = 4  #: patients per worker that are rendered before their pictures are written; keeps the memory flat


class PhantomError(ValueError):
    """A data set of phantoms is not what it should be; the message says what was expected, what came, what to do."""


@dataclass(frozen=True)
class Confounders:
    """Traps: properties of the picture that follow the label, each with a strength from 0 (never) to 1 (always).

    At strength s, the property is set by the label in a part s of the pictures and left to chance in the others. Real
    data sets have such traps because the sick and the healthy were filmed in different rooms.
    """

    jpeg_quality: float = 0.0  #: healthy are saved at quality 95, sick at 70
    image_size: float = 0.0  #: pictures of the sick are a third smaller
    marker: float = 0.0  #: the healthy have the letter R on the picture, the sick have not
    exposure: float = 0.0  #: pictures of the sick are brighter and flatter
    patient_reuse: float = 0.0  #: part of the patients outside ``train`` who are patients of ``train``, filmed again

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0 <= getattr(self, part.name) <= 1:
                raise ValueError(f"{part.name} must be from 0 to 1, but is {getattr(self, part.name)}.")


@dataclass(frozen=True)
class Settings:
    """Everything that a data set of phantoms follows from; two sets with the same settings have the same pictures."""

    patients: Mapping[str, int]  #: number of patients per split; a split may be called train, val or test
    size_px: int  #: height of the pictures
    seed: int
    quality: int = 85  #: of the JPEG files
    confounders: Confounders = field(default_factory=Confounders)
    version: int = VERSION

    def __post_init__(self) -> None:
        if min([self.size_px, *self.patients.values()], default=0) < 1 or not self.patients:
            raise ValueError(
                f"Need at least one patient per split and 1 px, got {dict(self.patients)} and {self.size_px} px."
            )
        if sum(self.patients.values()) > MAX_PATIENTS:
            raise ValueError(
                f"There are names for {MAX_PATIENTS:,} patients, but {sum(self.patients.values()):,} were asked for. "
                "Make several sets with different seeds."
            )

    def __str__(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True)
class Picture:
    """One picture as it goes to disk."""

    path: Path  #: inside the data set
    file: bytes  #: JPEG
    mask: bytes | None  #: PNG of one bit per pixel; None for the healthy


def make_dataset(root: Path, settings: Settings, *, workers: int | None = None, progress: bool = True) -> Path:
    """Write ``<root>/<split>/{NORMAL,PNEUMONIA}/<patient>_<kind>_<n>.jpeg``; the folder appears when it is whole.

    One to three pictures per patient, all in one split. The mask of each picture of the sick is at the same place
    under ``<root>/masks``, as PNG. ``manifest.json`` holds the settings and the SHA-256 of every file. An interrupted
    call is taken up where it stopped; a folder that is whole already is left as it is. ``workers`` processes render
    at once (default: one per core).

    Raises:
        PhantomError: the folder, or what an interrupted call left, was made with other settings.
        OSError: it can not be written, or the disk is full; what is there already is kept for the next call.
    """
    unfinished = root.with_name(f".{root.name}-unfinished")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.with_name(f".{root.name}.lock")):
            if root.exists():
                _check_same(root, settings)
                return root
            unfinished.mkdir(exist_ok=True)
            _check_same(unfinished, settings)
            _write_manifest(unfinished, {"settings": json.loads(str(settings))})
            _write_pictures(unfinished, settings, workers or os.cpu_count() or 1, progress)
            content = {"settings": json.loads(str(settings)), "files": _hashes(unfinished)}
            _write_manifest(unfinished, {**content, "digest": _digest(content)})
            unfinished.rename(root)
    except OSError as error:
        raise _explain(error, root, unfinished) from error
    return root


def check_dataset(root: Path) -> Settings:
    """The settings of a finished data set, once every file has been held against the manifest.

    Raises:
        PhantomError: there is no manifest, it was edited, or a file is missing, changed or one too many.
    """
    content = _read_manifest(root)
    if content.get("digest") != _digest(content):
        raise PhantomError(f"{root / MANIFEST} was edited or is not finished. Remove {root}; it is made anew.")
    there, listed = _hashes(root), content["files"]
    wrong = sorted({name for name, _ in set(there.items()) ^ set(listed.items())})
    if wrong:
        raise PhantomError(
            f"{len(wrong)} files in {root} are missing, changed or one too many ({', '.join(wrong[:3])}"
            f"{', …' if len(wrong) > 3 else ''}). Remove the folder; it is made anew."
        )
    values = dict(content["settings"])
    return Settings(**{**values, "confounders": Confounders(**values["confounders"])})


def pack_dataset(root: Path, archive: Path) -> Path:
    """One file with a whole data set in it; the same set gives the same bytes. Unpack it with `unpack_dataset`."""
    check_dataset(root)
    part = archive.with_name(f".{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            file.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
    part.replace(archive)
    return archive


def unpack_dataset(archive: Path, root: Path) -> Path:
    """The folder with what `pack_dataset` packed, checked; unpacked now if it is not there yet.

    Raises:
        PhantomError: the archive is damaged, or holds something else than a whole set.
        OSError: the folder can not be written, or the disk is full.
    """
    if root.is_dir():
        return root
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.with_name(f".{root.name}.lock")), tempfile.TemporaryDirectory(dir=root.parent) as beside:
            if not root.is_dir():
                unpacked = Path(beside) / "set"
                with zipfile.ZipFile(archive) as file:
                    file.extractall(unpacked)
                check_dataset(unpacked)
                unpacked.rename(root)
    except (zipfile.BadZipFile, zlib.error, FileNotFoundError, PhantomError) as error:
        raise PhantomError(
            f"{archive} is missing or damaged ({error}). Get it again with the course: git checkout {archive.name}"
        ) from error
    except OSError as error:
        raise _explain(error, root, root.parent) from error
    return root


def pictures_of(settings: Settings, split: str, number: int) -> list[Picture]:
    """The pictures of patient ``number`` of a split. They follow from the settings alone."""
    identity = _reused(settings, split, number)
    first = _first_number(settings, _split_of(settings, identity))
    kind = FIRST_KINDS[identity - first] if identity - first < len(FIRST_KINDS) else None
    patient = draw_patient(np.random.default_rng([settings.seed, identity]), kind)
    rng = np.random.default_rng([settings.seed, number, 1])
    folder = Path(split) / ("NORMAL" if patient.kind == "normal" else "PNEUMONIA")
    offset = 0 if identity == number else 3  # so that the files of a patient filmed again have other names
    return [
        _picture(folder / f"phantom{identity:04d}_{patient.kind}_{n + offset}.jpeg", patient, settings, rng)
        for n in range(1, rng.integers(1, 4) + 1)
    ]


def read_mask(picture: Path) -> NDArray[np.bool_]:
    """The mask of a picture in a data set of phantoms, [height, width]; all False where there is no disease.

    Raises:
        PhantomError: the picture is not in such a set.
    """
    root = picture.parents[2]
    if not (root / MANIFEST).is_file():
        raise PhantomError(
            f"There is no mask of {picture.name}: {root} is not a set of phantoms, it has no {MANIFEST}. "
            "Only of simulated images is the true place of the disease known."
        )
    path = _mask_path(root, picture.relative_to(root))
    with Image.open(path if path.is_file() else picture) as image:
        return np.asarray(image, dtype=bool) if path.is_file() else np.zeros(image.size[::-1], dtype=bool)


def _picture(path: Path, patient: Patient, settings: Settings, rng: np.random.Generator) -> Picture:
    """Render one picture, with the traps that the settings ask for."""
    exposure, sick, traps = draw_exposure(rng), patient.kind != "normal", settings.confounders
    size_px, quality = settings.size_px, settings.quality
    jpeg, size, marker, bright = (
        rng.random() < strength for strength in (traps.jpeg_quality, traps.image_size, traps.marker, traps.exposure)
    )
    if jpeg:
        quality = 70 if sick else 95
    if size and sick:
        size_px = max(1, round(size_px * 2 / 3))
    if marker:
        exposure = replace(exposure, marker=(0.04, 0.05, 0.0 if sick else 0.07))
    if bright:
        exposure = replace(exposure, gamma=0.75 if sick else 1.2, latitude=0.7 if sick else 0.1)
    image, mask = render(patient, exposure, size_px)
    file, mask_file = io.BytesIO(), io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality)
    Image.fromarray(mask).save(mask_file, "png", optimize=True)
    return Picture(path, file.getvalue(), mask_file.getvalue() if sick else None)


def _split_of(settings: Settings, number: int) -> str:
    return next(s for s in reversed(settings.patients) if number >= _first_number(settings, s))


def _first_number(settings: Settings, split: str) -> int:
    """Patients are numbered through, split after split."""
    splits = list(settings.patients)
    return sum(settings.patients[s] for s in splits[: splits.index(split)])


def _reused(settings: Settings, split: str, number: int) -> int:
    """Whose pictures patient ``number`` gives: normally their own, in the trap those of a patient of ``train``."""
    if split == "train" or "train" not in settings.patients:
        return number
    rng = np.random.default_rng([settings.seed, 2])
    trained, place = settings.patients["train"], number - _first_number(settings, split)
    if np.random.default_rng([settings.seed, number, 2]).random() >= settings.confounders.patient_reuse:
        return number
    order = rng.permutation(trained) + _first_number(settings, "train")
    return int(order[place]) if place < trained else number


def _write_pictures(folder: Path, settings: Settings, workers: int, progress: bool) -> None:
    """Render what is not there yet. A patient counts as done when all their pictures are written."""
    done = folder / "done"
    done.mkdir(exist_ok=True)
    jobs = [
        (split, number)
        for split, many in settings.patients.items()
        for number in range(_first_number(settings, split), _first_number(settings, split) + many)
    ]
    missing = [job for job in jobs if not (done / str(job[1])).exists()]
    bar = tqdm(
        total=len(jobs),
        initial=len(jobs) - len(missing),
        desc="Making phantoms",
        unit="patient",
        leave=False,
        disable=not progress,
    )
    with bar:
        for number, pictures in _rendered(settings, missing, workers):
            for picture in pictures:
                _write_whole(folder / picture.path, picture.file)
                if picture.mask is not None:
                    _write_whole(_mask_path(folder, picture.path), picture.mask)
            (done / str(number)).touch()
            bar.update()
    shutil.rmtree(done)


def _rendered(settings: Settings, jobs: Sequence[tuple[str, int]], workers: int) -> Iterator[tuple[int, list[Picture]]]:
    """The pictures of one patient after the other; the workers stay only a few patients ahead."""
    if workers == 1:
        for split, number in jobs:
            yield number, pictures_of(settings, split, number)
        return
    waiting: deque[tuple[int, Future[list[Picture]]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for split, number in jobs:
            waiting.append((number, pool.submit(pictures_of, settings, split, number)))
            if len(waiting) > AHEAD * workers:
                number, pictures = waiting.popleft()
                yield number, pictures.result()
        while waiting:
            number, pictures = waiting.popleft()
            yield number, pictures.result()


def _mask_path(root: Path, picture: Path) -> Path:
    return (root / "masks" / picture).with_suffix(".png")


def _check_same(root: Path, settings: Settings) -> None:
    """Do nothing if a folder, finished or not, was made with these settings, or holds nothing yet."""
    if not (root / MANIFEST).exists() and not any(root.iterdir()):
        return
    there = _read_manifest(root)["settings"]
    if there != json.loads(str(settings)):
        raise PhantomError(
            f"{root} was made with other settings.\n  there:  {json.dumps(there, sort_keys=True)}\n  wanted: {settings}\n"
            "Remove that folder, choose another one, or ask for the same settings."
        )


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / MANIFEST
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content["settings"], dict):
            raise TypeError("its settings are not a table")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PhantomError(
            f"{root} is not a set of phantoms: {MANIFEST} is missing or can not be read ({error}). "
            "Choose another folder, or remove this one; the phantoms are made anew."
        ) from error
    return content


def _digest(content: Mapping[str, Any]) -> str:
    """Of a manifest: SHA-256 of its settings and its files, to notice that somebody edited it."""
    return hashlib.sha256(
        json.dumps([content.get("settings"), content.get("files")], sort_keys=True).encode()
    ).hexdigest()


def _hashes(root: Path) -> dict[str, str]:
    """SHA-256 of every file but the manifest, by its path inside the folder."""
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path != root / MANIFEST)
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _write_manifest(root: Path, content: dict[str, Any]) -> None:
    _write_whole(root / MANIFEST, json.dumps(content, sort_keys=True, indent=1).encode())


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that, whenever the process dies, it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _explain(error: OSError, root: Path, unfinished: Path) -> OSError:
    if error.errno == errno.ENOSPC:
        remedy = f"The disk is full. What is made so far stays in {unfinished}: free some space and call again."
    else:
        remedy = f"Can not write to {root.parent}. Choose a folder that you may write to."
    return OSError(error.errno, f"{remedy} ({error.strerror or error})")
