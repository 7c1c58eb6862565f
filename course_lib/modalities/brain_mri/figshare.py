"""The brain tumour set as its authors publish it, files of MATLAB 7.3, made into pictures once."""

import math
import re
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from course_lib.data.outlined_folder import IMAGES, MASK_SUFFIX, MASKS, holds_outlined
from course_lib.modalities.phantom_files import as_png, make_set
from course_lib.sources.foreign_image import MOST_BYTES, MOST_TIMES_LONGER
from course_lib.support.errors import DataError
from course_lib.support.files import digest, write_whole
from course_lib.support.foreign import printable, some_of, understood
from course_lib.support.runtime import cache_folder, progress

REAL_SET = "brain-tumour-mri"  #: slug of its card
SLICE, FOLDS = re.compile(r"([1-9][0-9]{0,3})\.mat"), "cvind.mat"  #: names of its files: a slice, the folds of all
KINDS = {1: "meningioma", 2: "glioma", 3: "pituitary"}  #: what ``cjdata/label`` says
NO_FOLD = "figshare"  #: how a name begins where no file says the folds
ENTRY = re.compile(
    rf"(?a:manifest\.json|({IMAGES}|{MASKS})/({'|'.join(KINDS.values())})/(fold\d+|{NO_FOLD})_[0-9A-Za-z-]+_\d{{4}}\.png)"
)
OLD_FORMAT = b"MATLAB 5.0 MAT-file"  #: how a file begins that MATLAB saved without ``-v7.3``
MOST_FOLDS = 20
FEWEST_PIXELS = 32  #: of a side; the set has 512
MOST_VALUES = 2048 * 2048  #: of an array
MOST_CHARACTERS = 40  #: of a patient's number
MOST_NAMED = 10  #: bad files in one message
DIGITS = 8  #: of the digest in the name of the folder of pictures
WHOLE = "Copy it again from its source, or move it out of the folder."
SAVE_ANEW = "Take the file of the original set; or load it in MATLAB and save it with the option '-v7.3'."
NOT_OF_THIS_SET = "Expected cjdata with image, tumorMask, label and PID. Copy the original file, or move this one out."


@dataclass(frozen=True)
class MatlabSlice:
    """What one file of the set holds, as MATLAB shows it: rows from top to bottom, columns from left to right."""

    image: NDArray[np.uint8]  #: [row, column], scaled by itself from 0 to 255
    mask: NDArray[np.bool_]  #: [row, column], where the tumour is
    kind: str
    patient: str  #: letters, digits and dashes


class MatlabError(DataError):
    """A file of MATLAB that is refused."""

    def __init__(self, path: Path, problem: str, remedy: str = WHOLE) -> None:
        super().__init__(f"{printable(path.name)} {problem}. {remedy}")


def as_pictures(folder: Path) -> Path:
    """A folder of pictures made of the MATLAB files that lie anywhere in this one; the folder itself if it has none.

    ``images/<class>/fold<N>_<patient>_<number>.png``, as large as in the file and scaled by itself to 0 to 255, and the
    tumour in ``masks/``, 0 or 255; one without an outlined tumour has no mask. Without ``cvind.mat`` the names say no
    fold, and begin with ``figshare``. They are made once and kept where `cache_folder` says; an interrupted call is
    taken up where it stopped.

    Raises:
        DataError: a file is damaged, in MATLAB's old format or not of this set, which is said of each; or a patient is
            in two folds.
        OSError: the pictures can not be written; what is there already is kept for the next call.
    """
    files = [] if holds_outlined(folder) else sorted(folder.rglob("*.mat"))
    slices = {int(name[1]): path for path in files if (name := SLICE.fullmatch(path.name))}
    if not slices:
        return folder
    _check_once(folder, files)
    states = [(path.relative_to(folder).as_posix(), path.lstat()) for path in files]
    made_of = digest([(name, state.st_size, state.st_mtime_ns) for name, state in states])

    def fill(made: Path) -> None:
        fold_of = _folds([path for path in files if path.name == FOLDS], max(slices))
        if problems := _write_pictures(slices, fold_of, made) or _patients_in_two_folds(made):
            shutil.rmtree(made)
            listed = "\n".join(problems[:MOST_NAMED]) + ("\n…" if len(problems) > MOST_NAMED else "")
            raise DataError(
                f"{len(problems):,} of {len(slices):,} slices in {printable(folder)} can not be used:\n{listed}"
            )

    root = cache_folder("datasets") / f"{REAL_SET}-pictures-{made_of[:DIGITS]}"
    return make_set(root, {"made of": made_of}, ENTRY, fill, "pictures")


