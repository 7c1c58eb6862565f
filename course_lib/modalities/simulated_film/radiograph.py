"""The picture of one patient in one exposure, whole or layer by layer. No chance here: the same in, the same out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_chest.geometry import Grid, Plane, irregular
from course_lib.modalities.simulated_chest.people import Patient
from course_lib.modalities.simulated_film.exposure import Exposure
from course_lib.modalities.simulated_film.imaging import (
    add_leads,
    develop,
    expose,
    open_field,
    write_on,
)
from course_lib.modalities.simulated_film.scene import attenuate, build_scene, contents_of, is_body

MASKED = 1.0  #: cm of fluid in place of air from which on the mask counts a ray; it takes a sixth of the beam at 50 keV


def render(patient: Patient, exposure: Exposure, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The radiograph and the mask of the disease, both [size_px, width]; air is black, bone white.

    The mask is exact: it marks the rays that cross at least 1 cm of fluid where a healthy lung has air. Nodules are not
    in it.

    The same patient and exposure always give the same picture.

    Raises:
        ValueError: the size is not positive.
    """
    layers, fluid = _render(patient, exposure, size_px)
    mask = (fluid > MASKED) & open_field(exposure, fluid.shape)
    return np.round(255 * layers["film"]).astype(np.uint8), mask


def render_with(
    patient: Patient,
    exposure: Exposure,
    *,
    severity: float,
    energy: float,
    photons: float,
    gamma: float,
    turn: float,
    size_px: int = 224,
) -> NDArray[np.uint8]:
    """The radiograph [size_px, width] with five things set by hand, for sliders; everything else stays as it is.

    ``severity`` 0 to 1 (a healthy patient gets disease in one lobe), ``energy`` of the X-rays 30 to 80 keV, where a
    high one takes contrast from the bones, ``photons`` per pixel in thousands, where few mean noise, ``gamma`` of the
    display, above 1 darker, and ``turn`` of the patient around the body's long axis, degrees.
    """
    kind, pattern = patient.kind, patient.pattern
    if patient.kind == "normal" and severity > 0:
        kind, pattern = "bacteria", "lobar"
    patient = replace(patient, kind=kind, pattern=pattern, severity=severity)
    exposure = replace(exposure, energy=energy, photons=photons, gamma=gamma, turn=turn)
    return render(patient, exposure, size_px)[0]


def render_layers(patient: Patient, exposure: Exposure, size_px: int) -> dict[str, Plane]:
    """How a radiograph comes about, step by step, each float32 of shape [size_px, width].

    ``soft tissue``, ``lungs``, ``heart``, ``bone``: attenuation so far (no unit; the beam keeps the part
    exp(-attenuation)), first as if the trunk were solid, then with the chest full of air, with the heart and the
    vessels in it, and with the bones and the distractors. ``disease``: attenuation that the findings add (a
    pneumothorax takes some away); a large heart is in ``heart``. ``photons``: counted
    per pixel. ``film``: 0 black to 1 white.
    """
    return _render(patient, exposure, size_px)[0]


def make_grid(patient: Patient, exposure: Exposure, size_px: int) -> Grid:
    """Where in the patient each pixel of a picture lies that is ``size_px`` high."""
    height = exposure.field * patient.lung_height
    columns = max(1, round(size_px * exposure.aspect))
    pixel = height / size_px
    origin = (columns * (0.5 + exposure.shift[0]), size_px * (0.5 + exposure.shift[1]))
    across = ((np.arange(columns, dtype=np.float32) + 0.5 - origin[0]) * pixel)[None, :]
    down = ((np.arange(size_px, dtype=np.float32) + 0.5 - origin[1]) * pixel)[:, None]
    cosine, sine = float(np.cos(np.deg2rad(exposure.tilt))), float(np.sin(np.deg2rad(exposure.tilt)))
    x, y, slack = irregular(patient, cosine * across + sine * down, cosine * down - sine * across)
    return Grid(x, y, pixel, slack, origin, cosine, sine)


def _render(patient: Patient, exposure: Exposure, size_px: int) -> tuple[dict[str, Plane], Plane]:
    """The layers, and the cm of fluid that the disease puts in place of air."""
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1, but is {size_px}.")
    scene = build_scene(patient, exposure, make_grid(patient, exposure, size_px))
    parts = attenuate(scene, contents_of(scene))
    attenuation = parts.attenuation
    photons = expose(add_leads(attenuation, exposure) if exposure.leads else attenuation, exposure)
    film = write_on(develop(photons, exposure, is_body(scene)), exposure)
    layers = {
        "soft tissue": parts.tissue,
        "lungs": parts.lungs,
        "heart": parts.heart,
        "bone": parts.bone,
        "disease": parts.disease,
        "photons": photons,
        "film": film,
    }
    return {name: np.asarray(plane, dtype=np.float32) for name, plane in layers.items()}, parts.fluid
