"""Tumours and their habits: where each kind grows, what shape it has, and what it does to the brain around it.

The habits are those of any textbook of neuroradiology; how large and how ragged tumours are was set by eye.
"""

from collections.abc import Iterator
from enum import IntEnum

import numpy as np

from course_lib.modalities.simulated_head.coats import Coat, Points
from course_lib.modalities.simulated_head.geometry import Field, Point, draw_waves, ellipsoid, unite
from course_lib.modalities.simulated_head.people import Patient, Tumour
from course_lib.modalities.simulated_head.physics import Tissue


class TumourPart(IntEnum):
    """The values of `Scan.tumour`."""

    NONE = 0
    SOLID = 1  #: what takes up contrast agent
    NECROSIS = 2  #: dead tissue and fluid inside
    OEDEMA = 3  #: water in the white matter around


PART_OF_TISSUE = {
    Tissue.GLIOMA: TumourPart.SOLID,
    Tissue.MENINGIOMA: TumourPart.SOLID,
    Tissue.ADENOMA: TumourPart.SOLID,
    Tissue.NECROSIS: TumourPart.NECROSIS,
    Tissue.OEDEMA: TumourPart.OEDEMA,
}


def grow_tumour(patient: Patient, tumour: Tumour, p: Points) -> Iterator[Coat]:
    """The coats of the tumour itself, over whatever was there."""
    reach = 2.5 * tumour.radius_mm
    low, high = (tuple(c + sign * reach for c in tumour.centre_mm) for sign in (-1, 1))
    q = p.near((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    if q is not None:
        grow = {"glioma": _glioma, "meningioma": _meningioma, "pituitary": _adenoma}[patient.kind]
        yield from grow(patient, tumour, q)


def spread_oedema(patient: Patient, tumour: Tumour, p: Points, white: Coat) -> Coat:
    """Water in the white matter around the tumour, in fingers, as far as it reaches; grey matter is spared."""
    fingers = draw_waves(patient.anatomy_seed, 52, 26.0, 12)(p.x, p.y, p.z)
    edge = _distance(p, tumour.centre_mm) - tumour.radius_mm - tumour.oedema_mm * (1 + 0.5 * fingers)
    wet = np.clip(0.5 - edge / 5, 0, 1) * (tumour.oedema_mm > 0)  # it has no sharp edge
    return Coat(Tissue.OEDEMA, wet * white.part, white.place, white.structure)


def _glioma(patient: Patient, tumour: Tumour, q: Points) -> Iterator[Coat]:
    """A ragged ring of living tumour, thick here and thin there, around dead tissue."""
    seed, radius = patient.anatomy_seed, tumour.radius_mm
    edge = _distance(q, tumour.centre_mm) - radius * (1 + 0.13 * draw_waves(seed, 50, 1.1 * radius, 14)(q.x, q.y, q.z))
    edge = np.maximum(edge, q.inside + 2)
    ring = 2 + (radius - 2) * (1 - tumour.necrosis) * (1 + 0.5 * draw_waves(seed, 51, 0.9 * radius, 12)(q.x, q.y, q.z))
    yield Coat(Tissue.GLIOMA, q.fill(edge), q.place)
    if tumour.necrosis > 0:
        yield Coat(Tissue.NECROSIS, q.fill(edge + np.maximum(ring, 1.5)), q.place)


def _meningioma(patient: Patient, tumour: Tumour, q: Points) -> Iterator[Coat]:
    """Round, broad on the dura, which it thickens into a tail, with a cleft of fluid towards the brain."""
    bumps = draw_waves(patient.anatomy_seed, 50, 1.2 * tumour.radius_mm, 10)(q.x, q.y, q.z)
    distance = _distance(q, tumour.centre_mm)
    ball = np.maximum(distance - tumour.radius_mm * (1 + 0.04 * bumps), q.inside)
    tail = np.maximum(np.abs(q.inside + 1) - 1.2, distance - 1.45 * tumour.radius_mm)
    yield Coat(Tissue.CSF, q.fill(np.maximum(ball - 1, q.inside + 1)), q.place)
    yield Coat(Tissue.MENINGIOMA, q.fill(unite(ball, tail, 2)), q.place)


def _adenoma(patient: Patient, tumour: Tumour, q: Points) -> Iterator[Coat]:
    """From the sella upwards, with a waist where the diaphragm of the sella holds it."""
    radius, (cx, cy, cz) = tumour.radius_mm, tumour.centre_mm
    bumps = 0.05 * radius * draw_waves(patient.anatomy_seed, 50, 1.2 * radius, 10)(q.x, q.y, q.z)
    below = ellipsoid(q.x, q.y, q.z, (cx, cy, cz), (0.8 * radius, 0.7 * radius, 0.7 * radius))
    above = ellipsoid(q.x, q.y, q.z, (cx, cy - 1, cz + 1.05 * radius), (radius, 0.85 * radius, 0.8 * radius))
    body = unite(below, above, 3) + bumps
    yield Coat(Tissue.ADENOMA, q.fill(body), q.place)
    if tumour.necrosis > 0:
        cyst = ellipsoid(q.x, q.y, q.z, (cx + 0.2 * radius, cy, cz + radius), (tumour.necrosis * radius,) * 3)
        yield Coat(Tissue.NECROSIS, q.fill(np.maximum(cyst + 2 * bumps, body + 1.5)), q.place)


def _distance(p: Points, centre: Point) -> Field:
    return np.sqrt((p.x - centre[0]) ** 2 + (p.y - centre[1]) ** 2 + (p.z - centre[2]) ** 2)
