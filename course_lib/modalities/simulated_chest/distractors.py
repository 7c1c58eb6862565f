"""What readers of films take for nodules and is none: where it lies, and what it puts into the rays.

Nipples, vessels that run along the beam, places where two ribs cross, healed fractures of ribs, buttons and the
electrodes of an ECG. Source of the nipples' edges, of which the outer one is sharp: The round nipple shadow, Radiology
121:293-294, 1976. They show on about a tenth of the films: W. T. Miller et al., The troublesome nipple shadow, American
Journal of Roentgenology 145:521-523, 1985. How often the others occur, and all sizes, were set by eye beside films.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.modalities.simulated_chest.anatomy import BREAST_DOWN, BREAST_HIGH, BREAST_OUT
from course_lib.modalities.simulated_chest.bones import Rib, draw_ribs
from course_lib.modalities.simulated_chest.geometry import Grid, Line, Plane, fade, places_grid, turned
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, hilum
from course_lib.modalities.simulated_chest.people import Distractor, DistractorKind, Patient

GROWN_UP = 12  #: years

# How often people have them: adults, children.
NIPPLES = (0.12, 0.04)
END_ON = (0.6, 0.5)
CROSSINGS = (0.35, 0.2)
FRACTURES = (0.08, 0.01)
BUTTONS = (0.07, 0.08)
ELECTRODES = (0.1, 0.1)

NIPPLE_OUT, NIPPLE_DOWN, NIPPLE_SPREAD = 0.6, 0.2, 0.04  #: in a; lung heights below the middle; spread of both
NIPPLE_MM, NIPPLE_THICK, ONE_SHOWS = (3.5, 6.5), (1.0, 2.2), 0.3  #: from and to; part of them where one is seen
NIPPLE_FADES = 0.25  #: part of its thickness that is left at its inner edge
VESSEL_OUT, VESSEL_SPREAD = 1.5, 0.12  #: of the way to the hilum; in a
VESSEL_RADIUS, VESSEL_LENGTH = (0.012, 0.028), (0.1, 0.22)  #: in a, from and to
CROSSING_BONE, CALLUS_BONE = (0.2, 0.45), (0.4, 0.9)  #: cm of cortical bone
CROSSING_OUT = (0.5, 0.9)  #: from the middle, in a
CROSSING_LONG, CALLUS_LONG, CALLUS_WIDE = 1.3, 2.6, 1.5  #: in half thicknesses of the rib
NEIGHBOURS = (1, 4)  #: ribs that broke together, one fewer at most
BUTTON_MM, BUTTON_THICK, BUTTON_GAP = (4.5, 7.0), (0.2, 0.7), (0.3, 0.42)  #: gap in a
IN_A_ROW, POCKET_ODDS, POCKET_AT = 4, 0.35, (0.5, -0.1)  #: in a and lung heights
HOLES, HOLE_AT, HOLE, RIM = 4, 0.36, 0.17, 0.82  #: in radii of the button
ELECTRODE_MM, ELECTRODE_THICK = (8.0, 13.0), (0.3, 0.8)
STUD, STUD_BONE = 0.28, 1.2  #: the metal knob of an electrode: its radius in those of the electrode; cm of bone


@dataclass(frozen=True)
class Shadows:
    """What the distractors put into the rays, each a plane [height, width] of cm."""

    in_lung: Plane  #: soft tissue in place of air
    tissue: Plane  #: soft tissue on top of the body
    bone: Plane  #: cortical bone, or what weakens the beam as much


def draw_distractors(rng: np.random.Generator, patient: Patient) -> tuple[Distractor, ...]:
    """What this patient has of them, at the odds of adults or children; often nothing."""
    child = patient.age < GROWN_UP
    found: list[Distractor] = []
    for odds, draw in (
        (NIPPLES, _draw_nipples),
        (END_ON, _draw_vessels),
        (CROSSINGS, _draw_crossings),
        (FRACTURES, _draw_fractures),
        (BUTTONS, _draw_buttons),
        (ELECTRODES, _draw_electrodes),
    ):
        if rng.random() < odds[child]:
            found.extend(draw(rng, patient))
    return tuple(found)


def shadows(patient: Patient, inspiration: float, turn: float, grid: Grid) -> Shadows:
    """What the patient's distractors put into the rays; ``turn`` in degrees, as of `anatomy.build_body`."""
    in_lung, tissue, bone = (np.zeros_like(grid.x) for _ in range(3))
    turned_by = float(np.sin(np.deg2rad(turn)))
    for one in patient.distractors:
        x, y = one.x + one.z * turned_by, one.y
        if one.kind == "vessel end-on":  # it moves with the breath, as nodules do
            y = apex(patient) + (y - apex(patient)) * inspiration
        window = grid.window([(x, y)], CALLUS_LONG * one.radius_mm / 10)
        part = places_grid(grid.x[window], grid.y[window])
        u, v = (plane / (one.radius_mm / 10) for plane in turned(part, (x, y), one.angle))
        seen = _shape(one, u, v, grid.pixel / (one.radius_mm / 10))
        if one.kind == "vessel end-on":
            np.maximum(in_lung[window], seen, out=in_lung[window])
        elif one.kind in ("nipple", "electrode"):
            tissue[window] += seen
        else:
            bone[window] += seen
        if one.kind == "electrode":
            bone[window] += STUD_BONE * _disc(u / STUD, v / STUD)
    return Shadows(in_lung, tissue, bone)


