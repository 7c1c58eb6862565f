"""The chest of a simulated patient in three dimensions: which tissue fills which part of each voxel.

It is the body that a film shows. What a ray crosses of the trunk and the windpipe is exactly what the film has there;
of the lungs and the heart it is the same to some percent, and of the bones and the vessels of the lungs only roughly
and on average. Added is what only CT tells apart: skin, fat, muscle, aorta, gullet, liver and spleen. The patient has
raised the arms, and they, the neck and the head are left out. `landmarks` says in which unit the constants are; depths
were set by eye beside axial slices of CT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_chest.disease import horizontal_fissure
from course_lib.modalities.simulated_chest.geometry import ellipsoid, fade
from course_lib.modalities.simulated_chest.landmarks import apex, inner_width
from course_lib.modalities.simulated_chest.lung_tree import Tree, draw_tree, unevenness
from course_lib.modalities.simulated_chest.middle import (
    Layers,
    Middle,
    front_of_spine,
    layers,
    lower_lobe_from,
    middle,
)
from course_lib.modalities.simulated_chest.nodules import REACH, at_breath, occupancy, relative_density
from course_lib.modalities.simulated_chest.organs import (
    ARCH_DOWN,
    FORK_DOWN,
    GROWN_UP,
    WINDPIPE_DEEPER,
    gas,
    windpipe,
)
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_chest.skeleton import Skeleton, draw_bones
from course_lib.modalities.simulated_chest.volume import (
    Axes,
    Block,
    WholeGrid,
    around,
    boxes,
    is_empty,
    on_ruler,
    overlap,
    rays,
)

ARMS_UP = 80  #: degrees: raised above the head, as in a scanner
SPONGY = 0.15  #: density of spongy bone as a part of cortical bone's

SHORT_WAY = 0.12  #: shorter ways through a lung hold fewer vessels, as on a film
MOSTLY = 0.5  #: a voxel counts as what fills more than this part of it
MOST_FINE = 0.08  #: part of the lung that the finest vessels may take

# What a film does not show; depths in half-depths, negative in front.
WINDPIPE_BEFORE_SPINE = 0.13
AORTA_LEFT, AORTA_BEFORE_SPINE, AORTA_RADII = 0.11, 0.02, (0.055, 0.08)  #: of a child and of an adult
CAVA_LEFT, CAVA_BEFORE_SPINE, CAVA_RADII = -0.15, 0.22, (0.05, 0.065)  #: the upper vena cava
CAVA_BEGINS, CAVA_ENDS = 0.1, 0.6  #: in lung heights below the apex
GULLET_LEFT, GULLET_BEFORE_SPINE, GULLET_RADIUS = 0.03, 0.045, 0.04
ARMPIT, ARMPIT_FROM, ARMPIT_GROWS = 0.6, 0.12, 0.15  #: of the depth; beside the room for the lungs
ARMPIT_TO, ARMPIT_FADES = 0.5, 0.12  #: in lung heights below the apex
LIVER_ENDS, LIVER_TAPERS = 0.25, 0.5  #: how far to the left it reaches; over how much of the front
SPLEEN_AT, SPLEEN = (0.62, 0.42, 0.4), (0.3, 0.42, 0.42)  #: left, below the left dome, behind (half-depths); half axes
STOMACH_AT, STOMACH = (0.4, 0.4, -0.2), (0.36, 0.42, 0.5)
GAS_IN_FRONT = 0.3
THICKEST_GAS, GAS_TO_FRONT = 1.6, 0.9  #: of the cage's half-depth: along the ray, and in front of the middle


class Tissue(IntEnum):
    """What a voxel may hold. Where two claim the same room, the one that `build_solid` places first keeps it."""

    AIR = 0  #: outside of the body
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    SPLEEN = 4
    LIVER = 5
    BLOOD = 6  #: heart, great vessels, aorta
    LUNG = 7
    VESSEL = 8  #: in the lungs, and walls of bronchi
    NODULE = 9
    GAS = 10  #: in stomach and bowel
    AIRWAY = 11
    SPONGY_BONE = 12
    CORTICAL_BONE = 13


class Lobe(IntEnum):
    """What the map of the lobes holds."""

    NONE = 0
    RIGHT_UPPER = 1
    RIGHT_MIDDLE = 2
    RIGHT_LOWER = 3
    LEFT_UPPER = 4
    LEFT_LOWER = 5


@dataclass(frozen=True)
class Solid:
    """A box of the body. Blocks are [y, z, x]: from head to feet; front above, the patient's right on the left."""

    axes: Axes
    fractions: Mapping[Tissue, Block]  #: parts of each voxel, 0 to 1, which sum to 1
    bone: Block  #: density as a part of cortical bone's; bone takes the place of the soft tissue in its voxels
    lobes: NDArray[np.uint8]  #: a `Lobe` in each voxel that is mostly inside a lung
    nodules: tuple[Block, ...]  #: the part of each voxel inside a nodule, one block for each of the patient's

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The tissue that fills most of each voxel; a nodule where it does so, however thin it is."""
        labels = np.asarray(np.argmax([self.fractions[tissue] for tissue in Tissue], axis=0), dtype=np.uint8)
        for inside in self.nodules:
            labels[inside > MOSTLY] = Tissue.NODULE
        return labels


def build_solid(patient: Patient, axes: Axes, inspiration: float = 1.0) -> Solid:
    """The part of the patient's chest in this box, without any disease but nodules.

    ``inspiration`` is the height of the lungs as a part of a full breath. Any box shows the same anatomy; what it costs
    are its voxels.

    Raises:
        ValueError: ``inspiration`` is not above 0, or the patient has pneumonia.
    """
    if not inspiration > 0:
        raise ValueError(f"inspiration must be above 0, but is {inspiration}.")
    if patient.severity > 0:
        raise ValueError(
            f"CT shows no pneumonia so far, but this patient's severity is {patient.severity}: "
            'draw someone of kind "normal", or set severity to 0.'
        )
    patient = replace(patient, arms=ARMS_UP)
    grid = rays(patient, axes)
    coats, inside = layers(patient, grid), middle(patient, inspiration, grid)
    rng = np.random.default_rng([patient.anatomy_seed, 2])  # the film's, in the film's order
    bones = draw_bones(patient, rng, axes, grid, coats, inside)
    trunk = around(axes, -coats.breasts / 2, coats.trunk)
    lungs = overlap(axes, -inside.cage, inside.low) + overlap(axes, inside.high, inside.cage)
    parts = _Parts(trunk)
    bone = _add_bones(parts, bones)
    parts.take(Tissue.AIRWAY, _windpipe(patient, axes, grid))
    parts.take(Tissue.GAS, _gas(patient, inspiration, rng, axes, grid, inside))
    nodules, bone = _add_nodules(parts, patient, inspiration, axes, grid, lungs, bone)
    tree = draw_tree(patient, inspiration, axes, grid)
    _add_lungs(parts, patient, axes, grid, lungs, tree, inside)
    parts.take(Tissue.BLOOD, overlap(axes, *inside.heart))
    parts.take(Tissue.BLOOD, _aorta_and_cava(patient, axes, grid))
    gullet = GULLET_LEFT, GULLET_BEFORE_SPINE, GULLET_RADIUS
    parts.take(Tissue.MUSCLE, _along_spine(patient, axes, grid, *gullet))
    _add_belly(parts, patient, inspiration, axes, grid, inside)
    _add_wall(parts, patient, axes, grid, trunk, coats, inside)
    return Solid(axes, parts.fractions, bone, _lobes(patient, axes, grid, inside, lungs), nodules)


class _Parts:
    """What is in the voxels so far, and how much room is left."""

    def __init__(self, trunk: Block) -> None:
        self.fractions = {tissue: np.zeros_like(trunk) for tissue in Tissue}
        self.fractions[Tissue.AIR] = 1 - trunk
        self.left = trunk.copy()

    def take(self, tissue: Tissue, occupancy: Block) -> Block:
        """Give a tissue its part of each voxel, as far as there is room; returns what it got."""
        got = np.minimum(occupancy, self.left)
        self.fractions[tissue] += got
        self.left -= got
        return got


def _add_bones(parts: _Parts, bones: Skeleton) -> Block:
    """Cortical bone as far as the density asks for it, the rest spongy; returns the density in the trunk."""
    occupancy = np.minimum(bones.occupancy, parts.left)
    density = np.minimum(bones.density, occupancy)
    cortical = np.maximum(0, density - SPONGY * occupancy) / (1 - SPONGY)
    parts.take(Tissue.CORTICAL_BONE, cortical)
    parts.take(Tissue.SPONGY_BONE, occupancy - cortical)
    return density


def _add_nodules(
    parts: _Parts, patient: Patient, inspiration: float, axes: Axes, grid: WholeGrid, lungs: Block, bone: Block
) -> tuple[tuple[Block, ...], Block]:
    """The nodules as far as they lie in the lungs; returns the part of each voxel inside each, and the bone with their
    calcium."""
    x, y, z, edge = grid.x[:, None, :], grid.y[:, None, :], axes.z[None, :, None], axes.edge
    insides = []
    for nodule in (at_breath(patient, one, inspiration) for one in patient.nodules):
        inside = np.zeros(axes.shape, np.float32)
        reach = np.array([REACH * nodule.radius_mm / 10 + edge])
        middle_of_it = np.array([[(nodule.x, nodule.y, nodule.z)] * 2])
        part = boxes(axes, on_ruler(patient, middle_of_it), reach)[0]
        if not is_empty(part):
            rows, depths, columns = part
            places = x[rows, :, columns], y[rows, :, columns], z[:, depths]
            room = np.minimum(lungs[part], parts.left[part])
            inside[part] = np.minimum(room, occupancy(nodule, *places, edge))
            dense = inside[part] * relative_density(nodule, *places, edge).astype(np.float32)
            parts.fractions[Tissue.NODULE][part] += dense
            parts.left[part] -= dense
            bone[part] += np.float32(nodule.calcium) * dense
        insides.append(inside)
    return tuple(insides), bone


def _add_lungs(
    parts: _Parts, patient: Patient, axes: Axes, grid: WholeGrid, lungs: Block, tree: Tree, inside: Middle
) -> None:
    """Bronchi with their walls, vessels and the fine ones, as far as the lungs reach; the rest is lung."""
    room = np.minimum(lungs - parts.fractions[Tissue.NODULE], parts.left)
    for tissue, occupied in (
        (Tissue.AIRWAY, np.minimum(tree.lumens, 1 - tree.vessels)),
        (Tissue.VESSEL, np.maximum(tree.vessels, tree.walls)),
    ):
        room -= parts.take(tissue, np.minimum(occupied, room))
    ray = np.maximum(inside.low + inside.cage, 0) + np.maximum(inside.cage - inside.high, 0)
    there = room > 0
    fine = np.zeros_like(room)
    fine[there] = unevenness(patient, axes, grid, there)
    fine *= np.minimum(tree.fine / np.maximum(ray, SHORT_WAY * patient.half_width), MOST_FINE)[:, None, :]
    room -= parts.take(Tissue.VESSEL, np.minimum(fine, 1) * room)
    parts.take(Tissue.LUNG, room)


def _windpipe(patient: Patient, axes: Axes, grid: WholeGrid) -> Block:
    """The windpipe and the two main bronchi."""
    at = front_of_spine(patient, np.minimum(grid.y, apex(patient) + FORK_DOWN * patient.lung_height))
    return around(axes, at - WINDPIPE_BEFORE_SPINE * patient.half_width, WINDPIPE_DEEPER * windpipe(patient, grid))


def _gas(
    patient: Patient, inspiration: float, rng: np.random.Generator, axes: Axes, grid: WholeGrid, inside: Middle
) -> Block:
    """The gas in stomach and bowel, which rises to the front of a patient who lies on the back."""
    thick = np.minimum(gas(patient, inspiration, rng, grid), THICKEST_GAS * inside.cage)
    at = np.maximum(-GAS_IN_FRONT * patient.half_depth, thick / 2 - GAS_TO_FRONT * inside.cage)
    return around(axes, at, thick)


def _along_spine(
    patient: Patient,
    axes: Axes,
    grid: WholeGrid,
    left: float,
    before: float,
    radius: float,
    begins: float = 0,
    ends: float = np.inf,
) -> Block:
    """A tube along the spine, round in axial slices; it begins and ends in lung heights below the apex."""
    a, part = patient.half_width, (grid.y - apex(patient)) / patient.lung_height
    half = np.sqrt(np.maximum(0, (radius * a) ** 2 - (grid.x - left * a) ** 2)) * ((part > begins) & (part < ends))
    return around(axes, front_of_spine(patient, grid.y) - (before + radius) * a, 2 * half)


def _aorta_and_cava(patient: Patient, axes: Axes, grid: WholeGrid) -> Block:
    """The aorta from its arch to the belly, to the left of the spine, and the upper vena cava beside the windpipe."""
    grown_up = int(patient.age > GROWN_UP)
    aorta = AORTA_LEFT, AORTA_BEFORE_SPINE, AORTA_RADII[grown_up], ARCH_DOWN
    cava = CAVA_LEFT, CAVA_BEFORE_SPINE, CAVA_RADII[grown_up], CAVA_BEGINS, CAVA_ENDS
    return np.maximum(_along_spine(patient, axes, grid, *aorta), _along_spine(patient, axes, grid, *cava))


def _add_belly(
    parts: _Parts, patient: Patient, inspiration: float, axes: Axes, grid: WholeGrid, inside: Middle
) -> None:
    """Liver below the right dome and over the middle in front, spleen and stomach below the left one."""
    a, hd, (low, high) = patient.half_width, patient.half_depth, inside.dome
    floor = apex(patient) + inspiration * patient.lung_height
    belly = overlap(axes, low, high)
    ends = LIVER_ENDS * a - grid.x
    reach = np.clip(ends / (LIVER_TAPERS * a), 0, 1)  # full on the right, thin and in front on the left
    liver = np.minimum(belly, overlap(axes, low, low + (high - low) * reach))
    organs = []
    for (left, down, behind), (across, tall, deep) in ((SPLEEN_AT, SPLEEN), (STOMACH_AT, STOMACH)):
        below = grid.y - floor - patient.dome_step - down * a
        chord = ellipsoid(grid.x - left * a, below, (across * a, tall * a, deep * hd))
        organs.append(np.minimum(belly, around(axes, behind * hd, chord)))
    for tissue, organ in zip((Tissue.LIVER, Tissue.SPLEEN, Tissue.MUSCLE), (liver, *organs), strict=True):
        parts.take(tissue, organ)


def _add_wall(
    parts: _Parts, patient: Patient, axes: Axes, grid: WholeGrid, trunk: Block, coats: Layers, inside: Middle
) -> None:
    """Skin, the muscles around the cage, and fat: under the skin, and wherever nothing else is."""
    parts.take(Tissue.SKIN, np.maximum(0, trunk - around(axes, -coats.breasts / 2, coats.inside_skin)))
    a, beside = patient.half_width, np.abs(grid.x) - inner_width(patient, grid.y)
    armpit = np.clip((beside / a - ARMPIT_FROM) / ARMPIT_GROWS, 0, 1) * fade(
        apex(patient) + ARMPIT_TO * patient.lung_height - grid.y, ARMPIT_FADES * patient.lung_height
    )
    parts.take(Tissue.FAT, around(axes, 0, ARMPIT * armpit * coats.inside_fat))
    muscles = around(axes, 0, coats.inside_fat) - around(axes, 0, np.minimum(2 * inside.cage, coats.inside_fat))
    parts.take(Tissue.MUSCLE, np.maximum(0, muscles))
    parts.take(Tissue.FAT, parts.left.copy())


def _lobes(patient: Patient, axes: Axes, grid: WholeGrid, inside: Middle, lungs: Block) -> NDArray[np.uint8]:
    """Which lobe each voxel of a lung lies in."""
    oblique, fissure = lower_lobe_from(patient, grid, inside), horizontal_fissure(patient, grid)
    in_front = np.where(grid.x > 0, Lobe.LEFT_UPPER, np.where(grid.y < fissure, Lobe.RIGHT_UPPER, Lobe.RIGHT_MIDDLE))
    in_back = np.where(grid.x > 0, Lobe.LEFT_LOWER, Lobe.RIGHT_LOWER)
    lower_lobe = axes.z[None, :, None] > oblique[:, None, :]
    lobes = np.where(lower_lobe, in_back[:, None, :], in_front[:, None, :])
    return np.asarray(np.where(lungs > MOSTLY, lobes, Lobe.NONE), dtype=np.uint8)
