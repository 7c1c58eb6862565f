"""Segmentation: a loss that leads to the outline, predictions that keep each image's loss, and an honest baseline."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib.evaluation.segmentation import SegmentationPredictions
from course_lib.networks.unet import UNet
from course_lib.support.errors import TrainingError
from course_lib.tasks.segmentation import Segmentation, soft_dice
from tests.tasks.some_samples import samples

TASK = Segmentation(("background", "bright", "dark"))


def blobs(
    images: int, size: tuple[int, ...], seed: int, *, labels: int = 2, place: float | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a bright disc or ball in it and, with a third label, often a dark one: images and their label maps."""
    rng = np.random.default_rng(seed)
    targets = np.zeros((images, *size), np.int64)
    axes = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"))
    for number in range(images):
        for label in range(1, labels):
            if label == 2 and rng.random() < 0.4:
                continue
            radius = rng.uniform(0.2, 0.35) * min(size)
            middle = [side * (rng.uniform(0.25, 0.75) if place is None else place) for side in size]
            inside = np.sum((axes.T - middle).T ** 2, axis=0) < radius**2
            targets[number][inside] = label
    pixels = rng.normal(0, 0.4, targets.shape) + np.array([0, 1.5, -1.5])[targets]
    return torch.tensor(pixels[:, None], dtype=torch.float32), torch.tensor(targets)


def certain(targets: torch.Tensor, labels: int = 3, by: float = 12.0) -> torch.Tensor:
    """Logits of a model that is sure of these labels."""
    return by * F.one_hot(targets, labels).movedim(-1, 1).float()


