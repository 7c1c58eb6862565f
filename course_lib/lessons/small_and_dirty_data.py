"""The exercises and questions of notebook 07: learning curves, wrong labels, odd exposures, abstaining, ensembles."""

import math

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

# 7.1 --- the images of the first patients


def images_of_first(patients: list[str], order: list[str], count: int) -> list[int]:
    """The places of all images of the first ``count`` patients of the order."""
    chosen = set(order[:count])
    return [place for place, patient in enumerate(patients) if patient in chosen]


def _draw_order(rng: np.random.Generator) -> Inputs:
    names = [f"p{n}" for n in rng.choice(np.arange(10, 100), 5, replace=False)]
    many = dict(zip(names, (1, 2, 2, 3, 3), strict=True))
    patients = [name for name in names for _ in range(many[name])]
    while True:
        order = [names[i] for i in rng.permutation(5)]
        count = int(rng.integers(2, 5))
        mixed = [patients[i] for i in rng.permutation(len(patients))]
        in_order = [place for name in order[:count] for place, patient in enumerate(mixed) if patient == name]
        if in_order != sorted(in_order) and set(order[:count]) != set(list(dict.fromkeys(mixed))[:count]):
            return mixed, order, count


def _first_images(_: list[str], __: list[str], count: int) -> list[int]:
    return list(range(count))


def _as_they_come(patients: list[str], _: list[str], count: int) -> list[int]:
    return images_of_first(patients, list(dict.fromkeys(patients)), count)


def _one_each(patients: list[str], order: list[str], count: int) -> list[int]:
    return sorted(patients.index(patient) for patient in order[:count])


def _patient_by_patient(patients: list[str], order: list[str], count: int) -> list[int]:
    return [place for name in order[:count] for place, patient in enumerate(patients) if patient == name]


def _names_not_places(patients: list[str], order: list[str], count: int) -> list[str]:
    return [patient for patient in patients if patient in order[:count]]


IMAGES_OF_FIRST = Exercise(
    "7.1",
    "The images of the first patients",
    images_of_first,
    hints=(
        "order[:count] are the patients that are in. Which images are theirs?",
        "Go through the images once, with enumerate(patients), and keep the places whose patient is in.",
        "The places come out in the order of the images, so the loop over the images must be the outer one.",
        "return [place for place, patient in enumerate(patients) if patient in order[:count]]",
    ),
    mistakes=(
        Mistake(_first_images, "You took the first images. Count patients: some have several images."),
        Mistake(
            _as_they_come, "You took patients as they come in the list of images. Take them as they stand in order."
        ),
        Mistake(_one_each, "All images of a chosen patient belong to the draw, not only the first."),
        Mistake(_patient_by_patient, "The right images, sorted by patient. Give their places from low to high."),
        Mistake(_names_not_places, "Those are names. Give the places of the images, counted from 0."),
    ),
    draw=_draw_order,
)

# 7.2 --- how many patients for a smaller error?


def patients_needed(first: int, first_error: float, second: int, second_error: float, target: float) -> int:
    """Patients for which a power law through two points of a learning curve reaches the target."""
    power = math.log(first_error / second_error) / math.log(second / first)
    return math.ceil(second * (second_error / target) ** (1 / power))


def _draw_two_points(rng: np.random.Generator) -> Inputs:
    while True:
        first, times = int(rng.integers(2, 8)) * 10, int(rng.integers(2, 5))
        start, power = int(rng.integers(20, 40)) / 100, float(rng.uniform(0.3, 0.7))
        end = round(start * times**-power, 3)
        target = round(end * float(rng.uniform(0.6, 0.85)), 3)
        needed = first * times * (end / target) ** (math.log(times) / math.log(start / end))
        if 0.05 < needed % 1 < 0.95 and needed < 2000:  # so that rounding is never a matter of the last digit
            return first, start, first * times, end, target


def _straight(first: int, first_error: float, second: int, second_error: float, target: float) -> int:
    return math.ceil(second + (second_error - target) * (second - first) / (first_error - second_error))


def _in_proportion(_: int, __: float, second: int, second_error: float, target: float) -> int:
    return math.ceil(second * second_error / target)


def _not_rounded(first: int, first_error: float, second: int, second_error: float, target: float) -> float:
    power = math.log(first_error / second_error) / math.log(second / first)
    return second * (second_error / target) ** (1 / power)


def _power_not_inverted(first: int, first_error: float, second: int, second_error: float, target: float) -> int:
    power = math.log(first_error / second_error) / math.log(second / first)
    return math.ceil(second * (second_error / target) ** power)


def _how_many_more(first: int, first_error: float, second: int, second_error: float, target: float) -> int:
    return patients_needed(first, first_error, second, second_error, target) - second


PATIENTS_NEEDED = Exercise(
    "7.2",
    "How many patients?",
    patients_needed,
    hints=(
        "Write error = a / patients ** b for both points, and divide one line by the other: a falls out.",
        "first_error / second_error = (second / first) ** b. The logarithm of both sides gives b.",
        "For the target: second_error / target = (needed / second) ** b. Take the b-th root, solve for needed.",
        "b = math.log(first_error / second_error) / math.log(second / first), then "
        "math.ceil(second * (second_error / target) ** (1 / b))",
    ),
    mistakes=(
        Mistake(_straight, "That is a straight line through the two points. The curve flattens: use the power law."),
        Mistake(
            _in_proportion, "That takes b as 1, so that twice the patients halve the error. Find b from both points."
        ),
        Mistake(_not_rounded, "There is no part of a patient: round up with math.ceil."),
        Mistake(_power_not_inverted, "To solve for the patients you need the b-th root: the power 1 / b, not b."),
        Mistake(_how_many_more, "That is how many more. The question is how many in all."),
    ),
    draw=_draw_two_points,
)

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

