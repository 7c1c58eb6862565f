"""The map of centres: bumps, focal loss, peaks, and boxes that are none."""

import math

import pytest
import torch

from course_lib.tasks.centres import CentreMap, Target, bumps, check_target, focal_loss, peaks
from tests.tasks.scenes import target


def test_a_bump_is_1_at_the_centre_and_gone_at_the_edge_of_its_box() -> None:
    wanted = bumps(torch.tensor([[10, 6]]), torch.tensor([1]), torch.tensor([[12.0, 6.0]]), torch.zeros(2, 16, 20))
    assert not wanted[0].any()
    assert wanted[1, 6, 10] == 1
    assert wanted[1].sum(dim=0).argmax() == 10
    assert wanted[1, 6, 16] == pytest.approx(math.exp(-4.5))  # three standard deviations along, as down
    assert wanted[1, 9, 10] == pytest.approx(math.exp(-4.5))
    both = bumps(torch.tensor([[10, 6], [12, 6]]), torch.tensor([1, 1]), torch.tensor([[12.0, 6.0]] * 2), wanted)
    assert both[1, 6, 10] == both[1, 6, 12] == 1
    assert both.max() == 1


def test_the_focal_loss_is_the_formula_and_finite_for_any_logit() -> None:
    logits, wanted = torch.tensor([-1.0, -1.0, 2.0]), torch.tensor([1.0, 0.6, 0.0])
    p = logits.sigmoid()
    expected = [
        -((1 - p[0]) ** 2) * p[0].log(),
        -(0.4**4) * p[1] ** 2 * (1 - p[1]).log(),
        -(p[2] ** 2) * (1 - p[2]).log(),
    ]
    torch.testing.assert_close(focal_loss(logits, wanted), torch.stack(expected))
    extreme = torch.tensor([-200.0, 200.0] * 2, requires_grad=True)
    focal_loss(extreme, torch.tensor([0.0, 0.0, 1.0, 1.0])).sum().backward()  # type: ignore[no-untyped-call]
    assert extreme.grad is not None
    assert torch.isfinite(extreme.grad).all()


def test_at_a_lowest_score_of_0_too_only_peaks_are_told() -> None:
    centre = -torch.arange(25.0).reshape(1, 5, 5)
    falling = CentreMap(centre, torch.ones(2, 5, 5), torch.zeros(2, 5, 5), 4)
    corners, _, scores = peaks(falling, 100, 0.0)
    assert (len(corners), scores.tolist()) == (1, [0.5])


def test_only_peaks_are_told_the_surest_first_and_no_more_than_asked() -> None:
    centre = torch.full((1, 1, 16, 16), -9.0)
    centre[0, 0, 4, 4:7] = torch.tensor([1.0, 2.0, 1.0])  # one box, not three
    centre[0, 0, 10, 10], centre[0, 0, 14, 2] = 0.0, -2.0
    output = CentreMap(centre, torch.full((1, 2, 16, 16), 2.0), torch.full((1, 2, 16, 16), 0.5), 4)
    (one,) = output.images()
    told = [peaks(one, most, lowest) for most, lowest in ((1000, 0.05), (2, 0.05), (100, 0.2), (100, 0.9))]
    assert [len(corners) for corners, _, _ in told] == [3, 2, 2, 0]
    corners, labels, scores = told[0]
    torch.testing.assert_close(scores, torch.tensor([2.0, 0.0, -2.0]).sigmoid())
    assert corners[0].tolist() == [18, 14, 26, 22]  # cell (5, 4): its centre is at (22, 18)
    assert labels.tolist() == [0, 0, 0]
    assert torch.equal(told[1][0], told[2][0])


@pytest.mark.parametrize(
    "wrong",
    [
        target((8, 8, 8, 16, 0)),
        target((16, 8, 8, 16, 0)),
        target((8, 8, 16, 16, 2)),
        target((8, 8, 16, 16, -1)),
        target((70, 8, 90, 16, 0)),
        target((8, 8, 16, 16, 0), (math.nan, 0, 4, 4, 1)),
    ],
)
def test_a_box_that_is_none_is_named(wrong: Target) -> None:
    with pytest.raises(ValueError, match=r"Box \[.*\] of class -?\d is none: .* map of 64 x 64 px, .* from 0 to 1"):
        check_target(wrong, ("bright", "dark"), (64, 64))


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": torch.zeros(0), "labels": torch.zeros(0).long()},
        {"boxes": torch.zeros(1, 4), "labels": torch.zeros(2).long()},
        {"boxes": torch.tensor([[1.0, 1, 5, 5]]), "labels": torch.zeros(1)},
    ],
)
def test_a_target_of_another_shape_is_refused(wrong: Target) -> None:
    with pytest.raises(ValueError, match=r"boxes of shape \[n, 4\] and int64 labels of shape \[n\], but got"):
        check_target(wrong, ("bright", "dark"), (64, 64))
