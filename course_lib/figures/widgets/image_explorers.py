"""Explorers of images: the exposure of a radiograph, a filter, what a covered patch changes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate
from torch import nn

from course_lib.explain.maps import occlusion
from course_lib.figures.widgets.explorer import LAYOUT, Explorer
from course_lib.modalities.chest_xray.simulator import Exposure, Patient, render_with

PATCHES = (8, 16, 24, 32)  #: sides of the patches that the slider of `occlusion_explorer` offers, px
SLIDERS = (
    ("severity", "disease", 0.0, 1.0, 0.1),
    ("energy", "energy, keV", 30.0, 80.0, 5.0),
    ("photons", "photons, 1000s", 1.0, 200.0, 1.0),
    ("gamma", "gamma", 0.5, 2.0, 0.1),
    ("turn", "turn, degrees", -20.0, 20.0, 2.0),
)  #: parameter of `render_with`, what the slider says, lowest, highest, step


def exposure_explorer(patient: Patient, exposure: Exposure, size_px: int = 112) -> Explorer:
    """The simulated patient in this exposure, with sliders for what `render_with` can change."""
    sliders = {
        name: ipywidgets.FloatSlider(
            value=getattr(patient if name == "severity" else exposure, name),
            min=low,
            max=high,
            step=step,
            description=said,
            layout=LAYOUT,
            style={"description_width": "8em"},
        )
        for name, said, low, high, step in SLIDERS
    }
    return Explorer(sliders, partial(draw_exposed, patient, exposure, size_px))


def draw_exposed(
    patient: Patient, exposure: Exposure, size_px: int, **settings: float
) -> tuple[NDArray[np.uint8], str]:
    """The simulated radiograph with these settings, three times as large [height, width]; and it in words."""
    pixels = render_with(patient, exposure, **settings, size_px=size_px)
    return _enlarged(pixels / 255, 3 * size_px), radiograph_in_words(pixels, settings)


def radiograph_in_words(pixels: NDArray[np.uint8], settings: Mapping[str, float]) -> str:
    """What a simulated radiograph with these settings shows, with its mean brightness and its grain."""
    greys = pixels / 255
    grain = np.abs(np.diff(greys, axis=1)).mean()
    said = ", ".join(f"{words} {settings[name]:.3g}" for name, words, *_ in SLIDERS)
    return (
        f"Simulated radiograph, {pixels.shape[1]} x {pixels.shape[0]} pixels: {said}. Mean brightness "
        f"{greys.mean():.0%}; neighbouring pixels differ by {grain:.1%} on average."
    )


def kernel_explorer(image: NDArray[np.floating[Any]]) -> Explorer:
    """Two sliders for the weights of a 3 x 3 kernel, over what it makes of the image [height, width], 0 to 1."""
    sliders = {
        name: ipywidgets.FloatSlider(
            value=value,
            min=-1.0,
            max=2.0,
            step=0.25,
            description=name,
            continuous_update=False,
            layout=LAYOUT,
        )
        for name, value in (("centre", 1.0), ("neighbours", 0.0))
    }
    return Explorer(sliders, partial(draw_filtered, image))


def filtered(image: NDArray[np.floating[Any]], centre: float, neighbours: float) -> NDArray[np.float64]:
    """What a 3 x 3 kernel makes of the image: ``centre`` in its middle, ``neighbours`` shared by the eight around it.

    Takes [height, width]; gives [height - 2, width - 2], since the kernel stays inside the image.
    """
    kernel = np.full((3, 3), neighbours / 8)
    kernel[1, 1] = centre
    result: NDArray[np.float64] = correlate(image.astype(np.float64), kernel)[1:-1, 1:-1]
    return result


def draw_filtered(
    image: NDArray[np.floating[Any]], centre: float, neighbours: float, side: int = 256
) -> tuple[NDArray[np.uint8], str]:
    """The image and what the kernel makes of it, beside each other, as grey [side, 2 * side]; and both in words.

    On the right, black is the lowest value and white the highest.
    """
    before, after = image[1:-1, 1:-1], filtered(image, centre, neighbours)
    lowest, highest = after.min(), after.max()
    spread = np.full_like(after, 0.5) if highest - lowest < 1e-9 else (after - lowest) / (highest - lowest)
    pictures = [_enlarged(np.clip(part, 0, 1), side) for part in (before, spread)]
    words = (
        f"Left the picture, right what the kernel makes of it, from {lowest:.2f} (black) to {highest:.2f} (white). The "
        f"weights add up to {centre + neighbours:.2f}. The mean goes from {before.mean():.2f} to {after.mean():.2f}, "
        f"the mean difference between neighbouring pixels from {_roughness(before):.3f} to {_roughness(after):.3f}."
    )
    return np.hstack(pictures), words.replace("-0.00", "0.00")


def _roughness(image: NDArray[np.floating[Any]]) -> float:
    return float(np.abs(np.diff(image, axis=1)).mean())


def _enlarged(image: NDArray[np.floating[Any]], side: int) -> NDArray[np.uint8]:
    """The image, 0 to 1, as grey [side, side] with its pixels left to be seen."""
    grey = Image.fromarray((255 * image).round().astype(np.uint8))
    return np.asarray(grey.resize((side, side), Image.Resampling.NEAREST))


def occlusion_explorer(
    model: nn.Module, image: torch.Tensor, picture: NDArray[np.floating[Any]], target: int, fill: float = 0.0
) -> Explorer:
    """A slider for the size of the covering patch, over where the target's logit falls without what is there.

    ``image`` [channels, height, width] is what the network sees, ``picture`` [height, width] the same from 0 to 1;
    ``fill`` is in the units of the image. The maps of all sizes are computed first, so that the slider answers at once.
    """
    falls = {patch: occlusion(model, image[None], target, patch=patch, stride=8, fill=fill)[0] for patch in PATCHES}
    shade = float(np.interp(fill, [image.min(), image.max()], [picture.min(), picture.max()]))
    slider = ipywidgets.IntSlider(
        value=16, min=PATCHES[0], max=PATCHES[-1], step=8, description="patch, px", layout=LAYOUT
    )
    return Explorer({"patch": slider}, partial(draw_occlusion, picture, falls, shade))


def draw_occlusion(
    picture: NDArray[np.floating[Any]],
    falls: Mapping[int, NDArray[np.float32]],
    shade: float,
    patch: int,
    side: int = 256,
) -> tuple[NDArray[np.uint8], str]:
    """The picture with a patch in its middle, and beside it the map for that size [side, 2 * side]; both in words.

    On the right, white is the largest fall of all sizes, grey is none, and black is as large a rise.
    """
    middle, limit, fall = len(picture) // 2, max(float(np.abs(f).max()) for f in falls.values()), falls[patch]
    covered = np.array(picture, dtype=float)
    covered[middle - patch // 2 : middle + patch // 2, middle - patch // 2 : middle + patch // 2] = shade
    shown = np.hstack([_enlarged(np.clip(part, 0, 1), side) for part in (covered, 0.5 + fall / (2 * limit))])
    row, column = np.unravel_index(int(fall.argmax()), fall.shape)
    words = (
        f"Left a patch of {patch} x {patch} pixels, {(patch / len(picture)) ** 2:.0%} of the picture, right how far "
        f"the logit falls when it covers a place, from {fall.min():.2f} to {fall.max():.2f}. The fall is largest in "
        f"row {row + 1}, column {column + 1} of {len(fall)}."
    )
    return shown, words
