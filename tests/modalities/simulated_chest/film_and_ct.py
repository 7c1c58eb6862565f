"""One simulated patient as a film sees it and as CT sees it: how long the rays run inside each structure, in both.

Run ``python -m tests.modalities.simulated_chest.film_and_ct`` to print the table for an adult and for a child.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_chest.anatomy import Body, build_body
from course_lib.modalities.simulated_chest.geometry import Plane, points_grid
from course_lib.modalities.simulated_chest.middle import layers, middle
from course_lib.modalities.simulated_chest.nodules import REACH, chord, draw_nodule, place
from course_lib.modalities.simulated_chest.organs import WINDPIPE_DEEPER, windpipe
from course_lib.modalities.simulated_chest.people import Nodule, Patient, draw_patient
from course_lib.modalities.simulated_chest.solid import ARMS_UP, Solid, Tissue, build_solid
from course_lib.modalities.simulated_chest.volume import Axes, rays

NODULES = 3
NEAR_END = 0.12  #: of the half-width: a film shows fewer vessels where less of a lung is left
PEOPLE = {"an adult": (11, True), "a child": (5, False)}  #: seeds, and whether they are grown up


@dataclass(frozen=True)
class Agreement:
    """How a structure agrees along the rays that cross it, in mm: its mean on the film, and how CT differs from it."""

    film: float
    difference: float  #: mean of CT's less the film's
    off: float  #: mean of its size
    most: float  #: the largest


def draw_person(seed: int, adult: bool) -> Patient:
    """Someone healthy but for a few nodules away from the chest wall, with the arms raised."""
    rng = np.random.default_rng(seed)
    patient = replace(draw_patient(rng, "normal", adult=adult), arms=ARMS_UP)
    drawn = (draw_nodule(rng, patient) for _ in count())
    return replace(patient, nodules=tuple(islice((one for one in drawn if _is_away_from_wall(patient, one)), NODULES)))


def axes_of(patient: Patient, across_mm: float = 4.0, along_mm: float = 1.5, down: float = 0.55) -> Axes:
    """A box around the whole chest, for rays so far apart and voxels so deep, and so many lung heights up and down."""
    half = 1.2 * (patient.half_width + patient.wall), down * patient.lung_height
    deep = 1.15 * (patient.half_depth + patient.wall) + patient.breast
    x, y = (np.arange(-one, one, across_mm / 10) for one in half)
    return Axes(x, y, np.arange(-deep, deep, along_mm / 10))


def box_around(patient: Patient, nodule: Nodule, voxel_mm: float = 0.7) -> Axes:
    """A box that holds a nodule, in cubes."""
    reach = REACH * nodule.radius_mm / 10
    x, y, z = (at + np.arange(-reach, reach, voxel_mm / 10) for at in place(patient, nodule))
    return Axes(x, y, z)


def compare(patient: Patient, axes: Axes) -> dict[str, Agreement]:
    """How film and CT agree, structure by structure."""
    solid, grid = build_solid(patient, axes), rays(patient, axes)
    body = build_body(patient, grid)
    bare = body.trunk <= layers(patient, grid).trunk + 1e-4  # neither arms nor neck
    found = {name: _agreement(film, ct, bare) for name, (film, ct) in _structures(patient, solid, body).items()}
    for number, nodule in enumerate(patient.nodules):
        around = box_around(patient, nodule)
        near, inside = rays(patient, around), build_solid(patient, around).nodules[number]
        film, ct = chord(nodule, near.x, near.y)[0], inside.sum(axis=1) * around.voxel[2]
        name = f"nodule {number + 1}: {nodule.density}, {2 * nodule.radius_mm:.0f} mm"
        found[name] = _agreement(film, ct, film >= 0)
    return found


def table(agreements: Mapping[str, Agreement]) -> str:
    """The agreements as text."""
    lines = [f"{'mm along the rays through it':36}{'film':>9}{'CT - film':>11}{'|CT - film|':>13}{'largest':>9}"]
    for name, one in agreements.items():
        lines.append(f"{name:36}{one.film:9.2f}{one.difference:+11.2f}{one.off:13.2f}{one.most:9.2f}")
    return "\n".join(lines)


def _is_away_from_wall(patient: Patient, nodule: Nodule) -> bool:
    """Whether the chest wall cuts nothing off in CT; a film shows what it would cut off."""
    radius = nodule.radius_mm / 10
    aside = radius * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]).T
    cage = middle(patient, 1.0, points_grid(nodule.x + aside[0], nodule.y + aside[1])).cage
    return bool((abs(nodule.z) + radius < cage).all())


def _structures(patient: Patient, solid: Solid, body: Body) -> dict[str, tuple[Plane, Plane]]:
    """The lengths of the rays inside each structure, cm, on the film and in CT."""
    grid, deep, a = rays(patient, solid.axes), solid.axes.voxel[2], patient.half_width
    crossed = {tissue: block.sum(axis=1) * deep for tissue, block in solid.fractions.items()}
    right = grid.x < 0
    tube = windpipe(patient, grid) > 0
    lung = sum(crossed[tissue] for tissue in (Tissue.LUNG, Tissue.VESSEL, Tissue.NODULE, Tissue.AIRWAY))
    near_end = np.minimum(1, body.lung / (NEAR_END * a))  # a film's vessels end where the lung does
    return {
        "trunk": (body.trunk, (1 - solid.fractions[Tissue.AIR]).sum(axis=1) * deep),
        "right lung": (body.lungs[0] * ~tube, lung * right * ~tube),
        "left lung": (body.lungs[1] * ~tube, lung * ~right * ~tube),
        "heart and great vessels": (body.heart, crossed[Tissue.BLOOD]),
        "vessels of the lungs": (np.minimum(body.vessels * near_end, body.lung), crossed[Tissue.VESSEL]),
        "windpipe and main bronchi": (WINDPIPE_DEEPER * windpipe(patient, grid), crossed[Tissue.AIRWAY] * tube),
        "bones, as cortical bone": (body.bone, solid.bone.sum(axis=1) * deep),
    }


def _agreement(film: Plane, ct: Plane, rays_: NDArray[np.bool_]) -> Agreement:
    """Over the rays that cross the structure on the film or in CT."""
    there = rays_ & ((film > 1e-3) | (ct > 1e-3))
    film, off = 10 * film[there], 10 * (ct - film)[there]
    return Agreement(float(film.mean()), float(off.mean()), float(np.abs(off).mean()), float(np.abs(off).max()))


if __name__ == "__main__":
    for who, (seed, adult) in PEOPLE.items():
        person = draw_person(seed, adult)
        print(f"\n{who}, {person.age:.0f} years\n{table(compare(person, axes_of(person)))}")
