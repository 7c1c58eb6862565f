"""Discs and balls whose border is off by a voxel: sizes as geometry says, and Dice that small ones lose."""

import numpy as np
import pytest

from course_lib.evaluation.border_errors import ASIDE, TOO_LARGE, TOO_SMALL, ball, border_errors
from course_lib.evaluation.segmentation import dice


def test_a_large_disc_and_a_large_ball_have_the_size_of_geometry() -> None:
    assert ball(40, (1, 0.5)).sum() * 0.5 == pytest.approx(np.pi * 20**2, rel=0.01)
    assert ball(20, (1, 0.7, 0.7)).sum() * 0.49 == pytest.approx(4 / 3 * np.pi * 10**3, rel=0.01)


def test_a_tiny_disc_is_one_pixel() -> None:
    assert ball(0.1, (1, 1)).sum() == 1


@pytest.mark.parametrize("spacing", [(1, 1), (0.7, 0.7), (1, 0.7, 0.7)])
def test_a_small_one_loses_more_dice(spacing: tuple[float, ...]) -> None:
    errors = border_errors((5, 10, 20, 40), spacing)
    for values in errors.dice.values():
        assert (np.diff(values) > 0).all()
    assert errors.dice[TOO_SMALL][0] < 0.8
    assert errors.dice[TOO_LARGE][-1] > 0.94


def test_the_numbers_are_those_of_the_masks() -> None:
    errors = border_errors((6, 12), (2, 1, 1))
    for place, diameter in enumerate((6, 12)):
        true = ball(diameter, (2, 1, 1))
        moved = np.roll(true, 1, axis=2)
        assert errors.dice[ASIDE][place] == dice(moved, true)
        assert errors.sizes[place] == errors.wrong_sizes[ASIDE][place] == 2 * true.sum()
    assert (errors.wrong_sizes[TOO_LARGE] > errors.sizes).all()
    assert (errors.wrong_sizes[TOO_SMALL] < errors.sizes).all()


def test_nothing_reaches_the_border_of_the_array() -> None:
    for spacing in ((1, 1), (0.3, 2.5, 0.7)):
        mask = ball(7, spacing)
        assert all(not np.take(mask, [0, -1], axis=axis).any() for axis in range(mask.ndim))


@pytest.mark.parametrize(
    ("diameter", "spacing", "message"),
    [
        (0, (1, 1), "a diameter above 0 mm, but got 0"),
        (float("nan"), (1, 1), "a diameter above 0 mm"),
        (5, (1,), "two spacings for a disc or three for a ball, but got 1"),
        (5, (1, 0), "a spacing of 2 numbers above 0"),
    ],
)
def test_what_can_not_be_is_refused(diameter: float, spacing: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        border_errors((diameter,), spacing)
