"""From a folder of images in classes, with the masks beside them, to pairs: which mask belongs to which image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.sources.foreign_image import IMAGE_SUFFIXES, class_folders, entries_in, images_in, names_an_image
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

IMAGES, MASKS = "images", "masks"
MASK_SUFFIX = ".png"  #: whatever the image is: a JPEG would blur the edge
MASK_VALUES = (0, 255)  #: grey values of background and tumour in a mask
PARTS = ("", "train", "test")  #: where both folders may lie


@dataclass(frozen=True)
class MaskedImage:
    """The file of an image, that of its mask if it has one, and the name of its class."""

    path: Path
    mask: Path | None
    class_name: str


def holds_outlined(root: Path) -> bool:
    """Whether images lie in ``images/<class>/``, in the folder or in its folders ``train`` and ``test``."""
    return any(True for _ in _images(root))


def outlined_images_of(root: Path) -> list[Path]:
    """The images of all parts, by their names; hidden files do not count."""
    return list(_images(root))


def files_of_outlined(root: Path) -> list[Path]:
    """The same, and all masks."""
    return [*_images(root), *_images(root, MASKS)]


def read_masked(folder: Path) -> list[MaskedImage]:
    """The images in ``images/<class>/``, each with ``masks/<class>/`` and its own name with .png, if that is there.

    No file is opened.

    Raises:
        DataError: there are fewer than two classes, a class is empty, a mask belongs to no image, or to two.
    """
    classes = class_folders(folder / IMAGES)
    if len(classes) < 2:
        raise DataError(
            f"{printable(folder)} must hold images in {IMAGES}/<class>/, in at least two classes, and the masks of the "
            f"same names in {MASKS}/<class>/, but has {some_of([path.name for path in classes]) or 'no class'} in "
            f"{IMAGES}/. Point COURSE_DATA at the folder that holds {IMAGES}/, or train/ and test/ with {IMAGES}/ in "
            "each."
        )
    strange = {path.name for path in class_folders(folder / MASKS)} - {path.name for path in classes}
    if strange:
        raise DataError(
            f"{printable(folder / MASKS)} has folders without one of the same name in {IMAGES}/ "
            f"({some_of(sorted(strange))}). Rename the class in one of the two, or move the masks out."
        )
    return [image for path in classes for image in _of_class(folder, path.name)]


def _of_class(folder: Path, name: str) -> list[MaskedImage]:
    images, there = folder / IMAGES / name, folder / MASKS / name
    paths = images_in(images)
    if not paths:
        raise DataError(
            f"{printable(images)} holds no image: expected at least one of the kinds "
            f"{', '.join(sorted(IMAGE_SUFFIXES))}. Copy the images of class {printable(name)} there, or remove the "
            "folder."
        )
    masks = {path.name: path for path in (images_in(there) if there.is_dir() else [])}
    named = [path.with_suffix(MASK_SUFFIX).name for path in paths]
    if twice := sorted({mask for mask in named if named.count(mask) > 1} if len(set(named)) < len(named) else ()):
        raise DataError(
            f"{printable(images)} holds {len(twice):,} names twice, with different endings ({some_of(twice)}): one "
            "mask would belong to two images. Keep one file of each."
        )
    if alone := sorted(masks.keys() - set(named)):
        raise DataError(
            f"{len(alone):,} masks in {printable(there)} belong to no image in {printable(images)} ({some_of(alone)}). "
            f"A mask has the name of its image, with {MASK_SUFFIX}: rename it, copy the image, or move the mask out."
        )
    return [MaskedImage(path, masks.get(mask), name) for path, mask in zip(paths, named, strict=True)]


def _images(root: Path, kind: str = IMAGES) -> Iterator[Path]:
    for part in PARTS:
        for folder in class_folders(root / part / kind):
            yield from entries_in(folder, names_an_image)