def predicted(
    task: Segmentation, output: torch.Tensor, targets: torch.Tensor, first: int = 0
) -> SegmentationPredictions:
    names = range(first, first + len(targets))
    return task.predictions(
        output, targets, samples([f"p{i}" for i in names], [f"{i}.png" for i in names], (1.0,) * (targets.ndim - 1))
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "labels", "steps", "batch"), [((33, 40), 2, 48, 6), ((33, 40), 3, 48, 6), ((11, 12, 14), 2, 72, 4)]
)
def test_a_small_network_learns_to_outline(size: tuple[int, ...], labels: int, steps: int, batch: int) -> None:
    task = Segmentation(TASK.labels[:labels])
    torch.manual_seed(0)
    model = UNet(labels, dimensions=len(size), depth=2, width=8)
    images, targets = blobs(64, size, seed=1, labels=labels)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(steps):
        chosen = torch.arange(batch * step, batch * (step + 1)) % len(images)
        optimizer.zero_grad()
        task.loss(model(images[chosen]), targets[chosen]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    images, targets = blobs(24, size, seed=2, labels=labels)
    with torch.inference_mode():
        output = model.eval()(images)
    task.check_output(output, images)
    found = predicted(task, output, targets)
    assert task.score(found) > 0.9
    assert task.score(task.baseline(found)) < 0.5
    assert task.loss_of(found) < task.guessing_loss / 4


@pytest.mark.parametrize("size", [(12, 10), (6, 7, 8)])
def test_the_loss_falls_towards_the_truth_and_rises_away_from_it(size: tuple[int, ...]) -> None:
    _, targets = blobs(3, size, seed=0, labels=3)
    wrong = (targets + 1) % 3
    towards = [float(TASK.loss(certain(targets, by=by), targets)) for by in (0, 1, 3, 12)]
    away = [float(TASK.loss(certain(wrong, by=by), targets)) for by in (0, 1, 3, 12)]
    assert towards == sorted(towards, reverse=True)
    assert away == sorted(away)
    assert towards[-1] < 0.01
    assert towards[0] == pytest.approx(TASK.guessing_loss, abs=0.4)  # Dice of guessing is small, but not nothing


def test_the_loss_is_the_mean_over_the_images_however_they_are_shared_out() -> None:
    _, targets = blobs(5, (20, 20), seed=0, labels=3)
    output, weights = torch.randn(5, 3, 20, 20), torch.tensor([0.2, 1.0, 3.0])
    for arguments in ((), (weights,), (weights, 0.1)):
        singly = [TASK.loss(output[i : i + 1], targets[i : i + 1], *arguments) for i in range(5)]
        torch.testing.assert_close(TASK.loss(output, targets, *arguments), torch.stack(singly).mean())


def test_without_dice_the_loss_is_torchs_cross_entropy() -> None:
    _, targets = blobs(1, (20, 20), seed=0, labels=3)
    output, weights = torch.randn(1, 3, 20, 20), torch.tensor([0.2, 1.0, 3.0])
    for given, smoothing in ((None, 0.0), (weights, 0.0), (None, 0.1), (weights, 0.1)):
        entropy = F.cross_entropy(output, targets, given, label_smoothing=smoothing)
        both = TASK.loss(output, targets, given, smoothing)
        torch.testing.assert_close(both, entropy + 1 - soft_dice(output, targets)[0])


def test_the_dice_of_certain_answers_is_that_of_their_areas() -> None:
    true = torch.zeros(1, 20, 20, dtype=torch.int64)
    true[:, 2:12, 2:12] = 1  # 100 pixels
    answer = torch.zeros_like(true)
    answer[:, 2:12, 7:17] = 1  # 100 pixels, 50 of them right
    assert float(soft_dice(certain(answer, 2, by=40), true)[0]) == pytest.approx(0.5, abs=0.005)


def test_a_pixel_without_weight_does_not_count_and_an_image_of_them_is_no_problem() -> None:
    targets = torch.zeros(1, 8, 8, dtype=torch.int64)
    output = torch.randn(1, 3, 8, 8, requires_grad=True)
    loss = TASK.loss(output, targets, torch.tensor([0.0, 1.0, 1.0]))
    loss.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(loss, 1 - soft_dice(output, targets)[0])
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()


def test_an_image_of_background_alone_costs_nothing_if_it_is_seen_so() -> None:
    nothing = torch.zeros(2, 9, 9, dtype=torch.int64)
    assert float(TASK.loss(certain(nothing), nothing)) < 0.02
    assert float(TASK.loss(certain(nothing + 1), nothing)) > TASK.guessing_loss
    assert TASK.loss_of(predicted(TASK, certain(nothing), nothing)) < 0.02


def test_a_label_that_no_image_of_the_batch_has_is_learned_not_to_be_there() -> None:
    _, targets = blobs(2, (16, 16), seed=0, labels=2)
    output = torch.zeros(2, 3, 16, 16, requires_grad=True)
    TASK.loss(output, targets).backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    assert torch.isfinite(output.grad).all()
    assert (output.grad[:, 2] > 0).all()  # the absent label's logits are to fall


def test_16_bits_give_the_same_loss_in_32_bits() -> None:
    _, targets = blobs(2, (32, 32), seed=0, labels=3)
    output = torch.randn(2, 3, 32, 32)
    half = TASK.loss(output.bfloat16(), targets)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, TASK.loss(output, targets), atol=0.01, rtol=0.01)
    assert predicted(TASK, output.bfloat16(), targets).losses.dtype == np.float64


def test_predictions_keep_what_was_said_and_each_images_loss() -> None:
    images, targets = blobs(3, (10, 12), seed=0, labels=3)
    output = certain(targets) + torch.randn(3, 3, 10, 12)
    TASK.check_output(output, images)
    found = TASK.predictions(output, targets, samples("aab", "123", (0.5, 2.0)))
    assert [p.dtype for p in found.predicted + found.true] == [np.uint8] * 6
    assert all(np.array_equal(p, t) for p, t in zip(found.predicted, output.argmax(1).numpy(), strict=True))
    assert all(np.array_equal(p, t) for p, t in zip(found.true, targets.numpy(), strict=True))
    assert found.spacings == ((0.5, 2.0),) * 3
    assert list(found.patients) == ["a", "a", "b"]
    assert TASK.loss_of(found) == pytest.approx(float(TASK.loss(output, targets)), rel=1e-5)
    assert predicted(TASK, output, targets).spacings == ((1.0, 1.0),) * 3


