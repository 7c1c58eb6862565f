"""The healthy head, from the outside in: coats of tissue, each of which covers what lies beneath."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from course_lib.modalities.simulated_head.geometry import (
    Field,
    Place,
    Point,
    Points,
    draw_waves,
    ellipsoid,
    ramp,
    tube,
    unite,
)
from course_lib.modalities.simulated_head.hippocampus import MIDDLE, UNCUS_ENDS, axes, hippocampus
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.physics import Tissue


class Structure(IntEnum):
    """Parts of the brain with a name; the values of `Scan.structures`. The first two are the Decathlon's."""

    NONE = 0
    HIPPOCAMPUS_ANTERIOR = 1
    HIPPOCAMPUS_POSTERIOR = 2
    AMYGDALA = 3
    CAUDATE = 4
    PUTAMEN = 5
    THALAMUS = 6
    LATERAL_VENTRICLE = 7
    THIRD_VENTRICLE = 8
    FOURTH_VENTRICLE = 9
    BRAIN_STEM = 10
    CEREBELLUM = 11
    PITUITARY = 12
    EYE = 13
    FALX = 14
    TENTORIUM = 15
    CEREBRUM = 16


@dataclass(frozen=True)
class Coat:
    """One tissue at one place: the part of each voxel that it fills, 0 to 1."""

    tissue: Tissue
    part: Field
    place: Place
    structure: Structure = Structure.NONE


WHOLE: Place = (slice(None), slice(None), slice(None))


def cavity(x: Field, y: Field, z: Field) -> Field:
    """Signed distance to the inside of the skull, mm: below 0 where the brain is."""
    narrow = x * (1 + np.float32(0.0012) * (y + 10))  # narrower in front
    dome = ellipsoid(narrow, y, z, (0, 0, 0), (65, 82, 64))
    floor = -26 - 21 * ramp(y, 38, 24) + 15 * ramp(np.abs(x), 22, 10) * ramp(y, -6, 4) - 30 * ramp(y, -2, -25)
    cranium = -unite(-dome, np.float32(0.8) * (z - floor), 8)
    fossa = ellipsoid(np.abs(x), y, z, (18, -40, -38), (34, 36, 27))
    return unite(cranium, fossa, 8)


def healthy_head(patient: Patient, points: Points) -> Iterator[Coat]:
    """All coats of the head without a tumour, outermost first; the places are those of the standard head."""
    inside = cavity(points.x, points.y, points.z)
    yield from _outside(patient, points, inside)
    within = points.near((-75, -90, -72), (75, 90, 72))
    if within is None or not (inside < 2).any():
        return
    place = within
    points, inside = points.at(place), inside[place]
    for part in (_coverings, _cerebrum, _cerebellum, _deep, _midline, _temporal):
        for coat in part(patient, points, inside):
            yield Coat(coat.tissue, coat.part, _shift(coat.place, place), coat.structure)


def _shift(inner: Place, outer: Place) -> Place:
    i, j, k = (
        slice((o.start or 0) + (n.start or 0), (o.start or 0) + n.stop) if n.stop is not None else o
        for n, o in zip(inner, outer, strict=True)
    )
    return i, j, k


