"""The detector: one map that covers an image of any size."""

import pytest
import torch

from course_lib.networks.detector import STRIDE, HeatmapDetector
from course_lib.tasks.centres import RARE, CentreMap


@pytest.mark.parametrize(("size", "cells"), [((64, 64), (16, 16)), ((61, 50), (16, 13)), ((1, 130), (1, 33))])
@pytest.mark.parametrize("classes", [1, 3])
def test_the_map_covers_an_image_of_any_size(size: tuple[int, int], cells: tuple[int, int], classes: int) -> None:
    output = HeatmapDetector(classes, 2, width=4)(torch.randn(2, 2, *size))
    assert isinstance(output, CentreMap)
    assert output.stride == STRIDE
    assert output.centre.shape == (2, classes, *cells)
    assert output.size.shape == output.offset.shape == (2, 2, *cells)
    assert (output.size > 0).all()
    assert output.extent == (STRIDE * cells[1], STRIDE * cells[0])


def test_before_training_a_centre_is_rare_everywhere() -> None:
    torch.manual_seed(0)
    output = HeatmapDetector(2)(torch.randn(2, 1, 64, 64))
    assert RARE / 3 < output.centre.sigmoid().mean() < RARE * 3


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    detector = HeatmapDetector(2, width=4)
    output = detector(torch.randn(2, 1, 32, 32))
    (output.centre.square().sum() + output.size.sum() + output.offset.square().sum()).backward()
    still = [name for name, p in detector.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert still == []


def test_channels_last_changes_nothing() -> None:
    torch.manual_seed(0)
    detector, images = HeatmapDetector(2, 3, width=4), torch.randn(2, 3, 30, 41)
    before = detector(images)
    after = detector.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
    for one, other in zip(before[:3], after[:3], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_it_calculates_with_16_bits() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        output = HeatmapDetector(2, width=4)(torch.randn(1, 1, 32, 32))
    assert output.centre.dtype == torch.bfloat16
    assert all(torch.isfinite(part).all() for part in output[:3])


@pytest.mark.parametrize("wrong", [{"classes": 0}, {"channels": 0}, {"width": 5}, {"width": 0}])
def test_it_says_which_argument_is_wrong(wrong: dict[str, int]) -> None:
    (name, value), *_ = wrong.items()
    with pytest.raises(ValueError, match=f"at least one class, one channel and a width .*{name}={value}"):
        HeatmapDetector(**{"classes": 2, **wrong})


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 3, 16, 16), (1, 1, 8, 8, 8), (1, 1, 0, 16)])
def test_it_says_what_it_can_not_take(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images of shape \[batch, 1, height, width\], but got"):
        HeatmapDetector(2)(torch.zeros(shape))
