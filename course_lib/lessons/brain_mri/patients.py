"""Slices belong to patients: how many are known from training, and folds that part the patients."""

from collections import Counter

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake


def draw_names(rng: np.random.Generator, count: int) -> list[str]:
    """Different patients."""
    return [f"phantom{n:04d}" for n in rng.choice(np.arange(1, 400), count, replace=False)]


# 10.4 --- known from training


def seen_patients(train_patients: list[str], test_patients: list[str]) -> float:
    """The part of the test slices, 0 to 1, whose patient has a slice in training too; both lists name one a slice."""
    known = set(train_patients)
    return sum(patient in known for patient in test_patients) / len(test_patients)


def _draw_sides(rng: np.random.Generator) -> Inputs:
    names = draw_names(rng, 7)
    both, train, test = names[: rng.integers(1, 4)], names[3:5], names[5:]
    return _slices_of([*both, *train], rng), _slices_of([*both, *test], rng)


def _slices_of(names: list[str], rng: np.random.Generator) -> list[str]:
    """One to four slices of each, in any order; the first has most of them."""
    slices = [name for place, name in enumerate(names) for _ in range(rng.integers(1, 4) + (place == 0))]
    return [slices[n] for n in rng.permutation(len(slices))]


def _part_of_patients(train_patients: list[str], test_patients: list[str]) -> float:
    return len(set(train_patients) & set(test_patients)) / len(set(test_patients))


def _each_patient_once(train_patients: list[str], test_patients: list[str]) -> float:
    return len(set(train_patients) & set(test_patients)) / len(test_patients)


def _part_of_training(train_patients: list[str], test_patients: list[str]) -> float:
    return seen_patients(test_patients, train_patients)


def _how_many(train_patients: list[str], test_patients: list[str]) -> int:
    return sum(patient in train_patients for patient in test_patients)


def _part_of_all(train_patients: list[str], test_patients: list[str]) -> float:
    return _how_many(train_patients, test_patients) / len(train_patients + test_patients)


def _divided_by_training(train_patients: list[str], test_patients: list[str]) -> float:
    return _how_many(train_patients, test_patients) / len(train_patients)


def _part_of_new(train_patients: list[str], test_patients: list[str]) -> float:
    return 1 - seen_patients(train_patients, test_patients)


def _percent(train_patients: list[str], test_patients: list[str]) -> float:
    return 100 * seen_patients(train_patients, test_patients)


def _place_by_place(train_patients: list[str], test_patients: list[str]) -> float:
    return float(np.mean([a == b for a, b in zip(train_patients, test_patients, strict=False)]))


def _yes_or_no(train_patients: list[str], test_patients: list[str]) -> list[bool]:
    return [patient in train_patients for patient in test_patients]


SEEN_PATIENTS = Exercise(
    "10.4",
    "Known from training",
    seen_patients,
    hints=(
        "Go through the test slices. For each, one question: does its patient stand in the training list?",
        "set(train_patients) answers the question quickly. A patient with five test slices counts five times.",
        "True counts as 1, so sum(patient in known for patient in test_patients) is how many slices are known.",
        "return sum(patient in set(train_patients) for patient in test_patients) / len(test_patients)",
    ),
    mistakes=(
        Mistake(
            _part_of_patients,
            "That is the part of the test patients. The accuracy is counted over slices, so count slices here too: a "
            "patient with five of them counts five times.",
        ),
        Mistake(_each_patient_once, "Each known patient counts once, but all of that patient's test slices are known."),
        Mistake(
            _part_of_training,
            "That is the part of the training slices whose patient is in the test. Go through the test slices.",
        ),
        Mistake(_how_many, "That is how many slices are known. Divide by the number of test slices."),
        Mistake(_part_of_all, "You divided by all slices. It is a part of the test: divide by len(test_patients)."),
        Mistake(_divided_by_training, "You divided by the number of training slices. Divide by len(test_patients)."),
        Mistake(_part_of_new, "That is the part that comes from new patients. We ask for the known ones."),
        Mistake(_percent, "The value is right, in percent. Return it from 0 to 1."),
        Mistake(
            _place_by_place,
            "You compared the first slice with the first, and so on. Ask of each test slice whether its patient is "
            "anywhere in training.",
        ),
        Mistake(_yes_or_no, "That says yes or no for each slice. Which part of them says yes?"),
    ),
    draw=_draw_sides,
)

# 10.5 --- folds that part patients

WHOLE_NUMBERS = "a whole number for each slice"


def folds_of_patients(patients: list[str], folds: int) -> np.ndarray:
    """The fold, 0 to folds - 1, of each slice [slices]: a patient's are all in one, and the folds are of like size.

    The patient with most slices comes first, and each goes to the fold that has the fewest slices so far.
    """
    sizes = np.zeros(folds, dtype=int)
    fold_of = {}
    for patient, slices in Counter(patients).most_common():
        fold_of[patient] = sizes.argmin()
        sizes[fold_of[patient]] += slices
    return np.array([fold_of[patient] for patient in patients])


