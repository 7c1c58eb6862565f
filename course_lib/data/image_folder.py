"""From a folder of images to samples: which class an image has, whose it is, and whether it can be read."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course_lib.data.image_file import open_grey
from course_lib.data.samples import Radiograph
from course_lib.sources.dataset_card import IMAGE_SUFFIXES, DatasetCard, card_slugs, load_card
from course_lib.support.errors import DataError
from course_lib.support.runtime import progress


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
