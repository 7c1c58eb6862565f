"""The two hippocampi: curved, wide in front, thin behind, in the floor of the temporal horns."""

import numpy as np

from course_lib.modalities.simulated_head.geometry import Field, Point

MIDDLE: Point = (26.0, -4.0, -27.0)  #: of the right one in the standard head, mm
TILT = np.deg2rad(34)  #: of its long axis: the tail lies higher than the head
UNCUS_ENDS = 5.0  #: mm in front of the middle: there the anterior part (the head) ends
LENGTH = (-20.0, -16.0, -10.0, -3.0, 5.0, 11.0, 16.0, 19.0)  #: along its axis, tail to head, mm
OUTWARD = (-8.0, -3.0, 1.0, 3.0, 2.5, 0.5, -1.0, -2.0)  #: of its middle, away from the brain's
UPWARD = (2.0, 1.5, 0.5, -0.5, -0.5, 0.0, 0.5, 0.5)
HALF_WIDTH = (1.5, 3.8, 4.6, 5.0, 6.5, 9.0, 8.5, 3.0)
HALF_HEIGHT = (1.5, 3.0, 3.6, 3.8, 4.6, 5.2, 4.6, 2.0)


def hippocampus(out: Field, y: Field, z: Field, size: float | Field, swell_mm: float = 0.0) -> tuple[Field, Field]:
    """Signed distance to the hippocampus, mm, and the place along its axis, mm from its middle to the front.

    ``out`` is the distance from the middle of the brain; ``swell_mm`` makes it fatter all around.
    """
    along, up, outward = axes(out, y, z, size)
    places = np.clip(along, LENGTH[0], LENGTH[-1])
    width, height = (np.interp(places, LENGTH, half) + swell_mm for half in (HALF_WIDTH, HALF_HEIGHT))
    a = (outward - np.interp(places, LENGTH, OUTWARD)) / width
    b = (up - np.interp(places, LENGTH, UPWARD)) / height
    radius = np.sqrt(a**2 + b**2) + 1e-6
    across = radius * (radius - 1) / np.sqrt((a / width) ** 2 + (b / height) ** 2 + 1e-12)
    ends = np.maximum(LENGTH[0] - along, along - LENGTH[-1]) - swell_mm
    distance = np.hypot(np.maximum(across, 0), np.maximum(ends, 0)) + np.minimum(np.maximum(across, ends), 0)
    return (distance * size).astype(np.float32), along


def axes(out: Field, y: Field, z: Field, size: float | Field) -> tuple[Field, Field, Field]:
    """Along the hippocampus to the front, across it upwards, and outwards, mm from its middle, as if of usual size."""
    outward, front, up = (out - MIDDLE[0]) / size, (y - MIDDLE[1]) / size, (z - MIDDLE[2]) / size
    cosine, sine = np.float32(np.cos(TILT)), np.float32(np.sin(TILT))
    return cosine * front - sine * up, sine * front + cosine * up, outward
