"""From a folder of volumes to samples: which label map belongs to which volume, and whose both are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.foreign_image import entries_in, files_named
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of

SUFFIXES = (".nii", ".nii.gz")  #: of NIfTI files
LAYOUTS = (("images", "labels"), ("imagesTr", "labelsTr"))  #: of volumes and label maps; the second as in the Decathlon


@dataclass(frozen=True)
class OutlinedVolume:
    """One file of a volume, the file of its label map, and whose it is."""

    path: Path
    mask: Path  #: on the same grid; the value of a voxel is the index of its label
    patient: str
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0)  #: mm from voxel to voxel; a `VolumeDataset` says what it has made it

    @property
    def target(self) -> Path:
        """The file of the label map."""
        return self.mask


def holds_volumes(root: Path) -> bool:
    """Whether volumes lie in the folder, or in its folders ``train`` and ``test``, as one of `LAYOUTS` says."""
    return bool(volumes_of(root))


def volumes_of(root: Path) -> list[Path]:
    """The volumes of all parts, by their names; what is hidden does not count, nor do those without label maps in
    ``imagesTs``.
    """
    folders = [root / part / images for part in ("", "train", "test") for images, _ in LAYOUTS]
    return [path for folder in folders if folder.is_dir() for path in entries_in(folder, names_a_volume)]


def read_outlined(folder: Path, cards: Sequence[DatasetCard]) -> list[OutlinedVolume]:
    """The volumes in ``images`` with the label maps of the same names in ``labels``; or in another of the `LAYOUTS`.

    The patient comes from the file name, by the pattern of one of the cards. No file is opened.

    Raises:
        DataError: the folders are missing or empty, both layouts are there, a link leads nowhere, a volume has no label
            map or a label map no volume, two files are the same volume, or a name gives no patient.
    """
    images, labels = _pair_of(folder)
    volumes, masks = (
        {path.name: path for path in files_named(part, names_a_volume, what)}
        for part, what in ((images, "volumes"), (labels, "label maps"))
    )
    if not volumes:
        raise DataError(
            f"{printable(images)} holds no volume: expected files that end with {' or '.join(SUFFIXES)}. Copy some."
        )
    for there, missing, what in ((volumes, masks, "label map"), (masks, volumes, "volume")):
        if alone := sorted(there.keys() - missing.keys()):
            where = labels if missing is masks else images
            raise DataError(
                f"{len(alone):,} files in {printable(next(iter(there.values())).parent)} have no {what} of the same "
                f"name in {printable(where)} ({some_of(alone)}). Copy what is missing, or move these out."
            )
    samples = [OutlinedVolume(path, masks[name], patient_of(path, cards)) for name, path in volumes.items()]
    _check_no_file_twice(images, samples)
    return samples


def patient_of(path: Path, cards: Sequence[DatasetCard]) -> str:
    """The patient that a file name gives away, by the pattern of one of the cards.

    Raises:
        DataError: it gives none.
    """
    for card in cards:
        if patient := card.patient_of(path.name):
            return patient
    names = " or ".join(f"datasets/{card.slug}.toml" for card in cards)
    raise DataError(
        f"The file name {printable(path.name)} does not say whose image it is. Expected a name of the form that "
        f"{names} says; for other names, add a pattern with a group `patient` to a data card in datasets/."
    )


def _pair_of(folder: Path) -> tuple[Path, Path]:
    there = [pair for pair in LAYOUTS if (folder / pair[0]).is_dir()]
    both = " or ".join(f"{images}/ with {labels}/" for images, labels in LAYOUTS)
    if len(there) > 1:
        raise DataError(f"{printable(folder)} holds volumes in two layouts; expected {both}. Move one of them out.")
    if not there or not (folder / there[0][1]).is_dir():
        found = f"only {there[0][0]}/" if there else "neither"
        raise DataError(
            f"{printable(folder)} must hold volumes and their label maps, in {both}, but holds {found}. Point "
            "COURSE_DATA at the folder that holds both."
        )
    return folder / there[0][0], folder / there[0][1]


def names_a_volume(path: PurePath) -> bool:
    """Whether a file with this name is taken for a volume."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def _check_no_file_twice(folder: Path, samples: Sequence[OutlinedVolume]) -> None:
    """Do nothing if no volume is there as ``a.nii`` and as ``a.nii.gz``."""
    names = Counter(sample.path.name.lower().removesuffix(".gz") for sample in samples)
    if twice := sorted(name for name, times in names.items() if times > 1):
        raise DataError(
            f"{printable(folder)} holds {len(twice):,} volumes twice, compressed and not ({some_of(twice)}). Keep one "
            "file of each, and of its label map."
        )
