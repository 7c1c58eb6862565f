"""Integrated gradients by hand: the way from one image to another."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 6.4 --- integrated gradients

Gradient = Callable[[np.ndarray], np.ndarray]


def integrate(
    gradient: Callable[[np.ndarray], np.ndarray], image: np.ndarray, start: np.ndarray, steps: int
) -> np.ndarray:
    """What each pixel adds on the way: its change times the mean gradient at the middles of the steps."""
    middles = [(step + 0.5) / steps for step in range(steps)]
    mean = np.mean([gradient(start + part * (image - start)) for part in middles], axis=0)
    return (image - start) * mean


def _draw_gradient(rng: np.random.Generator) -> Inputs:
    curve = rng.integers(1, 4, (2, 3)).astype(float)
    image, start = rng.integers(3, 9, (2, 3)).astype(float), rng.integers(0, 3, (2, 3)).astype(float)
    start[0, 0] = 1.0

    def gradient(at: np.ndarray) -> np.ndarray:
        return curve * np.asarray(at) ** 2

    return gradient, image, start, 4


def _gradient_at_the_image(gradient: Gradient, image: np.ndarray, start: np.ndarray, _: int) -> np.ndarray:
    return (image - start) * gradient(image)


def _mean_gradient_alone(gradient: Gradient, image: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    return integrate(gradient, image, start, steps) / (image - start)


def _from_zero(gradient: Gradient, image: np.ndarray, _: np.ndarray, steps: int) -> np.ndarray:
    return integrate(gradient, image, np.zeros_like(image), steps)


def _not_averaged(gradient: Gradient, image: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    return integrate(gradient, image, start, steps) * steps


def _left_ends(gradient: Gradient, image: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    mean = np.mean([gradient(start + step / steps * (image - start)) for step in range(steps)], axis=0)
    return (image - start) * mean


def _right_ends(gradient: Gradient, image: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    mean = np.mean([gradient(start + (step + 1) / steps * (image - start)) for step in range(steps)], axis=0)
    return (image - start) * mean


def _times_the_image(gradient: Gradient, image: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    return image * integrate(gradient, image, start, steps) / (image - start)


INTEGRATE = Exercise(
    "6.4",
    "Integrated gradients",
    integrate,
    hints=(
        "Walk from start to image in a straight line. At which points of the way do you ask for the gradient?",
        "With 4 steps, their middles are at 1/8, 3/8, 5/8 and 7/8 of the way: (step + 0.5) / steps.",
        "The point at such a part is start + part * (image - start). Average the gradients of all points.",
        "parts = [(step + 0.5) / steps for step in range(steps)], then (image - start) * np.mean([gradient(start + "
        "part * (image - start)) for part in parts], axis=0)",
    ),
    mistakes=(
        Mistake(_gradient_at_the_image, "That is the gradient at the image alone. Average it over the whole way."),
        Mistake(
            _mean_gradient_alone, "The mean gradient is right. Multiply it by how far each pixel went: image - start."
        ),
        Mistake(_from_zero, "You walk from 0; the way begins at start."),
        Mistake(_not_averaged, "The gradients are added up. Divide by the number of steps, or take the mean."),
        Mistake(_left_ends, "You ask at the beginning of each step. Ask in its middle: (step + 0.5) / steps."),
        Mistake(_right_ends, "You ask at the end of each step. Ask in its middle: (step + 0.5) / steps."),
        Mistake(_times_the_image, "Multiply by image - start, which is how far each pixel went, not by the image."),
    ),
    draw=_draw_gradient,
)
