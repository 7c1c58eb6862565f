"""Labelled image files, the patients they belong to, and splits that keep a patient together."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from torch.utils.data import Dataset

from course_lib.cards import IMAGE_SUFFIXES, card_slugs
from course_lib.cards import DataError as DataError
from course_lib.cards import DatasetCard as DatasetCard
from course_lib.cards import load_card as load_card
from course_lib.runtime import progress

READABLE_MODES = {"L": "8-bit grey", "RGB": "8-bit colour"}


@dataclass(frozen=True)
class Radiograph:
    """One image file, what it shows, and whose it is."""

    path: Path
    label: int  #: index into the class names, which are in alphabetical order
    patient: str  #: the same for all images of one patient, and for no others


def recognise_card(root: Path) -> DatasetCard | None:
    """The card whose file names are those of the folder, or None: a folder of its own kind."""
    names = [path.name for path in sorted(root.glob("*/*/*")) if path.suffix.lower() in IMAGE_SUFFIXES]
    for slug in card_slugs():
        card = load_card(slug)
        if names and all(card.patient_of(name) for name in names):
            return card
    return None


def read_split(root: Path, split: str, card: DatasetCard | None = None) -> tuple[list[Radiograph], tuple[str, ...]]:
    """The labelled images in ``<root>/<split>/<CLASS>/``, and the class names in alphabetical order.

    The patient comes from the file name, by the patterns of the card (of all cards, where none is given).

    Raises:
        DataError: the folder, a class, or a patient's name is missing.
    """
    classes = _class_folders(root, split)
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    scope = f"{split}/" if card and card.splits_share_no_patient else ""
    radiographs = []
    for label, name in enumerate(classes):
        paths = sorted(p for p in (root / split / name).iterdir() if _is_image(p))
        if not paths:
            raise DataError(
                f"{root / split / name} holds no image: expected at least one of the kinds "
                f"{', '.join(sorted(IMAGE_SUFFIXES))}. Copy the images of class {name} there, or remove the folder."
            )
        radiographs += [Radiograph(path, label, scope + _patient_of(path, cards)) for path in paths]
    return radiographs, classes


def split_by_patient(
    radiographs: Sequence[Radiograph], fraction: float = 0.2, seed: int = 0
) -> tuple[list[Radiograph], list[Radiograph]]:
    """Two lists, the second with about ``fraction`` of the images: no patient in both, classes in like proportion.

    The same seed gives the same split.

    Raises:
        DataError: a class has too few patients to be in both lists.
        ValueError: the fraction is not between 0 and 0.5.
    """
    if not 0 < fraction <= 0.5:
        raise ValueError(f"fraction must be above 0 and at most 0.5, but is {fraction}.")
    return folds_by_patient(radiographs, round(1 / fraction), seed)[0]


def folds_by_patient(
    radiographs: Sequence[Radiograph], folds: int = 5, seed: int = 0
) -> list[tuple[list[Radiograph], list[Radiograph]]]:
    """For cross-validation: as many pairs of lists as there are folds; each image is in one second list only.

    In a pair no patient is in both lists, and the classes are in like proportion. The same seed gives the same folds.

    Raises:
        DataError: a class has fewer patients than there are folds.
    """
    patients_of = {
        label: {r.patient for r in radiographs if r.label == label} for label in {r.label for r in radiographs}
    }
    for label, patients in patients_of.items():
        if len(patients) < folds:
            raise DataError(
                f"To keep {1 / folds:.0%} apart, each class needs images of at least {folds} patients, "
                f"but class {label} has {len(patients)}. Use more patients or a larger fraction."
            )
    labels, groups = [r.label for r in radiographs], [r.patient for r in radiographs]
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    pairs = splitter.split(np.zeros(len(labels)), labels, groups)
    return [([radiographs[i] for i in first], [radiographs[i] for i in second]) for first, second in pairs]


def take_patients(radiographs: Sequence[Radiograph], max_images: int, seed: int = 0) -> list[Radiograph]:
    """At most ``max_images`` images: all images of patients that are drawn at random, in the original order."""
    if len(radiographs) <= max_images:
        return list(radiographs)
    images_of = Counter(r.patient for r in radiographs)
    chosen, total = set(), 0
    for patient in np.random.default_rng(seed).permutation(sorted(images_of)):
        if total + images_of[patient] <= max_images:
            chosen.add(str(patient))
            total += images_of[patient]
    return [r for r in radiographs if r.patient in chosen]


def draw_patients(radiographs: Sequence[Radiograph], patients: int, seed: int = 0) -> list[Radiograph]:
    """All images of so many patients, drawn at random with the classes in like proportion, in the original order.

    Raises:
        DataError: there are fewer patients, or so few are wanted that a class would get none.
    """
    label_of = {r.patient: r.label for r in radiographs}
    if patients == len(label_of):
        return list(radiographs)
    names, labels = sorted(label_of), [label_of[name] for name in sorted(label_of)]
    try:
        chosen = set(train_test_split(names, train_size=patients, stratify=labels, random_state=seed)[0])
    except ValueError as error:
        raise DataError(
            f"{patients} patients with every class among them can not be drawn from {len(names)}: {error} "
            "Ask for another number."
        ) from error
    return [r for r in radiographs if r.patient in chosen]


def check_patients_apart(first: Iterable[Radiograph], second: Iterable[Radiograph], names: tuple[str, str]) -> None:
    """Do nothing if no patient is in both lists.

    Raises:
        DataError: some are; a score on the second list would then be too good to be true.
    """
    both = sorted({r.patient for r in first} & {r.patient for r in second})
    if both:
        raise DataError(
            f"{names[0]} and {names[1]} must not share patients, but {len(both)} are in both "
            f"({', '.join(both[:3])}{', …' if len(both) > 3 else ''}). Move all images of a patient to one side; or, "
            "if the same number is another patient in each split, say so in a data card (splits_share_no_patient)."
        )


def open_grey(path: Path, at_least: int | None = None) -> Image.Image:
    """The image as 8-bit grey, mode ``L``, decoded to the last byte.

    A JPEG may be decoded at a half, a quarter or an eighth of its size, which is faster, if both sides still have
    ``at_least`` so many pixels.

    Raises:
        DataError: the file can not be read, or holds something else than 8-bit grey or colour.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in READABLE_MODES:
                raise DataError(
                    f"{path.name} is an image of mode {image.mode}; expected {' or '.join(READABLE_MODES.values())}. "
                    "Convert it first: choose what becomes black and what white, then save it as 8-bit grey."
                )
            if at_least:
                image.draft("L", (at_least, at_least))
            return image.convert("L")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path} can not be read as an image ({error}). Expected a whole JPEG or PNG: copy it again from its "
            "source, or leave it out with skip_unreadable=True."
        ) from error


