"""Lesson 12: the answers on hits and alarms agree with the course's evaluation, and the questions tell the truth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course_lib.evaluation.coco_precision import IOU_THRESHOLDS, precision_when_shifted
from course_lib.evaluation.detection import DOUBLE, FALSE_ALARM, Boxes, DetectionPredictions, JudgedBoxes, judge, match
from course_lib.evaluation.hit_rules import box_iobb, box_iou, centre_inside, iobb_at_least
from course_lib.evaluation.screening import screen
from course_lib.exercises.judging import judge as judge_answer
from course_lib.lessons.detecting_nodules import LESSON, froc_point, hits, screened
from course_lib.lessons.detecting_nodules.questions import COCO_QUESTION, QUESTIONS

EXERCISES = {exercise.name: exercise for exercise in LESSON.exercises}
SEEDS = range(40)
WORDS = {FALSE_ALARM: "false alarm", DOUBLE: "double"}


def drawn(name: str, seed: int) -> Any:
    return EXERCISES[name].draw(np.random.default_rng(seed))


def boxes(corners: np.ndarray, scores: np.ndarray | None = None) -> Boxes:
    return Boxes(corners, np.zeros(len(corners), np.int64), np.ones(len(corners)) if scores is None else scores)


# --- hits


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hits_are_the_courses(seed: int) -> None:
    found, scores, true = drawn("hits", seed)
    numbers = match(boxes(found, scores), boxes(true), centre_inside)
    assert hits(found, scores, true) == [WORDS.get(int(number), "hit") for number in numbers]


def test_films_are_drawn_with_all_three_words_without_true_boxes_and_without_found_ones() -> None:
    films = [drawn("hits", seed) for seed in range(100)]
    words = [word for film in films for word in hits(*film)]
    assert all(words.count(word) > 40 for word in ("hit", "double", "false alarm"))
    assert {len(true) for _, _, true in films} == {0, 1, 2, 3}
    assert any(len(found) == 0 for found, _, _ in films)
    for found, scores, true in films:
        assert len(set(scores.tolist())) == len(found) == len(scores)
        assert np.allclose(box_iou(true, true), np.eye(len(true)))


def test_an_answer_that_calls_the_courses_is_right_too() -> None:
    def by_matching(found: np.ndarray, scores: np.ndarray, true: np.ndarray) -> list[str]:
        numbers = match(boxes(found, scores), boxes(true), centre_inside)
        return [WORDS.get(int(number), "hit") for number in numbers]

    assert judge_answer(EXERCISES["hits"], by_matching, seed=0).text == "Exercise 12.7: correct."


@pytest.mark.parametrize("kind", [np.array, tuple, lambda words: list(np.array(words))])
def test_the_words_may_be_numpys(kind: Callable[[list[str]], object]) -> None:
    def answer(*film: Any) -> object:
        return kind(hits(*film))

    assert judge_answer(EXERCISES["hits"], answer, seed=0).text == "Exercise 12.7: correct."


def test_each_true_box_is_hit_once_at_most() -> None:
    for seed in SEEDS:
        found, scores, true = drawn("hits", seed)
        assert hits(found, scores, true).count("hit") <= len(true)


# --- points of the FROC curve


def judged_films(count: int) -> tuple[JudgedBoxes, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Films of the exercise on hits, as the course judges them, and as they are."""
    films = [drawn("hits", seed) for seed in range(count)]
    names = tuple(f"{number}.png" for number in range(count))
    predictions = DetectionPredictions(
        ("Nodule",),
        tuple(boxes(found, scores) for found, scores, _ in films),
        tuple(boxes(true) for _, _, true in films),
        np.zeros(count),
        np.array(names),
        names,
    )
    return judge(predictions, centre_inside), films


