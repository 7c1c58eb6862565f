"""Reports: every number with an interval and a baseline, and each group on its own patients."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib import evaluation
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.report import Score, by_group, evaluate
from tests.made_predictions import of_three_classes, predictions_of, two_models


def test_a_report_has_intervals_and_baselines() -> None:
    report = evaluate(predictions_of([0, 1] * 20, [0.2, 0.8] * 20), 0.5, "Test", resamples=20)
    assert report["AUROC"].value == 1
    assert report["AUROC"].baseline == 0.5
    assert report["accuracy"].low <= report["accuracy"].value <= report["accuracy"].high
    assert "| F1 | 1.000 |" in report._repr_markdown_()
    assert "Test: 40 images of 40 patients, threshold 0.50" in str(report)


def test_a_report_names_the_disease_of_its_classes() -> None:
    sick = replace(two_models()[0], classes=("HEALTHY", "TUBERCULOSIS"))
    assert "always TUBERCULOSIS" in evaluation.evaluate(sick, 0.5, "A test", resamples=5)._repr_markdown_()


def test_a_group_is_measured_on_its_own_patients() -> None:
    first, _ = two_models()
    half = np.arange(len(first)) < 75
    groups = by_group(first, 0.5, {"first half": half, "all": half | True}, resamples=20)
    own = first.take(np.flatnonzero(half))
    sensitivity, specificity, area = groups["first half"].scores
    assert sensitivity.value == evaluation.sensitivity(own, 0.5)
    assert specificity.value == evaluation.specificity(own, 0.5)
    assert (area.low, area.high) == bootstrap_interval(own, evaluation.auroc, resamples=20)
    assert groups["all"].sick_patients + groups["all"].healthy_patients == 150
    assert groups._repr_markdown_().splitlines()[2].startswith(f"| first half | {own.labels.sum()} | ")


@pytest.mark.parametrize(
    ("groups", "words"), [({}, "at least one group"), ({"sick": [False, True, True]}, "2 sick and 0 healthy")]
)
def test_a_group_needs_both_classes(groups: dict[str, list[bool]], words: str) -> None:
    masks = {name: np.array(mask) for name, mask in groups.items()}
    with pytest.raises(ValueError, match=words):
        by_group(predictions_of([0, 1, 1], [0.1, 0.2, 0.3]), 0.5, masks)


def test_a_report_of_three_classes_has_numbers_of_all_and_of_each() -> None:
    three = of_three_classes()
    report = evaluate(three, None, "Kidneys", resamples=20)
    assert [score.name for score in report.scores[:6]] == [
        "AUROC",
        "average precision",
        "accuracy",
        "balanced accuracy",
        "cyst: AUROC",
        "cyst: sensitivity",
    ]
    assert report["balanced accuracy"].baseline == pytest.approx(1 / 3)
    assert report["AUROC"].value == evaluation.auroc(three)
    assert report["stone: AUROC"].value == pytest.approx(evaluation.auroc(three.one_against_rest("stone")))
    counts = evaluation.confusion(three)
    assert report["tumour: sensitivity"].value == counts[2, 2] / counts[2].sum()
    assert report["tumour: precision"].value == counts[2, 2] / counts[:, 2].sum()
    each = [report[f"{name}: sensitivity"].value for name in three.classes]
    assert report["balanced accuracy"].value == pytest.approx(np.mean(each))
    page = report._repr_markdown_()
    assert page.startswith("**Kidneys: 120 images of 60 patients**\n\n| | value | 95 % interval | always cyst |")
    assert all(score.low <= score.value <= score.high for score in report.scores)


def test_groups_of_three_classes_are_measured_on_their_own_patients() -> None:
    three = of_three_classes()
    half = np.arange(len(three)) < 60
    groups = by_group(three, None, {"first half": half}, resamples=20)
    own = three.take(np.flatnonzero(half))
    found = {score.name: score.value for score in groups["first half"].scores}
    assert found == {
        "accuracy": evaluation.accuracy(own),
        "balanced accuracy": evaluation.balanced_accuracy(own),
        "AUROC": evaluation.auroc(own),
    }
    head, _, row = groups._repr_markdown_().splitlines()
    assert head.startswith("| group | cyst patients | stone patients | tumour patients | accuracy |")
    assert row.startswith("| first half | 20 | 20 | 10 | ")
    with pytest.raises(ValueError, match="The group no tumour has 40 cyst, 40 stone and 0 tumour patients; it needs"):
        by_group(three, None, {"no tumour": three.labels < 2})


def test_two_classes_need_a_threshold_and_three_have_none() -> None:
    with pytest.raises(ValueError, match=r"Two classes need a threshold.*choose_threshold"):
        evaluate(two_models()[0], None, "Test")
    with pytest.raises(ValueError, match=r"no threshold between 3 classes \(cyst, stone, tumour\). Give None"):
        evaluate(of_three_classes(), 0.5, "Test")


def test_a_score_says_its_interval() -> None:
    assert str(Score("AUROC", 0.9, 0.85, 0.95, 0.5)) == "0.900 (0.850 to 0.950)"
