"""Detection: a loss that leads to the boxes, peaks instead of suppression, and images without any box."""

import math
from collections.abc import Sequence
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.detection import DetectionPredictions
from course_lib.evaluation.image_scores import image_predictions
from course_lib.networks.detector import HeatmapDetector
from course_lib.support.errors import TrainingError
from course_lib.tasks.centres import CentreMap, Target
from course_lib.tasks.detection import Detection
from tests.tasks.scenes import perfect, scenes, some, target
from tests.tasks.some_samples import samples

TASK = Detection(("bright", "dark"))


def predicted(output: CentreMap, targets: Sequence[Target], first: int = 0) -> DetectionPredictions:
    names = range(first, first + len(targets))
    return TASK.predictions(output, targets, samples([f"p{i}" for i in names], [f"{i}.png" for i in names]))


@pytest.mark.slow
def test_a_small_network_learns_to_find_boxes() -> None:
    torch.manual_seed(0)
    model = HeatmapDetector(2)
    images, targets = scenes(96, seed=1)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for step in range(60):
        batch = [number % len(images) for number in range(12 * step, 12 * step + 12)]
        optimizer.zero_grad()
        TASK.loss(model(images[batch]), [targets[number] for number in batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    images, targets = scenes(32, seed=2)
    assert any(len(true["labels"]) == 0 for true in targets)
    with torch.inference_mode():
        output = model.eval()(images)
    TASK.check_output(output, images)
    found = predicted(output, targets)
    assert TASK.score(found) > 0.9
    assert TASK.score(TASK.baseline(found)) < 0.1
    assert TASK.loss_of(found) < TASK.guessing_loss / 4


def test_who_knows_the_truth_tells_exactly_the_true_boxes() -> None:
    _, targets = scenes(20, seed=3)
    found = predicted(perfect(targets), targets)
    for told, true in zip(found.found, found.true, strict=True):
        order_told, order_true = (np.lexsort(boxes.corners.T) for boxes in (told, true))
        np.testing.assert_allclose(told.corners[order_told], true.corners[order_true], atol=1e-4)
        assert list(told.classes[order_told]) == list(true.classes[order_true])
        assert (told.scores > 0.99).all()
        assert (true.scores == 1).all()
    assert TASK.score(found) == pytest.approx(1)


def test_the_loss_falls_towards_the_truth_and_rises_away_from_it() -> None:
    _, targets = scenes(8, seed=3)
    shifted = [{**true, "labels": 1 - true["labels"]} for true in targets]
    towards = [float(TASK.loss(perfect(targets, sure=sure), targets)) for sure in (2, 4, 8, 20)]
    away = [float(TASK.loss(perfect(shifted, sure=sure), targets)) for sure in (2, 4, 8, 20)]
    assert towards == sorted(towards, reverse=True)
    assert away == sorted(away)
    assert towards[-1] == pytest.approx(0, abs=1e-4)
    assert all(map(math.isfinite, away))


@pytest.mark.parametrize("part", ["size", "offset"])
def test_a_box_of_the_wrong_size_or_place_costs_more(part: str) -> None:
    targets = [target((8, 8, 20, 24, 0))]
    right = perfect(targets)
    wrong = right._replace(**{part: getattr(right, part) + 0.5})
    assert TASK.loss(wrong, targets) > TASK.loss(right, targets) + 0.09


def test_the_loss_is_the_mean_over_the_images_however_they_are_shared_out() -> None:
    _, targets = scenes(6, seed=4)
    output = CentreMap(torch.randn(6, 2, 16, 16), torch.rand(6, 2, 16, 16), torch.rand(6, 2, 16, 16), 4)
    for weights in (None, torch.tensor([0.5, 2.0])):
        singly = [TASK.loss(some(output, slice(i, i + 1)), targets[i : i + 1], weights) for i in range(6)]
        torch.testing.assert_close(TASK.loss(output, targets, weights), torch.stack(singly).mean())


def test_a_class_without_weight_costs_nothing_but_its_boxes_size_and_place() -> None:
    targets = [target((8, 8, 20, 24, 1))]
    output = perfect(targets)._replace(centre=torch.zeros(1, 2, 16, 16))
    only_first = TASK.loss(output, targets, torch.tensor([1.0, 0.0]))
    assert only_first == pytest.approx(256 * 0.25 * math.log(2), rel=1e-5)  # 256 cells, each half sure: (1/2)^2 ln 2


def test_an_image_without_boxes_costs_only_its_false_alarms() -> None:
    none = [target(), target()]
    quiet, loud = perfect(none), perfect([target((8, 8, 20, 20, 0))] * 2)
    assert float(TASK.loss(quiet, none)) < 1e-3
    assert float(TASK.loss(loud, none)) > 5
    found = predicted(loud, none)
    assert [len(boxes) for boxes in found.true] == [0, 0]
    assert [boxes.corners.shape for boxes in predicted(quiet, none).found] == [(0, 4), (0, 4)]
    assert not found.measurable


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    model = HeatmapDetector(2, width=4)
    images, targets = scenes(6, seed=5)
    TASK.loss(model(images), targets).backward()  # type: ignore[no-untyped-call]
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert still == []


def test_16_bits_give_the_same_loss_in_32_bits() -> None:
    _, targets = scenes(4, seed=6)
    output = CentreMap(torch.randn(4, 2, 16, 16), torch.rand(4, 2, 16, 16), torch.rand(4, 2, 16, 16), 4)
    half = CentreMap(output.centre.bfloat16(), output.size.bfloat16(), output.offset.bfloat16(), 4)
    loss = TASK.loss(half, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, TASK.loss(output, targets), rtol=0.01, atol=0.01)
    assert predicted(half, targets).losses.dtype == np.float64


def test_guessing_is_what_a_box_costs_who_holds_it_for_rare() -> None:
    torch.manual_seed(0)
    images, targets = scenes(20, seed=7)
    with torch.inference_mode():
        loss = float(TASK.loss(HeatmapDetector(2)(images), targets))
    assert TASK.guessing_loss / 2 < loss < 2 * TASK.guessing_loss


def test_boxes_end_where_the_map_ends_and_a_centre_may_lie_on_its_edge() -> None:
    targets = [target((56, 56, 72, 72, 0), (0, 0, 2, 2, 1))]
    output = perfect([target((50, 50, 62, 62, 0))])._replace(size=torch.full((1, 2, 16, 16), 9.0))
    assert math.isfinite(TASK.loss(output, targets))
    np.testing.assert_allclose(predicted(output, targets).found[0].corners, [[38, 38, 64, 64]])


def test_joined_batches_are_one_set_of_images() -> None:
    _, targets = scenes(5, seed=8)
    output = perfect(targets)
    parts = [predicted(some(output, cut), targets[cut], first=cut.start) for cut in (slice(0, 3), slice(3, 5))]
    joined, whole = TASK.join(parts), predicted(output, targets)
    assert joined.files == whole.files
    assert list(joined.patients) == list(whole.patients)
    np.testing.assert_allclose(joined.losses, whole.losses)
    for one, other in zip(joined.found + joined.true, whole.found + whole.true, strict=True):
        np.testing.assert_array_equal(one.corners, other.corners)
    assert TASK.loss_of(whole) == pytest.approx(float(TASK.loss(output, targets)))


def test_who_does_not_look_says_where_the_others_have_their_boxes() -> None:
    targets = [target((8, 8, 16, 16, 0)), target((8, 8, 16, 20, 0)), target((30, 30, 40, 40, 1)), target()]
    found = TASK.predictions(perfect(targets), targets, samples("aabc", "1234"))
    blind = TASK.baseline(found)
    np.testing.assert_allclose(blind.found[0].corners, [[30, 30, 40, 40]])  # what b has
    np.testing.assert_allclose(blind.found[2].corners, [[8, 8, 16, 18]])
    np.testing.assert_allclose(blind.found[2].scores, [2 / 4])
    np.testing.assert_allclose(blind.found[3].scores, [2 / 4, 1 / 4])
    np.testing.assert_allclose(blind.found[3].corners, [[8, 8, 16, 18], [30, 30, 40, 40]])
    assert list(blind.found[3].classes) == [0, 1]
    assert TASK.baseline(found.take(np.array([0, 1]))).found[0].corners.shape == (0, 4)
    assert np.isnan(blind.losses).all()


def test_who_does_not_look_can_not_tell_which_image_has_something() -> None:
    """The part of the others' images would be lower where the image itself has one, and so tell it backwards."""
    box = (8, 8, 16, 16, 0)
    targets = [target(box), target(box), target(), target(), target()]
    found = TASK.predictions(perfect(targets), targets, samples("abcde", "12345"))
    asked = image_predictions(TASK.baseline(found), TASK.classes[:1])
    assert auroc(asked) == 0.5


def test_a_loss_that_is_no_number_names_the_files() -> None:
    targets = [target(), target((8, 8, 16, 16, 0))]
    output = perfect(targets)
    output.size[1] = math.nan
    with pytest.raises(TrainingError, match=r"1 of 2 images is not a number \(1\.png\)"):
        TASK.loss_of(predicted(output, targets))


def test_an_output_that_does_not_fit_is_told_what_to_change() -> None:
    images, output = torch.zeros(2, 1, 62, 64), perfect([target()] * 2)
    TASK.check_output(output, images)
    for wrong in (
        output._replace(centre=torch.zeros(2, 3, 16, 16)),
        output._replace(size=torch.zeros(2, 1, 16, 16)),
        output._replace(offset=torch.zeros(1, 2, 16, 16)),
        output._replace(stride=8),
    ):
        with pytest.raises(ValueError, match=r"2 classes \(bright, dark\).*must answer.*classes=2"):
            TASK.check_output(wrong, images)
    with pytest.raises(ValueError, match="a CentreMap for example, but got Tensor"):
        TASK.check_output(torch.zeros(2, 2), images)  # type: ignore[arg-type]


def test_targets_and_images_are_counted_and_labels_are_not_smoothed() -> None:
    with pytest.raises(ValueError, match="a target for each of 2 images, but got 1"):
        TASK.loss(perfect([target()] * 2), [target()])
    with pytest.raises(ValueError, match=r"label_smoothing must be 0 for detection, but is 0\.1"):
        TASK.loss(perfect([target()]), [target()], None, 0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((),), "at least one name"),
        ((("a", "a"),), "each different"),
        ((("a",), 0), "most_boxes must be at least 1"),
        ((("a",), 5, 1.5), "lowest_score must be from 0 to 1"),
    ],
)
def test_a_detection_says_which_argument_is_wrong(arguments: tuple[tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Detection(*arguments)


def test_there_are_no_balanced_weights() -> None:
    with pytest.raises(TrainingError, match=r"not for detection .* Take class_weights=None"):
        TASK.class_weights([target()])


def test_the_task_is_frozen_and_says_what_it_measures() -> None:
    assert TASK.score_name == "FROC"
    with pytest.raises(FrozenInstanceError):
        TASK.classes = ("a",)  # type: ignore[misc]
