"""The heat-map detector on EfficientNet-Lite0: any size, any stride, and a small head that learns."""

import math

import numpy as np
import pytest
import torch

from course_lib.networks.backbones import build_backbone
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.support.errors import TrainingError
from course_lib.tasks.centres import RARE, CentreMap, Target
from course_lib.tasks.detection import Detection
from tests.tasks.scenes import target
from tests.tasks.some_samples import samples

TASK = Detection(("bright", "dark"))


@pytest.fixture(scope="module")
def detector() -> LiteHeatmapDetector:
    torch.manual_seed(0)
    return LiteHeatmapDetector(2, weights=None).eval()


@pytest.mark.parametrize(("size", "cells"), [((32, 32), (8, 8)), ((33, 50), (9, 13)), ((96, 65), (24, 17))])
@torch.inference_mode()
def test_the_map_covers_an_image_of_any_size(
    detector: LiteHeatmapDetector, size: tuple[int, int], cells: tuple[int, int]
) -> None:
    output = detector(torch.randn(2, 3, *size))
    assert isinstance(output, CentreMap)
    assert output.centre.shape == (2, 2, *cells)
    assert output.size.shape == output.offset.shape == (2, 2, *cells)
    assert (output.size > 0).all()
    assert output.extent == (4 * cells[1], 4 * cells[0])


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
@pytest.mark.parametrize("classes", [1, 8])
@torch.inference_mode()
def test_the_way_up_ends_at_the_stride(classes: int, stride: int) -> None:
    output = LiteHeatmapDetector(classes, weights=None, stride=stride)(torch.randn(2, 3, 64, 64))
    assert output.stride == stride
    assert output.centre.shape == (2, classes, 64 // stride, 64 // stride)


@torch.inference_mode()
def test_before_training_a_centre_is_rare_everywhere() -> None:
    torch.manual_seed(0)
    output = LiteHeatmapDetector(2, weights="imagenet")(torch.randn(4, 3, 64, 64))
    assert RARE / 3 < output.centre.sigmoid().mean() < RARE * 3


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    detector = LiteHeatmapDetector(2, weights=None).train()
    output = detector(torch.randn(4, 3, 32, 32))
    (output.centre.square().sum() + output.size.sum() + output.offset.square().sum()).backward()
    assert [name for name, p in detector.named_parameters() if p.grad is None] == []


def test_it_begins_with_what_was_learned_from_photographs() -> None:
    theirs = build_backbone("efficientnet_lite0", weights="imagenet").state_dict()
    ours = LiteHeatmapDetector(2, weights="imagenet").encoder.state_dict()
    assert all(torch.equal(values, theirs[name]) for name, values in ours.items())


@torch.inference_mode()
def test_it_calculates_with_16_bits(detector: LiteHeatmapDetector) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        output = detector(torch.randn(1, 3, 32, 32))
    assert output.centre.dtype == torch.bfloat16
    assert all(torch.isfinite(part).all() for part in output[:3])


def test_it_says_which_argument_is_wrong() -> None:
    with pytest.raises(ValueError, match="at least one class, but got classes=0"):
        LiteHeatmapDetector(0, weights=None)
    with pytest.raises(ValueError, match="a stride of 2, 4, 8, 16 px, but not 3"):
        LiteHeatmapDetector(1, weights=None, stride=3)


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (1, 3, 20, 64), (3, 64, 64)])
def test_it_says_what_it_can_not_take(detector: LiteHeatmapDetector, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="takes images of shape"):
        detector(torch.zeros(shape))


@torch.inference_mode()
def test_a_thousand_boxes_boxes_on_the_edge_and_none(detector: LiteHeatmapDetector) -> None:
    where = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) * 50
    many: Target = {"boxes": torch.cat([where, where + 6], dim=1), "labels": torch.arange(1000) % 2}
    edge = target((0, 0, 64, 64, 0), (60, 60, 64, 64, 1), (-8, 20, 12, 30, 1), (0, 0, 1, 1, 0))
    told = TASK.predictions(detector(torch.randn(3, 3, 64, 64)), [many, edge, target()], samples("abc", "123"))
    assert np.isfinite(told.losses).all()
    assert [len(boxes) for boxes in told.true] == [1000, 4, 0]
    assert max(len(boxes) for boxes in told.found) <= TASK.most_boxes


@torch.inference_mode()
def test_weights_that_are_no_numbers_name_the_files(detector: LiteHeatmapDetector) -> None:
    bias = detector.head[-1].get_parameter("bias")
    before = bias.clone()
    bias.fill_(math.nan)
    with pytest.raises(TrainingError, match=r"2 of 2 images is not a number \(a\.png, b\.png\)"):
        TASK.predictions(detector(torch.randn(2, 3, 32, 32)), [target()] * 2, samples("ab", ("a.png", "b.png")))
    bias.copy_(before)


@torch.inference_mode()
def test_another_number_of_classes_is_refused(detector: LiteHeatmapDetector) -> None:
    images = torch.randn(1, 3, 33, 40)
    TASK.check_output(detector(images), images)
    with pytest.raises(ValueError, match=r"3 classes \(a, b, c\).*classes=3"):
        Detection(("a", "b", "c")).check_output(detector(images), images)
