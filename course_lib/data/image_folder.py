"""From a folder of images to samples: which class an image has, whose it is, and what is held back for the test."""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from course_lib.data.boxed_folder import boxed_images_of, holds_boxed
from course_lib.data.class_order import order_classes
from course_lib.data.marked_slices import holds_marked, patients_of_marked
from course_lib.data.outlined_folder import holds_outlined, outlined_images_of
from course_lib.data.samples import LabelledImage
from course_lib.data.volume_folder import holds_volumes, patient_of, volumes_of
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.foreign_image import IMAGE_SUFFIXES, class_folders, files_in, images_in, names_an_image
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_file
from course_lib.support.foreign import printable, some_of

READ = ("train", "test")  #: a folder val is not
FOLD = re.compile(r"fold(\d+)_")  #: how a file name begins that says in which fold its patient is
HELD_BACK = 5  #: without folds, every fifth patient is


class OfPatient(Protocol):
    """A file, and whose it is."""

    @property
    def path(self) -> Path: ...

    @property
    def patient(self) -> str: ...


AnySample = TypeVar("AnySample", bound=OfPatient)


def holds_a_set(root: Path) -> bool:
    """Whether the folder is a data set itself: in ``train``, as volumes, as images with masks or boxes, as slices."""
    forms = (holds_volumes, holds_outlined, holds_boxed, holds_marked)
    return (root / "train").is_dir() or any(holds(root) for holds in forms)


def recognise_card(root: Path) -> DatasetCard | None:
    """The card of a folder, by the names of the images in it, or None: a folder of its own kind.

    Marked slices are known by the names of their patients' folders. A card that says nothing of names is that of a
    folder with the card's name.

    Raises:
        DataError: half of the names or more are those of a card, but not all.
    """
    paths = _all_of(root)
    card = _likely_card(root, paths)
    strange = [path for path in paths if not card.knows(path.name)] if card and card.file_names else []
    if card and strange:
        raise DataError(
            f"{printable(root)} looks like {card.name}, but {len(strange):,} of its {len(paths):,} names have another "
            f"form ({some_of([path.relative_to(root) for path in strange])}). Move them out, if they do not belong to "
            f"it; else rename them in the form that datasets/{card.slug}.toml says."
        )
    return card


def likely_card(root: Path) -> DatasetCard | None:
    """The same, but also where up to half of the names are strange to the card: an audit is made for such folders."""
    return _likely_card(root, _all_of(root))


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The labelled images to train on, or those held back for the test, and the class names; as `read_split` does.

    Without a folder ``test``, `hold_back_test` takes the test part from ``train``.

    Raises:
        DataError: the folder, a class, or a patient's name is missing, ``train`` and ``test`` have other classes,
            nothing would be left of a part, an image to test on lies in ``train`` too, or nothing tells which of two
            classes is the disease.
    """
    if (root / "test").is_dir():
        _check_same_classes(root)
        samples, classes = read_split(root, part, card, disease)
        if part == "test":
            check_no_copies([sample.path for sample in samples], _images_of(root, "train"))
        return samples, classes
    samples, classes = read_split(root, "train", card, disease)
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


def patients_are_folds(samples: Sequence[OfPatient]) -> bool:
    """Whether nothing says whose image it is but the fold in its name: ``fold1_0718.jpg`` is of the patient fold1."""
    return bool(samples) and all(
        (fold := FOLD.match(sample.path.name)) and sample.patient == fold[0].rstrip("_") for sample in samples
    )


def describe_test_part(root: Path, samples: Sequence[OfPatient]) -> str:
    """How the test part of a folder came about, for a note; empty if the folder has a part of its own for that."""
    if (root / "test").is_dir():
        return ""
    if all(FOLD.match(sample.path.name) for sample in samples):
        return "There is no folder test/: the test part is the highest fold."
    return "There is no folder test/: the test part is a fixed fifth of the patients."


def read_split(
    root: Path, split: str, card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The labelled images in ``<root>/<split>/<CLASS>/``, and the class names in the order of their labels.

    `order_classes` says what the order is. The patient comes from the file name, by the patterns of the card (of all
    cards, where none is given).

    Raises:
        DataError: the folder, a class, or a patient's name is missing, what has the name of an image is no file, or
            nothing tells which class is the disease.
    """
    classes = order_classes(_class_folders(root, split), card, disease, where=root / split)
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    scope = f"{split}/" if card and card.splits_share_no_patient else ""
    samples = []
    for label, name in enumerate(classes):
        paths = images_in(root / split / name)
        if not paths:
            raise DataError(
                f"{printable(root / split / name)} holds no image: expected at least one of the kinds "
                f"{', '.join(sorted(IMAGE_SUFFIXES))}. Copy the images of class {printable(name)} there, or remove the "
                "folder."
            )
        samples += [LabelledImage(path, label, scope + patient_of(path, cards)) for path in paths]
    return samples, classes


