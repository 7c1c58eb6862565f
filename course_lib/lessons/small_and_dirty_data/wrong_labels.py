"""Labels flipped on purpose, and found again: the loss of each image, and confident learning."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

# 7.3 --- wrong labels on purpose


def flip_labels(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A copy of the labels, 0 or 1, with this share of them exchanged."""
    flipped = labels.copy()
    chosen = np.random.default_rng(seed).choice(len(labels), round(share * len(labels)), replace=False)
    flipped[chosen] = 1 - flipped[chosen]
    return flipped


def _draw_labels(rng: np.random.Generator) -> Inputs:
    return rng.permutation(np.repeat([0, 1], 20)), int(rng.integers(2, 5)) / 10, int(rng.integers(1000))


def _flips(answer: Answer, inputs: Inputs) -> object:
    """What is to hold whichever labels are drawn; the seeds are the given one, again, and three others."""
    labels, share, seed = inputs
    assert isinstance(seed, int)  # for mypy
    before: np.ndarray = np.array(labels)
    came = [answer(labels, share, number) for number in (seed, seed, seed + 1, seed + 2, seed + 3)]
    flipped = [given for given in came if isinstance(given, np.ndarray) and given.shape == before.shape]
    if len(flipped) < len(came):
        return {"what is returned": came[0]}
    first, again, *others = flipped
    of_sick = [int(((drawn != before) & (before == 1)).sum()) for drawn in (first, *others)]
    return {
        "what is returned": "an array of the shape of labels",
        "the given labels afterwards": labels,
        "how many labels changed": int((first != before).sum()),
        "whether all labels are 0 or 1": bool(np.isin(first, (0, 1)).all()),
        "whether the same seed flips the same": np.array_equal(first, again),
        "whether other seeds flip others": not all(np.array_equal(first, other) for other in others),
        "whether labels of both classes change": 0 < sum(of_sick) < 4 * int((first != before).sum()),
    }


def _by_coin(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(len(labels)) < share, 1 - labels, labels)


