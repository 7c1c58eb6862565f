"""Kind and outline: two questions and one loss, in which an image without a mask teaches its kind alone."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib.evaluation.kinds_and_outlines import KindsAndOutlines
from course_lib.evaluation.segmentation import mean_dice
from course_lib.support.errors import DataError, TrainingError
from course_lib.tasks.kind_and_outline import NO_MASK, OUTLINING, Answer, KindAndOutline, Truth
from tests.tasks.some_samples import NamedSample, samples

TASK = KindAndOutline(("round", "square", "flat"))


def truth(drawn: tuple[bool, ...] = (True, True, False, True)) -> Truth:
    """A tumour in one corner of each image, of another size in each; some without a mask."""
    outline = torch.zeros(len(drawn), 12, 10, dtype=torch.int64)
    for number, there in enumerate(drawn):
        outline[number, : number + 3, :4] = 1
        if not there:
            outline[number] = NO_MASK
    return Truth(torch.arange(len(drawn)) % 3, outline)


def some_answer(images: int = 4, seed: int = 0) -> Answer:
    random = torch.Generator().manual_seed(seed)
    return Answer(torch.randn(images, 3, generator=random), torch.randn(images, 2, 12, 10, generator=random))


def certain(targets: Truth, by: float = 12.0) -> Answer:
    """What a model says that is sure of the truth."""
    outline = F.one_hot(targets.outline.clamp(min=0), 2).movedim(-1, 1)
    return Answer(by * F.one_hot(targets.kind, 3).float(), by * outline.float())


def said(answer: Answer, targets: Truth) -> KindsAndOutlines:
    names = range(len(targets.kind))
    return TASK.predictions(answer, targets, samples([f"p{i}" for i in names], [f"{i}.png" for i in names]))


def part_of(of: Answer | Truth, chosen: slice) -> tuple[torch.Tensor, torch.Tensor]:
    return of.kind[chosen], of.outline[chosen]


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 1.5])])
def test_the_loss_is_that_of_the_kind_and_that_of_the_outline_where_there_is_a_mask(
    weights: torch.Tensor | None,
) -> None:
    answer, targets = some_answer(), truth()
    of_kinds = F.cross_entropy(answer.kind, targets.kind, weights, label_smoothing=0.1)
    of_outlines = sum(float(OUTLINING.loss(answer.outline[i : i + 1], targets.outline[i : i + 1])) for i in (0, 1, 3))
    assert float(TASK.loss(answer, targets, weights, 0.1)) == pytest.approx(float(of_kinds) + of_outlines / 4, rel=1e-5)


def test_the_loss_is_the_mean_over_the_images_however_they_are_shared_out() -> None:
    answer, targets = some_answer(), truth()
    singly = [
        TASK.loss(Answer(*part_of(answer, slice(i, i + 1))), Truth(*part_of(targets, slice(i, i + 1))))
        for i in range(4)
    ]
    torch.testing.assert_close(TASK.loss(answer, targets), torch.stack(singly).mean())


def test_an_image_without_a_mask_says_nothing_of_the_outline() -> None:
    answer, targets = some_answer(), truth((False,) * 4)
    for part in answer:
        part.requires_grad_()
    loss = TASK.loss(answer, targets)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(loss, F.cross_entropy(answer.kind, targets.kind))
    assert answer.outline.grad is not None
    assert not answer.outline.grad.any()


def test_the_loss_falls_towards_the_truth_and_begins_at_that_of_guessing() -> None:
    targets = truth((True,) * 4)
    losses = [float(TASK.loss(certain(targets, by), targets)) for by in (0, 1, 3, 12)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.02
    assert losses[0] == pytest.approx(TASK.guessing_loss, abs=0.4)  # Dice of guessing is small, but not nothing


def test_predictions_keep_what_was_said_and_what_no_one_drew() -> None:
    answer, targets = some_answer(), truth()
    found = said(answer, targets)
    np.testing.assert_allclose(found.kinds.probabilities, answer.kind.softmax(1).numpy(), atol=1e-6)
    assert found.has_mask.tolist() == [True, True, False, True]
    assert np.isnan(found.losses).tolist() == [False, False, True, False]
    np.testing.assert_allclose(np.stack(found.tumours), answer.outline.softmax(1)[:, 1].numpy(), atol=1e-3)
    assert TASK.loss_of(found) == pytest.approx(float(TASK.loss(answer, targets)), rel=1e-5)
    assert found.outlines.files == ("0.png", "1.png", "3.png")


def test_joined_batches_are_one_set_of_images() -> None:
    answer, targets = some_answer(), truth()
    whole = said(answer, targets)
    ends = [
        TASK.predictions(
            Answer(*part_of(answer, part)), Truth(*part_of(targets, part)), samples("ab", [f"{part.start}", "x"])
        )
        for part in (slice(0, 2), slice(2, 4))
    ]
    joined = TASK.join(ends)
    assert joined.files == ("0", "x", "2", "x")
    assert TASK.loss_of(joined) == pytest.approx(TASK.loss_of(whole))
    assert TASK.score(joined) == pytest.approx(TASK.score(whole))


def test_the_score_is_1_where_all_is_right_and_does_not_exist_without_a_mask_or_a_kind() -> None:
    assert TASK.score(said(certain(truth()), truth())) == 1
    no_mask = truth((False,) * 4)
    assert math.isnan(TASK.score(said(certain(no_mask), no_mask)))
    two_kinds = truth((True, True))
    assert math.isnan(TASK.score(said(certain(two_kinds), two_kinds)))


def test_who_does_not_look_says_the_most_frequent_kind_and_outlines_what_most_others_have() -> None:
    targets = truth()
    blind = TASK.baseline(said(some_answer(), targets))
    assert blind.kinds.most_probable.tolist() == [0, 0, 0, 0]
    expected = OUTLINING.baseline(blind.outlines)
    assert mean_dice(blind.outlines) == pytest.approx(mean_dice(expected))
    assert mean_dice(expected) > 0.5
    assert not blind.tumours[2].any()
    assert np.isnan(blind.losses).all()
    no_mask = TASK.baseline(said(some_answer(), truth((False,) * 4)))
    assert not np.stack(no_mask.tumours).any()


def test_what_does_not_fit_is_said() -> None:
    images = torch.zeros(4, 3, 12, 10)
    TASK.check_output(some_answer(), images)
    with pytest.raises(ValueError, match="an Answer, but got Tensor"):
        TASK.check_output(some_answer().kind, images)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="3 classes"):
        TASK.check_output(some_answer()._replace(kind=torch.zeros(4, 2)), images)
    with pytest.raises(ValueError, match="2 labels"):
        TASK.check_output(some_answer()._replace(outline=torch.zeros(4, 3, 12, 10)), images)
    with pytest.raises(DataError, match=r"no\.png"):
        TASK.check_samples([NamedSample(Path("no.png"), "a", (1.0, 1.0), target=3)])
    spoilt = some_answer()
    spoilt.outline[1] = torch.nan
    with pytest.raises(TrainingError, match=r"1\.png"):
        said(spoilt, truth())


def test_kinds_can_count_alike_however_many_their_images() -> None:
    assert TASK.class_weights([0, 0, 1, 2]).tolist() == pytest.approx([2 / 3, 4 / 3, 4 / 3])
