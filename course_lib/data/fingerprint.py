"""What outlined images are like, in numbers that decide how a network should learn from them.

Source: F. Isensee et al., nnU-Net, Nature Methods 18:203-211, 2021, which calls these numbers the data fingerprint.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from course_lib.data.cases import Case
from course_lib.support.errors import DataError

QUANTILES = (0.005, 0.05, 0.5, 0.95, 0.995)  #: of the intensities inside and outside the structures
VOXELS_OF_A_CASE = 20_000  #: at most so many, evenly spaced, are kept for the quantiles
LEAST_SHOWN = 1e-4  #: of a whole; what is less, or less is missing, is said in words
MOST_OF_THEM = 0.9  #: of the cases have structures of this extent or less
APART = "All cases must be of one kind: make a plan for each kind by itself."

Unit = Literal["HU"]


@dataclass(frozen=True)
class Fingerprint:
    """What the cases of a data set are like before any preparation. Prints as a small table.

    Where the spacing is known, all sizes count in voxels of the median spacing, as if each case were resampled to it.
    Else they count in pixels or voxels as stored.
    """

    cases: int
    patients: int
    dimensions: int  #: 2 or 3
    channels: int
    readers: int  #: who marked each case
    labels: tuple[str, ...]  #: the background's first
    shape_voxels: tuple[int, ...]  #: the median along each axis
    smallest_voxels: tuple[int, ...]  #: along each axis
    largest_voxels: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None  #: the median along each axis; None where files have lost it
    part_of_voxels: tuple[float, ...]  #: 0 to 1, of each structure, over all cases
    extent_voxels: tuple[tuple[int, ...], ...]  #: median box around each structure, where it is
    extent_90_voxels: tuple[tuple[int, ...], ...]  #: nine tenths of the boxes are no longer than this along each axis
    empty: float  #: part of the cases without any structure
    inside: tuple[float, ...]  #: `QUANTILES` of the intensities in structures
    outside: tuple[float, ...]
    unit: Unit | None  #: of the intensities; None: every image has a scale of its own

    @property
    def structures(self) -> tuple[str, ...]:
        """The labels without the background."""
        return self.labels[1:]

    @property
    def ratio_of_spacings(self) -> float:
        """The longest side of a voxel in units of the shortest; 1 where nobody knows."""
        return max(self.spacing_mm) / min(self.spacing_mm) if self.spacing_mm else 1.0

    def __str__(self) -> str:
        kind = "slices" if self.dimensions == 2 else "volumes"
        spacing = "unknown" if self.spacing_mm is None else f"{by(self.spacing_mm)} mm"
        scale = "Hounsfield units" if self.unit == "HU" else "of each image's own scale"
        rows = [
            (
                "cases",
                f"{self.cases:,} {kind} of {self.patients:,} patients, {percent(self.empty)} without a structure",
            ),
            ("shape", f"{by(self.shape_voxels)}, from {by(self.smallest_voxels)} to {by(self.largest_voxels)}"),
            ("spacing", spacing),
        ]
        for number, name in enumerate(self.structures):
            usual, large = by(self.extent_voxels[number]), by(self.extent_90_voxels[number])
            rows.append((name, f"{percent(self.part_of_voxels[number])} of all; usually {usual}, 90 % within {large}"))
        for name, greys in (("inside", self.inside), ("outside", self.outside)):
            rows.append((name, f"{greys[2]:.4g} ({greys[1]:.4g} to {greys[3]:.4g}), {scale}"))
        return "\n".join(f"{name:14} {value}" for name, value in rows)


def fingerprint(cases: Iterable[Case], labels: Sequence[str], unit: Unit | None = None) -> Fingerprint:
    """Look at the cases one by one; no more than one is in memory, so they may come from a generator.

    ``labels`` are the names of the values in the label maps, the background's first. ``unit`` is ``"HU"`` for CT in
    Hounsfield units, which mean the same in every image, and None for all else: no file says it.

    Raises:
        DataError: there is no case; two have not the same axes, channels or readers, or one has a spacing and the other
            not; an intensity is NaN or infinite; a label map does not fit, has no whole numbers or a value without a
            name; a structure is in no case; or a unit is given that can not be.
    """
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise DataError(f"labels must be two or more different names, the background's first, but are {tuple(labels)}.")
    gathered = _Gathered(len(labels))
    for case in cases:
        gathered.add(case, _checked(case, labels, gathered.first))
    if gathered.first is None:
        raise DataError("A fingerprint needs at least one case, got none. Is the list of samples empty?")
    found = gathered.fingerprint(gathered.first, tuple(labels), unit)
    if unit == "HU" and found.outside[0] > 0:
        raise DataError(
            f"unit='HU' says that these are Hounsfield units, but all but the lowest of them are above "
            f"{found.outside[0]:.4g}, and air and fat, which lie below 0, are missing. Take unit=None, or apply slope "
            "and intercept first."
        )
    return found


def by(numbers: Sequence[float]) -> str:
    """Lengths along the axes, as ``0.98 x 0.98 x 3.3``."""
    return " x ".join(f"{number:.2g}" if number < 10 else f"{number:.0f}" for number in numbers)


def percent(part: float) -> str:
    """A part, 0 to 1, as per cent with two digits, or with four where 1 is near; 0 % is none, and 100 % all."""
    if 0 < part < LEAST_SHOWN:
        return f"less than {100 * LEAST_SHOWN:g} %"
    if 1 - LEAST_SHOWN < part < 1:
        return f"more than {100 * (1 - LEAST_SHOWN):g} %"
    return "100 %" if part == 1 else f"{100 * part:.{2 if part < 0.99 else 4}g} %"


@dataclass
class _Gathered:
    """What is kept of each case."""

    labels: int
    first: Case | None = None
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    spacings: list[tuple[float, ...]] = field(default_factory=list)  #: of each case; 1 along each axis where unknown
    counts: list[NDArray[np.int64]] = field(default_factory=list)  #: voxels of each label
    extents: dict[int, list[tuple[float, ...]]] = field(default_factory=dict)  #: by label, times the spacing
    greys: dict[bool, list[NDArray[np.float64]]] = field(default_factory=lambda: {True: [], False: []})
    patients: set[str] = field(default_factory=set)

    def add(self, case: Case, labels: NDArray[np.int64]) -> None:
        self.first = self.first or case
        self.patients.add(case.patient)
        self.shapes.append(labels.shape)
        self.spacings.append(case.spacing_mm or (1.0,) * labels.ndim)
        self.counts.append(np.bincount(labels.ravel(), minlength=self.labels))
        for label in (1 + np.flatnonzero(self.counts[-1][1:])).tolist():
            sides = zip(_extent(labels == label), self.spacings[-1], strict=True)
            self.extents.setdefault(label, []).append(tuple(side * mm for side, mm in sides))
        inside = labels > 0
        image = case.image if case.image.ndim > labels.ndim else case.image[None]
        for which in (True, False):
            greys = image[:, inside == which].ravel()
            step = max(1, math.ceil(len(greys) / VOXELS_OF_A_CASE))
            self.greys[which].append(greys[::step].astype(np.float64))

    def fingerprint(self, first: Case, names: tuple[str, ...], unit: Unit | None) -> Fingerprint:
        counts, spacings = np.stack(self.counts), np.array(self.spacings)
        usual = np.median(spacings, axis=0)
        shapes = np.array(self.shapes) * spacings / usual
        if missing := [name for label, name in enumerate(names) if label and label not in self.extents]:
            raise DataError(
                f"None of the {len(counts):,} cases holds {', '.join(missing)}, so nothing could learn it. Look "
                "whether the label maps belong to the images, or leave the label out."
            )
        each = range(1, len(names))
        return Fingerprint(
            cases=len(counts),
            patients=len(self.patients),
            dimensions=shapes.shape[1],
            channels=_channels(first),
            readers=first.readers,
            labels=names,
            shape_voxels=_whole(np.median(shapes, axis=0)),
            smallest_voxels=_whole(shapes.min(axis=0)),
            largest_voxels=_whole(shapes.max(axis=0)),
            spacing_mm=None if first.spacing_mm is None else tuple(usual.tolist()),
            part_of_voxels=tuple((counts.sum(axis=0) / counts.sum())[1:].tolist()),
            extent_voxels=tuple(_whole(np.median(self.extents[label], axis=0) / usual) for label in each),
            extent_90_voxels=tuple(
                _whole(np.quantile(self.extents[label], MOST_OF_THEM, axis=0) / usual) for label in each
            ),
            empty=float((counts[:, 1:].sum(axis=1) == 0).mean()),
            inside=_quantiles(self.greys[True]),
            outside=_quantiles(self.greys[False]),
            unit=unit,
        )


def _checked(case: Case, names: Sequence[str], first: Case | None) -> NDArray[np.int64]:
    """The label map of a case that makes sense, and is of the same kind as the first."""
    first = first or case
    space = case.labels.shape
    alike = case.image.shape[-len(space) :] == space and case.image.ndim - len(space) in (0, 1)
    if len(space) not in (2, 3) or 0 in case.image.shape or not alike:
        raise DataError(
            f"{case.name} has an image of shape {list(case.image.shape)} and labels of {list(space)}. Expected two or "
            "three axes in space, the same of both, and at most one of channels before them."
        )
    if len(space) != first.labels.ndim:
        raise DataError(f"{case.name} has {len(space)} axes, {first.name} {first.labels.ndim}. {APART}")
    if _channels(case) != _channels(first) or case.readers != first.readers:
        raise DataError(
            f"{case.name} has {_channels(case)} channels and {case.readers} readers, {first.name} {_channels(first)} "
            f"and {first.readers}. {APART}"
        )
    _check_spacing(case, first)
    if not np.isfinite(case.image).all():
        raise DataError(
            f"{case.name} holds {np.count_nonzero(~np.isfinite(case.image)):,} values that are NaN or infinite. Find "
            "out what they stand for, and write a number instead."
        )
    labels = case.labels.astype(np.int64)
    strange = (labels != case.labels) | (labels < 0) | (labels >= len(names))
    if strange.any():
        found = np.unique(case.labels[strange])[:5].tolist()
        raise DataError(
            f"{case.name} holds the labels {found}, which have no name. Expected whole numbers from 0 to "
            f"{len(names) - 1} ({', '.join(names)})."
        )
    return labels


def _check_spacing(case: Case, first: Case) -> None:
    if (case.spacing_mm is None) != (first.spacing_mm is None):
        known, lost = (first, case) if case.spacing_mm is None else (case, first)
        raise DataError(
            f"{known.name} has a spacing, {lost.name} has none. Give all of them, or None to all: then sizes count in "
            "voxels."
        )
    if case.spacing_mm is None:
        return
    if len(case.spacing_mm) != case.labels.ndim or not all(0 < mm < np.inf for mm in case.spacing_mm):
        raise DataError(
            f"{case.name} has {case.labels.ndim} axes and the spacing {case.spacing_mm}. Expected as many lengths in "
            "mm, all above 0."
        )


def _channels(case: Case) -> int:
    return int(case.image.shape[0]) if case.image.ndim > case.labels.ndim else 1


def _extent(inside: NDArray[np.bool_]) -> tuple[int, ...]:
    """The sides of the box around what is inside, in voxels."""
    axes = range(inside.ndim)
    along = (np.flatnonzero(inside.any(axis=tuple(other for other in axes if other != axis))) for axis in axes)
    return tuple(int(places[-1] - places[0] + 1) for places in along)


def _quantiles(greys: Sequence[NDArray[np.float64]]) -> tuple[float, ...]:
    everything = np.concatenate(greys)
    return tuple(np.quantile(everything, QUANTILES).tolist()) if len(everything) else (float("nan"),) * len(QUANTILES)


def _whole(sides: NDArray[np.float64]) -> tuple[int, ...]:
    """Rounded up, apart from what float64 rounds itself."""
    return tuple(max(1, math.ceil(side - 1e-9)) for side in sides.tolist())
