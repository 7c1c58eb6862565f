"""Intervals and comparisons: honest about patients, and about draws that have no value."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from course_lib import evaluation
from course_lib.evaluation.intervals import (
    accuracy_interval,
    bootstrap_interval,
    bootstrap_intervals,
    compare,
    with_interval,
)
from tests.made_predictions import of_three_classes, predictions_of, two_models


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_only_models_that_saw_the_same_images_can_be_compared() -> None:
    first, _ = two_models()
    with pytest.raises(ValueError, match="same images, in the same order"):
        compare(first, first.take(np.arange(len(first))[::-1]), evaluation.auroc)


def test_an_accuracy_of_sixteen_images_is_hardly_known() -> None:
    low, high = accuracy_interval(14, 16)
    z, n, p = 1.959964, 16, 14 / 16
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert high - low > 0.3
    widths = [np.ptp(accuracy_interval(round(0.9 * n), n)) for n in (16, 100, 1000)]
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_three_classes_have_an_interval_and_can_be_compared() -> None:
    clear, unclear = of_three_classes(noise=1), of_three_classes(noise=3)
    low, high = bootstrap_interval(clear, evaluation.auroc, resamples=100)
    assert low <= evaluation.auroc(clear) <= high
    paired = compare(clear, unclear, evaluation.balanced_accuracy, resamples=100)
    assert paired.low > 0
    assert paired.wins == 1


def test_a_draw_without_one_of_three_classes_is_left_out() -> None:
    few = of_three_classes(6)
    paired = compare(few, few, evaluation.auroc, resamples=200)
    assert 0 < len(paired.draws) < 200  # the only patient with the third class is often not drawn
    assert np.isfinite(paired.draws).all()


def test_several_intervals_at_once_are_those_one_by_one() -> None:
    model, _ = two_models()
    named = {"AUROC": evaluation.auroc, "accuracy": evaluation.bind(evaluation.accuracy, 0.5)}
    together = bootstrap_intervals(model, named, resamples=50, level=0.9, seed=3)
    for name, metric in named.items():
        assert together[name] == bootstrap_interval(model, metric, resamples=50, level=0.9, seed=3)


@dataclass(frozen=True)
class Lengths:
    """Predictions of a task of its own: how far off a length was in each image."""

    errors: NDArray[np.float64]
    patients: NDArray[np.str_]
    files: tuple[str, ...]
    measurable: bool = True

    def __len__(self) -> int:
        return len(self.errors)

    def take(self, indices: NDArray[np.int64]) -> "Lengths":
        return replace(
            self,
            errors=self.errors[indices],
            patients=self.patients[indices],
            files=tuple(self.files[i] for i in indices),
        )


def test_any_task_that_knows_its_patients_has_intervals() -> None:
    errors = np.random.default_rng(0).normal(1, 0.2, 80)
    files, patients = tuple(f"{i}.nii" for i in range(80)), np.array([f"p{i // 4}" for i in range(80)])
    near, far = Lengths(errors, patients, files), Lengths(errors + 0.5, patients, files)
    low, high = bootstrap_interval(near, lambda lengths: float(lengths.errors.mean()), resamples=100)
    assert 0.9 < low < 1 < high < 1.1
    paired = compare(far, near, lambda lengths: float(lengths.errors.mean()), resamples=100)
    assert (paired.low, paired.high) == pytest.approx((0.5, 0.5))
    with pytest.raises(ValueError, match="every resample lacked"):
        bootstrap_interval(replace(near, measurable=False), lambda _: 0.0, resamples=3)


def test_a_number_that_never_exists_has_no_interval() -> None:
    assert np.isnan(bootstrap_interval(two_models()[0], lambda _: float("nan"), resamples=5)).all()


def test_an_interval_is_written_in_one_way() -> None:
    assert with_interval(0.9123, 0.87, 0.95) == "0.912 (0.870 to 0.950)"
    assert with_interval(0.02, -0.01, 0.05, "+.2f") == "+0.02 (-0.01 to +0.05)"
