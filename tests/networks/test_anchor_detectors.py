"""FCOS and RetinaNet on our backbone: torchvision's own losses and boxes, and trainings that take them as they are."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import box_iou

from course_lib.networks import anchor_detectors
from course_lib.networks.anchor_detectors import (
    CHANNELS,
    OVERLAP,
    AnchorAnswer,
    LiteFCOS,
    LiteRetinaNet,
    _Pyramid,
)
from course_lib.networks.backbones import build_backbone
from course_lib.networks.costs import gflops
from course_lib.support.errors import TrainingError
from course_lib.tasks.centres import Target
from course_lib.tasks.detection import Detection, FoundBoxes
from tests.tasks.scenes import target
from tests.tasks.some_samples import samples

TASK = Detection(("bright", "dark"))
KINDS = [LiteFCOS, LiteRetinaNet]
TARGETS = [target((8, 8, 24, 26, 0), (30, 20, 50, 44, 1)), target(), target((0, 0, 12, 14, 1))]
Detector = LiteFCOS | LiteRetinaNet


@pytest.fixture(scope="module", params=KINDS)
def detector(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    made: Detector = request.param(2, weights=None)
    _make_bolder(made)
    made.eval()
    return made


def _make_bolder(detector: Detector) -> None:
    """Head and answers as after some training: a head that has learned nothing says the same everywhere."""
    with torch.no_grad():
        for name, parameter in detector.head.named_parameters():
            if parameter.ndim == 4:
                parameter.copy_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
            if name.endswith("cls_logits.bias"):
                parameter.fill_(-1.0)
            if name.endswith("bbox_reg.bias") and isinstance(detector, LiteFCOS):
                parameter.fill_(2.0)


def images(number: int, height: int = 64, width: int = 64, seed: int = 0) -> torch.Tensor:
    return torch.randn(number, 3, height, width, generator=torch.Generator().manual_seed(seed))


def torchvisions(detector: Detector, height: int, width: int) -> nn.Module:
    """The same network as torchvision builds it, which prepares images of this size by itself, so that nothing
    changes, computes losses, and tells boxes."""
    torch.manual_seed(0)
    kind: Any = FCOS if isinstance(detector, FCOS) else RetinaNet
    head = FCOSHead(CHANNELS, 1, 2) if kind is FCOS else detector.head
    plain = kind(
        _Pyramid(None),
        2,
        min_size=min(height, width),
        max_size=max(height, width),
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
        anchor_generator=detector.anchor_generator,
        head=head,
        nms_thresh=OVERLAP,
        score_thresh=TASK.lowest_score,
        detections_per_img=TASK.most_boxes,
    )
    plain.load_state_dict(detector.state_dict())
    made: nn.Module = plain.eval()
    return made


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 70)])
def test_the_losses_are_torchvisions(detector: Detector, height: int, width: int) -> None:
    plain, batch = torchvisions(detector, height, width), images(3, height, width)
    plain.training = True  # the outer module alone: it then computes losses, and the layers calculate as they did
    with torch.inference_mode():
        answer, expected = detector(batch), plain(list(batch), TARGETS)
        parts = answer.parts(TARGETS)
    for name, value in expected.items():
        torch.testing.assert_close(parts[name], value)
    assert set(parts) - set(expected) == ({"bbox_ctrness_at_best"} if isinstance(detector, FCOS) else set())
    torch.testing.assert_close(TASK.loss(answer, TARGETS), torch.stack(list(parts.values())).sum())


def test_each_image_costs_what_it_costs_alone(detector: Detector) -> None:
    batch = images(3)
    with torch.inference_mode():
        losses = detector(batch).losses(TARGETS)
        singly = [
            TASK.loss(detector(image), [true]) for image, true in zip(torch.split(batch, 1), TARGETS, strict=True)
        ]
        together = TASK.loss(detector(batch), TARGETS)
    torch.testing.assert_close(losses, torch.stack(singly), rtol=1e-4, atol=1e-5)
    if isinstance(detector, LiteRetinaNet):
        torch.testing.assert_close(together, losses.mean(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 70)])
def test_the_boxes_are_torchvisions(detector: Detector, height: int, width: int) -> None:
    batch = images(2, height, width)
    with torch.inference_mode():
        expected = torchvisions(detector, height, width)(list(batch))
        told = detector(batch).boxes(TASK.most_boxes, TASK.lowest_score)
    for image, (corners, labels, scores) in zip(expected, told, strict=True):
        assert len(scores) > 5
        torch.testing.assert_close(corners, image["boxes"])
        torch.testing.assert_close(scores, image["scores"])
        assert torch.equal(labels, image["labels"])
        assert (corners[:, 2:] <= torch.tensor([width, height])).all()


def test_fewer_boxes_and_surer_ones_on_demand_and_the_detector_stays_as_it_is(detector: Detector) -> None:
    before = detector.score_thresh, detector.detections_per_img
    with torch.inference_mode():
        answer = detector(images(1))
    ((_, _, scores),) = answer.boxes(1000, 0.0)
    ((_, _, few),) = answer.boxes(3, 0.0)
    ((_, _, sure),) = answer.boxes(1000, float(scores[4]))
    assert torch.equal(few, scores[:3])
    assert torch.equal(sure, scores[scores > scores[4]])
    assert (detector.score_thresh, detector.detections_per_img) == before


def test_what_is_learned_of_an_image_does_not_depend_on_its_neighbours(detector: Detector) -> None:
    batch = images(3)
    with torch.inference_mode():
        together = TASK.predictions(detector(batch), TARGETS, samples("abc", ("a.png", "b.png", "c.png")))
        alone = TASK.predictions(detector(batch[2:]), TARGETS[2:], samples("c", ("c.png",)))
    np.testing.assert_allclose(together.losses[2], alone.losses[0], rtol=1e-4)
    np.testing.assert_allclose(together.found[2].corners, alone.found[0].corners, rtol=1e-3, atol=1e-3)
    assert [len(boxes) for boxes in together.true] == [2, 0, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_answer_costs_nothing(kind: Any) -> None:
    torch.manual_seed(0)
    true = [target((20, 20, 40, 44, 1))]
    with torch.inference_mode():
        answer = kind(2, weights=None).eval()(images(1, 32, 32))
    best = _down_the_slope(replace(answer, extent=(64, 64)), true)
    torch.testing.assert_close(best.loss(true), torch.tensor(0.0), atol=0.05, rtol=0)
    ((corners, labels, scores),) = best.boxes(1, 0.5)
    torch.testing.assert_close(corners, true[0]["boxes"], atol=0.5, rtol=0)
    assert labels.tolist() == [1]
    assert scores[0] > 0.7  # of FCOS the root of how probable it is times how central


def _down_the_slope(answer: AnchorAnswer, true: list[Target]) -> AnchorAnswer:
    """The answer with numbers for which little of the loss is left: nothing but the loss says what is right."""
    learned = {name: nn.Parameter(torch.full(values.shape, 0.5)) for name, values in answer.outputs.items()}
    optimizer = torch.optim.Adam(learned.values(), 0.3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.001, 120)
    for _ in range(120):
        optimizer.zero_grad()
        replace(answer, outputs=learned).loss(true).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return replace(answer, outputs={name: values.detach() for name, values in learned.items()})


def test_images_without_boxes_train(detector: Detector) -> None:
    answer = detector(images(2))
    loss = TASK.loss(answer, [target(), target()])
    assert loss > 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(torch.isfinite(p.grad).all() for p in detector.parameters() if p.grad is not None)
    assert detector.head.classification_head.cls_logits.weight.grad.abs().sum() > 0
    detector.zero_grad()


def test_a_thousand_boxes_and_boxes_on_the_edge(detector: Detector) -> None:
    where = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) * 50
    many: Target = {"boxes": torch.cat([where, where + 6], dim=1), "labels": torch.arange(1000) % 2}
    edge = target((0, 0, 64, 64, 0), (60, 60, 64, 64, 1), (-8, 20, 12, 30, 1), (0, 0, 1, 1, 0))
    with torch.inference_mode():
        answer = detector(images(2))
    assert torch.isfinite(answer.losses([many, edge])).all()
    assert math.isfinite(TASK.loss(answer, [many, edge]))


@pytest.mark.parametrize("sixteen", [False, True])
def test_gradients_reach_every_parameter(detector: Detector, sixteen: bool) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=sixteen):
        output = detector(images(2))
    assert isinstance(output, FoundBoxes)
    TASK.loss(output, TARGETS[::2]).backward()  # type: ignore[no-untyped-call]
    assert [name for name, p in detector.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    detector.zero_grad()


def test_before_training_a_box_is_rare_everywhere() -> None:
    kinds: list[Any] = list(KINDS)
    for kind in kinds:
        torch.manual_seed(0)
        with torch.inference_mode():
            logits = kind(2, weights=None).eval()(images(1)).outputs["cls_logits"]
        assert 0.008 < logits.sigmoid().mean() < 0.012


def test_the_anchors_lie_on_the_film_and_keep_their_places_in_16_bits(detector: Detector) -> None:
    wide = images(1, 33, 300)
    with torch.inference_mode():
        full = detector(wide)
        with torch.autocast("cpu", torch.bfloat16):
            half = detector(wide)
    assert half.outputs["cls_logits"].dtype == torch.bfloat16
    assert torch.equal(half.anchors, full.anchors)
    assert full.extent == (300, 33)
    assert full.levels[0] == full.levels[1] * 4 == (320 // 4) * (64 // 4) * (len(full.anchors) // 1700)
    true = [target((250, 8, 270, 30, 0))]
    assert TASK.loss(half, true).dtype == torch.float32
    torch.testing.assert_close(TASK.loss(half, true), TASK.loss(full, true), rtol=0.05, atol=0.05)


def test_channels_last_changes_nothing(detector: Detector) -> None:
    batch = images(2)
    with torch.inference_mode():
        before = detector(batch).outputs
        after = detector.to(memory_format=torch.channels_last)(batch.to(memory_format=torch.channels_last)).outputs
    detector.to(memory_format=torch.contiguous_format)
    for name, values in before.items():
        torch.testing.assert_close(values, after[name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [1, 8])
def test_one_class_or_eight(kind: Any, classes: int) -> None:
    task = Detection(tuple("abcdefgh"[:classes]))
    true = [target((8, 8, 24, 24, classes - 1))]
    with torch.inference_mode():
        answer = kind(classes, weights=None).eval()(inputs := images(1))
    task.check_output(answer, inputs)
    assert math.isfinite(task.loss(answer, true))
    with pytest.raises(ValueError, match=rf"3 classes \(a, b, c\), but the model tells {classes}.*classes=3"):
        Detection(("a", "b", "c")).check_output(answer, inputs)


def test_an_answer_to_other_images_is_refused(detector: Detector) -> None:
    with torch.inference_mode():
        answer = detector(images(2))
    TASK.check_output(answer, images(2))
    for other in (images(1), images(2, 64, 96)):
        with pytest.raises(ValueError, match="got one to 2 images of 64 x 64 px"):
            TASK.check_output(answer, other)
    with pytest.raises(ValueError, match=r"Box .* is none: .* 64 x 64 px"):
        TASK.loss(answer, [target((70, 8, 90, 16, 0)), target()])
    with pytest.raises(ValueError, match="know no weights"):
        TASK.loss(answer, [target()] * 2, torch.ones(2))


def test_weights_that_are_no_numbers_name_the_files(detector: Detector) -> None:
    bias = detector.head.classification_head.cls_logits.bias
    before = bias.detach().clone()
    with torch.inference_mode():
        bias.fill_(math.nan)
        answer = detector(images(2))
        with pytest.raises(TrainingError, match=r"2 of 2 images is not a number \(a\.png, b\.png\)"):
            TASK.predictions(answer, TARGETS[:2], samples("ab", ("a.png", "b.png")))
        bias.copy_(before)


def test_it_begins_with_what_was_learned_from_photographs() -> None:
    theirs = build_backbone("efficientnet_lite0", weights="imagenet").state_dict()
    ours = LiteRetinaNet(2, weights="imagenet").backbone.encoder.state_dict()
    assert all(torch.equal(values, theirs[name]) for name, values in ours.items())


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_is_wrong(kind: Any, detector: Detector) -> None:
    with pytest.raises(ValueError, match="at least one class, but got classes=0"):
        kind(0, weights=None)
    for shape in ((1, 1, 64, 64), (1, 3, 20, 64), (3, 64, 64)):
        with pytest.raises(ValueError, match="takes images of shape"):
            detector(torch.zeros(shape))


@pytest.mark.parametrize(("kind", "narrow", "wide"), [(LiteFCOS, 2.3, 29.6), (LiteRetinaNet, 2.6, 30.8)])
def test_it_costs_what_is_said_of_it(kind: Any, narrow: float, wide: float, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = [gflops(kind(8, weights=None).to("meta"), 256)]
    monkeypatch.setattr(anchor_detectors, "CHANNELS", 256)
    monkeypatch.setattr(_Pyramid, "out_channels", 256)
    counted.append(gflops(kind(8, weights=None).to("meta"), 256))
    assert counted == pytest.approx([narrow, wide], abs=0.05)


def test_a_nodule_of_15_px_is_matched_by_the_cells_of_4_px_only() -> None:
    for cell, expected in ((4, 0.60), (8, 0.37)):
        box = torch.tensor([[0.0, 0.0, 15.0, 15.0]])
        assert float(box_iou(box, box + cell / 2)) == pytest.approx(expected, abs=0.005)
