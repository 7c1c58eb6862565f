"""A dirty copy of a clean folder, with a list of everything that was done to it: something to try an audit on."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from course_lib.audit.image_folders import lies_beside_masks, mask_place
from course_lib.audit.inventory import ImageFile, take_inventory
from course_lib.data.image_file import open_grey, open_mask
from course_lib.data.outlined_folder import IMAGES
from course_lib.support.errors import DataError

SCANNER_GAMMA = 0.6  #: of the other machine, with which the test was taken
Step = Callable[[Path, Path], object]  #: makes the second file of the first
_LAST_NUMBER = re.compile(r"(.*?)(\d+)")  # of a patient's name, such as 0012 of phantom0012
_SERIAL_NUMBER = re.compile(r"\d+(?=\.\w+$)")  # of an image, before the suffix of the file's name


@dataclass(frozen=True)
class Dirt:
    """How many images of each kind of dirt; all numbers may be 0."""

    copies: int = 6  #: of training images, byte for byte, under another patient's name; half of them in test
    near_copies: int = 6  #: the same, but smaller, brighter, and saved again
    mirrored_copies: int = 0  #: the same, but mirrored or turned in one of seven ways, and saved again
    moved_images: int = 4  #: of training patients who have others too; they go to test
    wrong_labels: int = 6  #: training images in another class's folder, with a name that fits it
    negatives: int = 3  #: training images with black and white exchanged
    blanks: int = 1  #: training images that are grey all over
    unreadable: int = 1  #: training images of which only the first half is there
    other_scanner: bool = False  #: the whole test brighter, as from another machine

    @classmethod
    def only(cls, **dirt: int) -> "Dirt":
        """The dirt that is named, such as ``other_scanner=True``, and nothing else."""
        nothing: dict[str, Any] = {field.name: 0 for field in fields(cls)}
        return cls(**{**nothing, **dirt})


@dataclass(frozen=True)
class DirtyFolder:
    """The folder, and what was done: the answers for whoever audits it."""

    root: Path
    done: dict[str, tuple[str, ...]]  #: kind of dirt, as in `Dirt`: the files, as split/class/name

    def __str__(self) -> str:
        return "\n".join(f"{kind}: {len(files)}" for kind, files in self.done.items() if files)


def make_dirty_copy(clean: str | Path, dirty: str | Path, dirt: Dirt | None = None, *, seed: int = 0) -> DirtyFolder:
    """Copy a folder of simulated images and spoil the copy; the same seed spoils the same. ``dirty`` must not exist.

    Where images lie beside masks, a mask goes wherever its image goes, and is mirrored and scaled with it.

    Raises:
        DataError: ``dirty`` exists, or ``clean`` holds other images or too few training images for so much dirt.
    """
    dirt, root = dirt or Dirt(), Path(dirty)
    if root.exists():
        raise DataError(f"{root.name} exists already. Remove it, or name a folder that does not exist.")
    inventory = take_inventory(clean)
    if inventory.card is None or not inventory.card.simulated or not (inventory.root / "train").is_dir():
        raise DataError(
            f"Only phantoms are spoiled, but by the names of its files {inventory.root.name} is no simulated data set. "
            "Take the folder of one, with train/ and test/ in it."
        )
    for file in inventory.files:
        for path in filter(None, (file.path, file.mask)):
            target = root / path.relative_to(inventory.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return _Spoiler(root, inventory.files, np.random.default_rng(seed)).spoil(dirt)


class _Spoiler:
    """Hands out training images, each once, and new names."""

    def __init__(self, root: Path, files: tuple[ImageFile, ...], rng: np.random.Generator) -> None:
        train = [file for file in files if file.split == "train"]
        order: list[int] = rng.permutation(len(train)).tolist()
        self.root, self.files = root, files
        self.left: list[ImageFile] = [train[i] for i in order]
        self.number = max(int(_LAST_NUMBER.sub(r"\2", file.patient)) for file in files)
        self.classes = sorted({file.label for file in files})
        self.beside = IMAGES if lies_beside_masks(files[0].path.parent) else ""  #: between split and class

    def spoil(self, dirt: Dirt) -> DirtyFolder:
        steps: dict[str, Callable[[ImageFile, int], Path]] = {
            "moved_images": self._move,
            "copies": self._copy,
            "near_copies": self._nearly_copy,
            "mirrored_copies": self._mirror,
            "wrong_labels": self._relabel,
            "negatives": self._invert,
            "blanks": self._blank,
            "unreadable": self._cut,
        }
        done = {}
        for kind, step in steps.items():
            made = [step(self._next(kind), i) for i in range(getattr(dirt, kind))]
            done[kind] = tuple(sorted(path.relative_to(self.root).as_posix() for path in made))
        if dirt.other_scanner:
            test = sorted(Path(self.root, "test", self.beside).glob("*/*"))
            for path in test:
                _change(path, path, lambda image: image.point(lambda grey: round(255 * (grey / 255) ** SCANNER_GAMMA)))
            done["other_scanner"] = tuple(path.relative_to(self.root).as_posix() for path in test)
        return DirtyFolder(self.root, done)

    def _next(self, kind: str) -> ImageFile:
        """An image that nothing was done to; for `moved_images`, of a patient who has another one."""
        for place, file in enumerate(self.left):
            several = sum(other.patient == file.patient for other in self.left) > 1
            if several or kind != "moved_images":
                return self.left.pop(place)
        raise DataError(f"There are too few training images left for {kind}. Ask for less dirt, or make more phantoms.")

    def _new(self, file: ImageFile, split: str, label: str = "") -> Path:
        """Where the file would lie as the first image of a new patient, of another class if there is a label."""
        self.number += 1
        before, after = file.path.name.split(file.patient, 1)
        if label and file.kind != file.label:  # the name says the kind
            after = after.replace(file.kind, min(other.kind for other in self.files if other.label == label), 1)
        patient = _LAST_NUMBER.sub(lambda found: f"{found[1]}{self.number:0{len(found[2])}d}", file.patient)
        after = _SERIAL_NUMBER.sub(lambda found: "1".zfill(len(found[0])), after)
        return self._place(split, label or file.label, f"{before}{patient}{after}")

    def _place(self, split: str, label: str, name: str) -> Path:
        place = Path(self.root, split, self.beside, label, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _both(self, file: ImageFile, target: Path, image: Step, mask: Step) -> Path:
        """Let each of two steps, from one file to another, make the new image, and its mask if there is one."""
        image(self.root / file.name, target)
        if file.mask:
            place = mask_place(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            mask(mask_place(self.root / file.name), place)
        return target

    def _move(self, file: ImageFile, _: int) -> Path:
        return self._both(file, self._place("test", file.label, file.path.name), Path.rename, Path.rename)

    def _copy(self, file: ImageFile, i: int) -> Path:
        return self._both(file, self._new(file, _half(i)), shutil.copy, shutil.copy)

    def _nearly_copy(self, file: ImageFile, i: int) -> Path:
        def smaller(image: Image.Image, resampling: Image.Resampling) -> Image.Image:
            return image.resize((round(0.8 * image.width), round(0.8 * image.height)), resampling)

        def change(image: Image.Image) -> Image.Image:
            return smaller(image, Image.Resampling.BICUBIC).point(lambda grey: min(255, round(1.06 * grey + 6)))

        fit = _changed(lambda mask: smaller(mask, Image.Resampling.NEAREST), open_mask)
        return self._both(file, self._new(file, _half(i)), _changed(change), fit)

    def _mirror(self, file: ImageFile, i: int) -> Path:
        way = Image.Transpose(i // 2 % len(Image.Transpose))

        def turn(image: Image.Image) -> Image.Image:
            return image.transpose(way)

        return self._both(file, self._new(file, _half(i)), _changed(turn), _changed(turn, open_mask))

    def _relabel(self, file: ImageFile, _: int) -> Path:
        label = self.classes[(self.classes.index(file.label) + 1) % len(self.classes)]
        return self._both(file, self._new(file, "train", label), Path.rename, Path.rename)

    def _invert(self, file: ImageFile, _: int) -> Path:
        return _change(file.path, self.root / file.name, ImageOps.invert)

    def _blank(self, file: ImageFile, _: int) -> Path:
        return _change(file.path, self.root / file.name, lambda image: Image.new("L", image.size, 128))

    def _cut(self, file: ImageFile, _: int) -> Path:
        content = file.path.read_bytes()
        target = self.root / file.name
        target.write_bytes(content[: len(content) // 2])
        return target


def _half(i: int) -> str:
    return "test" if i % 2 else "train"


def _changed(change: Callable[[Image.Image], Image.Image], opened: Callable[[Path], Image.Image] = open_grey) -> Step:
    """A step that opens a file, changes what is in it, and saves it as another."""
    return lambda source, target: change(opened(source)).save(target, quality=85)


def _change(source: Path, target: Path, change: Callable[[Image.Image], Image.Image]) -> Path:
    _changed(change)(source, target)
    return target