def _shape(one: Distractor, u: Plane, v: Plane, pixel: float) -> Plane:
    """How thick it is, cm, at places along and across it, in radii; ``pixel`` is the side of one, in radii."""
    shape: Plane
    if one.kind == "nipple":
        shape = _disc(u, v) * (NIPPLE_FADES + (1 - NIPPLE_FADES) * (1 + u) / 2)
    elif one.kind == "button":
        shape = _button(u, v, pixel)
    elif one.kind == "rib crossing":
        shape = np.maximum(0, 1 - (u / CROSSING_LONG) ** 2 - v**2)
    elif one.kind == "healed fracture":
        shape = np.maximum(0, 1 - (u / CALLUS_LONG) ** 2 - (v / CALLUS_WIDE) ** 2)
    else:
        shape = _disc(u, v)
    return np.asarray(one.thickness * shape)


def _disc(u: Plane, v: Plane) -> Plane:
    """1 in the middle of a circle of radius 1, nearly as much up to near its edge, 0 outside."""
    return np.asarray(np.sqrt(np.maximum(0, 1 - (u * u + v * v) ** 2)))


def _button(u: Plane, v: Plane, pixel: float) -> Plane:
    """A plate with a thick rim and four holes; ``pixel`` is the side of one, in radii."""
    away = np.hypot(u, v)
    plate = fade(1 - away, pixel) * (0.7 + 0.3 * fade(away - RIM, pixel))
    for number in range(HOLES):
        around = 2 * np.pi * (number + 0.5) / HOLES
        hole = np.hypot(u - HOLE_AT * np.cos(around), v - HOLE_AT * np.sin(around))
        plate = plate * (1 - fade(HOLE - hole, pixel))
    return np.asarray(plate)


