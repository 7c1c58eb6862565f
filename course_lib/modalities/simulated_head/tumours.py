"""Tumours and their habits: each kind grows where it does in life, and takes up contrast agent in its own way."""

from collections.abc import Iterator
from enum import IntEnum

import numpy as np

from course_lib.modalities.simulated_head.anatomy import WHOLE, Coat, cavity
from course_lib.modalities.simulated_head.geometry import Field, Points, draw_waves, ellipsoid
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.physics import Tissue


class TumourPart(IntEnum):
    """The values of `Scan.tumour`."""

    NONE = 0
    SOLID = 1
    NECROSIS = 2
    OEDEMA = 3


PARTS = {
    Tissue.GLIOMA: TumourPart.SOLID,
    Tissue.MENINGIOMA: TumourPart.SOLID,
    Tissue.ADENOMA: TumourPart.SOLID,
    Tissue.NECROSIS: TumourPart.NECROSIS,
    Tissue.OEDEMA: TumourPart.OEDEMA,
}


def grow_tumour(patient: Patient, p: Points) -> Iterator[Coat]:
    """The coats of the tumour, to be laid over the healthy head; ``p`` are places before anything was displaced."""
    tumour = patient.tumour
    if tumour is None:
        return
    centre, radius = tumour.centre_mm, tumour.radius_mm
    ragged = draw_waves(patient.anatomy_seed, 50, 0.9 * radius, 12)(p.x, p.y, p.z)
    r = np.sqrt((p.x - centre[0]) ** 2 + (p.y - centre[1]) ** 2 + (p.z - centre[2]) ** 2)
    inside = cavity(p.x, p.y, p.z)
    if patient.kind == "glioma":
        edge = r - radius * (1 + 0.12 * ragged)
        yield Coat(Tissue.GLIOMA, p.fill(edge), WHOLE)
        thickness = radius * (1 - tumour.necrosis**0.5) + 1.5 + 0.08 * radius * draw_waves(patient.anatomy_seed, 51, 0.8 * radius, 12)(p.x, p.y, p.z)
        yield Coat(Tissue.NECROSIS, p.fill(edge + thickness), WHOLE)
    elif patient.kind == "meningioma":
        edge = np.maximum(r - radius * (1 + 0.03 * ragged), inside + 0.5)
        yield Coat(Tissue.CSF, p.fill(np.maximum(edge - 1.0, inside + 1)), WHOLE)
        tail = np.maximum(np.abs(inside + 1.5) - 1.5, r - 1.5 * radius)
        yield Coat(Tissue.MENINGIOMA, p.fill(np.minimum(edge, tail)), WHOLE)
    else:
        body = ellipsoid(p.x, p.y, p.z, (centre[0], centre[1], centre[2] + 0.7 * radius), (radius, 0.9 * radius, 1.3 * radius))
        yield Coat(Tissue.ADENOMA, p.fill(body), WHOLE)
        if tumour.necrosis > 0:
            yield Coat(Tissue.NECROSIS, p.fill(body + radius * (1 - tumour.necrosis)), WHOLE)


def spread_oedema(patient: Patient, p: Points, white: Field) -> Coat:
    """Water that leaks from the tumour into the white matter around it, in fingers."""
    tumour = patient.tumour
    assert tumour is not None
    fingers = draw_waves(patient.anatomy_seed, 52, 28.0, 12)(p.x, p.y, p.z)
    r = np.sqrt(sum((v - np.float32(c)) ** 2 for v, c in zip((p.x, p.y, p.z), tumour.centre_mm, strict=True)))
    reach = r - tumour.radius_mm - tumour.oedema_mm * (1 + 0.5 * fingers)
    return Coat(Tissue.OEDEMA, np.clip(0.5 - reach / 4, 0, 1).astype(np.float32) * white, WHOLE)
