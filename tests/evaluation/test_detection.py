"""Hits, precision and false alarms: against COCO's own code, against scikit-learn, and by hand where others fell."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn import metrics

from course_lib.evaluation.detection import (
    DOUBLE,
    FALSE_ALARM,
    FROC_RATES,
    Boxes,
    DetectionPredictions,
    JudgedBoxes,
    average_precision,
    froc,
    froc_score,
    judge,
    match,
    mean_average_precision,
)
from course_lib.evaluation.hit_rules import (
    Corners,
    Rule,
    box_iobb,
    box_iou,
    centre_inside,
    iobb_at_least,
    iou_at_least,
)

CLASSES = ("nodule", "mass")
Row = tuple[float, float, float, float]


def boxes(*rows: Row, classes: list[int] | None = None, scores: list[float] | None = None) -> Boxes:
    return Boxes(
        corners=np.array(rows, dtype=np.float64).reshape(-1, 4),
        classes=np.array(classes or [0] * len(rows), dtype=np.int64),
        scores=np.array(scores or [1.0] * len(rows), dtype=np.float64),
    )


def predictions_of(*images: tuple[Boxes, Boxes], classes: tuple[str, ...] = CLASSES) -> DetectionPredictions:
    """Of images, each the found and the true boxes."""
    return DetectionPredictions(
        classes=classes,
        found=tuple(found for found, _ in images),
        true=tuple(true for _, true in images),
        losses=np.zeros(len(images)),
        patients=np.array([f"p{i}" for i in range(len(images))], dtype=np.str_),
        files=tuple(f"{i}.png" for i in range(len(images))),
    )


def some_corners(rng: np.random.Generator, count: int, whole: bool = False) -> Corners:
    start, size = rng.uniform(0, 60, (count, 2)), rng.uniform(5, 30, (count, 2))
    corners = np.concatenate([start, start + size], axis=1)
    return corners.round() if whole else corners


def some_predictions(seed: int, images: int = 25, decimals: int = 9) -> DetectionPredictions:
    """Boxes near the true ones, double ones, false alarms; images without a true box, and without a found one."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(images):
        true = some_corners(rng, int(rng.integers(0, 4)))
        near = np.repeat(true, rng.integers(0, 3, len(true)), axis=0)
        near = near + rng.normal(0, 1.5, near.shape)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2])
        found = np.concatenate([near, some_corners(rng, int(rng.integers(0, 4)))])
        scores = rng.beta(2, 2, len(found)) + 0.3 * (np.arange(len(found)) < len(near))
        pairs.append(
            (
                Boxes(found, rng.integers(0, 2, len(found)), scores.round(decimals)),
                Boxes(true, rng.integers(0, 2, len(true)), np.ones(len(true))),
            )
        )
    return predictions_of(*pairs)


def as_coco(corners: Corners) -> NDArray[np.float64]:
    """From x0, y0, x1, y1 to x, y, width, height."""
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def coco_average_precision(predictions: DetectionPredictions, class_name: str, threshold: float) -> float:
    """What COCO's own code says, with as many boxes per image as there are."""
    index = predictions.classes.index(class_name)
    true, found = COCO(), []
    annotations: list[dict[str, object]] = []
    for image, (said, there) in enumerate(zip(predictions.found, predictions.true, strict=True)):
        for row, label in zip(as_coco(there.corners).tolist(), there.classes.tolist(), strict=True):
            annotations.append(  # an id of 0 counts as no hit there
                {"id": len(annotations) + 1, "image_id": image, "category_id": label, "bbox": row, "iscrowd": 0}
                | {"area": row[2] * row[3]}
            )
        found += [
            {"image_id": image, "category_id": label, "bbox": row, "score": score}
            for row, label, score in zip(
                as_coco(said.corners).tolist(), said.classes.tolist(), said.scores.tolist(), strict=True
            )
        ]
    true.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(len(predictions))],
        "annotations": annotations,
        "categories": [{"id": i, "name": name} for i, name in enumerate(predictions.classes)],
    }
    true.createIndex()
    referee = COCOeval(true, true.loadRes(found), "bbox")
    referee.params.iouThrs = np.array([threshold])
    referee.params.maxDets = [1000]
    referee.params.areaRng, referee.params.areaRngLbl = [[0, 1e10]], ["all"]
    referee.evaluate()
    referee.accumulate()
    return float(referee.eval["precision"][0, :, index, 0, 0].mean())


