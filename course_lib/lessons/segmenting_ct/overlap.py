"""How much of two outlines lies on each other: the Dice coefficient, also where one of them is empty."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

SHAPES = ((7,), (3, 4), (2, 6), (2, 3, 3))  #: small enough that a learner sees every voxel
EMPTY_OFTEN, ONE_EMPTY = 0.25, 0.25  #: of the inputs, the part where both masks are empty, and where one of them is

# 11.6 --- Dice


def dice(predicted: np.ndarray, true: np.ndarray) -> float:
    """Twice the overlap over the sum of both sizes, 0 to 1, of two boolean masks. Both empty: 1.0; one empty: 0.0."""
    overlap = np.count_nonzero(predicted & true)
    sizes = np.count_nonzero(predicted) + np.count_nonzero(true)
    return 2 * overlap / sizes if sizes else 1.0


def _draw_masks(rng: np.random.Generator) -> Inputs:
    """Two masks that overlap in part, or lie apart; now and then one is empty, or both."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    true = rng.random(shape) < rng.choice([0.3, 0.6])
    predicted = np.where(rng.random(shape) < 0.3, ~true, true)
    kind = rng.random()
    if kind < EMPTY_OFTEN + ONE_EMPTY / 2:
        predicted[...] = False
    if kind < EMPTY_OFTEN or EMPTY_OFTEN + ONE_EMPTY / 2 <= kind < EMPTY_OFTEN + ONE_EMPTY:
        true[...] = False
    return predicted, true


def _ratio(part: float, whole: float, nothing: float) -> float:
    """The part of the whole; ``nothing`` where there is no whole."""
    return float(part / whole) if whole else nothing


def _sizes(predicted: np.ndarray, true: np.ndarray) -> tuple[int, int, int]:
    """How many voxels lie in both, in the predicted one, in the true one."""
    return int((predicted & true).sum()), int(predicted.sum()), int(true.sum())


def _iou(predicted: np.ndarray, true: np.ndarray) -> float:
    return _ratio((predicted & true).sum(), (predicted | true).sum(), 1.0)


def _iou_or_nan(predicted: np.ndarray, true: np.ndarray) -> float:
    return _ratio((predicted & true).sum(), (predicted | true).sum(), np.nan)


