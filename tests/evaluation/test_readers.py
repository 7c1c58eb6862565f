"""Several readers: with whom each is compared, and what becomes of those who marked nothing."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.evaluation.intervals import bootstrap_interval, compare
from course_lib.evaluation.readers import (
    ReaderPredictions,
    against_the_others,
    majority,
    majority_dice,
    reader_dice,
)
from course_lib.evaluation.segmentation import ImageScores, mean_dice
from tests.evaluation.made_readers import SIDE, read, square

NOTHING = square(0)


@pytest.fixture
def predictions() -> ReaderPredictions:
    """Images marked by 0 to 4 of four readers, of two patients."""
    marked = [[square(4)] * number + [NOTHING] * (4 - number) for number in range(5)]
    return read(marked, [square(4)] * 5, patients=["a", "a", "a", "b", "b"], nodules=["a0", "a0", "a1", "b0", "b0"])


def noisy_readers(images: int, readers: int = 4, seed: int = 0) -> ReaderPredictions:
    """Readers who each flip some pixels of one and the same truth, and a model that does so as often as they."""
    rng = np.random.default_rng(seed)
    truth = square(4, at=2).astype(bool)
    flipped = rng.random((images, readers + 1, SIDE, SIDE)) < 0.12
    drawn = (truth ^ flipped).astype(np.uint8)
    return read([list(each[:-1]) for each in drawn], [each[-1] for each in drawn])


def test_half_of_all_readers_are_a_majority_and_who_marked_nothing_counts() -> None:
    marks = np.stack([square(4), square(3), square(2), NOTHING])
    assert np.array_equal(majority(marks), square(3) == 1)
    assert np.array_equal(majority(marks[:3]), square(3) == 1)  # two of three
    assert np.array_equal(majority(marks[:2]), square(4) == 1)  # one of two is half of them
    assert np.array_equal(majority(marks[:1]), square(4) == 1)
    assert not majority(np.stack([square(4), NOTHING, NOTHING, NOTHING])).any()
    with pytest.raises(ValueError, match="There is no reader, so there is no majority"):
        majority(marks[:0])


def test_images_are_taken_by_how_many_readers_marked_them(predictions: ReaderPredictions) -> None:
    assert predictions.readers == 4
    assert predictions.readers_who_marked.tolist() == [0, 1, 2, 3, 4]
    assert [len(predictions.marked_by(number)) for number in range(5)] == [5, 4, 3, 2, 1]
    assert predictions.marked_by(3).files == ("3.png", "4.png")
    assert predictions.marked_by(3).nodules.tolist() == ["b0", "b0"]
    for number in (5, -1):
        with pytest.raises(ValueError, match=rf"from 0 to 4, but got {number}"):
            predictions.marked_by(number)
    none = predictions.take(np.array([0])).marked_by(1)
    assert (len(none), none.readers, len(none.marked_by(2))) == (0, 0, 0)


def test_what_is_taken_stays_together(predictions: ReaderPredictions) -> None:
    taken = replace(predictions, losses=np.arange(5.0)).take(np.array([4, 4, 0]))
    assert taken.files == ("4.png", "4.png", "0.png")
    assert taken.patients.tolist() == ["b", "b", "a"]
    assert taken.nodules.tolist() == ["b0", "b0", "a0"]
    assert taken.losses.tolist() == [4, 4, 0]
    assert [int(marks.sum()) for marks in taken.marks] == [64, 64, 0]
    assert taken.measurable


def test_where_there_is_no_majority_only_an_empty_answer_is_right(predictions: ReaderPredictions) -> None:
    scores = majority_dice(predictions)
    assert scores.values[:, 0].tolist() == [0, 0, 1, 1, 1]
    silent = replace(predictions, probabilities=(np.zeros((SIDE, SIDE), np.float32),) * 5)
    assert majority_dice(silent).values[:, 0].tolist() == [1, 1, 0, 0, 0]
    assert majority_dice(predictions.marked_by(2)).mean() == 1
    assert mean_dice(predictions.outlines()) == scores.mean()
    assert np.isnan(majority_dice(predictions.take(np.array([], dtype=np.int64))).mean())


def test_two_who_marked_different_places_have_no_majority_either() -> None:
    apart = read([[square(2), square(2, at=4), NOTHING, NOTHING]], [square(2)])
    assert len(apart.marked_by(2)) == 1
    assert majority_dice(apart).mean() == 0


def test_the_threshold_says_what_belongs_to_the_outline() -> None:
    unsure = read([[square(4)] * 4], [0.5 * square(4) + 0.4 * square(2)])
    assert majority_dice(unsure).mean() == pytest.approx(2 * 4 / (4 + 16))  # a half is not above a half
    assert majority_dice(unsure, 0.4).mean() == 1


def test_readers_agree_as_the_pairs_of_those_do_who_marked_something() -> None:
    scores = reader_dice(read([[square(4), square(2), NOTHING, NOTHING], [square(4)] * 2 + [square(2)] * 2]))
    assert scores.values[:, 0].tolist() == pytest.approx([2 * 4 / 20, (2 * 1 + 4 * 0.4) / 6])
    few = read([[square(4), NOTHING], [NOTHING, NOTHING], [square(4), square(4)]])
    assert reader_dice(few).files == ("2.png",)


def test_each_reader_and_the_model_beside_him_are_held_against_the_others() -> None:
    marks = [[square(4), square(4), square(2), NOTHING], [square(4), square(4), NOTHING, NOTHING]]
    model, readers = against_the_others(read(marks, [square(2), square(4)]))
    # Of the others, two of three are needed: 2 px when a reader of 4 px is left out, and 4 px when that of 2 px is.
    assert readers.files == model.files == ("0.png",)
    assert readers.mean() == pytest.approx((0.4 + 0.4 + 0.4) / 3)
    assert model.mean() == pytest.approx((1 + 1 + 0.4) / 3)


def test_one_more_reader_lies_above_the_readers_own_dice_but_level_with_each_of_them_on_the_same_footing() -> None:
    predictions = noisy_readers(150)
    assert majority_dice(predictions).mean() > reader_dice(predictions).mean() + 0.03
    difference = compare(*against_the_others(predictions), ImageScores.mean, resamples=200)
    assert difference.low < 0 < difference.high
    assert abs(difference.difference) < 0.01


def test_an_interval_is_drawn_over_patients() -> None:
    predictions = noisy_readers(12)
    shared = replace(predictions, patients=np.array(["a"] * 6 + ["b"] * 6))
    for scores in (reader_dice(shared), majority_dice(shared)):
        low, high = bootstrap_interval(scores, ImageScores.mean, resamples=100)
        halves = sorted((scores.values[:6].mean(), scores.values[6:].mean()))
        assert [low, high] == pytest.approx(halves)


def test_a_single_reader_agrees_with_no_one() -> None:
    alone = read([[square(4)], [square(3)]], [square(4), square(3)])
    assert majority_dice(alone).mean() == 1
    for scores in (reader_dice(alone), *against_the_others(alone)):
        assert scores.values.shape == (0, 1)
        assert np.isnan(scores.mean())


def test_what_does_not_fit_is_said() -> None:
    good = read([[square(4)] * 2] * 2)
    with pytest.raises(ValueError, match=r"Expected 2 of each, one per file, but got 2, 1, 2"):
        replace(good, marks=good.marks[:1])
    with pytest.raises(ValueError, match=r"same number of readers, but they have \[1, 2\]"):
        replace(good, marks=(good.marks[0], good.marks[1][:1]))
    with pytest.raises(ValueError, match=r"1\.png: expected probabilities"):
        replace(good, marks=(good.marks[0], good.marks[1][:, :4]))
    with pytest.raises(ValueError, match=r"0\.png: expected probabilities"):
        replace(good, marks=(good.marks[0][:0],) * 2)
    with pytest.raises(ValueError, match=r"0\.png: expected marks of uint8, 0 or 1, but got uint8 up to 255"):
        replace(good, marks=(255 * good.marks[0], good.marks[1]))
    for wrong in (np.nan, 1.5, -0.1):
        spoilt = np.full((SIDE, SIDE), 0.5, np.float32)
        spoilt[3, 3] = wrong
        with pytest.raises(ValueError, match=r"1\.png: a probability is not a number from 0 to 1"):
            replace(good, probabilities=(good.probabilities[0], spoilt))