def test_joined_batches_are_one_set_of_images_of_several_sizes() -> None:
    _, small = blobs(2, (8, 8), seed=0)
    _, large = blobs(1, (9, 12), seed=1)
    parts = [predicted(TASK, certain(small), small), predicted(TASK, certain(large), large, first=2)]
    joined = TASK.join(parts)
    assert joined.files == ("0.png", "1.png", "2.png")
    assert list(joined.patients) == ["p0", "p1", "p2"]
    assert [p.shape for p in joined.predicted] == [(8, 8), (8, 8), (9, 12)]
    assert len(joined.spacings) == len(joined.losses) == len(joined.true) == 3
    assert TASK.score(joined) == pytest.approx(1)
    assert [b.shape for b in TASK.baseline(joined).predicted] == [(8, 8), (8, 8), (9, 12)]


def test_who_does_not_look_has_nothing_where_things_lie_anywhere_and_something_where_they_lie_in_the_middle() -> None:
    task = Segmentation(("background", "bright"))
    scores = []
    for place in (None, 0.5):
        _, targets = blobs(20, (40, 40), seed=0, place=place)
        scores.append(task.score(task.baseline(predicted(task, certain(1 - targets, 2), targets))))
    assert scores[0] < 0.5
    assert scores[1] > 0.7


def test_the_baseline_of_a_patient_comes_from_the_others_alone() -> None:
    task = Segmentation(("background", "bright"))
    targets = torch.zeros(3, 6, 6, dtype=torch.int64)
    targets[:2, :3] = 1  # two images of one patient, and one of another
    targets[2, 3:] = 1
    found = task.predictions(certain(targets, 2), targets, samples("aab", "123"))
    blind = task.baseline(found)
    assert [np.array_equal(p, targets[i].numpy()) for p, i in zip(blind.predicted, (2, 2, 0), strict=True)] == [
        True
    ] * 3
    alone = task.baseline(found.take(np.array([0, 1])))
    assert not any(p.any() for p in alone.predicted)
    assert np.isnan(blind.losses).all()


def test_a_loss_that_is_no_number_names_the_files() -> None:
    _, targets = blobs(3, (8, 8), seed=0)
    output = certain(targets)
    output[1, 0, 0, 0] = math.nan
    with pytest.raises(TrainingError, match=r"1 of 3 images is not a number \(1\.png\)"):
        TASK.loss_of(predicted(TASK, output, targets))


def test_an_output_that_does_not_fit_is_told_what_to_change() -> None:
    images = torch.zeros(2, 1, 8, 9)
    TASK.check_output(torch.zeros(2, 3, 8, 9), images)
    for shape in ((2, 2, 8, 9), (2, 3, 4, 9), (1, 3, 8, 9), (2, 3)):
        with pytest.raises(ValueError, match=r"3 labels .* with \[2, 3, 8, 9\], but it answered .* labels=3"):
            TASK.check_output(torch.zeros(shape), images)
    with pytest.raises(ValueError, match=r"one tensor .* but got tuple"):
        TASK.check_output((torch.zeros(2, 3, 8, 9),), images)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((2, 1, 8, 8), torch.int64),
        ((2, 8, 8), torch.float32),
        ((2, 8, 7), torch.int64),
        ((1, 8, 8), torch.int64),
    ],
)
def test_targets_that_are_no_label_maps_are_refused(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=r"dtype int64 and shape \[2, 8, 8\].*but got"):
        TASK.loss(torch.zeros(2, 3, 8, 8), torch.zeros(shape, dtype=dtype))


@pytest.mark.parametrize("labels", [("background",), ("a", "a"), (), tuple(map(str, range(257)))])
def test_a_segmentation_needs_names_for_two_labels_and_has_room_for_256(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="labels must be 2 to 256 different names"):
        Segmentation(labels)


def test_there_are_no_balanced_weights() -> None:
    with pytest.raises(TrainingError, match=r"not for segmentation .* Take class_weights=None"):
        TASK.class_weights([])


def test_the_task_is_frozen_and_says_what_it_measures() -> None:
    assert TASK.score_name == "Dice"
    with pytest.raises(FrozenInstanceError):
        TASK.labels = ("a", "b")  # type: ignore[misc]
