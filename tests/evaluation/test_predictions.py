"""Predictions: what they are taken for, and what someone says who does not look."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib import evaluation
from course_lib.evaluation.predictions import Predictions, check_same_images, loss_of_each
from course_lib.support.errors import DataError
from tests.made_predictions import FOUR, TEN, of_three_classes, predictions_of


def test_the_baseline_says_disease_to_everyone() -> None:
    blind = evaluation.baseline(predictions_of([0, 1, 1, 1], [0.9, 0.1, 0.2, 0.3]))
    assert evaluation.sensitivity(blind, 0.5) == 1
    assert evaluation.specificity(blind, 0.5) == 0
    assert evaluation.accuracy(blind, 0.5) == evaluation.average_precision(blind) == 0.75
    assert evaluation.auroc(blind) == 0.5


def test_scores_need_two_classes() -> None:
    three = Predictions(np.full((2, 3), 1 / 3), np.array([0, 1]), np.array(["a", "b"]), ("1", "2"), ("A", "B", "C"))
    with pytest.raises(ValueError, match="exactly two classes, but there are 3"):
        _ = three.scores


def test_the_losses_are_those_of_torch() -> None:
    expected = torch.nn.functional.nll_loss(
        torch.tensor(FOUR.probabilities).log(), torch.tensor(FOUR.labels), reduction="none"
    )
    np.testing.assert_allclose(loss_of_each(FOUR), expected.numpy())
    assert np.isfinite(loss_of_each(predictions_of([0], [1.0]))).all()


def test_two_of_three_classes_become_the_rest() -> None:
    three = of_three_classes()
    one = three.one_against_rest("stone")
    assert one.classes == ("not stone", "stone")
    assert np.array_equal(one.scores, three.probabilities[:, 1])
    assert np.array_equal(one.labels, three.labels == 1)
    assert (one.files, one.patients.tolist()) == (three.files, three.patients.tolist())
    assert np.array_equal(TEN.one_against_rest("SICK").scores, TEN.scores)
    with pytest.raises(ValueError, match="one of the classes cyst, stone, tumour, got 'bone'"):
        three.one_against_rest("bone")


def test_who_does_not_look_says_the_commonest_of_three_classes() -> None:
    blind = evaluation.baseline(of_three_classes())
    assert set(blind.most_probable.tolist()) == {0}
    assert evaluation.accuracy(blind) == 0.5
    assert evaluation.balanced_accuracy(blind) == pytest.approx(1 / 3)
    assert evaluation.auroc(blind) == 0.5
    assert evaluation.average_precision(blind) == pytest.approx(1 / 3)


def test_a_decision_is_certain_of_the_most_probable_class() -> None:
    three = of_three_classes()
    certain = three.decided()
    assert np.array_equal(certain.most_probable, three.most_probable)
    assert set(np.unique(certain.probabilities).tolist()) == {0, 1}


def test_what_lacks_a_class_can_not_be_measured() -> None:
    three = of_three_classes()
    assert three.measurable
    assert not three.take(np.flatnonzero(three.labels < 2)).measurable


def test_several_models_of_three_classes_say_the_mean_together() -> None:
    first, second = of_three_classes(seed=0), of_three_classes(seed=1)
    together = evaluation.mean_of([first, second])
    assert np.allclose(together.probabilities, (first.probabilities + second.probabilities) / 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_probability_is_a_number(value: float) -> None:
    with pytest.raises(ValueError, match=r"probabilities of 2 of 4 images are not numbers \(1\.jpeg, 3\.jpeg\)"):
        predictions_of([0, 1, 1, 0], [0.1, value, 0.9, value])


def test_a_probability_is_from_0_to_1() -> None:
    predictions_of([0, 1], [0.0, 1.0])
    with pytest.raises(ValueError, match=r"of 2 of 4 images are not from 0 to 1 \(1\.jpeg, 3\.jpeg\)\. .* softmax"):
        predictions_of([0, 1, 1, 0], [0.1, 5.0, 0.9, -0.5])


def test_a_threshold_is_a_number() -> None:
    for metric in (evaluation.specificity, evaluation.sensitivity, evaluation.accuracy):
        with pytest.raises(ValueError, match="The threshold is NaN"):
            metric(FOUR, float("nan"))


@pytest.mark.parametrize("label", [-1, 2, 5, -100])
def test_a_label_is_the_index_of_a_class(label: int) -> None:
    with pytest.raises(DataError, match=rf"0 to 1 \(NORMAL, PNEUMONIA\), but 1 of 2 images \(1\.jpeg\) have {label}\."):
        predictions_of([0, label], [0.1, 0.2])


def test_the_parts_of_predictions_belong_together() -> None:
    for part in (
        {"files": ("a",)},
        {"classes": ("A", "B", "C")},
        {"labels": np.array([0])},
        {"patients": np.array(["a"])},
    ):
        with pytest.raises(ValueError, match=r"expected probabilities, labels and patients of the shapes"):
            replace(FOUR, **part)


def test_models_that_name_the_classes_in_another_order_are_not_compared() -> None:
    swapped = replace(FOUR, classes=("PNEUMONIA", "NORMAL"))
    with pytest.raises(ValueError, match=r"but these are NORMAL, PNEUMONIA and PNEUMONIA, NORMAL\.$"):
        check_same_images([FOUR, swapped])
    with pytest.raises(ValueError, match="in the same order"):
        evaluation.mean_of([FOUR, swapped])
    with pytest.raises(ValueError, match="in the same order"):
        evaluation.compare(FOUR, swapped, evaluation.auroc)
