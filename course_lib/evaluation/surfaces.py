"""How far the surface of an outlined structure lies from the true one: Hausdorff distance and surface Dice."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, find_objects
from scipy.spatial import cKDTree

Mask = NDArray[np.bool_]

ROUNDING = 1e-9  #: part of a tolerance by which a distance may exceed it: 3 x 0.1 mm is within 0.3 mm


def hausdorff_distance(predicted: Mask, true: Mask, spacing_mm: Sequence[float], percentile: float = 95) -> float:
    """How far apart the two surfaces lie where they lie far apart, in millimetres; 0 is best.

    HD95 has several definitions, which differ by millimetres on one and the same pair of masks. This one takes the
    distance from each surface voxel of one mask to the nearest surface voxel of the other, then the percentile (with
    linear interpolation) **in each direction by itself**, and the larger of the two. Others pool the distances of both
    directions before the percentile, or average the two; then a part that is missed hides behind a longer surface that
    is right. Up to 5 % of each surface may still lie anywhere. At 100 all definitions agree: the farthest point.

    The surface is the voxels of the mask with a neighbour across a face that is outside of it. Beyond the border of
    the image is outside: a structure that the border cuts has a surface there. Distances go from centre to centre.

    Both masks empty: 0, because the model is right that there is nothing. One empty: `image_diagonal`, which no
    distance between two masks exceeds. So a missed structure is never left out of an average, and never better than a
    wrong one; but the mean then depends on the size of the image, so `presence` belongs beside it.

    Args:
        predicted: [*spatial], 2-D or 3-D.
        true: the same shape.
        spacing_mm: from voxel to voxel along each axis.
        percentile: above 0, at most 100.

    Raises:
        ValueError: the masks are not boolean or differ in shape, or the spacing or the percentile can not be.

    Source: D. P. Huttenlocher et al., Comparing images using the Hausdorff distance, IEEE TPAMI 15:850-863, 1993;
    A. A. Taha, A. Hanbury, Metrics for evaluating 3D medical image segmentation, BMC Med. Imaging 15:29, 2015.
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"The percentile must be above 0 and at most 100, but is {percentile}.")
    forth, back = surface_distances(predicted, true, spacing_mm)
    if not len(forth) and not len(back):
        return 0.0
    if not len(forth) or not len(back):
        return image_diagonal(true.shape, spacing_mm)
    return _farther(forth, back, percentile)


def hd95_definitions(forth: NDArray[np.float64], back: NDArray[np.float64]) -> dict[str, float]:
    """What goes by the name of HD95, in mm, from the distances of both directions (see `surface_distances`).

    The first is that of `hausdorff_distance`.

    Raises:
        ValueError: a direction has no distances, or infinite ones: a mask was empty, and the definitions say nothing.
    """
    if not len(forth) or not len(back) or not np.isfinite([*forth, *back]).all():
        infinite = np.count_nonzero(~np.isfinite([*forth, *back]))
        raise ValueError(
            f"Expected finite distances in both directions, but got {len(forth)} and {len(back)} with "
            f"{infinite} that are not finite. Leave out pairs with an empty mask."
        )
    return {
        "the larger of the directions": _farther(forth, back, 95),
        "both directions in one list": float(np.percentile(np.concatenate([forth, back]), 95)),
        "the mean of the directions": float(np.percentile(forth, 95) + np.percentile(back, 95)) / 2,
    }


def surface_dice(predicted: Mask, true: Mask, spacing_mm: Sequence[float], tolerance_mm: float) -> float:
    """The part of both surfaces that lies within the tolerance of the other, 0 to 1; 1 is best.

    The tolerance is what two experts differ by: below it, an outline needs no correction. The surface is counted in
    voxels (see `hausdorff_distance`), and each counts the same. The paper weighs pieces of a mesh by their area
    instead, and its number is mostly higher: of two balls at 1 mm by up to 0.12, at 0.5 mm by up to 0.08, and by more
    where the tolerance is below the spacing. So the two can not be compared.

    Both masks empty: 1. One empty: 0.

    Args:
        predicted: [*spatial], 2-D or 3-D.
        true: the same shape.
        spacing_mm: from voxel to voxel along each axis.
        tolerance_mm: 0 or more; a distance that equals it is within.

    Raises:
        ValueError: the masks are not boolean or differ in shape, or the spacing or the tolerance can not be.

    Source: S. Nikolov et al., Clinically Applicable Segmentation of Head and Neck Anatomy for Radiotherapy,
    J. Med. Internet Res. 23:e26151, 2021.
    """
    if not tolerance_mm >= 0:
        raise ValueError(f"The tolerance must be 0 mm or more, but is {tolerance_mm}.")
    forth, back = surface_distances(predicted, true, spacing_mm)
    if not len(forth) and not len(back):
        return 1.0
    if not len(forth) or not len(back):
        return 0.0
    return float((np.concatenate([forth, back]) <= tolerance_mm * (1 + ROUNDING)).mean())


def surface_distances(
    predicted: Mask, true: Mask, spacing_mm: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each surface voxel to the nearest one of the other mask, in millimetres: of the predicted, of the true.

    The lengths are the numbers of surface voxels: 0 where a mask is empty. Where only one mask is empty, the
    distances of the other are infinite.

    Raises:
        ValueError: the masks are not boolean or differ in shape, or the spacing does not fit.
    """
    check_masks(predicted, true)
    check_spacing(spacing_mm, true.ndim)
    found, expected = _surface(predicted, spacing_mm), _surface(true, spacing_mm)
    if not len(found) or not len(expected):
        return np.full(len(found), np.inf), np.full(len(expected), np.inf)
    return cKDTree(expected).query(found)[0], cKDTree(found).query(expected)[0]


def image_diagonal(shape: Sequence[int], spacing_mm: Sequence[float]) -> float:
    """From corner to corner of the image, in millimetres: what a missed structure counts as in a mean distance."""
    return float(np.linalg.norm(np.multiply(shape, spacing_mm)))


def check_masks(predicted: Mask, true: Mask) -> None:
    """Do nothing if these are two masks of one image.

    Raises:
        ValueError: they differ in shape, or are not boolean: of label maps, overlap would mean something else.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"Expected two masks of one shape, but got {predicted.shape} and {true.shape}.")
    for mask in (predicted, true):
        if mask.dtype != np.bool_:
            raise ValueError(
                f"Expected boolean masks, but got {mask.dtype}. Say which structure: label_map == 1, for example."
            )


def check_spacing(spacing_mm: Sequence[float], axes: int) -> None:
    """Do nothing if the spacing fits an image of so many axes.

    Raises:
        ValueError: it does not.
    """
    if len(spacing_mm) != axes or not all(0 < step < np.inf for step in spacing_mm):
        raise ValueError(
            f"Expected a spacing of {axes} numbers above 0, in millimetres, one per axis, but got {spacing_mm}."
        )


def _farther(forth: NDArray[np.float64], back: NDArray[np.float64], percentile: float) -> float:
    """The percentile in each direction by itself, and the larger of the two."""
    return float(max(np.percentile(forth, percentile), np.percentile(back, percentile)))


def _surface(mask: Mask, spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """[surface voxels, axes], where their centres lie, in millimetres. Only the box around the mask is looked at."""
    boxes = find_objects(mask.view(np.uint8))
    if not boxes:
        return np.empty((0, mask.ndim))
    inside = mask[boxes[0]]
    start = [side.start for side in boxes[0]]
    centres: NDArray[np.float64] = (np.argwhere(inside & ~binary_erosion(inside)) + start) * np.asarray(spacing_mm)
    return centres
