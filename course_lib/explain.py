"""What a network looked at: maps of one number per pixel, how far they meet the truth, and what an intervention shows.

Each map is [images, height, width], as large as the images, and comes as it is: no map is stretched to its own range,
which would make weak and strong evidence look alike. All of them explain a logit, the number before the softmax.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torchvision.transforms import v2

from course_lib.dataset import DataError, Radiograph, open_grey
from course_lib.phantom import read_mask
from course_lib.runtime import seeded
from course_lib.stages import evaluating, stages
from course_lib.transforms import Preprocessing, fit_to_square

Maps = NDArray[np.float32]
Masks = NDArray[np.bool_]
SAVED_QUALITY = 95  #: of the JPEG files that `intervene` writes


def grad_cam(model: nn.Module, layer: nn.Module, images: torch.Tensor, target: int) -> Maps:
    """The layer's feature maps, each weighted by the mean gradient of the target's logit, added up, below zero cut off.

    Takes float [images, channels, height, width]; gives float32 [images, height, width], from 0 on, enlarged without
    steps from the layer's own size. ``backbones.grad_cam_layer`` knows the layer that is usually taken.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391. captum's default is without the cut at zero.
    """
    with evaluating(model):
        inputs = images.detach().clone().requires_grad_()
        coarse = LayerGradCam(model, layer).attribute(inputs, target, relu_attributions=True)
        maps = LayerAttribution.interpolate(coarse.detach(), tuple(images.shape[2:]), "bilinear")
    return _as_array(maps[:, 0])


def occlusion(
    model: nn.Module, images: torch.Tensor, target: int, *, patch: int = 16, stride: int = 8, fill: float = 0.0
) -> Maps:
    """How far the target's logit falls while a square patch of ``patch`` pixels is covered with the value ``fill``.

    Takes float [images, channels, height, width]; gives float32 [images, height, width]. A pixel that several patches
    covered has the mean of their falls; below zero, the logit rose. ``fill`` is in the units of the images, where 0 is
    usually the mean grey.

    Raises:
        ValueError: the patch is larger than the images, or the stride than the patch: pixels would be left out.

    Source: M. D. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, section 4.2.
    """
    if not 1 <= stride <= patch <= min(images.shape[2:]):
        raise ValueError(
            f"Expected 1 <= stride <= patch <= {min(images.shape[2:])}, the side of the images, "
            f"but got the stride {stride} and the patch {patch}."
        )
    channels = images.shape[1]
    with evaluating(model), torch.no_grad():
        falls = Occlusion(model).attribute(
            images, (channels, patch, patch), strides=(channels, stride, stride), baselines=fill, target=target
        )
    return _as_array(falls[:, 0])  # a patch covers all channels at once, so all have the same fall


def integrated_gradients(
    model: nn.Module, images: torch.Tensor, target: int, *, baseline: float = 0.0, steps: int = 32
) -> Maps:
    """What each pixel adds to the target's logit on the straight way from an even image to this one.

    Takes float [images, channels, height, width]; gives float32 [images, height, width], the channels added up. The sum
    over a map is the logit of the image minus that of the even image, up to the error of so many ``steps``.

    Source: Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017, arXiv:1703.01365.
    """
    with evaluating(model):
        parts = IntegratedGradients(model).attribute(
            images, baselines=baseline, target=target, n_steps=steps, internal_batch_size=max(64, len(images))
        )
    return _as_array(parts.sum(dim=1))


def pointing_game(maps: NDArray[np.floating], masks: Masks) -> NDArray[np.float64]:
    """For each image, whether the map's highest point lies in the mask: 1 or 0; their mean is the score.

    Where several points are equally high, the part of them that lies in the mask: a map that is even all over gets
    what a random point gets.

    Raises:
        ValueError: the shapes differ, or a mask is empty.

    Source: Zhang et al., Top-down Neural Attention by Excitation Backprop, ECCV 2016, arXiv:1608.00507; without its
    tolerance of 15 pixels.
    """
    _check_masks(maps, masks)
    highest = maps == np.max(maps, axis=(1, 2), keepdims=True)
    return _part_inside(highest.astype(np.float64), masks)


def overlap(maps: NDArray[np.floating], masks: Masks) -> NDArray[np.float64]:
    """For each image, of the map's highest pixels, as many as the mask has, the part that lies in the mask: 0 to 1.

    No threshold is to be chosen. A random map gets the part of the picture that the mask covers. Of pixels that are
    equally high where the number is reached, each counts in part.

    Raises:
        ValueError: the shapes differ, or a mask is empty.

    Source: Arras et al., CLEVR-XAI, Information Fusion 81:14-40, 2022, arXiv:2003.07258 (relevance rank accuracy).
    """
    _check_masks(maps, masks)
    return _part_inside(np.stack([_highest(m, int(mask.sum())) for m, mask in zip(maps, masks, strict=True)]), masks)


def estimate(values: NDArray[np.float64], resamples: int = 1000, seed: int = 0) -> tuple[float, float, float]:
    """The mean of one value per patient, and the low and the high end of its 95 % interval from a bootstrap."""
    drawn = np.random.default_rng(seed).choice(values, (resamples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def randomised(model: nn.Module, *, last: int, seed: int = 0) -> nn.Module:
    """A copy whose ``last`` stages, counted from the head, have random weights again, as before any training.

    A map that does not change with it does not show what the network has learned.

    Raises:
        ValueError: the model has not so many stages.

    Source: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292.
    """
    forgetful = copy.deepcopy(model)
    parts = stages(forgetful)
    if not 0 <= last <= len(parts):
        raise ValueError(f"last must be from 0 to {len(parts)}, the number of stages, but is {last}.")
    with seeded(seed):
        for _, part in parts[len(parts) - last :]:
            for layer in part.modules():
                if callable(reset := getattr(layer, "reset_parameters", None)):
                    reset()
    return forgetful


def masks_of(radiographs: Sequence[Radiograph], how: Preprocessing) -> Masks:
    """The true places of the disease as the network sees them, [images, size, size]; phantoms only.

    Raises:
        PhantomError: a radiograph is no phantom, or its mask is missing.
    """
    fit = v2.Compose(fit_to_square(how))
    grey = [np.asarray(fit(Image.fromarray(255 * read_mask(r.path).astype(np.uint8)))) for r in radiographs]
    return np.stack(grey) > 127


def intervene(
    radiographs: Sequence[Radiograph],
    folder: Path,
    change: Callable[[Image.Image], Image.Image],
    quality: int = SAVED_QUALITY,
) -> list[Radiograph]:
    """The same radiographs after a change, saved as JPEG in the folder; labels and patients stay.

    Raises:
        DataError: a file can not be read, or two would get the same name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = [replace(r, path=folder / r.path.with_suffix(".jpeg").name) for r in radiographs]
    if len({r.path for r in changed}) < len(changed):
        raise DataError("Two of the radiographs have the same file name. Give each a name of its own.")
    for before, after in zip(radiographs, changed, strict=True):
        change(open_grey(before.path)).save(after.path, "jpeg", quality=quality)
    return changed


