"""The scan: from the materials of a slice to sinograms, with hardening, chance, motion, and a body beyond the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.chest_ct.beam import (
    BONE,
    METAL,
    MU_WATER,
    attenuate,
    correct_for_water,
    effective_attenuation,
)
from course_lib.modalities.chest_ct.tomography import Geometry, Images, Sinograms, check_stack, project


@dataclass(frozen=True)
class Materials:
    """What each pixel holds: three stacks of slices, float32 [slices, row, column], 0 or more.

    Raises:
        ValueError: the stacks differ in shape, or hold less than nothing, or NaN.
    """

    water: Images  #: density of all that weakens the beam as water does (soft tissue, blood, lung), over that of water
    bone: Images  #: part of the pixel that is cortical bone
    metal: Images  #: part of the pixel that is titanium

    def __post_init__(self) -> None:
        for name, stack in vars(self).items():
            check_stack(stack, self.water.shape[1:], name)
            if len(stack) != len(self.water):
                raise ValueError(f"{name} has {len(stack)} slices, water {len(self.water)}; give each the same.")
            if stack.min() < 0:
                raise ValueError(f"{name} must be 0 or more, not {stack.min():.3g}.")


@dataclass(frozen=True)
class Paths:
    """How many cm of each material each ray crosses: three sinograms, float32 [slices, angle, detector].

    Water counts by its density: 4 cm of lung at a quarter of water's density are 1 cm.
    """

    water: Sinograms
    bone: Sinograms
    metal: Sinograms


def acquire(
    materials: Materials,
    geometry: Geometry,
    photons: float,
    rng: np.random.Generator,
    *,
    outside: Paths | None = None,
    motion: Materials | None = None,
    moves_at: float = 0.5,
) -> Sinograms:
    """Sinograms of attenuation as a scanner hands them to the reconstruction, corrected for water.

    ``photons`` start on each ray (infinity: no noise), and each that arrives counts one; scatter and the detector's own
    noise are left out. A ray on which none arrives is taken to have counted one, because the logarithm of 0 does not
    exist: scanners clip in the same way, and behind much metal the slice then shows streaks instead of a hole.

    ``outside`` are the paths through the body beyond the image (see `outside_of`), of as many slices or of one. They
    weaken the rays like all else, and what is known of them is taken out again, so that the image can be reconstructed
    by itself: noise, hardening and streaks are those of the whole body.

    ``motion`` is where everything lies from the part ``moves_at`` of the angles on, 0 to 1.

    Raises:
        ValueError: no photons, shapes that do not fit, or ``moves_at`` outside of 0 to 1.
    """
    if not photons > 0:
        raise ValueError(f"photons must be a positive number per ray, not {photons}.")
    inside = trace(materials, geometry)
    if motion is not None:
        inside = _moved(inside, trace(motion, geometry), moves_at)
    if outside is None:
        return correct_for_water(_measure(inside, photons, rng))
    for name, sinogram in vars(outside).items():
        check_stack(sinogram, (geometry.angles, geometry.detectors), f"outside.{name}")
        if len(sinogram) not in (1, len(inside.water)):
            raise ValueError(f"outside.{name} needs 1 slice or {len(inside.water)}, not {len(sinogram)}.")
    whole = Paths(inside.water + outside.water, inside.bone + outside.bone, inside.metal + outside.metal)
    return correct_for_water(_measure(whole, photons, rng)) - _known(outside)


def trace(materials: Materials, geometry: Geometry) -> Paths:
    """The paths of all rays through the slices."""
    shape = (len(materials.water), geometry.angles, geometry.detectors)
    return Paths(*(project(m, geometry) if m.any() else np.zeros(shape, np.float32) for m in vars(materials).values()))


def outside_of(
    body: Materials, body_geometry: Geometry, geometry: Geometry, centre_mm: tuple[float, float] = (0, 0)
) -> Paths:
    """The paths through the ``body`` beyond a smaller image, on the rays of the image's own ``geometry``.

    The body may have coarse pixels, and one slice for all of the image's. ``centre_mm`` says how far the middle of the
    image lies from the middle of the body's, to the right and down. A slice reconstructed with it ends at a sharp edge,
    which darkens its outermost two pixels: scan a few pixels more than are needed, and cut them off.

    Raises:
        ValueError: the two geometries differ in their angles.
    """
    if body_geometry.angles != geometry.angles:
        raise ValueError(f"Both need the same angles, not {body_geometry.angles} (body) and {geometry.angles}.")
    side_mm = geometry.pixels * geometry.pixel_mm
    right, down = (_part_within(body_geometry, place - side_mm / 2, side_mm) for place in centre_mm)
    beyond = np.clip(1 - down[:, None] * right, 0, 1).astype(np.float32)
    coarse = trace(Materials(*(beyond * stack for stack in vars(body).values())), body_geometry)
    return Paths(*(_resample(s, body_geometry, geometry, centre_mm) for s in vars(coarse).values()))


def _measure(paths: Paths, photons: float, rng: np.random.Generator) -> Sinograms:
    """-ln of the counted share of the photons."""
    expected = attenuate(paths.water, paths.bone, paths.metal)
    if np.isinf(photons):
        return np.asarray(-np.log(np.maximum(expected, np.finfo(np.float32).tiny)))
    counted = np.maximum(1, rng.poisson(photons * expected))
    return np.asarray(-np.log(counted / photons), dtype=np.float32)


def _known(outside: Paths) -> Sinograms:
    """What the outside would add to corrected projections if its bone and metal hardened nothing."""
    bone, metal = effective_attenuation(BONE), effective_attenuation(METAL)
    known = MU_WATER * outside.water + bone * outside.bone + metal * outside.metal
    return np.asarray(known, dtype=np.float32)


def _moved(before: Paths, after: Paths, moves_at: float) -> Paths:
    """The first angles of one, the last of the other."""
    if not 0 <= moves_at <= 1:
        raise ValueError(f"moves_at is a part of the angles, 0 to 1, not {moves_at}.")
    if before.water.shape != after.water.shape:
        raise ValueError(f"motion has {len(after.water)} slices, but there are {len(before.water)} to scan.")
    turn = round(moves_at * before.water.shape[1])
    pairs = zip(vars(before).values(), vars(after).values(), strict=True)
    return Paths(*(np.concatenate([a[:, :turn], b[:, turn:]], axis=1) for a, b in pairs))


def _part_within(geometry: Geometry, start_mm: float, length_mm: float) -> NDArray[np.float64]:
    """How much of each column of pixels lies in an interval, 0 to 1; 0 mm is the middle of the image."""
    edges = (np.arange(geometry.pixels + 1) - geometry.pixels / 2) * geometry.pixel_mm
    return np.asarray(np.diff(np.clip(edges, start_mm, start_mm + length_mm)) / geometry.pixel_mm)


def _resample(sinogram: Sinograms, old: Geometry, new: Geometry, centre_mm: tuple[float, float]) -> Sinograms:
    """A sinogram on the rays of another geometry, by linear interpolation between detectors.

    It must be 0 on the first detector and on the last, whose values hold beyond them.
    """
    right, down = centre_mm
    middle = right * np.cos(new.radians) - down * np.sin(new.radians)
    ray_mm = (np.arange(new.detectors) - (new.detectors - 1) / 2) * new.pixel_mm + middle[:, None]
    place = ray_mm / old.pixel_mm + (old.detectors - 1) / 2
    first = np.clip(np.floor(place), 0, old.detectors - 2).astype(int)
    share = np.clip(place - first, 0, 1).astype(np.float32)
    angle = np.arange(new.angles)[:, None]
    return np.asarray(sinogram[:, angle, first] * (1 - share) + sinogram[:, angle, first + 1] * share)
