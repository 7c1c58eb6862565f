"""Where along its rays a chest holds what: its layers, the room for the lungs, and what fills the middle between.

A film knows how long each ray runs inside a structure; here it is said between which surfaces. The length stays exactly
that of the film for the trunk, and the same to some percent for the lungs and the heart. `landmarks` says in which unit
the constants are; depths were set by eye beside axial slices of CT.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_lib.modalities.simulated_chest.anatomy import breast, chest, room
from course_lib.modalities.simulated_chest.disease import lower_lobe_part
from course_lib.modalities.simulated_chest.geometry import Grid, Plane, places_grid
from course_lib.modalities.simulated_chest.landmarks import SIDES
from course_lib.modalities.simulated_chest.organs import heart_and_great_vessels
from course_lib.modalities.simulated_chest.people import Patient

SKIN, SKIN_OF_WALL = 0.2, 0.3  #: cm; and at most this part of the wall
SKIN_AT_SIDE = 0.7  #: of what the wall loses, the skin takes in front
FATTEST, LEANEST = 0.6, 0.15  #: part of the wall under the skin that is fat
HEART_IN_FRONT, HEART_TILTS = 0.12, 0.3  #: half-depths: of its middle; more in front, a half-width farther left
HEART_TILTS_WITHIN = (-0.4, 0.6)  #: half-widths to the left, from and to: beyond, it is as deep as at the end
BETWEEN_BEHIND = 0.1  #: half-depths behind the middle: the middle of what else lies between the lungs
SPINE_IN_FRONT_OF_BACK = 0.4  #: from the muscles of the back to the front of a vertebra


@dataclass(frozen=True)
class Layers:
    """How thick the body is along each ray inside its skin, inside its fat, cm; both centred, but for the breasts."""

    trunk: Plane
    inside_skin: Plane
    inside_fat: Plane  #: muscles and all that they enclose
    breasts: Plane  #: how far the trunk stands out in front


@dataclass(frozen=True)
class Middle:
    """The surfaces in the chest, each a plane [y, x] of places along the ray, cm.

    The lungs lie from ``-cage`` to ``low`` and from ``high`` to ``cage``; between them are the heart and the dome.
    """

    cage: Plane
    low: Plane
    high: Plane
    heart: tuple[Plane, Plane]
    dome: tuple[Plane, Plane]  #: what lies below the diaphragm


def layers(patient: Patient, grid: Grid) -> Layers:
    """The coats of the trunk, without arms, neck and head."""
    fatty = np.random.default_rng([patient.anatomy_seed, 11]).uniform(LEANEST, FATTEST)
    inside = inside_skin(patient)
    breasts = np.zeros_like(grid.x)
    for side in SIDES if patient.breast else ():
        breasts += breast(patient, grid, side)
    return Layers(
        chest(patient, grid) + breasts,
        chest(inside, grid) + breasts,
        chest(replace(inside, wall=inside.wall * (1 - fatty)), grid),
        breasts,
    )


def skin_in_front(patient: Patient) -> float:
    """How thick the skin is in front and behind, cm."""
    return min(SKIN, SKIN_OF_WALL * patient.wall)


def inside_skin(patient: Patient) -> Patient:
    """The patient without the skin."""
    return replace(patient, wall=patient.wall - skin_in_front(patient) / SKIN_AT_SIDE)


def back_of(patient: Patient, y: Plane) -> Plane:
    """Where the muscles of the back end in the middle, at a height, cm."""
    return chest(inside_skin(patient), places_grid(np.zeros_like(y), y)) / 2


def front_of_spine(patient: Patient, y: Plane) -> Plane:
    """Where the vertebrae end in front, at a height, cm."""
    return back_of(patient, y) - SPINE_IN_FRONT_OF_BACK * patient.half_width


def middle(patient: Patient, inspiration: float, grid: Grid) -> Middle:
    """Where the lungs end, and what is between them; what a ray crosses of each is what it is on a film."""
    hd, right = patient.half_depth, grid.x < 0
    rooms = [room(patient, inspiration, grid, side) for side in SIDES]
    depth, front, back, taken, share = (
        np.where(right, getattr(rooms[0], name), getattr(rooms[1], name))
        for name in ("depth", "front", "back", "taken", "share")
    )
    heart = heart_and_great_vessels(patient, inspiration, grid, 0.0)
    full = np.maximum(0, 2 * depth - taken)
    between = full * (1 - share)
    block = taken + np.minimum(full, between + heart)
    heart_at = -hd * (HEART_IN_FRONT + HEART_TILTS * np.clip(grid.x / patient.half_width, *HEART_TILTS_WITHIN))
    wanted = (heart * heart_at + between * BETWEEN_BEHIND * hd) / np.maximum(heart + between, 1e-6)
    dome_low, dome_high = np.where(taken > 0, -front, 0), np.where(taken > 0, back, 0)
    least, most = np.maximum(-depth, dome_high - block), depth - block
    most = np.where(taken > 0, np.minimum(most, dome_low), most)
    low = np.clip(wanted - block / 2, np.where(taken > 0, least, -depth), most)
    heart_low = np.clip(heart_at - heart / 2, low, np.maximum(low, low + block - heart))
    return Middle(depth, low, low + block, (heart_low, heart_low + heart), (dome_low, dome_high))


def lower_lobe_from(patient: Patient, grid: Grid, inside: Middle) -> Plane:
    """Where along the ray the lower lobe begins, cm; the oblique fissure is that of `disease.lobe_parts`."""
    behind = lower_lobe_part(patient, grid)
    heart = inside.heart[1] - inside.heart[0]
    front, back = np.maximum(0, inside.low + inside.cage), np.maximum(0, inside.cage - inside.high)
    lung = front + back
    lower = lung - np.clip((lung + heart) * (1 - behind) - heart, 0, lung)
    return np.asarray(np.where(lower <= back, inside.cage - lower, inside.low - (lower - back)))
