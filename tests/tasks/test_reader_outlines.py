"""Outlines by several readers: what is learned of them, and that everything is judged against their majority."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course_lib.evaluation.readers import ReaderPredictions, majority
from course_lib.support.errors import DataError, TrainingError
from course_lib.tasks.reader_outlines import OUTLINING, Learned, ReaderOutlines
from tests.tasks.some_samples import NamedSample

VOTES, MAJORITY = ReaderOutlines(), ReaderOutlines("majority")
SIDE = 10  #: px


@dataclass(frozen=True)
class NodulePart(NamedSample):
    """A sample that knows which nodule it is a slice of."""

    nodule: str = ""


def marks(images: int = 3) -> torch.Tensor:
    """Four readers with squares of 4, 5, 6 and 7 px; in the last image only the last of them marked anything."""
    drawn = torch.zeros(images, 4, SIDE, SIDE, dtype=torch.uint8)
    for reader in range(4):
        drawn[:, reader, : reader + 4, : reader + 4] = 1
    drawn[-1, :3] = 0
    return drawn


def some_answer(images: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(images, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def said(task: ReaderOutlines, output: torch.Tensor, targets: torch.Tensor) -> ReaderPredictions:
    names = range(len(targets))
    samples = [NodulePart(Path(f"slice-{i}.png"), f"p{i}", (0.5, 0.7), (), f"p{i}/nodule-0") for i in names]
    return task.predictions(output, targets, samples)


def certain(true: torch.Tensor, by: float = 20.0) -> torch.Tensor:
    """The logits of someone who is sure of a mask [batch, height, width]."""
    return by * (2 * true[:, None].float() - 1)


@pytest.mark.parametrize("reader", range(4))
def test_who_learns_from_one_reader_has_the_loss_of_his_outline_alone(reader: int) -> None:
    logits, targets = some_answer(), marks()
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)  # softmax of 0 and x is sigmoid of x
    expected = OUTLINING.loss(two, targets[:, reader].long())
    torch.testing.assert_close(ReaderOutlines(reader).loss(logits, targets), expected)


def test_who_learns_the_majority_has_the_loss_of_its_outline() -> None:
    logits, targets = some_answer(), marks()
    agreed = torch.from_numpy(np.stack([majority(each) for each in targets.numpy()])).long()
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(MAJORITY.loss(logits, targets), OUTLINING.loss(two, agreed))
    assert not torch.isclose(MAJORITY.loss(logits, targets), VOTES.loss(logits, targets))


@pytest.mark.parametrize("votes", range(5))
def test_the_best_answer_to_votes_is_the_part_of_the_readers_and_both_halves_of_the_loss_pull_there(votes: int) -> None:
    targets = torch.zeros(1, 4, SIDE, SIDE, dtype=torch.uint8)
    targets[:, :votes] = 1
    part = votes / 4
    for probability in (0.1, 0.2, 0.4, 0.6, 0.8, 0.9):
        logits = torch.full((1, 1, SIDE, SIDE), math.log(probability / (1 - probability)), requires_grad=True)
        (all_of_it,) = torch.autograd.grad(VOTES.loss(logits, targets), logits)
        entropy = F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, part))
        (of_dice,) = torch.autograd.grad(VOTES.loss(logits, targets) - entropy, logits)
        for gradient in (all_of_it, of_dice):
            assert (gradient > 0).all() if probability > part else (gradient < 0).all()


def test_dice_of_sharp_votes_asks_for_a_pixel_where_its_part_is_more_than_half_of_the_dice_that_is_reached() -> None:
    """A square that all four marked, a border that two and one that only one of them marked."""
    targets = torch.zeros(1, 4, SIDE, SIDE, dtype=torch.uint8)
    for reader, side in enumerate((8, 6, 5, 5)):
        targets[:, reader, :side, :side] = 1
    logits = torch.full((1, 1, SIDE, SIDE), -3.0)
    logits[..., :5, :5] = 3
    logits.requires_grad_()
    entropy = F.binary_cross_entropy_with_logits(logits, targets.float().mean(1, keepdim=True))
    (pull,) = torch.autograd.grad(ReaderOutlines("sharp votes").loss(logits, targets) - entropy, logits)
    votes = targets.sum(1, keepdim=True)
    assert (pull[votes >= 2] < 0).all(), "towards 1, although half of the readers marked nothing here"
    assert (pull[votes < 2] > 0).all(), "towards 0, although one reader marked it"


def test_the_gradient_is_that_of_small_steps() -> None:
    targets = marks()[..., 2:8, 2:8]
    logits = some_answer()[..., 2:8, 2:8].double().requires_grad_()
    assert torch.unique(targets.sum(1)).tolist() == [0, 1, 2, 3, 4]
    for task in (VOTES, ReaderOutlines("sharp votes"), MAJORITY, ReaderOutlines(2)):
        assert torch.autograd.gradcheck(partial(task.loss, targets=targets), (logits,))


@pytest.mark.parametrize("learn", ["votes", "sharp votes", "majority", 0])
def test_the_loss_is_the_mean_over_the_images_and_begins_at_that_of_guessing(learn: Learned) -> None:
    task, logits, targets = ReaderOutlines(learn), some_answer(), marks()
    singly = [task.loss(logits[i : i + 1], targets[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(task.loss(logits, targets), torch.stack(singly).mean())
    nothing = torch.zeros_like(targets)
    nothing[..., 0, 0] = 1
    assert float(task.loss(torch.zeros_like(logits), nothing)) == pytest.approx(task.guessing_loss, abs=0.1)
    assert task.loss(logits, targets, None, 0.2) != task.loss(logits, targets)


def test_an_image_that_no_reader_marked_costs_nothing_if_nothing_is_said() -> None:
    nothing = torch.zeros(1, 4, SIDE, SIDE, dtype=torch.uint8)
    for task in (VOTES, MAJORITY, ReaderOutlines(1)):
        assert float(task.loss(certain(nothing[:, 0]), nothing)) == pytest.approx(0, abs=1e-5)
        assert float(task.loss(certain(nothing[:, 0] + 1), nothing)) > 1


def test_predictions_keep_all_marks_and_say_of_which_nodule_a_slice_is() -> None:
    logits, targets = some_answer(), marks()
    found = said(VOTES, logits, targets)
    np.testing.assert_allclose(np.stack(found.probabilities), logits[:, 0].sigmoid().numpy(), rtol=1e-6)
    assert np.array_equal(np.stack(found.marks), targets.numpy())
    assert found.files == ("p0/nodule-0/slice-0.png", "p1/nodule-0/slice-1.png", "p2/nodule-0/slice-2.png")
    assert found.nodules.tolist() == ["p0/nodule-0", "p1/nodule-0", "p2/nodule-0"]
    assert found.spacings == ((0.5, 0.7),) * 3
    assert VOTES.loss_of(found) == pytest.approx(float(VOTES.loss(logits, targets)), rel=1e-5)


def test_joined_batches_are_one_set_of_images() -> None:
    logits, targets = some_answer(), marks()
    whole = said(VOTES, logits, targets)
    joined = VOTES.join([whole.take(np.array([0])), whole.take(np.array([1, 2]))])
    assert joined.files == whole.files
    assert joined.nodules.tolist() == whole.nodules.tolist()
    assert VOTES.loss_of(joined) == VOTES.loss_of(whole)
    assert VOTES.score(joined) == VOTES.score(whole)


@pytest.mark.parametrize("learn", ["votes", "sharp votes", "majority", 3])
def test_whatever_is_learned_the_score_is_the_dice_against_the_majority_where_half_of_the_readers_marked(
    learn: Learned,
) -> None:
    task, targets = ReaderOutlines(learn), marks()
    agreed = targets.sum(1) >= 2
    wrong_in_the_last = torch.cat([certain(agreed[:2]), certain(1 - agreed[2:].long())])
    assert task.score(said(task, wrong_in_the_last, targets)) == 1  # one reader marked the last image, which is no half
    assert task.score(said(task, certain(targets[:, 0]), targets)) == pytest.approx(2 * 16 / (16 + 36))
    assert math.isnan(task.score(said(task, certain(agreed[2:]), targets[2:])))


def test_a_single_reader_is_the_majority() -> None:
    alone = marks()[:, :1]
    found = said(VOTES, certain(alone[:, 0]), alone)
    assert VOTES.score(found) == 1
    torch.testing.assert_close(VOTES.loss(some_answer(), alone), ReaderOutlines(0).loss(some_answer(), alone))


def test_who_does_not_look_says_where_the_majority_is_in_other_patients() -> None:
    found = said(VOTES, some_answer(6), marks(6))
    blind = VOTES.baseline(found)
    expected = OUTLINING.baseline(found.outlines())
    assert np.array_equal(np.stack(blind.probabilities), np.stack(expected.predicted))
    assert VOTES.score(blind) == 1  # the majority is the same in all patients that count
    assert np.isnan(blind.losses).all()
    lonely = VOTES.baseline(found.take(np.array([0])))
    assert not np.stack(lonely.probabilities).any()


def test_an_output_that_does_not_fit_is_said() -> None:
    images = torch.zeros(3, 2, SIDE, SIDE)
    VOTES.check_output(some_answer(), images)
    with pytest.raises(ValueError, match=r"one logit a pixel, \[3, 1, 10, 10\].*labels=1"):
        VOTES.check_output(torch.zeros(3, 2, SIDE, SIDE), images)
    with pytest.raises(ValueError, match="but got tuple"):
        VOTES.check_output((some_answer(),), images)  # type: ignore[arg-type]
    spoilt = some_answer()
    spoilt[1, 0, 0, 0] = torch.nan
    with pytest.raises(TrainingError, match=r"p1/nodule-0/slice-1\.png"):
        said(VOTES, spoilt, marks())


@pytest.mark.parametrize(
    "wrong", [marks().long(), marks()[:, 0], marks()[:2], marks()[..., :4], marks()[:, :0]], ids=range(5)
)
def test_targets_that_are_no_marks_are_said(wrong: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"Expected the marks of all readers, uint8 \[3, readers, 10, 10\]"):
        VOTES.loss(some_answer(), wrong)


def test_every_image_needs_as_many_readers_as_the_first() -> None:
    def sample(name: str, readers: int) -> NamedSample:
        return NamedSample(Path(name), "a", (1.0, 1.0), (Path("mask.png"),) * readers)

    VOTES.check_samples([sample("1.png", 4), sample("2.png", 4)])
    with pytest.raises(DataError, match=r"2\.png has marks of 3 readers, 1\.png of 4"):
        VOTES.check_samples([sample("1.png", 4), sample("2.png", 3)])
    with pytest.raises(DataError, match=r"1\.png has marks of 0 readers"):
        VOTES.check_samples([sample("1.png", 0)])
    with pytest.raises(DataError, match=r"learn=4, but 1\.png has 4 readers, 0 to 3"):
        ReaderOutlines(4).check_samples([sample("1.png", 4)])
    with pytest.raises(ValueError, match="no reader 4: the marks are of 4"):
        ReaderOutlines(4).loss(some_answer(), marks())


def test_what_can_not_be_learned_is_said() -> None:
    for wrong in ("vote", -1, True, 1.0):
        with pytest.raises(ValueError, match="learn must be 'votes', 'sharp votes', 'majority', or the number"):
            ReaderOutlines(wrong)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="Take class_weights=None"):
        VOTES.class_weights([0, 1])
    with pytest.raises(TrainingError, match="Take class_weights=None"):
        VOTES.loss(some_answer(), marks(), torch.ones(2))
