"""Planes of a volume as pictures: upright, with letters for the patient's sides, or as the array is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.orientations import aff2axcodes, apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import find_objects

from course_lib.evaluation.segmentation import CUBIC_MILLIMETRES_PER_ML

PLANES = {"axial": 2, "coronal": 1, "sagittal": 0}  #: the axis, i, j or k, that each plane lies across
SIDES = (("R", "L"), ("A", "P"), ("S", "I"))  #: where each axis of an upright volume ends, and where it begins
DARKEST, BRIGHTEST = 1.0, 99.5  #: percentiles of the voxels that are drawn black and white, where nobody says others
STRAIGHT_DEGREES = 1.0  #: an array that is turned by less against the patient counts as straight
WIDTH_PX, TALLEST_PX, LETTER_PX = 660, 260, 24  #: of a row of pictures, of a picture, of the room beside it
CONVENTION = "in radiological convention: the patient's right is on the left"
GAP_PX = 6  #: how near to its point a crosshair comes

Voxel = tuple[int, int, int]
Window = tuple[float, float]  #: the values that are drawn black and white


@dataclass(frozen=True)
class Cut:
    """One plane of a volume as a picture, its first row at the top."""

    name: str  #: which plane, and where
    pixels: NDArray[Any]  #: [rows, columns]
    mask: NDArray[np.uint8]  #: [rows, columns], 0 where nothing is marked
    pixel_mm: tuple[float, float]  #: height and width of a pixel
    cross: tuple[int, int]  #: row and column of the point through which the plane goes
    edges: tuple[str, str, str, str]  #: the letters on the left, on the right, at the top and at the bottom

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width of the picture."""
        rows, columns = self.pixels.shape
        return rows * self.pixel_mm[0], columns * self.pixel_mm[1]


