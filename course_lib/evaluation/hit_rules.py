"""How much two boxes overlap, and the rules by which a found box is a hit."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]  #: [boxes, 4] as x0, y0, x1, y1 in pixels
Rule = Callable[[Corners, Corners], NDArray[np.float64]]
"""From found [n, 4] and true corners [m, 4] to [n, m]: above 0 where a box is a hit, the more the better; else 0."""


def box_iou(first: Corners, second: Corners) -> NDArray[np.float64]:
    """[n, m], the intersection over the union of each pair of boxes, 0 to 1; 0 where both have no area."""
    overlap = _intersection(first, second)
    return _part(overlap, _area(first)[:, None] + _area(second)[None, :] - overlap)


def box_iobb(found: Corners, true: Corners) -> NDArray[np.float64]:
    """[n, m], the part of each found box that lies in each true one, 0 to 1; 0 where the found box has no area.

    It forgives a box that is too small, which `box_iou` does not.

    Source: X. Wang et al., ChestX-ray8, CVPR 2017, arXiv:1705.02315.
    """
    return _part(_intersection(found, true), _area(found)[:, None])


def iou_at_least(threshold: float) -> Rule:
    """The rule that a found box is a hit where its `box_iou` with a true one reaches the threshold.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    return _at_least(box_iou, threshold)


def iobb_at_least(threshold: float) -> Rule:
    """The rule that a found box is a hit where its `box_iobb` with a true one reaches the threshold.

    Raises:
        ValueError: the threshold is not above 0 and at most 1.
    """
    return _at_least(box_iobb, threshold)


def centre_inside(found: Corners, true: Corners) -> NDArray[np.float64]:
    """The rule that a found box is a hit where its centre lies in a true one, border included; nearer centres first.

    LUNA16 asks the same of spheres. It suits small structures, of which the place matters and the size hardly does.
    """
    centres = (found[:, None, :2] + found[:, None, 2:]) / 2
    inside = ((true[None, :, :2] <= centres) & (centres <= true[None, :, 2:])).all(axis=2)
    distance = np.linalg.norm(centres - (true[None, :, :2] + true[None, :, 2:]) / 2, axis=2)
    return np.where(inside, 1 / (1 + distance), 0.0)


def _at_least(overlap: Rule, threshold: float) -> Rule:
    if not 0 < threshold <= 1:
        raise ValueError(f"The threshold of an overlap must be above 0 and at most 1, but is {threshold}.")

    def rule(found: Corners, true: Corners) -> NDArray[np.float64]:
        values = overlap(found, true)
        return np.where(values >= threshold, values, 0.0)

    return rule


def _area(corners: Corners) -> NDArray[np.float64]:
    area: NDArray[np.float64] = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    return area


def _intersection(first: Corners, second: Corners) -> NDArray[np.float64]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    area: NDArray[np.float64] = (high - low).clip(min=0).prod(axis=2)
    return area


def _part(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
