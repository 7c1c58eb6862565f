"""The exercises and questions of notebook 02, Auditing the data: patients, copies, splits, small samples, baselines."""

import hashlib
import math
import re

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question

Split = tuple[list[int], list[int]]

# 2.1 --- whose image is it?


def patients_of(names: list[str]) -> list[str]:
    """The patient of each file name."""
    return [re.findall(r"(?:person|phantom|IM-|NORMAL2-IM-)\d+", name)[0] for name in names]


def _draw_names(rng: np.random.Generator) -> Inputs:
    first, second, third = (int(n) for n in rng.choice(np.arange(10, 1000), 3, replace=False))
    names = [
        f"person{first}_bacteria_{rng.integers(1000, 5000)}.jpeg",
        f"IM-{second:04d}-{rng.integers(1, 4):04d}.jpeg",
        f"NORMAL2-IM-{second:04d}-0001-{rng.integers(1, 4):04d}.jpeg",
        f"phantom{third:04d}_normal_{rng.integers(1, 4)}.jpeg",
    ]
    return ([names[i] for i in rng.permutation(len(names))],)


def _each_file(names: list[str]) -> list[str]:
    return [name.removesuffix(".jpeg") for name in names]


def _before_the_underscore(names: list[str]) -> list[str]:
    return [name.split("_")[0] for name in names]


def _one_series(names: list[str]) -> list[str]:
    return [patient.removeprefix("NORMAL2-") for patient in patients_of(names)]


def _first_letters_and_digits(names: list[str]) -> list[str]:
    return [re.findall(r"[A-Za-z-]+\d+", name)[0] for name in names]


def _numbers(names: list[str]) -> list[str]:
    return [re.sub(r"\D", "", patient.removeprefix("NORMAL2-")) for patient in patients_of(names)]


PATIENTS_OF = Exercise(
    "2.1",
    "Whose image is it?",
    patients_of,
    hints=(
        "Write the four kinds of names below each other, and mark the part that two images of one child share.",
        "For person and phantom it ends before the first underscore. For IM- it ends after the first run of digits.",
        "In all four kinds: some beginning, then digits. re.findall(pattern, name)[0] gives the first part that fits.",
        r're.findall(r"(?:person|phantom|IM-|NORMAL2-IM-)\d+", name)[0], for every name in names',
    ),
    mistakes=(
        Mistake(_each_file, "That is per image: two images of one child get two names. Leave the image's number out."),
        Mistake(
            _before_the_underscore,
            "Right for person and phantom. A name with IM- has no underscore: keep it up to its first run of digits.",
        ),
        Mistake(
            _one_series,
            "IM-n and NORMAL2-IM-n are two series of numbers, and two children: keep NORMAL2- where it stands.",
        ),
        Mistake(
            _first_letters_and_digits,
            "NORMAL2 is the name of a series, not of a child: go on to the digits after IM-.",
        ),
        Mistake(_numbers, "The number alone is not enough: each series of names has a child with that number."),
    ),
    draw=_draw_names,
)

# 2.2 --- what guessing reaches


def guess_accuracy(train_labels: list[int], test_labels: list[int]) -> float:
    """Accuracy on the test of always saying the class that is more frequent in training."""
    larger = max(set(train_labels), key=train_labels.count)
    return test_labels.count(larger) / len(test_labels)


def _draw_labels(rng: np.random.Generator) -> Inputs:
    larger = int(rng.integers(2))
    train = [larger] * int(rng.integers(7, 10)) + [1 - larger] * int(rng.integers(2, 5))
    few, many = int(rng.integers(2, 4)), int(rng.integers(5, 8))
    if rng.integers(2):  # sometimes the test's larger class is that of training, and sometimes the other one
        few, many = many, few
    test = [larger] * few + [1 - larger] * many
    return [train[i] for i in rng.permutation(len(train))], [test[i] for i in rng.permutation(len(test))]


def _peeks(_: list[int], test_labels: list[int]) -> float:
    return guess_accuracy(test_labels, test_labels)


def _on_training(train_labels: list[int], _: list[int]) -> float:
    return guess_accuracy(train_labels, train_labels)


