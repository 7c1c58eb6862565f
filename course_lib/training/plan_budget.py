"""What of a plan fits into the time: how fast a computer learns, what a network costs, how many steps that gives."""

import math
import statistics
import time
from dataclasses import dataclass
from functools import cache

import torch

from course_lib.data.fingerprint import Fingerprint, by
from course_lib.networks.costs import gflops
from course_lib.networks.unet import UNet
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import make_optimizer
from course_lib.training.plan_rules import SMALLEST_STRUCTURE, depth_for, patch_sizes, resampled, thinnest
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
COARSER = (1.0, 1.25, 1.5, 1.75, 2.0)  #: times the shortest side of a voxel, in volumes for which there is no time
STEP_VOXELS = {2: 2**16, 3: 2**15}  #: of the patches of one step together, where time allows
LEAST_BATCH, MOST_BATCH = {2: 4, 3: 1}, 16
ENOUGH_STEPS, ENOUGH_PASSES = 400, 8  #: that a plan should leave time for, before it makes patch and network smaller
FEWEST_STEPS, FEWEST_EPOCHS = 40, 2  #: with fewer a training is not worth its name
MOST_PASSES = 60  #: over each case; later ones teach little
STEPS_AN_EPOCH = 25  #: at least: with few cases, several patches of each are one epoch


@dataclass(frozen=True)
class Draft:
    """A patch and a network, and what fits into the time with them."""

    patch: tuple[int, ...]
    depth: int
    width: int
    batch_size: int
    cases: int
    repeats: int
    epochs: int
    seconds: float
    limited: bool  #: by the time; else each case is seen as often as it teaches much

    @property
    def steps(self) -> int:
        """How often the network is corrected."""
        return count_steps(self.cases * self.repeats, self.batch_size, self.epochs)

    def is_enough(self, cases: int) -> bool:
        """Whether there is no need of a smaller patch or network."""
        seen = self.epochs * self.repeats * self.cases
        return not self.limited or (self.steps >= ENOUGH_STEPS and seen >= ENOUGH_PASSES * cases)


def in_time(data: Fingerprint, minutes: float, speed: float) -> tuple[Fingerprint, str, Draft]:
    """The first spacing, patch and network that leave enough steps; else the last, with as many as there is time for.

    The fingerprint is returned at that spacing, and why it is that. Volumes get coarser voxels where nothing else
    helps, as long as the usual structure stays `SMALLEST_STRUCTURE` voxels across.

    Raises:
        ValueError: nothing fits.
    """
    found: tuple[Fingerprint, str, Draft] | None = None
    coarsest = resampled(data)[0]
    for coarser in COARSER if data.dimensions == 3 and data.spacing_mm else COARSER[:1]:
        at_spacing, why = resampled(data, coarser)
        if coarser > 1 and thinnest(at_spacing) < SMALLEST_STRUCTURE:
            break
        coarsest = at_spacing
        draft = _draft(at_spacing, minutes, speed)
        if draft is not None:
            found = at_spacing, why, draft
            if draft.is_enough(data.cases):
                break
    if found is None:
        *_, smallest = patch_sizes(coarsest)
        needed = minutes
        while _fitted(coarsest, smallest, WIDTHS[-1], needed, speed) is None:
            needed *= 1.1
        raise ValueError(
            f"In {minutes:g} minutes no training fits, at {speed:,.0f} voxels a second: the smallest has patches of "
            f"{by(smallest)} and {FEWEST_STEPS} steps. Give at least minutes={1.05 * needed:.2g}."
        )
    return found


def _draft(data: Fingerprint, minutes: float, speed: float) -> Draft | None:
    """The first patch and network that leave enough steps; else the last that fit; None if none does."""
    last: Draft | None = None
    for patch in patch_sizes(data):
        for width in WIDTHS:
            draft = _fitted(data, patch, width, minutes, speed)
            if draft and draft.is_enough(data.cases):
                return draft
            last = draft or last
    return last


def count_steps(patches: int, batch_size: int, epochs: int) -> int:
    """How often a network is corrected in so many epochs of so many patches each."""
    return epochs * len(batches_of(range(patches), TrainConfig(batch_size=batch_size), epoch=0))


def measure_speed(dimensions: int, channels: int = 1, device: torch.device | str = "cpu", *, steps: int = 3) -> float:
    """How many pixels or voxels a second this computer trains on, with a U-Net of `REFERENCE` depth and width.

    A median over some steps, after one that does not count; other networks are derived from it by what they cost.
    """
    batch, *space = REFERENCE_BATCH[dimensions]
    depth, width = REFERENCE
    with torch.random.fork_rng(devices=[]):
        network = UNet(2, channels, dimensions=dimensions, depth=depth, width=width).to(device)
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


def _fitted(data: Fingerprint, patch: tuple[int, ...], width: int, minutes: float, speed: float) -> Draft | None:
    """As many steps as there is time for; None if these are too few to learn anything."""
    seconds, least = 60 * minutes * IN_TIME, LEAST_BATCH[data.dimensions]
    batch = max(least, min(MOST_BATCH, STEP_VOXELS[data.dimensions] // math.prod(patch)))
    while True:
        batch = min(batch, data.cases)
        repeats = max(1, round(STEPS_AN_EPOCH * batch / data.cases))
        epoch = _seconds(data, patch, width, data.cases * repeats, 1, speed)
        most = max(FEWEST_EPOCHS, MOST_PASSES // repeats)
        epochs, cases = min(int(seconds / epoch), most), data.cases
        limited = epochs < most
        if epochs < FEWEST_EPOCHS:
            epochs, repeats, empty = FEWEST_EPOCHS, 1, _seconds(data, patch, width, 0, 1, speed)
            each = _seconds(data, patch, width, 1, 1, speed) - empty
            cases = min(data.cases, int((seconds / epochs - empty) / each))
        if cases < batch:
            return None
        taken = _seconds(data, patch, width, cases * repeats * epochs, epochs, speed)
        draft = Draft(patch, depth_for(patch), width, batch, cases, repeats, epochs, taken, limited)
        if draft.steps >= ENOUGH_STEPS or batch // 2 < least:
            return draft if draft.steps >= FEWEST_STEPS else None
        batch //= 2


def _seconds(data: Fingerprint, patch: tuple[int, ...], width: int, patches: int, epochs: int, speed: float) -> float:
    """What it takes to learn from so many patches in all, and to answer the validation cases after each epoch."""
    learned = patches * math.prod(patch)
    answered = epochs * FORWARD * VALIDATION * data.cases * math.prod(data.shape_voxels)
    kind = data.dimensions, data.channels
    dearer = _cost(*kind, depth_for(patch), width) / _cost(*kind, *REFERENCE)
    return (learned + answered) * dearer / speed


@cache
def _cost(dimensions: int, channels: int, depth: int, width: int) -> float:
    """What a voxel takes, in multiply-adds and what is worth as many."""
    space = (2**depth,) * dimensions
    with torch.device("meta"):  # no numbers, only shapes
        network = UNet(2, channels, dimensions=dimensions, depth=depth, width=width)
    multiply_adds: float = gflops(network, (channels, *space)) * 1e9 / math.prod(space)
    return multiply_adds + HANDLING[dimensions] * width