# 7.6 --- what stands out


def standing_out(values: np.ndarray, limit: float) -> list[int]:
    """The places whose value is more than ``limit`` robust standard deviations from the median."""
    away = np.abs(values - np.median(values))
    return [int(place) for place in np.flatnonzero(away > limit * 1.4826 * np.median(away))]


def _draw_brightness(rng: np.random.Generator) -> Inputs:
    while True:
        usual = rng.normal(125, 12, 13)
        values = np.round(rng.permutation(np.r_[usual, rng.uniform(225, 250, 2), rng.uniform(5, 25, 2), 168]))
        away = np.abs(values - np.median(values))
        rules = (standing_out, _standard_deviations, _not_scaled, _one_side)
        answers = [str(rule(values, 3.0)) for rule in rules]
        clear = np.abs(away - 3 * 1.4826 * np.median(away)).min() > 0.5
        if len(set(answers)) == len(answers) and clear:
            return values, 3.0


def _standard_deviations(values: np.ndarray, limit: float) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.abs(values - values.mean()) > limit * values.std())]


def _not_scaled(values: np.ndarray, limit: float) -> list[int]:
    away = np.abs(values - np.median(values))
    return [int(i) for i in np.flatnonzero(away > limit * np.median(away))]


def _one_side(values: np.ndarray, limit: float) -> list[int]:
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    return [int(i) for i in np.flatnonzero(values - np.median(values) > limit * spread)]


def _not_in_units(values: np.ndarray, limit: float) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.abs(values - np.median(values)) > limit)]


STANDING_OUT = Exercise(
    "7.6",
    "What stands out",
    standing_out,
    hints=(
        "How far is each value from the median? np.abs makes far below and far above alike.",
        "The median of these distances says what is usual. Times 1.4826 it is in units of a standard deviation.",
        "np.flatnonzero(condition) gives the places where a condition holds.",
        "away = np.abs(values - np.median(values)), then places where away > limit * 1.4826 * np.median(away)",
    ),
    mistakes=(
        Mistake(
            _standard_deviations,
            "Mean and standard deviation are pulled along by what stands out, so that it hides itself. Take medians.",
        ),
        Mistake(_not_scaled, "The factor 1.4826 is missing, so too many stand out."),
        Mistake(_one_side, "You find the bright ones only. Dark ones stand out too: take the absolute distance."),
        Mistake(
            _not_in_units, "limit counts spreads, not grey values: multiply it with 1.4826 times the median distance."
        ),
    ),
    draw=_draw_brightness,
)

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

# --- questions

FLAT_QUESTION = Question(
    "7.a",
    "From 100 to 200 patients of one hospital, the validation AUROC goes from 0.90 to 0.91. What now?",
    (
        Option("Collect 2,000 patients there", "The curve is flat already: ten times as many would buy little."),
        Option(
            "Look at what it gets wrong, before paying for more of the same",
            "A flat curve says that more of the same helps little. Other children, better labels, larger images or "
            "another network may.",
            right=True,
        ),
        Option("Stop: 0.91 is all there is in the images", "It is what this network makes of them at this size."),
    ),
)

SEEN_QUESTION = Question(
    "7.b",
    "Why must the loss of an image come from a model that has not trained on its patient?",
    (
        Option("Because it is faster", "It is slower: several models are trained instead of one."),
        Option(
            "Because a model can learn a wrong label by heart",
            "Then its loss is small, and the wrong label looks as right as any other.",
            right=True,
        ),
        Option(
            "Because the loss is not defined on training images",
            "It is defined there. It just does not tell much about the label.",
        ),
    ),
)

TEST_QUESTION = Question(
    "7.c",
    "Your model doubts 20 labels of the test. You drop these images and measure again. What have you measured?",
    (
        Option("The model on clean labels", "Some of the 20 are right labels that the model gets wrong."),
        Option(
            "The model on images on which it agrees with the labels",
            "Of course it does better there. Doubted test labels go to a reader who does not know what the model said.",
            right=True,
        ),
        Option("Nothing has changed", "The score rises, and the model is the same."),
    ),
)

UNSURE_QUESTION = Question(
    "7.d",
    "At its own hospital, a network abstains on 20 % of the images and is right on 98 % of the rest. Now it moves.",
    (
        Option("It will notice by itself, and abstain more often", "It may. It may also be sure and wrong."),
        Option(
            "The 98 % holds, since the unsure ones are left out", "It was measured on children of its own hospital."
        ),
        Option(
            "Both numbers have to be measured there",
            "How sure a network is says how much an image is like what it has learned to tell apart; a new scanner was "
            "not part of that.",
            right=True,
        ),
    ),
)

LESSON = Lesson(
    "07",
    "Small and dirty data",
    (
        IMAGES_OF_FIRST,
        PATIENTS_NEEDED,
        FLIP_LABELS,
        LOSS_OF_EACH,
        DOUBTED,
        STANDING_OUT,
        RISK_AT,
        TOGETHER,
    ),
    (FLAT_QUESTION, SEEN_QUESTION, TEST_QUESTION, UNSURE_QUESTION),
)