@pytest.mark.parametrize("seed", range(5))
def test_the_overlap_of_boxes_is_cocos(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = some_corners(rng, 12, whole=seed > 2), some_corners(rng, 7, whole=seed > 2)
    found, true = as_coco(first), as_coco(second)
    assert box_iou(first, second) == pytest.approx(coco_mask.iou(found, true, [0] * 7))
    assert box_iobb(first, second) == pytest.approx(coco_mask.iou(found, true, [1] * 7))  # in a crowd it is IoBB


def test_the_overlap_of_two_boxes_is_that_worked_out_by_hand() -> None:
    large, inside, aside = (boxes(row).corners for row in ((0, 0, 10, 10), (0, 0, 5, 5), (10, 0, 20, 10)))
    assert box_iou(large, inside) == box_iou(inside, large) == 0.25
    assert box_iobb(inside, large) == 1
    assert box_iobb(large, inside) == 0.25
    assert box_iou(large, aside) == 0  # they share a border, and no area
    point = boxes((3, 3, 3, 3)).corners
    assert box_iou(point, point) == box_iou(point, large) == box_iobb(point, large) == 0
    assert box_iou(np.empty((0, 4)), large).shape == (0, 1)
    assert box_iobb(large, np.empty((0, 4))).shape == (1, 0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(-100, 100), st.floats(0.1, 10))
def test_overlap_is_symmetric_and_knows_neither_place_nor_scale(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = some_corners(rng, 5), some_corners(rng, 4)
    overlap = box_iou(first, second)
    assert np.array_equal(overlap, box_iou(second, first).T)
    assert box_iou(first * scale + shift, second * scale + shift) == pytest.approx(overlap, abs=1e-9)
    assert ((overlap >= 0) & (overlap <= 1)).all()
    assert np.diag(box_iou(first, first)) == pytest.approx(1)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.75])
@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_cocos(seed: int, threshold: float) -> None:
    predictions = some_predictions(seed)
    expected = [coco_average_precision(predictions, name, threshold) for name in CLASSES]
    rule = iou_at_least(threshold)
    for name, value in zip(CLASSES, expected, strict=True):
        assert average_precision(predictions, name, rule) == pytest.approx(value, abs=1e-9)
    assert mean_average_precision(predictions, rule) == pytest.approx(np.mean(expected))
    assert 0.01 < np.mean(expected) < 0.95


def luna16_score(predictions: DetectionPredictions) -> float:
    """What LUNA16's evaluation does: a vector of candidates, scikit-learn's ROC curve, and its axes scaled.

    The surest candidate in a nodule stands for it, others in it are ignored, and a missed one comes last of all.
    """
    labels, scores, hits = [], [], 0
    for found, true in zip(predictions.found, predictions.true, strict=True):
        centres = (found.corners[:, :2] + found.corners[:, 2:]) / 2
        used = np.zeros(len(found), dtype=np.bool_)
        for x0, y0, x1, y1 in true.corners:
            inside = (x0 <= centres[:, 0]) & (centres[:, 0] <= x1) & (y0 <= centres[:, 1]) & (centres[:, 1] <= y1)
            used |= inside
            labels.append(1)
            scores.append(found.scores[inside].max() if inside.any() else -1e9)
            hits += int(inside.any())
        labels += [0] * int((~used).sum())
        scores += found.scores[~used].tolist()
    alarms = labels.count(0)
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    reached = np.array(tpr) * labels.count(1) <= hits  # without the step on which missed nodules would come in
    rates = np.interp(FROC_RATES, fpr[reached] * alarms / len(predictions), tpr[reached])
    return float(rates.mean())


