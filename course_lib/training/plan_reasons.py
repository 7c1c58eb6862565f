"""What a plan prints: the reason of each number, from what the data are like and what fits into the time."""

import math

from course_lib.data.fingerprint import Fingerprint, by, percent
from course_lib.training.plan_budget import REFERENCE, Draft
from course_lib.training.plan_rules import (
    MOST_VOXELS,
    MULTIPLE,
    holds_usual_image,
    longest,
    name_of_voxels,
    patch_sizes,
    receptive_field,
    up,
)

BYTES_A_CHANNEL = 4 * 4  #: of a voxel, while a network answers: about four maps of float32 at once
ROOM_MB = 2000  #: of memory, to answer a whole image


def why_patch(data: Fingerprint, draft: Draft) -> str:
    """Why patches are so large."""
    most = f"{MOST_VOXELS[data.dimensions]:,}"
    need = f"90 % of the structures stay within {by(longest(data))} {name_of_voxels(data)}"
    usual = by(data.shape_voxels)
    if holds_usual_image(data, draft.patch):
        return f"the usual image whole, {usual}, in multiples of {MULTIPLE}; {need}"
    wanted = [min(side, shape) for side, shape in zip(longest(data), data.shape_voxels, strict=True)]
    if any(side < want for side, want in zip(draft.patch, wanted, strict=True)):
        return f"{need}, but no patch may hold more than {most} of them"
    limits = []
    if math.prod(map(up, data.shape_voxels)) > MOST_VOXELS[data.dimensions]:
        limits.append(f"the usual image, {usual}, has more than the {most} that a patch may hold")
    if draft.patch != next(patch_sizes(data)):
        limits.append("there is no time for a larger patch" if limits else f"there is no time for the usual, {usual}")
    return f"{need}; {', and '.join(limits)}"


def why_batch(data: Fingerprint, draft: Draft) -> str:
    """Why so many patches make a step."""
    voxels = draft.batch_size * math.prod(draft.patch)
    normalised = "as its maps are normalised image by image, a small batch does no harm"
    return f"{voxels:,} {name_of_voxels(data)} a step; {normalised}"


def why_network(data: Fingerprint, draft: Draft, weights: int) -> str:
    """Why the network is so deep."""
    field, side = receptive_field(draft.depth), max(draft.patch)
    sees = "the whole patch" if field >= side else f"{field / side:.0%} of the patch's longest side"
    smallest = by([math.ceil(side / 2**draft.depth) for side in draft.patch])
    logit = f"a logit sees {field} {name_of_voxels(data)} along each axis, {sees}"
    return f"{weights:,} weights; {logit}, and the smallest map is {smallest}"


def how_answered(data: Fingerprint, width: int) -> tuple[str, str]:
    """How new images are answered, and why."""
    megabytes = math.prod(data.largest_voxels) * width * BYTES_A_CHANNEL / 1e6
    need = f"the largest image, {by(data.largest_voxels)}, needs about {megabytes:,.0f} MB of memory"
    if megabytes <= ROOM_MB:
        return "whole images", f"the network takes any size, and {need}"
    return "overlapping patches", f"{need}: put the answers to patches together, as in lesson 09"


def why_outputs(data: Fingerprint) -> str:
    """Why each voxel gets so many logits."""
    if data.readers > 1:
        of = name_of_voxels(data).removesuffix("s")
        return f"{data.readers} readers marked each case, and the network says how likely one is to mark a {of}"
    return f"one for each label: {', '.join(data.labels)}"


def why_loss(data: Fingerprint) -> str:
    """Why the loss is a sum of two."""
    background = percent(1 - sum(data.part_of_voxels))
    return f"who says background everywhere has {background} of the {name_of_voxels(data)} right, but a Dice of 0"


def why_rate(draft: Draft, short: bool, smoothing: float) -> str:
    """Why the network learns at that rate."""
    if smoothing:
        return f"with {draft.steps:,} steps there is no time for a low rate; labels are smoothed by {smoothing:g}"
    return f"{draft.steps:,} steps are {'few' if short else 'enough'}; the rate rises first and then falls to nothing"


def why_cases(data: Fingerprint, draft: Draft, slices: bool) -> str:
    """Why all cases are learned from, or not all."""
    if draft.cases < data.cases:
        return "the others are left out, evenly spaced: there is no time to see each twice"
    often = f", {draft.repeats} patches of each in an epoch" if draft.repeats > 1 else ""
    counted = "; their number is estimated from the usual volume" if slices else ""
    return f"all, of {data.patients:,} patients{often}{counted}"


def why_epochs(draft: Draft) -> str:
    """Why the training is so long."""
    limit = "what fits into the time" if draft.limited else "more would teach little"
    return f"{draft.steps:,} steps, {draft.epochs * draft.repeats} patches of each case: {limit}"


def why_time(data: Fingerprint, minutes: float, speed: float) -> str:
    """What the expected time rests on."""
    reference = f"a U-Net {REFERENCE[0]} deep and {REFERENCE[1]} wide"
    return f"of {minutes:g} that are given, if {reference} learns from {speed:,.0f} {name_of_voxels(data)} a second"