def read_slice(path: Path) -> MatlabSlice:
    """The slice in a file of MATLAB 7.3.

    What the file claims is looked at before anything is read: no link to another file, no array larger than a slice.

    Raises:
        DataError: it is in another format, damaged, or not of this set.
    """
    with _opened(path) as file:
        image, mask = _array(file, path, "cjdata/image"), _array(file, path, "cjdata/tumorMask")
        label, patient = _array(file, path, "cjdata/label"), _array(file, path, "cjdata/PID")
    _check_picture(path, image)
    if mask.shape != image.shape or not np.isin(mask, (0, 1)).all():
        raise MatlabError(path, f"has a mask {_said(mask)}; expected 0 and 1, {_size(image)} as the image")
    if label.size != 1 or label.item() not in KINDS:
        known = ", ".join(f"{number} {kind}" for number, kind in KINDS.items())
        raise MatlabError(path, f"has a label {_said(label)}; expected one of {known}")
    low, high = float(image.min()), float(image.max())
    grey = np.rint((image.astype(np.float64) - low) / (high - low) * 255)
    return MatlabSlice(grey.astype(np.uint8), mask.astype(bool), KINDS[int(label.item())], _text(path, patient))


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file, open; whatever the library says of it becomes a sentence."""
    with understood(lambda reason: MatlabError(path, f"can not be read ({reason})")):
        if path.stat().st_size > MOST_BYTES:
            raise MatlabError(path, f"has {path.stat().st_size:,} bytes, more than any file of the set")
        if not stat.S_ISREG(path.stat().st_mode):
            raise MatlabError(path, "is no file", NOT_OF_THIS_SET)
        with path.open("rb") as content:
            if content.read(len(OLD_FORMAT)) == OLD_FORMAT:
                raise MatlabError(path, "is in MATLAB's old format; expected MATLAB 7.3", SAVE_ANEW)
        with h5py.File(path, "r", locking=False) as file:
            yield file


def _array(file: h5py.File, path: Path, name: str) -> NDArray[Any]:
    """What is stored under a name, turned as MATLAB shows it: it stores column by column.

    Source: MathWorks, MAT-file versions: version 7.3 is HDF5, whose last axis is MATLAB's first.
    """
    place: Any = file
    for part in name.split("/"):
        if not isinstance(place, h5py.Group) or not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise MatlabError(path, f"holds no {name}", NOT_OF_THIS_SET)
        place = place[part]
    stored = isinstance(place, h5py.Dataset) and place.dtype.kind in "buif" and place.ndim == 2
    if not stored or place.external or place.is_virtual:
        raise MatlabError(path, f"holds {name}, but not as a table of numbers", NOT_OF_THIS_SET)
    if max(math.prod(place.shape), math.prod(place.chunks or ())) > MOST_VALUES:
        raise MatlabError(path, f"claims {math.prod(place.shape):,} values for {name}, more than any slice has")
    return np.asarray(place[()]).T


def _check_picture(path: Path, image: NDArray[Any]) -> None:
    shorter, longer = sorted(image.shape)
    if shorter < FEWEST_PIXELS or longer > MOST_TIMES_LONGER * shorter:
        raise MatlabError(path, f"has an image of {_size(image)}, which shows no head")
    if not np.isfinite(image).all() or not 0 < image.max() - image.min() < np.inf:
        raise MatlabError(path, f"has an image {_said(image)}, which shows nothing")


def _text(path: Path, codes: NDArray[Any]) -> str:
    """Whose slice it is, from MATLAB's codes of letters; what is neither letter nor digit becomes a dash."""
    text = "".join(chr(code) for code in codes.ravel().tolist()) if codes.dtype == np.uint16 else ""
    patient = re.sub(r"[^0-9A-Za-z]+", "-", text).strip("-")
    if not 1 <= len(patient) <= MOST_CHARACTERS:
        raise MatlabError(path, "does not say whose slice it is: cjdata/PID is no text", NOT_OF_THIS_SET)
    return patient


def _folds(paths: Sequence[Path], highest: int) -> NDArray[np.int64] | None:
    """The fold of each slice, whose number counts from 1; None where no file says it."""
    if not paths:
        return None
    with _opened(paths[0]) as file:
        folds = _array(file, paths[0], "cvind").ravel()
    if len(folds) < highest or not np.isin(folds, range(1, MOST_FOLDS + 1)).all():
        raise MatlabError(
            paths[0],
            f"holds {len(folds):,} folds {_said(folds)}; expected whole numbers from 1, one for each slice "
            f"up to number {highest:,}",
        )
    return folds.astype(np.int64)


def _write_pictures(slices: Mapping[int, Path], folds: NDArray[np.int64] | None, made: Path) -> list[str]:
    """Write what is not there yet; gives a sentence for each file that can not be used."""
    done, problems = {int(path.stem[-4:]) for path in (made / IMAGES).rglob("*.png")}, []
    for number, path in progress(sorted(slices.items()), "Converting", "slice"):
        if number in done:
            continue
        try:
            one = read_slice(path)
        except DataError as problem:
            problems.append(str(problem))
            continue
        fold = NO_FOLD if folds is None else f"fold{folds[number - 1]}"
        name = f"{one.kind}/{fold}_{one.patient}_{number:04d}{MASK_SUFFIX}"
        if one.mask.any():
            write_whole(made / MASKS / name, as_png(one.mask.astype(np.uint8) * 255))
        write_whole(made / IMAGES / name, as_png(one.image))  # last: where the image is, both are
    return problems


def _patients_in_two_folds(made: Path) -> list[str]:
    """A sentence for each."""
    folds: dict[str, set[str]] = {}
    for path in (made / IMAGES).rglob("fold*.png"):
        fold, patient, _ = path.stem.split("_")
        folds.setdefault(patient, set()).add(fold)
    return [
        f"Patient {patient} is in {' and '.join(sorted(there))}, as {FOLDS} says. {WHOLE}"
        for patient, there in sorted(folds.items())
        if len(there) > 1
    ]


def _check_once(folder: Path, files: Sequence[Path]) -> None:
    names = Counter(path.name for path in files if path.name == FOLDS or SLICE.fullmatch(path.name))
    if twice := sorted(name for name, times in names.items() if times > 1):
        raise DataError(
            f"{printable(folder)} holds {len(twice):,} MATLAB files twice ({some_of(twice)}), in different folders. "
            "Move one copy of each out."
        )


def _size(values: NDArray[Any]) -> str:
    return " x ".join(map(str, values.shape))


def _said(values: NDArray[Any]) -> str:
    """What an array holds, for a message."""
    return f"of {_size(values)}" + (f" with values from {values.min():g} to {values.max():g}" if values.size else "")
