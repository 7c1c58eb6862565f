"""A plain simulator of frontal chest radiographs: thickness times attenuation, and what a detector makes of it."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from tqdm.auto import tqdm

VERSION = 1  #: raised whenever the pictures change
Kind = Literal["normal", "bacteria", "virus"]
FIRST_KINDS: tuple[Kind, ...] = ("normal", "bacteria")  #: of a split, so that even the smallest has both classes
Plane = NDArray[np.floating[Any]]

# Linear attenuation at 60 keV, 1/cm. Soft tissue: NIST XCOM, 0.205 cm2/g, at 1.03 g/cm3. Lung: soft tissue at a quarter
# of that density. Bone is chosen by eye, just below compact bone (0.315 cm2/g at 1.92 g/cm3 is 0.60), and so are the
# factors in `_bones` and `_rib`: they make ribs and spine show about as they do on real films.
SOFT_TISSUE, LUNG, BONE = 0.21, 0.055, 0.55


@dataclass(frozen=True)
class Patient:
    """A simulated child. Lengths in cm; the child looks at us, so that its heart lies to the right of the picture."""

    kind: Kind
    severity: float  #: 0 (nothing) to 1 (the diseased part of the lung holds no air)
    trunk_width: float  #: from skin to skin
    trunk_depth: float  #: from front to back
    lung_width: float  #: of one lung
    lung_height: float  #: from the top to the dome of the diaphragm, breathed in
    heart_width: float
    rib_spacing: float
    rib_slope: float  #: drop of a posterior rib per cm to the side
    anatomy_seed: int  #: of vessels, and of the place and shape of the disease

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {get_args(Kind)}, but is {self.kind!r}.")
        if not 0 <= self.severity <= 1:
            raise ValueError(f"severity must be from 0 to 1, but is {self.severity}.")


@dataclass(frozen=True)
class Exposure:
    """How one picture was taken."""

    rotation: float  #: of the child in the plane of the picture, degrees
    shift: tuple[float, float]  #: of the child to the right and down, cm
    magnification: float  #: 1 shows 21 cm from top to bottom
    inspiration: float  #: height of the lungs as a part of what it could be
    photons: float  #: per pixel where nothing is in the way, in thousands
    contrast: float  #: steepness of the film's curve
    darkness: float  #: shift of the film's curve; above 0 is darker
    blur: float  #: of the detector, cm
    aspect: float  #: width over height of the picture
    noise_seed: int


def draw_patient(rng: np.random.Generator, kind: Kind | None = None) -> Patient:
    """A child at random. Six in ten have pneumonia, two thirds of them bacterial, unless ``kind`` says which."""
    kind = kind or rng.choice(["normal", "bacteria", "virus"], p=[0.4, 0.4, 0.2])
    size = rng.normal(1, 0.09)
    return Patient(
        kind=kind,
        severity=0.0 if kind == "normal" else float(rng.uniform(0.45, 1.0)),
        trunk_width=size * rng.normal(19.5, 1.0),
        trunk_depth=size * rng.normal(12.5, 1.0),
        lung_width=size * rng.normal(7.2, 0.35),
        lung_height=size * rng.normal(13.5, 0.7),
        heart_width=size * rng.normal(9.2, 0.8),
        rib_spacing=size * rng.normal(1.65, 0.08),
        rib_slope=float(rng.normal(0.18, 0.07)),
        anatomy_seed=int(rng.integers(2**31)),
    )


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """A way to take a picture, at random."""
    return Exposure(
        rotation=float(rng.normal(0, 2.5)),
        shift=(float(rng.normal(0, 0.9)), float(rng.normal(0, 0.7))),
        magnification=float(rng.normal(1.18, 0.06)),
        inspiration=float(np.clip(rng.normal(0.94, 0.06), 0.75, 1.05)),
        photons=float(rng.uniform(4, 16)),
        contrast=float(rng.uniform(0.85, 1.25)),
        darkness=float(rng.normal(0, 0.12)),
        blur=float(rng.uniform(0.04, 0.12)),
        aspect=float(np.clip(rng.normal(1.3, 0.12), 1.05, 1.6)),
        noise_seed=int(rng.integers(2**31)),
    )


def render(patient: Patient, exposure: Exposure, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The radiograph and the mask of the disease, both [size_px, width]; air is black, bone white.

    The same patient and exposure always give the same picture.

    Raises:
        ValueError: the size is not positive.
    """
    layers = render_layers(patient, exposure, size_px)
    film = np.round(255 * layers["film"]).astype(np.uint8)
    return film, layers["disease"] > 0.15


