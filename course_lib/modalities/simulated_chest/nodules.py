"""Nodules in the lungs: how one is drawn at random, and which places are inside of it.

Sources: the probability of malignancy is the full model with spiculation of A. McWilliams et al., Probability of
cancer in pulmonary nodules detected on first screening CT, New England Journal of Medicine 369:910-919, 2013, for one
nodule in someone without emphysema and without lung cancer in the family. How many are solid, part-solid or ground
glass: C. I. Henschke et al., CT screening for lung cancer: frequency and significance of part-solid and nonsolid
nodules, American Journal of Roentgenology 178:1053-1057, 2002 (233 people with a positive result, each counted by the
largest noncalcified nodule). Sizes: A. P. Reeves et al., The Lung Image Database Consortium (LIDC): a comparison of
different size metrics for pulmonary nodule measurements, Academic Radiology 14:1475-1485, 2007 (median 5.7 mm, mean
7.1 mm). Those nodules were marked by readers, who miss small and faint ones. Hence the ones drawn here are a little
smaller: median and spread were set so that those which at least one of the four readers of
`chest_ct.simulated_readers` marks have about the published median and mean. Shapes, and how often they occur, were set
by eye beside CT.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from course_lib.modalities.simulated_chest.bones import COLLAR_DOWN
from course_lib.modalities.simulated_chest.disease import horizontal_fissure
from course_lib.modalities.simulated_chest.geometry import Grid, Plane, Point, points_grid, ruler_places, upsample
from course_lib.modalities.simulated_chest.landmarks import DOME_TOP, SIDES, apex, hilum
from course_lib.modalities.simulated_chest.lung_tree import branches_in_space
from course_lib.modalities.simulated_chest.middle import lower_lobe_from, middle
from course_lib.modalities.simulated_chest.organs import HEART_LEFT
from course_lib.modalities.simulated_chest.people import Nodule, NoduleDensity, Patient

Values = NDArray[np.floating[Any]]

DIAMETER_MM, DIAMETER_SPREAD = 4.3, 0.7  #: before the limits cut: median; standard deviation of its logarithm
DIAMETER_LIMITS = (3.0, 30.0)  #: mm; larger ones are called masses
LARGEST = 0.12  #: radius as a part of the patient's half-width: a child's lung holds no larger one
DENSITIES: dict[NoduleDensity, int] = {"solid": 189, "part-solid": 16, "ground glass": 28}  #: people
GROUND_GLASS = (0.3, 0.5)  #: of soft tissue's density, from and to
CORE, CORE_OFF = 0.55, 0.2  #: the solid part of a part-solid nodule: its radius, and how far off the middle; in radii
SPICULATED_ODDS = (0.03, 0.02, 0.6)  #: how often: at 3 mm, more for each mm, at most
CALCIFIED, SMALL_MM = 0.15, 10  #: part of the small, benign, solid ones without spikes; set by eye
CALCIUM = (0.15, 0.5)  #: of cortical bone's density, from and to
PLACES = {"inside": 0.55, "pleura": 0.25, "vessel": 0.2}
HIDDEN = {"anywhere": 0.6, "heart": 0.13, "dome": 0.11, "collar bone": 0.08, "hilum": 0.08}  #: of the shown ones
SHOWN_LIMITS, SHOWN_SIZES = (5.0, 30.0), (1.5, 1.4)  #: mm: smaller ones do not show; of the beta distribution
MASS_LIMITS, MASS_SIZES = (30.5, 90.0), (1.1, 2.6)  #: mm; of the beta distribution between them
LARGEST_MASS, MASS_CLEAR = 0.32, 0.5  #: radius as a part of half_width; part of it that needs room in the lung
MASS_SPICULATED = (0.5, 0.15, 0.45)  #: how many have spikes; how long these are, from and to
COARSE_PX = 40  #: pixels across a mass that are computed; the rest is filled in between them
CLEAR = 0.1  #: cm between a nodule inside the lung and anything else
IN_PLEURA, IN_VESSEL = 0.8, 0.7  #: radii from the middle of an attached nodule to what it is attached to
TRIES = 400

BAYS, BAY_WAVES, BAY_DEPTH = 6, 2.6, 0.16  #: of a lobulated nodule; waves on its surface; part of the radius
SPIKES, SPIKE_LENGTH, SPIKE_WIDTH = 16, 1.0, 0.012  #: length in radii; width as 1 - cosine
REACH = 1 + 3 * BAY_DEPTH + SPIKE_LENGTH  #: radii, beyond which no nodule is
EDGE = 0.07  #: cm, over which a nodule fades out where nothing else is said: a voxel of a usual CT
HAZY = 0.25  #: radii, over which ground glass does
SAMPLES = 48  #: along a ray

# The model's terms; the names of the person's and the nodule's features stand for their coefficients.
CONSTANT, AGE, USUAL_AGE, WOMAN = -6.7892, 0.0287, 62, 0.6011
SIZE, USUAL_SIZE, GROUND, PARTLY = -5.3854, 1.58113883, -0.1276, 0.3770
UPPER_LOBE, SPICULATED, ONE_NODULE = 0.6581, 0.7729, -0.0824 * (1 - 4)  #: the last: where four are usual


@dataclass(frozen=True)
class Shadow:
    """What one nodule puts into the lungs along the rays of a part of a picture."""

    window: tuple[slice, slice]  #: rows and columns
    tissue: Plane  #: cm of soft tissue
    calcium: Plane  #: cm of cortical bone


def draw_nodule(rng: np.random.Generator, patient: Patient) -> Nodule:
    """A nodule at random, inside a lung: all of it, or attached to the pleura or to a vessel.

    Raises:
        RuntimeError: no lung of this patient has room for it.
    """
    diameter = _draw_diameter(rng, patient)
    radius = diameter / 2
    of_each = np.array(list(DENSITIES.values()))
    density = list(DENSITIES)[rng.choice(len(DENSITIES), p=of_each / of_each.sum())]
    least, more, most = SPICULATED_ODDS
    spiked = rng.random() < min(most, least + more * (diameter - DIAMETER_LIMITS[0]))
    spiculation = float(rng.uniform(0.3, 1)) if spiked else 0.0
    lobulation = float(rng.beta(1.2, 2))
    x, y, z = _draw_place(rng, patient, radius / 10)
    upper = in_upper_lobe(patient, x, y, z)
    malignant = bool(rng.random() < probability_of_cancer(patient, diameter, density, spiked, upper))
    could_be = density == "solid" and not malignant and not spiked and diameter < SMALL_MM
    calcium = float(rng.uniform(*CALCIUM)) if rng.random() < CALCIFIED and could_be else 0.0
    return Nodule(x, y, z, radius, lobulation, spiculation, density, malignant, int(rng.integers(2**31)), calcium)


def draw_shown_nodule(rng: np.random.Generator, patient: Patient) -> Nodule:
    """A nodule as films are asked about: larger than most that CT finds, and often where other things hide it.

    Four in ten lie behind the heart or a dome of the diaphragm, behind a collar bone, or beside a hilum.

    Raises:
        RuntimeError: no lung of this patient has room for it.
    """
    smallest, largest = SHOWN_LIMITS
    largest = min(largest, 2 * 10 * LARGEST * patient.half_width)
    diameter = float(smallest + (largest - smallest) * rng.beta(*SHOWN_SIZES))
    where = list(HIDDEN)[rng.choice(len(HIDDEN), p=list(HIDDEN.values()))]
    return _draw_shape(rng, patient, diameter, _draw_hidden_place(rng, patient, diameter / 20, where))


def draw_mass(rng: np.random.Generator, patient: Patient) -> Nodule:
    """A mass: a lesion above 30 mm, lobulated or with spikes, in a lung or at its edge.

    Raises:
        RuntimeError: no lung of this patient has room for its middle.
    """
    smallest, largest = MASS_LIMITS
    largest = max(1.1 * smallest, min(largest, 2 * 10 * LARGEST_MASS * patient.half_width))
    diameter = float(smallest + (largest - smallest) * rng.beta(*MASS_SIZES))
    place = _draw_hidden_place(rng, patient, MASS_CLEAR * diameter / 20, "anywhere")
    return _draw_shape(rng, patient, diameter, place)


def probability_of_cancer(
    patient: Patient, diameter_mm: float, density: NoduleDensity, spiculated: bool, upper_lobe: bool
) -> float:
    """How likely a nodule like this is malignant, 0 to 1; someone with breasts on the film counts as a woman."""
    size = (diameter_mm / 10) ** -0.5 - USUAL_SIZE
    kind = {"solid": 0.0, "part-solid": PARTLY, "ground glass": GROUND}[density]
    person = AGE * (patient.age - USUAL_AGE) + WOMAN * (patient.breast > 0)
    logit = CONSTANT + ONE_NODULE + person + SIZE * size + kind + UPPER_LOBE * upper_lobe + SPICULATED * spiculated
    return float(1 / (1 + np.exp(-logit)))


def in_upper_lobe(patient: Patient, x: float, y: float, z: float) -> bool:
    """Whether a place in a lung of the regular body after a full breath is in an upper lobe; the middle one is none."""
    grid = points_grid(np.array([x]), np.array([y]))
    before_oblique = z < lower_lobe_from(patient, grid, middle(patient, 1.0, grid))[0, 0]
    return bool(before_oblique and (x > 0 or y < horizontal_fissure(patient, grid)[0, 0]))


def occupancy(nodule: Nodule, x: Values, y: Values, z: Values, edge: float = EDGE) -> Values:
    """The part of a voxel at these places of the body that is inside the nodule, 0 to 1; they broadcast.

    ``edge`` is the length over which it fades out, cm: about the side of a voxel.
    """
    radius = nodule.radius_mm / 10
    x, y, z = (np.asarray(v - at) / radius for v, at in ((x, nodule.x), (y, nodule.y), (z, nodule.z)))
    away = np.sqrt(x * x + y * y + z * z)
    surface = _surface(nodule, x, y, z, np.maximum(away, 1e-6))
    if nodule.density == "ground glass":
        edge = max(edge, HAZY * radius)
    return np.asarray(np.clip(0.5 + (surface - away) * radius / edge, 0, 1))


def relative_density(nodule: Nodule, x: Values, y: Values, z: Values, edge: float = EDGE) -> Values:
    """The density of the nodule at these places as a part of soft tissue's, 0 to 1, whether or not they are inside."""
    rng = np.random.default_rng([nodule.seed, 1])
    glass, off = rng.uniform(*GROUND_GLASS), rng.normal(size=3)
    radius = nodule.radius_mm / 10
    if nodule.density == "solid":
        core = np.ones(1)
    elif nodule.density == "ground glass":
        core = np.zeros(1)
    else:
        off *= CORE_OFF * radius / np.linalg.norm(off)
        away = np.sqrt((x - nodule.x - off[0]) ** 2 + (y - nodule.y - off[1]) ** 2 + (z - nodule.z - off[2]) ** 2)
        core = np.clip(0.5 + (CORE * radius - away) / edge, 0, 1)
    return np.asarray(glass + (1 - glass) * core)


