"""The numbers: against scikit-learn, against counting by hand, and honest about patients."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from torch import nn

from course_lib import evaluation
from course_lib.data.samples import ImageDataset
from course_lib.evaluation.classification import choose_threshold
from course_lib.evaluation.intervals import bootstrap_interval, compare
from course_lib.evaluation.predictions import Predictions
from course_lib.evaluation.report import by_group, evaluate
from course_lib.training.inference import predict


def predictions_of(labels: list[int], scores: list[float], patients: list[str] | None = None) -> Predictions:
    return Predictions(
        probabilities=np.stack([1 - np.array(scores), np.array(scores)], axis=1),
        labels=np.array(labels),
        patients=np.array(patients or [f"p{i}" for i in range(len(labels))]),
        files=tuple(f"{i}.jpeg" for i in range(len(labels))),
        classes=("NORMAL", "PNEUMONIA"),
    )


@st.composite
def any_predictions(draw: st.DrawFn) -> Predictions:
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), min_size=2, max_size=40))]
    scores = draw(st.lists(st.sampled_from(np.linspace(0, 1, 21).tolist()), min_size=len(labels), max_size=len(labels)))
    return predictions_of(labels, scores)


@settings(deadline=None, max_examples=60)
@given(any_predictions(), st.sampled_from([0.1, 0.5, 0.75]))
def test_every_number_is_scikit_learns(predictions: Predictions, threshold: float) -> None:
    true, called, scores = predictions.labels, predictions.scores >= threshold, predictions.scores
    expected = {
        "accuracy": metrics.accuracy_score(true, called),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, called),
        "sensitivity": metrics.recall_score(true, called),
        "specificity": metrics.recall_score(~true.astype(bool), ~called),
        "precision": metrics.precision_score(true, called, zero_division=np.nan),
        "f1": metrics.f1_score(true, called),
        "negative_predictive_value": metrics.precision_score(~true.astype(bool), ~called, zero_division=np.nan),
    }
    for name, value in expected.items():
        assert getattr(evaluation, name)(predictions, threshold) == pytest.approx(value, nan_ok=True), name
    assert np.array_equal(
        evaluation.confusion(predictions, threshold), metrics.confusion_matrix(true, called, labels=[0, 1])
    )
    assert evaluation.auroc(predictions) == pytest.approx(metrics.roc_auc_score(true, scores))
    assert evaluation.average_precision(predictions) == pytest.approx(metrics.average_precision_score(true, scores))


def test_a_case_counted_by_hand() -> None:
    # Sick: 0.9, 0.8, 0.3. Healthy: 0.7, 0.2, 0.1, 0.1. At 0.5: two found, one missed, one false alarm, three spared.
    predictions = predictions_of([1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.1])
    assert evaluation.confusion(predictions, 0.5).tolist() == [[3, 1], [1, 2]]
    assert evaluation.sensitivity(predictions, 0.5) == pytest.approx(2 / 3)
    assert evaluation.specificity(predictions, 0.5) == pytest.approx(3 / 4)
    assert evaluation.auroc(predictions) == pytest.approx(11 / 12)  # of 12 pairs, only (0.3, 0.7) is the wrong way


def test_the_baseline_says_disease_to_everyone() -> None:
    blind = evaluation.baseline(predictions_of([0, 1, 1, 1], [0.9, 0.1, 0.2, 0.3]))
    assert evaluation.sensitivity(blind, 0.5) == 1
    assert evaluation.specificity(blind, 0.5) == 0
    assert evaluation.accuracy(blind, 0.5) == evaluation.average_precision(blind) == 0.75
    assert evaluation.auroc(blind) == 0.5


def test_the_threshold_separates_what_can_be_separated() -> None:
    assert choose_threshold(predictions_of([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9])) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="All 3 scores are the same"):
        choose_threshold(predictions_of([0, 1, 1], [0.5, 0.5, 0.5]))


@settings(deadline=None, max_examples=40)
@given(any_predictions())
def test_no_threshold_between_two_scores_does_better_than_the_chosen_one(predictions: Predictions) -> None:
    if len(np.unique(predictions.scores)) < 2:
        return
    best = evaluation.balanced_accuracy(predictions, choose_threshold(predictions))
    assert all(evaluation.balanced_accuracy(predictions, t) <= best + 1e-12 for t in np.unique(predictions.scores)[1:])


def test_ten_copies_of_each_image_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    scores = np.clip(0.3 * labels + rng.normal(0.35, 0.2, 60), 0, 1)
    patients = [f"p{i}" for i in range(60)]
    once = predictions_of(labels.tolist(), scores.tolist(), patients)
    copied = predictions_of(
        np.repeat(labels, 10).tolist(), np.repeat(scores, 10).tolist(), np.repeat(patients, 10).tolist()
    )
    assert bootstrap_interval(copied, evaluation.auroc) == pytest.approx(bootstrap_interval(once, evaluation.auroc))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng, covered, truth = np.random.default_rng(1), 0, 0.8
    for seed in range(60):
        right = rng.random(80) < truth
        labels = rng.integers(0, 2, 80)
        predictions = predictions_of(labels.tolist(), np.where(right, labels, 1 - labels).astype(float).tolist())
        low, high = bootstrap_interval(predictions, lambda p: evaluation.accuracy(p, 0.5), resamples=200, seed=seed)
        covered += low <= truth <= high
    assert 50 <= covered <= 60


def test_no_interval_from_a_single_class() -> None:
    with pytest.raises(ValueError, match="every resample lacked a class"):
        bootstrap_interval(predictions_of([1, 1], [0.4, 0.6]), evaluation.auroc, resamples=5)


def two_models(seed: int = 0) -> tuple[Predictions, Predictions]:
    """Two models that find the same children hard; the second is a little worse."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 150)
    clear = 0.3 * labels + rng.normal(0.35, 0.15, 150)
    scores = [np.clip(clear + rng.normal(0, noise, 150), 0, 1).tolist() for noise in (0.02, 0.08)]
    return predictions_of(labels.tolist(), scores[0]), predictions_of(labels.tolist(), scores[1])


