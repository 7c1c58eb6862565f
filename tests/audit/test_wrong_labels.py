"""Spoiling on purpose does what it says and no more; the surest answers are the surest."""

import numpy as np
import pytest
import torch

from course_lib.audit.wrong_labels import doubted_places, flip_labels, judged_by_others, standing_out
from course_lib.data.scanners import BURNT, OTHER_SCANNER, Scanner
from course_lib.evaluation.abstention import risk_coverage, surest
from course_lib.evaluation.classification import accuracy
from course_lib.evaluation.predictions import Predictions, loss_of_each
from course_lib.lessons.small_and_dirty_data import doubted
from course_lib.networks.frozen_features import Features

LABELS = np.arange(40) % 2


def predictions(scores: list[float], labels: list[int]) -> Predictions:
    second = np.array(scores)
    names = tuple(f"{i}.jpeg" for i in range(len(scores)))
    return Predictions(
        np.stack([1 - second, second], axis=1), np.array(labels), np.array(names), names, ("NORMAL", "PNEUMONIA")
    )


FOUR = predictions([0.1, 0.45, 0.9, 0.6], [0, 1, 1, 0])  # the two surest are right, the two others wrong


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 1.0])
def test_just_this_share_of_the_labels_is_flipped(share: float) -> None:
    before = LABELS.copy()
    assert (flip_labels(LABELS, share) != LABELS).sum() == round(share * len(LABELS))
    assert np.array_equal(LABELS, before)
    assert np.array_equal(flip_labels(LABELS, share, seed=3), flip_labels(LABELS, share, seed=3))


def test_another_seed_flips_others_and_nonsense_is_refused() -> None:
    assert not np.array_equal(flip_labels(LABELS, 0.3, seed=0), flip_labels(LABELS, 0.3, seed=1))
    with pytest.raises(ValueError, match="share from 0 to 1"):
        flip_labels(LABELS, 1.1)
    with pytest.raises(ValueError, match="labels that are 0 or 1"):
        flip_labels(LABELS + 1, 0.1)


def test_the_losses_are_those_of_torch() -> None:
    expected = torch.nn.functional.nll_loss(
        torch.tensor(FOUR.probabilities).log(), torch.tensor(FOUR.labels), reduction="none"
    )
    np.testing.assert_allclose(loss_of_each(FOUR), expected.numpy())
    assert np.isfinite(loss_of_each(predictions([1.0], [0]))).all()


def test_wrong_labels_are_doubted_by_a_probe_that_has_not_seen_the_patient() -> None:
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32) + 4 * LABELS[:, None]
    spoilt = flip_labels(LABELS, 0.1)
    names = tuple(f"{i}.jpeg" for i in range(40))
    seen = Features(values, spoilt, np.array([f"p{i // 2}" for i in range(40)]), names, ("NORMAL", "PNEUMONIA"))
    said = judged_by_others(seen, regularisation=1.0)
    assert set(np.flatnonzero(spoilt != LABELS).tolist()) <= set(doubted_places(said).tolist())
    assert doubted_places(said).tolist() == doubted(said.probabilities, said.labels)  # by hand, in exercise 7.5


def test_few_far_values_stand_out_and_do_not_hide_each_other() -> None:
    values = np.array([0.5, 0.52, 0.48, 0.51, 0.49, 0.9, 0.95, 0.1])
    assert np.flatnonzero(standing_out(values)).tolist() == [5, 6, 7]


def test_a_scanner_changes_greys_as_it_says() -> None:
    film = torch.tensor([0.0, 0.25, 1.0])
    assert torch.equal(Scanner()(film), film)
    torch.testing.assert_close(Scanner(gamma=0.5, black=0.2, white=0.8)(film), torch.tensor([0.2, 0.5, 0.8]))
    torch.testing.assert_close(BURNT(torch.tensor([0.2, 0.5])), torch.tensor([0.6, 1.0]))


def test_a_scanner_gives_images_back_in_their_shape_and_leaves_the_given_ones() -> None:
    films = torch.rand(3, 1, 8, 8)
    before = films.clone()
    seen = OTHER_SCANNER(films)
    assert seen.shape == films.shape
    assert 0 <= seen.min() <= seen.max() <= 1
    assert torch.equal(films, before)


def test_the_surest_lie_farthest_from_the_threshold() -> None:
    assert set(surest(FOUR, 0.5, 0.5).files) == {"0.jpeg", "2.jpeg"}
    assert surest(FOUR, 0.85, 0.5).files == ("0.jpeg", "1.jpeg")
    assert len(surest(FOUR, 0.5, 0.01)) == 1
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        surest(FOUR, 0.5, 0)


def test_far_from_the_threshold_is_meant_in_logits() -> None:
    assert surest(predictions([0.6, 0.98], [0, 1]), 0.8, 0.5).files == ("1.jpeg",)


def test_risk_and_coverage_are_counted_from_the_surest_on() -> None:
    coverage, risk = risk_coverage(FOUR, 0.5)
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 0, 1 / 3, 1 / 2])
    assert risk[-1] == pytest.approx(1 - accuracy(FOUR, 0.5))
