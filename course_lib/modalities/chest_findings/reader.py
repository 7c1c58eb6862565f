"""How films with findings in boxes are read: their boxes, whose they are, and which are held back for the test."""

from pathlib import Path
from typing import Literal

from course_lib.data.boxed_folder import boxed_images_of, read_boxed
from course_lib.data.image_folder import check_no_copies, hold_back_test
from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

#: What a box may be around, in the order of the labels, where no card says it.
CLASSES = (
    "Nodule",
    "Mass",
    "Effusion",
    "Pneumothorax",
    "Cardiomegaly",
    "Pneumonia",
    "Infiltrate",
    "Atelectasis",
)


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[BoxedImage], tuple[str, ...]]:
    """The films to train on, or those held back for the test, with and without boxes, and the names of the findings.

    They lie in ``images/`` beside ``boxes.csv``: in the folder itself, or in ``train`` and ``test``. Without a folder
    ``test``, `hold_back_test` chooses a fifth of the patients, with all of their films. None is decoded.

    Raises:
        DataError: a folder is not as `read_boxed` expects it, films lie beside ``train`` or ``test``, nothing would be
            left of a part, no film to train on has a box, a film to test on is one to train on too, or a finding is
            called a disease.
    """
    classes = card.classes if card else CLASSES
    if disease is not None:
        raise DataError(
            f"disease=… names one of two classes, but here a film has any number of boxes, each of one of the findings "
            f"{', '.join(classes)}. Leave it out."
        )
    _check_none_beside_parts(root)
    learned = root / "train" if (root / "train").is_dir() else root
    if (root / "test").is_dir():
        films = read_boxed(root / "test" if part == "test" else learned, classes, card)
        others = set(boxed_images_of(root)) - {film.path for film in films}
    else:
        rest, test = hold_back_test(read_boxed(learned, classes, card))
        films = test if part == "test" else rest
        others = {film.path for film in rest}
    if part == "test":
        check_no_copies([film.path for film in films], sorted(others))
    else:
        _check_some_boxes(root, films)
    return films, classes


def _check_none_beside_parts(root: Path) -> None:
    """Do nothing unless some films lie in the folder itself, and others in its folders ``train`` and ``test``."""
    films = boxed_images_of(root)
    beside = [film.name for film in films if film.parent.parent == root]
    if beside and len(beside) < len(films):
        raise DataError(
            f"{printable(root)} holds {len(beside):,} films beside its folders train/ and test/ ({some_of(beside)}), "
            "which would be left out. Move them and their boxes into train/, or out of the data set."
        )


def _check_some_boxes(root: Path, films: list[BoxedImage]) -> None:
    """Do nothing if a film has a box."""
    if not any(film.boxes for film in films):
        raise DataError(
            f"None of the {len(films):,} films to train on in {printable(root)} has a box, so there is nothing "
            "to learn. Add films with boxes to images/ and boxes.csv. Does boxes.csv have its header only?"
        )
