"""A film with a mark for each of its findings: where it is, pixel by pixel, and how hard it is to see.

What makes a nodule hard to see is hardly the noise of the photons, but the anatomy around it. Source: M. Båth et al.,
Investigation of image components affecting the detection of lung nodules in digital chest radiography, Proceedings of
SPIE 5749, 2005. Degrees of subtlety, in five steps from obvious to extremely subtle, came with J. Shiraishi et al.,
Development of a digital image database for chest radiographs with and without a lung nodule, American Journal of
Roentgenology 174:71-74, 2000, where radiologists judged them; here they follow from a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label

from course_lib.modalities.simulated_chest.findings import has_large_heart, healthy_heart
from course_lib.modalities.simulated_chest.geometry import Plane
from course_lib.modalities.simulated_chest.landmarks import SIDES, apex, dome
from course_lib.modalities.simulated_chest.nodules import is_mass
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_film.exposure import Exposure
from course_lib.modalities.simulated_film.imaging import add_leads, develop, expose, open_field, write_on
from course_lib.modalities.simulated_film.radiograph import make_grid
from course_lib.modalities.simulated_film.scene import (
    Contents,
    Layers,
    Scene,
    attenuate,
    build_scene,
    contents_of,
    is_body,
    with_other_heart,
)

Mask = NDArray[np.bool_]
Part = TypeVar("Part")

SUBTLETIES = ("obvious", "moderate", "subtle", "invisible")
VISIBLE = (1.5, 1.1, 0.7)  #: least visibility of what is obvious, moderate, subtle; set by looking at many nodules
USUAL_MM = 10  #: size at which the visibility is the contrast-to-noise ratio
NODULE_CM, EFFUSION_CM = 0.1, 2.0  #: of soft tissue in place of lung along a ray, above which a finding is there
BELOW_DOME = 0.03  #: lung heights below the diaphragm where an effusion still looks like a part of the chest
CONSOLIDATED = 0.3  #: part of a lung's air that is gone along a ray, from which on it is consolidated
HALF, MOST = 0.5, 0.998  #: and part of the most on that side, which is this quantile
LEAST_PART, LEAST_CM2 = 0.05, 2.0  #: of a consolidation's area, and cm2: smaller islands of it are left out
LEAST_LUNG_CM = 1.0  #: along a ray, which a part of the lung's air is a part of at least
LUNG_LEFT = 0.15  #: part of a ray's way in the lung, below which it runs beyond the edge of a drawn-away lung
AIR_CM, HEART_CM = 0.5, 0.5  #: along a ray, above which air around the lung and the heart are there
HEART_TOP, HEART_BOTTOM = 1.25, 0.07  #: above the dome, in half-widths of the heart; below it, in lung heights
RING_GAP, RING_WIDTH, LEAST_RING_PX = 0.15, 0.6, 3.0  #: in roots of the area of the mask; px
LEAST_PIXELS = 12  #: of a ring, to which a surface of six terms can be fitted
LEAST_SIDE_PX = 3  #: of a box, below which a finding has no shape on this film


@dataclass(frozen=True)
class Mark:
    """One finding on a film.

    ``contrast_to_noise`` (no unit): contrast over noise. The contrast is the mean, inside the mask, of how the finding
    changes the grey of the film: the difference of the films with it and without it, both without noise. The sign is
    left out: air is darker, fluid is brighter. The noise is the standard deviation of the grey in a ring around the
    mask, on the noisy film less that change, after slow changes (a fitted surface of second order) are taken out: the
    noise of the photons and the anatomy, which a reader sees the finding against.

    ``subtlety`` is one of `SUBTLETIES` and follows from the `visibility`. What is narrower or lower than 3 px is
    invisible, whatever its contrast: on a film as coarse as this nobody could tell it from a spot of noise.
    """

    finding: str
    mask: Mask  #: [height, width]
    box: tuple[int, int, int, int]  #: x0, y0, x1, y1 of the mask, px; x1 and y1 are the first outside
    contrast_to_noise: float
    subtlety: str


@dataclass(frozen=True)
class MarkedFilm:
    """A film, uint8 [height, width], and a mark for each finding of which something lies in the open field."""

    image: NDArray[np.uint8]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Instance:
    """One finding of a patient by itself."""

    finding: str
    mask: Mask  #: where it is, in the open field or not
    without: Plane  #: attenuation along the rays of the patient without it


def render_marked(patient: Patient, exposure: Exposure, size_px: int) -> MarkedFilm:
    """The radiograph that `radiograph.render` makes of a patient, with the marks of the findings.

    A nodule or mass is where it puts at least 1 mm of soft tissue in place of lung along the ray; an effusion, where it
    puts 2 cm of fluid there, above the diaphragm; pneumonia, where half as much of the lung's air is gone as at most on
    that side, and at least three tenths; a pneumothorax, beyond the edge of the lung; and cardiomegaly is the heart.
    Pneumonia and effusions have a mark on each side; each nodule and mass has its own. Distractors have none.

    Raises:
        ValueError: the size is not positive.
    """
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1, but is {size_px}.")
    scene = build_scene(patient, exposure, make_grid(patient, exposure, size_px))
    contents = contents_of(scene)
    layers, body = attenuate(scene, contents), is_body(scene)
    attenuation = add_leads(layers.attenuation, exposure) if exposure.leads else layers.attenuation
    leads = attenuation - layers.attenuation
    noisy = develop(expose(attenuation, exposure), exposure, body)
    clean = develop(expose(attenuation, exposure, noise=False), exposure, body)
    field = open_field(exposure, noisy.shape)
    marks = []
    for one in _instances(patient, scene, contents, layers):
        mask = one.mask & field
        if mask.any():
            change = clean - develop(expose(one.without + leads, exposure, noise=False), exposure, body)
            ratio = contrast_to_noise(change, noisy - change, mask, field)
            box = box_of(mask)
            marks.append(Mark(one.finding, mask, box, ratio, _subtlety(ratio, mask, box, scene.grid.pixel)))
    image = np.round(255 * write_on(noisy, exposure)).astype(np.uint8)
    return MarkedFilm(image, tuple(marks))


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """The smallest box around a mask: x0, y0, x1, y1 in px; x1 and y1 are the first outside.

    Raises:
        ValueError: the mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        raise ValueError("A mask without any pixel has no box.")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def contrast_to_noise(change: Plane, without: Plane, mask: Mask, field: Mask) -> float:
    """As `Mark` says, from what a finding changes and from the film without it; 0 where no ring is in the field."""
    contrast = abs(float(change[mask].mean()))
    size = float(np.sqrt(mask.sum()))
    reach = round(RING_GAP * size + max(LEAST_RING_PX, RING_WIDTH * size)) + 2
    x0, y0, x1, y1 = box_of(mask)
    window = slice(max(0, y0 - reach), y1 + reach), slice(max(0, x0 - reach), x1 + reach)
    away = distance_transform_edt(~mask[window]) - 1 - RING_GAP * size
    ring = (away > 0) & (away <= max(LEAST_RING_PX, RING_WIDTH * size)) & field[window]
    if np.count_nonzero(ring) < LEAST_PIXELS:
        return 0.0
    noise = _spread(without[window], ring)
    return contrast / noise if noise > 0 else 0.0