@pytest.mark.parametrize("threshold", [0.05, 0.35, 0.71, 0.95, 2.0])
def test_the_points_are_those_of_the_courses_curve(threshold: float) -> None:
    judged, films = judged_films(30)
    words = [hits(*film) for film in films]
    sensitivity, alarms = froc_point(
        [scores.tolist() for _, scores, _ in films], words, [len(true) for _, _, true in films], threshold
    )
    curve = judged.froc()
    point = np.flatnonzero(curve.thresholds >= threshold)[-1]
    assert (sensitivity, alarms) == pytest.approx((curve.sensitivity[point], curve.false_alarms[point]))
    assert alarms == pytest.approx(judged.false_alarms_from(threshold).mean())


def test_films_are_drawn_without_boxes_without_any_finds_and_now_and_then_all_are_healthy() -> None:
    sets = [drawn("froc_point", seed) for seed in range(100)]
    healthy = [count == 0 for _, _, counts, _ in sets for count in counts]
    assert 0.4 < np.mean(healthy) < 0.8
    assert 5 < sum(not any(counts) for _, _, counts, _ in sets) < 30
    assert any(not said for _, words, _, _ in sets for said in words)
    for scores, words, counts, threshold in sets:
        assert any(threshold in of_film for of_film in scores) or threshold == 0.5
        for of_film, said, count in zip(scores, words, counts, strict=True):
            assert of_film == sorted(of_film, reverse=True)
            assert said.count("hit") <= count
            assert "double" not in said or said.index("hit") < said.index("double")


# --- screening


@pytest.mark.parametrize("seed", SEEDS)
def test_the_people_are_the_courses(seed: int) -> None:
    sensitivity, alarm_share, prevalence = drawn("screened", seed)
    people = screen(sensitivity, alarm_share, prevalence)
    expected = (people.cancers, people.found, people.called_back, people.positive_predictive_value)
    assert screened(sensitivity, alarm_share, prevalence) == pytest.approx(expected, nan_ok=True)


def test_detectors_are_drawn_that_never_say_anything() -> None:
    silent = [not any(drawn("screened", seed)[:2]) for seed in range(100)]
    assert 5 < sum(silent) < 30


# --- questions


def test_each_question_has_a_right_option_and_why_each_other_is_wrong() -> None:
    assert [question.number for question in QUESTIONS] == ["12.a", "12.b", "12.c"]
    assert all(len(option.why) > 80 for question in QUESTIONS for option in question.options)


def test_the_numbers_of_the_question_on_coco_are_true() -> None:
    (right,) = (option for option in COCO_QUESTION.options if option.right)
    small, large = (side_overlap(side, 4) for side in (15, 60))
    passed = {side: sum(side_overlap(side, 4) >= limit for limit in IOU_THRESHOLDS) for side in (15, 60)}
    assert passed == {15: 2, 60: 8}
    assert f"IoU of {small:.2f}" in right.text
    assert f"has {large:g} and passes at eight limits" in right.why
    assert precision_when_shifted([15, 60], [4])[:, 0] == pytest.approx([0.2, 0.8])
    assert precision_when_shifted([15], [0])[0, 0] == pytest.approx(1)
    assert "average precision (AP) is 0.2" in COCO_QUESTION.text


def side_overlap(side: float, shift: float) -> float:
    box, aside = (np.array([[x, 0, side + x, side]], dtype=float) for x in (0.0, shift))
    return float(box_iou(aside, box)[0, 0])


def test_of_two_rules_neither_is_the_stricter_one_for_each_box() -> None:
    true = np.array([[100.0, 100, 115, 115]])
    large_around = np.array([[77.0, 77, 137, 137]])
    beside = np.array([[110.0, 100, 125, 115]])
    assert box_iobb(large_around, true)[0, 0] < 0.1 < box_iobb(beside, true)[0, 0]
    assert [bool(centre_inside(box, true)[0, 0]) for box in (large_around, beside)] == [True, False]
    assert [bool(iobb_at_least(0.1)(box, true)[0, 0]) for box in (large_around, beside)] == [False, True]
