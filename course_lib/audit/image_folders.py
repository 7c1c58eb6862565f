"""Where images lie in a folder, in which split, whose they are, and which masks belong to them; nothing is opened.

A folder of images is ``{train,val,test}/<CLASS>/``. Or it is ``images/<CLASS>/`` with masks of the same names in
``masks/<CLASS>/``, in the folder itself or in its folders ``train``, ``val`` and ``test``.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib.data.image_folder import hold_back_test, patients_are_folds
from course_lib.data.outlined_folder import IMAGES, MASK_SUFFIX, MASKS
from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.foreign_image import class_folders, files_in, names_an_image
from course_lib.support.errors import DataError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ImagePlace:
    """The file of an image."""

    path: Path
    name: str  #: below the folder, such as ``train/NORMAL/1.jpeg``
    split: str
    label: str  #: name of the class folder
    patient: str  #: as the file name says; the file's own name where it says nothing, or the fold alone
    mask: Path | None  #: the file of its mask, if there is one


def class_folders_of(root: Path) -> list[tuple[str, Path]]:
    """Split and class folder, in this order, in the layout in which images are to be seen."""
    plain = [(split, folder) for split in SPLITS for folder in class_folders(root / split)]
    if any(names_an_image(path) for _, folder in plain for path in files_in(folder)):
        return plain
    return _folders_beside_masks(root, IMAGES) or plain


def find_images(root: Path, cards: Sequence[DatasetCard], only: Collection[Path] | None = None) -> list[ImagePlace]:
    """Every file in a class folder that has the name of an image, or ``only`` those, in order of split, class and name.

    Where images lie beside masks and none is to test on, `hold_back_test` chooses some, as for training.

    Raises:
        DataError: a folder may not be read.
    """
    places = [
        _place(root, split, path, cards)
        for split, folder in class_folders_of(root)
        for path in files_in(folder)
        if names_an_image(path)
    ]
    if has_mask_layout(root) and {place.split for place in places} == {"train"}:
        with suppress(DataError):  # too few patients for a test part
            held_back = {place.path for place in hold_back_test(places)[1]}
            places = [replace(place, split="test") if place.path in held_back else place for place in places]
            places.sort(key=lambda place: SPLITS.index(place.split))
    return [place for place in places if only is None or place.path in only]


def other_files(root: Path) -> list[Path]:
    """What lies in the class folders and does not have the name of an image."""
    return [path for _, folder in class_folders_of(root) for path in files_in(folder) if not names_an_image(path)]


def has_mask_layout(root: Path) -> bool:
    """Whether the images lie in the layout with masks, also where nobody has drawn one."""
    return any(lies_beside_masks(folder) for _, folder in class_folders_of(root))


def lies_beside_masks(class_folder: Path) -> bool:
    """Whether masks of these images are looked for."""
    return class_folder.parent.name == IMAGES


def mask_place(image: Path) -> Path:
    """Where the mask of an image lies, if it has one."""
    return image.parents[2] / MASKS / image.parent.name / image.with_suffix(MASK_SUFFIX).name


def lone_masks(root: Path) -> list[Path]:
    """Files among the masks that belong to no image."""
    if not has_mask_layout(root):
        return []
    there = [path for _, folder in _folders_beside_masks(root, MASKS) for path in files_in(folder)]
    images = [path for _, folder in _folders_beside_masks(root, IMAGES) for path in files_in(folder)]
    expected = {mask_place(path) for path in images if names_an_image(path)}
    return [path for path in there if path not in expected]


def _folders_beside_masks(root: Path, kind: str) -> list[tuple[str, Path]]:
    return [(part or "train", folder) for part in ("", *SPLITS) for folder in class_folders(root / part / kind)]


def _place(root: Path, split: str, path: Path, cards: Sequence[DatasetCard]) -> ImagePlace:
    name = path.relative_to(root).as_posix()
    patient = next((patient for card in cards if (patient := card.patient_of(path.name))), name)
    mask = mask_place(path) if lies_beside_masks(path.parent) else None
    place = ImagePlace(path, name, split, path.parent.name, patient, mask if mask and mask.is_file() else None)
    return replace(place, patient=path.name) if patients_are_folds([place]) else place