def _draw_nipples(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """A pair at one height, or the one of it that shows."""
    a, height = patient.half_width, patient.lung_height
    out, down = NIPPLE_OUT, NIPPLE_DOWN
    if patient.breast > 0:
        out, down = BREAST_OUT + 0.1, BREAST_DOWN + 0.3 * BREAST_HIGH
    out, down = rng.normal(out, NIPPLE_SPREAD), rng.normal(down, NIPPLE_SPREAD)
    radius, thick = rng.uniform(*NIPPLE_MM) * min(1.0, a / 14), rng.uniform(*NIPPLE_THICK)
    sides = (int(rng.choice(SIDES)),) if rng.random() < ONE_SHOWS else SIDES
    return [
        Distractor(
            "nipple",
            side * a * out * float(rng.normal(1, 0.03)),
            height * (down + float(rng.normal(0, 0.015))),
            -patient.half_depth,
            float(radius * rng.uniform(0.9, 1.1)),
            float(thick * rng.uniform(0.8, 1.2)),
            0.0 if side > 0 else 180.0,
        )
        for side in sides
    ]


def _draw_vessels(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """One to three round spots near the hila."""
    a = patient.half_width
    found = []
    for _ in range(rng.integers(1, 4)):
        x, y = hilum(patient, int(rng.choice(SIDES)))
        x, y = VESSEL_OUT * x + rng.normal(0, 0.5 * VESSEL_SPREAD * a), y + rng.normal(0, VESSEL_SPREAD * a)
        radius, length = a * rng.uniform(*VESSEL_RADIUS), a * rng.uniform(*VESSEL_LENGTH)
        found.append(Distractor("vessel end-on", float(x), float(y), 0.0, float(10 * radius), float(length)))
    return found


def _draw_crossings(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """One to three places where the front of a rib crosses the back of another one, denser than both together."""
    ribs, x = ribs_of(patient), np.linspace(*CROSSING_OUT, 40) * patient.half_width
    pairs = [(front, back) for front in range(1, 6) for back in range(front + 1, front + 6)]
    found: list[Distractor] = []
    for number in rng.permutation(len(pairs)):
        front, back = (ribs[one] for one in pairs[number])
        crossed = np.flatnonzero(np.diff(np.sign(_height(front, x, 1) - _height(back, x, -1))))
        if len(crossed):
            out, side = float(x[crossed[0]]), int(rng.choice(SIDES))
            found.append(_on_rib("rib crossing", front, side, out, 1, rng.uniform(*CROSSING_BONE)))
    return found[: rng.integers(1, 4)]


def _draw_fractures(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """One to three neighbouring ribs of one side that broke in line, at the back or at the side."""
    ribs, side = ribs_of(patient), int(rng.choice(SIDES))
    first, out = int(rng.integers(3, 7)), rng.uniform(0.45, 0.85) * patient.half_width
    return [
        _on_rib("healed fracture", ribs[number], side, float(out), -1, rng.uniform(*CALLUS_BONE))
        for number in range(first, first + int(rng.integers(*NEIGHBOURS)))
    ]


def _draw_buttons(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """A row down the middle, or one on a pocket, in front."""
    a, height = patient.half_width, patient.lung_height
    radius, thick = float(rng.uniform(*BUTTON_MM)), float(rng.uniform(*BUTTON_THICK))
    angle, z = float(rng.uniform(0, 90)), -patient.half_depth - patient.wall
    if rng.random() < POCKET_ODDS:
        out, down = POCKET_AT
        x, y = a * rng.normal(out, 0.08), height * rng.normal(down, 0.08)
        return [Distractor("button", float(x), float(y), z, radius, thick, angle)]
    off, first, gap = rng.normal(0.02, 0.05) * a, -height * rng.uniform(0.3, 0.45), a * rng.uniform(*BUTTON_GAP)
    return [
        Distractor(
            "button",
            float(off + rng.normal(0, 0.02 * a)),
            float(first + number * gap),
            z,
            radius,
            thick,
            angle + 20 * number,
        )
        for number in range(IN_A_ROW)
    ]


def _draw_electrodes(rng: np.random.Generator, patient: Patient) -> list[Distractor]:
    """Two to four on the skin, whose wires do not show."""
    a, height = patient.half_width, patient.lung_height
    radius, thick = rng.uniform(*ELECTRODE_MM) * min(1.0, 0.4 + 0.6 * a / 14), rng.uniform(*ELECTRODE_THICK)
    places = [(-0.65, -0.3), (0.65, -0.32), (0.75, 0.25), (-0.7, 0.3)]
    picked = rng.permutation(len(places))[: rng.integers(2, 5)]
    return [
        Distractor(
            "electrode",
            float(a * rng.normal(places[number][0], 0.08)),
            float(height * rng.normal(places[number][1], 0.06)),
            -patient.half_depth - patient.wall,
            float(radius),
            float(thick),
        )
        for number in picked
    ]


def ribs_of(patient: Patient) -> list[Rib]:
    """The patient's ribs, the same as in `anatomy.build_body`, which draws them after the spine."""
    rng = np.random.default_rng([patient.anatomy_seed, 2])
    rng.uniform()  # the spine's
    return draw_ribs(patient, rng)


def _height(rib: Rib, x: Line, front: int) -> Line:
    """The height of a rib's front (1) or back (-1) at a distance from the middle, cm."""
    u = np.clip(x / rib.width, 0, 1)
    return np.asarray(rib.level + rib.drop + front * rib.drop * np.sqrt(1 - u * u))


def _on_rib(kind: DistractorKind, rib: Rib, side: int, out: float, front: int, bone: float) -> Distractor:
    """Something at this distance from the middle on a rib of one side, along the rib."""
    steps = np.array([out - 0.1, out, out + 0.1])
    before, y, after = _height(rib, steps, front)
    angle = float(np.rad2deg(np.arctan2(side * (after - before), 0.2)))
    return Distractor(kind, side * out, float(y), 0.0, 10 * rib.radius, float(bone), angle)