def _outside(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Skin, fat, muscle, skull and marrow, eyes, and the air of nose and throat."""
    x, y, z = p.x, p.y, p.z
    out = np.abs(x)
    skull = inside - patient.skull_mm * (1 + 0.15 * draw_waves(patient.anatomy_seed, 1, 60.0, 8)(x, y, z))
    scalp = skull - patient.scalp_mm
    face = ellipsoid(x, y, z, (0, 42, -52), (60, 48, 62))
    neck = np.hypot(x / 60, (y + 22) / 62).astype(np.float32) * 60 - 60
    neck = np.maximum(neck, z + 20)
    nose = tube(x, y, z, ((0, 82, -30), (0, 98, -52), (0, 84, -62)), (6, 11, 10))
    head = unite(unite(unite(scalp, face, 12), neck, 20), nose, 10)
    yield Coat(Tissue.SKIN, p.fill(head), WHOLE)
    yield Coat(Tissue.FAT, p.fill(head + 2), WHOLE)
    waves = draw_waves(patient.anatomy_seed, 2, 22.0, 10)(x, y, z)
    low = ramp(z, -20, -38)
    fleshy = np.maximum(head + 4 + 3 * waves, -skull + 0 * z) + 40 * (1 - low)
    yield Coat(Tissue.MUSCLE, p.fill(np.maximum(fleshy, 1.2 * waves - 0.5)), WHOLE)
    temporal = ellipsoid(out, y, z, (64, 22, -22), (10, 26, 30))
    yield Coat(Tissue.MUSCLE, p.fill(np.maximum(temporal, head + 3)), WHOLE)
    orbit = ellipsoid(out, y, z, (29, 58, -38), (17, 30, 16))
    yield Coat(Tissue.BONE, p.fill(np.maximum(orbit - 2.5, head + 4)), WHOLE)
    yield Coat(Tissue.FAT, p.fill(np.maximum(orbit, head + 3)), WHOLE)
    cavities = np.minimum(
        ellipsoid(x, y, z, (0, 55, -58), (14, 30, 20)),
        np.minimum(ellipsoid(out, y, z, (30, 55, -66), (13, 16, 13)), ellipsoid(x, y, z, (0, 28, -52), (13, 12, 9))),
    )
    throat = tube(x, y, z, ((0, 20, -62), (0, 6, -72), (0, 2, -90)), (8, 8, 9))
    frontal_sinus = ellipsoid(out, y, z, (12, 84, -22), (13, 5, 11))
    air = np.minimum(np.minimum(cavities, throat), frontal_sinus)
    yield Coat(Tissue.BONE, p.fill(np.maximum(air - 1.5, head + 4)), WHOLE)
    turbinates = np.abs(out - 5 + 2 * waves) - 1.5
    yield Coat(Tissue.AIR, p.fill(np.maximum(np.maximum(air, head + 3), -turbinates)), WHOLE)
    eye = ellipsoid(out, y, z, (31, 73, -37), (12, 12, 12))
    yield Coat(Tissue.MUSCLE, p.fill(eye - 1), WHOLE, Structure.EYE)
    yield Coat(Tissue.VITREOUS, p.fill(eye), WHOLE, Structure.EYE)
    yield Coat(Tissue.MUSCLE, p.fill(ellipsoid(out, y, z, (31, 82, -37), (5, 2.2, 5))), WHOLE, Structure.EYE)
    nerve = tube(out, y, z, ((30, 62, -37), (14, 34, -34)), (2, 2))
    yield Coat(Tissue.WHITE, p.fill(nerve), WHOLE)
    yield Coat(Tissue.BONE, p.fill(skull), WHOLE)
    diploe = np.abs(inside - 0.5 * (inside - skull)) - 0.22 * (inside - skull)
    yield Coat(Tissue.MARROW, p.fill(diploe + 2 * ramp(z, -20, -40)), WHOLE)
    clivus = ellipsoid(x, y, z, (0, 5, -52), (12, 6, 14))
    yield Coat(Tissue.MARROW, p.fill(np.maximum(clivus, -inside + 1.5)), WHOLE)


def tentorium(x: Field, y: Field, z: Field) -> Field:
    """Height above the tentorium, mm: it rises to the middle, and sinks towards the back."""
    return z + 8 - 0.45 * np.minimum(y + 27, 0) * -1 * -1 + 0.01 * x**2


def _coverings(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Dura around, CSF within it, falx and tentorium."""
    yield Coat(Tissue.DURA, p.fill(inside), WHOLE)
    yield Coat(Tissue.CSF, p.fill(inside + 0.8), WHOLE)


def _midline_gap(p: Points) -> Field:
    """Distance to the cleft between the hemispheres, mm, which ends at the corpus callosum."""
    callosum = ellipsoid(np.zeros_like(p.x), p.y, p.z, (0, 10, -12), (1000, 35, 29))
    return np.hypot(p.x, np.maximum(0, -callosum))


def _cerebrum(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Cortex with its folds around white matter."""
    x, y, z = p.x, p.y, p.z
    out = np.abs(x)
    above = tentorium(x, y, z)
    roof = np.where(y < -14, above - 1, np.float32(1e3)) + 0 * x
    front = ramp(y, -14, -8)
    roof = np.minimum(roof, 60) * (1 - front) + 60 * front
    gap = _midline_gap(p) - 1.2
    depth = np.minimum(np.minimum(-inside - patient.csf_mm, roof), gap)
    folds = _sulci(patient, p, depth) - patient.sulci_mm
    surface = np.minimum(depth, folds)
    centre = ellipsoid(out, y, z, (0, -6, -14), (16, 20, 22))  # no cortex around the brain stem and the third ventricle
    surface = np.maximum(surface, np.minimum(-centre, -inside - patient.csf_mm))
    yield Coat(Tissue.GREY, p.fill(-surface), WHOLE, Structure.CEREBRUM)
    yield Coat(Tissue.WHITE, p.fill(patient.cortex_mm - surface), WHOLE, Structure.CEREBRUM)
    falx_bottom = ellipsoid(np.zeros_like(x), y, z, (0, 6, -14), (1000, 46, 38))
    falx = np.where((falx_bottom > 0) & (roof > 0), p.fill_sheet(x, 0.5), 0) * p.fill(inside)
    yield Coat(Tissue.DURA, falx.astype(np.float32), WHOLE, Structure.FALX)


def _sulci(patient: Patient, p: Points, depth: Field) -> Field:
    """Distance to the middle of the nearest sulcus, mm: sheets that go inwards from the surface to some depth."""
    x, y, z = p.x, p.y, p.z
    radius = np.sqrt((x / 65) ** 2 + (y / 82) ** 2 + (z / 64) ** 2) + np.float32(1e-3)
    shrink = (np.float32(0.65) / radius + np.float32(0.35)) * np.float32(0.92)  # sheets stand upright on the surface
    side = np.where(x > 0, np.float32(400), np.float32(0))  # left and right fold differently
    at = (x * shrink + side, y * shrink, z * shrink)
    sheets = draw_waves(patient.anatomy_seed, 3, 20.0, 14).distance(*at)
    deepest = 13 + 5 * draw_waves(patient.anatomy_seed, 4, 50.0, 8)(*at)
    primary = np.hypot(sheets, np.maximum(0, depth - deepest))
    return np.minimum(primary, _lateral_fissure(p))


def _lateral_fissure(p: Points) -> Field:
    """Distance to the cleft between temporal and frontal lobe, mm, with the insula at its bottom."""
    out, y, z = np.abs(p.x), p.y, p.z
    height = z - (-14 - 0.5 * (y - 24))
    cleft = np.sqrt((0.9 * height) ** 2 + np.maximum(0, 36 - out) ** 2 + np.maximum(0, np.abs(y + 2) - 30) ** 2)
    insula = np.sqrt((out - 36) ** 2 + np.maximum(0, np.abs(height + 2) - 11) ** 2 + np.maximum(0, np.abs(y - 2) - 22) ** 2)
    return np.minimum(cleft, insula)


def _cerebellum(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Cerebellum with its thin leaves, the tentorium above it."""
    place = p.near((-60, -90, -75), (60, -5, 10))
    if place is None:
        return
    p, inside = p.at(place), inside[place]
    x, y, z = p.x, p.y, p.z
    out = np.abs(x)
    body = unite(
        ellipsoid(out, y, z, (23, -44, -43), (26, 24, 19)), ellipsoid(x, y, z, (0, -42, -36), (14, 19, 20)), 6
    )
    body = np.maximum(np.maximum(body, inside + patient.csf_mm), tentorium(x, y, z) + 2)
    sheet = np.where((y < -20) & (out > 0.55 * (y + 38)), p.fill_sheet(tentorium(x, y, z), 0.5), 0) * p.fill(inside)
    yield Coat(Tissue.DURA, sheet.astype(np.float32), place, Structure.TENTORIUM)
    angle = np.arctan2(z + 38, y + 22).astype(np.float32)
    leaves = np.sin(60 * angle + 1.5 * draw_waves(patient.anatomy_seed, 5, 25.0, 8)(x, y, z))
    yield Coat(Tissue.GREY, p.fill(body), place, Structure.CEREBELLUM)
    furrows = np.maximum(np.abs(leaves) * 1.2 - 0.25, -body - 5)
    yield Coat(Tissue.CSF, p.fill(np.maximum(furrows, body)) * np.float32(0.6), place, Structure.CEREBELLUM)
    tree = body + 8 + 5 * np.sin(18 * angle + draw_waves(patient.anatomy_seed, 6, 30.0, 8)(x, y, z))
    yield Coat(Tissue.WHITE, p.fill(tree), place, Structure.CEREBELLUM)


def _deep(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Deep grey nuclei and the lateral ventricles."""
    place = p.near((-45, -75, -40), (45, 55, 40))
    if place is None:
        return
    p = p.at(place)
    out, y, z = np.abs(p.x), p.y, p.z
    wide = patient.ventricles * np.where(p.x > 0, np.float32(0.95), np.float32(1.05))
    putamen = ellipsoid(out - 0.12 * (10 - y), y, z, (23, 16, -6), (5.5, 16, 9))
    pallidum = ellipsoid(out - 0.12 * (10 - y), y, z, (18, 11, -8), (3.8, 9, 5.5))
    thalamus = ellipsoid(out + 0.25 * (y + 2), y, z, (11, -2, -3), (8.5, 14, 8.5))
    caudate = tube(out, y, z, ((11, 30, -5), (13, 22, 2), (16, 8, 9), (19, -8, 9), (23, -20, 4)), (6, 5.5, 3, 2, 1.5))
    for distance, structure in ((putamen, Structure.PUTAMEN), (caudate, Structure.CAUDATE), (thalamus, Structure.THALAMUS)):
        yield Coat(Tissue.DEEP_GREY, p.fill(distance), place, structure)
    yield Coat(Tissue.WHITE, p.fill(pallidum) * np.float32(0.5), place, Structure.PUTAMEN)
    horn = tube(
        out, y, z,
        ((8, 40, -3), (7, 26, 5), (9, 8, 11), (13, -10, 11), (20, -26, 4), (24, -29, -6)),
        (2.5, 4.5, 3.5, 3.8, 5.5, 3.5),
    )
    back = tube(out, y, z, ((21, -28, 2), (20, -46, -3), (17, -56, -4)), (4, 2.5, 1))
    ventricle = unite(horn, back, 3) - 2.0 * (wide - 1) * 2
    yield Coat(Tissue.CSF, p.fill(np.maximum(ventricle, 0.8 - out)), place, Structure.LATERAL_VENTRICLE)


def _midline(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Third and fourth ventricle, brain stem with the CSF around it, pituitary."""
    place = p.near((-25, -60, -95), (25, 35, 15))
    if place is None:
        return
    p, inside = p.at(place), inside[place]
    x, y, z = p.x, p.y, p.z
    out = np.abs(x)
    midbrain = ellipsoid(x, y, z, (0, -8, -21), (15, 11, 10))
    pons = ellipsoid(x, y, z, (0, -9, -39), (16, 12, 14))
    medulla = tube(x, y, z, ((0, -14, -50), (0, -21, -64), (0, -25, -95)), (9.5, 7.5, 6))
    stem = unite(unite(midbrain, pons, 6), medulla, 6)
    around = np.maximum(np.maximum(stem - 4, z + 14), -(z + 70))
    cistern = ellipsoid(x, y, z, (0, 14, -29), (12, 9, 7))
    yield Coat(Tissue.CSF, p.fill(np.minimum(around, cistern)), place)
    yield Coat(Tissue.CSF, p.fill(np.maximum(np.hypot(x, y + 22).astype(np.float32) - 11, z + 60)), place)
    yield Coat(Tissue.WHITE, p.fill(stem), place, Structure.BRAIN_STEM)
    fourth = np.maximum(ellipsoid(x, y, z, (0, -25, -40), (7, 6, 10)), stem - 1 + 0 * x)
    fourth = ellipsoid(x, y, z, (0, -25, -40), (6, 4.5, 10))
    yield Coat(Tissue.CSF, p.fill(fourth), place, Structure.FOURTH_VENTRICLE)
    aqueduct = tube(x, y, z, ((0, -13, -12), (0, -18, -24), (0, -24, -36)), (1.2, 1.0, 1.5))
    yield Coat(Tissue.CSF, p.fill(aqueduct), place, Structure.FOURTH_VENTRICLE)
    third = np.maximum(out - 1.6 - 1.2 * patient.ventricles, ellipsoid(x, y, z, (0, 2, -13), (30, 15, 11)))
    third = np.maximum(third, -ellipsoid(x, y, z, (0, 0, -8), (20, 3, 3)))
    yield Coat(Tissue.CSF, p.fill(third + 1.2), place, Structure.THIRD_VENTRICLE)
    gland = ellipsoid(x, y, z, (0, 18, -40), (6, 4.5, 3.5))
    yield Coat(Tissue.CSF, p.fill(gland - 1.5), place)
    yield Coat(Tissue.PITUITARY, p.fill(gland), place, Structure.PITUITARY)
    stalk = tube(x, y, z, ((0, 17, -37), (0, 11, -26)), (1.0, 1.3))
    yield Coat(Tissue.PITUITARY, p.fill(stalk), place, Structure.PITUITARY)


def _temporal(patient: Patient, p: Points, inside: Field) -> Iterator[Coat]:
    """Hippocampi in the temporal horns, and what lies around them."""
    for side, size in zip((1, -1), patient.hippocampus, strict=True):
        low, high = sorted((side * 2.0, side * 48.0))
        place = p.near((low, -40, -55), (high, 26, -2))
        if place is None:
            continue
        q = p.at(place)
        out = side * q.x
        mine = out > 1
        body, _ = hippocampus(out, q.y, q.z, size)
        _, up, outward = axes(out, q.y, q.z, size)
        sleeve, _ = hippocampus(out, q.y, q.z, size, 2.5)
        yield Coat(Tissue.WHITE, q.fill(np.maximum(sleeve, up - 2)) * mine, place, Structure.CEREBRUM)
        horn, _ = hippocampus(out - 1.6 * patient.ventricles, q.y, q.z - 1.4 * patient.ventricles, size, 0.3)
        yield Coat(Tissue.CSF, q.fill(horn) * mine, place, Structure.LATERAL_VENTRICLE)
        cistern, _ = hippocampus(out + 5.0, q.y, q.z - 1.0, size, -1.0)
        yield Coat(Tissue.CSF, q.fill(cistern) * mine, place)
        amygdala = ellipsoid(out, q.y, q.z, (22, 16, -27), (9, 7, 7.5))
        yield Coat(Tissue.GREY, q.fill(amygdala) * mine, place, Structure.AMYGDALA)
        shell, _ = hippocampus(out, q.y, q.z, size, 0.6)
        yield Coat(Tissue.WHITE, q.fill(np.maximum(shell, -up)) * mine, place, Structure.CEREBRUM)
        front = (q.y - MIDDLE[1]) / size > UNCUS_ENDS
        yield Coat(Tissue.HIPPOCAMPUS, q.fill(body) * (mine & front), place, Structure.HIPPOCAMPUS_ANTERIOR)
        yield Coat(Tissue.HIPPOCAMPUS, q.fill(body) * (mine & ~front), place, Structure.HIPPOCAMPUS_POSTERIOR)


def hippocampus_centre_standard(side: str) -> Point:
    """Middle of the hippocampus in the standard head, mm."""
    return (26.0 if side == "right" else -26.0, -4.0, -27.0)