@pytest.mark.parametrize("decimals", [9, 1])
@pytest.mark.parametrize("seed", range(4))
def test_the_froc_score_is_luna16s(seed: int, decimals: int) -> None:
    """With few decimals many scores are the same."""
    rng = np.random.default_rng(seed)
    pairs = []
    for said in some_predictions(seed, decimals=decimals).found:
        corner = rng.permutation(4)[: rng.integers(0, 4)]  # true boxes in four corners, so that none overlap
        start = np.stack([corner // 2, corner % 2], axis=1) * 45 + rng.uniform(0, 15, (len(corner), 2))
        true = np.concatenate([start, start + rng.uniform(10, 28, (len(corner), 2))], axis=1)
        pairs.append(
            (
                replace(said, classes=np.zeros_like(said.classes)),
                Boxes(true, np.zeros(len(true), np.int64), np.ones(len(true))),
            )
        )
    predictions = predictions_of(*pairs)
    assert froc_score(predictions, centre_inside) == pytest.approx(luna16_score(predictions))
    assert 0.1 < froc_score(predictions, centre_inside) < 0.95


TRUE = (0.0, 0.0, 10.0, 10.0)
NEAR = (1.0, 0.0, 11.0, 10.0)  # IoU 9 / 11
ASIDE = (6.0, 0.0, 16.0, 10.0)  # IoU 4 / 16
FAR = (50.0, 50.0, 60.0, 60.0)


def test_each_true_box_is_hit_once_and_by_the_surest() -> None:
    found = boxes(NEAR, TRUE, FAR, scores=[0.9, 0.8, 0.7])
    assert match(found, boxes(TRUE), iou_at_least(0.5)).tolist() == [0, DOUBLE, FALSE_ALARM]
    assert match(found, boxes(TRUE, NEAR), iou_at_least(0.5)).tolist() == [1, 0, FALSE_ALARM]


def test_a_box_takes_the_next_best_that_is_free() -> None:
    found = boxes(TRUE, TRUE, scores=[0.9, 0.8])
    assert match(found, boxes(NEAR, TRUE), iou_at_least(0.5)).tolist() == [1, 0]


def test_of_equal_scores_the_better_fit_chooses_first() -> None:
    assert match(boxes(NEAR, TRUE, scores=[0.5, 0.5]), boxes(TRUE), iou_at_least(0.5)).tolist() == [DOUBLE, 0]


def test_a_box_hits_only_its_own_class() -> None:
    found = boxes(TRUE, TRUE, classes=[1, 0], scores=[0.9, 0.1])
    assert match(found, boxes(TRUE, classes=[0]), iou_at_least(0.5)).tolist() == [FALSE_ALARM, 0]


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        (iou_at_least(0.25), True),
        (iou_at_least(0.26), False),
        (iobb_at_least(0.4), True),
        (iobb_at_least(0.41), False),
        (centre_inside, False),
    ],
)
def test_the_rule_says_what_a_hit_is(rule: Rule, hits: bool) -> None:
    assert (match(boxes(ASIDE), boxes(TRUE), rule) == [0 if hits else FALSE_ALARM]).all()


def test_a_centre_on_the_border_is_inside() -> None:
    found = boxes((5, 0, 15, 10), (5.1, 0, 15.1, 10), (-5, -5, 5, 5), (-5.1, -5, 5, 5))
    assert (centre_inside(found.corners, boxes(TRUE).corners)[:, 0] > 0).tolist() == [True, False, True, False]


def test_of_two_true_boxes_around_a_centre_the_one_with_the_nearer_centre_is_hit() -> None:
    assert match(boxes((0, 0, 4, 4)), boxes((0, 0, 20, 20), (0, 0, 6, 6)), centre_inside) == 1


def test_a_tiny_box_in_the_middle_is_a_hit_by_its_centre_and_not_by_its_overlap() -> None:
    found, true = boxes((4, 4, 6, 6)), boxes(TRUE)
    assert match(found, true, centre_inside) == match(found, true, iobb_at_least(0.9)) == 0
    assert match(found, true, iou_at_least(0.2)) == FALSE_ALARM


def test_average_precision_is_that_worked_out_by_hand() -> None:
    """Hit, alarm, hit of three true boxes: precision 1 up to recall 1/3, 2/3 up to 2/3, and then 0."""
    predictions = predictions_of(
        (boxes(TRUE, FAR, scores=[0.9, 0.8]), boxes(TRUE)),
        (boxes(NEAR, scores=[0.7]), boxes(TRUE, FAR)),
    )
    assert average_precision(predictions, "nodule", iou_at_least(0.5)) == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_double_hits_are_false_alarms_to_average_precision_and_nothing_to_froc() -> None:
    once = predictions_of((boxes(TRUE, scores=[0.5]), boxes(TRUE, FAR)), (boxes(FAR, scores=[0.4]), boxes(FAR)))
    twice = replace(once, found=(boxes(TRUE, NEAR, scores=[0.5, 0.45]), once.found[1]))
    rule = iou_at_least(0.5)
    assert average_precision(twice, "nodule", rule) < average_precision(once, "nodule", rule)
    assert froc(twice, rule).false_alarms.tolist() == [0, 0, 0, 0]
    assert froc_score(twice, rule) == froc_score(once, rule) == pytest.approx(2 / 3)


