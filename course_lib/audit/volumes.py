"""What the audit knows of a folder of volumes and label maps: each is read once, and one at a time is in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from course_lib.audit.volume_folders import VolumePair, find_pairs, lone_label_maps, other_files, shown
from course_lib.data.image_folder import likely_card
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.files import digest_of_bytes
from course_lib.support.foreign import printable
from course_lib.support.runtime import expanded, progress

if TYPE_CHECKING:
    import torchio  # only where it is used: it takes seconds to load, which an audit of radiographs need not wait for

SIDE = 16  #: voxels, of the small volumes that the audit keeps in memory
SPECK = 0.1  #: of the largest piece of a label: what is smaller is no second side of a paired structure
MOST_LABELS = 256  #: different values; a map with more is none, and its structures are not measured
MM3_PER_ML = 1000
Small = NDArray[np.float32]  #: [16, 16, 16], mean 0 and length 1, axes to the patient's right, to anterior, to superior
FLIPS = [axes for number in range(4) for axes in combinations(range(3), number)]  #: all eight, the first is none


@dataclass(frozen=True)
class Structure:
    """What one label covers in one label map."""

    ml: float
    pieces: int  #: that do not touch, not even at a corner; specks are not counted
    specks: float  #: part of the voxels that lies in specks, 0 to 1
    at_edge: int  #: voxels in the outermost layer of the volume
    right: float  #: part of the voxels that lies in the half towards the patient's right, 0 to 1


@dataclass(frozen=True)
class LabelMapFile:
    """One readable label map."""

    path: Path
    elsewhere: str  #: how its grid differs from that of its volume; empty where it does not
    values: tuple[float, ...]  #: all different ones, in order; at most `MOST_LABELS` of them
    structures: dict[int, Structure]  #: by the value of the label, without 0
    digest: str  #: SHA-256 of the values


@dataclass(frozen=True)
class VolumeFile:
    """One readable volume: where it lies, whose it is, and what the audit asks about it."""

    path: Path
    split: str
    patient: str  #: as the file name says; the file's own name where it says nothing
    shape: tuple[int, ...]  #: voxels along the axes i, j and k of the file
    spacing_mm: tuple[float, ...]  #: from voxel to voxel, along the same axes
    axes: str  #: where they run to, such as RAS: to the patient's right, to anterior, to superior
    tilt_degrees: float  #: largest angle between an axis and the scanner's axis that it is closest to
    lowest: float
    highest: float
    contrast: float  #: from the value that 1 % of the voxels do not exceed to the value that 99 % do not
    digest: str  #: SHA-256 of shape and values, once all axes run to the right, to anterior, to superior
    digest_of_flips: str  #: the same for a volume and its mirror images
    label_map: LabelMapFile | None

    @property
    def constant(self) -> bool:
        """Whether one value is all that it holds."""
        return self.lowest == self.highest

    @property
    def shown(self) -> str:
        """The name for a sentence, whatever it is made of."""
        return printable(self.path.name)


@dataclass(frozen=True)
class VolumeInventory:
    """All volumes of a folder, in the order of split and name."""

    root: Path
    labels: dict[int, str]  #: the name of each value that stands for a structure
    knows_patients: bool  #: False: no file name says whose volume it is, and each counts as a patient of its own
    files: tuple[VolumeFile, ...]
    small: NDArray[np.float32]  #: [files, 16, 16, 16], of the volumes
    small_labels: NDArray[np.float32]  #: [files, 16, 16, 16], of the label maps; 0 where there is none
    unreadable: tuple[str, ...]  #: name and reason, to be printed
    other: tuple[str, ...]  #: files that are no NIfTI, to be printed
    without_label_map: tuple[str, ...]  #: volumes, to be printed
    without_volume: tuple[str, ...]  #: label maps, to be printed


def take_volumes(
    folder: str | Path, card: DatasetCard | None = None, only: Collection[Path] | None = None
) -> VolumeInventory:
    """Every volume of a folder with its label map, or ``only`` those, read once; no file is changed.

    The layouts are those of `volume_folders`. Without a card, the one whose file names fit is taken; where none names
    the labels, a value stands for a structure if at least half of the label maps have it. Files that can not be read
    are listed, not raised.

    Raises:
        DataError: the folder is not there, may not be read, or there is no volume in one of the layouts.
    """
    root = expanded(folder)
    card = card or likely_card(root)
    pairs = find_pairs(root, card, only)
    unreadable: list[str] = []
    read = [one for pair in progress(pairs, "Reading volumes", "volume") if (one := _read(pair, unreadable))]
    files = tuple(file for file, _, _ in read)
    nothing = np.zeros((0, SIDE, SIDE, SIDE), np.float32)
    return VolumeInventory(
        root=root,
        labels=_names_of(files, card),
        knows_patients=any(pair.patient != pair.path.name for pair in pairs),
        files=files,
        small=np.stack([small for _, small, _ in read]) if read else nothing,
        small_labels=np.stack([small for *_, small in read]) if read else nothing,
        unreadable=tuple(unreadable),
        other=tuple(map(shown, other_files(root))),
        without_label_map=tuple(shown(pair.path) for pair in pairs if not pair.label_map and not pair.kept_back),
        without_volume=() if only else tuple(map(shown, lone_label_maps(root))),
    )


def describe_volumes(
    folder: str | Path, *, card: DatasetCard | None = None, only: Collection[Path] | None = None, most: int = 10
) -> str:
    """One line for each of the first volumes: voxels, spacing, axes, range of values, and ml of each label.

    The folder, the card and ``only`` are those of `take_volumes`.
    """
    inventory = take_volumes(folder, card, only)
    lines = [_line(file, inventory.labels) for file in inventory.files[:most]]
    left = len(inventory.files) - len(lines)
    return "\n".join([*lines, *([f"… and {left:,} more"] if left else []), *inventory.unreadable])


def _line(file: VolumeFile, labels: dict[int, str]) -> str:
    found = file.label_map.structures if file.label_map else {}
    parts = [f"{name} {found[value].ml:.2f} ml" for value, name in labels.items() if value in found]
    return f"{file.shown}: {by(file.shape)} voxels of {by(file.spacing_mm)} mm, {file.axes}, " + ", ".join(
        [f"values {_value(file.lowest)} to {_value(file.highest)}", *parts]
    )


def _value(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def by(sides: Sequence[float] | NDArray[Any]) -> str:
    """Three numbers as ``35 x 51 x 35``."""
    return " x ".join(f"{side:.4g}" for side in sides)


def _names_of(files: Sequence[VolumeFile], card: DatasetCard | None) -> dict[int, str]:
    """The values that stand for structures: those of the card, or else those that most label maps have."""
    if card:
        return dict(enumerate([name for name in card.classes if name != "background"], start=1))
    maps = [file.label_map for file in files if file.label_map]
    values = sorted({value for each in maps for value in each.structures})
    usual = [value for value in values if 2 * sum(value in each.structures for each in maps) >= len(maps)]
    return {value: f"label {value}" for value in usual}


def _read(pair: VolumePair, unreadable: list[str]) -> tuple[VolumeFile, Small, Small] | None:
    """The record of a volume with its label map, and both small; or None. What can not be read is listed."""
    volume = _opened(pair.path, unreadable)
    if volume is None:
        return None
    mapped = _opened(pair.label_map, unreadable) if pair.label_map else None
    values = _towards_ras(volume)
    label_values = _towards_ras(mapped) if mapped else np.zeros(0, np.float32)
    digests = [_digest(np.flip(values, axes)) for axes in FLIPS]
    low, high = np.percentile(values, [1, 99])
    directions = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    file = VolumeFile(
        path=pair.path,
        split=pair.split,
        patient=pair.patient,
        shape=volume.spatial_shape,
        spacing_mm=tuple(volume.spacing),
        axes="".join(volume.orientation),
        tilt_degrees=float(np.degrees(np.arccos(np.abs(directions).max(axis=0).clip(0, 1))).max()),
        lowest=float(values.min()),
        highest=float(values.max()),
        contrast=float(high - low),
        digest=digests[0],
        digest_of_flips=min(digests),
        label_map=_label_map(mapped, label_values, volume, pair.label_map) if mapped and pair.label_map else None,
    )
    return file, _small(values), _small(label_values)


def _opened(path: Path, unreadable: list[str]) -> "torchio.ScalarImage | None":
    from course_lib.data.volumes import VolumeError, read_volume

    try:
        return read_volume(path)
    except VolumeError as error:
        unreadable.append(f"{shown(path)} {error.problem}")
        return None


def _towards_ras(image: "torchio.ScalarImage") -> NDArray[np.float32]:
    """The values [i, j, k] with all axes turned the usual way."""
    import torchio

    values: NDArray[np.float32] = torchio.ToCanonical()(image).numpy()[0]
    return values


def _label_map(
    image: "torchio.ScalarImage", values: NDArray[np.float32], volume: "torchio.ScalarImage", path: Path
) -> LabelMapFile:
    from course_lib.data.volumes import VolumeError, check_same_grid

    try:
        check_same_grid(path, image.spatial_shape, image.affine, volume)
        elsewhere = ""
    except VolumeError as error:
        elsewhere = error.problem
    different = np.unique(values)
    labels = [int(value) for value in different if value > 0 and value == round(value)]
    voxel_ml = float(np.prod(image.spacing)) / MM3_PER_ML
    few = len(different) <= MOST_LABELS
    return LabelMapFile(
        path=path,
        elsewhere=elsewhere,
        values=tuple(different[:MOST_LABELS].tolist()),
        structures={label: _structure(values == label, voxel_ml) for label in labels} if few else {},
        digest=_digest(values),
    )


def _structure(mask: NDArray[np.bool_], voxel_ml: float) -> Structure:
    """Of one label, ``mask`` [right, anterior, superior], with at least one voxel in it."""
    box = ndimage.find_objects(mask.view(np.uint8))[0]
    numbered, _ = ndimage.label(mask[box], np.ones((3, 3, 3)))
    sizes = np.bincount(numbered.ravel())[1:]
    specks = sizes[sizes < SPECK * sizes.max()]
    voxels = int(sizes.sum())
    inner = voxels - int(mask[1:-1, 1:-1, 1:-1].sum())
    middle = (mask.shape[0] - 1) / 2
    per_sagittal_slice = mask.sum(axis=(1, 2))
    places = np.arange(mask.shape[0])
    right = per_sagittal_slice[places > middle].sum() + per_sagittal_slice[places == middle].sum() / 2
    return Structure(
        ml=voxels * voxel_ml,
        pieces=len(sizes) - len(specks),
        specks=float(specks.sum() / voxels),
        at_edge=inner,
        right=float(right / voxels),
    )


def _small(values: NDArray[np.float32]) -> Small:
    """Every so many voxels one, 16 along each axis, with mean 0 and length 1; all 0 where nothing differs."""
    if not values.size:
        return np.zeros((SIDE, SIDE, SIDE), np.float32)
    few = values[np.ix_(*[((np.arange(SIDE) + 0.5) * side / SIDE).astype(int) for side in values.shape])]
    few = few.astype(np.float64) - few.mean(dtype=np.float64)
    return np.asarray(few / max(float(np.linalg.norm(few)), 1e-9), np.float32)


def _digest(values: NDArray[Any]) -> str:
    return digest_of_bytes(f"{values.shape}".encode() + values.tobytes())
