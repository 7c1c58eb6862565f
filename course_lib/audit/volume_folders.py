"""Where volumes and their label maps lie in a folder, which belong together, and whose they are; nothing is opened.

A folder of volumes is ``<folder>/images/*.nii.gz`` with ``labels/`` beside it, or ``imagesTr`` and ``labelsTr`` as in
the Medical Segmentation Decathlon, or either of them below ``train``, ``val`` and ``test``. A label map has the name of
its volume.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib.audit.image_folders import SPLITS
from course_lib.data.image_folder import hold_back_test
from course_lib.data.volume_folder import LAYOUTS, names_a_volume
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, understood

TEST_OF_DECATHLON = ("test", Path("imagesTs"), Path("labelsTs"))
FOLDERS = (
    *(
        (part or "train", Path(part, images), Path(part, labels))
        for part in ("", *SPLITS)
        for images, labels in LAYOUTS
    ),
    TEST_OF_DECATHLON,
)  #: split, where its volumes lie, and where their label maps


@dataclass(frozen=True)
class VolumePair:
    """The file of a volume and that of its label map."""

    path: Path
    label_map: Path | None
    split: str
    patient: str  #: as the file name says; the file's own name where it says nothing
    kept_back: bool  #: in the test part of the Decathlon, of which nobody has the label maps


def has_volumes(root: Path) -> bool:
    """Whether there is a volume in one of the layouts."""
    return any(_volumes_in(root / images) for _, images, _ in FOLDERS)


def find_pairs(root: Path, card: DatasetCard | None) -> list[VolumePair]:
    """Every volume of a folder with its label map, in the order of split and name.

    Where no volume is to test on, `hold_back_test` chooses some, by the patients that the file names give.

    Raises:
        DataError: a folder may not be read, or there is no volume in one of the layouts.
    """
    pairs = _all_pairs(root)
    if not pairs:
        raise DataError(
            f"There is no volume to audit in {printable(root)}. Expected images/*.nii.gz, with the label maps under "
            "the same names in labels/; or imagesTr/ and labelsTr/; or either of them in train/, val/ and test/."
        )
    cards = [card] if card else [load_card(slug) for slug in card_slugs()]
    pairs = [replace(pair, patient=_patient_of(pair, cards)) for pair in pairs]
    if {pair.split for pair in pairs} == {"train"}:
        with suppress(DataError):  # too few patients for a test part
            _, held_back = hold_back_test(pairs)
            return [replace(pair, split="test") if pair in held_back else pair for pair in pairs]
    return pairs


def lone_label_maps(root: Path) -> list[Path]:
    """Label maps that have no volume."""
    used = {pair.label_map for pair in _all_pairs(root)}
    return [path for _, _, labels in FOLDERS for path in _volumes_in(root / labels) if path not in used]


def other_files(root: Path) -> list[Path]:
    """What lies beside the volumes and the label maps and is neither."""
    folders = [root / folder for _, images, labels in FOLDERS for folder in (images, labels)]
    return [path for folder in folders for path in _entries(folder) if not names_a_volume(path)]


def shown(path: Path) -> str:
    """Folder and name for a sentence, whatever they are made of."""
    return printable("/".join(path.parts[-2:]))


def _all_pairs(root: Path) -> list[VolumePair]:
    pairs = []
    for place in FOLDERS:
        split, images, labels = place
        maps = {path.name: path for path in _volumes_in(root / labels)}
        kept_back = place == TEST_OF_DECATHLON and not maps
        pairs += [
            VolumePair(path, maps.get(path.name), split, path.name, kept_back) for path in _volumes_in(root / images)
        ]
    return pairs


def _patient_of(pair: VolumePair, cards: Sequence[DatasetCard]) -> str:
    return next((patient for card in cards if (patient := card.patient_of(pair.path.name))), pair.path.name)


def _volumes_in(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if names_a_volume(path)]


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without what begins with a dot: macOS puts a file ``._x`` beside each ``x``."""
    name = printable(folder)
    with understood(lambda reason: DataError(f"{name} can not be listed ({reason}). Make it readable, or remove it.")):
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
