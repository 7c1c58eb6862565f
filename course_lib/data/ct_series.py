"""A series of CT slices as a volume: a folder of DICOM files, each with one slice, becomes voxels in Hounsfield units.

A scanner writes one file a slice, in no order that could be relied on: neither the names of the files nor the numbers
in them say where a slice lies. Each file says so itself, in millimetres, and all that is said must fit together: a
slice that is missing or there twice would bend every length that is measured later. One that is missing at an end of
the series, or the only one between two others, can not be noticed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchio
from numpy.typing import NDArray

from course_lib.data.dicom import Tags, check_one_grey_picture, read_tags, stored_pixels
from course_lib.data.volumes import BYTES_PER_MB, COARSEST_MM, FARTHEST_MM, FINEST_MM, MOST_MB
from course_lib.sources.foreign_image import entries_in
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable, some_of, understood

LOWEST_HU = -1024.0  #: that a volume holds: air has -1000, and the lowest of 12 bits with the usual intercept is this
MOST_HU = 2.0**15  #: either way, as 16 bits store it; bone ends near 3000, and what is above is metal
UNITS = ("HU", "US")  #: of RescaleType: Hounsfield units, or unspecified, as most files of CT have it
TO_RAS = np.diag([-1.0, -1.0, 1.0])  #: DICOM counts millimetres to the left and the back, an affine to right and front
SAME_MM = 1e-3  #: by which places and spacings of a series may differ, since they are written in decimals
SAME_DIRECTION = 1e-3  #: by which cosines may
EVEN = 0.05  #: of the usual distance of two slices, by which another one may differ
FLOAT32_BYTES = 4
MAGIC, MAGIC_AT = b"DICM", 128  #: by which a DICOM file is known

Vector = NDArray[np.float64]  #: [3], in mm, or of length 1


@dataclass(frozen=True)
class _Slice:
    """What one file says of its slice, apart from its pixels."""

    path: Path
    series: str
    size: tuple[int, int]  #: rows, columns
    spacing: tuple[float, float]  #: mm from row to row, and from column to column
    directions: NDArray[np.float64]  #: [2, 3], of length 1: along a row, and along a column
    corner: Vector  #: mm, the middle of the first pixel
    slope: float
    intercept: float

    @property
    def normal(self) -> Vector:
        """At right angles to the slice, of length 1."""
        return np.cross(*self.directions)

    @property
    def place(self) -> float:
        """How far along the normal the slice lies, in mm."""
        return float(self.corner @ self.normal)


#: What all slices have in common: its name, what it is of a slice, by how much it may differ, and what to do.
ALIKE: tuple[tuple[str, Callable[[_Slice], object], float, str], ...] = (
    ("series", lambda one: one.series, 0, "Give each series a folder of its own; a planning image is one, too"),
    ("size", lambda one: one.size, 0, "Move out what does not belong to it"),
    ("spacing", lambda one: one.spacing, SAME_MM, "Move out what does not belong to it"),
    ("orientation", lambda one: one.directions, SAME_DIRECTION, "Move out what does not belong to it"),
)


def read_ct_series(folder: Path | str) -> torchio.ScalarImage:
    """The volume of a folder's slices, float32 [1, columns, rows, slices] in Hounsfield units, with its affine.

    The slices come in the order in which they lie, from the feet to the head where they are axial. Values below -1024
    become -1024: scanners fill the corners, which they have not measured, with such numbers. Values above 3071, which
    only metal has, stay as they are. Files that are neither DICOM by content nor ``.dcm`` by name are passed over, and
    so is ``DICOMDIR``.

    Raises:
        DataError: the folder holds no DICOM file, or one that is no CT slice, can not be decoded, or does not say how
            its values become Hounsfield units or where it lies; the slices are of several series, differ in size,
            spacing or orientation, or do not follow each other at one distance along their normal; or values are such
            as no CT has.

    Source: DICOM PS3.3 2024e, C.7.6.2 (image plane) and C.8.2.1 (CT image).
    """
    paths = _dicom_files(Path(folder))
    slices = sorted((_slice_of(path) for path in paths), key=lambda one: one.place)
    _check_one_series(slices)
    step = _step_of(slices)
    rows, columns = slices[0].size
    voxels = np.empty((len(slices), rows, columns), np.float32)
    for number, one in enumerate(slices):
        voxels[number] = _hounsfield(one)
    across, down = slices[0].directions
    affine = np.eye(4)
    affine[:3, :3] = TO_RAS @ np.stack([across * slices[0].spacing[1], down * slices[0].spacing[0], step], axis=1)
    affine[:3, 3] = TO_RAS @ slices[0].corner
    return torchio.ScalarImage(tensor=torch.from_numpy(voxels.transpose(2, 1, 0).copy())[None], affine=affine)


def _dicom_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"There is no folder {printable(folder, LONGEST_PATH)}. Name one that holds a series of CT.")
    paths = [path for path in entries_in(folder, lambda entry: entry.name != "DICOMDIR") if _is_dicom(path)]
    if not paths:
        raise DataError(
            f"{printable(folder, LONGEST_PATH)} holds no DICOM file; expected one for each slice of a series. Folders "
            "in it are not searched: name the innermost one. A volume in one NIfTI file is read with read_volume."
        )
    return paths


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(MAGIC_AT)
        return file.read(len(MAGIC)) == MAGIC or path.suffix.lower() == ".dcm"


def _slice_of(path: Path) -> _Slice:
    tags = read_tags(path)
    if (modality := printable(next(iter(tags.values("Modality")), "none"))) != "CT":
        raise DataError(f"{tags.name} has the modality {modality}; expected CT. Move it out of the folder.")
    check_one_grey_picture(tags)
    slope, intercept = _to_hounsfield(tags)
    row_mm, column_mm = _numbers(tags, "PixelSpacing", 2)
    if not all(FINEST_MM <= side <= COARSEST_MM for side in (row_mm, column_mm)):
        raise tags.unclear("PixelSpacing", f"is {row_mm:g} x {column_mm:g} mm", f"{FINEST_MM:g} to {COARSEST_MM:g} mm")
    directions = np.array(_numbers(tags, "ImageOrientationPatient", 6)).reshape(2, 3)
    if not np.allclose(directions @ directions.T, np.eye(2), atol=SAME_DIRECTION):
        raise tags.unclear("ImageOrientationPatient", "is no pair of directions at right angles", "two of length 1")
    corner = np.array(_numbers(tags, "ImagePositionPatient", 3))
    if np.abs(corner).max() >= FARTHEST_MM:
        raise tags.unclear("ImagePositionPatient", f"is {corner.tolist()}", f"less than {FARTHEST_MM:g} mm")
    size = tuple(tags.whole(keyword, range(1, 2**16)) for keyword in ("Rows", "Columns"))
    series = printable(next(iter(tags.values("SeriesInstanceUID")), ""))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return _Slice(path, series, (size[0], size[1]), (row_mm, column_mm), directions, corner, slope, intercept)


def _to_hounsfield(tags: Tags) -> tuple[float, float]:
    """Slope and intercept: stored values have no meaning without them."""
    line = [tags.number(keyword) for keyword in ("RescaleSlope", "RescaleIntercept")]
    if None in line:
        missing = "RescaleSlope" if line[0] is None else "RescaleIntercept"
        raise DataError(
            f"{tags.name} lacks {missing}, so that nobody knows which of its values is water; expected "
            "RescaleSlope and RescaleIntercept. Export the series again, from where it was scanned."
        )
    slope, intercept = float(line[0] or 0), float(line[1] or 0)
    if slope <= 0:
        raise tags.unclear("RescaleSlope", f"is {slope:g}", "a number above 0")
    unit = printable(next(iter(tags.values("RescaleType")), UNITS[0]))
    if unit not in UNITS:
        raise DataError(
            f"{tags.name} is measured in {unit}; expected HU, Hounsfield units. It may be a map that was computed of a "
            "CT: take the series itself."
        )
    return slope, intercept


def _numbers(tags: Tags, keyword: str, count: int) -> tuple[float, ...]:
    values = tags.values(keyword)
    if len(values) != count:
        raise tags.unclear(keyword, f"holds {len(values)} numbers" if values else "is missing", f"{count} numbers")
    with understood(lambda reason: tags.unclear(keyword, f"can not be read ({reason})", f"{count} numbers")):
        numbers = tuple(map(float, values))
    if not all(map(math.isfinite, numbers)):
        raise tags.unclear(keyword, f"is {some_of(numbers, count)}", "finite numbers")
    return numbers


def _check_one_series(slices: Sequence[_Slice]) -> None:
    """Do nothing if all slices are of one series and alike in what a volume has only one of."""
    first, folder = slices[0], _folder_of(slices)
    for what, of, tolerance, remedy in ALIKE:
        other = [one for one in slices if not _same(of(one), of(first), tolerance)]
        if other:
            shown = " and ".join(
                f"{count} {'is' if count == 1 else 'are'} like {printable(one.path.name)}, {_shown(of(one))}"
                for count, one in ((len(slices) - len(other), first), (len(other), other[0]))
            )
            raise DataError(f"The slices in {folder} differ in their {what}: {shown}. Expected one {what}. {remedy}.")
    voxels_mb = len(slices) * math.prod(first.size) * FLOAT32_BYTES / BYTES_PER_MB
    if voxels_mb > MOST_MB:
        raise DataError(
            f"{folder} holds {len(slices):,} slices, {voxels_mb:,.0f} MB of voxels; expected at most {MOST_MB:,}. Move "
            "out those that are not needed."
        )


def _same(one: object, other: object, tolerance: float) -> bool:
    return one == other if tolerance == 0 else np.allclose(np.asarray(one), np.asarray(other), rtol=0, atol=tolerance)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    return " x ".join(f"{number:.4g}" for number in np.ravel(np.asarray(value)).tolist())


def _step_of(slices: Sequence[_Slice]) -> Vector:
    """From a slice to the next one, in mm. The slices are sorted.

    Raises:
        DataError: they are not evenly spaced along their normal.
    """
    if len(slices) < 2:
        raise DataError(
            f"{_folder_of(slices)} holds a single slice, {printable(slices[0].path.name)}; expected two or more. A "
            "single picture is read with read_dicom."
        )
    gaps = np.diff([one.place for one in slices])
    usual = float(np.median(gaps))
    twice = [number for number, gap in enumerate(gaps) if gap <= max(SAME_MM, EVEN * usual)]
    if twice:
        raise DataError(
            f"{_pair(slices, twice[0])} lie at the same place. Expected each slice once: remove one of the two; or, if "
            "the scanner passed there twice, give each pass a folder of its own."
        )
    if wrong := [number for number, gap in enumerate(gaps) if abs(gap - usual) > EVEN * usual]:
        gap, times = gaps[wrong[0]], round(gaps[wrong[0]] / usual)
        missing = f": {times - 1} missing" if times > 1 and abs(gap - times * usual) <= EVEN * usual else ""
        raise DataError(
            f"{_pair(slices, wrong[0])} are {gap:.4g} mm apart, and most neighbours {usual:.4g} mm{missing}. Expected "
            "slices at one distance: copy what is missing from its source, or keep a part without a gap."
        )
    whole: Vector = slices[-1].corner - slices[0].corner
    beside = float(np.linalg.norm(whole - whole @ slices[0].normal * slices[0].normal))
    if beside > SAME_MM * len(slices):
        raise DataError(
            f"The slices in {_folder_of(slices)} do not lie straight behind each other: the last is shifted by "
            f"{beside:.3g} mm, as if the gantry had been tilted. Expected a straight series: resample it to one."
        )
    return whole / (len(slices) - 1)


def _hounsfield(one: _Slice) -> NDArray[np.float32]:
    """The values of a slice, [rows, columns]."""
    tags = read_tags(one.path)
    values = stored_pixels(tags) * one.slope + one.intercept
    if np.abs(values).max() > MOST_HU:
        raise DataError(
            f"{tags.name} has values from {values.min():.0f} to {values.max():.0f}; expected Hounsfield units, air "
            f"-1000, water 0, metal up to some {MOST_HU:.0f}. Its slope or intercept is wrong: export it again."
        )
    return np.maximum(values, LOWEST_HU).astype(np.float32)


def _pair(slices: Sequence[_Slice], number: int) -> str:
    names = " and ".join(printable(one.path.name) for one in slices[number : number + 2])
    return f"{names} in {_folder_of(slices)}"


def _folder_of(slices: Sequence[_Slice]) -> str:
    return printable(slices[0].path.parent, LONGEST_PATH)
