"""Volumes from NIfTI files, and their label maps: read whole and checked, or refused.

A file says what it is before its voxels come: how many there are, of which kind, and where in the patient they lie. All
of that is checked while nothing but the header has been read. Of a compressed file no more is ever unpacked than the
header says.

A NIfTI file has two places for its affine, the sform and the qform. As in nibabel, the sform counts where the file has
one, and else the qform. Where it has none, programs take the voxel sizes and guess the rest; here such a file is
refused, because nobody can tell its left from its right. So is one whose two affines turn the volume differently, by
more than 45 degrees.
"""

import gzip
import math
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
import torch
import torchio
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

from course_lib.data.volume_folder import SUFFIXES
from course_lib.support.errors import DataError
from course_lib.support.foreign import LONGEST_PATH, printable, some_of, understood

Affine = NDArray[np.float64]  #: [4, 4], from the indices of a voxel to millimetres towards Right, Anterior, Superior

KINDS: dict[bytes, type[Nifti1Header]] = {b"n+1\0": Nifti1Header, b"n+2\0": Nifti2Header}  #: by the magic of a header
MAGIC_AT = {348: 344, 540: 4}  #: by the size of a header, where its magic lies
GZIP_START = b"\x1f\x8b"
BYTES_PER_MB = 1_000_000
MOST_MB = 1000  #: of a volume in memory; a CT of the whole trunk, 512 x 512 x 800 voxels, has 839
MOST_BYTES_BEFORE = 10_000_000  #: of notes between the header and the voxels
FINEST_MM, COARSEST_MM = 0.01, 50.0  #: a voxel; microscopes are finer, and metres taken for millimetres look finer, too
FARTHEST_MM = 1e5  #: from the origin of the scanner to the first voxel
SAME_SPACING = 0.01  #: by which part the header's voxel sizes may differ from the affine's
LEAST_DETERMINANT = 1e-3  #: of an affine's directions, each of length 1; at right angles they have 1
LEAST_COSINE = 0.7  #: of 45 degrees, between an axis by the sform and by the qform; beyond, axes change places
SAME_PLACE = 0.1  #: of a voxel, by which a label map may lie beside its volume
WHOLE = 1e-3  #: by which a label may miss a whole number, after a slope
VOXELS_AT_ONCE = 100_000  #: that are scaled in float64

COPY_AGAIN = "Copy it again from its source, or leave it out."
SAME_GRID = "Both must be the same: take the label map that was drawn on this volume, or resample it to it."
EXPORT_AGAIN = "Export it again, from DICOM for example, or leave it out."


class VolumeError(DataError):
    """A file that the course does not read as a volume. ``problem`` ends a sentence that begins with its name."""

    def __init__(self, file: object, problem: str, remedy: str = EXPORT_AGAIN) -> None:
        self.problem = problem
        super().__init__(f"{printable(file, LONGEST_PATH)} {problem}. {remedy}")


def read_volume(path: Path | str, *, at_most_mb: float = MOST_MB) -> torchio.ScalarImage:
    """The volume in a NIfTI file, float32 [1, i, j, k], with its affine, float64 [4, 4], as the file has them.

    The values are those of the scanner: slope and intercept of the file have been applied. A fourth axis of length 1 is
    taken away. ``at_most_mb`` is how many megabytes the voxels may have, as float32 or as the file stores them,
    whichever is more; while they are read, they take up to twice as much.

    Raises:
        DataError: there is no such file, or it is no whole NIfTI file of a single volume with a known orientation,
            a sensible spacing and finite values.

    Source: NIfTI-1 data format, https://nifti.nimh.nih.gov/nifti-1, and its extension NIfTI-2.
    """
    stored, header = _read(Path(path), at_most_mb)
    voxels = np.empty(stored.size, np.float32)
    strange = 0
    for part, values in _scaled(stored, header):
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
            voxels[part] = values
        strange += int(np.count_nonzero(~np.isfinite(voxels[part])))
    del stored  # before the voxels are copied once more
    if strange:
        raise VolumeError(
            path,
            f"has {strange:,} voxels of {voxels.size:,} that are NaN, infinite, or beyond float32",
            "Expected finite numbers: find out what they stand for, background for example, and write that instead.",
        )
    return torchio.ScalarImage(tensor=_tensor_of(voxels, header), affine=header.affine)


def read_label_map(
    path: Path | str, like: torchio.ScalarImage, labels: Sequence[str], *, at_most_mb: float = MOST_MB
) -> torchio.LabelMap:
    """The label of each voxel of a volume, uint8 [1, i, j, k]: an index into the names of the labels.

    The map has the affine of the volume, ``like``, to the last bit. ``at_most_mb`` is as in `read_volume`.

    Raises:
        DataError: as in `read_volume`; or the map has another shape than the volume, or lies elsewhere, or holds
            something else than the indices of the labels.
    """
    stored, header = _read(Path(path), at_most_mb)
    check_same_grid(path, header.shape, header.affine, like)
    voxels = np.empty(stored.size, np.uint8)
    for part, values in _scaled(stored, header):
        whole = np.rint(values)
        with np.errstate(invalid="ignore"):
            fits = (np.abs(values - whole) < WHOLE) & (whole >= 0) & (whole < len(labels))  # NaN does not
        if not fits.all():
            raise _no_labels(path, np.unique(values[~fits]), labels)
        voxels[part] = whole
    del stored  # before the voxels are copied once more
    return torchio.LabelMap(tensor=_tensor_of(voxels, header), affine=like.affine)


