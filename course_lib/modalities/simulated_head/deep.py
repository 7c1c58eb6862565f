"""What lies deep in the brain: grey nuclei, ventricles, brain stem with the fluid around it, pituitary, arteries."""

from collections.abc import Iterator

import numpy as np

from course_lib.modalities.simulated_head.coats import Coat, Points, Structure
from course_lib.modalities.simulated_head.geometry import Field, ellipsoid, tube, unite
from course_lib.modalities.simulated_head.people import PITUITARY, Patient
from course_lib.modalities.simulated_head.physics import Tissue

FLATTENED = 0.75  #: width over height of the lateral ventricles
CISTERN_MM = 2.2  #: width of the fluid around the brain stem
MIXED = 0.65  #: part of grey matter in the thalamus, which fibres cross


def brain_stem(p: Points) -> Field:
    """Signed distance to midbrain, pons and medulla, mm."""
    midbrain = ellipsoid(p.x, p.y, p.z, (0, -8, -20), (15, 11, 11))
    pons = ellipsoid(p.x, p.y, p.z, (0, -9, -39), (16, 12, 14))
    medulla = tube(p.x, p.y, p.z, ((0, -14, -50), (0, -21, -64), (0, -25, -95)), (9.5, 7.5, 6))
    return unite(unite(midbrain, pons, 6), medulla, 6)


def cisterns(p: Points) -> Field:
    """Signed distance to the fluid at the base of the brain and what lies in it, mm."""
    above_sella = ellipsoid(p.x, p.y, p.z, (0, 14, -31), (10, 8, 7))
    behind = ellipsoid(p.x, p.y, p.z, (0, -22, -12), (11, 6, 5))
    return np.maximum(unite(unite(brain_stem(p) - CISTERN_MM, above_sella, 5), behind, 3), 1.2 * (p.z + 13))


def nuclei(p: Points) -> Iterator[Coat]:
    """Caudate, putamen, pallidum and thalamus of both sides."""
    q = p.near((-45, -40, -35), (45, 50, 30))
    if q is None:
        return
    out, y, z = q.out, q.y, q.z
    slanted = out - 0.14 * (14 - y)
    putamen = ellipsoid(slanted, y, z, (24.5, 14, -6), (6, 17.5, 10))
    pallidum = ellipsoid(slanted, y, z, (18.5, 10, -8), (3.5, 9, 5.5))
    thalamus = ellipsoid(out + 0.3 * (y + 2), y, z, (11, -3, -3), (10.5, 17, 10))
    caudate = tube(out, y, z, ((11, 31, -7), (12, 22, 0), (14, 8, 6), (17, -8, 8), (23, -20, 4)), (6, 6, 3.2, 2.2, 1.5))
    hypothalamus = ellipsoid(out, y, z, (2, 10, -20), (5, 9, 5))
    yield Coat(Tissue.DEEP_GREY, MIXED * q.fill(hypothalamus), q.place)
    yield Coat(Tissue.DEEP_GREY, q.fill(putamen), q.place, Structure.PUTAMEN)
    yield Coat(Tissue.DEEP_GREY, q.fill(caudate), q.place, Structure.CAUDATE)
    yield Coat(Tissue.DEEP_GREY, MIXED * q.fill(pallidum), q.place, Structure.PALLIDUM)
    yield Coat(Tissue.DEEP_GREY, MIXED * q.fill(thalamus), q.place, Structure.THALAMUS)


def lateral_ventricles(patient: Patient, p: Points) -> Iterator[Coat]:
    """Frontal horn, body, atrium and occipital horn; the temporal horns belong to the hippocampi."""
    q = p.near((-40, -75, -30), (40, 55, 35))
    if q is None:
        return
    course = ((8, 37, -3), (5, 27, 4), (5, 6, 8), (7, -11, 9), (19, -25, 5), (25, -28, -7))
    flat = tuple((x, y, FLATTENED * z) for x, y, z in course)
    horn = tube(q.out, q.y, FLATTENED * q.z, flat, (2.4, 4.6, 4.2, 4.2, 6.0, 4.0))
    back = tube(q.out, q.y, q.z, ((21, -28, 3), (20, -46, -2), (17, -56, -3)), (4.5, 2.8, 1))
    widening = 3.5 * (patient.ventricles * np.where(q.x > 0, 0.96, 1.04).astype(np.float32) - 1)
    ventricle = np.maximum(unite(horn, back, 3) - widening, 0.8 - q.out)
    yield Coat(Tissue.CSF, q.fill(ventricle), q.place, Structure.LATERAL_VENTRICLE)


