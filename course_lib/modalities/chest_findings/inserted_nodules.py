"""Simulated nodules and masses in films of real people: the grey that they would have added, and their boxes.

A film's grey rises about evenly with what the rays lose on their way, so that a nodule adds grey in proportion to its
chord. How much grey one cm of soft tissue in place of air is worth differs from scanner to scanner. Hence it is told as
a part of the film's own range, from its dark parts, the lungs, to its bright ones, the heart: there a ray meets about
10 cm more of soft tissue, so that one cm is worth about a tenth of the range, and more where a scanner enhances what is
small. Nothing is said about whether such a film looks real.

Source of the idea, in CT: Q. Hu et al., Label-free liver tumor segmentation, CVPR 2023, arXiv:2303.14869.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision import tv_tensors

from course_lib.modalities.simulated_chest.nodules import chord
from course_lib.modalities.simulated_chest.people import Nodule, NoduleDensity

NODULE_MM, MASS_MM = (12.0, 34.0), (30.0, 75.0)  #: diameters, from and to; each doubling is as likely as any other
MASSES = 0.4  #: part of those inserted
DENSITIES: dict[NoduleDensity, float] = {"solid": 0.85, "part-solid": 0.08, "ground glass": 0.07}
SPIKED = 0.35  #: part of them
LONGER = (0.8, 1.25)  #: times as high as it was, and so many times narrower, from and to
FILM_MM = 390.0  #: width and height of the film of an adult's chest: 35 to 43 cm
DIFFERENT = 500  #: nodules and masses, of which one is taken each time
RAY_MM = 2.0  #: from one ray to the next, at most; a pixel has the mean of its rays
SHADOW_REACH = 1.5  #: radii from its middle, beyond which no nodule's shadow is drawn
IN_BOX = 0.12  #: of the strongest shadow, from which on a pixel is in the box
WIDER_BOX = 0.4  #: part of its side by which a reader draws a box larger, at most
CM_MOST = 3.5  #: the curve of a film flattens: a longer chord adds hardly more

GREY_PER_CM = (0.07, 0.22)  #: of the range of the film, from and to
RANGE = (0.12, 0.88)  #: quantiles of the greys of the film's middle that stand for lungs and heart
MIDDLE = 1 / 6  #: of the side, left out around it
WHITE, LEAST_ROOM = 250.0, 0.05  #: a grey near white has no room for more
LUNGS, LUNG_HALF = ((0.31, 0.45), (0.69, 0.45)), (0.14, 0.25)  #: middles and half axes, parts of the side
LUNG_GREY = 0.55  #: quantile of the middle's greys: what is brighter is taken for heart, diaphragm or bone
TRIES, ANYWHERE_AFTER, ANYWHERE = 30, 5, 0.05  #: some nodules do lie behind the heart
PATCH = 2  #: px around a place, whose mean grey is looked at


@dataclass(frozen=True)
class InsertNodules:
    """A change for `BoxedDataset`: inserts nodules and masses into some of the films it is given, and their boxes.

    Takes a uint8 image [1, side, side] and its target; gives both, changed. Which film, which nodule and where comes
    from torch's global generator. ``nodule`` and ``mass`` are the labels that they get.
    """

    nodule: int
    mass: int
    healthy: float = 0.65  #: part of the films without a box that get one
    others: float = 0.2  #: part of the films with boxes
    second: float = 0.4  #: part of those that get one more

    def __post_init__(self) -> None:
        for name in ("healthy", "others", "second"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, but is {getattr(self, name)}.")

    def __call__(self, image: tv_tensors.Image, target: Mapping[str, Any]) -> tuple[tv_tensors.Image, dict[str, Any]]:
        """The film with what was inserted, and the target with its boxes behind the others."""
        chance = self.others if len(target["labels"]) else self.healthy
        if torch.rand(()) >= chance:
            return image, dict(target)
        film = image.as_subclass(torch.Tensor)[0].numpy().astype(np.float32)
        boxes, labels = [], []
        for _ in range(1 + int(torch.rand(()) < self.second)):
            shadow = _drawn(len(film))[int(torch.randint(DIFFERENT, ()))].shadow
            boxes.append(insert(film, shadow))
            labels.append(self.mass if shadow.is_mass else self.nodule)
        pixels = torch.from_numpy(film.clip(0, 255).round().astype(np.uint8))[None]
        corners = torch.cat([target["boxes"].as_subclass(torch.Tensor), torch.tensor(boxes, dtype=torch.float32)])
        canvas = (len(film), len(film))
        return tv_tensors.Image(pixels), {
            **target,
            "boxes": tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=canvas),
            "labels": torch.cat([target["labels"], torch.tensor(labels, dtype=torch.int64)]),
        }


@dataclass(frozen=True)
class Shadow:
    """What one nodule or mass does to the rays around its middle."""

    cm: NDArray[np.float32]  #: [2 r + 1, 2 r + 1], soft tissue in place of air along each ray
    box: tuple[int, int, int, int]  #: left, top, right, bottom from its middle, px
    is_mass: bool


def draw_shadow(rng: np.random.Generator, side_px: int) -> Shadow:
    """The shadow of a nodule or mass at random, for films of an adult that have this side, px."""
    return _draw(rng, side_px).shadow


def insert(film: NDArray[np.float32], shadow: Shadow) -> tuple[float, float, float, float]:
    """Add the shadow to a film [side, side], greys 0 to 255, in place; gives its box, px, cut at the film's edge."""
    side, reach = len(film), len(shadow.cm) // 2
    edge = round(MIDDLE * side)
    inner = film[edge : side - edge, edge : side - edge]
    dark, bright, lung = np.quantile(inner, (*RANGE, LUNG_GREY))
    x, y = _draw_place(film, float(lung))
    rows, columns = slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1)
    here = film[rows, columns]
    top, left = max(reach - y, 0), max(reach - x, 0)
    cm = shadow.cm[top : top + here.shape[0], left : left + here.shape[1]]
    room = np.clip((WHITE - here) / max(WHITE - dark, 1.0), LEAST_ROOM, 1)
    here += CM_MOST * np.tanh(cm / CM_MOST) * _between(*GREY_PER_CM) * (bright - dark) * room
    x0, y0, x1, y1 = shadow.box
    wider = _between(0, WIDER_BOX / 2) * max(x1 - x0, y1 - y0)
    corners = (x + x0 - wider, y + y0 - wider, x + x1 + wider, y + y1 + wider)
    left_, top_, right, bottom = (float(np.clip(v, 0, side)) for v in corners)
    return left_, top_, right, bottom


