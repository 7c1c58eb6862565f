"""How far a map meets the truth: as by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from course_lib.explain.localisation import estimate, overlap, pointing_game
from course_lib.lessons import explaining_predictions as explaining

MASK = np.zeros((1, 4, 4), dtype=bool)


MASK[0, :2, :2] = True


@pytest.mark.parametrize(
    ("heat", "pointed", "shared"),
    [
        (np.arange(16.0)[::-1], 1.0, 0.5),
        (np.arange(16.0), 0.0, 0.0),
        (MASK[0].astype(float), 1.0, 1.0),
        (-MASK[0].astype(float), 0.0, 0.0),
        (np.zeros(16), 0.25, 0.25),
        (np.r_[3.0, np.ones(15)], 1.0, (1 + 3 * 3 / 15) / 4),
    ],
)
def test_a_map_is_scored_as_by_hand(heat: np.ndarray, pointed: float, shared: float) -> None:
    assert pointing_game(heat.reshape(1, 4, 4), MASK) == pytest.approx([pointed])
    assert overlap(heat.reshape(1, 4, 4), MASK) == pytest.approx([shared])


def test_the_scores_are_those_of_the_exercises() -> None:
    rng = np.random.default_rng(0)
    maps, masks = rng.permutation(3 * 48).reshape(3, 6, 8).astype(float), rng.random((3, 6, 8)) < 0.3
    assert overlap(maps, masks) == pytest.approx([*map(explaining.overlap, maps, masks)])
    assert pointing_game(maps, masks) == pytest.approx(
        [float(explaining.hits(*pair)) for pair in zip(maps, masks, strict=True)]
    )


@pytest.mark.parametrize("score", [pointing_game, overlap])
def test_a_score_needs_masks_that_fit_and_are_not_empty(score: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"\[1, 4, 4\] and \[1, 4, 5\]"):
        score(np.zeros((1, 4, 4)), np.ones((1, 4, 5), dtype=bool))
    with pytest.raises(ValueError, match="A mask is empty"):
        score(np.zeros((2, 4, 4)), np.concatenate([MASK, np.zeros_like(MASK)]))


def test_an_estimate_is_a_mean_with_an_interval() -> None:
    value, low, high = estimate(np.r_[np.zeros(50), np.ones(50)])
    assert value == 0.5
    assert 0.38 < low < 0.45
    assert 0.55 < high < 0.62
    assert estimate(np.ones(5)) == (1, 1, 1)
