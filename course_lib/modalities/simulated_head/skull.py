"""The skull and what lies outside it: scalp, face, eyes, nose and throat; and the membranes inside.

Sizes and places, here and in the modules of the brain, are those of anatomy books and of the MNI152 atlas, to about
5 mm; they were set by eye beside MRI.
"""

from collections.abc import Iterator

import numpy as np

from course_lib.modalities.simulated_head.cavity import behind_petrous
from course_lib.modalities.simulated_head.coats import Coat, Points, Structure
from course_lib.modalities.simulated_head.geometry import Field, draw_waves, ellipsoid, ramp, tube, unite
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.physics import Tissue

DURA_MM = 0.8  #: thickness of the membrane inside the skull
SKIN_MM = 1.8


def above_tentorium(p: Points) -> Field:
    """Height above the tentorium, mm: a tent between cerebrum and cerebellum, highest behind the midbrain."""
    return p.z + 7 - 0.45 * np.minimum(p.y + 27, 0) + 0.75 * np.maximum(p.y + 27, 0) + 0.009 * p.x**2


def scalp_and_skull(patient: Patient, p: Points) -> Iterator[Coat]:
    """Skin, fat and muscle; face; bone with its marrow."""
    x, y, z, out = p.x, p.y, p.z, p.out
    uneven = 0.08 * draw_waves(patient.anatomy_seed, 1, 70.0, 8)(x, y, z)
    thickness = patient.skull_mm * (1 + uneven - 0.35 * ramp(out, 45, 64))  # thinnest at the temples
    skull = p.inside - thickness
    face = ellipsoid(x, y, z, (0, 42, -52), (58, 46, 62))
    neck = np.maximum(60 * np.hypot(x / 58, (y + 18) / 60) - 60, z + 20)
    nose = tube(x, y, z, ((0, 82, -34), (0, 98, -54), (0, 84, -64)), (5, 10, 9))
    head = unite(unite(unite(skull - patient.scalp_mm, face, 14), neck, 24), nose, 10)
    bumps = draw_waves(patient.anatomy_seed, 2, 20.0, 10)(x, y, z)
    yield Coat(Tissue.SKIN, p.fill(head), p.place)
    yield Coat(Tissue.FAT, p.fill(head + SKIN_MM), p.place)
    flesh = np.maximum(head + patient.scalp_mm + 1.5 * bumps + 20 * ramp(z, -30, -5), 2.5 * (np.abs(bumps) - 1.7))
    yield Coat(Tissue.MUSCLE, p.fill(flesh), p.place)
    temporal = ellipsoid(out, y, z, (65, 24, -20), (9, 24, 32))
    yield Coat(Tissue.MUSCLE, p.fill(np.maximum(temporal, head + 3)), p.place)
    yield from _eyes_and_nose(p, head, bumps)
    yield Coat(Tissue.BONE, p.fill(skull), p.place)
    yield Coat(Tissue.MARROW, p.fill(np.abs(p.inside - 0.5 * thickness) - 0.2 * thickness), p.place)
    clivus = ellipsoid(x, y, z, (0, 8, -50), (10, 5, 12))
    yield Coat(Tissue.MARROW, 0.5 * p.fill(np.maximum(clivus, 1.5 - p.inside)), p.place)


def _eyes_and_nose(p: Points, head: Field, bumps: Field) -> Iterator[Coat]:
    """Orbits with eyes and optic nerves in fat; nose, sinuses and throat full of air, in thin bone."""
    q = p.near((-60, -10, -90), (60, 100, 10))
    if q is None:
        return
    head, bumps = head[q.place], bumps[q.place]
    x, y, z, out = q.x, q.y, q.z, q.out
    orbit = np.maximum(ellipsoid(out, y, z, (29, 60, -38), (16, 29, 15)), head + 2)
    yield Coat(Tissue.BONE, q.fill(np.maximum(orbit - 2, head + 4)), q.place)
    yield Coat(Tissue.FAT, q.fill(orbit), q.place)
    air = np.minimum(ellipsoid(out, y, z, (4, 55, -58), (10, 30, 20)), ellipsoid(x, y, z, (0, 30, -52), (12, 11, 8)))
    air = np.minimum(air, ellipsoid(out, y, z, (30, 56, -68), (12, 15, 12)))
    air = np.minimum(air, tube(x, y, z, ((0, 20, -62), (0, 6, -72), (0, 2, -92)), (8, 8, 9)))
    air = np.maximum(np.minimum(air, ellipsoid(out, y, z, (11, 83, -21), (12, 4, 10))), head + 3)
    yield Coat(Tissue.BONE, q.fill(np.maximum(air - 1.5, head + 3)), q.place)
    conchae = np.abs(out - 5 + 2 * bumps) - 1.3
    yield Coat(Tissue.AIR, q.fill(np.maximum(air, -conchae)), q.place)
    eye = ellipsoid(out, y, z, (31, 74, -37), (12, 12, 12))
    muscles = np.maximum(np.abs(ellipsoid(out, y, z, (27, 56, -37), (10, 24, 10))) - 1, y - 70)
    yield Coat(Tissue.MUSCLE, q.fill(np.minimum(muscles, eye - 1)), q.place)
    yield Coat(Tissue.VITREOUS, q.fill(eye), q.place, Structure.EYE)
    yield Coat(Tissue.MUSCLE, q.fill(ellipsoid(out, y, z, (31, 82, -37), (5, 2, 5))), q.place, Structure.EYE)
    nerve = tube(out, y, z, ((30, 62, -37), (13, 30, -34)), (2, 2))
    yield Coat(Tissue.WHITE, q.fill(nerve), q.place)


def membranes(p: Points) -> Iterator[Coat]:
    """Dura on the inside of the skull, and the fluid within it."""
    yield Coat(Tissue.DURA, p.fill(p.inside), p.place)
    yield Coat(Tissue.CSF, p.fill(p.inside + DURA_MM), p.place)


def folds_of_dura(p: Points) -> Iterator[Coat]:
    """Falx between the hemispheres, tentorium over the cerebellum, and the large veins at their edges."""
    above, deep = above_tentorium(p), p.fill(p.inside)
    free_edge = ellipsoid(np.zeros_like(p.x), p.y, p.z, (0, 8, -14), (1000, 48, 40))
    falx = p.fill_sheet(p.x, 0.5) * (free_edge > 0) * (above > 0) * (p.z > -24) * deep
    yield Coat(Tissue.DURA, falx, p.place, Structure.FALX)
    notch = np.hypot(p.x / 17, (p.y + 12) / 24) > 1
    tent = p.fill_sheet(above, 0.5) * notch * (behind_petrous(p.out, p.y) > 0.5) * deep
    yield Coat(Tissue.DURA, tent, p.place, Structure.TENTORIUM)
    sagittal = np.maximum(np.hypot(p.x, p.inside + 2.5) - 3.2, np.maximum(-above, -20 - p.z))
    transverse = np.maximum(np.hypot(above, p.inside + 2) - 3, p.y + 25)
    yield Coat(Tissue.VESSEL, p.fill(np.maximum(np.minimum(sagittal, transverse), p.inside)), p.place)
