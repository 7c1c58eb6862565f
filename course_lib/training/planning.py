"""A pocket planner: from the fingerprint of outlined images to spacing, patch, batch, network and training.

The way is that of nnU-Net: rules turn what the data are like into settings, and nobody tries things out. Its plans are
for days on a graphics card. Here the limit is some minutes on any computer, so the rules and their numbers are ours.

Source: F. Isensee et al., nnU-Net, Nature Methods 18:203-211, 2021.
"""

import math
import statistics
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch

from course_lib.data.fingerprint import Fingerprint, by, percent
from course_lib.data.patches import PatchDataset
from course_lib.data.samples import ImageData
from course_lib.data.transforms import Preprocessing
from course_lib.networks.costs import count_parameters, gflops
from course_lib.networks.unet import UNet
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import make_optimizer
from course_lib.training.trainer import batches_of

#: What `measure_speed` trains: a network of this depth and width, and these patches, by dimensions.
REFERENCE = (2, 16)
REFERENCE_BATCH = {2: (4, 96, 96), 3: (1, 32, 32, 32)}
#: What a voxel costs beside multiply-adds, for each channel of the widest map, in as many of them: normalising and
#: moving maps takes time, too. Measured on one core of a processor, widths 4 to 32.
HANDLING = {2: 1300, 3: 6000}
FORWARD = 1 / 3  #: of a training step's time takes an answer alone: the way back is twice as long
VALIDATION = 1 / 4  #: as many validation cases as training cases, about, are answered after each epoch
IN_TIME = 0.85  #: of the minutes are planned; the rest is for reading, cutting and what else a computer does

WIDTHS = (32, 16, 8)  #: channels of the largest maps, best first
DEEPEST = 4
LEAST_MAP = 4  #: voxels along each axis that the smallest map keeps of a patch, as in nnU-Net
MULTIPLE = 8  #: of the sides of patches
LEAST_SIDE = {2: 32, 3: 16}  #: of a patch
MOST_VOXELS = {2: 256**2, 3: 48**3}  #: of a patch
STEP_VOXELS = {2: 2**16, 3: 2**15}  #: of the patches of one step together, where time allows
LEAST_BATCH, MOST_BATCH = {2: 4, 3: 1}, 16
ROOM = 1.25  #: a patch is to be so many times as long as most structures, so that their surroundings are seen
SMALLEST_STRUCTURE = 8  #: voxels across that coarser voxels must leave of a usual structure
FLAT = 8  #: a volume of fewer slices is taken as a stack of images
FLATTEST_VOXEL = 5  #: times the pixel: slices that are further apart have little to do with each other
ANISOTROPIC = 3  #: times the pixel, from where nnU-Net treats the axes differently

ENOUGH_STEPS, ENOUGH_PASSES = 400, 8  #: that a plan should leave time for, before it makes patch and network smaller
FEWEST_STEPS, FEWEST_EPOCHS = 40, 2  #: with fewer a training is not worth its name
MOST_PASSES = 60  #: over each case; later ones teach little
STEPS_AN_EPOCH = 25  #: at least: with few cases, several patches of each are one epoch
RARE = 0.05  #: of the voxels: structures that are rarer get more of the patches
SHORT_STEPS = 2000  #: a shorter training learns at the higher rate
LEARNING_RATES = (5e-3, 2e-3)  #: of a short training and a longer one; the recipes of the course lie between
HASTY_STEPS = 1000  #: a shorter one is kept from being certain of background everywhere
SMOOTHING = 0.1
BYTES_A_CHANNEL = 4 * 4  #: of a voxel, while a network answers: about four maps of float32 at once
ROOM_MB = 2000  #: of memory, to answer a whole image
LINE = 116  #: characters of the printed table


@dataclass(frozen=True)
class Decision:
    """One line of a plan."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How a network is to learn from a data set. Prints as a table: what, how, and because of what."""

    dimensions: int  #: 2: slices or images by themselves; 3: volumes
    channels: int
    outputs: int  #: logits of each voxel
    spacing_mm: tuple[float, ...] | None  #: that all cases are brought to; None: they stay as they are
    shape_voxels: tuple[int, ...]  #: at that spacing, in which the largest case has room
    window_hu: tuple[float, float] | None  #: Hounsfield units that are told apart; None: each image by itself
    patch: tuple[int, ...]  #: sides in voxels
    with_structure: float  #: part of the patches that hold a structure, 0 to 1
    batch_size: int
    depth: int
    width: int
    cases: int  #: that are learned from
    repeats: int  #: patches of each case in one epoch
    epochs: int
    learning_rate: float
    label_smoothing: float
    minutes: float  #: the whole training takes about
    decisions: tuple[Decision, ...]

    @property
    def steps(self) -> int:
        """How often the network is corrected."""
        return _steps(self)

    def __str__(self) -> str:
        names, values = (max(len(text) for text in texts) + 2 for texts in zip(*_columns(self), strict=True))
        return "\n".join(line for one in self.decisions for line in _lines(one, names, values))


