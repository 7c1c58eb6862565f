"""Three classes judged: what part of each is found, and how well each is told from the rest."""

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

# 10.7 --- the sensitivity of each class


def sensitivities(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """Of each true class the part that is answered right, 0 to 1 [classes]; NaN where a class has no image.

    ``labels`` and ``answers`` [images] are whole numbers from 0 to classes - 1.
    """
    right = answers == labels
    shares = [right[labels == name].mean() if name in labels else np.nan for name in range(classes)]
    return np.array(shares)


def _draw_answers(rng: np.random.Generator) -> Inputs:
    """Three or four classes, of which one may have no image; about two answers in three are right."""
    classes = int(rng.integers(3, 5))
    there = rng.permutation(classes)[: classes - int(rng.integers(2))]
    labels = rng.permutation([*there, *rng.choice(there, 8 - len(there))])
    answers = np.where(rng.random(8) < 0.6, labels, rng.integers(0, classes, 8))
    return labels, answers, classes


def _precisions(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return sensitivities(answers, labels, classes)


def _parts_of_all(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.array([((answers == labels) & (labels == name)).mean() for name in range(classes)])


def _against_the_rest(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.array([((answers == name) == (labels == name)).mean() for name in range(classes)])


def _counts(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.array([((answers == labels) & (labels == name)).sum() for name in range(classes)])


def _those_that_occur(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:  # noqa: ARG001
    return np.array([(answers[labels == name] == name).mean() for name in np.unique(labels)])


def _nothing_is_0(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.nan_to_num(sensitivities(labels, answers, classes), nan=0.0)


def _nothing_is_1(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.nan_to_num(sensitivities(labels, answers, classes), nan=1.0)


def _missed(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return 1 - sensitivities(labels, answers, classes)


def _specificities(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return np.array([(answers[labels != name] != name).mean() for name in range(classes)])


def _how_often_said(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    counts, said = (np.bincount(numbers, minlength=classes) for numbers in (labels, answers))
    return np.array([m / n if n else np.nan for n, m in zip(counts, said, strict=True)])


def _one_number(labels: np.ndarray, answers: np.ndarray, classes: int) -> float:  # noqa: ARG001  # the mistake
    return float((answers == labels).mean())


def _mean_of_all(labels: np.ndarray, answers: np.ndarray, classes: int) -> float:
    return float(np.nanmean(sensitivities(labels, answers, classes)))


def _percents(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    return 100 * sensitivities(labels, answers, classes)


def _a_list(labels: np.ndarray, answers: np.ndarray, classes: int) -> list[float]:
    return [float(share) for share in sensitivities(labels, answers, classes)]


NO_IMAGE = "Where a class has no image, nobody knows how many of it would be found. Say so with np.nan."

SENSITIVITIES = Exercise(
    "10.7",
    "The sensitivity of each class",
    sensitivities,
    hints=(
        "Take one class. Which images truly are of it, and which part of them is answered right?",
        "labels == name picks the images of a class; (answers == labels)[labels == name] says which are right.",
        "The mean of yes and no is the part of yes. Where no image is of the class, take np.nan instead.",
        "np.array([(answers == labels)[labels == name].mean() if name in labels else np.nan "
        "for name in range(classes)])",
    ),
    mistakes=(
        Mistake(
            _precisions,
            "That is of the images which were answered so, the part that is right: the precision. Begin with those "
            "that truly are of the class: labels == name.",
        ),
        Mistake(_parts_of_all, "You divided by all images. Divide by those of the class."),
        Mistake(
            _against_the_rest,
            "That counts the images of other classes too, which nobody took for this one: the accuracy of one class "
            "against the rest.",
        ),
        Mistake(_specificities, "That is the specificity: of the other classes, the part that is not taken for this."),
        Mistake(_counts, "That is how many are right. Divide by how many images the class has."),
        Mistake(_those_that_occur, "A class without images has lost its place. Go through range(classes)."),
        Mistake(_nothing_is_0, NO_IMAGE),
        Mistake(_nothing_is_1, NO_IMAGE),
        Mistake(_missed, "That is the part that is missed. We ask for the part that is found."),
        Mistake(
            _how_often_said, "You compare how often a class is answered with how often it is true. Which are right?"
        ),
        Mistake(_one_number, "That is the accuracy over all images. Return one number for each class."),
        Mistake(_mean_of_all, "That is the mean over the classes. Return one number for each class."),
        Mistake(_percents, "The values are right, in percent. Return them from 0 to 1."),
        Mistake(_a_list, "The numbers are right, in a list. Return an array: np.array makes one."),
    ),
    draw=_draw_answers,
)

# 10.8 --- AUROC of several classes


def macro_auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes of the AUROC of each against the rest, by counting pairs; a tie counts one half.

    ``labels`` [images] are whole numbers, ``probabilities`` [images, classes]. Each class has an image.
    """
    aurocs = []
    for name in range(probabilities.shape[1]):
        scores = probabilities[:, name]
        of_class, rest = scores[labels == name, None], scores[labels != name]
        aurocs.append((of_class > rest).mean() + (of_class == rest).mean() / 2)
    return float(np.mean(aurocs))


def _draw_probabilities(rng: np.random.Generator) -> Inputs:
    """Eight images of three classes, the first of which is the most frequent; tenths, so that there are ties."""
    labels = rng.permutation([0, 0, 0, 0, 1, 1, 2, int(rng.integers(1, 3))])
    favoured = 0.4 + 0.9 * np.eye(3)[labels]
    return labels, np.array([rng.multinomial(10, rng.dirichlet(row)) for row in favoured]) / 10


def _each(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The AUROC of each class against the rest."""
    return np.array([_pairs(s[labels == name], s[labels != name]) for name, s in enumerate(probabilities.T)])


def _pairs(of_class: np.ndarray, rest: np.ndarray, tie: float = 0.5) -> float:
    return float((of_class[:, None] > rest).mean() + tie * (of_class[:, None] == rest).mean())


def _with_ties(labels: np.ndarray, probabilities: np.ndarray, tie: float) -> float:
    parts = [_pairs(s[labels == name], s[labels != name], tie) for name, s in enumerate(probabilities.T)]
    return float(np.mean(parts))


def _tie_is_lost(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return _with_ties(labels, probabilities, 0.0)


def _tie_is_won(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return _with_ties(labels, probabilities, 1.0)


def _weighted(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float(np.average(_each(labels, probabilities), weights=np.bincount(labels)))


def _all_numbers_together(labels: np.ndarray, probabilities: np.ndarray) -> float:
    true = np.eye(probabilities.shape[1], dtype=bool)[labels]
    return _pairs(probabilities[true], probabilities[~true])


def _all_pairs_together(labels: np.ndarray, probabilities: np.ndarray) -> float:
    counts = np.bincount(labels)
    return float(np.average(_each(labels, probabilities), weights=counts * (len(labels) - counts)))


def _one_against_one(labels: np.ndarray, probabilities: np.ndarray) -> float:
    names = range(probabilities.shape[1])
    pairs = [(a, b) for a in names for b in names if a != b]
    return float(np.mean([_pairs(probabilities[labels == a, a], probabilities[labels == b, a]) for a, b in pairs]))


def _first_class(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float(_each(labels, probabilities)[0])


def _last_class(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float(_each(labels, probabilities)[-1])


def _rest_wins(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return 1 - macro_auroc(labels, probabilities)


def _of_answers(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return macro_auroc(labels, np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)])


def _of_the_surest(labels: np.ndarray, probabilities: np.ndarray) -> float:
    surest = probabilities.max(axis=1, keepdims=True)
    return macro_auroc(labels, np.repeat(surest, probabilities.shape[1], axis=1))


def _accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


def _not_averaged(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return _each(labels, probabilities)


def _against_all(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float(np.mean([_pairs(s[labels == name], s) for name, s in enumerate(probabilities.T)]))


ONE_CLASS = "That is the AUROC of one class against the rest. Do so for each class, and take the mean."

MACRO_AUROC = Exercise(
    "10.8",
    "AUROC of several classes",
    macro_auroc,
    hints=(
        "Take one class, and its column of the probabilities as the score. Its images are the sick, as it were, and "
        "all others are the healthy.",
        "Now count pairs as in lesson 05: how often does an image of the class score above one of the rest? A tie "
        "counts one half.",
        "scores[labels == name][:, None] > scores[labels != name] compares each with each; its mean is the part that "
        "is won. At the end comes the mean over the classes.",
        "(of_class > rest).mean() + (of_class == rest).mean() / 2 with of_class = scores[labels == name, None] and "
        "rest = scores[labels != name], for each column; then np.mean of them",
    ),
    mistakes=(
        Mistake(_tie_is_lost, "A tie counts one half; yours counts nothing."),
        Mistake(_tie_is_won, "A tie counts one half; yours counts as won."),
        Mistake(
            _weighted,
            "The classes count by how many images they have, so a rare tumour hardly counts. Take the plain mean.",
        ),
        Mistake(
            _all_numbers_together,
            "All columns went into one list, so pairs of two columns count. Count class by class, then take the mean.",
        ),
        Mistake(
            _all_pairs_together,
            "You added up the pairs of all classes before dividing, so a frequent class counts more. Divide within "
            "each class, then take the mean.",
        ),
        Mistake(
            _one_against_one,
            "Each class met each other one by itself. Here it meets all others together: the rest, labels != name.",
        ),
        Mistake(_first_class, ONE_CLASS),
        Mistake(_last_class, ONE_CLASS),
        Mistake(_rest_wins, "You counted how often an image of the rest scores higher."),
        Mistake(
            _of_answers,
            "You compare answers, yes or no. The AUROC needs the probabilities, whose order the answers have lost.",
        ),
        Mistake(
            _of_the_surest,
            "You took the highest probability of each image, whichever class it is for. The score for a class is its "
            "own column.",
        ),
        Mistake(_accuracy, "That is the accuracy. The AUROC counts pairs of images."),
        Mistake(_not_averaged, "Those are the AUROCs of the classes. Return their mean."),
        Mistake(_against_all, "An image of the class met its own class too. It meets the rest: labels != name."),
    ),
    draw=_draw_probabilities,
)
