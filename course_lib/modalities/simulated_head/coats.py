"""What the anatomy is made of: points of the standard head, and coats of tissue, each over what was there before."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.geometry import Field, Point
from course_lib.modalities.simulated_head.physics import Tissue

Place = tuple[slice, slice, slice]
WHOLE: Place = (slice(None), slice(None), slice(None))


class Structure(IntEnum):
    """Parts of the head with a name; the values of `Scan.structures`.

    The first two are numbered as in the Medical Segmentation Decathlon, and hold the left and the right side.
    """

    NONE = 0
    HIPPOCAMPUS_ANTERIOR = 1
    HIPPOCAMPUS_POSTERIOR = 2
    AMYGDALA = 3
    CAUDATE = 4
    PUTAMEN = 5
    PALLIDUM = 6
    THALAMUS = 7
    LATERAL_VENTRICLE = 8
    THIRD_VENTRICLE = 9
    FOURTH_VENTRICLE = 10
    CEREBRUM = 11
    CEREBELLUM = 12
    BRAIN_STEM = 13
    PITUITARY = 14
    FALX = 15
    TENTORIUM = 16
    EYE = 17


@dataclass(frozen=True)
class Coat:
    """One tissue at one place: ``part`` is what it fills of each voxel, 0 to 1."""

    tissue: Tissue
    part: Field
    place: Place
    structure: Structure = Structure.NONE


@dataclass(frozen=True)
class Points:
    """Points of the standard head, mm, [i, j, k], and what is known of each."""

    x: Field  #: to the right; 0 is between the hemispheres
    y: Field  #: to the front
    z: Field  #: up
    inside: Field  #: signed distance to the inside of the skull, mm: below 0 where the brain is
    edge_mm: float  #: width of an edge in the image: of a voxel, or more in a blurred image
    place: Place = WHOLE  #: where these points lie among all that are worked on

    @property
    def out(self) -> Field:
        """Distance from the middle plane, mm."""
        return np.abs(self.x)

    def near(self, low: Point, high: Point) -> "Points | None":
        """The block of rows, columns and slices that holds all points of a box of the standard head, or None."""
        place: list[slice] = []
        for lowest, highest in self._ranges:
            meets = (highest >= np.array(low)[:, None]) & (lowest <= np.array(high)[:, None])
            holds = np.flatnonzero(meets.all(axis=0))
            if not holds.size:
                return None
            place.append(slice(int(holds[0]), int(holds[-1]) + 1))
        at = (place[0], place[1], place[2])
        return Points(self.x[at], self.y[at], self.z[at], self.inside[at], self.edge_mm, at)

    @cached_property
    def _ranges(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """For rows, columns, and slices: the lowest and the highest x, y and z in each, [3, n]."""
        ranges = []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            lowest = np.stack([values.min(axis=others) for values in (self.x, self.y, self.z)])
            highest = np.stack([values.max(axis=others) for values in (self.x, self.y, self.z)])
            ranges.append((lowest, highest))
        return ranges

    def fill(self, distance: Field) -> Field:
        """The part of each voxel that lies in a body, from the signed distance to its surface, mm, below 0 inside.

        It is what a flat surface along two of the voxel's axes leaves of it; a slanting or curved one differs a little.
        """
        return np.clip(0.5 - distance / self.edge_mm, 0, 1)

    def fill_sheet(self, distance: Field, half_mm: float) -> Field:
        """The same for a sheet so thin that a voxel may hold both its surfaces; the distance is to its middle."""
        return self.fill(np.abs(distance) - half_mm) - self.fill(np.abs(distance) + half_mm)