@dataclass(frozen=True)
class _Draft:
    """A patch and a network, and what fits into the time with them."""

    patch: tuple[int, ...]
    depth: int
    width: int
    batch_size: int
    cases: int
    repeats: int
    epochs: int
    seconds: float

    @property
    def steps(self) -> int:
        return _steps(self)

    def is_enough(self, cases: int) -> bool:
        return self.steps >= ENOUGH_STEPS and self.epochs * self.repeats * self.cases >= ENOUGH_PASSES * cases


def make_plan(data: Fingerprint, minutes: float = 10, voxels_per_second: float | None = None) -> Plan:
    """What these data need, made smaller until a training is expected to take no more than ``minutes``.

    ``voxels_per_second`` is what `measure_speed` gives; it is called, if nothing is given. With the same number the
    plan is the same everywhere.

    First the network becomes narrower, then the patch smaller, down to most structures with some room; then the
    training shorter, and at last it sees only a part of the cases.

    Raises:
        ValueError: ``minutes`` or ``voxels_per_second`` are not above 0, or the minutes are too few for any training;
            the message says how many are needed.
    """
    if not 0 < minutes < math.inf or (voxels_per_second is not None and not 0 < voxels_per_second < math.inf):
        raise ValueError(
            f"minutes and voxels_per_second must be above 0; got minutes={minutes} and {voxels_per_second}. Give "
            "voxels_per_second=None to measure this computer."
        )
    flat, dimensions = _in_dimensions(data)
    spacing, resampled = _resampled(flat)
    speed = measure_speed(flat.dimensions, flat.channels) if voxels_per_second is None else voxels_per_second
    draft = _draft(resampled, minutes, speed)
    return _decided(data, resampled, draft, (dimensions, spacing), minutes, speed)


def measure_speed(dimensions: int, channels: int = 1, device: torch.device | str = "cpu", *, steps: int = 3) -> float:
    """How many pixels or voxels a second this computer trains on, with a U-Net of `REFERENCE` depth and width.

    A median over some steps, after one that does not count; other networks are derived from it by what they cost.
    """
    batch, *space = REFERENCE_BATCH[dimensions]
    with torch.random.fork_rng(devices=[]):
        network = _network(dimensions, channels, 2, *REFERENCE).to(device)
        images = torch.rand(batch, channels, *space).to(device)
    optimizer, taken = make_optimizer(network, TrainConfig()), []
    for _ in range(1 + steps):
        started = time.perf_counter()
        loss = network(images).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # waits for a graphics card
        taken.append(time.perf_counter() - started)
    return batch * math.prod(space) / statistics.median(taken[1:])


def network_of(plan: Plan) -> UNet:
    """The plan's network, with new weights from torch's random numbers."""
    return _network(plan.dimensions, plan.channels, plan.outputs, plan.depth, plan.width)


def training_of(plan: Plan, seed: int = 0) -> TrainConfig:
    """How the plan's network is trained, on what `patches_of` gives."""
    return TrainConfig(
        epochs=plan.epochs,
        learning_rate=plan.learning_rate,
        batch_size=plan.batch_size,
        weight_decay=0.01,
        schedule="one-cycle",
        gradient_clip=1.0,
        label_smoothing=plan.label_smoothing,
        seed=seed,
    )


def patches_of(plan: Plan, data: ImageData[P]) -> PatchDataset[P]:
    """The patches that the plan's network learns from; ``data`` are prepared as the plan says.

    Of the cases, as many are taken as the plan has time for, evenly spaced.
    """
    patches = PatchDataset(data, plan.patch, plan.with_structure, repeats=plan.repeats)
    if plan.cases >= len(data):
        return patches
    kept = {int(number * len(data) / plan.cases) for number in range(plan.cases)}
    return patches.take(row for row in range(len(patches)) if row % len(data) in kept)


