"""Occlusion by hand: cover each patch, and see how far the score falls."""

from collections.abc import Callable

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 6.3 --- occlusion

Score = Callable[[np.ndarray], float]


def occlusion_map(score: Callable[[np.ndarray], float], image: np.ndarray, patch: int, fill: float) -> np.ndarray:
    """How far the score falls while each patch is covered, [rows, columns] of patches that do not overlap."""
    rows, columns = image.shape[0] // patch, image.shape[1] // patch
    falls = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            covered = image.copy()
            covered[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch] = fill
            falls[row, column] = score(image) - score(covered)
    return falls


def _draw_scored_image(rng: np.random.Generator) -> Inputs:
    image, weights = rng.integers(1, 9, (4, 6)).astype(float), rng.integers(-3, 4, (4, 6)).astype(float)
    weights[0, 0], weights[3, 5] = 4.0, -4.0

    def score(seen: np.ndarray) -> float:
        return float((weights * seen).sum() + 7)

    return score, image, 2, 10.0


def _covered_scores(score: Score, image: np.ndarray, patch: int, fill: float) -> np.ndarray:
    return score(image) - occlusion_map(score, image, patch, fill)


def _rises(score: Score, image: np.ndarray, patch: int, fill: float) -> np.ndarray:
    return -occlusion_map(score, image, patch, fill)


def _stays_covered(score: Score, image: np.ndarray, patch: int, fill: float) -> np.ndarray:
    before, seen = score(image), image.copy()
    falls = np.zeros((image.shape[0] // patch, image.shape[1] // patch))
    for row, column in np.ndindex(*falls.shape):
        seen[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch] = fill
        falls[row, column] = before - score(seen)
    return falls


def _black_patch(score: Score, image: np.ndarray, patch: int, _: float) -> np.ndarray:
    return occlusion_map(score, image, patch, 0.0)


def _single_pixels(score: Score, image: np.ndarray, patch: int, fill: float) -> np.ndarray:
    return occlusion_map(score, image, 1, fill)[::patch, ::patch]


OCCLUSION_MAP = Exercise(
    "6.3",
    "Occlusion",
    occlusion_map,
    hints=(
        "For each patch: copy the image, cover the patch in the copy, ask for the score. What do you compare it with?",
        "Patch (row, column) covers image[row * patch:(row + 1) * patch, column * patch:(column + 1) * patch].",
        "The entry is score(image) - score(covered): positive where the score needed what was there.",
        "falls = np.zeros((image.shape[0] // patch, image.shape[1] // patch)), two loops; inside: covered = "
        "image.copy(), covered[…] = fill, falls[row, column] = score(image) - score(covered)",
    ),
    mistakes=(
        Mistake(_covered_scores, "Those are the scores with the patch covered. How far did they *fall*?"),
        Mistake(_rises, "The sign is turned round: score(image) - score(covered), positive where something was lost."),
        Mistake(
            _stays_covered, "The patches stay covered, so that each adds to the last. Take a fresh copy each time."
        ),
        Mistake(_black_patch, "The patch must be covered with fill, not with 0: black is what air looks like."),
        Mistake(_single_pixels, "Only one pixel of each patch is covered. Cover patch x patch of them."),
    ),
    draw=_draw_scored_image,
)
