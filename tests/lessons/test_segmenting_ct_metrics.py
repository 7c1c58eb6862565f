"""Lesson 11: the answers on metrics agree with the course's own metrics, and their inputs hold what is asked for."""

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import label

from course_lib.evaluation import segmentation
from course_lib.evaluation.readers import ReaderPredictions, reader_dice
from course_lib.evaluation.surfaces import hausdorff_distance, surface_distances
from course_lib.lessons.segmenting_ct.agreement import READER_AGREEMENT, reader_agreement
from course_lib.lessons.segmenting_ct.distances import HD95, hd95
from course_lib.lessons.segmenting_ct.lesions import LESIONS, lesions
from course_lib.lessons.segmenting_ct.overlap import DICE, dice

EXERCISES = {exercise.name: exercise for exercise in (DICE, HD95, LESIONS, READER_AGREEMENT)}
SEEDS = range(40)


def drawn(name: str, seed: int) -> Any:
    return EXERCISES[name].draw(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_dice_is_the_courses(seed: int) -> None:
    predicted, true = drawn("dice", seed)
    assert dice(predicted, true) == segmentation.dice(predicted, true)


def test_the_masks_have_one_to_three_axes_and_each_kind_of_emptiness_comes_often() -> None:
    pairs = [drawn("dice", seed) for seed in range(200)]
    assert {true.ndim for _, true in pairs} == {1, 2, 3}
    kinds = [(bool(predicted.any()), bool(true.any())) for predicted, true in pairs]
    assert all(kinds.count(kind) > 15 for kind in ((False, False), (False, True), (True, False)))


@pytest.mark.parametrize("seed", SEEDS)
def test_hd95_of_the_surface_distances_is_the_courses_hausdorff_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, true = (rng.random((2, 6, 5, 4)) < 0.2).tolist()
    masks, spacing = (np.array(predicted), np.array(true)), (2.5, 0.7, 0.7)
    assert hd95(*surface_distances(*masks, spacing)) == pytest.approx(hausdorff_distance(*masks, spacing))


def test_the_distances_have_two_lengths_and_either_direction_may_be_the_larger() -> None:
    pairs = [drawn("hd95", seed) for seed in SEEDS]
    assert all(len(forth) != len(back) for forth, back in pairs)
    larger = [np.percentile(forth, 95) > np.percentile(back, 95) for forth, back in pairs]
    assert 10 < sum(larger) < 30


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lesions_are_those_that_a_loop_counts(seed: int) -> None:
    predicted, true = drawn("lesions", seed)
    touched = [predicted[label(true)[0] == n].any() for n in range(1, label(true)[1] + 1)]
    right = [true[label(predicted)[0] == n].any() for n in range(1, label(predicted)[1] + 1)]
    assert lesions(predicted, true) == (sum(touched), len(touched) - sum(touched), len(right) - sum(right))


def test_an_outline_over_two_lesions_finds_both_and_two_outlines_find_one() -> None:
    apart, over = (
        np.array([[True, False, True, False, False, False]]),
        np.array([[True, True, True, False, False, True]]),
    )
    assert lesions(over, apart) == (2, 0, 1)
    assert lesions(apart, over) == (1, 1, 0)


def test_voxels_that_meet_at_a_corner_are_two_lesions() -> None:
    assert lesions(np.array([[True, False], [False, False]]), np.eye(2, dtype=bool)) == (1, 1, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_agreement_is_the_courses_reader_dice(seed: int) -> None:
    (marks,) = drawn("reader_agreement", seed)
    predictions = ReaderPredictions(
        probabilities=(np.zeros(marks.shape[1:], dtype=np.float32),),
        marks=(marks.astype(np.uint8),),
        spacings=((1.0, 1.0),),
        losses=np.zeros(1),
        patients=np.array(["a"]),
        nodules=np.array(["a1"]),
        files=("a1.png",),
    )
    assert reader_agreement(marks) == pytest.approx(reader_dice(predictions).mean(), nan_ok=True)


def test_the_marks_have_any_number_of_readers_who_marked_something() -> None:
    marked = [int(drawn("reader_agreement", seed)[0].any(axis=(1, 2)).sum()) for seed in range(200)]
    assert set(marked) == {0, 1, 2, 3, 4}