def cover(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A copy with an even grey in a box: left, top, right, bottom, as parts of the image's *height*.

    The grey is the median of the image, which says nothing of what was there.
    """
    covered = image.copy()
    left, top, right, bottom = (round(part * image.height) for part in box)
    covered.paste(int(np.median(np.asarray(image))), (left, top, min(right, image.width), bottom))
    return covered


def _as_array(maps: torch.Tensor) -> Maps:
    array: Maps = maps.detach().float().cpu().numpy()
    return array


def _highest(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """1 for each of the ``count`` highest pixels, 0 for the others, and in between where they are equally high."""
    edge = np.sort(values, axis=None)[::-1][count - 1]
    above, at = values > edge, values == edge
    chosen: NDArray[np.float64] = above + at * (count - above.sum()) / at.sum()
    return chosen


def _part_inside(weights: NDArray[np.float64], masks: Masks) -> NDArray[np.float64]:
    """Of each image's weights, the part in its mask."""
    inside: NDArray[np.float64] = (weights * masks).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
    return inside


def _check_masks(maps: NDArray[np.floating], masks: Masks) -> None:
    if maps.shape != masks.shape or maps.ndim != 3:
        raise ValueError(
            f"Expected maps and masks of one shape, [images, height, width], but got {list(maps.shape)} and "
            f"{list(masks.shape)}. A mask must go through the same transform as its image, see masks_of."
        )
    if not masks.any(axis=(1, 2)).all():
        raise ValueError("A mask is empty: there is nothing to hit. Leave out the images without disease.")