def _draw_series(rng: np.random.Generator) -> Inputs:
    """Twelve patients by name, of whom dealing out equally many makes folds of unlike size; series by series or not."""
    names, folds, scale = sorted(draw_names(rng, 12)), int(rng.integers(2, 5)), int(rng.integers(1, 3))
    sizes = [scale * (1 + 2 * (n % folds == 0) + 3 * (n < 12 // folds)) for n in range(12)]
    slices = [(number, name) for name, size in zip(names, sizes, strict=True) for number in range(size)]
    return [name for _, name in (sorted(slices) if rng.integers(2) else slices)], folds


def _whether_fit(answer: Answer, inputs: Inputs) -> object:
    """What folds must have, however the patients were dealt out; after a fault, what follows is not looked at."""
    patients, folds = inputs
    assert isinstance(patients, list)  # for mypy
    assert isinstance(folds, int)
    came = answer(list(patients), folds)
    seen = {"what is returned": _kind(came, len(patients))}
    if seen["what is returned"] != WHOLE_NUMBERS:
        return seen
    numbers: list[int] = np.asarray(came).tolist()
    sizes = [numbers.count(fold) for fold in range(folds)]
    most = max(Counter(patients).values())  # if each goes to the emptiest fold, sizes differ by no more
    checks = {
        "whether all are between 0 and folds - 1": sum(sizes) == len(patients),
        "whether each patient is in one fold": len(set(zip(patients, numbers, strict=True))) == len(set(patients)),
        "whether each fold has a slice": min(sizes) > 0,
        "whether the folds are of like size": max(sizes) - min(sizes) <= most,
    }
    for what, fits in checks.items():
        seen[what] = fits
        if not fits:
            break
    return seen


def _kind(came: object, slices: int) -> object:
    """In words, where it is an array or collection; else the thing itself, as where nothing is returned."""
    if type(came) is np.ndarray:
        if came.shape != (slices,):
            return f"an array of shape {list(came.shape)}"
        return WHOLE_NUMBERS if came.dtype.kind in "iu" else f"numbers of type {came.dtype}"
    return f"a {type(came).__name__}" if type(came) in (list, tuple, dict) else came


def _dealt_by_slice(patients: list[str], folds: int) -> np.ndarray:
    return np.arange(len(patients)) % folds


def _blocks_of_slices(patients: list[str], folds: int) -> np.ndarray:
    return np.arange(len(patients)) * folds // len(patients)


def _dealt_by_patient(patients: list[str], folds: int) -> np.ndarray:
    return np.asarray(np.unique(patients, return_inverse=True)[1] % folds)


def _blocks_of_patients(patients: list[str], folds: int) -> np.ndarray:
    return np.asarray(np.unique(patients, return_inverse=True)[1] * folds // len(set(patients)))


def _to_the_fullest(patients: list[str], folds: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.zeros(len(patients), dtype=int)


def _from_1(patients: list[str], folds: int) -> np.ndarray:
    return folds_of_patients(patients, folds) + 1


def _a_fold_each(patients: list[str], folds: int) -> np.ndarray:  # noqa: ARG001  # the mistake
    return np.asarray(np.unique(patients, return_inverse=True)[1])


def _one_for_each_patient(patients: list[str], folds: int) -> np.ndarray:
    return folds_of_patients(patients, folds)[np.unique(patients, return_index=True)[1]]


def _for_patients_by_name(patients: list[str], folds: int) -> dict[str, int]:
    return dict(zip(patients, folds_of_patients(patients, folds).tolist(), strict=True))


def _a_list(patients: list[str], folds: int) -> list[int]:
    return [int(fold) for fold in folds_of_patients(patients, folds)]


def _not_whole(patients: list[str], folds: int) -> np.ndarray:
    return folds_of_patients(patients, folds).astype(float)


def _yes_or_no_by_fold(patients: list[str], folds: int) -> np.ndarray:
    return folds_of_patients(patients, folds)[:, None] == np.arange(folds)


BY_SLICE = "Slices were dealt out, so that a patient is in several folds. Deal out patients; their slices follow them."
UNLIKE_SIZES = (
    "No patient is in two folds, but some folds have many more slices than others, because patients have different "
    "numbers of them. Give each patient to the fold that has the fewest slices so far."
)
OUT_OF_RANGE = "The folds are numbered from 0 to folds - 1."

FOLDS_OF_PATIENTS = Exercise(
    "10.5",
    "Folds that part patients",
    folds_of_patients,
    hints=(
        "Decide for patients first, and note how many slices each fold has by then. Then look up each slice's patient.",
        "Counter(patients).most_common() gives each patient with the number of slices, the largest number first.",
        "sizes.argmin() is the fold with the fewest slices. Put the patient there, and add the slices to its size.",
        "fold_of[patient] = sizes.argmin(), then sizes[fold_of[patient]] += slices; at the end "
        "np.array([fold_of[patient] for patient in patients])",
    ),
    mistakes=(
        Mistake(_dealt_by_slice, BY_SLICE),
        Mistake(_blocks_of_slices, BY_SLICE),
        Mistake(_dealt_by_patient, UNLIKE_SIZES),
        Mistake(_blocks_of_patients, UNLIKE_SIZES),
        Mistake(_to_the_fullest, "There are folds without any slice. Each patient goes to the emptiest: argmin."),
        Mistake(_from_1, OUT_OF_RANGE),
        Mistake(_a_fold_each, OUT_OF_RANGE),
        Mistake(
            _one_for_each_patient,
            "That is one number for each patient. Go through patients once more, and look up the fold of each slice.",
        ),
        Mistake(
            _for_patients_by_name,
            "A dict from patient to fold is half of the way. Look up each slice's patient in it, and return an array.",
        ),
        Mistake(_a_list, "Return an array of whole numbers, not a list: np.array makes one."),
        Mistake(_not_whole, "Return whole numbers: a fold is a name. dtype=int, or astype(int)."),
        Mistake(_yes_or_no_by_fold, "That has a column for each fold. Return one number for each slice."),
    ),
    draw=_draw_series,
    observe=_whether_fit,
)
