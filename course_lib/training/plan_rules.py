"""Rules of the pocket planner that need no clock: axes, spacing, window, patches, and how deep a network must be.

The way is nnU-Net's, the numbers are the course's own, unless they say otherwise.

Source: F. Isensee et al., nnU-Net, Nature Methods 18:203-211, 2021.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from course_lib.data.fingerprint import Fingerprint, by, percent

DEEPEST = 4
LEAST_MAP = 4  #: voxels along each axis that the smallest map keeps of a patch, as in nnU-Net
MULTIPLE = 8  #: of the sides of patches
LEAST_SIDE = {2: 32, 3: 16}  #: of a patch
MOST_VOXELS = {2: 256**2, 3: 48**3}  #: of a patch
ROOM = 1.25  #: a patch is to be so many times as long as most structures, so that their surroundings are seen
SMALLEST_STRUCTURE = 8  #: voxels across that coarser voxels must leave of a usual structure, where they get coarser
FLAT = 8  #: a volume of fewer slices is taken as a stack of images
FLATTEST_VOXEL = 5  #: times the pixel: slices that are further apart have little to do with each other
ANISOTROPIC = 3  #: times the pixel, from where nnU-Net treats the axes differently
LEAST_WINDOW_HU = 50  #: wide; the noise of a CT scan alone is about as wide
RARE = 0.05  #: of the voxels: structures that are rarer get more of the patches


def in_dimensions(data: Fingerprint) -> tuple[Fingerprint, int | None, str]:
    """The fingerprint of what the network sees, and why.

    That is the cases themselves, and None; or the slices of volumes, and the axis that they lie across.
    """
    ratio = data.ratio_of_spacings
    if data.dimensions == 2:
        return data, None, "the cases are single images, and nothing says what lies above and below them"
    fewest = data.shape_voxels.index(min(data.shape_voxels))
    if data.spacing_mm is not None and ratio > FLATTEST_VOXEL:
        axis, why = data.spacing_mm.index(max(data.spacing_mm)), f"the slices are {ratio:.1f} times the pixel apart"
    elif data.shape_voxels[fewest] < FLAT:
        axis, why = fewest, f"a volume usually has {data.shape_voxels[fewest]} of them"
    else:
        across = f"the cases are volumes, usually {data.shape_voxels[fewest]} voxels across where they are thinnest"
        if data.spacing_mm is None or ratio < ANISOTROPIC:
            return data, None, f"{across}, so that what lies above and below helps"
        far = f"slices {max(data.spacing_mm):.1f} mm apart, {ratio:.1f} times the pixel"
        return data, None, f"{across}; {far}, still belong together"
    return _without_axis(data, axis), axis, f"{why}: learn from slices as images, across axis {axis}"


def resampled(data: Fingerprint, coarser: float = 1.0) -> tuple[Fingerprint, str]:
    """The fingerprint at the plan's spacing, and why: the usual one, or a coarser one if patches are too small.

    With ``coarser`` no side of a voxel is shorter than so many times the shortest of that, because time is short.
    """
    mm = data.spacing_mm
    if mm is None:
        return data, f"the files have lost it, so that sizes count in {name_of_voxels(data)}"
    ratio, held, counted = data.ratio_of_spacings, _coarsened(data, mm), name_of_voxels(data)
    apart = data.dimensions == 3 and ratio >= ANISOTROPIC
    new = tuple(max(side, coarser * min(held)) for side in held)
    if new == mm:
        far = f"; the slices are {max(mm):.1f} mm apart, {ratio:.1f} times the pixel" if apart else ""
        return data, f"the median of the cases{far}"
    fits, changed, why = _at_spacing(data, mm, held), _at_spacing(data, mm, new), []
    if held != mm:
        why.append(
            f"at the usual {by(mm)} mm structures reach {by(longest(data))} {counted}, with some room more than the "
            f"{MOST_VOXELS[data.dimensions]:,} of a patch; now they reach {by(longest(fits))}"
        )
    if apart:
        why.append(f"the slices were {ratio:.1f} times the pixel apart, so the pixel grows first")
    if new != held:
        why.append(
            f"there is no time for {by(held)} mm: coarser, a volume has {math.prod(changed.shape_voxels):,} {counted} "
            f"instead of {math.prod(fits.shape_voxels):,}, and structures are still {thinnest(changed)} across"
        )
    return changed, "; ".join(why)


def window_of(data: Fingerprint) -> tuple[tuple[float, float] | None, str]:
    """The Hounsfield units that are told apart, None where intensities have no unit, and why."""
    if data.unit != "HU":
        return None, "the intensities have no unit, so that each image is brought to mean 0 and spread 1 by itself"
    low, high = round(data.inside[0]), round(data.inside[-1])
    why = (
        "Hounsfield units mean the same in every image: one window for all, from 0.5 % to 99.5 % of what structures "
        f"have ({data.inside[2]:.0f} HU in the middle)"
    )
    if high - low >= LEAST_WINDOW_HU:
        return (low, high), why
    start = (low + high - LEAST_WINDOW_HU) // 2
    wider = f"{why}. As these are only {low} to {high} HU, it is made {LEAST_WINDOW_HU} wide"
    return (start, start + LEAST_WINDOW_HU), wider


def patch_sizes(data: Fingerprint) -> Iterator[tuple[int, ...]]:
    """Patches from the usual image down to most structures with some room, each of at most half the voxels."""
    space = data.dimensions
    sides = [up(side) for side in data.shape_voxels]
    room = [min(side, max(LEAST_SIDE[space], up(ROOM * need))) for side, need in zip(sides, longest(data), strict=True)]
    most = MOST_VOXELS[space]
    while True:
        while math.prod(sides) > most and (spare := _most_to_spare(sides, room)) is not None:
            sides[spare] -= MULTIPLE
        while math.prod(sides) > MOST_VOXELS[space]:  # structures that no patch holds
            sides[sides.index(max(sides))] -= MULTIPLE
        yield tuple(sides)
        if _most_to_spare(sides, room) is None:
            return
        most = math.prod(sides) // 2


def share_of_patches(data: Fingerprint, patch: Sequence[int]) -> tuple[float, str]:
    """Which part of the patches must hold a structure, 0 to 1, and why."""
    if holds_usual_image(data, patch):
        return 0.0, "a patch holds the usual image whole, so that there is nothing to aim at"
    rarest = min(data.part_of_voxels)
    name = data.structures[data.part_of_voxels.index(rarest)]
    covers = f"{name} covers {percent(rarest)} of the {name_of_voxels(data)}"
    if rarest < RARE:
        return 0.5, f"{covers}, so that half of the patches are cut around a structure"
    return 1 / 3, f"{covers}, which most patches meet anyway; a third of them are cut around a structure"


def depth_for(patch: Sequence[int]) -> int:
    """As deep as a logit needs to see the whole patch, while the smallest map keeps `LEAST_MAP` voxels."""
    deepest = max(1, min(DEEPEST, int(math.log2(min(patch) / LEAST_MAP))))
    return next((depth for depth in range(1, deepest) if receptive_field(depth) >= max(patch)), deepest)


def receptive_field(depth: int) -> int:
    """How many voxels along an axis a logit of the U-Net can depend on, apart from its normalisation.

    Followed back from the logit: two convolutions over three voxels reach two voxels further on either side, and what
    was enlarged or pooled lies in half or twice as many voxels.
    """
    reached = 1
    for _ in range(depth):
        reached = (reached + 4) // 2 + 1  # on the way up, level by level; a pair of voxels may be met by one of them
    reached += 4
    for _ in range(depth):
        reached = 2 * reached + 4
    return reached


def longest(data: Fingerprint) -> tuple[int, ...]:
    """Along each axis, what nine tenths of the structures of any kind stay within."""
    return tuple(max(sides) for sides in zip(*data.extent_90_voxels, strict=True))


def thinnest(data: Fingerprint) -> int:
    """The shortest side of the usual box around any structure, in voxels."""
    return min(side for box in data.extent_voxels for side in box)


def holds_usual_image(data: Fingerprint, patch: Sequence[int]) -> bool:
    """Whether a patch is as long as the usual image along every axis."""
    return all(side >= usual for side, usual in zip(patch, data.shape_voxels, strict=True))


def up(side: float) -> int:
    """The next multiple of `MULTIPLE`."""
    return math.ceil(side / MULTIPLE) * MULTIPLE


def name_of_voxels(data: Fingerprint) -> str:
    """What the sizes of these data count in."""
    return "pixels" if data.dimensions == 2 else "voxels"


def _without_axis(data: Fingerprint, axis: int) -> Fingerprint:
    """The fingerprint of the slices across an axis, as far as it follows from that of the volumes.

    How many slices there are is an estimate, boxes are those of the volumes seen from the side, and ``empty`` stays the
    part of the volumes: more of the slices are empty.
    """

    def rest(sides: Sequence[int]) -> tuple[int, ...]:
        return tuple(side for number, side in enumerate(sides) if number != axis)

    mm = data.spacing_mm
    return replace(
        data,
        cases=data.cases * data.shape_voxels[axis],
        dimensions=2,
        shape_voxels=rest(data.shape_voxels),
        smallest_voxels=rest(data.smallest_voxels),
        largest_voxels=rest(data.largest_voxels),
        spacing_mm=None if mm is None else tuple(side for number, side in enumerate(mm) if number != axis),
        extent_voxels=tuple(map(rest, data.extent_voxels)),
        extent_90_voxels=tuple(map(rest, data.extent_90_voxels)),
    )


def _coarsened(data: Fingerprint, usual: tuple[float, ...]) -> tuple[float, ...]:
    """The spacing at which a patch holds most structures with some room; the shortest sides of a voxel grow first."""
    new = usual
    while True:
        factors = [fine / coarse for fine, coarse in zip(usual, new, strict=True)]
        wanted = math.prod(ROOM * side * factor for side, factor in zip(longest(data), factors, strict=True))
        growing = [axis for axis, mm in enumerate(new) if mm <= min(new) * 1.05]
        smallest = min(box[axis] * factors[axis] for box in data.extent_voxels for axis in growing)
        if wanted <= MOST_VOXELS[data.dimensions] or smallest <= SMALLEST_STRUCTURE:
            return new
        new = tuple(mm * 1.05 if axis in growing else mm for axis, mm in enumerate(new))


def _at_spacing(data: Fingerprint, old: Sequence[float], new: tuple[float, ...]) -> Fingerprint:
    """The fingerprint with its lengths in other voxels."""
    factors = [fine / coarse for fine, coarse in zip(old, new, strict=True)]
    return replace(
        data,
        spacing_mm=new,
        shape_voxels=_scaled(data.shape_voxels, factors),
        smallest_voxels=_scaled(data.smallest_voxels, factors),
        largest_voxels=_scaled(data.largest_voxels, factors),
        extent_voxels=tuple(_scaled(sides, factors) for sides in data.extent_voxels),
        extent_90_voxels=tuple(_scaled(sides, factors) for sides in data.extent_90_voxels),
    )


def _scaled(sides: Sequence[int], factors: Sequence[float]) -> tuple[int, ...]:
    return tuple(max(1, math.ceil(side * factor - 1e-9)) for side, factor in zip(sides, factors, strict=True))


def _most_to_spare(sides: Sequence[int], room: Sequence[int]) -> int | None:
    """The axis along which a patch reaches furthest beyond what structures need; None where it nowhere does."""
    beyond = [side / need for side, need in zip(sides, room, strict=True)]
    return beyond.index(max(beyond)) if max(beyond) > 1 else None