def preprocessing_of(plan: Plan) -> Preprocessing:
    """How images in two dimensions are prepared: a square in which the largest has room, greys as the plan says.

    Volumes are prepared by `data.volume_cases.volume_preparation`, from the plan's spacing, shape and window.

    Raises:
        ValueError: the plan is for volumes.
    """
    if plan.dimensions != 2:
        raise ValueError(
            "This plan is for volumes. Prepare them with volume_preparation(plan.spacing_mm, plan.shape_voxels, "
            "plan.window_hu) of data.volume_cases."
        )
    return Preprocessing(max(plan.shape_voxels), "pad", normalisation="per image")


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


# What the data are like, once they are brought to the plan's axes and spacing -----------------------------------------


def _in_dimensions(data: Fingerprint) -> tuple[Fingerprint, Decision]:
    """The fingerprint of what the network sees: the volumes, or their slices."""
    what, ratio = "dimensions", data.ratio_of_spacings
    if data.dimensions == 2:
        reason = "the cases are single images, and nothing says what lies above and below them"
        return data, Decision(what, "2", reason)
    thick = data.spacing_mm.index(max(data.spacing_mm)) if data.spacing_mm and ratio > FLATTEST_VOXEL else None
    fewest = data.shape_voxels.index(min(data.shape_voxels))
    if thick is None and data.shape_voxels[fewest] >= FLAT:
        across = f"{data.shape_voxels[fewest]} voxels across at least"
        if ratio >= ANISOTROPIC:
            reason = (
                f"the cases are volumes, {across}; slices {max(data.spacing_mm or ()):.1f} mm apart, {ratio:.1f} times "
                "the pixel, still belong together"
            )
        else:
            reason = f"the cases are volumes, {across}, so that what lies above and below helps"
        return data, Decision(what, "3", reason)
    axis = fewest if thick is None else thick
    few = f"there are {data.shape_voxels[axis]} of them in a volume"
    far = f"the slices are {ratio:.1f} times the pixel apart"
    reason = f"{few if thick is None else far}: learn from slices as images, across axis {axis}"
    return _without_axis(data, axis), Decision(what, "2", reason)


def _without_axis(data: Fingerprint, axis: int) -> Fingerprint:
    """The fingerprint of the slices across an axis, as far as it follows from that of the volumes."""

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


def _resampled(data: Fingerprint) -> tuple[Decision, Fingerprint]:
    """The fingerprint at the plan's spacing: the usual one, or a coarser one if a patch could not hold a structure."""
    mm, what = data.spacing_mm, "spacing"
    if mm is None:
        kept = "the files have lost it, so that sizes count in pixels"
        return Decision(what, "as stored", kept), data
    new = _coarsened(data)
    factors = [fine / coarse for fine, coarse in zip(mm, new, strict=True)]
    changed = replace(
        data,
        spacing_mm=new,
        shape_voxels=_scaled(data.shape_voxels, factors),
        smallest_voxels=_scaled(data.smallest_voxels, factors),
        largest_voxels=_scaled(data.largest_voxels, factors),
        extent_voxels=tuple(_scaled(sides, factors) for sides in data.extent_voxels),
        extent_90_voxels=tuple(_scaled(sides, factors) for sides in data.extent_90_voxels),
    )
    reason = "the median of the cases"
    if data.ratio_of_spacings >= ANISOTROPIC:
        reason += f"; the slices are {max(mm):.1f} mm apart, {data.ratio_of_spacings:.1f} times the pixel"
    if new != mm:
        reason = (
            f"at the usual {by(mm)} mm structures reach {by(_longest(data))} voxels, more than a patch of "
            f"{MOST_VOXELS[data.dimensions]:,} holds; now they reach {by(_longest(changed))}"
        )
        if data.ratio_of_spacings >= ANISOTROPIC:
            reason += f". The slices were {data.ratio_of_spacings:.1f} times the pixel apart, so the pixel grows first"
    return Decision(what, f"{by(new)} mm", reason), changed


def _coarsened(data: Fingerprint) -> tuple[float, ...]:
    """The spacing at which a patch holds most structures with some room; the shortest sides of a voxel grow first."""
    assert data.spacing_mm is not None
    usual = data.spacing_mm
    new = usual
    while True:
        factors = [fine / coarse for fine, coarse in zip(usual, new, strict=True)]
        wanted = math.prod(ROOM * side * factor for side, factor in zip(_longest(data), factors, strict=True))
        smallest = min(side * factor for box in data.extent_voxels for side, factor in zip(box, factors, strict=True))
        if wanted <= MOST_VOXELS[data.dimensions] or smallest <= SMALLEST_STRUCTURE:
            return new
        finest = min(new)
        new = tuple(mm * 1.05 if mm <= finest * 1.05 else mm for mm in new)