def _always_sick(_: list[int], test_labels: list[int]) -> float:
    return test_labels.count(1) / len(test_labels)


def _how_often(train_labels: list[int], test_labels: list[int]) -> int:
    return test_labels.count(max(set(train_labels), key=train_labels.count))


def _how_often_not(train_labels: list[int], test_labels: list[int]) -> float:
    return 1 - guess_accuracy(train_labels, test_labels)


def _percent(train_labels: list[int], test_labels: list[int]) -> float:
    return 100 * guess_accuracy(train_labels, test_labels)


def _says_which(train_labels: list[int], _: list[int]) -> int:
    return max(set(train_labels), key=train_labels.count)


GUESS_ACCURACY = Exercise(
    "2.2",
    "What guessing reaches",
    guess_accuracy,
    hints=(
        "Somebody who never looks has to decide once. Which list may they look at before they decide?",
        "Find the more frequent label of train_labels. Then ask how often it is right in test_labels.",
        "labels.count(1) counts the ones; divide by len(labels).",
        "larger = max(set(train_labels), key=train_labels.count), then test_labels.count(larger) / len(test_labels)",
    ),
    mistakes=(
        Mistake(
            _peeks, "You chose the class by looking at the test. Choose it on train_labels, then count in the test."
        ),
        Mistake(_on_training, "That is the accuracy on the training images. Count the same class in test_labels."),
        Mistake(_always_sick, "You always say 1. Say what is more frequent in train_labels; it may be 0."),
        Mistake(_how_often, "That is how many are right. Divide by the number of test images."),
        Mistake(_how_often_not, "That is how often the guess is wrong. How often is it right?"),
        Mistake(_percent, "The value is right, in percent. Return it from 0 to 1."),
        Mistake(_says_which, "That is the class. How often is it right on the test, from 0 to 1?"),
    ),
    draw=_draw_labels,
)

# 2.3 --- exact copies


def count_copies(images: list[np.ndarray]) -> int:
    """How many images must go so that every picture is left once."""
    hashes = {hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest() for image in images}
    return len(images) - len(hashes)


def _draw_images(rng: np.random.Generator) -> Inputs:
    one, two = (rng.integers(0, 200, (2, 3)).astype(np.uint8) for _ in range(2))
    turned = [picture.reshape(3, 2) for picture in (one, two)]  # the same bytes, other pictures
    nearly = one.copy()
    nearly[-1, -1] += 1
    alike = [nearly, one[::-1], one[:, ::-1], two[::-1]]  # the same beginning; the same pixels in another order
    even = np.full((2, 3), rng.integers(200, 250), np.uint8)
    images = [one, two, *turned, *alike, even, one, one] + [two] * int(rng.integers(2))
    return ([images[i].copy() for i in rng.permutation(len(images))],)


def _by_object(images: list[np.ndarray]) -> int:
    return len(images) - len({id(image) for image in images})


def _by_sum(images: list[np.ndarray]) -> int:
    return len(images) - len({(image.shape, int(image.sum())) for image in images})


def _by_bytes(images: list[np.ndarray]) -> int:
    return len(images) - len({image.tobytes() for image in images})


def _by_shape(images: list[np.ndarray]) -> int:
    return len(images) - len({image.shape for image in images})


def _pairs_of_copies(images: list[np.ndarray]) -> int:
    return sum(np.array_equal(a, b) for i, a in enumerate(images) for b in images[:i])


def _all_members(images: list[np.ndarray]) -> int:
    return sum(sum(np.array_equal(a, b) for b in images) > 1 for a in images)


def _different_pictures(images: list[np.ndarray]) -> int:
    return len(images) - count_copies(images)


