"""Pneumonia: which part of the lung's air it replaces with fluid, for three patterns that radiologists name.

Source of the patterns: D. M. Hansell et al., Fleischner Society: glossary of terms for thoracic imaging, Radiology
246:697-722, 2008 (consolidation, air bronchogram, silhouette sign, reticular pattern).
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from course_lib.modalities.simulated_chest.anatomy import Body
from course_lib.modalities.simulated_chest.geometry import Grid, Plane, fade, texture
from course_lib.modalities.simulated_chest.landmarks import apex, dome, hilum
from course_lib.modalities.simulated_chest.people import Lobe, Patient

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
    height = patient.lung_height
    part = (grid.y - apex(patient)) / height
    behind = np.clip((part - 0.25) / 0.95, 0, 0.8)
    front = np.maximum(0, cavity * (1 - behind) - (cavity - lung)) / np.maximum(lung, 1e-3)
    if lobe in ("right lower", "left lower"):
        return np.asarray(np.maximum(0, 1 - front))
    if lobe == "left upper":
        return np.asarray(front)
    fissure = apex(patient) + (0.50 + 0.05 * np.sin(grid.x / patient.half_width * 3)) * height
    above = fade(fissure - grid.y, 0.03 * height)
    return np.asarray(front * (above if lobe == "right upper" else 1 - above))


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