def _scaled(sides: Sequence[int], factors: Sequence[float]) -> tuple[int, ...]:
    return tuple(max(1, math.ceil(side * factor - 1e-9)) for side, factor in zip(sides, factors, strict=True))


def _longest(data: Fingerprint) -> tuple[int, ...]:
    """Along each axis, what nine tenths of the structures of any kind stay within."""
    return tuple(max(sides) for sides in zip(*data.extent_90_voxels, strict=True))


# What fits into the time ----------------------------------------------------------------------------------------------


def _draft(data: Fingerprint, minutes: float, speed: float) -> _Draft:
    """The first patch and network that leave enough steps; else the last, with as many as there is time for.

    Raises:
        ValueError: not even that.
    """
    drafts = (_fitted(data, patch, width, minutes, speed) for patch in _patches(data) for width in WIDTHS)
    last: _Draft | None = None
    for draft in drafts:
        last = draft or last
        if draft and draft.is_enough(data.cases):
            return draft
    if last is None:
        *_, smallest = _patches(data)
        needed = minutes
        while _fitted(data, smallest, WIDTHS[-1], needed, speed) is None:
            needed *= 1.1
        raise ValueError(
            f"In {minutes:g} minutes no training fits, at {speed:,.0f} voxels a second: the smallest has patches of "
            f"{by(smallest)} and {FEWEST_STEPS} steps. Give at least minutes={1.05 * needed:.2g}."
        )
    return last


def _patches(data: Fingerprint) -> Iterator[tuple[int, ...]]:
    """Patches from the usual image down to most structures with some room, each of at most half the voxels."""
    space = data.dimensions
    sides = [_up(side) for side in data.shape_voxels]
    room = [
        min(side, max(LEAST_SIDE[space], _up(ROOM * need))) for side, need in zip(sides, _longest(data), strict=True)
    ]
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


def _most_to_spare(sides: Sequence[int], room: Sequence[int]) -> int | None:
    """The axis along which a patch reaches furthest beyond what structures need; None where it nowhere does."""
    beyond = [side / need for side, need in zip(sides, room, strict=True)]
    return beyond.index(max(beyond)) if max(beyond) > 1 else None


