"""A pocket planner: from the fingerprint of outlined images to spacing, patch, batch, network and training.

The way is that of nnU-Net: rules turn what the data are like into settings, and nobody tries things out. Its plans are
for days on a graphics card. Here the limit is some minutes on any computer, so the rules and their numbers are ours.

Source: F. Isensee et al., nnU-Net, Nature Methods 18:203-211, 2021.
"""

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from course_lib.data.fingerprint import Fingerprint, by, percent
from course_lib.data.patches import PatchDataset
from course_lib.data.samples import ImageData
from course_lib.data.transforms import Preprocessing
from course_lib.networks.costs import count_parameters
from course_lib.networks.unet import UNet
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.plan_budget import Draft, count_steps, in_time, measure_speed
from course_lib.training.plan_reasons import (
    how_answered,
    why_batch,
    why_cases,
    why_epochs,
    why_loss,
    why_network,
    why_outputs,
    why_patch,
    why_rate,
    why_time,
)
from course_lib.training.plan_rules import in_dimensions, share_of_patches, up, window_of

SHORT_STEPS = 2000  #: a shorter training learns at the higher rate
LEARNING_RATES = (5e-3, 2e-3)  #: of a short training and a longer one; the recipes of the course lie between
HASTY_STEPS = 1000  #: a shorter one is kept from being certain of background everywhere
SMOOTHING = 0.1
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
    across: int | None  #: axis of the volumes whose slices across it are learned by themselves; None: nothing is sliced
    channels: int
    outputs: int  #: logits of each voxel
    spacing_mm: tuple[float, ...] | None  #: that all cases are brought to; None: they stay as they are
    coarsened: bool  #: that spacing is coarser than the usual one of the cases
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
        return count_steps(self.cases * self.repeats, self.batch_size, self.epochs)

    def __str__(self) -> str:
        names, values = (max(len(text) for text in texts) + 2 for texts in zip(*_columns(self), strict=True))
        return "\n".join(line for one in self.decisions for line in _lines(one, names, values))


def make_plan(data: Fingerprint, minutes: float = 10, voxels_per_second: float | None = None) -> Plan:
    """What these data need, made smaller until a training is expected to take no more than ``minutes``.

    ``voxels_per_second`` is what `measure_speed` gives; it is called, if nothing is given. With the same number the
    plan is the same everywhere.

    First the network becomes narrower, then the patch smaller, down to most structures with some room; then the voxels
    of a volume coarser, as far as structures allow; then the training shorter, and at last it sees only a part of the
    cases.

    Raises:
        ValueError: ``minutes`` or ``voxels_per_second`` are not above 0, or the minutes are too few for any training;
            the message says how many are needed.
    """
    if not 0 < minutes < math.inf or (voxels_per_second is not None and not 0 < voxels_per_second < math.inf):
        raise ValueError(
            f"minutes and voxels_per_second must be above 0; got minutes={minutes} and {voxels_per_second}. Give "
            "voxels_per_second=None to measure this computer."
        )
    flat, across, why_dimensions = in_dimensions(data)
    speed = measure_speed(flat.dimensions, flat.channels) if voxels_per_second is None else voxels_per_second
    at_spacing, why_spacing, draft = in_time(flat, minutes, speed)
    window, why_window = window_of(data)
    share, why_share = share_of_patches(at_spacing, draft.patch)
    if share == 0 and across is None and data.empty:
        why_share += f"; {percent(data.empty)} of the images are empty"
    short = draft.steps < SHORT_STEPS
    plan = Plan(
        dimensions=at_spacing.dimensions,
        across=across,
        channels=data.channels,
        outputs=1 if data.readers > 1 else len(data.labels),
        spacing_mm=at_spacing.spacing_mm,
        coarsened=at_spacing.spacing_mm != flat.spacing_mm,
        shape_voxels=tuple(up(side) for side in at_spacing.largest_voxels),
        window_hu=window,
        patch=draft.patch,
        with_structure=share,
        batch_size=draft.batch_size,
        depth=draft.depth,
        width=draft.width,
        cases=draft.cases,
        repeats=draft.repeats,
        epochs=draft.epochs,
        learning_rate=LEARNING_RATES[not short],
        label_smoothing=SMOOTHING if draft.steps < HASTY_STEPS else 0.0,
        minutes=draft.seconds / 60,
        decisions=(),
    )
    reasons = {"dimensions": why_dimensions, "spacing": why_spacing, "window": why_window, "share": why_share}
    time_limit = why_time(at_spacing, minutes, speed)
    return replace(plan, decisions=_decisions(plan, at_spacing, draft, reasons | {"time": time_limit}))


