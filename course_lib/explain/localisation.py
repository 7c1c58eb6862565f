"""How far a map meets the truth."""

import numpy as np
from numpy.typing import NDArray

from course_lib.explain.maps import Masks


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
            f"{list(masks.shape)}. A mask must go through the same transform as its image."
        )
    if not masks.any(axis=(1, 2)).all():
        raise ValueError("A mask is empty: there is nothing to hit. Leave out these images.")
