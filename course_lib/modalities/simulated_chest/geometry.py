"""The little geometry that the simulator needs: where each pixel lies, and how far a ray runs inside simple bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from course_lib.modalities.simulated_chest.people import Patient

Plane = NDArray[np.floating[Any]]  #: one number per pixel, [height, width]
Line = NDArray[np.floating[Any]]  #: one number for each place on a line
Point = tuple[float, float]

WARP, WARP_CELL = 0.02, 0.55  #: of the body: spread, and size of its bumps, in half-widths
RETURNS = 4  #: steps of the way back from a warped place, after which it is right to a hundredth of a mm
SLACK = 3  #: times the spread: farther hardly any place is moved


@dataclass(frozen=True)
class Grid:
    """Where in the patient each pixel lies, cm: x to the right of the picture, y down, 0 in the middle of the lungs."""

    x: Plane
    y: Plane
    pixel: float  #: side of a pixel, cm
    slack: float  #: how far the irregular body may lie from where the ruler says, cm
    origin: Point  #: where in the picture the patient's 0 lies, px right and down
    cosine: float
    sine: float
    exact: bool = False  #: as for `texture`

    def window(self, points: Sequence[Point], margin: float) -> tuple[slice, slice]:
        """The rows and columns that hold everything nearer to the points than ``margin``, cm."""
        reach = (margin + self.slack) / self.pixel + 1
        columns = [self.origin[0] + (self.cosine * x - self.sine * y) / self.pixel for x, y in points]
        rows = [self.origin[1] + (self.sine * x + self.cosine * y) / self.pixel for x, y in points]
        height, width = self.x.shape
        return (
            slice(_inside(min(rows) - reach, height), _inside(max(rows) + reach + 1, height)),
            slice(_inside(min(columns) - reach, width), _inside(max(columns) + reach + 1, width)),
        )


def irregular(patient: Patient, x: Plane, y: Plane, *, exact: bool = False) -> tuple[Plane, Plane, float]:
    """Where the places of a regular body come to lie, and the slack: a smooth warp makes both sides differ a little.

    ``exact`` as for `texture`.
    """
    rng = np.random.default_rng([patient.anatomy_seed, 1])
    warp, cell = WARP * patient.half_width, WARP_CELL * patient.half_width
    warped_x = x + warp * texture(rng, x, y, cell, exact=exact)
    warped_y = y + warp * texture(rng, x, y, cell, exact=exact)
    return warped_x.astype(np.float32), warped_y.astype(np.float32), SLACK * warp


def ruler_places(patient: Patient, x: Line, y: Line) -> tuple[Line, Line]:
    """Where places of the regular body lie on the ruler: the way back from `irregular`."""
    on_x, on_y = x, y
    for _ in range(RETURNS):
        warped_x, warped_y, _ = irregular(patient, on_x[None], on_y[None], exact=True)
        on_x, on_y = on_x + x - warped_x[0], on_y + y - warped_y[0]
    return on_x, on_y


def points_grid(x: Line, y: Line) -> Grid:
    """A picture of one row, whose pixels lie at these places of the regular body."""
    return places_grid(np.asarray(x)[None], np.asarray(y)[None])


def places_grid(x: Plane, y: Plane) -> Grid:
    """A picture whose pixels lie at these places of the regular body, however far apart."""
    return Grid(x, y, 1, 0, (0, 0), 1, 0)


def texture(rng: np.random.Generator, x: Plane, y: Plane, cell: float, *, exact: bool = False) -> Plane:
    """Smooth random numbers, mean 0 and standard deviation about 1; ``cell`` is the size of their bumps, cm.

    With ``exact`` they are computed in each place, so that any window shows the same; else filled in between some.
    """
    lattice = 1.9 * rng.normal(size=(48, 48)).astype(np.float32)  # the spline's smoothing takes the spread back to 1
    pixel = max(1e-6, abs(float(y[-1, 0] - y[0, 0])) / max(1, len(y) - 1))
    # a picture of one row does not say how large its pixels are
    step = 1 if exact else max(1, min(int(cell / 4 / pixel), *x.shape))
    rows, columns = (np.minimum(np.arange(step // 2, n + step // 2, step), n - 1) for n in x.shape)
    places = np.stack([plane[np.ix_(rows, columns)] / cell for plane in (y, x)])
    coarse = np.asarray(map_coordinates(lattice, places, order=2, mode="grid-wrap", prefilter=False), dtype=np.float32)
    return coarse if step == 1 else upsample(coarse, step, x.shape)


def upsample(coarse: Plane, step: int, shape: tuple[int, ...]) -> Plane:
    """A plane of which only each ``step``-th row and column was computed, filled in between."""
    height, width = (step * n for n in coarse.shape)
    filled = Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(filled, dtype=np.float32)[: shape[0], : shape[1]]


def ellipsoid(x: Plane, y: Plane, half_axes: tuple[float, float, float]) -> Plane:
    """The length of the ray inside an ellipsoid at the origin, cm; half axes across, down and along the ray."""
    a, b, c = half_axes
    return 2 * c * np.sqrt(np.maximum(0, 1 - (x / a) ** 2 - (y / b) ** 2))


def tube(distance: Plane, radius: float | Plane) -> Plane:
    """The length of the ray inside a tube across the ray whose axis passes at this distance, cm."""
    return np.asarray(2 * np.sqrt(np.maximum(0, radius**2 - distance**2)))


def shell(distance: Plane, radius: float, thickness: float, marrow: float = 0.2) -> Plane:
    """The same for a bone: a hard shell around marrow that counts ``marrow`` times as much."""
    return tube(distance, radius) - (1 - marrow) * tube(distance, max(0.0, radius - thickness))


def fade(value: Plane, width: float) -> Plane:
    """From 0 where the value is far below zero to 1 where it is far above, over about twice the width."""
    return np.asarray(0.5 + 0.5 * np.tanh(2 * value / width))


def turned(grid: Grid, centre: Point, degrees: float) -> tuple[Plane, Plane]:
    """Coordinates with the origin at ``centre``, turned clockwise on the picture."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    x, y = grid.x - centre[0], grid.y - centre[1]
    return cosine * x + sine * y, cosine * y - sine * x


def add_line(
    canvas: Plane, grid: Grid, points: Sequence[Point], radii: Sequence[float], cortex: float | None = None
) -> None:
    """Draw a bent tube through the points into ``canvas`` (its length along the ray, cm), where it is the longest.

    With ``cortex`` it is a bone with a shell of that thickness.
    """
    for start, end, r0, r1 in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        if max(r0, r1) < 0.3 * grid.pixel:
            continue  # too thin to see
        rows, columns = grid.window((start, end), max(r0, r1))
        x, y = grid.x[rows, columns] - start[0], grid.y[rows, columns] - start[1]
        if x.size == 0:
            continue
        along_x, along_y = end[0] - start[0], end[1] - start[1]
        length2 = max(along_x**2 + along_y**2, 1e-9)
        part = np.clip((x * along_x + y * along_y) / length2, 0, 1)
        off_x, off_y = x - part * along_x, y - part * along_y
        distance2 = off_x * off_x + off_y * off_y
        radius = r0 + part * (r1 - r0)
        chord = 2 * np.sqrt(np.maximum(0, radius * radius - distance2))
        if cortex is not None:
            marrow = np.maximum(0, radius - cortex)
            chord -= 0.8 * 2 * np.sqrt(np.maximum(0, marrow * marrow - distance2))
        np.maximum(canvas[rows, columns], chord, out=canvas[rows, columns])


def _inside(index: float, size: int) -> int:
    return int(min(max(index, 0), size))
