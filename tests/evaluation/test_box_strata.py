"""Sensitivity of strata: counted by hand, with intervals that do not pretend, and NaN where there is nothing."""

import numpy as np
import pytest

from course_lib.evaluation.box_strata import (
    class_of_each_box,
    in_steps,
    of_each_box,
    sensitivity_by,
    sides_px,
    step_names,
)
from course_lib.evaluation.detection import judge
from course_lib.evaluation.hit_rules import centre_inside
from course_lib.evaluation.intervals import accuracy_interval
from tests.made_boxes import FAR, FARTHER, TRUE, boxes, detections_of, some_detections

SMALL_AND_LARGE = detections_of(
    (boxes(TRUE, FAR, scores=[0.9, 0.4]), boxes(TRUE, FAR)),
    (boxes(FARTHER, scores=[0.8]), boxes(FARTHER)),
    (boxes(), boxes((0, 0, 30, 30))),
    (boxes(FAR, scores=[0.99]), boxes()),
)


def test_the_part_above_the_threshold_is_counted_by_stratum() -> None:
    judged = judge(SMALL_AND_LARGE, centre_inside)
    sizes = in_steps(sides_px(SMALL_AND_LARGE), (20,), "px")
    assert sizes.tolist() == ["below 20 px"] * 3 + ["20 px or more"]
    small, large = sensitivity_by(judged, sizes, 0.5)
    assert (small.name, small.boxes, small.patients) == ("below 20 px", 3, 2)
    assert small.sensitivity == pytest.approx(2 / 3)
    assert (large.boxes, large.sensitivity) == (1, 0)
    assert sensitivity_by(judged, sizes, 0.4)[0].sensitivity == 1  # the score of the threshold itself counts
    assert small.estimate == (small.sensitivity, small.low, small.high)


def test_all_strata_together_are_the_sensitivity_of_the_froc() -> None:
    predictions = some_detections(3)
    judged = judge(predictions, centre_inside)
    curve = judged.froc()
    threshold = curve.threshold_at(1.0)
    strata = sensitivity_by(judged, in_steps(sides_px(predictions), (25, 45), "px"), threshold)
    found = sum(stratum.boxes * stratum.sensitivity for stratum in strata)
    reached = curve.sensitivity[np.flatnonzero(curve.thresholds >= threshold)[-1]]
    assert found / sum(stratum.boxes for stratum in strata) == pytest.approx(reached)
    assert all(stratum.low <= stratum.sensitivity <= stratum.high for stratum in strata)


def test_an_empty_stratum_is_nan_and_an_infinite_threshold_finds_nothing() -> None:
    judged = judge(SMALL_AND_LARGE, centre_inside)
    names = ("obvious", "subtle")
    obvious, subtle = sensitivity_by(judged, ["obvious"] * 4, np.inf, names=names)
    assert (obvious.sensitivity, obvious.boxes) == (0, 4)
    assert (subtle.boxes, subtle.patients) == (0, 0)
    assert np.isnan(subtle.estimate).all()


def test_without_a_true_box_every_stratum_is_empty() -> None:
    judged = judge(detections_of((boxes(FAR), boxes())), centre_inside)
    assert sensitivity_by(judged, [], 0.5) == ()
    (stratum,) = sensitivity_by(judged, [], 0.5, names=["subtle"])
    assert np.isnan(stratum.sensitivity)


def test_where_all_are_found_the_interval_is_not_a_point() -> None:
    judged = judge(detections_of(*[(boxes(TRUE), boxes(TRUE))] * 8), centre_inside)
    (stratum,) = sensitivity_by(judged, ["PA"] * 8, 0.5)
    assert (stratum.sensitivity, stratum.low, stratum.high) == (1, *accuracy_interval(8, 8))


def test_one_patient_has_a_wide_interval() -> None:
    judged = judge(detections_of((boxes(TRUE), boxes(TRUE, FAR, FARTHER))), centre_inside)
    (stratum,) = sensitivity_by(judged, ["AP"] * 3, 0.5)
    assert stratum.patients == 1
    assert stratum.high - stratum.low > 0.7


def test_patients_are_drawn_and_not_boxes() -> None:
    """Four patients with ten boxes each, all found or none, are four pieces of evidence."""
    ten = [(20.0 * i, 0.0, 20.0 * i + 10, 10.0) for i in range(10)]
    seen, missed = (boxes(*ten), boxes(*ten)), (boxes(), boxes(*ten))
    (together,) = sensitivity_by(judge(detections_of(seen, seen, missed, missed), centre_inside), ["all"] * 40, 0.5)
    assert (together.low, together.high) == (0, 1)


def test_what_is_known_of_an_image_or_a_class_is_known_of_its_boxes() -> None:
    judged = judge(SMALL_AND_LARGE, centre_inside)
    assert of_each_box(judged, ["PA", "AP", "PA", "AP"]).tolist() == ["PA", "PA", "AP", "PA"]
    assert class_of_each_box(judged).tolist() == ["Nodule"] * 4
    with pytest.raises(ValueError, match="a word for each of 4 images, but got 1"):
        of_each_box(judged, ["PA"])


def test_steps_have_names_and_their_lower_edge() -> None:
    assert step_names((20, 40.5), "px") == ("below 20 px", "20 to 40.5 px", "40.5 px or more")
    assert in_steps(np.array([19.9, 20, 40.4, 40.5]), (20, 40.5), "px").tolist() == [
        "below 20 px",
        "20 to 40.5 px",
        "20 to 40.5 px",
        "40.5 px or more",
    ]
    for edges in ((), (3, 3), (4, 2)):
        with pytest.raises(ValueError, match="edges that rise"):
            step_names(edges, "px")
    with pytest.raises(ValueError, match="1 of 2 values are not a number"):
        in_steps(np.array([1.0, np.nan]), (20,), "px")


def test_strata_that_do_not_fit_are_errors() -> None:
    judged = judge(SMALL_AND_LARGE, centre_inside)
    with pytest.raises(ValueError, match=r"each of 4 true boxes, but got the shape \[3\]"):
        sensitivity_by(judged, ["a"] * 3, 0.5)
    with pytest.raises(ValueError, match="among obvious, subtle, but a box is of unsure"):
        sensitivity_by(judged, ["obvious", "subtle", "unsure", "subtle"], 0.5, names=("obvious", "subtle"))
    with pytest.raises(ValueError, match="NaN"):
        sensitivity_by(judged, ["a"] * 4, float("nan"))