def _no_labels(path: Path | str, strange: NDArray[np.float64], labels: Sequence[str]) -> VolumeError:
    return VolumeError(
        path,
        f"holds the values {some_of([f'{value:g}' for value in strange[:6]], 5)}, which stand for no label",
        f"Expected 0 to {len(labels) - 1} ({', '.join(labels)}). Is it a label map, or was it resampled like a "
        "picture?",
    )


@dataclass(frozen=True)
class _Header:
    """What a file says before its voxels come, once it has been found to make sense."""

    shape: tuple[int, ...]  #: of the volume, three sides
    before: int  #: bytes from the beginning of the file to the first voxel
    voxel_type: np.dtype[Any]
    affine: Affine
    slope: float
    intercept: float

    @property
    def file_bytes(self) -> int:
        return self.before + math.prod(self.shape) * self.voxel_type.itemsize


def _read(path: Path, at_most_mb: float) -> tuple[NDArray[Any], _Header]:
    """The voxels of a file as they are stored, in one row, i fastest and k slowest, and what its header says."""
    if not path.name.lower().endswith(SUFFIXES):
        raise VolumeError(path, f"has not the name of a NIfTI file, {' or '.join(SUFFIXES)}", "Name another file.")
    with understood(lambda reason: VolumeError(path, f"can not be read ({reason})", COPY_AGAIN)):
        if not stat.S_ISREG(path.stat().st_mode):
            raise VolumeError(path, "is no file, but has the name of a NIfTI file", "Name another one.")
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_START
            file.seek(0)
            content = gzip.GzipFile(fileobj=file) if packed else file
            header = _read_header(content, path, at_most_mb)
            if not packed:
                _check_length(path, os.fstat(file.fileno()).st_size, header)
            content.seek(header.before)
            voxels = content.read(header.file_bytes - header.before)
            rest = len(content.read(1))  # at the end of a compressed file, its checksum is looked at
        _check_length(path, header.before + len(voxels) + rest, header)
    return np.frombuffer(voxels, header.voxel_type), header