def render_layers(patient: Patient, exposure: Exposure, size_px: int) -> dict[str, Plane]:
    """How a radiograph comes about, step by step, each float32 of shape [size_px, width].

    ``soft tissue``, ``lungs``, ``bone``: attenuation so far (no unit; the beam keeps the part exp(-attenuation)).
    ``disease``: attenuation that the disease adds. ``photons``: counted per pixel. ``film``: 0 black to 1 white.
    """
    if size_px < 1:
        raise ValueError(f"size_px must be at least 1, but is {size_px}.")
    x, y = _grid(exposure, size_px)
    rng = np.random.default_rng(patient.anatomy_seed)
    trunk = _trunk(patient, x, y)
    lung, centres = _lungs(patient, exposure, x, y)
    lung = np.minimum(lung, 0.8 * trunk)
    lung *= 1 - _heart(patient, x, y)
    tissue = SOFT_TISSUE * trunk
    airy = tissue - (SOFT_TISSUE - LUNG) * lung + _vessels(rng, lung, centres, x, y)
    airy -= SOFT_TISSUE * _tube(x + 0.1 - 0.02 * y, 0.55) * _fade(2.5 - y, 0.4)  # the trachea, full of air
    bony = airy + (BONE - SOFT_TISSUE) * _bones(patient, x, y, trunk)
    disease = (SOFT_TISSUE - LUNG) * lung * _opacity(patient, rng, centres, x, y)
    photons = _expose(bony + disease, exposure, size_px)
    film = _develop(photons, exposure)
    return {"soft tissue": tissue, "lungs": airy, "bone": bony, "disease": disease, "photons": photons, "film": film}


