"""What the audit knows of a folder of slices that several readers marked: each file is opened once.

A folder of them is ``<patient>/nodule-K/{images,mask-0,mask-1,…}/slice-J.png``, in the folder itself or in its folders
``train``, ``val`` and ``test``. Whatever can be read is looked at, so that all faults of a folder are named at once.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from course_lib.audit.image_folders import SPLITS
from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.image_folder import hold_back_test
from course_lib.data.marked_slices import IMAGES, LAYOUT, NODULE, READER, SLICE, find_marked
from course_lib.data.outlined_folder import MASK_VALUES
from course_lib.sources.foreign_image import ImageError, class_folders, files_in, folders_in
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes
from course_lib.support.foreign import printable, some_of
from course_lib.support.runtime import expanded, progress

CORNERS_TOUCH = np.ones((3, 3), dtype=bool)  #: pixels that meet at a corner are of one piece


@dataclass(frozen=True)
class SliceFile:
    """One readable slice, and what its readers marked."""

    path: Path
    shown: str  #: where it lies below the folder, to be printed
    patient: str
    nodule: str  #: patient and folder
    split: str
    digest: str  #: SHA-256 of size and grey values
    marked: dict[int, bool]  #: whether a reader marked something, by number; those whose mask can be laid over it


@dataclass(frozen=True)
class MarkedFaults:
    """What is wrong with files and masks; texts that are to be printed, each with a place below the folder first."""

    unreadable: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  #: neither slice nor mask
    numbers: list[str] = field(default_factory=list)  #: of the slices of a nodule: missing or doubled
    readers: list[str] = field(default_factory=list)  #: nodules that have not those which most have
    missing: list[str] = field(default_factory=list)  #: masks
    lone: list[str] = field(default_factory=list)  #: masks without a slice
    other_size: list[str] = field(default_factory=list)  #: masks, than the slice
    other_values: list[str] = field(default_factory=list)  #: masks, than 0 and 255
    at_border: list[str] = field(default_factory=list)  #: masks that touch the border of the crop
    pieces: list[str] = field(default_factory=list)  #: masks of several, with the part outside the largest


@dataclass(frozen=True)
class MarkedInventory:
    """All slices of a folder, nodule by nodule."""

    root: Path
    readers: tuple[int, ...]  #: their numbers, those that most nodules have
    slices: tuple[SliceFile, ...]
    faults: MarkedFaults


@dataclass(frozen=True)
class _Nodule:
    folder: Path
    split: str
    name: str  #: patient and folder
    readers: tuple[int, ...]


def take_marked(folder: str | Path) -> MarkedInventory:
    """Every slice of a folder with its masks, read once; no file is changed.

    Where no slice is to test on, `hold_back_test` chooses some of those in ``train``, as for training. Files that can
    not be read are listed, not raised.

    Raises:
        DataError: the folder is not there, may not be read, or there is no nodule in that layout.
    """
    root = find_marked(expanded(folder))
    nodules = list(_nodules(root))
    if not nodules:
        raise DataError(
            f"There is no nodule to audit in {printable(root)}. Expected {LAYOUT}, in the folder itself or in train/, "
            "val/ and test/."
        )
    faults = MarkedFaults()
    readers = Counter(nodule.readers for nodule in nodules).most_common(1)[0][0]
    slices = [
        one for nodule in progress(nodules, "Reading slices", "nodule") for one in _read(root, nodule, readers, faults)
    ]
    if not any(one.split == "test" for one in slices):
        with suppress(DataError):  # too few patients for a test part
            held_back = {one.path for one in hold_back_test([one for one in slices if one.split == "train"])[1]}
            slices = [replace(one, split="test") if one.path in held_back else one for one in slices]
    return MarkedInventory(root, readers, tuple(slices), faults)


def _nodules(root: Path) -> Iterator[_Nodule]:
    for part in ("", *SPLITS):
        for patient in class_folders(root / part):
            for folder in folders_in(patient):
                if NODULE.fullmatch(folder.name):
                    numbers = (READER.fullmatch(path.name) for path in folders_in(folder))
                    readers = tuple(sorted(int(number[1]) for number in numbers if number))
                    yield _Nodule(folder, part or "train", f"{patient.name}/{folder.name}", readers)


def _read(root: Path, nodule: _Nodule, readers: tuple[int, ...], faults: MarkedFaults) -> Iterator[SliceFile]:
    """The slices of one nodule that can be read; what is wrong with them goes to the faults."""
    shown = printable(nodule.folder.relative_to(root).as_posix())
    if nodule.readers != readers:
        faults.readers.append(f"{shown} has {some_of([f'mask-{number}' for number in nodule.readers]) or 'none'}")
    images = _files_of(root, nodule.folder / IMAGES, faults)
    _check_numbers(shown, list(images), faults)
    masks = {number: _files_of(root, nodule.folder / f"mask-{number}", faults) for number in nodule.readers}
    for number, there in masks.items():
        faults.lone.extend(f"{shown}/mask-{number}/{name}" for name in there if name not in images)
        faults.missing.extend(f"{shown}/mask-{number}/{name}" for name in images if name not in there)
    for name, path in images.items():
        try:
            grey = np.asarray(open_grey(path))
        except ImageError as error:
            faults.unreadable.append(f"{shown}/{IMAGES}/{name}: {error.problem}")
            continue
        drawn = {
            number: _mask(there[name], root, grey.shape, faults) for number, there in masks.items() if name in there
        }
        marked = {number: bool(mask.any()) for number, mask in drawn.items() if mask is not None}
        patient, digest = nodule.folder.parent.name, digest_of_bytes(f"{grey.shape}".encode() + grey.tobytes())
        yield SliceFile(path, f"{shown}/{IMAGES}/{name}", patient, nodule.name, nodule.split, digest, marked)


def _files_of(root: Path, folder: Path, faults: MarkedFaults) -> dict[str, Path]:
    """Slices or masks by their names, in the order of their numbers; others go to the faults."""
    there = files_in(folder) if folder.is_dir() else []
    faults.other.extend(_shown(root, path) for path in there if not SLICE.fullmatch(path.name))
    return dict(
        sorted(((path.name, path) for path in there if SLICE.fullmatch(path.name)), key=lambda p: _number(p[0]))
    )


def _number(name: str) -> int:
    return int(name.removeprefix("slice-").removesuffix(".png"))


def _check_numbers(shown: str, names: list[str], faults: MarkedFaults) -> None:
    numbers = Counter(map(_number, names))
    faults.numbers.extend(f"{shown} has {number} twice" for number, times in numbers.items() if times > 1)
    if lost := sorted(set(range(max(numbers, default=0) + 1)) - numbers.keys()):
        faults.numbers.append(f"{shown} lacks {some_of(lost)}")


def _mask(path: Path, root: Path, shape: tuple[int, ...], faults: MarkedFaults) -> NDArray[np.bool_] | None:
    """What a reader marked; None if that can not be laid over the slice. What is wrong with it is said once."""
    shown = _shown(root, path)
    try:
        mask = np.asarray(open_mask(path))
    except ImageError as error:
        faults.unreadable.append(f"{shown}: {error.problem}")
        return None
    if mask.shape != shape:
        faults.other_size.append(f"{shown}: {mask.shape[1]} x {mask.shape[0]} instead of {shape[1]} x {shape[0]}")
        return None
    if strange := sorted(set(np.unique(mask).tolist()) - set(MASK_VALUES)):
        faults.other_values.append(f"{shown}: {some_of(strange)}")
        return None
    marked: NDArray[np.bool_] = mask == MASK_VALUES[1]
    if marked[[0, -1]].any() or marked[:, [0, -1]].any():
        faults.at_border.append(shown)
    sizes = np.bincount(ndimage.label(marked, CORNERS_TOUCH)[0][marked])[1:]
    if len(sizes) > 1:
        faults.pieces.append(f"{shown}: {len(sizes)}, {1 - sizes.max() / sizes.sum():.0%} outside the largest")
    return marked


def _shown(root: Path, path: Path) -> str:
    return printable(path.relative_to(root).as_posix())