def check_images(radiographs: Sequence[Radiograph], *, skip_unreadable: bool = False) -> list[Radiograph]:
    """The same list, once every file has been opened and decoded.

    With ``skip_unreadable`` the files that can not be read are named in a warning and left out.

    Raises:
        DataError: some files can not be read; the message names them.
    """
    with ThreadPoolExecutor() as pool:
        problems = list(progress(pool.map(_problem_with, radiographs), "Checking images", "image", len(radiographs)))
    bad = [problem for problem in problems if problem]
    if not bad:
        return list(radiographs)
    named = "\n".join(f"  {problem}" for problem in bad[:10]) + (
        f"\n  … and {len(bad) - 10} more" if len(bad) > 10 else ""
    )
    if not skip_unreadable:
        raise DataError(f"{len(bad)} of {len(radiographs)} images can not be used:\n{named}")
    print(f"Left out {len(bad)} of {len(radiographs)} images:\n{named}")
    return [radiograph for radiograph, problem in zip(radiographs, problems, strict=True) if not problem]


class ImageData(Protocol):
    """Labelled radiographs that can be asked for in batches: what training and prediction work on."""

    radiographs: tuple[Radiograph, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int: ...

    @property
    def labels(self) -> list[int]: ...

    @property
    def patients(self) -> list[str]: ...

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device."""

    def take(self, indices: Iterable[int]) -> Self:
        """The same kind of data with some of the images only, in the order of ``indices``."""


class RadiographDataset(Dataset[tuple[torch.Tensor, int]]):
    """The radiographs as a torch ``Dataset``: item i is (transform of the grey image, label).

    ``classes`` are the names of the labels. Items are read from disk each time they are asked for.
    """

    def __init__(
        self,
        radiographs: Sequence[Radiograph],
        classes: Sequence[str],
        transform: Callable[[Image.Image], torch.Tensor],
    ) -> None:
        if not radiographs:
            raise DataError("A data set needs at least one image, got none.")
        if max(r.label for r in radiographs) >= len(classes):
            raise DataError(
                f"Labels go up to {max(r.label for r in radiographs)}, but there are only the classes {classes}."
            )
        self.radiographs = tuple(radiographs)
        self.classes = tuple(classes)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.radiographs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        radiograph = self.radiographs[index]
        return self.transform(open_grey(radiograph.path)), radiograph.label

    @property
    def labels(self) -> list[int]:
        return [radiograph.label for radiograph in self.radiographs]

    @property
    def patients(self) -> list[str]:
        return [radiograph.patient for radiograph in self.radiographs]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these images: float32 [images, 3, height, width] on the device."""
        return torch.stack([self[i][0] for i in indices.tolist()]).to(device)

    def take(self, indices: Iterable[int]) -> "RadiographDataset":
        """The same kind of data with some of the images only, in the order of ``indices``."""
        return RadiographDataset([self.radiographs[i] for i in indices], self.classes, self.transform)


def _class_folders(root: Path, split: str) -> tuple[str, ...]:
    folder = root / split
    if not folder.is_dir():
        raise DataError(
            f"{root} has no folder {split}/. Expected the layout {split}/NORMAL/ and {split}/PNEUMONIA/ with images in "
            "them; point COURSE_DATA at the folder that holds train/ and test/."
        )
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    if len(classes) < 2:
        raise DataError(
            f"{folder} must hold one folder per class, at least two (train/NORMAL and train/PNEUMONIA, for example), "
            f"but holds {', '.join(classes) or 'none'}. Add the missing one."
        )
    return tuple(classes)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _patient_of(path: Path, cards: Sequence[DatasetCard]) -> str:
    for card in cards:
        if patient := card.patient_of(path.name):
            return patient
    raise DataError(
        f"The file name {path.name} does not say whose image it is. Expected a name like person12_bacteria_34.jpeg or "
        "NORMAL2-IM-0439-0001.jpeg; for other names, add a pattern with a group `patient` to a data card in datasets/."
    )


def _problem_with(radiograph: Radiograph) -> str:
    try:
        open_grey(radiograph.path)
    except DataError as error:
        return str(error)
    return ""