def _with_repeats(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    flipped = labels.copy()
    chosen = np.random.default_rng(seed).choice(len(labels), round(share * len(labels)))
    flipped[chosen] = 1 - flipped[chosen]
    return flipped


def _in_place(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    chosen = np.random.default_rng(seed).choice(len(labels), round(share * len(labels)), replace=False)
    labels[chosen] = 1 - labels[chosen]
    return labels


def _the_first(labels: np.ndarray, share: float, _: int) -> np.ndarray:
    flipped = labels.copy()
    flipped[: round(share * len(labels))] = 1 - flipped[: round(share * len(labels))]
    return flipped


def _healthy_only(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    flipped = labels.copy()
    flipped[
        np.random.default_rng(seed).choice(np.flatnonzero(labels == 0), round(share * len(labels)), replace=False)
    ] = 1
    return flipped


def _without_the_seed(labels: np.ndarray, share: float, _: int) -> np.ndarray:
    return flip_labels(labels, share, int(np.random.default_rng().integers(2**32)))


FLIP_LABELS = Exercise(
    "7.3",
    "Wrong labels on purpose",
    flip_labels,
    hints=(
        "First a copy, labels.copy(), so that the true labels are not lost. Then draw places, and change those.",
        "How many places? round(share * len(labels)). Each may be drawn once only: replace=False.",
        "np.random.default_rng(seed).choice(len(labels), how_many, replace=False) draws places.",
        "flipped[chosen] = 1 - flipped[chosen] turns 0 into 1 and 1 into 0.",
    ),
    mistakes=(
        Mistake(_in_place, "The given labels are changed too, and the truth is lost: begin with labels.copy()."),
        Mistake(_by_coin, "A coin for each label flips about so many. Draw exactly round(share * len(labels)) places."),
        Mistake(_with_repeats, "A place that is drawn twice is flipped once, so too few change: replace=False."),
        Mistake(_the_first, "Always the same labels, whatever the seed. Draw the places."),
        Mistake(_healthy_only, "Only labels of one class change. Draw from all places."),
        Mistake(_without_the_seed, "The same seed must flip the same labels: np.random.default_rng(seed)."),
    ),
    draw=_draw_labels,
    observe=_flips,
    cases=8,
)

# 7.4 --- the loss of each image


def loss_of_each(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The cross-entropy of every image, [images]."""
    return -np.log(probabilities[np.arange(len(labels)), labels])


def _draw_probabilities(rng: np.random.Generator) -> Inputs:
    labels = rng.permutation([0, 0, 0, 1, 1])
    sick = np.round(rng.uniform(0.05, 0.95, 5), 2)
    sick[labels == 1] = np.where(np.arange(2) == 0, 0.2, 0.9)  # one that is called wrong in any case
    return np.stack([1 - sick, sick], axis=1), labels


def _mean_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float(loss_of_each(probabilities, labels).mean())


def _no_minus(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -loss_of_each(probabilities, labels)


def _of_the_likelier(probabilities: np.ndarray, _: np.ndarray) -> np.ndarray:
    return -np.log(probabilities.max(axis=1))


def _always_of_the_disease(probabilities: np.ndarray, _: np.ndarray) -> np.ndarray:
    return -np.log(probabilities[:, 1])


def _one_minus(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return 1 - probabilities[np.arange(len(labels)), labels]


LOSS_OF_EACH = Exercise(
    "7.4",
    "The loss of each image",
    loss_of_each,
    hints=(
        "The cross-entropy of one image is minus the logarithm of the probability of its label.",
        "Row i of probabilities is image i. Its column is labels[i].",
        "probabilities[np.arange(len(labels)), labels] takes one number of each row.",
        "return -np.log(probabilities[np.arange(len(labels)), labels])",
    ),
    mistakes=(
        Mistake(_mean_loss, "That is the mean. Give one loss for each image: leave the mean out."),
        Mistake(_no_minus, "The logarithm of a probability is negative, a loss is not: the minus is missing."),
        Mistake(_of_the_likelier, "You took the larger probability. Take that of the label, however small it is."),
        Mistake(
            _always_of_the_disease, "You took column 1 for every image. An image with label 0 has its own in column 0."
        ),
        Mistake(_one_minus, "That is one minus the probability. Cross-entropy takes minus the logarithm of it."),
    ),
    draw=_draw_probabilities,
)

# 7.5 --- confident learning


def doubted(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    """The places of the images whose label is confidently contradicted; two classes."""
    usual = [probabilities[labels == label, label].mean() for label in (0, 1)]
    return [
        place
        for place, label in enumerate(labels)
        if probabilities[place, label] < usual[label] and probabilities[place, 1 - label] >= usual[1 - label]
    ]


def _draw_uneven(rng: np.random.Generator) -> Inputs:
    """A model that rarely says 1: even for the label 1 its usual probability is below one half."""
    while True:
        parts = rng.uniform(0.02, 0.3, 7), rng.uniform(0.3, 0.5, 4), rng.uniform(0.4, 0.7, 3), [0.05]
        sick: np.ndarray = np.concatenate(parts).round(2)
        labels = np.r_[np.zeros(7, int), np.array([0, 1, 1, 1]), np.array([0, 1, 1]), 1]
        shuffled = rng.permutation(len(sick))
        probabilities, given = np.stack([1 - sick, sick], axis=1)[shuffled], labels[shuffled]
        answers = [str(rule(probabilities, given)) for rule in (doubted, _above_half, _unlikely, _swapped, _over_all)]
        usual = np.array([probabilities[given == label, label].mean() for label in (0, 1)])
        if len(set(answers)) == len(answers) and np.abs(probabilities - usual).min() > 0.002:
            return probabilities, given


def _above_half(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    return [place for place, label in enumerate(labels) if probabilities[place, 1 - label] > 0.5]


def _unlikely(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    usual = [probabilities[labels == label, label].mean() for label in (0, 1)]
    return [place for place, label in enumerate(labels) if probabilities[place, label] < usual[label]]


def _swapped(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    usual = [probabilities[labels == label, label].mean() for label in (1, 0)]
    return [place for place, label in enumerate(labels) if probabilities[place, 1 - label] >= usual[1 - label]]


def _over_all(probabilities: np.ndarray, labels: np.ndarray) -> list[int]:
    usual = probabilities.mean(axis=0)
    return [place for place, label in enumerate(labels) if probabilities[place, 1 - label] >= usual[1 - label]]


def _mask(probabilities: np.ndarray, labels: np.ndarray) -> list[bool]:
    places = doubted(probabilities, labels)
    return [place in places for place in range(len(labels))]


DOUBTED = Exercise(
    "7.5",
    "Confident learning",
    doubted,
    hints=(
        "First two numbers: how probable does the model usually find 0 where the label is 0, and 1 where it is 1?",
        "usual = [probabilities[labels == label, label].mean() for label in (0, 1)]",
        "For an image with this label, the other class is 1 - label. Both conditions must hold.",
        "probabilities[place, label] < usual[label] and probabilities[place, 1 - label] >= usual[1 - label]",
    ),
    mistakes=(
        Mistake(
            _above_half, "You compare with 0.5. A model that rarely says 1 has another usual value: use the two means."
        ),
        Mistake(_unlikely, "That its own class is below its usual value is not enough: the other must reach its own."),
        Mistake(_swapped, "The two usual values are exchanged: usual[0] comes from images with label 0, column 0."),
        Mistake(_over_all, "You took the mean over all images. Usual means: over the images that have this label."),
        Mistake(_mask, "Give places, counted from 0, not True or False for each image."),
    ),
    draw=_draw_uneven,
)