def test_froc_is_that_worked_out_by_hand() -> None:
    predictions = predictions_of(
        (boxes(TRUE, FAR, scores=[0.9, 0.8]), boxes(TRUE)),
        (boxes(NEAR, FAR, (80, 80, 90, 90), scores=[0.7, 0.6, 0.6]), boxes(TRUE, (20, 20, 25, 25))),
    )
    curve = froc(predictions, iou_at_least(0.5))
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6]
    assert curve.false_alarms.tolist() == [0, 0, 0.5, 0.5, 1.5]
    assert curve.sensitivity == pytest.approx(np.array([0, 1, 1, 2, 2]) / 3)
    assert curve.sensitivity_at(0.25) == pytest.approx(1 / 3)
    assert curve.sensitivity_at(0.5) == pytest.approx(2 / 3)
    assert curve.sensitivity_at(8) == pytest.approx(2 / 3)
    assert froc_score(predictions, iou_at_least(0.5)) == pytest.approx((2 * 1 / 3 + 5 * 2 / 3) / 7)


def test_healthy_people_change_a_froc_and_not_an_average_precision() -> None:
    sick = (boxes(FAR, TRUE, scores=[0.9, 0.8]), boxes(TRUE))
    healthy = (boxes(), boxes())
    alone, among = predictions_of(sick), predictions_of(sick, healthy, healthy, healthy)
    rule = iou_at_least(0.5)
    assert froc(alone, rule).false_alarms.tolist() == [0, 1, 1]
    assert froc(among, rule).false_alarms.tolist() == [0, 0.25, 0.25]
    assert froc_score(alone, rule) < froc_score(among, rule)
    assert average_precision(alone, "nodule", rule) == average_precision(among, "nodule", rule)


def test_false_alarms_on_the_healthy_count() -> None:
    sick, healthy = (boxes(TRUE, scores=[0.8]), boxes(TRUE)), (boxes(FAR, scores=[0.9]), boxes())
    rule = iou_at_least(0.5)
    assert average_precision(predictions_of(sick, healthy), "nodule", rule) == 0.5
    assert froc(predictions_of(sick, healthy), rule).false_alarms.tolist() == [0, 0.5, 0.5]


def test_without_a_true_box_there_is_no_sensitivity_and_no_precision() -> None:
    predictions = predictions_of((boxes(FAR, scores=[0.9]), boxes()), (boxes(), boxes()))
    assert not predictions.measurable
    assert not judge(predictions, centre_inside).measurable
    assert np.isnan(average_precision(predictions, "nodule", centre_inside))
    assert np.isnan(mean_average_precision(predictions, centre_inside))
    assert np.isnan(froc_score(predictions, centre_inside))
    curve = froc(predictions, centre_inside)
    assert np.isnan(curve.sensitivity).all()
    assert curve.false_alarms.tolist() == [0, 0.5]


def test_whoever_finds_nothing_has_zero() -> None:
    predictions = predictions_of((boxes(), boxes(TRUE)), (boxes(), boxes()))
    assert predictions.measurable
    assert average_precision(predictions, "nodule", centre_inside) == 0
    assert mean_average_precision(predictions, centre_inside) == 0
    assert froc_score(predictions, centre_inside) == 0
    curve = froc(predictions, centre_inside)
    assert (curve.thresholds.tolist(), curve.false_alarms.tolist(), curve.sensitivity.tolist()) == ([np.inf], [0], [0])


def test_no_image_has_no_number() -> None:
    nothing = some_predictions(0).take(np.array([], dtype=np.int64))
    assert len(nothing) == 0
    assert not nothing.measurable
    assert np.isnan(froc_score(nothing, centre_inside))
    assert np.isnan(mean_average_precision(nothing, centre_inside))


