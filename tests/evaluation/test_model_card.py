"""The model card: it holds what it was given, and says what is missing."""

from dataclasses import replace

import pytest

from course_lib.evaluation.model_card import ModelCard
from course_lib.evaluation.report import by_group, evaluate
from tests.made_predictions import predictions_of


@pytest.fixture(scope="module")
def card() -> ModelCard:
    predictions = predictions_of([0, 1] * 20, [0.2, 0.8] * 20)
    everyone = predictions.labels >= 0
    return ModelCard(
        name="Net",
        intended_use="To learn.",
        not_for="Patients.",
        training_data="20 simulated children.",
        evaluation_data="40 others.",
        decision="Threshold 0.50.",
        results=evaluate(predictions, 0.5, "Net on the test", resamples=20),
        subgroups=by_group(predictions, 0.5, {"everyone": everyone}, resamples=20),
        calibration="Brier score 0.040.",
        limits=("One hospital.", "No adults."),
        simulated=True,
    )


def test_the_page_holds_every_field(card: ModelCard) -> None:
    page = card.to_markdown()
    assert page.startswith("# Model card: Net\n\n**Measured on simulated images.**")
    for text in (
        "## Intended use\n\nTo learn.",
        "| AUROC | 1.000 |",
        "| everyone | 20 | 20 |",
        "- One hospital.\n- No",
    ):
        assert text in page
    assert card.still_open == ()
    assert "open" not in page


def test_what_is_missing_is_named(card: ModelCard) -> None:
    half = replace(card, intended_use="...", calibration="", simulated=False)
    assert half.still_open == ("intended_use", "calibration")
    assert half.to_markdown().count("*Still open.*") == 2
    assert "simulated images" not in half.to_markdown()