def _no_factor(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return _ratio(both, found + there, 1.0)


def _twice_over_the_union(predicted: np.ndarray, true: np.ndarray) -> float:
    return _ratio(2 * (predicted & true).sum(), (predicted | true).sum(), 1.0)


def _both_empty_nan(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if predicted.any() or true.any() else np.nan


def _both_empty_raises(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return 2 * both / (found + there)


def _both_empty_0(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if predicted.any() or true.any() else 0.0


def _one_empty_1(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if predicted.any() and true.any() else 1.0


def _nothing_true_1(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if true.any() else 1.0


def _nothing_predicted_1(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if predicted.any() else 1.0


def _one_empty_nan(predicted: np.ndarray, true: np.ndarray) -> float:
    return dice(predicted, true) if predicted.any() and true.any() else np.nan


def _smoothed(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return (2 * both + 1) / (found + there + 1)


def _sensitivity(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return _ratio(both, there, float(not found))


def _precision(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return _ratio(both, found, float(not there))


def _over_the_smaller(predicted: np.ndarray, true: np.ndarray) -> float:
    both, found, there = _sizes(predicted, true)
    return _ratio(both, min(found, there), float(not found + there))


def _accuracy(predicted: np.ndarray, true: np.ndarray) -> float:
    return float((predicted == true).mean())


def _with_background(predicted: np.ndarray, true: np.ndarray) -> float:
    return (dice(predicted, true) + dice(~predicted, ~true)) / 2


def _mean_of_slices(predicted: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([dice(one, other) for one, other in zip(predicted, true, strict=True)]))


def _loss(predicted: np.ndarray, true: np.ndarray) -> float:
    return 1 - dice(predicted, true)


def _percent(predicted: np.ndarray, true: np.ndarray) -> float:
    return 100 * dice(predicted, true)


def _overlap(predicted: np.ndarray, true: np.ndarray) -> int:
    return _sizes(predicted, true)[0]


ZERO_BY_ZERO = (
    "All is right but for two empty masks, where 0 is divided by 0. The model said that there is nothing, and it is "
    "right: 1.0."
)
ONE_EMPTY_IS_0 = "Where only one mask is empty, nothing overlaps and the model is wrong: 0.0."

DICE = Exercise(
    "11.6",
    "Dice",
    dice,
    hints=(
        "Count three things: the voxels in both masks, those in the predicted mask, and those in the true mask.",
        "predicted & true is the overlap, and np.count_nonzero counts it. Twice the overlap stands above the line, "
        "because each of these voxels is counted twice below it.",
        "Below the line stands the sum of the two counts. When is it 0, and what is right then?",
        "return 2 * np.count_nonzero(predicted & true) / sizes if sizes else 1.0, where sizes is "
        "np.count_nonzero(predicted) + np.count_nonzero(true)",
    ),
    mistakes=(
        Mistake(
            _iou,
            "That is the overlap over the union: IoU, or Jaccard. Dice divides twice the overlap by the sum of both "
            "sizes, and is never lower.",
        ),
        Mistake(
            _iou_or_nan,
            "That is the overlap over the union: IoU, or Jaccard; and two empty masks are 1.0. Dice divides twice the "
            "overlap by the sum of both sizes.",
        ),
        Mistake(
            _no_factor,
            "Two equal masks get 0.5. The sum of both sizes counts each voxel of the overlap twice, so take twice the "
            "overlap.",
        ),
        Mistake(
            _twice_over_the_union,
            "Two equal masks get 2. Twice the overlap belongs over the sum of both sizes, not over the union.",
        ),
        Mistake(_both_empty_nan, ZERO_BY_ZERO),
        Mistake(_both_empty_raises, ZERO_BY_ZERO),
        Mistake(
            _both_empty_0,
            "Two empty masks get 0.0, the same as a miss. The model said that there is nothing, and it is right: 1.0. "
            "A small number added below the line does not help; ask whether the sum is 0.",
        ),
        Mistake(_one_empty_1, f"{ONE_EMPTY_IS_0} Only two empty masks are 1.0."),
        Mistake(_nothing_true_1, f"{ONE_EMPTY_IS_0} Yours is 1.0 for everything that is outlined where nothing is."),
        Mistake(_nothing_predicted_1, f"{ONE_EMPTY_IS_0} Yours is 1.0 for everything that is missed."),
        Mistake(
            _one_empty_nan,
            f"{ONE_EMPTY_IS_0} Where both are empty, it is right: 1.0. A missing value would leave the model's worst "
            "answers out of the mean.",
        ),
        Mistake(
            _smoothed,
            "The 1 above and below the line makes a loss smooth. In a metric it gives points to a model that found "
            "nothing, most of all with small structures.",
        ),
        Mistake(
            _sensitivity,
            "You divide by the true mask alone: the sensitivity, which is 1.0 for a mask that fills the image. Dice "
            "counts both sizes.",
        ),
        Mistake(
            _precision,
            "You divide by the predicted mask alone: the precision, which is 1.0 for a single right voxel. Dice "
            "counts both sizes.",
        ),
        Mistake(
            _over_the_smaller,
            "You divide by the smaller mask, so a dot inside a large tumour gets 1.0. Dice divides twice the overlap "
            "by the sum of both sizes.",
        ),
        Mistake(
            _accuracy,
            "That is the part of all voxels that agree: the accuracy. The background agrees nearly everywhere, so an "
            "empty mask would do well. Count the structure alone.",
        ),
        Mistake(
            _with_background,
            "You took the mean with the Dice of the background, which is nearly always close to 1. The structure "
            "alone counts.",
        ),
        Mistake(
            _mean_of_slices,
            "You took the mean over the slices (the first axis), where a slice with one voxel counts as much as a full "
            "one. Count the voxels of the whole masks.",
        ),
        Mistake(_loss, "That is 1 - Dice, which a loss wants to be low. Return the Dice itself."),
        Mistake(_percent, "The value is right, in percent. Return it from 0 to 1."),
        Mistake(_overlap, "That is how many voxels overlap. Divide twice this number by the sum of both sizes."),
    ),
    draw=_draw_masks,
    cases=60,
)
