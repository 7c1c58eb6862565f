"""The exercises and questions of notebook 06, Explaining predictions: maps by hand, their scores, and interventions."""

from collections.abc import Callable

import numpy as np
import torch

from course_lib.exercises.exercise import Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

# 6.1 --- the weights of Grad-CAM


def channel_weights(gradients: torch.Tensor) -> torch.Tensor:
    """One weight per channel: the mean of its gradient over all places."""
    return gradients.mean(dim=(1, 2))


def _draw_gradients(_: np.random.Generator) -> Inputs:
    return (torch.randn(3, 2, 4).mul(10).round().div(10),)


def _mean_of_channels(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean(dim=0)


def _sum_of_places(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.sum(dim=(1, 2))


def _mean_of_all(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean()


def _without_signs(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.abs().mean(dim=(1, 2))


def _one_axis_only(gradients: torch.Tensor) -> torch.Tensor:
    return gradients.mean(dim=2)


CHANNEL_WEIGHTS = Exercise(
    "6.1",
    "The weights of Grad-CAM",
    channel_weights,
    hints=(
        "How many numbers must come out: one per place, or one per channel?",
        "The axes are channel, row, column. The mean goes over rows and columns; the channels stay.",
        "tensor.mean(dim=…) takes several axes at once, as a tuple.",
        "return gradients.mean(dim=(1, 2))",
    ),
    mistakes=(
        Mistake(
            _mean_of_channels, "That is one number per place. Axis 0 holds the channels: keep it, average the others."
        ),
        Mistake(_sum_of_places, "That is the sum over the places; Grad-CAM takes the mean."),
        Mistake(_mean_of_all, "That is one number for all channels together. Each channel needs its own."),
        Mistake(_without_signs, "A channel that speaks against the class must get a negative weight: keep the signs."),
        Mistake(_one_axis_only, "The columns are averaged, the rows not yet."),
    ),
    draw=_draw_gradients,
)

# 6.2 --- the map of Grad-CAM


def cam(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The channels of the features, each times its weight, added up; what is below zero becomes zero."""
    return torch.einsum("chw,c->hw", features, weights).clamp(min=0)


def _draw_features(_: np.random.Generator) -> Inputs:
    features = torch.rand(3, 2, 3).mul(9).round() + 1
    weights = torch.randn(3).mul(10).round().div(10)
    weights[0] = -1 - weights[0].abs()  # so that some sums are below zero, and some parts
    weights[1] = 1 + weights[1].abs()
    features[0, 0, 0] = 60.0
    features[0, 1, 2] = features[2, 1, 2] = 0.0
    return features, weights


def _without_cut(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->hw", features, weights)


def _cut_too_early(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->chw", features, weights).clamp(min=0).sum(dim=0)


def _averaged(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return cam(features, weights) / len(weights)


def _unweighted(features: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    return features.sum(dim=0).clamp(min=0)


def _magnitude(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->hw", features, weights).abs()


def _not_added_up(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return torch.einsum("chw,c->chw", features, weights).clamp(min=0)


def _stretched(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return cam(features, weights) / cam(features, weights).max()


CAM = Exercise(
    "6.2",
    "The map of Grad-CAM",
    cam,
    hints=(
        "Three steps: each channel times its weight, all channels added up, negative numbers to zero.",
        "weights[:, None, None] has the shape [channels, 1, 1] and can be multiplied with the features.",
        "Add over axis 0 first; only then cut at zero, with .clamp(min=0) or torch.relu.",
        "return (features * weights[:, None, None]).sum(dim=0).clamp(min=0)",
    ),
    mistakes=(
        Mistake(_without_cut, "Below zero, the place speaks against the class. Grad-CAM cuts that off: clamp(min=0)."),
        Mistake(
            _cut_too_early, "Cut after adding up. A channel against the class must be able to outweigh the others."
        ),
        Mistake(_averaged, "Add the channels up; do not divide by their number."),
        Mistake(_unweighted, "The weights are not used: that map shows where anything is, for whichever class."),
        Mistake(
            _magnitude, "The absolute value shows what speaks against the class as if it spoke for it: cut instead."
        ),
        Mistake(_not_added_up, "One map per channel is left. Add them up, before the cut."),
        Mistake(
            _stretched, "Divided by its largest value, weak and strong evidence look alike. Leave the map as it is."
        ),
    ),
    draw=_draw_features,
)

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

# 6.5 --- the pointing game


def hits(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the highest point of the map lies in the mask."""
    return bool(mask.ravel()[heat.argmax()])


def _draw_map_and_mask(rng: np.random.Generator) -> Inputs:
    below = rng.choice((4.5, 9.5))  # so that the largest in size is sometimes the highest, sometimes the lowest
    heat = rng.permutation(15).reshape(3, 5) - below
    hit, mask = bool(rng.random() < 0.5), rng.random((3, 5)) < 0.4
    if rng.random() < 0.5:
        mask = (heat < np.median(heat)) == hit  # so that the means say the opposite of the highest point
    mask.ravel()[heat.argmax()] = hit
    mask.ravel()[heat.argmin()] = not hit
    return heat, mask


def _largest_in_size(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.ravel()[np.abs(heat).argmax()])


def _lowest(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.ravel()[heat.argmin()])


def _higher_inside(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(heat[mask].mean() > heat[~mask].mean())


def _place_of_highest(heat: np.ndarray, _: np.ndarray) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(heat.argmax(), heat.shape))


def _rows_and_columns_swapped(heat: np.ndarray, mask: np.ndarray) -> bool:
    return bool(mask.T.ravel()[heat.argmax()])


HITS = Exercise(
    "6.5",
    "The pointing game",
    hits,
    hints=(
        "First the place of the highest value, then one look into the mask at that place.",
        "heat.argmax() counts through all pixels, row by row. mask.ravel() lays the mask out in the same order.",
        "Or ask the other way round: np.unravel_index(heat.argmax(), heat.shape) gives row and column.",
        "return bool(mask.ravel()[heat.argmax()])",
    ),
    mistakes=(
        Mistake(
            _largest_in_size,
            "A strongly negative value speaks against the class. Take the highest, not the largest in size.",
        ),
        Mistake(_lowest, "That is the lowest point. Take the highest."),
        Mistake(_higher_inside, "You compare means. The pointing game asks for a single point, the highest."),
        Mistake(
            _place_of_highest, "That is where the highest point is. Does it lie in the mask? Return True or False."
        ),
        Mistake(
            _rows_and_columns_swapped, "Rows and columns are swapped: map and mask must be laid out in the same order."
        ),
    ),
    draw=_draw_map_and_mask,
)

# 6.6 --- overlap


def overlap(heat: np.ndarray, mask: np.ndarray) -> float:
    """Of the highest pixels, as many as the mask has, the part that lies in the mask."""
    highest = np.argsort(heat, axis=None)[::-1][: mask.sum()]
    return float(mask.ravel()[highest].mean())


def _draw_map_and_larger_mask(rng: np.random.Generator) -> Inputs:
    heat = np.round(rng.permutation(24).reshape(4, 6) / 10 + 0.1, 1)
    mask = np.zeros((4, 6), dtype=bool)
    mask[1:3, 2:5] = True
    mask[3, int(rng.integers(2, 5))] = True
    return heat, mask


def _above_half(heat: np.ndarray, mask: np.ndarray) -> float:
    return float(mask[heat > heat.max() / 2].mean())


def _intersection_over_union(heat: np.ndarray, mask: np.ndarray) -> float:
    part = overlap(heat, mask)
    return part / (2 - part)


def _counted(heat: np.ndarray, mask: np.ndarray) -> int:
    return round(overlap(heat, mask) * int(mask.sum()))


def _of_all_pixels(heat: np.ndarray, mask: np.ndarray) -> float:
    return overlap(heat, mask) * float(mask.mean())


def _energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    return float(heat[mask].sum() / heat.sum())


def _of_the_lowest(heat: np.ndarray, mask: np.ndarray) -> float:
    return overlap(-heat, mask)


OVERLAP = Exercise(
    "6.6",
    "Overlap",
    overlap,
    hints=(
        "Let the map choose as many pixels as the mask has: its highest. How many of them are in the mask?",
        "mask.sum() is the number. np.argsort(heat, axis=None) lists all places from the lowest to the highest value.",
        "[::-1] turns the list round. mask.ravel()[places] tells for each place whether it is in the mask.",
        "highest = np.argsort(heat, axis=None)[::-1][:mask.sum()], then mask.ravel()[highest].mean()",
    ),
    mistakes=(
        Mistake(
            _above_half, "A threshold at half the maximum is a choice. Take exactly as many pixels as the mask has."
        ),
        Mistake(
            _intersection_over_union, "That is intersection over union. Divide the hits by the number of pixels taken."
        ),
        Mistake(_counted, "That is how many of them lie in the mask. Which part of those taken is it, 0 to 1?"),
        Mistake(_of_all_pixels, "You divide by all pixels of the picture. Divide by those that were taken."),
        Mistake(_energy_inside, "You weigh each pixel by its height. Here each of the highest pixels counts alike."),
        Mistake(_of_the_lowest, "argsort begins with the lowest. Take the end of the list."),
    ),
    draw=_draw_map_and_larger_mask,
)

# 6.7 --- an intervention and its control


def effect(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    """How much farther the scores fall, on average, when the suspect is covered than when another place is."""
    return float((before - covered).mean() - (before - control).mean())


def _draw_three_scores(rng: np.random.Generator) -> Inputs:
    before = rng.integers(70, 100, 4) / 100
    return before, before - rng.integers(30, 60, 4) / 100, before - rng.integers(5, 20, 4) / 100


def _without_control(before: np.ndarray, covered: np.ndarray, _: np.ndarray) -> float:
    return float((before - covered).mean())


def _other_sign(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    return -effect(before, covered, control)


def _per_image(_: np.ndarray, covered: np.ndarray, control: np.ndarray) -> np.ndarray:
    return control - covered


def _ratio_of_falls(before: np.ndarray, covered: np.ndarray, control: np.ndarray) -> float:
    return float((before - covered).mean() / (before - control).mean())


def _only_the_control(before: np.ndarray, _: np.ndarray, control: np.ndarray) -> float:
    return float((before - control).mean())


EFFECT = Exercise(
    "6.7",
    "An intervention and its control",
    effect,
    hints=(
        "Two falls: from before to covered, and from before to control. Which part of the first would any patch cause?",
        "Take the mean fall with the suspect covered, and subtract the mean fall with another place covered.",
        "(before - covered).mean() is the first one.",
        "return (before - covered).mean() - (before - control).mean()",
    ),
    mistakes=(
        Mistake(
            _without_control, "Any patch may shake a network. Subtract the fall that covering another place causes."
        ),
        Mistake(
            _other_sign, "The sign is turned round: positive means that the suspect mattered more than the control."
        ),
        Mistake(_per_image, "That is one number per image. Take the mean."),
        Mistake(
            _ratio_of_falls, "A ratio explodes where the control does nothing. Take the difference of the two falls."
        ),
        Mistake(_only_the_control, "That is the fall of the control. The fall with the suspect covered is missing."),
    ),
    draw=_draw_three_scores,
)

# --- questions

RESOLUTION_QUESTION = Question(
    "6.a",
    "A Grad-CAM map comes from a layer of 4 x 4. Enlarged to 64 x 64 it has soft, round borders. What do they show?",
    (
        Option("The borders of the disease", "The layer knows 16 places. Between them, the enlargement fills in."),
        Option(
            "Nothing: they come from enlarging 16 numbers",
            "A map can not be finer than its layer. Look at it once without the enlargement.",
            right=True,
        ),
        Option(
            "How sure the network is of each pixel",
            "The network has no opinion on a pixel. It has one number for each of 16 places, and those overlap.",
        ),
    ),
)

SANITY_QUESTION = Question(
    "6.b",
    "You give a network random weights again, and its map stays the same. What do you conclude?",
    (
        Option(
            "The network was robust", "It has lost all that it had learned. Whatever the map shows, it is not that."
        ),
        Option(
            "The map shows the image rather than what was learned",
            "A map that does not need the training can not explain it. Edges look convincing either way.",
            right=True,
        ),
        Option("The random weights were lucky", "Try another seed, by all means. With several seeds, luck is out."),
    ),
)

PROOF_QUESTION = Question(
    "6.c",
    "A map is brightest on the side marker. Which step shows that the network uses it?",
    (
        Option(
            "A second kind of map, which is brightest there too",
            "Two maps can share a mistake. That is agreement, no test.",
        ),
        Option(
            "Cover the marker, and as a control another place; compare how the scores change",
            "An intervention changes one thing and looks at the answer. The control tells what any patch would do.",
            right=True,
        ),
        Option(
            "A doctor who says that markers are irrelevant",
            "True, and it says nothing about what this network does.",
        ),
    ),
)

DOCTOR_QUESTION = Question(
    "6.d",
    "The network says PNEUMONIA, and the map lies on the right lower lobe. What may a doctor take from it?",
    (
        Option(
            "The right lower lobe is diseased",
            "The map says where the network's answer came from. The answer itself may be wrong.",
        ),
        Option(
            "The answer depended on that region; look there, and everywhere else too",
            "That is all. It is a reason to look, and no finding.",
            right=True,
        ),
        Option(
            "The left lung is healthy",
            "A map that is dark over the left lung says that the answer did not come from there. Nothing more.",
        ),
    ),
)

LESSON = Lesson(
    "06",
    "Explaining predictions",
    (CHANNEL_WEIGHTS, CAM, OCCLUSION_MAP, INTEGRATE, HITS, OVERLAP, EFFECT),
    (RESOLUTION_QUESTION, SANITY_QUESTION, PROOF_QUESTION, DOCTOR_QUESTION),
)