COUNT_COPIES = Exercise(
    "2.3",
    "Exact copies",
    count_copies,
    hints=(
        "Comparing every picture with every other is slow. A set keeps each value once: what could you put into it?",
        "An array does not go into a set, but its bytes do: image.tobytes(). SHA-256 makes them short.",
        "A 2 x 3 and a 3 x 2 picture can have the same bytes. What else must go into the hash?",
        "len(images) - len({(image.shape, hashlib.sha256(image.tobytes()).hexdigest()) for image in images})",
    ),
    mistakes=(
        Mistake(
            _by_object,
            "You compare objects, and each is another one, as a file name is. Compare pixels, or their hexdigest().",
        ),
        Mistake(_by_sum, "Different pictures can have the same sum. Compare all the pixels."),
        Mistake(_by_bytes, "Two pictures of different shape can have the same bytes: put the shape into the hash too."),
        Mistake(_by_shape, "Many different pictures have the same shape. Compare the pixels as well."),
        Mistake(_pairs_of_copies, "You counted pairs. Three equal pictures are three pairs, but only two must go."),
        Mistake(_all_members, "You counted all that have a copy. One of each group may stay."),
        Mistake(_different_pictures, "That is how many different pictures there are. How many images must go?"),
    ),
    draw=_draw_images,
)

# 2.4 --- the distance of two hashes


def hash_distance(first: int, second: int) -> int:
    """In how many of 64 bits two hashes differ."""
    return (first ^ second).bit_count()


def _draw_hashes(rng: np.random.Generator) -> Inputs:
    first = int.from_bytes(rng.bytes(8), "big") >> int(rng.integers(8))  # hashes may begin with zeros
    second = first
    for bit in rng.choice(64, int(rng.integers(3, 12)), replace=False).tolist():
        second ^= 1 << bit
    return first, second


def _difference_of_numbers(first: int, second: int) -> int:
    return abs(first - second)


def _bits_of_the_difference(first: int, second: int) -> int:
    return abs(first - second).bit_count()


def _common_ones(first: int, second: int) -> int:
    return (first & second).bit_count()


def _not_counted(first: int, second: int) -> int:
    return first ^ second


def _counted_alone(first: int, second: int) -> int:
    return abs(first.bit_count() - second.bit_count())


def _as_text(first: int, second: int) -> int:
    return sum(a != b for a, b in zip(bin(first), bin(second), strict=False))


def _agreeing(first: int, second: int) -> int:
    return 64 - hash_distance(first, second)


HASH_DISTANCE = Exercise(
    "2.4",
    "The distance of two hashes",
    hash_distance,
    hints=(
        "Take 5 = 0b101 and 6 = 0b110. In which bits do they differ?",
        "The operator ^ compares bit by bit: 1 where they differ, 0 where they agree. Try bin(5 ^ 6).",
        "Then count the ones: a whole number has bit_count().",
        "return (first ^ second).bit_count()",
    ),
    mistakes=(
        Mistake(_difference_of_numbers, "A difference of numbers says nothing about bits: one bit can be worth 2**63."),
        Mistake(_bits_of_the_difference, "Subtracting carries over from bit to bit. Compare with ^ instead."),
        Mistake(_common_ones, "& keeps the ones that both have. ^ keeps the bits in which they differ."),
        Mistake(_not_counted, "The bits that differ are right. Now count them."),
        Mistake(_counted_alone, "Equally many ones can stand in different places. Compare first, then count."),
        Mistake(_as_text, "bin leaves out the zeros at the front, so the two texts may be shifted. Compare with ^."),
        Mistake(_agreeing, "That is in how many bits they agree. Count those that differ."),
    ),
    draw=_draw_hashes,
)

# 2.5 --- known from training


def known_places(train_patients: list[str], test_patients: list[str]) -> list[int]:
    """The places in the test list whose patient is in training too."""
    known = set(train_patients)
    return [place for place, patient in enumerate(test_patients) if patient in known]


def _draw_people(rng: np.random.Generator, count: int) -> list[str]:
    """Different patients; the name of the first is the beginning of the second's."""
    first = int(rng.integers(1, 10))
    others = rng.choice(np.arange(100, 1000), count - 2, replace=False).tolist()
    return [f"person{n}" for n in (first, 10 * first + int(rng.integers(10)), *others)]


def _draw_two_lists(rng: np.random.Generator) -> Inputs:
    short, long, *numbers = _draw_people(rng, 6)
    both, train, test = numbers[:2], [long, numbers[2]], [short, numbers[3]]
    in_train = [*train, *both, *both, train[0]]
    in_test = [both[0], test[0], both[0], test[1], both[1], test[0]]
    return (
        [in_train[i] for i in rng.permutation(len(in_train))],
        [in_test[i] for i in rng.permutation(len(in_test))],
    )


