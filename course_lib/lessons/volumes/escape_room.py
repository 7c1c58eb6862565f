"""Six files of one simulated head, each wrong in one way: to be found out from pictures and headers, and repaired.

A capsule of oil is taped to the right temple. Radiographers do that with vitamin E, which is bright in MRI, because a
head looks so much the same on both sides that nothing else tells them apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np
import torch
import torchio
from numpy.typing import NDArray
from scipy import ndimage

from course_lib.lessons.volumes.orientation import axis_codes
from course_lib.modalities.simulated_head import Exposure, Grid, Patient, draw_exposure, draw_patient, render

FLIPPED = "flipped"  #: left and right of the values are exchanged, and the affine is as before
SWAPPED = "axes swapped"  #: two axes of the array are exchanged, and the affine is as before
METRES = "metres"  #: the affine leads to metres, where everyone expects millimetres
OTHER_GRID = "mask on another grid"  #: the mask was drawn on another scan of the same patient
OBLIQUE = "oblique"  #: the slices were tilted. The affine says so; an array laid over another one does not
SCALE_LOST = "scale lost"  #: the integers as they were stored, without slope and intercept
FAULTS = (FLIPPED, SWAPPED, METRES, OTHER_GRID, OBLIQUE, SCALE_LOST)
ROOMS = {"A": OBLIQUE, "B": METRES, "C": FLIPPED, "D": SCALE_LOST, "E": SWAPPED, "F": OTHER_GRID}

SPACING_MM = 2.0
TILT_DEGREES = 20.0  #: the nod of the slices in the oblique scan; many are planned along the hippocampus
GREATEST = 1000  #: of the values as the scanner shows them; the capsule has it
SLOPE, INTERCEPT = 0.02, 600.0  #: value = slope * stored + intercept, in the file that has lost both
CAPSULE_MM = (5.0, 9.0, 6.0)  #: half-axes
TEMPLE_MM = (35.0, -12.0)  #: to the front and up; to the right, the capsule lies where the skin ends
OTHER_SPACING_MM = (1.0, 3.0, 1.0)  #: of the scan on which the mask was drawn: coronal slices of 3 mm
OTHER_BOX_MM = (90.0, 75.0, 60.0)
HEAD_ABOVE = 60  #: values of a head; air and its noise are below
SEED = 9

Array = NDArray[np.generic]
Affine = NDArray[np.float64]


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
    capsule: str  #: the side on which it lies according to file, "R" or "L"


def build_rooms(folder: Path) -> tuple[Room, tuple[Room, ...]]:
    """The healthy file, and the six rooms A to F, written as NIfTI into a folder; they are the same every time."""
    healthy = _scan(Grid.head(SPACING_MM))
    write = {
        FLIPPED: lambda: replace(healthy, values=healthy.values[::-1], mask=healthy.mask[::-1]),
        SWAPPED: lambda: replace(healthy, values=_exchanged(healthy.values), mask=_exchanged(healthy.mask)),
        METRES: lambda: healthy.with_affine(_scaled(healthy.affine, 1 / 1000)),
        OTHER_GRID: lambda: _with_mask_of_another_scan(healthy),
        OBLIQUE: lambda: _scan(_tilted(Grid.head(SPACING_MM))),
        SCALE_LOST: lambda: replace(
            healthy,
            values=np.round((healthy.values - INTERCEPT) / SLOPE),
            note=f"simulated T1; value = {SLOPE} * stored + {INTERCEPT:g}",
        ),
    }
    return healthy.saved(folder, "healthy"), tuple(write[fault]().saved(folder, name) for name, fault in ROOMS.items())


def read(room: Room) -> torchio.Subject:
    """Scan and mask as torchio reads them: the entries "image" and "mask"."""
    return torchio.Subject(image=torchio.ScalarImage(room.image), mask=torchio.LabelMap(room.mask))


def facts(room: Room) -> Facts:
    """What the files of a room say."""
    image, mask = nibabel.load(room.image), nibabel.load(room.mask)
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
    row = "{:7}  {:12}  {:21}  {:5}  {:4}  {:18}  {:15}  {}"
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
    repairs: dict[str, Callable[[torchio.Subject], torchio.Subject]] = {
        FLIPPED: lambda scan: _with_arrays(scan, lambda values: values.flip(1)),
        SWAPPED: lambda scan: _with_arrays(scan, lambda values: values.transpose(2, 3)),
        METRES: _with_millimetres,
        OTHER_GRID: torchio.Resample("image"),
        OBLIQUE: torchio.Resample((Grid.head(SPACING_MM).shape, Grid.head(SPACING_MM).affine)),
        SCALE_LOST: _with_scale,
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
    note: str = "simulated T1"

    def with_affine(self, affine: Affine) -> "_Scan":
        return replace(self, affine=affine, mask_affine=affine)

    def saved(self, folder: Path, name: str) -> Room:
        room = Room(name, folder / f"{name}_T1.nii.gz", folder / f"{name}_mask.nii.gz")
        folder.mkdir(parents=True, exist_ok=True)
        image = nibabel.Nifti1Image(self.values.astype(np.int16), self.affine)
        image.header["descrip"] = self.note
        nibabel.save(image, room.image)
        nibabel.save(nibabel.Nifti1Image(self.mask.astype(np.uint8), self.mask_affine), room.mask)
        return room


def _scan(grid: Grid) -> _Scan:
    """The head of the escape room on any grid, with its capsule."""
    scan = render(*_patient_and_exposure(), grid)
    ...