@dataclass(frozen=True)
class DrawnVolume:
    """A volume in the order in which it is drawn, made by `upright` or by `unturned`."""

    values: NDArray[Any]  #: [i, j, k]
    mask: NDArray[np.uint8]  #: the same shape, 0 where nothing is marked
    affine: NDArray[np.float64]  #: [4, 4], from a voxel to mm
    to_stored: NDArray[np.float64]  #: [4, 4], from a voxel to the same voxel of the array as it came
    stored_as: str  #: to which sides of the patient the axes of that array run, as in "LPS"; empty: nobody knows

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from voxel to voxel along each axis."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return i, j, k

    @property
    def degrees_turned(self) -> float:
        """By how much the axes of the array are turned against the patient's, at most."""
        straight = np.abs(np.diag(self.affine)[:3]) / self.spacing
        return float(np.degrees(np.arccos(np.clip(straight, 0, 1))).max())

    def point(self, voxel: ArrayLike) -> NDArray[np.float64]:
        """Where the middle of a voxel lies: x, y and z in mm."""
        place: NDArray[np.float64] = self.affine[:3, :3] @ np.asarray(voxel) + self.affine[:3, 3]
        return place

    def stored_voxel(self, voxel: Voxel) -> list[int]:
        """Where the value of a voxel stands in the array as it came."""
        place: list[int] = np.rint(self.to_stored @ [*voxel, 1])[:3].astype(int).tolist()
        return place

    def nearest_voxel(self, point: ArrayLike) -> Voxel:
        """The voxel nearest to a point in mm, counted along the axes of the array."""
        steps = np.linalg.solve(self.affine[:3, :3], np.asarray(point, dtype=float) - self.affine[:3, 3])
        i, j, k = np.clip(np.rint(steps), 0, np.array(self.values.shape) - 1).astype(int).tolist()
        return i, j, k

    def voxel(self, point: ArrayLike) -> Voxel:
        """The voxel that holds a point in mm.

        Raises:
            ValueError: the point lies outside of the volume, or is not three numbers.
        """
        place = np.asarray(point, dtype=float)
        if place.shape != (3,) or not np.isfinite(place).all():
            raise ValueError(f"Expected a point of three numbers, but got {point!r}.")
        voxel = self.nearest_voxel(place)
        steps = np.linalg.solve(self.affine[:3, :3], place - self.point(voxel))
        if np.abs(steps).max() > 0.5 + 1e-6:
            names, unit = ("xyz", " mm") if self.stored_as else ("ijk", "")
            ranges = [f"{name} {number(a)} to {number(b)}" for name, a, b in zip(names, *self.ends(), strict=True)]
            raise ValueError(
                f"The point [{', '.join(map(number, place))}]{unit} lies outside of the volume, whose voxels have "
                f"their middles at {', '.join(ranges)}{unit}. Choose a point inside."
            )
        return voxel

    def middle(self) -> Voxel:
        """The middle of the volume; with a mask, the place where each of the three planes cuts the most of it."""
        if self.mask.any():
            marked = self.mask > 0
            i, j, k = (int(marked.sum(axis=others).argmax()) for others in ((1, 2), (0, 2), (0, 1)))
        else:
            i, j, k = (size // 2 for size in self.values.shape)
        return i, j, k

    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The lowest and the highest x, y and z in mm that the middle of a voxel has."""
        last = np.array(self.values.shape) - 1
        corners = np.array([self.point(last * corner) for corner in np.ndindex(2, 2, 2)])
        return corners.min(axis=0), corners.max(axis=0)

    def cut(self, plane: str, voxel: Voxel) -> Cut:
        """The plane through a voxel.

        Upright, it lies in radiological convention: the patient's right is on the left, as if one stood before the
        patient, or at the feet. As stored, its rows and columns are those of the array.

        Raises:
            ValueError: no plane has that name.
        """
        if plane not in PLANES:
            raise ValueError(f"No plane is called {plane!r}. There are: {', '.join(PLANES)}.")
        across = PLANES[plane]
        first, second = (axis for axis in range(3) if axis != across)
        at, (row, column) = voxel[across], (voxel[first], voxel[second])
        pixels, mask = np.take(self.values, at, axis=across), np.take(self.mask, at, axis=across)
        if not self.stored_as:
            edges = (f"{'ijk'[first]} ↓", "", f"{'ijk'[second]} →", "")
            return Cut(f"{'ijk'[across]} = {at}", pixels, mask, (1.0, 1.0), (row, column), edges)
        cross = pixels.shape[1] - 1 - column, pixels.shape[0] - 1 - row
        name = f"{plane}, {'xyz'[across]} = {number(self.point(voxel)[across])} mm"
        pixel_mm = self.spacing[second], self.spacing[first]
        return Cut(name, pixels.T[::-1, ::-1], mask.T[::-1, ::-1], pixel_mm, cross, SIDES[first] + SIDES[second])

    def place_in_words(self, voxel: Voxel) -> str:
        """Where a voxel is, as in "x 3, y -12, z 4 mm, voxel [83, 84, 92]"; it is counted in the array as it came."""
        place = ", ".join(f"{name} {number(mm)}" for name, mm in zip("xyz", self.point(voxel), strict=True))
        stored = f"voxel {self.stored_voxel(voxel)}"
        return f"{place} mm, {stored}" if self.stored_as else stored

    def grid_in_words(self) -> str:
        """How many voxels of which size there are, in which order they are stored, and whether they lie straight."""
        order = np.abs(self.to_stored[:3, :3])  # a permutation
        shape = " x ".join(f"{size:.0f}" for size in order @ self.values.shape)
        if not self.stored_as:
            return f"{shape} voxels as they are stored, whatever their affine says"
        spacing = " x ".join(number(step) for step in order @ self.spacing)
        words = f"{shape} voxels of {spacing} mm, stored as {self.stored_as}"
        if self.degrees_turned > STRAIGHT_DEGREES:
            words += f", turned by up to {number(self.degrees_turned)} degrees against the patient"
        return words

    def marked_in_words(self, value: int) -> str:
        """How large the part of the mask with this value is: millilitres, and the box around it in mm."""
        marked = self.mask == value
        boxes = find_objects(marked.view(np.uint8))
        if not boxes:
            return "nowhere"
        sides = np.array([side.stop - side.start for side in boxes[0]])
        if not self.stored_as:
            return f"{np.count_nonzero(marked):,} voxels"
        ml = np.count_nonzero(marked) * abs(np.linalg.det(self.affine[:3, :3])) / CUBIC_MILLIMETRES_PER_ML
        return f"{number(ml)} ml, {' x '.join(number(side) for side in sides * self.spacing)} mm"


def upright(values: ArrayLike, affine: ArrayLike, mask: ArrayLike | None = None) -> DrawnVolume:
    """The volume [i, j, k] with its axes as near as can be to the patient's right, anterior and superior.

    Nothing is resampled: axes are only swapped and mirrored. ``mask`` holds whole numbers on the same grid.

    Raises:
        ValueError: these are not a volume, an affine [4, 4] from voxels to millimetres, and a mask for it.
    """
    volume, matrix = _checked_values(values), _checked_affine(affine)
    order = io_orientation(matrix)
    back = inv_ornt_aff(order, volume.shape)
    marked = apply_orientation(_checked_mask(mask, volume.shape), order)
    return DrawnVolume(apply_orientation(volume, order), marked, matrix @ back, back, "".join(aff2axcodes(matrix)))


def unturned(values: ArrayLike, mask: ArrayLike | None = None) -> DrawnVolume:
    """The volume as a program sees it that knows nothing of the affine: a point is a voxel [i, j, k].

    Raises:
        ValueError: these are not a volume and a mask for it.
    """
    volume = _checked_values(values)
    return DrawnVolume(volume, _checked_mask(mask, volume.shape), np.eye(4), np.eye(4), "")


def window_of(values: NDArray[Any], window: Window | None = None) -> Window:
    """The values that are drawn black and white: those of ``window``, else two percentiles of the voxels.

    Raises:
        ValueError: black is not below white.
    """
    if window is not None:
        low, high = window
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"Expected a window (low, high) with low below high, but got {window}.")
        return float(low), float(high)
    low, high = np.percentile(values, (DARKEST, BRIGHTEST)).tolist()
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1)


def pixels_per_mm(rows: Sequence[Sequence[Cut]]) -> float:
    """The scale at which all rows fit, with whole pixels for the finest voxels if they are not smaller than one."""
    scale = TALLEST_PX / max(cut.size_mm[0] for row in rows for cut in row)
    for row in rows:
        room = WIDTH_PX - 2 * LETTER_PX * len(row)
        scale = min(scale, room / sum(cut.size_mm[1] for cut in row))
    finest = min(min(cut.pixel_mm) for row in rows for cut in row)
    return int(scale * finest) / finest if scale * finest >= 1 else scale


def number(value: float) -> str:
    """A length or a value as it is said: three or four digits, and no zero with a minus."""
    size = abs(value)
    if size < 0.0005:
        return "0"
    return f"{value:.0f}" if size >= 1000 else f"{value:.{4 if size >= 100 else 3}g}"


def _checked_values(values: ArrayLike) -> NDArray[Any]:
    volume = np.asarray(values)
    if volume.ndim != 3 or not volume.size:
        raise ValueError(
            f"Expected a volume [i, j, k], but got an array of shape {list(volume.shape)}. Of a torch tensor or a "
            "torchio image [channels, i, j, k], take one channel: image.numpy()[0]."
        )
    if volume.dtype == bool:
        volume = volume.astype(np.uint8)
    if not (np.issubdtype(volume.dtype, np.integer) or np.issubdtype(volume.dtype, np.floating)):
        raise ValueError(f"Expected a volume of real numbers, but got {volume.dtype}.")
    if missing := np.count_nonzero(~np.isfinite(volume)):
        raise ValueError(
            f"{missing:,} of {volume.size:,} voxels are not finite (NaN or infinite). Find out why, or replace them: "
            "np.nan_to_num(values)."
        )
    return volume


def _checked_affine(affine: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(affine, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise ValueError(f"Expected an affine [4, 4] of finite numbers, but got one of shape {list(matrix.shape)}.")
    steps = np.linalg.norm(matrix[:3, :3], axis=0)
    if not steps.all() or abs(np.linalg.det(matrix[:3, :3] / steps)) < 1e-6:
        raise ValueError(
            "The affine is singular: it puts different voxels in the same place, so that no plane can be drawn. "
            f"Its columns are {number(steps[0])}, {number(steps[1])} and {number(steps[2])} mm long. Repair the header."
        )
    return matrix


def _checked_mask(mask: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if mask is None:
        return np.zeros(shape, dtype=np.uint8)
    marked = np.asarray(mask)
    if marked.shape != shape:
        raise ValueError(
            f"The mask is {list(marked.shape)}, the volume {list(shape)}: they do not lie on the same grid. Resample "
            "the mask to the volume, with the nearest neighbour: torchio.Resample(image)(mask)."
        )
    with np.errstate(invalid="ignore"):  # a NaN, which is no whole number either
        whole = marked.astype(np.uint8)
    if not (whole == marked).all():
        raise ValueError(f"Expected a mask of whole numbers from 0 to 255, but got {marked.dtype} with others in it.")
    return whole