def _names_of_the_known(train_patients: list[str], test_patients: list[str]) -> list[str]:
    return sorted(set(train_patients) & set(test_patients))


def _names_in_order(train_patients: list[str], test_patients: list[str]) -> list[str]:
    return [test_patients[place] for place in known_places(train_patients, test_patients)]


def _yes_or_no(train_patients: list[str], test_patients: list[str]) -> list[bool]:
    return [patient in train_patients for patient in test_patients]


def _first_place_again(train_patients: list[str], test_patients: list[str]) -> list[int]:
    return [test_patients.index(patient) for patient in test_patients if patient in train_patients]


def _first_image_only(train_patients: list[str], test_patients: list[str]) -> list[int]:
    return sorted(test_patients.index(patient) for patient in set(train_patients) & set(test_patients))


def _places_in_train(train_patients: list[str], test_patients: list[str]) -> list[int]:
    return known_places(test_patients, train_patients)


def _the_new_ones(train_patients: list[str], test_patients: list[str]) -> list[int]:
    known = known_places(train_patients, test_patients)
    return [place for place in range(len(test_patients)) if place not in known]


KNOWN_PLACES = Exercise(
    "2.5",
    "Known from training",
    known_places,
    hints=(
        "Go through the test images one by one. For each, one question: is its patient in training?",
        "enumerate(test_patients) gives place and patient. set(train_patients) answers the question quickly.",
        "Collect the place, not the patient: a patient may have several test images, and all of them count.",
        "[place for place, patient in enumerate(test_patients) if patient in set(train_patients)]",
    ),
    mistakes=(
        Mistake(_names_of_the_known, "Those are the patients. Which images are theirs? Return the places in the test."),
        Mistake(_names_in_order, "Those are the patients of the images. Return the places at which they stand."),
        Mistake(_yes_or_no, "That says yes or no for each image. Return the places that say yes."),
        Mistake(_first_place_again, "index finds a patient's first image only. enumerate gives the place of each."),
        Mistake(_first_image_only, "A patient may have several images in the test, and all of them are known."),
        Mistake(_places_in_train, "Those are places in training. The test has to be cleaned: return its places."),
        Mistake(_the_new_ones, "Those are the images of new patients. Return the others."),
    ),
    draw=_draw_two_lists,
)

# 2.6 --- split by patient


def split_by_patient(patients: list[str], validation_patients: int, seed: int) -> tuple[list[int], list[int]]:
    """Places of the training and of the validation images; a patient's images are all on one side."""
    different = sorted(set(patients))
    chosen = np.random.default_rng(seed).choice(different, validation_patients, replace=False).tolist()
    train = [place for place, patient in enumerate(patients) if patient not in chosen]
    validation = [place for place, patient in enumerate(patients) if patient in chosen]
    return train, validation


def _draw_patients(rng: np.random.Generator) -> Inputs:
    patients = [person for person in _draw_people(rng, 9) for _ in range(int(rng.integers(2, 4)))]
    return [patients[i] for i in rng.permutation(len(patients))], 3, int(rng.integers(1000))


def _sides(answer: Answer, inputs: Inputs) -> object:
    """What a split must have, whichever patients were drawn; after a fault, what follows is not looked at."""
    patients, validation_patients, seed = inputs
    assert isinstance(patients, list)  # for mypy
    assert isinstance(seed, int)
    made = [answer(list(patients), validation_patients, seed + i) for i in (0, 1, 2, 3, 0, 0, 0)]
    splits = [split for one in made if (split := _as_split(one, len(patients)))]
    if len(splits) < len(made):
        return {"what is returned": made[0]}
    sides = [[{patients[place] for place in side} for side in split] for split in splits]
    seen = {"what is returned": "two lists of places"}
    for what, pairs in (("images in both lists", splits), ("patients on both sides", sides)):
        shared = any(set(train) & set(validation) for train, validation in pairs)
        seen[what] = "some" if shared else "none"
        if shared:
            return seen
    return {
        **seen,
        "patients in validation": min(len(validation) for _, validation in sides),
        "whether every image is in one of the lists": all(
            sorted(a + b) == list(range(len(patients))) for a, b in splits
        ),
        "whether another seed gives another split": len({frozenset(validation) for _, validation in sides}) > 1,
        "whether the same seed gives the same split": all(sides[0] == side for side in sides[4:]),
    }