def test_a_class_that_the_truth_lacks_is_left_out_of_the_mean_and_its_false_alarms_show_in_froc() -> None:
    found = boxes(FAR, TRUE, classes=[1, 0], scores=[0.9, 0.8])
    predictions = predictions_of((found, boxes(TRUE)))
    assert np.isnan(average_precision(predictions, "mass", centre_inside))
    assert mean_average_precision(predictions, centre_inside) == 1
    assert froc(predictions, centre_inside).false_alarms.tolist() == [0, 1, 1]
    assert froc(predictions, centre_inside, "nodule").false_alarms.tolist() == [0, 0]
    assert froc(predictions, centre_inside, "mass").false_alarms.tolist() == [0, 1]


def test_classes_are_counted_apart_and_together() -> None:
    predictions = some_predictions(1)
    rule = iou_at_least(0.3)
    curves = [froc(predictions, rule, name) for name in (*CLASSES, None)]
    true = [sum(int((boxes.classes == i).sum()) for boxes in predictions.true) for i in (0, 1)]
    assert curves[0].false_alarms[-1] + curves[1].false_alarms[-1] == pytest.approx(curves[2].false_alarms[-1])
    assert curves[2].sensitivity[-1] == pytest.approx(
        np.average([curve.sensitivity[-1] for curve in curves[:2]], weights=true)
    )


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0, 1, 9]))
def test_the_order_of_the_images_does_not_matter_even_where_scores_are_the_same(seed: int, decimals: int) -> None:
    predictions = some_predictions(seed, images=8, decimals=decimals)
    mixed = predictions.take(np.random.default_rng(seed).permutation(8))
    rule = iou_at_least(0.3)
    for metric in (froc_score, mean_average_precision):
        assert metric(mixed, rule) == pytest.approx(metric(predictions, rule), nan_ok=True)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_a_further_false_alarm_makes_nothing_better(seed: int) -> None:
    predictions = some_predictions(seed, images=6)
    nowhere = np.array([[900.0, 900.0, 910.0, 910.0]])
    said = predictions.found[0]
    more = Boxes(
        np.append(said.corners, nowhere, axis=0),
        np.append(said.classes, 0),
        np.append(said.scores, np.random.default_rng(seed).uniform(0, 1)),
    )
    worse = replace(predictions, found=(more, *predictions.found[1:]))
    for metric in (froc_score, mean_average_precision):
        before, after = metric(predictions, centre_inside), metric(worse, centre_inside)
        assert np.isnan(before) == np.isnan(after)
        assert not after > before + 1e-12
    curve = froc(predictions, centre_inside)
    assert (np.diff(curve.false_alarms) >= 0).all()
    assert (np.diff(curve.thresholds[1:]) < 0).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5), max_size=8))
def test_matching_first_and_drawing_then_is_the_same(seed: int, drawn: list[int]) -> None:
    predictions = some_predictions(seed, images=6)
    indices = np.array(drawn, dtype=np.int64)
    taken, judged = predictions.take(indices), judge(predictions, centre_inside).take(indices)
    assert len(taken) == len(judged) == len(drawn)
    assert taken.files == judged.files == tuple(f"{i}.png" for i in drawn)
    assert taken.patients.tolist() == judged.patients.tolist()
    assert taken.measurable == judged.measurable
    assert JudgedBoxes.froc_score(judged) == pytest.approx(froc_score(taken, centre_inside), nan_ok=True)
    assert judged.average_precision("mass") == pytest.approx(
        average_precision(taken, "mass", centre_inside), nan_ok=True
    )


def test_boxes_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"Expected corners \[boxes, 4\]"):
        Boxes(np.zeros((2, 4)), np.zeros(1, np.int64), np.ones(2))
    with pytest.raises(ValueError, match=r"x0 <= x1.*\[5.0, 0.0, 3.0, 1.0\]"):
        boxes((5, 0, 3, 1))
    with pytest.raises(ValueError, match="1 of 2 boxes have a corner that is NaN"):
        boxes(TRUE, (0, float("nan"), 3, 1))
    with pytest.raises(ValueError, match=r"0\.png: the classes end at 1"):
        predictions_of((boxes(TRUE, classes=[2]), boxes()))
    with pytest.raises(ValueError, match="one per file"):
        replace(some_predictions(0), files=("a.png",))


def test_a_score_that_is_not_a_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are not a number"):
        match(boxes(TRUE, FAR, scores=[0.5, float("nan")]), boxes(), centre_inside)


def test_an_unknown_class_or_threshold_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'tumour'.*nodule, mass"):
        average_precision(some_predictions(0), "tumour", centre_inside)
    for threshold in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            iou_at_least(threshold)
