"""From a point in the scanner to the place of the standard head that lies there: no two heads are alike."""

from typing import Literal

import numpy as np

from course_lib.modalities.simulated_head.cavity import cavity
from course_lib.modalities.simulated_head.coats import Points
from course_lib.modalities.simulated_head.geometry import Field, Point, draw_waves
from course_lib.modalities.simulated_head.hippocampus import MIDDLE
from course_lib.modalities.simulated_head.people import Patient, Tumour

Side = Literal["right", "left"]
WARP_LENGTH_MM = 110.0  #: from one bulge to the next
REACH = 1.6  #: of the tumour's push, in its radii
SKULL_HOLDS_MM = 15.0  #: what lies so close below the skull is displaced less
NEAR_ENOUGH_MM = 0.01


def find_places(patient: Patient, x: Field, y: Field, z: Field, edge_mm: float) -> tuple[Points, Points]:
    """The places of the standard head at these points of the patient's, mm, and from where the tumour pushed them."""
    sx, sy, sz = _to_standard(patient, x, y, z)
    points = Points(sx, sy, sz, cavity(sx, sy, sz), edge_mm)
    if patient.tumour is None:
        return points, points
    return points, _before_the_push(patient.tumour, points)


def hippocampus_centre(patient: Patient, side: Side) -> Point:
    """The middle of one hippocampus in the patient's head, mm to the right, front and up.

    Raises:
        ValueError: the side is neither "right" nor "left".
    """
    if side not in ("right", "left"):
        raise ValueError(f'side must be "right" or "left", but is {side!r}.')
    return to_head(patient, (MIDDLE[0] if side == "right" else -MIDDLE[0], MIDDLE[1], MIDDLE[2]))


def to_head(patient: Patient, place: Point) -> Point:
    """Where a place of the standard head lies in the patient's, mm: `find_places` backwards, step by step."""
    goal = np.asarray(place, dtype=np.float32)
    point = goal * np.asarray(patient.scale, dtype=np.float32)
    for _ in range(200):
        x, y, z = point.reshape(3, 1, 1, 1)
        _, there = find_places(patient, x, y, z, 1.0)
        miss = goal - np.array([there.x.item(), there.y.item(), there.z.item()], dtype=np.float32)
        if np.abs(miss).max() < NEAR_ENOUGH_MM:
            break
        point += 0.7 * miss
    return float(point[0]), float(point[1]), float(point[2])


def _to_standard(patient: Patient, x: Field, y: Field, z: Field) -> tuple[Field, Field, Field]:
    bulges = (draw_waves(patient.anatomy_seed, 100 + axis, WARP_LENGTH_MM, 5)(x, y, z) for axis in range(3))
    sx, sy, sz = (
        v / scale + patient.warp_mm * bulge for v, scale, bulge in zip((x, y, z), patient.scale, bulges, strict=True)
    )
    return sx, sy, sz


def _before_the_push(tumour: Tumour, p: Points) -> Points:
    """What lies at a point now has come from nearer to the tumour's centre; the skull does not give way."""
    dx, dy, dz = (v - centre for v, centre in zip((p.x, p.y, p.z), tumour.centre_mm, strict=True))
    pull = tumour.push * np.exp(-(dx**2 + dy**2 + dz**2) / (REACH * tumour.radius_mm) ** 2)
    pull *= np.clip(-p.inside / SKULL_HOLDS_MM, 0, 1)
    return Points(p.x - pull * dx, p.y - pull * dy, p.z - pull * dz, p.inside, p.edge_mm)