def network_of(plan: Plan) -> UNet:
    """The plan's network, with new weights from torch's random numbers."""
    return UNet(plan.outputs, plan.channels, dimensions=plan.dimensions, depth=plan.depth, width=plan.width)


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

    Raises:
        ValueError: the plan is for slices of volumes.
    """
    _check_not_sliced(plan)
    patches = PatchDataset(data, plan.patch, plan.with_structure, repeats=plan.repeats)
    if plan.cases >= len(data):
        return patches
    kept = {int(number * len(data) / plan.cases) for number in range(plan.cases)}
    return patches.take(row for row in range(len(patches)) if row % len(data) in kept)


def preprocessing_of(plan: Plan) -> Preprocessing:
    """How images in two dimensions are prepared: each a square of the same size, its greys brought to mean 0, spread 1.

    The square's side is the longest side of all images, rounded up. Each image is made square with black, and then
    enlarged until it fills it; so smaller images are enlarged, and what their spacing was is lost.

    Volumes are prepared by `data.volume_cases.volume_preparation`, from the plan's spacing, shape and window.

    Raises:
        ValueError: the plan is for volumes or their slices, has a window of Hounsfield units, or a coarser spacing
            than the images: all that is not done here.
    """
    if plan.dimensions != 2:
        raise ValueError(
            "This plan is for volumes. Prepare them with volume_preparation(plan.spacing_mm, plan.shape_voxels, "
            "plan.window_hu) of data.volume_cases."
        )
    _check_not_sliced(plan)
    if plan.window_hu is not None:
        raise ValueError(
            f"This plan has a window of {plan.window_hu} HU, but images are prepared from their greys, without a "
            "window. Save the images with apply_window of course_lib.data, and make a plan for them with unit=None."
        )
    if plan.coarsened and plan.spacing_mm is not None:
        raise ValueError(
            f"This plan is for images at {by(plan.spacing_mm)} mm, which is coarser than they are, and nothing here "
            "resamples them. Save them at that spacing, and make a plan for what you saved."
        )
    return Preprocessing(max(plan.shape_voxels), "pad", normalisation="per image")


def _check_not_sliced(plan: Plan) -> None:
    if plan.across is not None:
        raise ValueError(
            f"This plan is for the slices of volumes across axis {plan.across}, and nothing here cuts them. Save the "
            "slices as images, and make a plan for these."
        )


def _decisions(plan: Plan, data: Fingerprint, draft: Draft, reasons: Mapping[str, str]) -> tuple[Decision, ...]:
    """Each line of the table; ``data`` as the network sees them."""
    with torch.device("meta"):
        weights = count_parameters(network_of(plan))
    spacing = "as stored" if plan.spacing_mm is None else f"{by(plan.spacing_mm)} mm"
    window = "each image by itself" if plan.window_hu is None else "{} to {} HU".format(*plan.window_hu)
    share = percent(plan.with_structure) if plan.with_structure else "as they come"
    rate = why_rate(draft, draft.steps < SHORT_STEPS, plan.label_smoothing)
    about = "" if plan.across is None else "about "
    return (
        Decision("dimensions", str(plan.dimensions), reasons["dimensions"]),
        Decision("spacing", spacing, reasons["spacing"]),
        Decision("normalisation", window, reasons["window"]),
        Decision("patch", by(plan.patch), why_patch(data, draft)),
        Decision("with structure", share, reasons["share"]),
        Decision("batch", str(plan.batch_size), why_batch(data, draft)),
        Decision("U-Net", f"{plan.depth} deep, {plan.width} wide", why_network(data, draft, weights)),
        Decision("answers", *how_answered(data, plan.width)),
        Decision("outputs", str(plan.outputs), why_outputs(data)),
        Decision("loss", "cross-entropy, Dice", why_loss(data)),
        Decision("learning rate", f"{plan.learning_rate:g}, one-cycle", rate),
        Decision("cases", f"{plan.cases:,} of {about}{data.cases:,}", why_cases(data, draft, plan.across is not None)),
        Decision("epochs", str(plan.epochs), why_epochs(draft)),
        Decision("time", f"{plan.minutes:.2g} minutes", reasons["time"]),
    )


def _columns(plan: Plan) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in plan.decisions]


def _lines(one: Decision, names: int, values: int) -> list[str]:
    start = f"{one.name:{names}}{one.value:{values}}"
    wrapped = textwrap.wrap(one.reason, LINE - names - values)
    return [f"{start if number == 0 else '':{names + values}}{line}" for number, line in enumerate(wrapped)]
