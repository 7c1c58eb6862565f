"""The cerebrum and the cerebellum: cortex, folded by sulci, around white matter."""

from collections.abc import Iterator

import numpy as np

from course_lib.modalities.simulated_head.cavity import behind_petrous
from course_lib.modalities.simulated_head.coats import Coat, Points, Structure
from course_lib.modalities.simulated_head.deep import cisterns
from course_lib.modalities.simulated_head.geometry import Field, draw_waves, ellipsoid, ramp, unite
from course_lib.modalities.simulated_head.people import Patient
from course_lib.modalities.simulated_head.physics import Tissue
from course_lib.modalities.simulated_head.skull import DURA_MM, above_tentorium

FOLD_MM = 19.5  #: from one sulcus to the next but one, about
SULCUS_MM = 14.0  #: usual depth of a sulcus
BEND_MM, BEND_LENGTH_MM = 2.2, 26.0  #: sulci wind: so far to the side, over such lengths
SIDE_APART_MM = 400.0  #: the left half is folded as a place so far off, so that left is not right
UPRIGHT = 0.5  #: how upright the sulci stand on the surface: 0 in any direction, 1 exactly upright


def cerebrum(patient: Patient, p: Points) -> Iterator[Coat]:
    """Grey matter as thick as the patient's cortex under every surface, white matter within."""
    depth = _depth(patient, p)
    core = ellipsoid(p.out, p.y, p.z, (0, 8, -2), (31, 42, 22))  # callosum, nuclei: no sulci, no cortex
    core = np.minimum(core, ellipsoid(p.out, p.y, p.z, (26, -6, -17), (11, 26, 11)))  # above the hippocampus neither
    surface = np.minimum(depth, _to_sulcus(patient, p, depth, core) - patient.sulci_mm)
    yield Coat(Tissue.GREY, p.fill(-surface), p.place, Structure.CEREBRUM)
    yield Coat(Tissue.WHITE, p.fill(np.minimum(patient.cortex_mm - surface, core)), p.place, Structure.CEREBRUM)


def _depth(patient: Patient, p: Points) -> Field:
    """Depth below the unfolded surface, mm: below skull, tentorium, the cleft in the middle, and the cisterns."""
    behind = behind_petrous(p.out, p.y)
    over_tent = np.minimum(above_tentorium(p) - 1, 60) * behind + 60 * (1 - behind)
    callosum = ellipsoid(np.zeros_like(p.x), p.y, p.z, (0, 9, -12), (1000, 36, 30))
    to_cleft = np.hypot(p.x, np.maximum(0, -callosum)) - 1.0
    depth = np.minimum(np.minimum(-p.inside - DURA_MM - patient.csf_mm, over_tent), to_cleft)
    return np.minimum(depth, cisterns(p))


def _to_sulcus(patient: Patient, p: Points, depth: Field, core: Field) -> Field:
    """Distance to the nearest sulcus, mm: sheets where a smooth field is 0, from the surface to some depth."""
    seed = patient.anatomy_seed
    away = np.where(p.x > 0, np.float32(SIDE_APART_MM), np.float32(0))
    bends = (draw_waves(seed, 10 + axis, BEND_LENGTH_MM, 6)(p.x + away, p.y, p.z) for axis in range(3))
    bent = [v + BEND_MM * bend for v, bend in zip((p.x, p.y, p.z), bends, strict=True)]
    radius = np.sqrt((p.x / 65) ** 2 + (p.y / 82) ** 2 + (p.z / 64) ** 2) + 0.05
    upright = UPRIGHT * 0.9 / radius + (1 - UPRIGHT)
    at = (bent[0] * upright + away, bent[1] * upright, bent[2] * upright)
    sheets = draw_waves(seed, 3, FOLD_MM, 14).distance(*at)
    deepest = SULCUS_MM * (1 + 0.35 * draw_waves(seed, 4, 45.0, 8)(*at))
    folds = np.hypot(sheets, np.maximum(0, np.maximum(depth - deepest, 2 - core)))
    return np.minimum(folds, _to_fissure(*bent))


def _to_fissure(x: Field, y: Field, z: Field) -> Field:
    """Distance to two clefts that all people have, mm: the lateral one, with the insula in it, and the collateral."""
    out = np.abs(x)
    height = z + 14 + 0.5 * (y - 24) + 2.5 * np.sin(0.15 * y)
    lateral = np.sqrt((0.9 * height) ** 2 + np.maximum(0, 36 - out) ** 2 + np.maximum(0, np.abs(y + 2) - 30) ** 2)
    curve = out - 35 + 0.012 * (y - 2) ** 2 + 0.02 * height**2
    insula = np.sqrt(curve**2 + np.maximum(0, np.abs(height + 2) - 12) ** 2 + np.maximum(0, np.abs(y - 2) - 20) ** 2)
    collateral = np.sqrt((out - 36) ** 2 + np.maximum(0, z + 36) ** 2 + np.maximum(0, np.abs(y + 12) - 26) ** 2)
    return np.minimum(np.minimum(lateral, insula), collateral)


def cerebellum(patient: Patient, p: Points) -> Iterator[Coat]:
    """Two halves and what joins them, with thin leaves like those of a book, and white matter like a tree."""
    q = p.near((-60, -90, -75), (60, 0, 10))
    if q is None:
        return
    halves = ellipsoid(q.out, q.y, q.z, (23, -45, -42), (31, 33, 26))
    body = unite(halves, ellipsoid(q.x, q.y, q.z, (0, -46, -38), (16, 27, 24)), 6)
    body = np.maximum(np.maximum(body, q.inside + DURA_MM + patient.csf_mm), above_tentorium(q) + 1.8)
    angle, radius = np.arctan2(q.z + 38, q.y + 22), np.hypot(q.z + 38, q.y + 22)  # around the fourth ventricle
    leaves = np.sin(36 * angle + 1.5 * draw_waves(patient.anatomy_seed, 5, 25.0, 8)(q.x, q.y, q.z))
    wide_enough = ramp(radius, 10, 22)  # further in, leaves and branches would be finer than voxels
    branches = np.sin(11 * angle + draw_waves(patient.anatomy_seed, 6, 30.0, 8)(q.x, q.y, q.z))
    core = ellipsoid(q.out, q.y, q.z, (15, -31, -41), (11, 11, 7))
    tree = np.minimum(body + 13 + 6 * wide_enough * branches, core)
    yield Coat(Tissue.GREY, q.fill(body), q.place, Structure.CEREBELLUM)
    furrows = np.maximum(1.2 * np.abs(leaves) - 0.3, np.maximum(body, -body - 6))
    yield Coat(Tissue.CSF, 0.4 * wide_enough * q.fill(furrows), q.place, Structure.CEREBELLUM)
    yield Coat(Tissue.WHITE, q.fill(tree + 1.2 * wide_enough * leaves), q.place, Structure.CEREBELLUM)
