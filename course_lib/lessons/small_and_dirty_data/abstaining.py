"""How often a network is wrong, if it answers only where it is sure."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 7.7 --- the risk among the surest


def risk_at(confidences: np.ndarray, correct: np.ndarray, coverage: float) -> float:
    """The share of wrong answers among the surest images; ``coverage`` is how large a share of all these are."""
    surest = np.argsort(-confidences)[: round(coverage * len(confidences))]
    return float(1 - correct[surest].mean())


def _draw_confidences(rng: np.random.Generator) -> Inputs:
    while True:
        confidences = np.round(rng.permutation(np.linspace(0.51, 0.99, 10)), 2)
        correct, coverage = rng.random(10) < 0.6, int(rng.integers(3, 9)) / 10
        rules = (risk_at, _accuracy_at, _unsure_ones, _of_all, _all_of_them, _as_a_threshold)
        if len({round(rule(confidences, correct, coverage), 6) for rule in rules}) == len(rules):
            return confidences, correct, coverage


def _accuracy_at(confidences: np.ndarray, correct: np.ndarray, coverage: float) -> float:
    return 1 - risk_at(confidences, correct, coverage)


def _unsure_ones(confidences: np.ndarray, correct: np.ndarray, coverage: float) -> float:
    return risk_at(-confidences, correct, coverage)


def _of_all(confidences: np.ndarray, correct: np.ndarray, coverage: float) -> float:
    return coverage * risk_at(confidences, correct, coverage)


def _all_of_them(_: np.ndarray, correct: np.ndarray, __: float) -> float:
    return float(1 - correct.mean())


def _as_a_threshold(confidences: np.ndarray, correct: np.ndarray, coverage: float) -> float:
    answered = correct[confidences >= coverage]
    return float(1 - answered.mean()) if len(answered) else 0.0


RISK_AT = Exercise(
    "7.7",
    "The risk among the surest",
    risk_at,
    hints=(
        "Which images are answered? The surest ones, coverage times as many as there are.",
        "np.argsort(-confidences) gives the places from the surest to the least sure.",
        "Keep the first round(coverage * len(confidences)) of these places, and look at correct there.",
        "1 - correct[np.argsort(-confidences)[: round(coverage * len(confidences))]].mean()",
    ),
    mistakes=(
        Mistake(_accuracy_at, "That is the share that is right. Risk is the share that is wrong."),
        Mistake(_unsure_ones, "You kept the least sure: argsort goes from low to high, so sort -confidences."),
        Mistake(_of_all, "You divided by all images. Risk is among those that are answered."),
        Mistake(_all_of_them, "That is the risk if all are answered. Keep the surest only."),
        Mistake(_as_a_threshold, "Coverage is a share of the images, not a confidence to compare with."),
    ),
    draw=_draw_confidences,
)