def make_dataset(
    root: Path, *, train_patients: int, test_patients: int, size_px: int, seed: int, progress: bool = True
) -> Path:
    """Write ``<root>/{train,test}/{NORMAL,PNEUMONIA}/<patient>_<kind>_<n>.jpeg``; all or nothing.

    One to three pictures per patient, all in one split. ``size_px`` is their height. There is no folder ``val``: the
    course cuts its validation patients from ``train``. If another process makes the same folder first, that one stays.

    Raises:
        FileExistsError: the folder is there already.
        OSError: it can not be written.
        ValueError: a number is not positive.
    """
    if min(train_patients, test_patients, size_px) < 1:
        raise ValueError(
            f"Need at least one patient per split and 1 px, got {train_patients}, {test_patients}, {size_px}."
        )
    if root.exists():
        raise FileExistsError(f"{root} exists already. Remove it to have it made anew, or choose another folder.")
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    except OSError as error:
        raise OSError(f"Can not write to {root.parent} ({error}). Choose a folder that you may write to.") from error
    try:
        patients = tqdm(range(train_patients + test_patients), "Making phantoms", leave=False, disable=not progress)
        for number in patients:
            split, place = ("train", number) if number < train_patients else ("test", number - train_patients)
            kind = FIRST_KINDS[place] if place < len(FIRST_KINDS) else None
            for path, image in _pictures_of(number, kind, seed, size_px):
                (unfinished / split / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(unfinished / split / path, quality=90)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(root)
        except OSError:
            if not root.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return root


def _pictures_of(number: int, kind: Kind | None, seed: int, size_px: int) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """All pictures of one patient, who follows from the seed, the number and the kind alone."""
    rng = np.random.default_rng([seed, number])
    patient = draw_patient(rng, kind)
    folder = Path("NORMAL" if patient.kind == "normal" else "PNEUMONIA")
    for n in range(1, rng.integers(1, 4) + 1):
        image, _ = render(patient, draw_exposure(rng), size_px)
        yield folder / f"phantom{number:04d}_{patient.kind}_{n}.jpeg", image


def _grid(exposure: Exposure, size_px: int) -> tuple[Plane, Plane]:
    """Where in the child each pixel lies, cm: x to the right, y down, 0 in the middle of the chest."""
    height, width = 21 / exposure.magnification, 21 / exposure.magnification * exposure.aspect
    columns = max(1, round(size_px * exposure.aspect))
    y = ((np.arange(size_px, dtype=np.float32) + 0.5) / size_px - 0.5) * height - exposure.shift[1]
    x = ((np.arange(columns, dtype=np.float32) + 0.5) / columns - 0.5) * width - exposure.shift[0]
    angle = np.deg2rad(exposure.rotation)
    across, down = x[None, :], y[:, None]
    return (
        (np.cos(angle) * across - np.sin(angle) * down).astype(np.float32),
        (np.sin(angle) * across + np.cos(angle) * down).astype(np.float32),
    )


def _ellipsoid(x: Plane, y: Plane, half_axes: tuple[float, float, float]) -> Plane:
    """The length of the ray inside an ellipsoid at the origin, cm; half axes across, down and along the ray."""
    a, b, c = half_axes
    return 2 * c * np.sqrt(np.maximum(0, 1 - (x / a) ** 2 - (y / b) ** 2))


def _tube(distance: Plane, radius: float) -> Plane:
    """The length of the ray inside a tube whose axis passes at this distance, cm."""
    return np.asarray(2 * np.sqrt(np.maximum(0, radius**2 - distance**2)))


def _fade(value: Plane, width: float) -> Plane:
    """From 0 where the value is far below zero to 1 where it is far above, over about twice the width."""
    return np.asarray(1 / (1 + np.exp(np.clip(-4 * value / width, -30, 30))))


def _trunk(patient: Patient, x: Plane, y: Plane) -> Plane:
    """Thickness of soft tissue: the trunk, the neck above it, and the arms beside it."""
    half = patient.trunk_width / 2
    side = np.abs(x)
    chest = patient.trunk_depth * np.maximum(0, 1 - (side / half) ** 2.6) ** 0.5
    above = _fade(y + 8.6 - 0.045 * side**2, 3.0)  # the slope from the neck to the shoulders
    neck = _tube(x, 2.9) * (1 - above)
    arms = _tube(side - half - 0.8 - 0.22 * (y + 7), 2.1) * _fade(y + 8.2 - 0.1 * (side - half) ** 2, 2.0)
    return chest * above + neck + arms


def _lungs(patient: Patient, exposure: Exposure, x: Plane, y: Plane) -> tuple[Plane, list[tuple[float, float]]]:
    """Length of the ray inside the lungs, and the centres of the right one (left in the picture) and the left one."""
    height = patient.lung_height * exposure.inspiration
    depth = 0.36 * patient.trunk_depth
    thickness, centres = np.zeros_like(x), []
    for side, dome in ((-1, 0.0), (1, 0.7)):  # the right dome of the diaphragm stands higher
        middle = side * (0.52 * patient.lung_width + 0.7)
        bottom = height / 2 + dome - 0.6
        outer = _ellipsoid(x - middle, y - 0.32 * height, (0.58 * patient.lung_width, 0.88 * height, depth))
        floor = bottom - 1.6 + 0.11 * (x - middle + 0.6 * side) ** 2  # a dome, with a sharp angle at its outer edge
        thickness += outer * _fade(floor - y, 0.5)
        centres.append((middle, 0.0))
    return thickness, centres


def _heart(patient: Patient, x: Plane, y: Plane) -> Plane:
    """How much of the lung in front of and behind each pixel the heart and the great vessels displace, 0 to 1."""
    half = patient.heart_width / 2
    heart = _ellipsoid(x - 1.3 + 0.25 * (y - 3), y - 3.0, (half, 0.95 * half, 0.5))
    vessels = _ellipsoid(x - 0.2, y + 2.5, (1.9, 5.0, 0.5))
    return np.minimum(1, 1.1 * np.maximum(heart, vessels)).astype(np.float32)


def _bones(patient: Patient, x: Plane, y: Plane, trunk: Plane) -> Plane:
    """Length of the ray inside bone, cm, weighted by eye: spine, ribs behind and in front, clavicles."""
    inside = np.abs(x) / (0.49 * patient.trunk_width)
    spine = 0.95 * _tube(x, 1.0) * (0.75 + 0.25 * np.cos(2 * np.pi * y / (0.95 * patient.rib_spacing)))
    bones = spine * _fade(trunk - 4, 3)
    side = np.abs(x)
    for number in range(10):
        top = -7.6 + number * patient.rib_spacing
        arc = top - 0.5 * np.sqrt(np.maximum(0, side)) + patient.rib_slope * side + 1.9 * inside**4
        bones += _rib(y - arc, 0.4) * _fade(1 - inside, 0.08)
        front = top + 4.6 - 0.75 * (side - 3.0) * (0.5 + 0.3 * patient.rib_slope)
        bones += 0.6 * _rib(y - front, 0.46) * _fade(side - 3.4, 1.2) * _fade(0.97 - inside, 0.08) * (number < 7)
    clavicle = -7.0 - 0.28 * (side - 1.5) + 0.03 * (side - 1.5) ** 2
    return np.asarray(bones + 0.9 * _rib(y - clavicle, 0.42) * _fade(side - 1.4, 0.6) * _fade(7.5 - side, 0.8))


def _rib(distance: Plane, radius: float) -> Plane:
    return 1.5 * (_tube(distance, radius) - 0.8 * _tube(distance, 0.7 * radius))


def _vessels(rng: np.random.Generator, lung: Plane, centres: list[tuple[float, float]], x: Plane, y: Plane) -> Plane:
    """Attenuation that the vessels add to the lung; they leave the hilum and get thinner."""
    added = np.zeros_like(lung)
    for middle, _ in centres:
        side = np.sign(middle)
        for angle in rng.uniform(-1.3, 1.3, size=14):
            start_x, start_y = (1.6 + rng.uniform(0, 0.8)) * side, rng.uniform(-0.6, 1.0)
            along = (x - start_x) * side * np.cos(angle) + (y - start_y) * np.sin(angle)
            across = -(x - start_x) * side * np.sin(angle) + (y - start_y) * np.cos(angle)
            bend = across - 0.04 * rng.normal() * along**2
            radius = np.maximum(0.05, 0.22 - 0.03 * along)
            added += np.sqrt(np.maximum(0, radius**2 - bend**2)) * (along > 0)
    air_around = np.minimum(1, lung / 2)
    return (2 * (SOFT_TISSUE - LUNG) * added * air_around).astype(np.float32)


def _opacity(
    patient: Patient, rng: np.random.Generator, centres: list[tuple[float, float]], x: Plane, y: Plane
) -> Plane:
    """The part of the lung's air that the disease has replaced with fluid, 0 to 1."""
    if patient.kind == "normal" or patient.severity == 0:
        return np.zeros_like(x)
    patches = []
    if patient.kind == "bacteria":  # one part of one lung, dense
        middle = centres[rng.integers(2)][0]
        patches.append((middle + rng.normal(0, 1.2), rng.uniform(-4.5, 4.5), rng.uniform(2.0, 3.8), 1.0))
    else:  # several thin patches on both sides, near the hila
        for middle in (centres[0][0], centres[1][0]) * 3:
            patches.append((0.75 * middle + rng.normal(0, 1), rng.normal(0.3, 2.2), rng.uniform(1.6, 2.8), 0.65))
    edge = np.zeros_like(x)
    for _ in range(6):  # long waves in random directions make the outline irregular
        wave_x, wave_y = rng.uniform(0.5, 2.5, size=2)
        edge += rng.normal(0, 0.08) * np.sin(wave_x * x + wave_y * y + rng.uniform(0, 6))
    free = np.ones_like(x)
    for centre_x, centre_y, radius, strength in patches:
        distance = np.sqrt((x - centre_x) ** 2 + ((y - centre_y) / rng.uniform(0.8, 1.4)) ** 2)
        free *= 1 - strength * patient.severity * _fade(1 + edge - distance / radius, 0.9)
    return 1 - free


def _expose(attenuation: Plane, exposure: Exposure, size_px: int) -> Plane:
    """Photons counted per pixel: Beer-Lambert, scatter, blur and chance."""
    rng = np.random.default_rng(exposure.noise_seed)
    primary = np.exp(-attenuation)
    scatter = 0.25 * gaussian_filter(primary, sigma=0.12 * size_px)
    blurred = gaussian_filter(primary + scatter, sigma=exposure.blur * size_px / 21)
    return np.asarray(rng.poisson(1000 * exposure.photons * blurred).astype(np.float32))


def _develop(photons: Plane, exposure: Exposure) -> Plane:
    """The film: few photons white, many black, on a logarithmic scale with a soft toe and shoulder, 0 to 1."""
    thickness = -np.log((photons + 1) / (1250 * exposure.photons))  # 0 for free air
    around = gaussian_filter(thickness, sigma=0.13 * len(thickness))
    sharpened = thickness - 0.45 * np.minimum(around, 2.0)  # as digital systems do, so that ribs show over any depth
    return _fade(exposure.contrast * (sharpened - 0.72 - exposure.darkness), 1.7)