def visibility(contrast_to_noise: float, size_mm: float) -> float:
    """How well a finding can be seen: contrast over noise, times the root of its size over 1 cm."""
    return float(contrast_to_noise * np.sqrt(size_mm / USUAL_MM))


def subtlety_of(contrast_to_noise: float, size_mm: float) -> str:
    """The one of `SUBTLETIES` for a contrast-to-noise ratio and a size (the root of the area of the mask)."""
    seen = visibility(contrast_to_noise, size_mm)
    return SUBTLETIES[sum(seen < least for least in VISIBLE)]


def _subtlety(contrast_to_noise: float, mask: Mask, box: tuple[int, int, int, int], pixel_cm: float) -> str:
    """As `Mark` says."""
    x0, y0, x1, y1 = box
    if min(x1 - x0, y1 - y0) < LEAST_SIDE_PX:
        return SUBTLETIES[-1]
    return subtlety_of(contrast_to_noise, 10 * pixel_cm * float(np.sqrt(mask.sum())))


def _spread(grey: Plane, ring: Mask) -> float:
    """The standard deviation inside a ring, after a surface of second order that fits best was taken out."""
    y, x = (np.asarray(values, dtype=float) for values in np.nonzero(ring))
    x, y = (x - x.mean()) / len(grey), (y - y.mean()) / len(grey)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    values = grey[ring].astype(float)
    slow = terms @ np.linalg.lstsq(terms, values, rcond=None)[0]
    return float(np.std(values - slow))