def test_a_paired_comparison_sees_more_than_two_intervals() -> None:
    first, second = two_models()
    paired = compare(first, second, evaluation.auroc, resamples=300)
    assert paired.difference == evaluation.auroc(first) - evaluation.auroc(second)
    assert paired.low <= paired.difference <= paired.high
    alone = [bootstrap_interval(model, evaluation.auroc, resamples=300) for model in (first, second)]
    assert paired.high - paired.low < min(high - low for low, high in alone)
    assert tuple(np.quantile(paired.draws[:, 0], [0.025, 0.975])) == pytest.approx(alone[0])
    assert "of the draws" in str(paired)


def test_a_model_is_no_better_than_itself() -> None:
    first, _ = two_models()
    paired = compare(first, first, evaluation.auroc, resamples=20)
    assert (paired.difference, paired.low, paired.high, paired.wins) == (0, 0, 0, 0.5)


def test_draws_without_a_value_are_nobodys_win() -> None:
    first, second = (replace(model, probabilities=model.probabilities**9) for model in two_models())
    precision = evaluation.bind(evaluation.precision, 0.8)
    one_way, other_way = (compare(*pair, precision, resamples=200) for pair in ((first, second), (second, first)))
    assert np.isnan(one_way.draws).any()
    assert one_way.wins + other_way.wins == pytest.approx(1)


def test_a_report_names_the_disease_of_its_classes() -> None:
    sick = replace(two_models()[0], classes=("HEALTHY", "TUBERCULOSIS"))
    assert "always TUBERCULOSIS" in evaluation.evaluate(sick, 0.5, "A test", resamples=5)._repr_markdown_()


def test_only_models_that_saw_the_same_images_can_be_compared() -> None:
    first, _ = two_models()
    with pytest.raises(ValueError, match="same images, in the same order"):
        compare(first, first.take(np.arange(len(first))[::-1]), evaluation.auroc)


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


def test_a_report_has_intervals_and_baselines() -> None:
    report = evaluate(predictions_of([0, 1] * 20, [0.2, 0.8] * 20), 0.5, "Test", resamples=20)
    assert report["AUROC"].value == 1
    assert report["AUROC"].baseline == 0.5
    assert report["accuracy"].low <= report["accuracy"].value <= report["accuracy"].high
    assert "| F1 | 1.000 |" in report._repr_markdown_()
    assert "Test: 40 images of 40 patients, threshold 0.50" in str(report)


def test_predict_is_what_the_model_says(small_data: ImageDataset, tiny_model: Callable[[int], nn.Module]) -> None:
    model = tiny_model(2)
    predictions = predict(model, small_data, batch_size=5)
    by_hand = torch.cat([model(small_data[i][0][None]) for i in range(len(small_data))]).softmax(dim=1)
    assert np.allclose(predictions.probabilities, by_hand.detach().numpy(), atol=1e-6)
    assert predictions.labels.tolist() == small_data.labels
    assert predictions.files[0] == small_data.samples[0].path.name


@pytest.mark.parametrize("training", [True, False])
def test_predict_leaves_the_model_in_its_mode(
    small_data: ImageDataset, tiny_model: Callable[[int], nn.Module], training: bool
) -> None:
    model = nn.Sequential(tiny_model(2), nn.Dropout(0.5)).train(training)
    assert np.array_equal(predict(model, small_data).probabilities, predict(model, small_data).probabilities)
    assert model.training == training


def test_a_model_with_another_number_of_classes(
    small_data: ImageDataset, tiny_model: Callable[[int], nn.Module]
) -> None:
    with pytest.raises(ValueError, match=r"The data have 2 classes.*answered with \[32, 3\]\. Build it with classes=2"):
        predict(tiny_model(3), small_data)


def test_scores_need_two_classes() -> None:
    three = Predictions(np.full((2, 3), 1 / 3), np.array([0, 1]), np.array(["a", "b"]), ("1", "2"), ("A", "B", "C"))
    with pytest.raises(ValueError, match="exactly two classes, but there are 3"):
        _ = three.scores