def check_no_copies(test: Sequence[Path], train: Sequence[Path]) -> None:
    """Do nothing if no file to test on is, byte for byte, one to train on. Only files of the same size are read.

    A file that can not be read is passed over: it is named when its pixels are asked for.

    Raises:
        DataError: some are.
    """
    shared = {size for size, _ in _sized(test)} & {size for size, _ in _sized(train)} - {0}
    trained = dict(_digests(train, shared))
    both = [(path, trained[content]) for content, path in _digests(test, shared) if content in trained]
    if both:
        copies = some_of([f"{_place(one)} is {_place(other)}" for one, other in both])
        raise DataError(
            f"{len(both):,} of the {len(test):,} test images lie in train too, byte for byte ({copies}). A network "
            "that learned from them has seen the answer, and its score would be too good. Remove the copies from one "
            "of the two; or remove the folder test/, so that a part of the patients is held back for the test."
        )


def _class_folders(root: Path, split: str) -> tuple[str, ...]:
    folder = root / split
    if not folder.is_dir():
        raise DataError(
            f"{printable(root)} has no folder {split}/. Expected the layout {split}/<CLASS>/, one folder per class "
            "with images in them; point COURSE_DATA at the folder that holds train/ and test/."
        )
    classes = [path.name for path in class_folders(folder)]
    if len(classes) < 2:
        raise DataError(
            f"{printable(folder)} must hold one folder per class, at least two (train/HEALTHY and train/SICK, for "
            f"example), but holds {some_of(classes) or 'none'}. Add the missing one."
        )
    return tuple(classes)


def _check_same_classes(root: Path) -> None:
    """Do nothing if ``train`` and ``test`` have the same class folders, or if one of the two has none.

    Raises:
        DataError: a class is in one of them alone.
    """
    train, test = ({path.name for path in class_folders(root / part)} for part in READ)
    alone = {"train": sorted(train - test), "test": sorted(test - train)}
    if train and test and any(alone.values()):
        where = "; ".join(f"only {part}/ has {some_of(names)}" for part, names in alone.items() if names)
        raise DataError(
            f"train/ and test/ in {printable(root)} hold different classes: {where}. A class that is in one of them "
            "alone can not be learned, or not be measured. Rename the folders if one class has two names; else move "
            "that class out of the data set."
        )


def _hash(name: str) -> int:
    """The same number for a name on every computer."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8])


def _images_of(root: Path, split: str = "") -> list[Path]:
    """What has the name of an image in the parts that are read, or in one of them, apart from what is hidden."""
    folders = [folder for name in ([split] if split else READ) for folder in class_folders(root / name)]
    return [path for folder in folders for path in files_in(folder) if names_an_image(path)]


def _all_of(root: Path) -> list[Path]:
    """What tells the card of a folder by its name: images and volumes in whatever layout, or folders of patients."""
    boxed = boxed_images_of(root)
    others = set(boxed)  # in a part they lie in one folder, as the images of a class do
    images = [path for path in _images_of(root) if path not in others]
    return images + volumes_of(root) + outlined_images_of(root) + boxed + patients_of_marked(root)


def _likely_card(root: Path, paths: Sequence[Path]) -> DatasetCard | None:
    cards = [load_card(slug) for slug in card_slugs()]
    if named := next((card for card in cards if not card.file_names and card.slug == root.name), None):
        return named
    known = [sum(card.knows(path.name) for path in paths) for card in cards]
    most = max(known, default=0)
    return cards[known.index(most)] if most and 2 * most >= len(paths) else None


def _sized(paths: Sequence[Path]) -> Iterator[tuple[int, Path]]:
    for path in paths:
        with suppress(OSError):
            yield path.stat().st_size, path


def _digests(paths: Sequence[Path], sizes: Collection[int]) -> Iterator[tuple[str, Path]]:
    for size, path in _sized(paths):
        with suppress(OSError):
            if size in sizes:
                yield digest_of_file(path), path


def _place(path: Path) -> str:
    return printable("/".join(path.parts[-3:]))
