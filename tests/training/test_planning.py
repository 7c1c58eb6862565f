"""A plan follows from the data, stays within its minutes, and can be carried out."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_lib.data.cases import Case, cases_of_marked_slices
from course_lib.data.fingerprint import Fingerprint, fingerprint
from course_lib.data.marked_slice_data import MarkedSliceDataset
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.volume_cases import cases_of_volumes, volume_preparation
from course_lib.data.volume_data import VolumeDataset
from course_lib.networks.unet import UNet
from course_lib.support.runtime import seeded
from course_lib.training import plan_budget, plan_rules, planning
from course_lib.training.loop import fit
from course_lib.training.planning import (
    Plan,
    make_plan,
    network_of,
    patches_of,
    preprocessing_of,
    training_of,
)
from tests.data.made_volumes import outlined_balls

LABELS = ("background", "tumour")
SPEED = 300_000  #: voxels a second, so that no plan depends on the computer


def nodules(**more: Any) -> Fingerprint:
    """What the slices of nodules are like."""
    known: dict[str, Any] = {
        "cases": 400, "patients": 45, "dimensions": 2, "channels": 1, "readers": 4, "labels": LABELS,
        "shape_voxels": (64, 64), "smallest_voxels": (64, 64), "largest_voxels": (64, 64), "spacing_mm": None,
        "part_of_voxels": (0.009,), "extent_voxels": ((8, 8),), "extent_90_voxels": ((19, 20),),
        "empty": 0.2, "inside": (30, 65, 164, 241, 250), "outside": (0, 8, 36, 232, 250),
        "unit": None,
    }  # fmt: skip
    return Fingerprint(**(known | more))


def sarcomas(**more: Any) -> Fingerprint:
    """What the volumes of sarcomas are like: large, and of flat voxels."""
    return nodules(
        **{
            "cases": 11, "patients": 11, "dimensions": 3, "readers": 1, "shape_voxels": (200, 190, 60),
            "smallest_voxels": (150, 140, 50), "largest_voxels": (300, 260, 110), "spacing_mm": (0.98, 0.98, 3.27),
            "part_of_voxels": (0.06,), "extent_voxels": ((80, 80, 36),), "extent_90_voxels": ((130, 130, 50),),
        "empty": 0.0, "inside": (-100, -20, 40, 80, 120),
            "outside": (-1000, -950, -100, 100, 600), "unit": "HU",
        }
        | more
    )  # fmt: skip


def hippocampi(**more: Any) -> Fingerprint:
    """What the boxes around hippocampi are like."""
    return nodules(
        **{
            "cases": 100, "patients": 60, "dimensions": 3, "readers": 1, "labels": ("background", "front", "back"),
            "shape_voxels": (36, 50, 35), "smallest_voxels": (31, 40, 24), "largest_voxels": (43, 59, 47),
            "spacing_mm": (1.0, 1.0, 1.0), "part_of_voxels": (0.027, 0.025),
            "extent_voxels": ((19, 16, 14), (18, 23, 21)), "extent_90_voxels": ((21, 18, 16), (21, 25, 24)),
        "empty": 0.0,
        }
        | more
    )  # fmt: skip


def volume(shape: tuple[int, ...], box: tuple[slice, ...], mm: float) -> Case:
    labels = np.zeros(shape, np.uint8)
    labels[box] = 1
    return Case(10.0 + 50 * labels, labels, (mm, mm, mm), "p")


def reason(plan: Plan, name: str) -> str:
    return next(one.reason for one in plan.decisions if one.name == name)


# The plan


def test_small_slices_are_seen_whole() -> None:
    plan = make_plan(nodules(), voxels_per_second=SPEED)
    assert (plan.dimensions, plan.patch, plan.outputs) == (2, (64, 64), 1)
    assert plan.with_structure == 0
    assert plan.spacing_mm is None
    assert "4 readers" in reason(plan, "outputs")
    assert "99.1 %" in reason(plan, "loss")


def test_a_rare_structure_in_a_large_slice_gets_half_of_the_patches() -> None:
    large = {"shape_voxels": (512, 512), "smallest_voxels": (512, 512), "largest_voxels": (512, 512)}
    plan = make_plan(nodules(**large), voxels_per_second=SPEED)
    assert plan.with_structure == 0.5
    assert "tumour covers 0.9 % of the pixels, so that half of the patches" in reason(plan, "with structure")
    assert all(32 <= side < 512 for side in plan.patch)
    frequent = make_plan(nodules(part_of_voxels=(0.2,), **large), voxels_per_second=SPEED)
    assert frequent.with_structure == pytest.approx(1 / 3)


def test_a_hippocampus_is_seen_whole_in_three_dimensions() -> None:
    plan = make_plan(hippocampi(), minutes=60, voxels_per_second=SPEED)
    assert (plan.dimensions, plan.patch, plan.outputs) == (3, (40, 56, 40), 3)
    assert plan.spacing_mm == (1.0, 1.0, 1.0)
    assert plan.shape_voxels == (48, 64, 48)
    assert plan.window_hu is None


def test_flat_voxels_become_coarser_within_the_slice_first() -> None:
    plan = make_plan(sarcomas(), voxels_per_second=SPEED)
    assert plan.dimensions == 3
    assert plan.spacing_mm is not None
    down, across, along = plan.spacing_mm
    assert down == across > 0.98
    assert max(plan.spacing_mm) / min(plan.spacing_mm) < 3.27 / 0.98
    assert along < 3.27 * 1.5
    assert "3.3 times the pixel" in reason(plan, "spacing")
    assert np.prod(plan.patch) <= plan_rules.MOST_VOXELS[3]
    assert plan.window_hu == (-100, 120)


def test_a_structure_that_fits_keeps_the_usual_spacing() -> None:
    small = {
        "extent_voxels": ((20, 20, 9),),
        "extent_90_voxels": ((30, 30, 12),),
    }
    plan = make_plan(sarcomas(**small), voxels_per_second=SPEED)
    assert plan.spacing_mm == (0.98, 0.98, 3.27)
    assert plan.patch[2] < plan.patch[0]


@pytest.mark.parametrize(
    "more",
    [
        {"spacing_mm": (1.0, 1.0, 8.0)},
        {"shape_voxels": (200, 190, 6), "smallest_voxels": (150, 140, 6), "largest_voxels": (300, 260, 7)},
    ],
)
def test_slices_that_are_far_apart_or_few_are_learned_one_by_one(more: dict[str, Any]) -> None:
    plan = make_plan(sarcomas(**more), minutes=30, voxels_per_second=SPEED)
    assert plan.dimensions == network_of(plan).dimensions == len(plan.patch) == 2
    assert "learn from slices as images, across axis 2" in reason(plan, "dimensions")


@pytest.mark.parametrize("data", [nodules(), hippocampi(), sarcomas()], ids=["nodules", "hippocampi", "sarcomas"])
def test_fewer_minutes_never_give_more_work_and_are_always_kept(data: Fingerprint) -> None:
    plans = [make_plan(data, minutes, SPEED) for minutes in (1, 3, 10, 60)]
    assert all(plan.minutes <= given for plan, given in zip(plans, (1, 3, 10, 60), strict=True))
    assert [plan.width for plan in plans] == sorted(plan.width for plan in plans) or len({p.patch for p in plans}) > 1
    finest = [min(plan.spacing_mm or (1.0,)) for plan in plans]
    assert finest == sorted(finest, reverse=True)
    for fewer, more in pairwise(plans):
        assert np.prod(fewer.patch) <= np.prod(more.patch) or fewer.spacing_mm != more.spacing_mm
    assert plans[-1].epochs * plans[-1].repeats <= plan_budget.MOST_PASSES + plans[-1].repeats


def test_without_time_a_volume_gets_coarser_voxels_as_far_as_its_structures_allow() -> None:
    rich, poor = (make_plan(hippocampi(), minutes, SPEED / 5) for minutes in (300, 1))
    assert rich.spacing_mm == (1.0, 1.0, 1.0)
    assert not rich.coarsened
    assert poor.spacing_mm is not None
    assert 1 < poor.spacing_mm[0] <= 14 / plan_rules.SMALLEST_STRUCTURE
    assert poor.coarsened
    assert "there is no time for 1 x 1 x 1 mm" in reason(poor, "spacing")
    thin = hippocampi(extent_voxels=((19, 16, 8), (18, 23, 8)))
    assert make_plan(thin, 1, SPEED / 5).spacing_mm == (1.0, 1.0, 1.0)


def test_large_structures_and_no_time_are_both_named() -> None:
    plan = make_plan(sarcomas(), 1, SPEED / 5)
    why = reason(plan, "spacing")
    assert why.index("more than the 110,592 of a patch") < why.index("so the pixel grows first") < why.index("no time")


def test_images_keep_their_spacing_however_little_time_there_is() -> None:
    assert make_plan(nodules(spacing_mm=(0.7, 0.7)), 1, SPEED / 5).spacing_mm == (0.7, 0.7)


def test_a_fast_computer_gets_a_wider_network_in_the_same_time() -> None:
    slow, fast = (make_plan(nodules(), 3, speed) for speed in (100_000, 3_000_000))
    assert slow.width < fast.width


def test_the_longest_training_stops_where_more_teaches_little() -> None:
    plan = make_plan(nodules(), 1000, 10 * SPEED)
    assert plan.minutes < 100
    assert "more would teach little" in reason(plan, "epochs")


def test_with_thousands_of_cases_and_no_time_some_are_left_out() -> None:
    plan = make_plan(nodules(cases=20_000), 1, SPEED)
    assert plan.cases < 20_000
    assert plan.minutes <= 1
    assert "left out" in reason(plan, "cases")


def test_with_few_cases_an_epoch_has_several_patches_of_each() -> None:
    plan = make_plan(sarcomas(), 10, SPEED)
    assert plan.repeats > 1
    assert plan.steps == plan.epochs * plan.cases * plan.repeats // plan.batch_size


def test_with_few_cases_and_an_hour_nothing_is_made_smaller() -> None:
    large = {"shape_voxels": (128, 128), "smallest_voxels": (128, 128), "largest_voxels": (128, 128)}
    plan = make_plan(nodules(cases=4, patients=4, **large), 60, 1_000_000)
    assert (plan.patch, plan.width) == ((128, 128), plan_budget.WIDTHS[0])
    assert "more would teach little" in reason(plan, "epochs")


@pytest.mark.parametrize("data", [nodules(), hippocampi()], ids=["images", "volumes"])
def test_no_case_is_seen_more_often_than_it_teaches(data: Fingerprint) -> None:
    for cases in (1, 2, 3, 4, 7, 11, 26, 100):
        plan = make_plan(replace(data, cases=cases), 1000, 10 * SPEED)
        assert plan.epochs * plan.repeats <= plan_budget.MOST_PASSES
        assert plan.steps >= plan_budget.FEWEST_STEPS


def test_time_is_named_only_where_it_limits() -> None:
    large = {"shape_voxels": (512, 512), "smallest_voxels": (512, 512), "largest_voxels": (512, 512)}
    fast = reason(make_plan(nodules(**large), 1000, 100 * SPEED), "patch")
    assert "512 x 512, has more than the 65,536 that a patch may hold" in fast
    assert "no time" not in fast
    assert "no time for a larger patch" in reason(make_plan(nodules(**large), 3, SPEED), "patch")
    assert "no time for the usual, 64 x 64" in reason(make_plan(nodules(cases=5000), 1, SPEED), "patch")


def test_a_volume_of_the_coarsest_spacing_has_room() -> None:
    box = (slice(4, 14),) * 3
    cases = [volume((24, 24, 24), box, 1.0), volume((24, 24, 24), box, 1.0), volume((20, 24, 24), box, 2.0)]
    plan = make_plan(fingerprint(cases, LABELS), 60, SPEED)
    assert plan.spacing_mm == (1.0, 1.0, 1.0)
    assert plan.shape_voxels == (40, 48, 48)


def test_a_structure_that_is_thin_across_the_slices_does_not_keep_the_pixels_small() -> None:
    thin = {"extent_voxels": ((100, 100, 7),), "extent_90_voxels": ((200, 180, 12),)}
    plan = make_plan(sarcomas(**thin), 60, SPEED)
    assert plan.coarsened
    assert plan.spacing_mm is not None
    assert plan.spacing_mm[0] > 1.2
    assert plan.spacing_mm[2] == 3.27


def test_a_window_is_never_without_width() -> None:
    plan = make_plan(sarcomas(inside=(40.0,) * 5), 60, SPEED)
    assert "only 40 to 40 HU, it is made 50 wide" in reason(plan, "normalisation")
    assert plan.window_hu == (15, 65)


def test_who_says_background_everywhere_misses_all_structures_together() -> None:
    plan = make_plan(hippocampi(part_of_voxels=(0.1, 0.2)), 60, SPEED)
    assert "has 70 % of the voxels right" in reason(plan, "loss")


def test_where_a_patch_is_the_whole_image_nothing_is_aimed_at() -> None:
    whole = "a patch holds the usual image whole, so that there is nothing to aim at"
    assert reason(make_plan(nodules(), 10, SPEED), "with structure") == f"{whole}; 20 % of the images are empty"
    stack = {"shape_voxels": (64, 64, 4), "smallest_voxels": (64, 64, 4), "largest_voxels": (64, 64, 4)}
    sliced = make_plan(sarcomas(empty=0.2, extent_90_voxels=((40, 40, 4),), **stack), 600, 10 * SPEED)
    assert reason(sliced, "with structure") == whole  # what part of the slices is empty nobody has counted
    assert "estimated" in reason(sliced, "cases")


def test_too_few_minutes_are_refused_with_how_many_would_do() -> None:
    with pytest.raises(ValueError, match=r"at least minutes=(\S+)\.") as refused:
        make_plan(sarcomas(), 0.01, SPEED)
    needed = float(str(refused.value).split("minutes=")[1].rstrip("."))
    assert make_plan(sarcomas(), 1.1 * needed, SPEED).minutes <= 1.1 * needed


@pytest.mark.parametrize(("minutes", "speed"), [(0, SPEED), (-1, SPEED), (float("nan"), SPEED), (1, 0), (1, -5.0)])
def test_time_and_speed_are_above_0(minutes: float, speed: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        make_plan(nodules(), minutes, speed)


def test_the_speed_is_measured_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def measured(*kind: int) -> float:
        asked.append(kind)  # type: ignore[arg-type]
        return SPEED

    monkeypatch.setattr(planning, "measure_speed", measured)
    assert make_plan(hippocampi(channels=2)) == make_plan(hippocampi(channels=2), voxels_per_second=SPEED)
    assert asked == [(3, 2)]


def test_a_plan_prints_each_decision_with_its_reason_within_the_line() -> None:
    plan = make_plan(nodules(), voxels_per_second=SPEED)
    lines = str(plan).splitlines()
    assert max(map(len, lines)) <= planning.LINE
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == [d.name for d in plan.decisions]
    assert str(plan) == str(make_plan(nodules(), voxels_per_second=SPEED))


def test_the_speed_is_a_number_above_0_and_draws_nothing_from_the_users_random_numbers() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert plan_budget.measure_speed(2, steps=1) > 0
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_receptive_field_is_what_the_gradient_reaches(depth: int) -> None:
    net = UNet(1, depth=depth, width=4)
    for block in net.modules():
        for name, layer in block.named_children():
            if isinstance(layer, nn.GroupNorm | nn.ReLU):
                setattr(block, name, nn.Identity())
            elif isinstance(layer, nn.MaxPool2d):
                setattr(block, name, nn.AvgPool2d(2))
            elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.weight.data.fill_(1.0)
    side = 2 * plan_rules.receptive_field(depth) // 8 * 8 + 16
    image = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    reached = 0
    for place in range(side // 2, side // 2 + 2**depth):
        (gradient,) = torch.autograd.grad(net.double()(image)[0, 0, side // 2, place], image)
        reached = max(reached, int((gradient[0, 0].abs().sum(dim=0) > 0).sum()))
    assert reached == plan_rules.receptive_field(depth)


# Carried out


def test_a_plan_for_volumes_is_carried_out(tmp_path: Path) -> None:
    learned, held_out = outlined_balls(tmp_path / "a", 4, 24), outlined_balls(tmp_path / "b", 2, 24, seed=1)
    found = fingerprint(cases_of_volumes(learned, LABELS), LABELS)
    assert (found.spacing_mm, found.shape_voxels) == ((2.0, 2.0, 2.0), (24, 24, 24))
    plan = replace(make_plan(found, 1, SPEED), epochs=1, repeats=1)
    assert plan.spacing_mm is not None
    how = volume_preparation(plan.spacing_mm, plan.shape_voxels, plan.window_hu)
    train = patches_of(plan, VolumeDataset(learned, LABELS, how))
    assert train.inputs(torch.tensor([0])).shape == (1, 1, *plan.patch)
    with seeded(0):
        history = fit(network_of(plan), train, VolumeDataset(held_out, LABELS, how), training_of(plan))
    assert len(history) == 1


def test_a_window_becomes_minus_1_to_1(tmp_path: Path) -> None:
    (sample,) = outlined_balls(tmp_path, 1, 16)
    data = VolumeDataset([sample], LABELS, volume_preparation((2.0, 2.0, 2.0), (16, 16, 24), (100, 160)))
    seen = data.inputs(torch.tensor([0]))
    assert seen.shape == (1, 1, 16, 16, 24)
    assert (seen.min().item(), seen.max().item()) == (-1, 1)


def test_a_plan_for_slices_is_carried_out(tmp_path: Path) -> None:
    samples = []
    rng = np.random.default_rng(0)
    for number in range(6):
        mask = np.zeros((40, 40), np.uint8)
        mask[number : number + 9, 10:20] = 255
        Image.fromarray((100 + mask // 4 + rng.integers(0, 40, mask.shape)).astype(np.uint8)).save(
            tmp_path / f"i{number}.png"
        )
        Image.fromarray(mask).save(tmp_path / f"m{number}.png")
        files = tmp_path / f"i{number}.png", (tmp_path / f"m{number}.png",) * 4
        samples.append(MarkedSlice(*files, f"p{number}", f"p{number}/nodule-0", 0))
    found = fingerprint(cases_of_marked_slices(samples[:4]), LABELS)
    plan = replace(make_plan(found, 1, SPEED), epochs=1, repeats=1)
    data = MarkedSliceDataset(samples, preprocessing_of(plan), learn="majority")
    train = patches_of(plan, data.take(range(4)))
    with seeded(0):
        history = fit(network_of(plan), train, data.take([4, 5]), training_of(plan, seed=3))
    assert len(history) == 1
    assert training_of(plan, seed=3).seed == 3


def test_only_as_many_cases_are_taken_as_there_is_time_for(tmp_path: Path) -> None:
    data = VolumeDataset(outlined_balls(tmp_path, 5), LABELS, volume_preparation((2.0, 2.0, 2.0), (16, 16, 16)))
    plan = replace(make_plan(hippocampi(), 1, SPEED), cases=2, repeats=3)
    assert patches_of(plan, data).patients == ["p00", "p02"] * 3
    assert patches_of(replace(plan, cases=9), data).patients == data.patients * 3


def test_preprocessing_is_for_images() -> None:
    with pytest.raises(ValueError, match="volume_preparation"):
        preprocessing_of(make_plan(hippocampi(), voxels_per_second=SPEED))


def test_what_can_not_be_carried_out_is_refused_with_what_to_do(tmp_path: Path) -> None:
    plan = make_plan(nodules(), voxels_per_second=SPEED)
    assert preprocessing_of(plan).size == 64
    with pytest.raises(ValueError, match=r"window of \(-100, 120\) HU.*apply_window"):
        preprocessing_of(replace(plan, window_hu=(-100, 120)))
    mm = {"spacing_mm": (0.1, 0.1), "shape_voxels": (800, 800), "smallest_voxels": (800, 800)}
    long = {"largest_voxels": (800, 800), "extent_voxels": ((300, 300),), "extent_90_voxels": ((500, 500),)}
    with pytest.raises(ValueError, match=r"coarser than they are.*Save them at that spacing"):
        preprocessing_of(make_plan(nodules(**mm, **long), 60, SPEED))
    sliced = make_plan(sarcomas(spacing_mm=(1.0, 1.0, 8.0), unit=None), 60, SPEED)
    with pytest.raises(ValueError, match=r"slices of volumes across axis 2.*as images"):
        preprocessing_of(sliced)
    data = VolumeDataset(outlined_balls(tmp_path, 1), LABELS, volume_preparation((2.0, 2.0, 2.0), (16, 16, 16)))
    with pytest.raises(ValueError, match=r"slices of volumes across axis 2.*as images"):
        patches_of(sliced, data)