def _as_split(value: object, images: int) -> Split | None:
    """Two lists of places, arrays as lists; None if the value is anything else, such as yes and no for each image."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    first, second = (side.tolist() if isinstance(side, np.ndarray) else side for side in value)
    for side in (first, second):
        if not isinstance(side, list) or not all(_is_place(p, images) for p in side):
            return None
    return first, second


def _is_place(value: object, images: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < images


def _by_image(patients: list[str], validation_patients: int, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(patients)).tolist()
    images = len(patients) * validation_patients // len(set(patients))
    return sorted(order[images:]), sorted(order[:images])


def _swapped(patients: list[str], validation_patients: int, seed: int) -> Split:
    train, validation = split_by_patient(patients, validation_patients, seed)
    return validation, train


def _drawn_twice(patients: list[str], validation_patients: int, seed: int) -> Split:
    chosen = np.random.default_rng(seed).choice(sorted(set(patients)), validation_patients).tolist()
    places = [[place for place, p in enumerate(patients) if (p in chosen) == known] for known in (False, True)]
    return places[0], places[1]


def _all_in_training(patients: list[str], validation_patients: int, seed: int) -> Split:
    return list(range(len(patients))), split_by_patient(patients, validation_patients, seed)[1]


def _one_image_each(patients: list[str], validation_patients: int, seed: int) -> Split:
    train, validation = split_by_patient(patients, validation_patients, seed)
    return train, [place for place in validation if patients.index(patients[place]) == place]


def _always_the_same(patients: list[str], validation_patients: int, _: int) -> Split:
    return split_by_patient(patients, validation_patients, 0)


def _not_repeatable(patients: list[str], validation_patients: int, _: int) -> Split:
    return split_by_patient(patients, validation_patients, int(np.random.default_rng().integers(2**32)))


SPLIT_BY_PATIENT = Exercise(
    "2.6",
    "Split by patient",
    split_by_patient,
    hints=(
        "Draw patients, not images. The images follow their patient.",
        "sorted(set(patients)) names each patient once. np.random.default_rng(seed).choice(…, replace=False) draws.",
        "Then go through enumerate(patients): the place goes to validation if the patient was drawn, else to train.",
        "chosen = np.random.default_rng(seed).choice(sorted(set(patients)), validation_patients, replace=False), "
        "then two lists: [place for place, patient in enumerate(patients) if patient not in chosen], and the same "
        "with in",
    ),
    mistakes=(
        Mistake(_by_image, "That is per image, the split needs per patient."),
        Mistake(_swapped, "The two lists are swapped: training first, then validation."),
        Mistake(_drawn_twice, "A patient can be drawn twice: draw from each patient once, with replace=False."),
        Mistake(_all_in_training, "Some images are in both lists. What goes to validation has to leave training."),
        Mistake(_one_image_each, "Images are lost: all images of a drawn patient go to validation."),
        Mistake(_always_the_same, "The seed is not used: every seed gives the same split."),
        Mistake(_not_repeatable, "The same seed must give the same split: np.random.default_rng(seed)."),
    ),
    draw=_draw_patients,
    observe=_sides,
    cases=8,
)

# 2.7 --- how many images?


def images_needed(accuracy: float, margin: float) -> int:
    """Images for which the 95 % interval of an accuracy reaches at most ``margin`` to either side."""
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / margin**2)


def _draw_accuracy_and_margin(rng: np.random.Generator) -> Inputs:
    while True:
        accuracy, margin = int(rng.integers(60, 96)) / 100, int(rng.integers(2, 9)) / 100
        images = 1.96**2 * accuracy * (1 - accuracy) / margin**2
        if 0.05 < images % 1 < 0.95:  # so that rounding is never a matter of the last digit
            return accuracy, margin


def _rounded_down(accuracy: float, margin: float) -> int:
    return images_needed(accuracy, margin) - 1


def _not_rounded(accuracy: float, margin: float) -> float:
    return 1.96**2 * accuracy * (1 - accuracy) / margin**2


def _one_standard_error(accuracy: float, margin: float) -> int:
    return math.ceil(accuracy * (1 - accuracy) / margin**2)


def _margin_not_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / margin)


def _accuracy_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy**2 / margin**2)


def _not_doubly_squared(accuracy: float, margin: float) -> int:
    return math.ceil(1.96 * accuracy * (1 - accuracy) / margin**2)


def _whole_width(accuracy: float, margin: float) -> int:
    return math.ceil(1.96**2 * accuracy * (1 - accuracy) / (margin / 2) ** 2)


IMAGES_NEEDED = Exercise(
    "2.7",
    "How many images?",
    images_needed,
    hints=(
        "Begin with margin = 1.96 * sqrt(accuracy * (1 - accuracy) / images), and solve it for images.",
        "Square both sides: margin ** 2 = 1.96 ** 2 * accuracy * (1 - accuracy) / images.",
        "Exchange images and margin ** 2. A part of an image does not help: math.ceil rounds up.",
        "return math.ceil(1.96 ** 2 * accuracy * (1 - accuracy) / margin ** 2)",
    ),
    mistakes=(
        Mistake(_rounded_down, "Rounded down, the interval is a little too wide: round up with math.ceil."),
        Mistake(_not_rounded, "There is no part of an image: round up with math.ceil."),
        Mistake(_one_standard_error, "The 1.96 is missing: one standard error holds 68 %, not 95 %."),
        Mistake(_margin_not_squared, "The margin must be squared: half the margin costs four times the images."),
        Mistake(_accuracy_squared, "The spread of a yes or no is accuracy * (1 - accuracy), not accuracy squared."),
        Mistake(_not_doubly_squared, "When both sides are squared, the 1.96 is squared too."),
        Mistake(_whole_width, "The margin is to either side already: do not halve it."),
    ),
    draw=_draw_accuracy_and_margin,
)

# --- questions

SIXTEEN_QUESTION = Question(
    "2.a",
    "On 16 validation images, model A is right for 15 and model B for 14. Which one do you take?",
    (
        Option("A: it has 94 %, B has 88 %", "That is one image. The interval of each reaches far over the other."),
        Option(
            "These images can not decide",
            "Both intervals are about 30 points wide. Cut a larger validation list from training, by patient.",
            right=True,
        ),
        Option(
            "Whichever is better on the test",
            "Then the test took part in the choice, and what it says afterwards is too good.",
        ),
    ),
)

CORNER_QUESTION = Question(
    "2.b",
    "A model that sees only the corners of the radiographs has an AUROC of 0.9. What do you know?",
    (
        Option(
            "There is a marker in the corner, and a network reads it",
            "There may be one. It may also be a border, an arm, or how the child lay. Look at the corners.",
        ),
        Option(
            "Something in the corners goes along with the class",
            "No more than that. What it is, you have to see; whether a network uses it is another question.",
            right=True,
        ),
        Option(
            "Pneumonia can be seen in the corners",
            "Hardly any lung is in the upper corners. What tells the class there is probably not the disease.",
        ),
    ),
)

LABEL_QUESTION = Question(
    "2.c",
    "The report says: labels, ok. What does that say about the labels?",
    (
        Option(
            "They are right", "It says only that a simple model doubts no more of them than it doubts of right ones."
        ),
        Option(
            "At most 13 % are wrong", "13 % is how many a simple model may doubt. It can miss any number of errors."
        ),
        Option(
            "A simple model doubts no more of them than usual",
            "That is all. Errors that follow a pattern, or that look typical, do not stand out.",
            right=True,
        ),
    ),
)

LESSON = Lesson(
    "02",
    "Auditing the data",
    (PATIENTS_OF, GUESS_ACCURACY, COUNT_COPIES, HASH_DISTANCE, KNOWN_PLACES, SPLIT_BY_PATIENT, IMAGES_NEEDED),
    (SIXTEEN_QUESTION, CORNER_QUESTION, LABEL_QUESTION),
)
