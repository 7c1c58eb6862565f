"""Patients on both sides of a split, and a split that has none."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake

Split = tuple[list[int], list[int]]

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
