"""From a point of the scanner to the place of the standard head that lies there: no two heads are alike."""

from typing import Literal

import numpy as np

from course_lib.modalities.simulated_head.anatomy import cavity
from course_lib.modalities.simulated_head.geometry import Field, Point, draw_waves
from course_lib.modalities.simulated_head.hippocampus import MIDDLE
from course_lib.modalities.simulated_head.people import Patient

Side = Literal["right", "left"]
WARP_LENGTH_MM = 110.0
SKULL_GIVES_MM = 18.0  #: over so much depth below the skull what a tumour displaces comes to rest


def to_standard(patient: Patient, x: Field, y: Field, z: Field) -> tuple[Field, Field, Field]:
    """Where these points of the patient's head, mm, lie in the standard head, mm."""
    sx, sy, sz = (
        v / np.float32(s) + np.float32(patient.warp_mm) * draw_waves(patient.anatomy_seed, 100 + axis, WARP_LENGTH_MM, 5)(x, y, z)
        for axis, (v, s) in enumerate(zip((x, y, z), patient.scale, strict=True))
    )
    if patient.tumour is None:
        return sx, sy, sz
    return _push_aside(patient, sx, sy, sz)


def hippocampus_centre(patient: Patient, side: Side) -> Point:
    """The middle of the patient's hippocampus, mm.

    Raises:
        ValueError: the side is neither "right" nor "left".
    """
    if side not in ("right", "left"):
        raise ValueError(f'side must be "right" or "left", but is {side!r}.')
    return to_head(patient, (MIDDLE[0] if side == "right" else -MIDDLE[0], *MIDDLE[1:]))


def to_head(patient: Patient, standard: Point) -> Point:
    """Where a place of the standard head lies in the patient's, mm: `to_standard` backwards, by iteration."""
    goal = np.asarray(standard, dtype=np.float32).reshape(3, 1, 1, 1)
    point = goal.copy()
    for _ in range(60):
        point += np.float32(0.7) * (goal - np.stack(to_standard(patient, *point)))
    x, y, z = (float(part) for part in point.ravel())
    return x, y, z


def _push_aside(patient: Patient, x: Field, y: Field, z: Field) -> tuple[Field, Field, Field]:
    """Which tissue the tumour has moved to these points: what lay nearer to its centre."""
    assert patient.tumour is not None
    tumour = patient.tumour
    dx, dy, dz = (v - np.float32(c) for v, c in zip((x, y, z), tumour.centre_mm, strict=True))
    reach = (dx**2 + dy**2 + dz**2) / np.float32((1.8 * tumour.radius_mm) ** 2)
    pull = np.float32(tumour.push) * np.exp(-reach)
    pull *= np.clip(-cavity(x, y, z) / np.float32(SKULL_GIVES_MM), 0, 1)
    return x - pull * dx, y - pull * dy, z - pull * dz
