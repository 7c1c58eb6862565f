"""Calibration: against scikit-learn, against other ways to the same number, and without touching the order."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from course_lib.evaluation.calibration import brier_score, fit_temperature, reliability, with_temperature
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.predictions import Predictions
from tests.made_predictions import of_three_classes, predictions_of


def honest(images: int = 4000, sharpness: float = 1.0) -> Predictions:
    """Scores that are right about themselves, with the logits then made so many times as large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, images)
    labels = rng.random(images) < 1 / (1 + np.exp(-logits))
    return predictions_of(labels.astype(int).tolist(), (1 / (1 + np.exp(-sharpness * logits))).tolist())


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_made_the_scores_too_sure(sharpness: float) -> None:
    said = honest(sharpness=sharpness)
    temperature = fit_temperature(said)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    assert temperature == pytest.approx(sharpness * fit_temperature(honest()), rel=1e-4)
    by_grid = min(
        np.linspace(0.9, 1.1, 41) * temperature, key=lambda t: log_loss(said.labels, with_temperature(said, t).scores)
    )
    assert temperature == pytest.approx(by_grid, rel=0.006)


def test_the_temperature_changes_no_order() -> None:
    said = honest(200)
    assert auroc(with_temperature(said, 3)) == pytest.approx(auroc(said))
    assert np.allclose(with_temperature(said, 1).probabilities, said.probabilities)
    assert with_temperature(said, 50).scores == pytest.approx(0.5, abs=0.05)


def test_certain_scores_stay_finite() -> None:
    sure = predictions_of([0, 1, 1], [0.0, 1.0, 0.0])
    assert np.isfinite(with_temperature(sure, 2).probabilities).all()
    assert fit_temperature(sure) > 10


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_must_be_above_0(temperature: float) -> None:
    with pytest.raises(ValueError, match="must be above 0, but is"):
        with_temperature(honest(10), temperature)


def test_groups_of_like_scores_are_scikit_learns() -> None:
    said = honest(600)
    share, score = calibration_curve(said.labels, said.scores, n_bins=6, strategy="quantile")
    found = reliability(said, 6)
    assert found.images.tolist() == [100] * 6
    assert found.share == pytest.approx(share)
    assert found.score == pytest.approx(score)


def test_there_are_no_more_groups_than_images() -> None:
    with pytest.raises(ValueError, match=r"from 1 to 3 groups.*but got 4"):
        reliability(predictions_of([0, 1, 1], [0.1, 0.2, 0.3]), 4)


def test_the_brier_score_counted_by_hand() -> None:
    assert brier_score(predictions_of([1, 0, 1], [0.9, 0.2, 0.5])) == pytest.approx((0.01 + 0.04 + 0.25) / 3)
    assert brier_score(predictions_of([1, 0], [0.5, 0.5])) == 0.25
    assert brier_score(predictions_of([1, 1], [1.0, 1.0])) == 0


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    said = honest(200, sharpness=2)
    assert brier_score(said) == pytest.approx(brier_score_loss(said.labels, said.scores))


def test_the_brier_score_of_three_classes_adds_up_over_the_classes() -> None:
    three = of_three_classes()
    by_class = [brier_score(three.one_against_rest(name)) for name in three.classes]
    assert brier_score(three) == pytest.approx(sum(by_class))
    even = replace(three, probabilities=np.full((len(three), 3), 1 / 3))
    assert brier_score(even) == pytest.approx(1 - 1 / 3)


def test_the_temperature_of_three_classes_undoes_what_made_them_too_sure() -> None:
    three = of_three_classes(noise=1)
    too_sure = with_temperature(three, 1 / 3)
    assert fit_temperature(too_sure) == pytest.approx(3 * fit_temperature(three), rel=1e-3)
    assert np.array_equal(too_sure.most_probable, three.most_probable)


def test_the_reliability_of_one_of_three_classes() -> None:
    three = of_three_classes()
    with pytest.raises(ValueError, match="exactly two classes"):
        reliability(three)
    assert reliability(three.one_against_rest("cyst")).sick.sum() == (three.labels == 0).sum()
