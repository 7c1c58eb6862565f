"""The two hippocampi: curved, wide in front, thin behind, each in the floor of its temporal horn."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.coats import Coat, Points, Structure
from course_lib.modalities.simulated_head.geometry import Field, Point, draw_waves, ellipsoid
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.physics import Tissue

MIDDLE: Point = (25.0, -4.0, -26.0)  #: of the right one in the standard head, mm
TILT = np.deg2rad(34)  #: of its long axis: the tail lies higher than the head
UNCUS_ENDS_MM = 1.8  #: in front of the middle: the anterior part reaches to there, the posterior part begins

# The mean outline of 112 hippocampi (the training patients of the Decathlon's Task 04, Simpson et al.,
# arXiv:1902.09063), each brought to the same volume: at places along the axis, mm from the middle, the middle of the
# cross section outwards and up, its half-width and half-height (twice the standard deviation), and how far it leans.
_OUTLINE = np.array(
    [  # along, outward, up, half-width, half-height, lean
        (-26, -5.2, 0.0, 2.5, 1.8, 0.20),
        (-25, -5.0, -0.4, 4.0, 2.6, 0.20),
        (-22, -3.9, -1.6, 5.5, 3.4, 0.16),
        (-19, -2.0, -2.7, 6.4, 3.4, 0.08),
        (-16, -0.2, -3.2, 6.5, 3.3, 0.02),
        (-13, 1.0, -3.2, 6.7, 3.3, 0.00),
        (-10, 2.0, -3.0, 6.8, 3.3, -0.03),
        (-7, 2.7, -2.4, 6.7, 3.5, -0.05),
        (-4, 3.1, -1.6, 6.7, 3.7, -0.06),
        (-1, 3.1, -0.6, 6.8, 3.9, -0.05),
        (2, 1.9, 0.4, 7.9, 4.3, 0.03),
        (5, 0.4, 1.4, 9.0, 4.8, 0.10),
        (8, -0.7, 2.0, 9.5, 5.0, 0.13),
        (11, -1.6, 2.4, 9.5, 4.8, 0.17),
        (14, -2.6, 2.5, 8.6, 4.4, 0.21),
        (17, -3.2, 2.4, 6.2, 3.5, 0.26),
        (19, -3.6, 2.2, 4.0, 2.5, 0.30),
        (20.5, -3.8, 2.0, 2.0, 1.2, 0.30),
    ]
)
ALONG, OUTWARD, UPWARD, WIDTH, HEIGHT, LEAN = _OUTLINE.T


def outline(out: Field, y: Field, z: Field, size: float, swell_mm: float = 0.0) -> Field:
    """Signed distance to the hippocampus, mm; ``out`` is the distance from the middle plane, ``swell_mm`` makes it fat.

    The distance holds near the surface: it is that within a cross section.
    """
    along, up, outward = _axes(out, y, z, size)
    section = np.clip(along, ALONG[0], ALONG[-1])
    width, height = _at(section, WIDTH) + swell_mm, _at(section, HEIGHT) + swell_mm
    across = outward - _at(section, OUTWARD)
    rise = up - _at(section, UPWARD) + _at(section, LEAN) * across
    radius = np.hypot(across / width, rise / height) + 1e-4
    distance = radius * (radius - 1) / (np.hypot(across / width**2, rise / height**2) + 1e-4)
    ends = np.maximum(ALONG[0] - along, along - ALONG[-1]) - swell_mm
    return np.maximum(np.float32(size) * np.maximum(distance, ends), -10)


def hippocampi(patient: Patient, p: Points) -> Iterator[Coat]:
    """Both of them, and what makes each hard to outline: amygdala, white matter, temporal horn, fluid to the inside."""
    for side, size in zip((1, -1), patient.hippocampus, strict=True):
        near, far = side * 4.0, side * 48.0
        q = p.near((min(near, far), -38, -52), (max(near, far), 26, -2))
        if q is not None:
            yield from _one_side(patient, q, side, size)


def _one_side(patient: Patient, q: Points, side: int, size: float) -> Iterator[Coat]:
    out, y, z = side * q.x, q.y, q.z
    seed = patient.anatomy_seed
    rough = 0.45 * draw_waves(seed, 20, 11.0, 10)(q.x, y, z)
    body = outline(out, y, z, size) + rough
    _, up, outward = _axes(out, y, z, size)
    under = np.maximum(outline(out, y, z, size, 1.8) + rough, up - 1)
    yield Coat(Tissue.WHITE, q.fill(np.maximum(under, -outward - 5)), q.place, Structure.CEREBRUM)
    wide = 0.6 + 0.9 * patient.ventricles
    horn = outline(out - wide, y, z - wide, size, -0.2)
    yield Coat(Tissue.CSF, q.fill(horn), q.place, Structure.LATERAL_VENTRICLE)
    fissure = np.maximum(outline(out + 4, y, z - 2.0, size, -1.0), y + 4)
    yield Coat(Tissue.CSF, q.fill(fissure), q.place)
    amygdala = ellipsoid(out, y, z, (21, 14.5, -27), (8.5, 7, 7))
    yield Coat(Tissue.GREY, q.fill(amygdala), q.place, Structure.AMYGDALA)
    alveus = np.maximum(body - 0.7, -up)
    yield Coat(Tissue.WHITE, 0.6 * q.fill(alveus), q.place, Structure.CEREBRUM)
    front = (y - MIDDLE[1]) / size > UNCUS_ENDS_MM
    filled = q.fill(body)
    yield Coat(Tissue.HIPPOCAMPUS, filled * front, q.place, Structure.HIPPOCAMPUS_ANTERIOR)
    yield Coat(Tissue.HIPPOCAMPUS, filled * ~front, q.place, Structure.HIPPOCAMPUS_POSTERIOR)
    inner = draw_waves(seed, 21, 9.0, 8)(q.x, y, z)
    curl = np.abs(body + 2.4 + 0.8 * inner) - 0.5
    yield Coat(Tissue.WHITE, 0.15 * q.fill(curl), q.place)
    yield Coat(Tissue.CSF, 0.3 * q.fill(np.maximum(np.abs(body + 3.5) - 0.5, -up - 1 + inner)), q.place)


def _axes(out: Field, y: Field, z: Field, size: float) -> tuple[Field, Field, Field]:
    """Along the hippocampus to the front, across it upwards, and outwards, mm from its middle, as if of usual size."""
    outward, front, up = (out - MIDDLE[0]) / size, (y - MIDDLE[1]) / size, (z - MIDDLE[2]) / size
    cosine, sine = float(np.cos(TILT)), float(np.sin(TILT))
    return cosine * front - sine * up, sine * front + cosine * up, outward


def _at(section: Field, table: NDArray[np.float64]) -> Field:
    return np.interp(section, ALONG, table).astype(np.float32)
