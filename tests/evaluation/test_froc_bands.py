"""Bands of a FROC: the same numbers as the slow bootstrap, quickly; and what has no band."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from course_lib.evaluation.detection import FROC_RATES, JudgedBoxes, froc, judge, merged
from course_lib.evaluation.froc_bands import DRAWN_RATES, froc_band, sensitivity_at
from course_lib.evaluation.hit_rules import centre_inside, iou_at_least
from course_lib.evaluation.intervals import bootstrap_interval
from tests.counted import seconds_of
from tests.made_boxes import CLASSES, FAR, FARTHER, TRUE, boxes, detections_of, some_detections


def sensitivity(judged: JudgedBoxes, rate: float, classes: str | None = None) -> float:
    return judged.froc(classes).sensitivity_at(rate)


@pytest.mark.parametrize("decimals", [9, 1])
@pytest.mark.parametrize("classes", [None, "Nodule"])
def test_a_band_is_the_bootstrap_of_whole_curves(classes: str | None, decimals: int) -> None:
    """With one decimal, many scores are the same."""
    judged = judge(some_detections(1, found_share=0.6, decimals=decimals), centre_inside)
    band = froc_band(judged, (0.25, 1, 3), classes, resamples=150, seed=4)
    for place, rate in enumerate((0.25, 1, 3)):
        metric = partial(sensitivity, rate=rate, classes=classes)
        ends = bootstrap_interval(judged, metric, resamples=150, seed=4)
        assert (band.low[place], band.high[place]) == pytest.approx(ends, abs=1e-12)
        assert band.sensitivity[place] == pytest.approx(metric(judged), abs=1e-12)
    score = partial(JudgedBoxes.froc_score, classes=classes)
    assert band.mean[0] == pytest.approx(score(judged))
    assert band.mean[1:] == pytest.approx(bootstrap_interval(judged, score, resamples=150, seed=4))
    assert (band.low < band.high).all()


def test_without_rates_a_band_goes_from_an_eighth_to_eight_and_meets_the_seven() -> None:
    band = froc_band(judge(some_detections(), centre_inside), resamples=20)
    assert band.rates.tolist() == list(DRAWN_RATES)
    assert all(np.isclose(band.rates, rate).any() for rate in FROC_RATES)
    assert (band.low <= band.high).all()
    assert (np.diff(band.sensitivity) >= 0).all()


def test_a_thousand_curves_take_less_time_than_a_thousand_scores() -> None:
    judged = judge(some_detections(images=150, alarms=20), centre_inside)
    slow = seconds_of(lambda: bootstrap_interval(judged, JudgedBoxes.froc_score, resamples=100), times=2)
    assert seconds_of(lambda: froc_band(judged, resamples=100), times=2) < slow


def test_at_one_false_alarm_there_is_a_value_and_an_interval() -> None:
    judged = judge(some_detections(), centre_inside)
    band = froc_band(judged, (1.0,), resamples=50, seed=2)
    assert sensitivity_at(judged, resamples=50, seed=2) == (band.sensitivity[0], band.low[0], band.high[0])
    low, high = sensitivity_at(judged, 0.2)[0], sensitivity_at(judged, 4)[0]
    assert low < high


def test_two_classes_together_want_the_right_name_unless_they_are_merged() -> None:
    """A mass that is called a nodule is a miss and a false alarm, or a hit."""
    found = boxes(TRUE, FAR, classes=[0, 1], scores=[0.9, 0.8])
    predictions = detections_of((found, boxes(TRUE, FAR, classes=[1, 1])), classes=(*CLASSES, "Effusion"))
    curve = judge(predictions, centre_inside).froc(CLASSES)
    assert (curve.sensitivity.tolist(), curve.false_alarms.tolist()) == ([0, 0, 0.5], [0, 1, 1])
    one = merged(predictions, CLASSES, "Nodule or Mass")
    assert one.classes == ("Nodule or Mass",)
    assert froc(one, centre_inside).sensitivity.tolist() == [0, 0.5, 1]
    assert froc(one, centre_inside).false_alarms.tolist() == [0, 0, 0]


def test_other_classes_do_not_count_among_two() -> None:
    three = (*CLASSES, "Effusion")
    found = boxes(TRUE, FAR, classes=[0, 2], scores=[0.9, 0.95])
    predictions = detections_of((found, boxes(TRUE, FARTHER, classes=[0, 2])), classes=three)
    curve = judge(predictions, centre_inside).froc(CLASSES)
    assert (curve.sensitivity.tolist(), curve.false_alarms.tolist()) == ([0, 1], [0, 0])
    assert [len(boxes) for boxes in merged(predictions, CLASSES, "both").found] == [1]
    everything = judge(predictions, centre_inside)
    assert everything.froc(three).sensitivity.tolist() == everything.froc().sensitivity.tolist()


def test_one_lesion_with_both_names_is_a_hit_and_a_double() -> None:
    predictions = detections_of((boxes(TRUE, TRUE, classes=[0, 1], scores=[0.9, 0.8]), boxes(TRUE)))
    curve = froc(merged(predictions, CLASSES, "both"), centre_inside)
    assert (curve.sensitivity.tolist(), curve.false_alarms.tolist()) == ([0, 1, 1], [0, 0, 0])


def test_a_threshold_is_the_lowest_that_makes_no_more_false_alarms() -> None:
    predictions = detections_of(
        (boxes(TRUE, FAR, scores=[0.9, 0.8]), boxes(TRUE)), (boxes(FAR, TRUE, scores=[0.7, 0.6]), boxes(TRUE))
    )
    curve = froc(predictions, centre_inside)
    assert [curve.threshold_at(rate) for rate in (0, 0.5, 0.9, 1, 8)] == [0.9, 0.8, 0.8, 0.6, 0.6]
    alarm_first = froc(detections_of((boxes(FAR, scores=[0.9]), boxes(TRUE))), centre_inside)
    assert alarm_first.threshold_at(0.5) == np.inf
    for rate in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            curve.threshold_at(rate)


def test_a_curve_of_no_image_has_no_threshold() -> None:
    with pytest.raises(ValueError, match="one image at least"):
        froc(detections_of(), centre_inside).threshold_at(1)


def test_even_the_lowest_threshold_hits_no_box_that_nothing_hits() -> None:
    found = boxes(FAR, TRUE, classes=[1, 0], scores=[0.5, 0.9])
    judged = judge(detections_of((found, boxes(TRUE, FARTHER)), (boxes(), boxes(TRUE))), centre_inside)
    assert judged.hit_from(-np.inf).tolist() == judged.hit_from(0.9).tolist() == [True, False, False]
    assert judged.hit_from(np.inf).tolist() == [False] * 3
    assert judged.false_alarms_from(-np.inf).tolist() == judged.false_alarms_from(0.5, "Mass").tolist() == [1, 0]
    assert judged.false_alarms_from(0.6).tolist() == judged.false_alarms_from(0, "Nodule").tolist() == [0, 0]
    for count in (judged.hit_from, judged.false_alarms_from):
        with pytest.raises(ValueError, match="threshold is NaN"):
            count(float("nan"))


def test_each_true_box_knows_the_score_that_hit_it() -> None:
    found = boxes(FAR, TRUE, TRUE, scores=[0.5, 0.9, 0.95])
    judged = judge(detections_of((found, boxes(TRUE, FARTHER, FAR)), (boxes(), boxes())), centre_inside)
    assert [scores.tolist() for scores in judged.hit_scores] == [[0.95, -np.inf, 0.5], []]
    assert [kinds.tolist() for kinds in judged.true_classes] == [[0, 0, 0], []]
    assert [scores.tolist() for scores in judged.take(np.array([1, 0, 0])).hit_scores] == [
        [],
        [0.95, -np.inf, 0.5],
        [0.95, -np.inf, 0.5],
    ]


def test_without_a_true_box_everything_is_nan() -> None:
    healthy = detections_of(*[(boxes(FAR, scores=[0.9]), boxes())] * 3)
    band = froc_band(judge(healthy, centre_inside), (0.5, 1), resamples=10)
    assert np.isnan([*band.sensitivity, *band.low, *band.high, *band.mean]).all()


def test_draws_without_a_true_box_are_left_out() -> None:
    predictions = detections_of((boxes(TRUE), boxes(TRUE)), *[(boxes(), boxes())] * 3)
    assert sensitivity_at(judge(predictions, centre_inside), resamples=60) == (1, 1, 1)


def test_whoever_finds_nothing_has_zero() -> None:
    predictions = detections_of((boxes(), boxes(TRUE)), (boxes(), boxes(FAR)), (boxes(), boxes()))
    assert sensitivity_at(judge(predictions, centre_inside), resamples=10) == (0, 0, 0)


def test_a_thousand_boxes_on_one_film_are_a_thousand_false_alarms() -> None:
    crowd = boxes(*[(i, 0, i + 5, 5) for i in range(100, 1100)], TRUE, scores=[*np.linspace(0.9, 0.3, 1000), 0.5])
    judged = judge(detections_of((crowd, boxes(TRUE)), (boxes(), boxes(TRUE))), iou_at_least(0.5))
    assert judged.froc().false_alarms[-1] == 500
    assert sensitivity_at(judged, 8, resamples=20)[0] == 0
    assert sensitivity_at(judged, 500, resamples=20)[0] == 0.5


def test_one_patient_has_no_interval() -> None:
    alone = replace(some_detections(images=4), patients=np.array(["p"] * 4))
    with pytest.raises(ValueError, match="two of them at least, but there are 1"):
        froc_band(judge(alone, centre_inside))


def test_unknown_classes_and_wrong_rates_are_errors() -> None:
    judged = judge(some_detections(images=8), centre_inside)
    for classes in ("Tumour", ("Nodule", "Tumour")):
        with pytest.raises(ValueError, match=r"'Tumour'.*Nodule, Mass"):
            froc_band(judged, classes=classes)
    with pytest.raises(ValueError, match="Expected a class, got none"):
        judged.froc(())
    for names in ((), ("Nodule", "Tumour")):
        with pytest.raises(ValueError, match="There are: Nodule, Mass"):
            merged(some_detections(images=2), names, "both")
    for rates in ((), (-1.0,), (float("nan"),)):
        with pytest.raises(ValueError, match="each 0 or more"):
            froc_band(judged, rates)
