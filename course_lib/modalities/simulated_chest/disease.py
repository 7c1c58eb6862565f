"""Pneumonia, and fluid and air around the lungs.

Pneumonia: which part of the lung's air it replaces with fluid, for three patterns that radiologists name. Around a
lung lies a layer of fluid (a pleural effusion) or of air (a pneumothorax): the lung keeps its shape and gets smaller.

Source of the patterns and signs: D. M. Hansell et al., Fleischner Society: glossary of terms for thoracic imaging,
Radiology 246:697-722, 2008 (consolidation, air bronchogram, silhouette sign, reticular pattern, pleural effusion,
pneumothorax).
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from course_lib.modalities.simulated_chest.anatomy import CAVITY_OUTLINE, FULL_DEPTH_AT, Body, room
from course_lib.modalities.simulated_chest.geometry import Grid, Plane, fade, texture
from course_lib.modalities.simulated_chest.landmarks import DOME_TOP, SIDES, apex, dome, hilum, inner_width
from course_lib.modalities.simulated_chest.people import Effusion, Lobe, Patient, Pneumothorax, Side

Layer = float | Plane  #: the thickness of what lies around a lung, cm

MENISCUS_POWER = 2.0  #: how the layer of fluid thickens on the way down
AIR_POWER = 3.5  #: how the layer of air thins out on the way down
IN_FRONT_OF_LUNG = 0.35  #: of the air's thickness at the side, in front of the lung and behind it
PLEURA = 0.045  #: cm: the visceral pleura with the film of fluid on it
MOST_SQUEEZED = 2.0  #: times as dense a lung gets at most, when air takes its room
HAZE = {"lobar": 0.3, "patchy": 0.7, "interstitial": 1.0}  #: how much of it each pattern brings along


def fill_lungs(patient: Patient, inspiration: float, grid: Grid, body: Body) -> tuple[Plane, Plane]:
    """How full of fluid the right and the left lung are along each ray: 0 (all air) to 1 (no air left)."""
    empty = np.zeros_like(grid.x)
    if patient.severity == 0:
        return empty, empty
    rng = np.random.default_rng([patient.anatomy_seed, 3])
    haze = HAZE[patient.pattern] * _haze(patient, rng, grid)
    if patient.pattern == "lobar":
        right, left = _lobar(patient, inspiration, rng, grid, body)
    elif patient.pattern == "patchy":
        right = left = _patchy(patient, rng, grid)
    else:
        right = left = _interstitial(patient, rng, grid, body)
    return 1 - (1 - right) * (1 - haze), 1 - (1 - left) * (1 - haze)


def lobe_parts(patient: Patient, grid: Grid, body: Body, lobe: Lobe) -> Plane:
    """The part of a ray through the lung that runs in one lobe, 0 to 1.

    The oblique fissure falls from the back to the front, so that a ray crosses two lobes: behind it the lower one,
    in front of it the upper one, or on the right the middle one below the horizontal fissure. The heart lies in front
    and takes its room from the lobes there. Hence the silhouette sign: fluid in the middle lobe hides the right border
    of the heart, fluid in the lower lobe does not.
    """
    side = 0 if lobe.startswith("right") else 1
    cavity, lung = body.cavities[side], body.lungs[side]
    behind = lower_lobe_part(patient, grid)
    front = np.maximum(0, cavity * (1 - behind) - (cavity - lung)) / np.maximum(lung, 1e-3)
    if lobe in ("right lower", "left lower"):
        return np.asarray(np.maximum(0, 1 - front))
    if lobe == "left upper":
        return np.asarray(front)
    above = fade(horizontal_fissure(patient, grid) - grid.y, 0.03 * patient.lung_height)
    return np.asarray(front * (above if lobe == "right upper" else 1 - above))


def lower_lobe_part(patient: Patient, grid: Grid) -> Plane:
    """How much of a ray through the room for a lung lies behind the oblique fissure, 0 to 1."""
    part = (grid.y - apex(patient)) / patient.lung_height
    return np.asarray(np.clip((part - 0.25) / 0.95, 0, 0.8))


def horizontal_fissure(patient: Patient, grid: Grid) -> Plane:
    """The height of the fissure above the middle lobe, cm."""
    return np.asarray(apex(patient) + (0.50 + 0.05 * np.sin(grid.x / patient.half_width * 3)) * patient.lung_height)


@dataclass(frozen=True)
class PleuralAir:
    """Air around one lung along the rays, each a plane [height, width] of cm."""

    air: Plane
    lung: Plane  #: what is left of the lung
    pleura: Plane  #: of the lung's surface; thick where a ray runs along it
    squeezed: float  #: times as dense as before the lung is


def fluid_around(
    patient: Patient, effusion: Effusion, inspiration: float, grid: Grid, body: Body, turn: float = 0.0
) -> Plane:
    """The cm of fluid around a lung along each ray, in place of lung.

    The layer begins at the effusion's height, gets thicker downwards, and leaves no lung below its level. A ray runs a
    long way in it at the side of the chest, where it runs along the layer, and a short way in the middle. Hence the
    curved upper edge, highest at the side, and the blunt angle between ribs and diaphragm.
    """
    side = _sign(effusion.side)
    top = float(dome(patient, inspiration, np.array(side * DOME_TOP * patient.half_width), side))
    into = np.clip(((grid.y - top) / patient.lung_height + effusion.height) / effusion.climb, 0, 1)
    thick = into**MENISCUS_POWER * patient.half_depth
    lung = body.lungs[SIDES.index(side)]
    left = _lung_inside(patient, inspiration, grid, body, side, turn, thick, thick)
    return np.asarray(np.where(into > 0, np.maximum(0, lung - left), 0), dtype=np.float32)


def air_around(
    patient: Patient, pneumothorax: Pneumothorax, inspiration: float, grid: Grid, body: Body, turn: float = 0.0
) -> PleuralAir:
    """The air around a lung: the lung draws away from the chest wall, most at the top.

    The pleura on it shows as a thin line, because a ray runs a long way in it where it runs along the surface.
    """
    side = _sign(pneumothorax.side)
    down = np.clip((grid.y - apex(patient)) / (pneumothorax.reach * patient.lung_height), 0, 1)
    thick = pneumothorax.depth * (1 - down**AIR_POWER)
    whole = body.lungs[SIDES.index(side)]
    lung, within = (
        np.minimum(whole, _lung_inside(patient, inspiration, grid, body, side, turn, beside, before, beside))
        for beside, before in ((thick, IN_FRONT_OF_LUNG * thick), (thick + PLEURA, IN_FRONT_OF_LUNG * thick + PLEURA))
    )
    gone = thick > 0
    lung, within = np.where(gone, lung, whole), np.where(gone, within, whole)
    squeezed = min(MOST_SQUEEZED, float(whole.sum() / max(1e-6, float(lung.sum()))))
    return PleuralAir(whole - lung, lung, lung - np.minimum(lung, within), squeezed)


def _sign(side: Side) -> int:
    return SIDES[0] if side == "right" else SIDES[1]


def _lung_inside(
    patient: Patient,
    inspiration: float,
    grid: Grid,
    body: Body,
    side: int,
    turn: float,
    beside: Layer,
    before: Layer,
    above: Layer = 0.0,
) -> Plane:
    """The length of rays in a lung that keeps so far from the chest wall: beside it, in front and behind, and above."""
    turned_by = float(np.sin(np.deg2rad(turn)))
    space = room(patient, inspiration, grid, side, turned_by)
    y = grid.y - above
    part = (y - apex(patient)) / patient.lung_height
    wide = np.maximum(inner_width(patient, y) - beside, 1e-3)
    deepest = np.maximum(0, patient.half_depth * np.sqrt(np.clip(part / FULL_DEPTH_AT, 0, 1)) - before)
    power, root = CAVITY_OUTLINE
    depth = deepest * np.maximum(0, 1 - np.clip(side * grid.x / wide, 0, 1) ** power) ** root
    taken = np.where(space.taken > 0, np.minimum(depth, space.front) + np.minimum(depth, space.back), 0)
    cavity = np.maximum(0, 2 * depth - np.maximum(0, taken)) * space.share
    return np.asarray(np.maximum(0, cavity - body.heart), dtype=np.float32)


def _lobar(
    patient: Patient, inspiration: float, rng: np.random.Generator, grid: Grid, body: Body
) -> tuple[Plane, Plane]:
    """One lobe fills up from a centre, evenly and densely; the worst reach the rest of the lung, or its outside."""
    a, height, severe = patient.half_width, patient.lung_height, patient.severity
    side = -1 if patient.lobe.startswith("right") else 1
    level = {"upper": -0.26, "middle": 0.14, "lower": 0.24}[patient.lobe.split()[1]]
    centre = (side * a * rng.uniform(0.35, 0.68), height * (level + rng.uniform(-0.08, 0.08)))
    size = a * (0.3 + 0.65 * severe) * rng.uniform(0.85, 1.25)
    wavy = 0.22 * texture(rng, grid.x, grid.y, 0.25 * a) + 0.12 * texture(rng, grid.x, grid.y, 0.09 * a)
    distance = np.hypot(grid.x - centre[0], (grid.y - centre[1]) / rng.uniform(0.8, 1.4)) / size
    core = fade(1 - distance + wavy, 0.5)
    density = 0.35 + 0.65 * severe
    inside = lobe_parts(patient, grid, body, patient.lobe)
    spread = np.clip(1.6 * severe - 0.85, 0, 1) * rng.uniform(0.3, 1.0)  # into the neighbouring lobes
    filled = density * core * np.maximum(inside, spread)
    mottled = np.clip(1 + 0.16 * texture(rng, grid.x, grid.y, 0.10 * a), 0, 1.3)
    filled = np.clip(filled * mottled, 0, 1)
    if rng.random() < 0.3:  # fluid around the lung: it creeps up the side of the chest
        top = dome(patient, inspiration, grid.x, side) - height * (0.1 + 0.5 * severe**2) * (side * grid.x / a) ** 2
        filled = np.maximum(filled, 0.95 * fade(grid.y - top, 0.08 * height))
    other = 0.15 * severe * rng.random() * fade(0.8 - np.hypot(grid.x + centre[0], grid.y - 0.2 * height) / a, 0.5)
    return (filled, other) if side < 0 else (other, filled)


def _haze(patient: Patient, rng: np.random.Generator, grid: Grid) -> Plane:
    """Ground glass over both lungs, thin, in clouds, denser below. Its amount was set beside real images."""
    a = patient.half_width
    clouds = np.clip(
        1 + 0.45 * texture(rng, grid.x, grid.y, 0.45 * a) + 0.2 * texture(rng, grid.x, grid.y, 0.15 * a), 0, 2
    )
    below = 1 + 0.5 * np.clip(grid.y / patient.lung_height, -0.5, 0.5)
    return np.asarray(np.clip(patient.severity * rng.uniform(0.02, 0.4) * clouds * below, 0, 0.8))


def _patchy(patient: Patient, rng: np.random.Generator, grid: Grid) -> Plane:
    """Bronchopneumonia: several ill-defined patches, more of them below, which run together when it gets worse."""
    a, height = patient.half_width, patient.lung_height
    free = np.ones_like(grid.x)
    wavy = 0.3 * texture(rng, grid.x, grid.y, 0.22 * a) + 0.25 * texture(rng, grid.x, grid.y, 0.08 * a)
    one_sided = rng.random() < 0.2
    first = rng.choice((-1, 1))
    for number in range(rng.integers(5, 15)):
        side = first if one_sided else rng.choice((-1, 1))
        centre = (side * a * rng.uniform(0.15, 0.75), height * np.clip(rng.normal(0.13, 0.19), -0.35, 0.45))
        size = a * rng.uniform(0.16, 0.4) * (0.7 + 0.6 * patient.severity)
        strength = patient.severity * rng.uniform(0.45, 1.0) * (1 if number < 3 else 0.8)
        distance = np.hypot(grid.x - centre[0], (grid.y - centre[1]) / rng.uniform(0.7, 1.4)) / size
        free *= 1 - strength * 0.75 * fade(1 - distance + wavy, 0.8)
    return 1 - free


def _interstitial(patient: Patient, rng: np.random.Generator, grid: Grid, body: Body) -> Plane:
    """Viral: both lungs hazy around the hila, bronchial walls and vessels thick and blurred, a net of fine lines."""
    a, severe = patient.half_width, patient.severity
    near = np.zeros_like(grid.x)
    for side in (-1, 1):
        x, y = hilum(patient, side)
        reach = a * rng.uniform(0.45, 0.8)
        distance = np.hypot(grid.x - x - side * 0.15 * a, (grid.y - y - 0.12 * a) / 1.3) / reach
        near = np.maximum(near, rng.uniform(0.7, 1.0) * np.exp(-(distance**2)))
    net = np.abs(texture(rng, grid.x, grid.y, 0.04 * a)) + 0.8 * np.abs(texture(rng, grid.x, grid.y, 0.065 * a))
    lines = np.clip(1.2 - net, 0, 1)
    clouds = np.clip(1 + 0.45 * texture(rng, grid.x, grid.y, 0.2 * a), 0, 2)
    thick = np.clip(2.2 * gaussian_filter(body.vessels, 0.1 * a / grid.pixel) / (body.lung + 0.2 * a), 0, 0.3)
    filled = severe * (0.6 * clouds * near + (0.06 + 0.2 * near) * lines + thick)
    return np.asarray(np.clip(filled, 0, 0.9))