def _instances(patient: Patient, scene: Scene, contents: Contents, layers: Layers) -> Iterator[Instance]:
    """Each finding of the patient: nodules and masses in the order of the patient, then the others."""
    airy = scene.mu.soft_tissue - scene.mu.lung
    for number, nodule in enumerate(patient.nodules):
        rest = replace(contents, nodules=_all_but(contents.nodules, number))
        without = attenuate(scene, rest).attenuation
        yield Instance(
            "Mass" if is_mass(nodule) else "Nodule", layers.attenuation - without > airy * NODULE_CM, without
        )
    for number in range(len(contents.effusions)):
        rest = replace(contents, effusions=_all_but(contents.effusions, number))
        without = attenuate(scene, rest).attenuation
        mask = (layers.attenuation - without > airy * EFFUSION_CM) & _above_diaphragm(scene)
        yield Instance("Effusion", mask, without)
    for number, one in enumerate(contents.airs):
        rest = replace(contents, airs=_all_but(contents.airs, number))
        mask = (one.air > AIR_CM) & (one.lung < LUNG_LEFT * (one.air + one.lung))
        yield Instance("Pneumothorax", mask, attenuate(scene, rest).attenuation)
    if has_large_heart(patient):
        yield _heart(patient, scene, contents)
    if patient.severity > 0:
        yield from _consolidations(scene, contents, layers)


def _above_diaphragm(scene: Scene) -> Mask:
    """Where the rays pass above the domes, and the little below them that still looks like the edge of the lung."""
    patient, x = scene.patient, scene.grid.x
    domes = [dome(patient, scene.breath, x, side) for side in SIDES]
    return np.asarray(scene.grid.y < np.where(x < 0, *domes) + BELOW_DOME * patient.lung_height)


def _all_but(parts: tuple[Part, ...], number: int) -> tuple[Part, ...]:
    return parts[:number] + parts[number + 1 :]


def _heart(patient: Patient, scene: Scene, contents: Contents) -> Instance:
    """The heart, from the diaphragm to the great vessels; without the finding it would be of a usual size."""
    shadow, y = scene.patient.heart, scene.grid.y
    floor = apex(patient) + scene.breath * patient.lung_height
    top = floor - HEART_TOP * shadow * patient.half_width
    mask = (scene.body.heart > HEART_CM) & (y > top) & (y < floor + HEART_BOTTOM * patient.lung_height)
    usual = with_other_heart(scene, healthy_heart(patient) * shadow / patient.heart)
    return Instance("Cardiomegaly", mask, attenuate(usual, contents_of(usual, contents.nodules)).attenuation)


def _consolidations(scene: Scene, contents: Contents, layers: Layers) -> Iterator[Instance]:
    """Pneumonia of the right and of the left lung, where it is dense."""
    for side in range(len(SIDES)):
        filled = [contents.filled[0], contents.filled[1]]
        filled[side] = np.zeros_like(filled[side])
        without = attenuate(scene, replace(contents, filled=(filled[0], filled[1])))
        part = (layers.fluid - without.fluid) / np.maximum(scene.body.lungs[side], LEAST_LUNG_CM)
        mask = part > max(CONSOLIDATED, HALF * float(np.quantile(part, MOST)))
        yield Instance("Pneumonia", _without_islands(mask, LEAST_CM2 / scene.grid.pixel**2), without.attenuation)


def _without_islands(mask: Mask, least_px: float) -> Mask:
    """The mask without its pieces that are smaller than that, or small for its area."""
    pieces, _ = label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= max(least_px, LEAST_PART * sizes.sum()))[pieces] & mask)
