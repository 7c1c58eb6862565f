"""How slices of brain tumours are read: class, mask, whose they are, and which of them are held back for the test."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from torchvision.transforms import v2

from course_lib.data.class_order import order_classes
from course_lib.data.image_file import open_mask
from course_lib.data.image_folder import FOLD, check_no_copies, hold_back_test, patients_are_folds
from course_lib.data.outlined_folder import MASK_VALUES, outlined_images_of, read_masked
from course_lib.data.outlines_and_boxes import OutlinedImage
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, fit_to_square
from course_lib.data.volume_folder import patient_of
from course_lib.modalities.brain_mri.slices import PLANES
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

AnySlice = TypeVar("AnySlice", bound=LabelledImage)
IN_PLANE = re.compile(rf"_({'|'.join(PLANES)})_")  #: how a name says the plane
NUMBERED = re.compile(r"(?P<series>.*?)_?(?P<number>\d+)\.\w+")  #: a file name that ends with the number of the slice


@dataclass(frozen=True)
class TumourSlice(LabelledImage):
    """One slice: its file, the kind of tumour, whose it is; and where the tumour is, and how the slice lies."""

    mask: Path | None = None  #: file of the mask, in `MASK_VALUES`; None where nobody drew one
    plane: str | None = None  #: ``axial``, ``coronal`` or ``sagittal``, where the file name says it


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[TumourSlice], tuple[str, ...]]:
    """The slices to train on, or those held back for the test, and the names of the classes. No file is opened.

    They lie in ``images/<class>/`` with masks in ``masks/<class>/``: in the folder itself, or in ``train`` and
    ``test``. Without a folder ``test``, `hold_back_test` chooses the highest fold, if the names give folds, or a fifth
    of the patients.

    Raises:
        DataError: a folder, a class or a file is missing, also in one of the folds; a mask belongs to no image; a name
            gives no patient; nothing would be left of a part; or a slice to test on lies in the other part too.
    """
    learned = root / "train" if (root / "train").is_dir() else root
    if (root / "test").is_dir():
        samples, classes = _read(root / part if part == "test" else learned, card, disease)
        if part == "test":
            tested = [sample.path for sample in samples]
            check_no_copies(tested, [path for path in outlined_images_of(root) if path not in set(tested)])
        return samples, classes
    samples, classes = _read(learned, card, disease)
    rest, test = hold_back_test(samples)
    if part == "test":
        check_no_copies([sample.path for sample in test], [sample.path for sample in rest])
    return (test if part == "test" else rest), classes


def outlined(slices: Sequence[TumourSlice]) -> list[OutlinedImage]:
    """Those that have a mask, as images of which the tumour is to be outlined; distances in them are in pixels."""
    return [OutlinedImage(one.path, one.mask, one.patient) for one in slices if one.mask]


def by_series(slices: Sequence[AnySlice]) -> list[AnySlice]:
    """The same slices; where nothing but the fold says whose each is, with its series in the patient's place.

    A bootstrap over them is the nearest to one over patients that can be had. A patient may have several series, so its
    intervals are somewhat too narrow. Slices are still to be parted by fold, never by series.
    """
    if not patients_are_folds(slices):
        return list(slices)
    return [replace(one, patient=series) for one, series in zip(slices, series_of(slices), strict=True)]


def masks_of(slices: Sequence[TumourSlice], how: Preprocessing) -> NDArray[np.bool_]:
    """Where the tumour is in each slice as a network sees it, [slices, size, size].

    Raises:
        DataError: a slice has no mask, or its mask can not be read.
    """
    if bare := [one.path.name for one in slices if one.mask is None]:
        raise DataError(f"{len(bare)} slices have no mask ({some_of(bare)}). Leave them out: [s for s in … if s.mask].")
    fit = v2.Compose(fit_to_square(how))
    return np.stack([np.asarray(fit(open_mask(one.mask))) for one in slices if one.mask]) > MASK_VALUES[1] // 2


def series_of(slices: Sequence[LabelledImage]) -> list[str]:
    """The series that each slice belongs to: slices of one patient and class with consecutive numbers.

    Where no name says more than the fold, this is the nearest to a patient that can be had. It is not one: a patient
    has several series, and two people's may follow each other.
    """
    names = [""] * len(slices)
    last, series = ("", -1, -1), ""
    for key, place in sorted((_place_in_series(one), place) for place, one in enumerate(slices)):
        if key[:2] != last[:2] or key[2] != last[2] + 1:
            series = f"{key[0]}_{key[1]}_{key[2]:04d}"
        last, names[place] = key, series
    return names


def _place_in_series(one: LabelledImage) -> tuple[str, int, int]:
    """What comes before the number in the name, the class, and the number."""
    numbered = NUMBERED.fullmatch(one.path.name)
    if numbered is None:
        raise DataError(
            f"{printable(one.path.name)} has no number. Expected a name that ends with that of the slice, as in "
            "fold1_0718.jpg; rename it."
        )
    return numbered["series"], one.label, int(numbered["number"])


def _read(folder: Path, card: DatasetCard | None, disease: str | None) -> tuple[list[TumourSlice], tuple[str, ...]]:
    images = read_masked(folder)
    names = sorted({image.class_name for image in images})
    if card and set(names) != set(card.classes):
        raise DataError(
            f"{printable(folder)} holds images of {', '.join(map(printable, names))}, but those of {card.name} are "
            f"{', '.join(card.classes)}. Copy what is missing, or move out what is too much."
        )
    classes = order_classes(names, card, disease, where=folder)
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    samples = [
        TumourSlice(
            image.path,
            classes.index(image.class_name),
            patient_of(image.path, cards),
            image.mask,
            found[1] if (found := IN_PLANE.search(image.path.name)) else None,
        )
        for image in images
    ]
    _check_folds(folder, samples, classes)
    return samples, classes


def _check_folds(folder: Path, samples: Sequence[TumourSlice], classes: Sequence[str]) -> None:
    """Do nothing if each fold that the names give holds every class, and no slice and no patient is in two of them."""
    in_folds = [(int(fold[1]), sample) for sample in samples if (fold := FOLD.match(sample.path.name))]
    missing = [
        f"{printable(name)} in fold {fold}"
        for fold in sorted({fold for fold, _ in in_folds})
        for label, name in enumerate(classes)
        if not any(number == fold and sample.label == label for number, sample in in_folds)
    ]
    if missing:
        raise DataError(
            f"{printable(folder)} holds no image of {some_of(missing)}. A class that is absent from a fold can not be "
            "learned there, or not be measured. Copy the missing images, or move the whole fold out."
        )
    places: dict[str, set[tuple[int, ...]]] = {}
    for number, sample in in_folds:
        places.setdefault(f"slice {_place_in_series(sample)[2]}", set()).add((number, sample.label))
        places.setdefault(f"patient {sample.patient}", set()).add((number,))
    if twice := sorted(what for what, there in places.items() if len(there) > 1):
        raise DataError(
            f"{printable(folder)} holds {len(twice):,} slices in two folds or classes, or patients in two folds "
            f"({some_of(twice)}). What is learned from one fold would then be tested on the same patient. Keep the "
            "files of one of the two."
        )