def _fitted(data: Fingerprint, patch: tuple[int, ...], width: int, minutes: float, speed: float) -> _Draft | None:
    """As many steps as there is time for; None if these are too few to learn anything."""
    seconds, voxels = 60 * minutes * IN_TIME, math.prod(patch)
    largest = max(LEAST_BATCH[data.dimensions], min(MOST_BATCH, STEP_VOXELS[data.dimensions] // voxels))
    batch = largest
    while True:
        batch = min(batch, data.cases)
        repeats = max(1, round(STEPS_AN_EPOCH * batch / data.cases))
        epoch = _seconds(data, patch, width, data.cases * repeats, 1, speed)
        epochs = min(int(seconds / epoch), max(FEWEST_EPOCHS, MOST_PASSES // repeats))
        cases = data.cases
        if epochs < FEWEST_EPOCHS:
            epochs, repeats, empty = FEWEST_EPOCHS, 1, _seconds(data, patch, width, 0, 1, speed)
            each = _seconds(data, patch, width, 1, 1, speed) - empty
            cases = min(data.cases, int((seconds / epochs - empty) / each))
        if cases < batch:
            return None
        taken = _seconds(data, patch, width, cases * repeats * epochs, epochs, speed)
        draft = _Draft(patch, _depth(patch), width, batch, cases, repeats, epochs, taken)
        if draft.steps >= ENOUGH_STEPS or batch // 2 < LEAST_BATCH[data.dimensions]:
            return draft if draft.steps >= FEWEST_STEPS else None
        batch //= 2


def _steps(plan: "Plan | _Draft") -> int:
    batches = batches_of(range(plan.cases * plan.repeats), TrainConfig(batch_size=plan.batch_size), epoch=0)
    return plan.epochs * len(batches)


def _seconds(data: Fingerprint, patch: tuple[int, ...], width: int, patches: int, epochs: int, speed: float) -> float:
    """What it takes to learn from so many patches in all, and to answer the validation cases after each epoch."""
    learned = patches * math.prod(patch)
    answered = epochs * FORWARD * VALIDATION * data.cases * math.prod(data.shape_voxels)
    kind = data.dimensions, data.channels
    dearer = _cost(*kind, _depth(patch), width) / _cost(*kind, *REFERENCE)
    return (learned + answered) * dearer / speed


@cache
def _cost(dimensions: int, channels: int, depth: int, width: int) -> float:
    """What a voxel takes, in multiply-adds and what is worth as many."""
    space = (2**depth,) * dimensions
    with torch.device("meta"):  # no numbers, only shapes
        network = _network(dimensions, channels, 2, depth, width)
    multiply_adds: float = gflops(network, (channels, *space)) * 1e9 / math.prod(space)
    return multiply_adds + HANDLING[dimensions] * width


def _depth(patch: Sequence[int]) -> int:
    """As deep as a logit needs to see the whole patch, while the smallest map keeps `LEAST_MAP` voxels."""
    deepest = max(1, min(DEEPEST, int(math.log2(min(patch) / LEAST_MAP))))
    return next((depth for depth in range(1, deepest) if receptive_field(depth) >= max(patch)), deepest)


def _network(dimensions: int, channels: int, outputs: int, depth: int, width: int) -> UNet:
    return UNet(outputs, channels, dimensions=dimensions, depth=depth, width=width)


def _up(side: float) -> int:
    """The next multiple of `MULTIPLE`."""
    return math.ceil(side / MULTIPLE) * MULTIPLE


# What is printed ------------------------------------------------------------------------------------------------------


def _decided(
    data: Fingerprint,
    resampled: Fingerprint,
    draft: _Draft,
    first: tuple[Decision, Decision],
    minutes: float,
    speed: float,
) -> Plan:
    """The plan, each of its numbers with a reason."""
    hu = (round(data.inside[0]), round(data.inside[-1])) if data.unit == "HU" else None
    short = draft.steps < SHORT_STEPS
    share, why_share = _share(resampled, draft)
    outputs = 1 if data.readers > 1 else len(data.labels)
    with torch.device("meta"):
        weights = count_parameters(_network(resampled.dimensions, data.channels, outputs, draft.depth, draft.width))
    rate, smoothing = LEARNING_RATES[not short], SMOOTHING if draft.steps < HASTY_STEPS else 0.0
    decisions = (
        *first,
        _normalisation(data, hu),
        Decision("patch", by(draft.patch), _why_patch(resampled, draft)),
        Decision("with structure", percent(share) if share else "as they come", why_share),
        Decision("batch", str(draft.batch_size), _why_batch(draft)),
        Decision("U-Net", f"{draft.depth} deep, {draft.width} wide", _why_network(resampled, draft, weights)),
        _answers(resampled, draft.width),
        Decision("outputs", str(outputs), _why_outputs(data)),
        Decision("loss", "cross-entropy, Dice", _why_loss(data)),
        Decision("learning rate", f"{rate:g}, one-cycle", _why_rate(draft, smoothing)),
        Decision("cases", f"{draft.cases:,} of {resampled.cases:,}", _why_cases(resampled, draft)),
        Decision("epochs", str(draft.epochs), _why_epochs(draft)),
        Decision("time", f"{draft.seconds / 60:.2g} minutes", _why_time(minutes, speed)),
    )
    return Plan(
        dimensions=resampled.dimensions,
        channels=data.channels,
        outputs=outputs,
        spacing_mm=resampled.spacing_mm,
        shape_voxels=tuple(_up(side) for side in resampled.largest_voxels),
        window_hu=hu,
        patch=draft.patch,
        with_structure=share,
        batch_size=draft.batch_size,
        depth=draft.depth,
        width=draft.width,
        cases=draft.cases,
        repeats=draft.repeats,
        epochs=draft.epochs,
        learning_rate=rate,
        label_smoothing=smoothing,
        minutes=draft.seconds / 60,
        decisions=decisions,
    )


def _normalisation(data: Fingerprint, hu: tuple[int, int] | None) -> Decision:
    if hu is None:
        reason = "the intensities have no unit, so that each image is brought to mean 0 and spread 1 by itself"
        return Decision("normalisation", "each image by itself", reason)
    reason = (
        "Hounsfield units mean the same in every image: one window for all, from 0.5 % to 99.5 % of what structures "
        f"have ({data.inside[2]:.0f} HU in the middle)"
    )
    return Decision("normalisation", f"{hu[0]} to {hu[1]} HU", reason)


def _share(data: Fingerprint, draft: _Draft) -> tuple[float, str]:
    """Which part of the patches must hold a structure, and why."""
    if all(side >= usual for side, usual in zip(draft.patch, data.shape_voxels, strict=True)):
        return 0.0, f"a patch holds the usual image whole, and {percent(data.empty)} of the images are empty"
    rarest = min(data.part_of_voxels)
    name = data.structures[data.part_of_voxels.index(rarest)]
    covers = f"{name} covers {percent(rarest)} of the {_voxels(data)}"
    if rarest < RARE:
        return 0.5, f"{covers}, so that half of the patches are cut around a structure"
    return 1 / 3, f"{covers}, which most patches meet anyway; a third of them are cut around a structure"


def _why_patch(data: Fingerprint, draft: _Draft) -> str:
    need = f"90 % of the structures stay within {by(_longest(data))} {_voxels(data)}"
    if all(side >= usual for side, usual in zip(draft.patch, data.shape_voxels, strict=True)):
        return f"the usual image whole, {by(data.shape_voxels)}, in multiples of {MULTIPLE}; {need}"
    if any(
        side < min(most, _up(usual))
        for side, most, usual in zip(draft.patch, _longest(data), data.shape_voxels, strict=True)
    ):
        return f"{need}, but no patch may hold more than {MOST_VOXELS[data.dimensions]:,} of them"
    return f"{need}; there is no time or memory for the usual image, {by(data.shape_voxels)}"


def _why_batch(draft: _Draft) -> str:
    voxels = draft.batch_size * math.prod(draft.patch)
    return f"{voxels:,} values a step; as its maps are normalised image by image, a small batch does no harm"


def _why_network(data: Fingerprint, draft: _Draft, weights: int) -> str:
    field, side = receptive_field(draft.depth), max(draft.patch)
    sees = "the whole patch" if field >= side else f"{field / side:.0%} of the patch's side"
    smallest = by([side // 2**draft.depth for side in draft.patch])
    return f"{weights:,} weights; a logit sees {field} {_voxels(data)}, {sees}, and the smallest map is {smallest}"


def _answers(data: Fingerprint, width: int) -> Decision:
    megabytes = math.prod(data.largest_voxels) * width * BYTES_A_CHANNEL / 1e6
    need = f"the largest image, {by(data.largest_voxels)}, needs about {megabytes:,.0f} MB of memory"
    if megabytes <= ROOM_MB:
        return Decision("answers", "whole images", f"the network takes any size, and {need}")
    return Decision("answers", "overlapping patches", f"{need}: put the answers to patches together, as in lesson 09")


def _why_outputs(data: Fingerprint) -> str:
    if data.readers > 1:
        return f"{data.readers} readers marked each case, and the network says how likely one is to mark a pixel"
    return f"one for each label: {', '.join(data.labels)}"


def _why_loss(data: Fingerprint) -> str:
    rarest = min(data.part_of_voxels)
    return f"who says background everywhere has {percent(1 - rarest)} of the {_voxels(data)} right, but a Dice of 0"


def _why_rate(draft: _Draft, smoothing: float) -> str:
    if smoothing:
        return f"with {draft.steps:,} steps there is no time for a low rate; labels are smoothed by {smoothing:g}"
    length = "few" if draft.steps < SHORT_STEPS else "enough"
    return f"{draft.steps:,} steps are {length}; the rate rises first and then falls to nothing"


def _why_cases(data: Fingerprint, draft: _Draft) -> str:
    if draft.cases < data.cases:
        return "the others are left out, evenly spaced: there is no time to see each twice"
    often = f", {draft.repeats} patches of each in an epoch" if draft.repeats > 1 else ""
    return f"all, of {data.patients:,} patients{often}"


def _why_epochs(draft: _Draft) -> str:
    seen = draft.epochs * draft.repeats
    limit = "more would teach little" if seen >= MOST_PASSES - draft.repeats else "what fits into the time"
    return f"{draft.steps:,} steps, {seen} patches of each case: {limit}"


def _why_time(minutes: float, speed: float) -> str:
    return f"of {minutes:g} that are given, if a U-Net {REFERENCE[1]} wide learns {speed:,.0f} values a second"


def _voxels(data: Fingerprint) -> str:
    return "pixels" if data.dimensions == 2 else "voxels"


def _columns(plan: Plan) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in plan.decisions]


def _lines(one: Decision, names: int, values: int) -> list[str]:
    start = f"{one.name:{names}}{one.value:{values}}"
    wrapped = textwrap.wrap(one.reason, LINE - names - values)
    return [f"{start if number == 0 else '':{names + values}}{line}" for number, line in enumerate(wrapped)]
