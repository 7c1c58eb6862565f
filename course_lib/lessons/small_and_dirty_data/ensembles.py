"""Several networks, asked together."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 7.8 --- an ensemble


def together(logits: np.ndarray) -> np.ndarray:
    """The mean of the models' probabilities, [images, classes]; ``logits`` [models, images, classes]."""
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (powers / powers.sum(axis=2, keepdims=True)).mean(axis=0)


def _draw_logits(rng: np.random.Generator) -> Inputs:
    return (np.round(rng.normal(0, 2, (3, 4, 2)), 1),)


def _of_mean_logits(logits: np.ndarray) -> np.ndarray:
    return together(logits.mean(axis=0, keepdims=True))


def _votes(logits: np.ndarray) -> np.ndarray:
    return np.stack([(logits.argmax(axis=2) == label).mean(axis=0) for label in range(logits.shape[2])], axis=1)


def _summed(logits: np.ndarray) -> np.ndarray:
    return together(logits) * len(logits)


def _mean_over_images(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return (powers / powers.sum(axis=2, keepdims=True)).mean(axis=1)


def _softmax_over_models(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return (powers / powers.sum(axis=0, keepdims=True)).mean(axis=0)


TOGETHER = Exercise(
    "7.8",
    "An ensemble",
    together,
    hints=(
        "Two steps: each model's logits become probabilities, then the models are averaged.",
        "Softmax runs over the classes, the last axis: np.exp(logits), divided by its sum over axis=2, keepdims=True.",
        "The models are the first axis: .mean(axis=0).",
        "powers = np.exp(logits); return (powers / powers.sum(axis=2, keepdims=True)).mean(axis=0)",
    ),
    mistakes=(
        Mistake(_of_mean_logits, "You averaged logits, then took softmax. Take softmax first, then average."),
        Mistake(_votes, "Those are votes. They throw away how sure each model is: average probabilities."),
        Mistake(
            _summed, "The sum of the models' probabilities is not a probability: divide by how many models there are."
        ),
        Mistake(_mean_over_images, "You averaged over the images, axis 1. The models are axis 0."),
        Mistake(
            _softmax_over_models, "Your softmax runs over the models. It must run over the classes, the last axis."
        ),
    ),
    draw=_draw_logits,
)
