"""Six files of one simulated head, each wrong in one way: to be found out from pictures and headers, and repaired.

A capsule of oil is taped to the right temple, because the two sides of a head look so much alike that hardly anything
else tells them apart. Radiographers mark places on the skin in this way, since oil is bright in MRI.

Source: which capsules can be seen in MRI: M. T. Izatt et al., BMJ Open 9:e027020, 2019.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
import torchio
from numpy.typing import NDArray
from scipy import ndimage

from course_lib.lessons.volumes.orientation import axis_codes
from course_lib.modalities.simulated_head import Grid, Structure, draw_exposure, draw_patient, render

FLIPPED = "flipped"  #: left and right of the values are exchanged, and the affine is as before
SWAPPED = "axes swapped"  #: two axes of the array are exchanged, and the affine is as before
METRES = "metres"  #: the affine leads to metres, where everyone expects millimetres
OTHER_GRID = "mask on another grid"  #: the mask was drawn on another scan of the same patient
OBLIQUE = "oblique"  #: the slices were tilted. The affine says so; an array laid over another one does not
SCALE_LOST = "scale lost"  #: the integers as they were stored, without slope and intercept
FAULTS = (FLIPPED, SWAPPED, METRES, OTHER_GRID, OBLIQUE, SCALE_LOST)
ROOMS = {"A": OBLIQUE, "B": METRES, "C": FLIPPED, "D": SCALE_LOST, "E": SWAPPED, "F": OTHER_GRID}

SEED = 9
SPACING_MM = 2.0
WHITE_MATTER = 250.0  #: its value
NOISE = 0.03  #: standard deviation, as a part of white matter's value
HEAD_ABOVE = 50  #: values of a head; air and its noise are below
GREATEST = 1000  #: of the values; the capsule alone has it
CAPSULE_AT_MM, CAPSULE_MM = (70.0, 38.0, -10.0), (5.0, 9.0, 6.0)  #: middle and half-axes
TILT_DEGREES = 20.0  #: the nod of the oblique slices, as if they were planned along the hippocampus
OTHER_SPACING_MM = (1.0, 3.0, 1.0)  #: of the scan on which the mask was drawn: coronal slices of 3 mm
OTHER_CENTRE_MM, OTHER_BOX_MM = (0.0, -20.0, -20.0), (90.0, 75.0, 60.0)
SLOPE, INTERCEPT = 0.02, 600.0  #: of the stored integers, which one of the files has lost
NOTE, NOTE_OF_SCALE = "simulated T1", f"simulated T1; value = {SLOPE} * stored + {INTERCEPT:g}"
HIPPOCAMPI = (Structure.HIPPOCAMPUS_ANTERIOR, Structure.HIPPOCAMPUS_POSTERIOR)

Array = NDArray[Any]
Affine = NDArray[np.float64]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Room:
    """One of the puzzles: the files of a scan and of the mask of its hippocampi, 1 in front and 2 behind."""

    name: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class Facts:
    """What header and values of a scan say, apart from any picture."""

    room: str
    shape: tuple[int, ...]  #: voxels along the axes of the array
    spacing_mm: tuple[float, ...]  #: from one voxel to the next
    codes: str  #: where the axes of the array point to, as in "RAS"
    tilt_degrees: float  #: the largest angle between an axis of the array and the nearest one of the patient
    extent_mm: tuple[float, ...]
    values: tuple[float, float]  #: the lowest and the highest
    mask_shape: tuple[int, ...]
    note: str  #: the free text in the header


@dataclass(frozen=True)
class Likeness:
    """How well a scan fits the healthy file of the same head; a Dice of 1 is a perfect fit."""

    in_space: float  #: Dice of the heads, each where its affine says that it lies
    in_array: float  #: Dice of the heads, array laid over array, as a network sees them
    mask: float  #: Dice of the hippocampi, array laid over array
    capsule: str  #: the side on which it lies as the file has it, "R" or "L"

    @property
    def fits(self) -> bool:
        """Whether it may be used like the healthy file. Twice resampled, a mask loses a little at its edge."""
        return min(self.in_space, self.in_array) > 0.95 and self.mask > 0.85 and self.capsule == "R"


def build_rooms(folder: Path) -> tuple[Room, tuple[Room, ...]]:
    """The healthy file, and the six rooms A to F, written as NIfTI into a folder; they are the same every time."""
    healthy = _scan(Grid.head(SPACING_MM))
    metres = _scaled(healthy.affine, 1 / 1000)
    scans = {
        FLIPPED: replace(healthy, values=healthy.values[::-1], mask=healthy.mask[::-1]),
        SWAPPED: replace(healthy, values=_exchanged(healthy.values), mask=_exchanged(healthy.mask)),
        METRES: replace(healthy, affine=metres, mask_affine=metres),
        OTHER_GRID: _with_mask_of_another_scan(healthy),
        OBLIQUE: _scan(_tilted(Grid.head(SPACING_MM))),
        SCALE_LOST: replace(healthy, values=np.round((healthy.values - INTERCEPT) / SLOPE), note=NOTE_OF_SCALE),
    }
    return _saved(healthy, folder, "healthy"), tuple(
        _saved(scans[fault], folder, room) for room, fault in ROOMS.items()
    )


def read(room: Room) -> torchio.Subject:
    """Scan and mask as torchio reads them: the entries "image" and "mask"."""
    return torchio.Subject(image=torchio.ScalarImage(room.image), mask=torchio.LabelMap(room.mask))


def facts(room: Room) -> Facts:
    """What the files of a room say."""
    image, mask = (nibabel.Nifti1Image.from_filename(path) for path in (room.image, room.mask))
    values = np.asarray(image.dataobj)
    steps = image.affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    return Facts(
        room=room.name,
        shape=image.shape,
        spacing_mm=tuple(float(mm) for mm in spacing),
        codes=axis_codes(image.affine),
        tilt_degrees=float(np.rad2deg(np.arccos(np.clip(np.abs(steps / spacing).max(axis=0), 0, 1))).max()),
        extent_mm=tuple(float(mm) for mm in spacing * image.shape),
        values=(float(values.min()), float(values.max())),
        mask_shape=mask.shape,
        note=image.header["descrip"].item().decode(),
    )


def facts_table(rooms: Sequence[Room]) -> str:
    """The facts of several rooms as a table, one row each."""
    row = "{:7}  {:12}  {:21}  {:5}  {:4}  {:19}  {:15}  {}"
    lines = [row.format("room", "shape", "spacing (mm)", "codes", "tilt", "extent (mm)", "values", "shape of the mask")]
    for told in map(facts, rooms):
        parts = (
            _by(told.shape),
            _by([f"{mm:g}" for mm in np.round(told.spacing_mm, 4)]),
            told.codes,
            f"{told.tilt_degrees:.0f}°",
            _by([f"{mm:g}" for mm in np.round(told.extent_mm, 3)]),
            f"{told.values[0]:g} to {told.values[1]:g}",
            _by(told.mask_shape),
        )
        lines.append(row.format(told.room, *parts))
    return "\n".join(lines)


def repaired(room: Room, fault: str) -> torchio.Subject:
    """Scan and mask, mended as if the room had this fault.

    Raises:
        ValueError: there is no such fault.
    """
    straight = Grid.head(SPACING_MM)
    repairs: dict[str, Callable[[torchio.Subject], torchio.Subject]] = {
        FLIPPED: lambda scan: _rebuilt(scan, lambda part: (part.data.flip(1), part.affine)),
        SWAPPED: lambda scan: _rebuilt(scan, lambda part: (part.data.transpose(2, 3), part.affine)),
        METRES: lambda scan: _rebuilt(scan, lambda part: (part.data, _scaled(part.affine, 1000))),
        OTHER_GRID: torchio.Resample("image"),
        OBLIQUE: torchio.Resample((straight.shape, straight.affine)),
        SCALE_LOST: torchio.Lambda(lambda values: SLOPE * values + INTERCEPT, types_to_apply=[torchio.INTENSITY]),
    }
    if fault not in repairs:
        raise ValueError(f"fault must be one of {', '.join(FAULTS)}, but is {fault!r}.")
    return repairs[fault](read(room))


def likeness(scan: torchio.Subject, healthy: torchio.Subject) -> Likeness:
    """How well a scan fits the healthy one of the same head."""
    (values, mask), (right, right_mask) = ([part.numpy()[0] for part in (s.image, s.mask)] for s in (scan, healthy))
    affine, right_affine = scan.image.affine, healthy.image.affine
    brightest = np.argwhere(values == values.max()).mean(axis=0)
    return Likeness(
        in_space=_dice(_on_grid(values, affine, right.shape, right_affine) > HEAD_ABOVE, right > HEAD_ABOVE),
        in_array=_dice(values > HEAD_ABOVE, right > HEAD_ABOVE),
        mask=_dice(mask > 0, right_mask > 0),
        capsule="R" if (affine @ [*brightest, 1])[0] > 0 else "L",
    )


@dataclass(frozen=True)
class _Scan:
    """A scan and its mask before they are written."""

    values: Array
    mask: Array
    affine: Affine
    mask_affine: Affine
    note: str = NOTE


def _saved(scan: _Scan, folder: Path, name: str) -> Room:
    room = Room(name, folder / f"{name}_T1.nii.gz", folder / f"{name}_mask.nii.gz")
    folder.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(scan.values.astype(np.int16), scan.affine)
    mask = nibabel.Nifti1Image(scan.mask.astype(np.uint8), scan.mask_affine)
    image.header["descrip"] = scan.note
    for file, path in ((image, room.image), (mask, room.mask)):
        file.header.set_xyzt_units("mm")
        nibabel.save(file, path)
    return room


def _scan(grid: Grid) -> _Scan:
    """The head of the escape room on any grid, its capsule included."""
    rng = np.random.default_rng(SEED)
    patient, exposure = draw_patient(rng, "none"), replace(draw_exposure(rng), noise=NOISE, slice_mm=SPACING_MM)
    scan = render(patient, exposure, grid)
    values = np.clip(np.round(WHITE_MATTER * scan.images["T1"]), 0, GREATEST - 1)
    values[_distance_to(CAPSULE_AT_MM, CAPSULE_MM, grid) < 1] = GREATEST
    mask = np.where(np.isin(scan.structures, HIPPOCAMPI), scan.structures, 0)
    return _Scan(values, mask, grid.affine, grid.affine)


def _distance_to(centre: Point, half_axes: Point, grid: Grid) -> NDArray[np.float64]:
    """How far each voxel lies from the middle of an ellipsoid; 1 on its surface."""
    places = np.indices(grid.shape).reshape(3, -1)
    away = grid.affine[:3, :3] @ places + (grid.affine[:3, 3] - centre)[:, None]
    return np.asarray(np.linalg.norm(away / np.array(half_axes)[:, None], axis=0).reshape(grid.shape))


def _tilted(grid: Grid) -> Grid:
    """The same grid, nodded around the axis from left to right."""
    cosine, sine = np.cos(np.deg2rad(TILT_DEGREES)), np.sin(np.deg2rad(TILT_DEGREES))
    nod = np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1]])
    return Grid(grid.shape, nod @ grid.affine)


def _with_mask_of_another_scan(scan: _Scan) -> _Scan:
    other = Grid.around(OTHER_CENTRE_MM, OTHER_BOX_MM, OTHER_SPACING_MM)
    mask = _on_grid(scan.mask, scan.affine, other.shape, other.affine)
    return replace(scan, mask=mask, mask_affine=other.affine)


def _exchanged(array: Array) -> Array:
    """With front-back and bottom-top exchanged."""
    return array.swapaxes(1, 2)


def _scaled(affine: Affine, factor: float) -> Affine:
    return np.diag([factor, factor, factor, 1.0]) @ affine


def _on_grid(array: Array, affine: Affine, shape: Sequence[int], wanted: Affine) -> Array:
    """The array on another grid, by the nearest voxel; 0 beyond its edge."""
    step = np.round(np.linalg.inv(affine) @ wanted, 4)  # a file keeps seven digits of an affine
    return np.asarray(ndimage.affine_transform(array, step[:3, :3], step[:3, 3], tuple(shape), order=0))


def _rebuilt(scan: torchio.Subject, change: Callable[[torchio.Image], tuple[torch.Tensor, Affine]]) -> torchio.Subject:
    parts = {name: (type(part), *change(part)) for name, part in scan.get_images_dict(intensity_only=False).items()}
    return torchio.Subject({name: kind(tensor=values, affine=affine) for name, (kind, values, affine) in parts.items()})


def _dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Twice the common voxels over all; where the arrays differ in shape, they are laid corner on corner."""
    common = tuple(slice(min(sides)) for sides in zip(one.shape, other.shape, strict=True))
    return float(2 * (one[common] & other[common]).sum() / (one.sum() + other.sum()))


def _by(parts: Sequence[object]) -> str:
    return " x ".join(map(str, parts))
