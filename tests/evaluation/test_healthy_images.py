"""Healthy people in the denominator: the same detector, and other false alarms per image."""

import numpy as np
import pytest

from course_lib.evaluation.detection import judge
from course_lib.evaluation.healthy_images import alarms_by_kind, froc_at_share, has_finding
from course_lib.evaluation.hit_rules import centre_inside
from tests.made_boxes import FAR, FARTHER, TRUE, boxes, detections_of, some_detections

SICK = (boxes(TRUE, FAR, FARTHER, scores=[0.9, 0.8, 0.7]), boxes(TRUE))
HEALTHY = (boxes(FAR, scores=[0.6]), boxes())
QUIET = (boxes(), boxes())
MIXED = judge(detections_of(SICK, HEALTHY, QUIET, QUIET), centre_inside)


def test_false_alarms_are_counted_by_kind_of_image() -> None:
    alarms = alarms_by_kind(MIXED, 0.5)
    shares = (alarms.with_finding, alarms.without_finding, alarms.healthy_share)
    assert shares == pytest.approx((2, 1 / 3, 0.75))
    assert alarms.share_with_alarm == pytest.approx(1 / 3)
    assert alarms.together == pytest.approx(MIXED.froc().false_alarms[-1]) == 0.75
    assert [alarms.at_share(share) for share in (0, 1)] == [2, pytest.approx(1 / 3)]
    assert alarms_by_kind(MIXED, 0.75).with_finding == 1
    assert alarms_by_kind(MIXED, 0.5, "Mass").with_finding == 0
    assert has_finding(MIXED).tolist() == [True, False, False, False]


def test_with_its_own_share_a_froc_is_as_it_was() -> None:
    judged = judge(some_detections(2), centre_inside)
    share = 1 - float(has_finding(judged).mean())
    curve, same = judged.froc(), froc_at_share(judged, share)
    assert same.thresholds.tolist() == curve.thresholds.tolist()
    assert same.sensitivity.tolist() == curve.sensitivity.tolist()
    assert same.false_alarms == pytest.approx(curve.false_alarms)


@pytest.mark.parametrize("decimals", [1, 9])
def test_with_a_share_of_0_only_images_with_a_finding_count(decimals: int) -> None:
    judged = judge(some_detections(5, decimals=decimals), centre_inside)
    sick = judged.take(np.flatnonzero(has_finding(judged)))
    curve, alone = froc_at_share(judged, 0), sick.froc()
    for rate in (0.1, 0.5, 1, 2):
        assert curve.sensitivity_at(rate) == pytest.approx(alone.sensitivity_at(rate))
    assert curve.false_alarms[-1] == pytest.approx(alone.false_alarms[-1])


def test_more_healthy_people_make_fewer_false_alarms_per_image_where_the_sick_have_more() -> None:
    ends = [froc_at_share(MIXED, share).false_alarms[-1] for share in (0, 0.5, 0.9)]
    assert ends == pytest.approx([2, (2 + 1 / 3) / 2, 0.1 * 2 + 0.9 / 3])
    assert {froc_at_share(MIXED, share).sensitivity[-1] for share in (0, 0.5, 0.9)} == {1}


def test_images_of_one_kind_can_not_stand_for_the_other() -> None:
    only_sick, only_healthy = judge(detections_of(SICK), centre_inside), judge(detections_of(HEALTHY), centre_inside)
    with pytest.raises(ValueError, match=r"No image is without a finding.*50%"):
        froc_at_share(only_sick, 0.5)
    with pytest.raises(ValueError, match="No image is with a finding"):
        froc_at_share(only_healthy, 0.5)
    assert froc_at_share(only_sick, 0).false_alarms.tolist() == only_sick.froc().false_alarms.tolist()
    assert np.isnan(froc_at_share(only_healthy, 1).sensitivity).all()
    assert alarms_by_kind(only_sick, 0.5).together == 2
    assert np.isnan(alarms_by_kind(only_healthy, 0.5).with_finding)
    assert np.isnan(alarms_by_kind(only_healthy.take(np.array([], np.int64)), 0.5).together)


def test_wrong_shares_thresholds_and_classes_are_errors() -> None:
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="from 0 to 1"):
            froc_at_share(MIXED, share)
        with pytest.raises(ValueError, match="from 0 to 1"):
            alarms_by_kind(MIXED, 0.5).at_share(share)
    with pytest.raises(ValueError, match="NaN"):
        alarms_by_kind(MIXED, float("nan"))
    with pytest.raises(ValueError, match="'Tumour'"):
        froc_at_share(MIXED, 0.5, "Tumour")
