"""From a folder of images to samples: which class an image has, whose it is, and what is held back for the test."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from course_lib.data.samples import LabelledImage
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.foreign_image import IMAGE_SUFFIXES, folders_in, images_in
from course_lib.support.errors import DataError

FOLD = re.compile(r"fold(\d+)_")  #: how a file name begins that says in which fold its patient is
HELD_BACK = 5  #: without folds, every fifth patient is


class OfPatient(Protocol):
    """A file, and whose it is."""

    @property
    def path(self) -> Path: ...

    @property
    def patient(self) -> str: ...


AnySample = TypeVar("AnySample", bound=OfPatient)


def recognise_card(root: Path) -> DatasetCard | None:
    """The card whose file names are those of the folder, or None: a folder of its own kind.

    A card that says nothing of file names is that of a folder with the card's name.
    """
    names = [path.name for path in sorted(root.glob("*/*/*")) if path.suffix.lower() in IMAGE_SUFFIXES]
    for card in map(load_card, card_slugs()):
        by_names = bool(names) and all(card.knows(name) for name in names)
        if by_names if card.file_names else root.name == card.slug:
            return card
    return None


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None
) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The labelled images to train on, or those held back for the test, and the class names; as `read_split` does.

    Without a folder ``test``, `hold_back_test` takes the test part from ``train``.

    Raises:
        DataError: the folder, a class, or a patient's name is missing, or nothing would be left of a part.
    """
    if (root / "test").is_dir():
        return read_split(root, part, card)
    samples, classes = read_split(root, "train", card)
    rest, test = hold_back_test(samples)
    return (test if part == "test" else rest), classes


def hold_back_test(samples: Sequence[AnySample]) -> tuple[list[AnySample], list[AnySample]]:
    """What is left to train on, and the test part, of a real set that has none of its own.

    The test part is the highest fold where file names give folds (``fold3_…``), else a fifth of the patients by a hash
    of their names. It does not depend on which other patients are there.

    Raises:
        DataError: nothing would be left of one of the two.
    """
    folds = [FOLD.match(sample.path.name) for sample in samples]
    if samples and all(folds):
        numbers = [int(fold[1]) for fold in folds if fold]
        highest = max(numbers)
        held = [number == highest for number in numbers]
    else:
        held = [_hash(sample.patient) % HELD_BACK == 0 for sample in samples]
    if all(held) or not any(held):
        raise DataError(
            f"{len(samples)} images of {len({sample.patient for sample in samples})} patients can not be parted into "
            "images to train on and a test part. Add patients (or a second fold), or put the images to test on into a "
            "folder test/ beside train/."
        )
    pairs = list(zip(samples, held, strict=True))
    return [sample for sample, test in pairs if not test], [sample for sample, test in pairs if test]


def describe_test_part(root: Path, samples: Sequence[OfPatient]) -> str:
    """How the test part of a folder came about, for a note; empty if the folder has a part of its own for that."""
    if (root / "test").is_dir():
        return ""
    if all(FOLD.match(sample.path.name) for sample in samples):
        return "There is no folder test/: the test part is the highest fold."
    return "There is no folder test/: the test part is a fixed fifth of the patients."


def read_split(root: Path, split: str, card: DatasetCard | None = None) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The labelled images in ``<root>/<split>/<CLASS>/``, and the class names in the order of their labels.

    The order is the card's if the folder has just its classes, else the alphabet's. The patient comes from the file
    name, by the patterns of the card (of all cards, where none is given).

    Raises:
        DataError: the folder, a class, or a patient's name is missing, or what has the name of an image is no file.
    """
    classes = _class_folders(root, split)
    classes = card.classes if card and sorted(card.classes) == list(classes) else classes
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    scope = f"{split}/" if card and card.splits_share_no_patient else ""
    samples = []
    for label, name in enumerate(classes):
        paths = images_in(root / split / name)
        if not paths:
            raise DataError(
                f"{root / split / name} holds no image: expected at least one of the kinds "
                f"{', '.join(sorted(IMAGE_SUFFIXES))}. Copy the images of class {name} there, or remove the folder."
            )
        samples += [LabelledImage(path, label, scope + _patient_of(path, cards)) for path in paths]
    return samples, classes


def _class_folders(root: Path, split: str) -> tuple[str, ...]:
    folder = root / split
    if not folder.is_dir():
        raise DataError(
            f"{root} has no folder {split}/. Expected the layout {split}/<CLASS>/, one folder per class with images in "
            "them; point COURSE_DATA at the folder that holds train/ and test/."
        )
    classes = [p.name for p in folders_in(folder) if not p.name.startswith("_")]
    if len(classes) < 2:
        raise DataError(
            f"{folder} must hold one folder per class, at least two (train/HEALTHY and train/SICK, for example), "
            f"but holds {', '.join(classes) or 'none'}. Add the missing one."
        )
    return tuple(classes)


def _hash(name: str) -> int:
    """The same number for a name on every computer."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])


def _patient_of(path: Path, cards: Sequence[DatasetCard]) -> str:
    for card in cards:
        if patient := card.patient_of(path.name):
            return patient
    names = " or ".join(f"datasets/{card.slug}.toml" for card in cards)
    raise DataError(
        f"The file name {path.name} does not say whose image it is. Expected a name of the form that "
        f"{names} says; for other names, add a pattern with a group `patient` to a data card in datasets/."
    )
