"""What the audit knows of a folder: every file is opened once, and these records are all that the parts look at."""

import re
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course_lib.audit.image_folders import (
    ImagePlace,
    class_folders_of,
    find_images,
    lone_masks,
    other_files,
)
from course_lib.data.image_folder import FOLD, likely_card
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.foreign_image import IMAGE_SUFFIXES, ImageError, files_in, image_bytes, read_image
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_bytes
from course_lib.support.foreign import printable
from course_lib.support.runtime import expanded, progress

SIDE = 64  #: px, of the small pictures that the audit keeps in memory
SHARP_SIDE = 256  #: px, the size at which sharpness is measured


@dataclass(frozen=True)
class ImageFile(ImagePlace):
    """One readable image file: where it lies, whose it is, and what can be told of it without looking at it."""

    kind: str  #: what a pattern of a data card calls ``kind`` in the file name, as in "virus"; else the class
    width: int  #: px
    height: int  #: px
    mode: str  #: ``L`` grey, ``RGB`` colour
    size_bytes: int
    quantisation: tuple[int, ...]  #: the JPEG's tables, one after the other; empty for PNG
    metadata_bytes: int  #: EXIF and comments
    digest: str  #: SHA-256 of size and grey values
    darkest: float  #: grey value that 1 % of the pixels do not exceed, 0 to 255
    brightest: float  #: grey value that 99 % do not exceed
    brightness: float  #: mean grey value
    contrast: float  #: standard deviation of the grey values
    sharpness: float  #: mean of the absolute Laplacian over the contrast, at 256 px

    @property
    def shown(self) -> str:
        """The name for a sentence, whatever it is made of."""
        return printable(self.name)


@dataclass(frozen=True)
class Inventory:
    """All image files of a folder, in the order of split, class and name."""

    root: Path
    card: DatasetCard | None
    knows_patients: bool  #: False: no file name says whose image it is, and each counts as a patient of its own
    files: tuple[ImageFile, ...]
    pixels: NDArray[np.uint8]  #: [files, 64, 64], each image squeezed to a square
    unreadable: tuple[str, ...] = ()  #: name and reason, to be printed
    other: tuple[str, ...] = ()  #: files that are no JPEG or PNG, to be printed
    lone_masks: tuple[str, ...] = ()  #: files among the masks that belong to no image, to be printed

    def __len__(self) -> int:
        return len(self.files)

    @property
    def knows_folds(self) -> bool:
        """Whether the file names give the fold of a patient (``fold1_``), and not the patient."""
        return not self.knows_patients and all(FOLD.match(file.patient) for file in self.files)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted({file.label for file in self.files}))

    @property
    def labels(self) -> NDArray[np.int64]:
        """[files], index into the classes."""
        return np.array([self.classes.index(file.label) for file in self.files], dtype=np.int64)

    @property
    def splits(self) -> NDArray[np.str_]:
        return np.array([file.split for file in self.files], dtype=np.str_)

    @property
    def patients(self) -> NDArray[np.str_]:
        """[files]; number 7 of train and number 7 of test are two patients where the data card says so."""
        apart = self.card is not None and self.card.splits_share_no_patient
        return np.array([f"{f.split}/{f.patient}" if apart else f.patient for f in self.files], dtype=np.str_)

    def small(self, side: int) -> NDArray[np.float64]:
        """[files, side, side], 0 black to 1 white; ``side`` divides 64."""
        step = SIDE // side
        blocks = self.pixels.reshape(len(self), side, step, side, step)
        return np.asarray(blocks.mean(axis=(2, 4)) / 255)

    def standardised(self) -> NDArray[np.float64]:
        """[files, 1024]: each picture at 32 px with mean 0 and standard deviation 1, so that brightness is gone."""
        flat = self.small(32).reshape(len(self), -1)
        return np.asarray((flat - flat.mean(axis=1, keepdims=True)) / (flat.std(axis=1, keepdims=True) + 1e-3))

    def take(self, chosen: NDArray[np.bool_]) -> "Inventory":
        """Only some of the files; unreadable ones are not counted again."""
        files = tuple(file for file, keep in zip(self.files, chosen, strict=True) if keep)
        return replace(self, files=files, pixels=self.pixels[chosen], unreadable=(), other=(), lone_masks=())

    def split(self, *names: str) -> "Inventory":
        """Only the files of some splits."""
        return self.take(np.isin(self.splits, names))