def chord(nodule: Nodule, x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """What rays along z through these places cross of the nodule: how long they run inside it, and as how much soft
    tissue that counts; each cm."""
    reach = REACH * nodule.radius_mm / 10
    step = 2 * reach / SAMPLES
    z = (nodule.z - reach + step * (np.arange(SAMPLES) + 0.5))[:, None, None]
    inside = occupancy(nodule, x[None], y[None], z, step)
    return step * inside.sum(axis=0), step * (inside * relative_density(nodule, x[None], y[None], z, step)).sum(axis=0)


def shadows(patient: Patient, inspiration: float, grid: Grid) -> tuple[Plane, Plane]:
    """What the nodules put into the lungs along each ray, cm: as soft tissue, and as cortical bone.

    A turn of the body does not move them, as it does the heart, and the chest wall cuts nothing off, as it does in CT.
    """
    return add_shadows([shadow(patient, nodule, inspiration, grid) for nodule in patient.nodules], grid)


def shadow(patient: Patient, nodule: Nodule, inspiration: float, grid: Grid) -> Shadow:
    """What one nodule puts into the lungs along each ray."""
    nodule = at_breath(patient, nodule, inspiration)
    window = grid.window([(nodule.x, nodule.y)], _reach(nodule))
    x, y = grid.x[window], grid.y[window]
    dense = _coarse_chord(nodule, x, y) if is_mass(nodule) and x.size else chord(nodule, x, y)[1]
    return Shadow(window, dense, nodule.calcium * dense)


def add_shadows(shadows_of: Sequence[Shadow], grid: Grid) -> tuple[Plane, Plane]:
    """What several nodules together put into the lungs along each ray, cm: soft tissue and cortical bone."""
    tissue, calcium = np.zeros_like(grid.x), np.zeros_like(grid.x)
    for one in shadows_of:
        tissue[one.window] += one.tissue
        calcium[one.window] += one.calcium
    return tissue, calcium


def is_mass(nodule: Nodule) -> bool:
    """Whether it is so large that it is called a mass."""
    return 2 * nodule.radius_mm > DIAMETER_LIMITS[1]


def at_breath(patient: Patient, nodule: Nodule, inspiration: float) -> Nodule:
    """The nodule where it lies when the lungs are a part of their full height high.

    It moves up towards the top of the lungs; its depth stays, although a real chest gets flatter, too.
    """
    top = apex(patient)
    return replace(nodule, y=top + (nodule.y - top) * inspiration)


def place(patient: Patient, nodule: Nodule, inspiration: float = 1.0) -> tuple[float, float, float]:
    """Where the middle of the nodule lies on the ruler of a film or a scanner: x, y and z, cm."""
    moved = at_breath(patient, nodule, inspiration)
    x, y = ruler_places(patient, np.array([moved.x]), np.array([moved.y]))
    return float(x[0]), float(y[0]), moved.z


def _reach(nodule: Nodule) -> float:
    """How far from its middle a nodule may reach, cm."""
    if not is_mass(nodule):
        return REACH * nodule.radius_mm / 10
    return (1 + 3 * BAY_DEPTH * nodule.lobulation + SPIKE_LENGTH * nodule.spiculation) * nodule.radius_mm / 10


def _coarse_chord(nodule: Nodule, x: Plane, y: Plane) -> Plane:
    """The soft tissue of `chord`, computed for some pixels and filled in between them: a mass is large and smooth."""
    step = max(1, min(x.shape) // COARSE_PX)
    if step == 1:
        return chord(nodule, x, y)[1]
    rows, columns = (np.minimum(np.arange(step // 2, n + step // 2, step), n - 1) for n in x.shape)
    picked = np.ix_(rows, columns)
    return upsample(chord(nodule, x[picked], y[picked])[1].astype(np.float32), step, x.shape)


def _draw_shape(
    rng: np.random.Generator, patient: Patient, diameter: float, place_of_it: tuple[float, float, float]
) -> Nodule:
    """A nodule or mass of this diameter, mm, at this place."""
    large = diameter > DIAMETER_LIMITS[1]
    of_each = np.array(list(DENSITIES.values()))
    density = "solid" if large else list(DENSITIES)[rng.choice(len(DENSITIES), p=of_each / of_each.sum())]
    if large:
        odds, least, most = MASS_SPICULATED
    else:
        first, more, highest = SPICULATED_ODDS
        odds, least, most = min(highest, first + more * (diameter - DIAMETER_LIMITS[0])), 0.3, 1.0
    spiked = rng.random() < odds
    spiculation = float(rng.uniform(least, most)) if spiked else 0.0
    lobulation = float(rng.uniform(0.4, 1) if large else rng.beta(1.2, 2))
    upper = in_upper_lobe(patient, *place_of_it)
    malignant = bool(rng.random() < probability_of_cancer(patient, diameter, density, spiked, upper))
    could_be = density == "solid" and not malignant and not spiked and diameter < SMALL_MM
    calcium = float(rng.uniform(*CALCIUM)) if rng.random() < CALCIFIED and could_be else 0.0
    seed = int(rng.integers(2**31))
    return Nodule(*place_of_it, diameter / 2, lobulation, spiculation, density, malignant, seed, calcium)


def _draw_hidden_place(
    rng: np.random.Generator, patient: Patient, radius: float, where: str
) -> tuple[float, float, float]:
    """A place in a lung where it has room, behind something if asked for; anywhere, if there is no room."""
    if where != "anywhere":
        centre, spread = _hiding_place(patient, where, int(rng.choice(SIDES)))
        places = rng.normal([*centre, 0], [*spread, patient.half_depth / 2], size=(TRIES, 3))
        found = _in_lung(patient, places, radius, pleural=False)
        if len(found):
            x, y, z = map(float, found[0])
            return x, y, z
    return _draw_place(rng, patient, radius)


def _hiding_place(patient: Patient, where: str, side: int) -> tuple[Point, Point]:
    """The middle and the spread of a place where films hide nodules, cm."""
    a, height = patient.half_width, patient.lung_height
    if where == "heart":
        return ((HEART_LEFT + 0.45 * patient.heart) * a, height / 2 - 0.6 * patient.heart * a), (0.15 * a, 0.2 * a)
    if where == "dome":
        return (side * DOME_TOP * a, 0.55 * height), (0.15 * a, 0.03 * height)
    if where == "collar bone":
        return (side * 0.35 * a, apex(patient) + COLLAR_DOWN * height), (0.12 * a, 0.03 * height)
    x, y = hilum(patient, side)
    return (1.3 * x, y), (0.06 * a, 0.08 * a)


def _surface(nodule: Nodule, x: Values, y: Values, z: Values, away: Values) -> Values:
    """How far the surface is from the middle in the direction of each place, in radii."""
    rng = np.random.default_rng(nodule.seed)
    surface = np.ones((1, 1, 1))
    if nodule.lobulation > 0:
        for wave, phase in zip(rng.normal(0, BAY_WAVES, size=(BAYS, 3)), rng.uniform(0, 2 * np.pi, BAYS), strict=True):
            along = (x * wave[0] + y * wave[1] + z * wave[2]) / away
            surface = surface + nodule.lobulation * BAY_DEPTH * np.cos(along + phase) * np.sqrt(2 / BAYS)
    if nodule.spiculation > 0:
        rng = np.random.default_rng([nodule.seed, 2])
        for spike, length in zip(rng.normal(size=(SPIKES, 3)), rng.uniform(0.3, 1, SPIKES), strict=True):
            spike = spike / np.linalg.norm(spike)
            cosine = (x * spike[0] + y * spike[1] + z * spike[2]) / away
            surface = surface + nodule.spiculation * SPIKE_LENGTH * length * np.exp((cosine - 1) / SPIKE_WIDTH)
    return surface


def _draw_diameter(rng: np.random.Generator, patient: Patient) -> float:
    """A diameter, mm, from the part of a log-normal distribution that lies inside the limits."""
    smallest, largest = DIAMETER_LIMITS
    limits = np.array([smallest, min(largest, 2 * 10 * LARGEST * patient.half_width)])
    parts_below = ndtr(np.log(limits / DIAMETER_MM) / DIAMETER_SPREAD)
    return float(DIAMETER_MM * np.exp(DIAMETER_SPREAD * ndtri(rng.uniform(*parts_below))))


def _draw_place(rng: np.random.Generator, patient: Patient, radius: float) -> tuple[float, float, float]:
    """A place in a lung where it has room."""
    where = list(PLACES)[rng.choice(len(PLACES), p=list(PLACES.values()))]
    half = np.array([patient.half_width, patient.lung_height / 2, patient.half_depth])
    places: Values = rng.uniform(-half, half, size=(TRIES, 3))
    if where == "vessel":  # beside the first that has room for it, or else anywhere
        ends = np.array([one.end for one in branches_in_space(patient) if one.radii[1] < 2 * radius]).reshape(-1, 3)
        aside = rng.normal(size=ends.shape)
        aside *= IN_VESSEL * radius / np.linalg.norm(aside, axis=1, keepdims=True)
        places = np.concatenate([rng.permutation(ends + aside), places])
    found = _in_lung(patient, places, radius, pleural=where == "pleura")
    if len(found) == 0:
        raise RuntimeError(f"A nodule with a radius of {radius} cm finds no room in the lungs of {patient}.")
    x, y, z = map(float, found[0])
    return x, y, z


def _in_lung(patient: Patient, places: Values, radius: float, pleural: bool) -> Values:
    """Those of the places [n, 3] where a nodule fits into a lung.

    ``pleural`` ones are moved to the front or to the back, until they touch the pleura.
    """
    x, y, z = places.T
    gap = radius + CLEAR
    around = ((0, 0), (gap, 0), (-gap, 0), (0, gap), (0, -gap))
    insides = [middle(patient, 1.0, points_grid(x + dx, y + dy)) for dx, dy in around]
    if pleural:
        z = np.where(z > 0, 1, -1) * (insides[0].cage[0] - IN_PLEURA * radius)
        insides = insides[:1]
    clear = np.ones(len(x), dtype=bool)
    for inside in insides:
        outer = radius if pleural else gap
        low, high, cage = inside.low[0], inside.high[0], inside.cage[0]
        in_front, behind = z + outer < low, z - outer > high
        clear &= (in_front | behind) & (pleural | (np.abs(z) + outer < cage)) & (cage > 2 * radius)
    return np.asarray(np.stack([x, y, z], axis=1)[clear])
