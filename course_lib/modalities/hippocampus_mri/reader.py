"""How volumes of the hippocampus are read: whose they are, and which of them are held back for the test."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from course_lib.data.image_folder import check_no_copies, hold_back_test
from course_lib.data.volume_folder import OutlinedVolume, read_outlined, volumes_of
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.support.errors import DataError

LABELS = ("background", "anterior", "posterior")  #: what 0, 1 and 2 mean in a label map
NUMBERED = re.compile(r"hippocampus_(\d{3})")  #: how the files of the Decathlon are called
REMARK = (
    "It is a fifth of the files, of which 2n - 1 and 2n show one person; where one of them is in the test part, the "
    "other one is left out."
)


def read_part(
    root: Path, part: Literal["train", "test"], card: DatasetCard | None = None, disease: str | None = None
) -> tuple[list[OutlinedVolume], tuple[str, ...]]:
    """The volumes to train on, or those held back for the test, and the names of the labels. No file is opened.

    They lie in ``images`` and ``labels``, or as in the Decathlon in ``imagesTr`` and ``labelsTr``: in the folder
    itself, or in ``train`` and ``test``. Without a folder ``test``, a fifth of the files is held back, as
    `hold_back_test` says; and nobody of whom one hippocampus is in the test part is trained on.

    Raises:
        DataError: a folder or a file is missing, a name gives no patient, nothing would be left of a part, a volume to
            test on lies in the other part too, or a class is called a disease.
    """
    if disease is not None:
        raise DataError(
            f"disease=… names one of two classes, but here every voxel has one of the labels {', '.join(LABELS)}. "
            "Leave it out."
        )
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    learned = root / "train" if (root / "train").is_dir() else root
    if not (root / "test").is_dir():
        rest, test = (_of_persons(volumes) for volumes in hold_back_test(read_outlined(learned, cards)))
        persons = {volume.patient for volume in test}
        return (test if part == "test" else [volume for volume in rest if volume.patient not in persons]), LABELS
    volumes = read_outlined(root / "test" if part == "test" else learned, cards)
    if part == "test":
        tested = [volume.path for volume in volumes]
        check_no_copies(tested, [path for path in volumes_of(root) if path not in tested])
    return _of_persons(volumes), LABELS


def person_of(patient: str) -> str:
    """Whose hippocampus it is, named after the first of the person's two files; other names stay as they are.

    No document of the Decathlon says which files are of one person. But it has 390 volumes of 195 people, and the grey
    values of files 2n - 1 and 2n are as alike as if they came from one scan, while those of 2n and 2n + 1 are not; the
    figures are in the real set's card.

    >>> person_of("hippocampus_004")
    'hippocampus_003'
    """
    numbered = NUMBERED.fullmatch(patient)
    return f"hippocampus_{(int(numbered[1]) - 1) // 2 * 2 + 1:03d}" if numbered else patient


def _of_persons(volumes: Sequence[OutlinedVolume]) -> list[OutlinedVolume]:
    return [replace(volume, patient=person_of(volume.patient)) for volume in volumes]