def _scaled(stored: NDArray[Any], header: _Header) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The values of the scanner, float64, a part at a time, and where in the row it lies."""
    for begin in range(0, stored.size, VOXELS_AT_ONCE):
        part = slice(begin, begin + VOXELS_AT_ONCE)
        with np.errstate(over="ignore", invalid="ignore"):  # who reads the values refuses what is not finite
            values = stored[part].astype(np.float64) * header.slope + header.intercept
        yield part, values


def _tensor_of(voxels: NDArray[Any], header: _Header) -> torch.Tensor:
    """The voxels of a row as [1, i, j, k], contiguous."""
    return torch.from_numpy(np.ascontiguousarray(voxels.reshape(header.shape, order="F")))[None]


def _check_length(path: Path, there: int, header: _Header) -> None:
    if there != header.file_bytes:
        raise VolumeError(
            path,
            f"{'ends too early' if there < header.file_bytes else 'goes on after its last voxel'}: expected "
            f"{header.file_bytes:,} bytes, {header.before:,} and then {' x '.join(map(str, header.shape))} voxels of "
            f"{header.voxel_type.itemsize}",
            COPY_AGAIN,
        )


def _read_header(file: BinaryIO | gzip.GzipFile, path: Path, at_most_mb: float) -> _Header:
    start = file.read(max(MAGIC_AT))
    sizes = (int.from_bytes(start[:4], order) for order in ("little", "big"))
    at = next((MAGIC_AT[size] for size in sizes if size in MAGIC_AT), None)
    kind = KINDS.get(start[at : at + 4]) if at else None
    if kind is None:
        raise VolumeError(
            path, f"is no NIfTI file that holds header and voxels; it begins with {start[:8]!r}", COPY_AGAIN
        )
    size = kind.sizeof_hdr
    header = kind(start[:size], check=False)
    voxel_type = header.get_data_dtype()
    if voxel_type.kind not in "iuf" or voxel_type.itemsize > 8:
        raise VolumeError(path, f"holds voxels of the type {voxel_type}; expected one number each")
    shape = _checked_shape(path, [int(side) for side in header["dim"]])
    megabytes = math.prod(shape) * max(voxel_type.itemsize, 4) / BYTES_PER_MB
    if megabytes > at_most_mb:
        raise VolumeError(
            path,
            f"claims {' x '.join(map(str, shape))} voxels, {megabytes:,.0f} MB; expected at most {at_most_mb:,.0f}",
            "Cut out the part that is needed, or resample it to larger voxels.",
        )
    before = float(header["vox_offset"])
    if not size <= before <= MOST_BYTES_BEFORE:
        raise VolumeError(path, f"says that its voxels begin at byte {before:g}; expected {size} or more", COPY_AGAIN)
    slope, intercept = header.get_slope_inter()  # None where the file has no scale
    affine = _checked_affine(path, header)
    scale = (1.0, 0.0) if slope is None or intercept is None else (float(slope), float(intercept))
    return _Header(shape, int(before), voxel_type, affine, *scale)


def _checked_shape(path: Path, dim: list[int]) -> tuple[int, ...]:
    """The three sides of a volume, from the number of axes and their lengths."""
    axes, sides = dim[0], dim[1 : dim[0] + 1]
    if not 1 <= axes <= 7 or min(sides) < 1:
        raise VolumeError(path, f"says that it has {axes} axes of the lengths {sides}; expected three", COPY_AGAIN)
    while len(sides) > 3 and sides[-1] == 1:
        sides.pop()
    shown = " x ".join(map(str, sides))
    if len(sides) > 3:
        raise VolumeError(
            path, f"holds several volumes, {shown}; expected one", "Save the one that is needed as a file of its own."
        )
    if len(sides) < 3 or min(sides) == 1:
        raise VolumeError(
            path, f"is a single slice or less, {shown}; expected at least 2 voxels along each axis", "Leave it out."
        )
    return tuple(sides)


def _checked_affine(path: Path, header: Nifti1Header) -> Affine:
    unit = header.get_xyzt_units()[0]
    if unit not in ("mm", "unknown"):
        raise VolumeError(path, f"is measured in {unit}s; expected millimetres", "Multiply its affine, and save it.")
    sizes = np.array(header["pixdim"][1:4], np.float64)
    if not ((sizes >= FINEST_MM) & (sizes <= COARSEST_MM)).all():  # NaN is neither
        raise VolumeError(
            path,
            f"has voxels of {_mm(sizes)}; expected {FINEST_MM:g} to {COARSEST_MM:g} mm",
            "Find out how large they are, and in which unit that is written; then correct its affine.",
        )
    header["pixdim"][0] = header["pixdim"][0] or 1  # the standard's meaning of 0
    both = header.get_sform(coded=True)[0], header.get_qform(coded=True)[0]
    known = [affine for affine in both if affine is not None]
    if not known:
        raise VolumeError(
            path,
            "says neither by sform nor by qform how it lies in the patient, so that nobody can tell left from right",
            EXPORT_AGAIN + " If you know how it lies, write the affine into it with nibabel.",
        )
    for affine in known:
        _check_affine(path, affine, sizes)
    sform, qform = (affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) for affine in (known[0], known[-1]))
    cosine = (sform * qform).sum(axis=0).min()
    if cosine < LEAST_COSINE:
        turned = " and ".join("".join(nibabel.aff2axcodes(affine)) for affine in known)
        apart = math.degrees(math.acos(max(cosine, -1)))
        raise VolumeError(
            path,
            f"has an sform and a qform that turn it differently, {turned}, up to {apart:.0f} degrees apart; expected "
            "them to agree",
        )
    return np.asarray(known[0], np.float64)


def _check_affine(path: Path, affine: Affine, sizes: NDArray[np.float64]) -> None:
    if not np.abs(affine).max() < FARTHEST_MM:  # NaN is neither
        raise VolumeError(path, f"has an affine that is no place in a patient: it holds {np.abs(affine).max():g}")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if abs(np.linalg.det(affine[:3, :3] / np.where(lengths > 0, lengths, 1))) < LEAST_DETERMINANT:
        raise VolumeError(path, f"has an affine that folds the volume flat, {np.round(affine[:3], 3).tolist()}")
    if not np.allclose(lengths, sizes, rtol=SAME_SPACING):
        raise VolumeError(
            path, f"has voxels of {_mm(sizes)} by its header and of {_mm(lengths)} by its affine; expected the same"
        )


def check_same_grid(path: Path | str, shape: tuple[int, ...], affine: Affine, like: torchio.ScalarImage) -> None:
    """Do nothing if a label map of this shape and affine lies on the grid of the volume ``like``.

    Raises:
        DataError: it does not.
    """
    if shape != like.spatial_shape:
        raise VolumeError(
            path,
            f"has {' x '.join(map(str, shape))} voxels, its volume {' x '.join(map(str, like.spatial_shape))}",
            SAME_GRID,
        )
    corners = np.stack(np.meshgrid(*[(0, side - 1) for side in shape], [1], indexing="ij")).reshape(4, -1)
    apart = float(np.linalg.norm(((affine - like.affine) @ corners)[:3], axis=0).max())
    if apart > SAME_PLACE * min(like.spacing):
        raise VolumeError(
            path,
            f"lies up to {apart:.3g} mm beside its volume, by their affines",
            SAME_GRID,
        )


def _mm(lengths: NDArray[np.float64]) -> str:
    return " x ".join(f"{length:.4g}" for length in lengths) + " mm"
