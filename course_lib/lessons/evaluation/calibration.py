"""Probabilities that mean what they say: the Brier score, and a temperature."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 5.6 --- the Brier score


def brier(labels: list[int], scores: list[float]) -> float:
    """The mean squared distance from score to label."""
    return sum((score - label) ** 2 for label, score in zip(labels, scores, strict=True)) / len(labels)


def _draw_labels_and_scores(rng: np.random.Generator) -> Inputs:
    labels = [0, 1, 1, *rng.integers(0, 2, 3).tolist()]
    return labels, np.round(rng.uniform(0.05, 0.95, 6), 2).tolist()


def _absolute(labels: list[int], scores: list[float]) -> float:
    return float(np.mean(np.abs(np.array(scores) - labels)))


def _root(labels: list[int], scores: list[float]) -> float:
    return float(np.sqrt(brier(labels, scores)))


def _summed(labels: list[int], scores: list[float]) -> float:
    return brier(labels, scores) * len(labels)


def _entropy(labels: list[int], scores: list[float]) -> float:
    of_the_truth = [score if label else 1 - score for label, score in zip(labels, scores, strict=True)]
    return float(-np.mean(np.log(of_the_truth)))


def _share_wrong(labels: list[int], scores: list[float]) -> float:
    return float(np.mean([(score >= 0.5) != label for label, score in zip(labels, scores, strict=True)]))


def _of_the_other_class(labels: list[int], scores: list[float]) -> float:
    return brier(labels, [1 - score for score in scores])


BRIER = Exercise(
    "5.6",
    "The Brier score",
    brier,
    hints=(
        "A sick child has the label 1. How far is the score 0.7 from it?",
        "Square each distance, score - label, and take the mean.",
        "sum((score - label) ** 2 for label, score in zip(labels, scores)) / len(labels)",
    ),
    mistakes=(
        Mistake(_absolute, "Square the distances. With plain ones it pays to say 0 or 1 and never anything between."),
        Mistake(_root, "No root at the end: the Brier score stays squared."),
        Mistake(_summed, "That is the sum. The mean does not grow with the number of images."),
        Mistake(_entropy, "That is the cross-entropy. It judges the same, but punishes a sure mistake without limit."),
        Mistake(
            _of_the_other_class, "Yours is 0 for who is always wrong. The distance is from the score to the label."
        ),
        Mistake(_share_wrong, "That is the part of wrong calls at 0.5. Here no threshold is needed."),
    ),
    draw=_draw_labels_and_scores,
)

# 5.7 --- temperature


def soften(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities [images, classes], from logits that are divided by the temperature first."""
    powers = np.exp(logits / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def _draw_logits(rng: np.random.Generator) -> Inputs:
    logits = np.round(rng.normal(0, 2, (3, 2)), 1)
    return logits + np.array([0.3, 1.0]), float(rng.choice([0.5, 1.5, 2.0, 3.0]))


def _hardened(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits, 1 / temperature)


def _ignores_the_temperature(logits: np.ndarray, _temperature: float) -> np.ndarray:
    return soften(logits, 1.0)


def _no_sum(logits: np.ndarray, temperature: float) -> np.ndarray:
    return np.asarray(np.exp(logits / temperature))


def _over_images(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits.T, temperature).T


def _divided_too_late(logits: np.ndarray, temperature: float) -> np.ndarray:
    return soften(logits, 1.0) / temperature


SOFTEN = Exercise(
    "5.7",
    "Softening with a temperature",
    soften,
    hints=(
        "Softmax takes the exponential of each logit, and divides by the sum over the classes. What comes before?",
        "Divide the logits by the temperature, then np.exp. The classes of an image are in one row.",
        "powers.sum(axis=1, keepdims=True) is the sum of each row, in a shape that divides.",
        "powers = np.exp(logits / temperature); return powers / powers.sum(axis=1, keepdims=True)",
    ),
    mistakes=(
        Mistake(_hardened, "You multiply by the temperature: above 1, the network becomes surer, not less sure."),
        Mistake(
            _ignores_the_temperature,
            "The temperature plays no part in yours, or cancels out. Divide the logits, before np.exp.",
        ),
        Mistake(_no_sum, "Each row must add up to 1: divide by its sum."),
        Mistake(_over_images, "Your columns add up to 1. The classes of an image are in one row: axis=1."),
        Mistake(_divided_too_late, "Divide the logits, before the softmax. Afterwards the rows no longer add up to 1."),
    ),
    draw=_draw_logits,
)
