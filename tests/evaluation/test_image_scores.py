"""A detector asked about whole images: the surest box speaks for its image."""

import numpy as np
import pytest

from course_lib.evaluation.classification import auroc
from course_lib.evaluation.image_scores import image_predictions
from course_lib.evaluation.intervals import bootstrap_interval
from tests.made_boxes import FAR, TRUE, boxes, detections_of, some_detections

PREDICTIONS = detections_of(
    (boxes(FAR, TRUE, classes=[1, 0], scores=[0.9, 0.7]), boxes(TRUE)),
    (boxes(FAR, scores=[0.2]), boxes()),
    (boxes(), boxes()),
    (boxes(FAR, classes=[1], scores=[0.8]), boxes(FAR, classes=[1])),
    classes=("Nodule", "Mass", "Effusion"),
)


def test_the_score_of_an_image_is_that_of_its_surest_box_of_the_wanted_classes() -> None:
    nodule = image_predictions(PREDICTIONS, ["Nodule"])
    assert nodule.classes == ("no Nodule", "Nodule")
    assert nodule.scores.tolist() == [0.7, 0.2, 0, 0]
    assert nodule.labels.tolist() == [1, 0, 0, 0]
    both = image_predictions(PREDICTIONS, ["Nodule", "Mass"])
    assert both.classes[1] == "Nodule or Mass"
    assert both.scores.tolist() == [0.9, 0.2, 0, 0.8]
    assert both.labels.tolist() == [1, 0, 0, 1]
    assert auroc(both) == 1
    assert both.files == PREDICTIONS.files


def test_images_with_other_findings_only_may_be_left_out() -> None:
    nodule = image_predictions(PREDICTIONS, ["Nodule"], against_healthy=True)
    assert nodule.files == ("0.png", "1.png", "2.png")
    assert nodule.labels.tolist() == [1, 0, 0]


def test_a_box_in_the_wrong_place_is_as_good_to_an_image() -> None:
    wrong = detections_of((boxes(FAR, scores=[0.9]), boxes(TRUE)), (boxes(), boxes()))
    assert auroc(image_predictions(wrong, ["Nodule"])) == 1


def test_an_auroc_has_an_interval_over_patients() -> None:
    scores = image_predictions(some_detections(), ("Nodule", "Mass"))
    low, high = bootstrap_interval(scores, auroc, resamples=100)
    assert 0.5 < low < auroc(scores) < high < 1


def test_equal_scores_are_chance() -> None:
    equal = detections_of((boxes(TRUE, scores=[0.5]), boxes(TRUE)), (boxes(FAR, scores=[0.5]), boxes()))
    assert auroc(image_predictions(equal, ["Nodule"])) == 0.5


def test_without_a_true_box_or_a_found_one_there_is_no_order() -> None:
    healthy = image_predictions(detections_of((boxes(FAR, scores=[0.5]), boxes())), ["Nodule"])
    assert not healthy.measurable
    assert np.isnan(auroc(healthy))
    blind = image_predictions(detections_of((boxes(), boxes(TRUE)), (boxes(), boxes())), ["Nodule"])
    assert auroc(blind) == 0.5


def test_a_thousand_boxes_count_as_their_surest() -> None:
    crowd = boxes(*[(i, 0, i + 5, 5) for i in range(1000)], scores=np.linspace(0, 0.97, 1000).tolist())
    assert image_predictions(detections_of((crowd, boxes())), ["Nodule"]).scores.tolist() == [0.97]


def test_unknown_classes_and_scores_that_are_no_probabilities_are_errors() -> None:
    for names in ((), ("Nodule", "Tumour")):
        with pytest.raises(ValueError, match="There are: Nodule, Mass, Effusion"):
            image_predictions(PREDICTIONS, names)
    for score in (float("nan"), 1.2, -3.0):
        with pytest.raises(ValueError, match=r"0\.png"):
            image_predictions(detections_of((boxes(TRUE, scores=[score]), boxes())), ["Nodule"])
