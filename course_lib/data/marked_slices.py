"""From a folder of slices that several readers marked to samples: which masks belong to a slice, and whose it is."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_lib.sources.foreign_image import class_folders, entries_in, folders_in, images_in, names_an_image
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

IMAGES = "images"
NODULE, READER = re.compile(r"nodule-(\d+)", re.ASCII), re.compile(r"mask-(\d+)", re.ASCII)  #: names of folders
SLICE = re.compile(r"slice-(\d+)\.png", re.ASCII)
PARTS = ("", "train", "test")  #: where the folders of the patients may lie
LAYOUT = f"<patient>/nodule-K/{{{IMAGES},mask-0,mask-1,…}}/slice-J.png"


@dataclass(frozen=True)
class MarkedSlice:
    """The file of one slice of a nodule, the masks that the readers drew on it, and whose it is."""

    path: Path
    masks: tuple[Path, ...]  #: a file for each reader, in their order; empty where this one marked nothing
    patient: str
    nodule: str  #: patient and number, such as ``phantom0001/nodule-0``
    position: int  #: number of the slice in its nodule, from 0

    @property
    def target(self) -> tuple[Path, ...]:
        """The files of the masks."""
        return self.masks


def holds_marked(root: Path) -> bool:
    """Whether folders of nodules lie in folders of patients: here, or in the folders ``train`` and ``test``.

    A folder that can not be listed, such as ``lost+found`` of a disk, is passed over.
    """
    return any(True for _ in _seen_nodules(root))


def find_marked(folder: Path) -> Path:
    """The folder that `holds_marked`: this one, or the only one in it that does, as archives are often packed."""
    if not folder.is_dir() or holds_marked(folder):
        return folder
    within = [path for path in class_folders(folder) if holds_marked(path)]
    return within[0] if len(within) == 1 else folder


def patients_of_marked(root: Path) -> list[Path]:
    """The folders of the patients of all parts, apart from those that can not be listed."""
    return list(dict.fromkeys(nodule.parent for nodule in _seen_nodules(root)))


def marked_images_of(root: Path) -> list[Path]:
    """The slices of all parts, by their names; hidden files do not count."""
    return [path for nodule in _nodules(root) for path in _images_in(nodule / IMAGES)]


def files_of_marked(root: Path) -> list[Path]:
    """The same, and all masks."""
    masks = [folder for nodule in _nodules(root) for folder in folders_in(nodule) if READER.fullmatch(folder.name)]
    return [*marked_images_of(root), *(path for folder in masks for path in _images_in(folder))]


def read_marked(folder: Path) -> list[MarkedSlice]:
    """The slices of all patients in a folder, in the order of patient, nodule and number. No file is opened.

    Each slice has a mask of each reader, and the readers are as many everywhere.

    Raises:
        DataError: the folder is not in this layout, a patient has no nodule or a nodule no slice, the number of a slice
            is missing or there twice, a slice lacks a mask or a mask its slice, or a nodule has other readers.
    """
    patients = class_folders(folder)
    if not any(_nodules_in(patient) for patient in patients):
        raise DataError(
            f"{printable(folder)} must hold {LAYOUT}, but has {some_of([path.name for path in patients]) or 'nothing'}"
            " and no nodule in it. Point COURSE_DATA at the folder that holds those of the patients, or train/ and "
            "test/ with these."
        )
    slices = [one for patient in patients for nodule in _numbered_nodules(patient) for one in _of_nodule(nodule)]
    _check_readers(folder, slices)
    return slices


def _numbered_nodules(patient: Path) -> list[Path]:
    nodules = list(_by_number(patient, _nodules_in(patient), NODULE).values())
    if not nodules:
        raise DataError(
            f"{printable(patient)} holds no folder nodule-0, nodule-1, …, as that of a patient does. Copy the nodules "
            "there, or move the folder out."
        )
    return nodules


def _of_nodule(nodule: Path) -> list[MarkedSlice]:
    """The slices of one nodule with their masks."""
    images = nodule / IMAGES
    slices = _slices_in(images) if images.is_dir() else {}
    if not slices:
        raise DataError(
            f"{printable(nodule)} has no slice in {IMAGES}/: expected slice-0.png, slice-1.png, … Copy the slices "
            "there, or remove the nodule."
        )
    _check_no_gap(images, slices, "slice-{}.png")
    readers = _by_number(nodule, [path for path in folders_in(nodule) if READER.fullmatch(path.name)], READER)
    if not readers:
        raise DataError(
            f"{printable(nodule)} has no folder mask-0, mask-1, … with the masks of its readers. Copy them there, or "
            "remove the nodule."
        )
    _check_no_gap(nodule, readers, "mask-{}")
    masks = [_masks_of(folder, slices) for folder in readers.values()]
    patient = nodule.parent.name
    return [
        MarkedSlice(path, tuple(drawn[number] for drawn in masks), patient, f"{patient}/{nodule.name}", number)
        for number, path in slices.items()
    ]


def _masks_of(folder: Path, slices: dict[int, Path]) -> dict[int, Path]:
    """What one reader drew, by the number of the slice."""
    masks = _slices_in(folder)
    if missing := sorted(slices.keys() - masks.keys()):
        raise DataError(
            f"{printable(folder)} lacks the mask of {len(missing)} slices "
            f"({some_of([slices[number].name for number in missing])}). A reader who marked nothing there has a mask "
            "of zeros: copy the masks, or remove the nodule."
        )
    if alone := sorted(masks.keys() - slices.keys()):
        raise DataError(
            f"{printable(folder)} holds masks of slices that are not in {IMAGES}/ "
            f"({some_of([masks[number].name for number in alone])}). Copy these slices, or move the masks out."
        )
    return masks


def _slices_in(folder: Path) -> dict[int, Path]:
    paths = images_in(folder)
    if strange := [path.name for path in paths if not SLICE.fullmatch(path.name)]:
        raise DataError(
            f"{printable(folder)} holds images whose names do not say which slice they are ({some_of(strange)}). "
            "Expected slice-0.png, slice-1.png, …: rename them, or move them out."
        )
    return _by_number(folder, paths, SLICE)


def _by_number(folder: Path, paths: Sequence[Path], pattern: re.Pattern[str]) -> dict[int, Path]:
    """The paths by the number in their names, sorted; `DataError` where two have the same, as 1 and 01."""
    numbered = [(int(match[1]), path) for path in paths if (match := pattern.fullmatch(path.name))]
    by_number = dict(sorted(numbered))
    if twice := [path.name for number, path in numbered if path != by_number[number]]:
        raise DataError(
            f"{printable(folder)} holds numbers twice ({some_of(twice)} beside the same number written otherwise). "
            "Keep one of the two."
        )
    return by_number


def _check_no_gap(folder: Path, numbered: dict[int, Path], name: str) -> None:
    """Do nothing if the numbers are 0, 1, 2, … without a gap."""
    if missing := sorted(set(range(max(numbered) + 1)) - numbered.keys()):
        raise DataError(
            f"{printable(folder)} goes up to {name.format(max(numbered))}, but lacks "
            f"{some_of([name.format(number) for number in missing])}. Numbers begin at 0 and have no gap, so something "
            "was lost: copy it again, or remove the nodule."
        )


def _check_readers(folder: Path, slices: Sequence[MarkedSlice]) -> None:
    """Do nothing if every nodule has as many readers as the first."""
    expected = len(slices[0].masks)
    if others := sorted({f"{one.nodule} has {len(one.masks)}" for one in slices if len(one.masks) != expected}):
        raise DataError(
            f"The nodules in {printable(folder)} have different numbers of readers: {slices[0].nodule} has {expected}, "
            f"{some_of(others)}. Each reader needs a folder mask-N in every nodule, with masks of zeros where nothing "
            "was marked: add the missing ones, or move these nodules out."
        )


def _nodules(root: Path) -> Iterator[Path]:
    for part in PARTS:
        for patient in class_folders(root / part):
            yield from _nodules_in(patient)


def _seen_nodules(root: Path) -> Iterator[Path]:
    """The same, without those that lie where nothing can be listed."""
    for part in PARTS:
        for patient in _if_listed(class_folders, root / part):
            yield from _if_listed(_nodules_in, patient)


def _if_listed(listing: Callable[[Path], list[Path]], folder: Path) -> list[Path]:
    try:
        return listing(folder)
    except DataError:
        return []


def _nodules_in(patient: Path) -> list[Path]:
    return entries_in(patient, lambda path: bool(NODULE.fullmatch(path.name)) and path.is_dir())


def _images_in(folder: Path) -> list[Path]:
    return entries_in(folder, names_an_image) if folder.is_dir() else []
