"""Screening counted by hand: who is found, who is called back, and what an alarm is worth."""

import math

import numpy as np
import pytest

from course_lib.evaluation.decisions import expected_counts
from course_lib.evaluation.detection import judge
from course_lib.evaluation.healthy_images import alarms_by_kind
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.screening import PLCO_PER_1000, screen, share_with_alarm
from tests.made_boxes import FAR, FARTHER, boxes, detections_of


def test_screening_counted_by_hand() -> None:
    screened = screen(sensitivity=0.6, alarm_share=0.5, prevalence=0.01)
    parts = (screened.found, screened.elsewhere, screened.missed, screened.alarmed, screened.spared)
    assert parts == pytest.approx((6, 2, 2, 495, 495))
    assert (screened.people, screened.cancers, screened.called_back) == pytest.approx((1000, 10, 503))
    assert screened.positive_predictive_value == pytest.approx(6 / 503)


def test_by_people_alone_it_is_the_counts_of_a_classifier() -> None:
    screened, counts = screen(0.6, 0.5, 0.01).counts, expected_counts(0.8, 0.5, 0.01)
    assert (screened.found, screened.missed, screened.alarmed, screened.spared) == pytest.approx(
        (counts.found, counts.missed, counts.alarmed, counts.spared)
    )


def test_alarms_at_random_leave_some_films_without() -> None:
    assert share_with_alarm(0) == 0
    assert share_with_alarm(1) == pytest.approx(1 - math.exp(-1))
    draws = np.random.default_rng(0).poisson(0.5, 100_000)
    assert share_with_alarm(0.5) == pytest.approx((draws > 0).mean(), abs=0.01)


def test_alarms_that_come_in_crowds_are_on_fewer_films_than_at_random() -> None:
    crowd = (boxes(FAR, FARTHER, FAR, scores=[0.9] * 3), boxes())
    alarms = alarms_by_kind(judge(detections_of(crowd, *[(boxes(), boxes())] * 2), centre_inside), 0.5)
    assert alarms.without_finding == 1
    assert alarms.share_with_alarm == pytest.approx(1 / 3)
    assert alarms.share_with_alarm < share_with_alarm(alarms.without_finding)


def test_no_alarm_at_all_has_no_predictive_value() -> None:
    nothing = screen(0, 0, 0.5)
    assert np.isnan(nothing.positive_predictive_value)
    assert screen(1, 0, 0).called_back == 0


def test_the_published_round_has_the_value_that_it_says() -> None:
    assert PLCO_PER_1000["cancers found"] / PLCO_PER_1000["called back"] == pytest.approx(0.021, abs=0.0005)


def test_what_is_no_share_is_an_error() -> None:
    for wrong in (-0.1, 1.1, float("nan")):
        for place in range(3):
            first, second, third = (wrong if place == number else 0.5 for number in range(3))
            with pytest.raises(ValueError, match=r"must be from 0 to 1"):
                screen(first, second, third)
    for rate in (-1.0, math.inf, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            share_with_alarm(rate)