@dataclass(frozen=True)
class _Drawn:
    """A nodule or mass as it was drawn. Its shadow takes milliseconds, so it is computed when it is first asked for."""

    nodule: Nodule
    longer: float  #: times as high as it was, and so many times narrower
    aside: tuple[float, float]  #: of its middle, right and down from that of a pixel, px
    side_px: int  #: of the film

    @cached_property
    def shadow(self) -> Shadow:
        """What it does to the rays."""
        mm = FILM_MM / self.side_px
        reach = int(np.ceil(SHADOW_REACH * self.nodule.radius_mm / mm)) + 1
        pixels, rays_each = 2 * reach + 1, int(np.ceil(mm / RAY_MM))
        finer = (np.arange(pixels * rays_each) + 0.5) / rays_each - 0.5 - reach  # px from the middle
        across, down = ((finer + aside) * mm / 10 for aside in self.aside)  # cm
        x, y = np.meshgrid(across * self.longer, down / self.longer)
        rays = chord(self.nodule, x, y)[1].reshape(pixels, rays_each, pixels, rays_each)
        cm = rays.mean(axis=(1, 3), dtype=np.float32)
        rows, columns = np.nonzero(cm > IN_BOX * cm.max())
        box = (columns.min() - reach, rows.min() - reach, columns.max() + 1 - reach, rows.max() + 1 - reach)
        return Shadow(cm, (int(box[0]), int(box[1]), int(box[2]), int(box[3])), self.nodule.malignant)


def _draw(rng: np.random.Generator, side_px: int) -> _Drawn:
    """A nodule or mass at random, for films of an adult that have this side, px."""
    is_mass = bool(rng.random() < MASSES)
    smallest, largest = MASS_MM if is_mass else NODULE_MM
    radius = float(np.exp(rng.uniform(np.log(smallest), np.log(largest)))) / 2
    density = list(DENSITIES)[rng.choice(len(DENSITIES), p=list(DENSITIES.values()))]
    spikes = float(rng.uniform(0, 0.8)) if rng.random() < SPIKED else 0.0
    lobes, seed = float(rng.beta(1.5, 1.5)), int(rng.integers(2**31))
    nodule = Nodule(0, 0, 0, radius, lobes, spikes, density, malignant=is_mass, seed=seed)
    return _Drawn(nodule, rng.uniform(*LONGER), (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5)), side_px)


@cache
def _drawn(side_px: int) -> tuple[_Drawn, ...]:
    """Those that are taken for films of this side, the same each time."""
    rng = np.random.default_rng(side_px)
    return tuple(_draw(rng, side_px) for _ in range(DIFFERENT))


def _draw_place(film: NDArray[np.float32], lung_grey: float) -> tuple[int, int]:
    """A place where a lung usually is and the film is as dark as one; seldom another."""
    side = len(film)
    for number in range(TRIES):
        x0, y0 = LUNGS[int(torch.randint(len(LUNGS), ()))]
        angle, out = _between(0, 2 * np.pi), _between(0, 1) ** 0.5
        x = int((x0 + LUNG_HALF[0] * out * np.cos(angle)) * side)
        y = int((y0 + LUNG_HALF[1] * out * np.sin(angle)) * side)
        patch = film[max(y - PATCH, 0) : y + PATCH + 1, max(x - PATCH, 0) : x + PATCH + 1]
        if patch.mean() < lung_grey or (number > ANYWHERE_AFTER and _between(0, 1) < ANYWHERE):
            break
    return x, y


def _between(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))
