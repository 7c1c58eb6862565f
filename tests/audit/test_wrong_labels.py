"""Wrong labels: flipped as told, and found again by who has not seen the patient."""

import numpy as np
import pytest

from course_lib.audit.wrong_labels import doubted_places, flip_labels, judged_by_others, standing_out
from course_lib.lessons.small_and_dirty_data import doubted
from course_lib.networks.frozen_features import Features

LABELS = np.arange(40) % 2


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
    with pytest.raises(ValueError, match="labels from 0 to 1"):
        flip_labels(LABELS + 1, 0.1)


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


def test_a_flipped_label_of_three_classes_is_one_of_the_others() -> None:
    labels = np.arange(60) % 3
    flipped = flip_labels(labels, 0.5, classes=3)
    assert (flipped != labels).sum() == 30
    assert set(((flipped - labels) % 3)[flipped != labels].tolist()) == {1, 2}
    with pytest.raises(ValueError, match="labels from 0 to 1"):
        flip_labels(labels, 0.5)
