"""How slices of lung nodules are read: their readers' masks, whose they are, and which are held back for the test."""

from pathlib import Path
from typing import Literal

from course_lib.data.image_folder import check_no_copies, hold_back_test
from course_lib.data.marked_slices import MarkedSlice, marked_images_of, patients_of_marked, read_marked
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

LABELS = ("background", "nodule")  #: what 0 and 255 mean in a mask, where no card says it


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[MarkedSlice], tuple[str, ...]]:
    """The slices to train on, or those held back for the test, and the names of the labels. No file is opened.

    They lie in folders of the patients: in the folder itself, or in ``train`` and ``test``. Without a folder ``test``,
    `hold_back_test` chooses a fifth of the patients.

    Raises:
        DataError: a folder is not as `read_marked` expects it, patients lie beside ``train`` or ``test``, nothing would
            be left of a part, a slice to test on lies in the other part too, or a class is called a disease.
    """
    if disease is not None:
        raise DataError(
            f"disease=… names one of two classes, but here every pixel has one of the labels {', '.join(LABELS)}. "
            "Leave it out."
        )
    _check_none_beside_parts(root)
    labels = card.classes if card else LABELS
    learned = root / "train" if (root / "train").is_dir() else root
    if not (root / "test").is_dir():
        rest, test = hold_back_test(read_marked(learned))
        return (test if part == "test" else rest), labels
    slices = read_marked(root / "test" if part == "test" else learned)
    if part == "test":
        tested = {one.path for one in slices}
        check_no_copies(sorted(tested), [path for path in marked_images_of(root) if path not in tested])
    return slices, labels


def _check_none_beside_parts(root: Path) -> None:
    """Do nothing unless some patients lie in the folder itself, and others in its folders ``train`` and ``test``."""
    patients = patients_of_marked(root)
    beside = [patient.name for patient in patients if patient.parent == root]
    if beside and len(beside) < len(patients):
        raise DataError(
            f"{printable(root)} holds {len(beside):,} patients beside its folders train/ and test/ "
            f"({some_of(beside)}), which would be left out. Move them into train/, or out of the data set."
        )
