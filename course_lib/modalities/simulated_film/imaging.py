"""From the patient to the picture: absorption, scatter, chance, the detector, and how the scanner develops it.

Source: J. T. Bushberg et al., The Essential Physics of Medical Imaging, 3rd ed., 2012, chapters 3 (attenuation),
4 (noise) and 7 (scatter, digital processing).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from course_lib.modalities.simulated_chest.geometry import Plane
from course_lib.modalities.simulated_film.exposure import Exposure

# NIST, X-Ray Mass Attenuation Coefficients (SRD 126), tables for ICRU-44 soft tissue and cortical bone, cm2/g; times
# the density that the same page gives, 1.06 and 1.92 g/cm3. Lung is soft tissue at 0.26 g/cm3 (ICRU Report 46).
ENERGIES = (30.0, 40.0, 50.0, 60.0, 80.0)  #: keV
SOFT_TISSUE = tuple(1.06 * m for m in (0.3790, 0.2688, 0.2264, 0.2048, 0.1823))  #: 1/cm
BONE = tuple(1.92 * m for m in (1.331, 0.6655, 0.4242, 0.3148, 0.2229))  #: 1/cm
LUNG_DENSITY = 0.26 / 1.06  #: of soft tissue


@dataclass(frozen=True)
class Attenuation:
    """How strongly 1 cm of each material weakens the beam at one energy, 1/cm; air does not count."""

    soft_tissue: float
    lung: float
    bone: float

    @classmethod
    def at(cls, energy: float) -> "Attenuation":
        """By interpolation on logarithmic axes, where the tables are nearly straight lines."""
        soft, bone = (
            float(np.exp(np.interp(np.log(energy), np.log(ENERGIES), np.log(table)))) for table in (SOFT_TISSUE, BONE)
        )
        return cls(soft, LUNG_DENSITY * soft, bone)


def expose(attenuation: Plane, exposure: Exposure, *, noise: bool = True) -> Plane:
    """Photons counted per pixel: Beer-Lambert at one energy, then scatter, chance, and the detector's blur.

    Without ``noise``, those that are counted on average.
    """
    rng = np.random.default_rng([exposure.noise_seed, 1])
    direct = np.exp(-attenuation)
    total = direct + exposure.scatter * _smooth(direct, 0.09)
    expected = 1000 * exposure.photons * total
    counts = (rng.poisson(expected) if noise else expected).astype(np.float32)
    return np.asarray(gaussian_filter(counts, exposure.blur * len(counts), truncate=3), dtype=np.float32)


def develop(photons: Plane, exposure: Exposure, body: NDArray[np.bool_]) -> Plane:
    """The picture, 0 black to 1 white, as a digital scanner makes it from the counts.

    The logarithm turns photons back into attenuation; slow changes are partly taken out and edges enhanced; the grey
    scale is fitted to the brightest and the darkest of the ``body`` in this picture.
    """
    white_light = 1000 * exposure.photons * (1 + exposure.scatter)
    signal = -np.log((photons + 1) / white_light)  # 0 for free air
    flat = signal - exposure.equalisation * _smooth(signal, 0.12)
    sharp = flat + exposure.sharpening * (flat - gaussian_filter(flat, 0.012 * len(flat), truncate=2))
    inside = sharp[body] if body.any() else sharp.ravel()
    lung, dense = np.quantile(inside[:: max(1, inside.size // 8000)], [0.02, 0.985])
    air = np.minimum(lung, np.quantile(flat[:: max(1, len(flat) // 60)], 0.01))
    darkest = lung + 0.7 * exposure.latitude * (air - lung) - 0.04 * (dense - lung)
    grey = np.clip((sharp - darkest) / max(1e-3, dense - darkest), 0, 1.12)
    grey = np.where(grey > 0.9, 0.9 + 0.13 * np.tanh((grey - 0.9) / 0.13), grey)  # the shoulder of the curve
    film = exposure.black + (exposure.white - exposure.black) * np.minimum(1, grey) ** exposure.gamma
    return np.asarray(film, dtype=np.float32)


def add_leads(attenuation: Plane, exposure: Exposure) -> Plane:
    """ECG leads: thin wires across the chest, each with a round electrode at its end."""
    height, width = attenuation.shape
    rng = np.random.default_rng([exposure.noise_seed, 2])
    canvas = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(canvas)
    for _ in range(exposure.leads):
        end = np.array([rng.uniform(0.25, 0.75) * width, rng.uniform(0.2, 0.75) * height])
        start = np.array([rng.choice((0.0, 1.0)) * width, rng.uniform(0, 1) * height])
        bow = (start + end) / 2 + rng.normal(0, 0.15 * height, size=2)
        t = np.linspace(0, 1, 24)[:, None]
        path = 2 * ((1 - t) ** 2 * start + 2 * t * (1 - t) * bow + t**2 * end)
        draw.line([(float(px), float(py)) for px, py in path], fill=110, width=max(1, round(0.010 * height)))
        radius = 0.026 * height
        x, y = (2 * float(part) for part in end)
        draw.ellipse((x - 2 * radius, y - 2 * radius, x + 2 * radius, y + 2 * radius), fill=70)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=200)
    small = canvas.resize((width, height), Image.Resampling.BOX)
    return np.asarray(attenuation + np.asarray(small, dtype=np.float32) / 130, dtype=np.float32)


def open_field(exposure: Exposure, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where the collimator lets the beam through, [height, width]."""
    height, width = shape
    left, top, right, bottom = exposure.collimation
    rows = slice(round(top * height), height - round(bottom * height))
    columns = slice(round(left * width), width - round(right * width))
    field = np.zeros((height, width), dtype=bool)
    field[rows, columns] = True
    return field


def write_on(film: Plane, exposure: Exposure) -> Plane:
    """The side marker, writing in a corner, and the dark borders that the collimator leaves."""
    height, width = film.shape
    film = np.where(open_field(exposure, film.shape), film, exposure.black)
    picture = Image.fromarray(np.round(255 * film).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    rng = np.random.default_rng([exposure.noise_seed, 3])
    if exposure.text:
        size = max(6.0, 0.035 * height)
        lines = [f"kV:{rng.integers(50, 75)}", f"mAs:{rng.uniform(1, 6):.1f}", f"ID{rng.integers(10**5, 10**6)}"]
        x, anchor = (0.01, "la") if rng.random() < 0.5 else (0.99, "ra")
        font = ImageFont.load_default(size)
        place = (x * width, 0.01 * height)
        draw.multiline_text(place, "\n".join(lines), fill=205, font=font, spacing=1, anchor=anchor)
    across, down, letter = exposure.marker
    if letter > 0:
        font = ImageFont.load_default(max(7.0, letter * height))
        draw.text((across * height, down * height), "R", fill=int(rng.integers(225, 256)), font=font)
    return np.asarray(picture, dtype=np.float32) / 255


def _smooth(plane: Plane, width: float) -> Plane:
    """Blurred by ``width`` times the height, on a coarser copy, since the result has no detail."""
    height, columns = plane.shape
    step = max(1, min(height, columns) // 40)
    small = Image.fromarray(plane.astype(np.float32)).resize(
        (max(1, columns // step), max(1, height // step)), Image.Resampling.BOX
    )
    blurred = gaussian_filter(np.asarray(small), width * small.height, mode="nearest")
    back = Image.fromarray(blurred).resize((columns, height), Image.Resampling.BICUBIC)
    return np.asarray(back, dtype=np.float32)
