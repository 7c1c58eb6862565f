"""Localisation as published: worked out by hand, and the published numbers as counts of boxes."""

import numpy as np
import pytest

from course_lib.evaluation.hit_rules import box_iou
from course_lib.evaluation.localisation import PUBLISHED_AT_IOBB_01, PUBLISHED_BOXES, localisation
from tests.made_boxes import FAR, FARTHER, TRUE, boxes, detections_of

HEART = (0.0, 0.0, 100.0, 100.0)


def test_a_true_box_is_localised_once_and_several_boxes_on_it_are_no_false_positives() -> None:
    found = boxes((5, 5, 15, 15), (20, 20, 30, 30), (200, 200, 210, 210))
    measured = localisation(detections_of((found, boxes(HEART)), (boxes(), boxes(HEART))), "Nodule")
    assert (measured.accuracy, measured.false_positives, measured.boxes, measured.images) == (0.5, 0.5, 2, 2)


def test_an_overlap_must_exceed_the_least_and_may_be_of_either_kind() -> None:
    half = detections_of((boxes((5, 0, 15, 10)), boxes(TRUE)))  # IoBB 1/2, IoU 1/3
    assert [localisation(half, "Nodule", least).accuracy for least in (0.49, 0.5)] == [1, 0]
    assert [localisation(half, "Nodule", least, box_iou).accuracy for least in (0.33, 0.34)] == [1, 0]
    assert localisation(half, "Nodule", 0.5).false_positives == 1


def test_one_pixel_inside_a_heart_is_localised_by_iobb_and_not_by_iou() -> None:
    speck = detections_of((boxes((50, 50, 51, 51)), boxes(HEART)))
    assert localisation(speck, "Nodule", 0.9).accuracy == 1
    assert localisation(speck, "Nodule", 0.1, box_iou).accuracy == 0


def test_other_classes_and_unsure_boxes_do_not_count() -> None:
    found = boxes(TRUE, FAR, FARTHER, classes=[1, 0, 0], scores=[0.9, 0.9, 0.2])
    images = detections_of((found, boxes(TRUE, FARTHER, classes=[0, 0])))
    sure = localisation(images, "Nodule", lowest_score=0.5)
    assert (sure.accuracy, sure.false_positives) == (0, 1)
    assert localisation(images, "Nodule").accuracy == 0.5
    mass = localisation(images, "Mass")
    assert np.isnan(mass.accuracy)
    assert mass.false_positives == 1


def test_healthy_images_are_in_the_denominator_if_they_are_given() -> None:
    wrong = (boxes(FAR), boxes(TRUE))
    assert localisation(detections_of(wrong), "Nodule").false_positives == 1
    assert localisation(detections_of(wrong, (boxes(), boxes())), "Nodule").false_positives == 0.5


def test_nothing_found_and_nothing_there() -> None:
    blind = localisation(detections_of((boxes(), boxes(TRUE))), "Nodule")
    assert (blind.accuracy, blind.false_positives) == (0, 0)
    nothing = localisation(detections_of(), "Nodule")
    assert np.isnan([nothing.accuracy, nothing.false_positives]).all()


def test_the_published_numbers_are_whole_boxes() -> None:
    """Which is how it is known that they were counted over boxes, and the false positives over all 984."""
    assert sum(PUBLISHED_BOXES.values()) == 984
    assert PUBLISHED_BOXES.keys() == PUBLISHED_AT_IOBB_01.keys()
    for name, (accuracy, false_positives) in PUBLISHED_AT_IOBB_01.items():
        localised, false = accuracy * PUBLISHED_BOXES[name], false_positives * 984
        assert localised == pytest.approx(round(localised), abs=0.02), name
        assert false == pytest.approx(round(false), abs=0.05), name


def test_an_unknown_class_or_overlap_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'Tumour'.*Nodule, Mass"):
        localisation(detections_of(), "Tumour")
    with pytest.raises(ValueError, match="1 of 2 scores are not a number"):
        localisation(detections_of((boxes(TRUE, FAR, scores=[0.5, float("nan")]), boxes(TRUE))), "Nodule")
    for least in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="0 or more and below 1"):
            localisation(detections_of(), "Nodule", least)