def take_inventory(
    folder: str | Path, card: DatasetCard | None = None, only: Collection[Path] | None = None
) -> Inventory:
    """Every image in the class folders of `image_folders`, or ``only`` those, opened once; no file is changed.

    Without a card, the one whose file names fit is taken. Files that can not be read are listed, not raised.

    Raises:
        DataError: the folder is not there, may not be read, or there is no image in one of the layouts.
    """
    root = expanded(folder)
    card = card or likely_card(root)
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    places = find_images(root, cards, only)
    if not places:
        raise DataError(
            f"There is no image to audit in {printable(root)}. Expected train/<CLASS>/*.jpeg, and val/ and test/ "
            f"beside train/ if there are any; or images/<CLASS>/ with masks/<CLASS>/ beside it, in the folder itself "
            f"or in each of these; the kinds are {', '.join(sorted(IMAGE_SUFFIXES))}."
        )
    files, pixels, unreadable = read_files(places, cards, "image")
    return Inventory(
        root=root,
        card=card,
        knows_patients=any(file.patient not in (file.name, file.path.name) for file in files),
        files=files,
        pixels=pixels,
        unreadable=unreadable,
        other=_shown(root, [path for path in other_files(root) if only is None or path in only]),
        lone_masks=_shown(root, lone_masks(root) if only is None else []),
    )


def read_files(
    places: Sequence[ImagePlace], cards: Sequence[DatasetCard], called: str
) -> tuple[tuple[ImageFile, ...], NDArray[np.uint8], tuple[str, ...]]:
    """The records of the files that can be read, their small pictures [files, 64, 64], and what is wrong with others.

    The bar of progress counts what they are ``called``, "image" for example.
    """
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda place: _read(place, cards), places)
        read = list(progress(results, f"Reading {called}s", called, len(places)))
    good = [result for result in read if not isinstance(result, str)]
    pixels = np.stack([small for _, small in good]) if good else np.zeros((0, SIDE, SIDE), np.uint8)
    return tuple(file for file, _ in good), pixels, tuple(result for result in read if isinstance(result, str))


def empty_classes(inventory: Inventory) -> list[str]:
    """Class folders in which no file is to be seen, as ``train/NORMAL``."""
    return list(_shown(inventory.root, [path for _, path in class_folders_of(inventory.root) if not files_in(path)]))


def _shown(root: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(printable(path.relative_to(root).as_posix()) for path in paths)


def _read(place: ImagePlace, cards: Sequence[DatasetCard]) -> tuple[ImageFile, NDArray[np.uint8]] | str:
    """The record of a file and its small picture, or what is wrong with it."""
    try:
        content = image_bytes(place.path)
        picture = read_image(content, place.path)
    except ImageError as error:
        return f"{printable(place.name)}: {error.problem}"
    grey = picture.grey
    histogram = np.cumsum(grey.histogram()) / (grey.width * grey.height)
    values = np.asarray(grey)
    contrast = float(values.std())
    file = ImageFile(
        **vars(place),
        kind=_kind_of(place.path.name, cards) or place.label,
        width=grey.width,
        height=grey.height,
        mode=picture.mode,
        size_bytes=len(content),
        quantisation=picture.quantisation,
        metadata_bytes=picture.metadata_bytes,
        digest=digest_of_bytes(f"{grey.size}".encode() + values.tobytes()),
        darkest=float(np.searchsorted(histogram, 0.01)),
        brightest=float(np.searchsorted(histogram, 0.99)),
        brightness=float(values.mean()),
        contrast=contrast,
        sharpness=_sharpness(grey) / max(contrast, 1.0),
    )
    return file, np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))


def _kind_of(file_name: str, cards: Sequence[DatasetCard]) -> str | None:
    matches = (re.fullmatch(pattern, file_name) for card in cards for pattern in card.file_names)
    return next((match["kind"] for match in matches if match and "kind" in match.re.groupindex), None)


def _sharpness(grey: Image.Image) -> float:
    """Mean absolute Laplacian, at a size that all pictures share or stay below."""
    small = grey.copy()
    small.thumbnail((SHARP_SIDE, SHARP_SIDE), Image.Resampling.BOX)
    x = np.asarray(small, dtype=np.float32)
    if min(x.shape) < 3:
        return 0.0
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    return float(np.abs(around - 4 * x[1:-1, 1:-1]).mean())