def midline(patient: Patient, p: Points) -> Iterator[Coat]:
    """Brain stem in its cisterns, third and fourth ventricle, pituitary, and the arteries at the base."""
    q = p.near((-42, -60, -96), (42, 42, 15))
    if q is None:
        return
    x, y, z, out = q.x, q.y, q.z, q.out
    stem = brain_stem(q)
    yield Coat(Tissue.CSF, q.fill(cisterns(q)), q.place)
    yield Coat(Tissue.CSF, q.fill(np.maximum(np.hypot(x, y + 23) - 11, z + 60)), q.place)  # around the spinal cord
    yield Coat(Tissue.WHITE, q.fill(stem), q.place, Structure.BRAIN_STEM)
    nigra = ellipsoid(out, y, z, (8, -5, -20), (5, 2, 4))
    yield Coat(Tissue.DEEP_GREY, MIXED * q.fill(nigra), q.place, Structure.BRAIN_STEM)
    fourth = ellipsoid(x, y, z, (0, -24, -41), (6, 5, 10))
    aqueduct = tube(x, y, z, ((0, -12, -12), (0, -17, -22), (0, -23, -36)), (1.2, 1.0, 1.5))
    yield Coat(Tissue.CSF, q.fill(unite(fourth, aqueduct, 2)), q.place, Structure.FOURTH_VENTRICLE)
    narrow = out - (0.5 + 0.9 * patient.ventricles)
    third = np.maximum(narrow, ellipsoid(x, y, z, (0, 2, -12), (30, 14, 9)))
    bridge = np.hypot(y, z + 7) - 3
    yield Coat(Tissue.CSF, q.fill(np.maximum(third, -bridge)), q.place, Structure.THIRD_VENTRICLE)
    yield from _sella(q)
    yield from _arteries(q)


def _sella(q: Points) -> Iterator[Coat]:
    """The pituitary in its fossa, its stalk, and the crossing of the optic nerves above."""
    gland = ellipsoid(q.x, q.y, q.z, PITUITARY, (6.5, 5, 3.5))
    stalk = tube(q.x, q.y, q.z, ((0, 17, -36), (0, 10, -24)), (1.0, 1.4))
    course = ((13, 30, -34), (4, 18, -29), (0, 15, -28), (4, 10, -27), (12, 0, -22))
    chiasm = tube(q.out, q.y, q.z, course, (2, 2, 2, 2, 1.8))
    yield Coat(Tissue.BONE, q.fill(np.maximum(gland - 2.5, q.z + 36)), q.place)
    yield Coat(Tissue.CSF, q.fill(np.maximum(gland - 1.2, -36 - q.z)), q.place)
    yield Coat(Tissue.WHITE, q.fill(chiasm), q.place)
    yield Coat(Tissue.PITUITARY, q.fill(np.minimum(gland, stalk)), q.place, Structure.PITUITARY)


def _arteries(q: Points) -> Iterator[Coat]:
    """Carotid and middle cerebral artery of both sides, and the basilar artery."""
    carotid = tube(q.out, q.y, q.z, ((14, 10, -56), (12, 12, -42), (12, 22, -38), (10, 20, -31)), (2.5, 2.4, 2.2, 2))
    middle = tube(q.out, q.y, q.z, ((10, 20, -31), (21, 19, -28), (33, 16, -17), (35, 2, -4)), (1.5, 1.3, 1.1, 0.7))
    basilar = tube(q.x, q.y, q.z, ((0, 4, -54), (0, 5, -40), (0, 4, -27)), (1.5, 1.6, 1.6))
    yield Coat(Tissue.VESSEL, q.fill(np.minimum(np.minimum(carotid, middle), basilar)), q.place)
