"""One answer for each patient, from the answers for the slices."""

import numpy as np

from course_lib.exercises.exercise import Answer, Exercise, Inputs, Mistake
from course_lib.lessons.brain_mri.patients import draw_names

# 10.9 --- one answer for each patient


def patient_answers(probabilities: np.ndarray, patients: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The patients, sorted, and the mean of each one's probabilities over the slices [patients, classes].

    ``probabilities`` [slices, classes] and ``patients`` [slices] are in the same order.
    """
    names = np.unique(patients).tolist()
    means = np.array([probabilities[patients == name].mean(axis=0) for name in names])
    return names, means


def _draw_slices(rng: np.random.Generator) -> Inputs:
    """Two to four slices of three patients; the first to come is not the first by name."""
    names = sorted(draw_names(rng, 3))
    patients = [names[2], *rng.permutation(names * 2)[: rng.integers(5, 7)].tolist(), names[0]]
    tenths = rng.multinomial(10, rng.dirichlet([0.7, 0.7, 0.7], size=len(patients)))
    return tenths / 10, np.array(patients)


def _names_and_numbers(answer: Answer, inputs: Inputs) -> object:
    """Names of numpy's type or in an array are the same as others."""
    came = answer(*inputs)
    if not isinstance(came, tuple | list) or len(came) != 2:
        return {"the patients": came}
    names, numbers = came
    if isinstance(names, np.ndarray | list | tuple):
        names = [str(name) if isinstance(name, np.str_) else name for name in names]
    return {"the patients": names, "their probabilities": numbers}


Answers = tuple[list[str], np.ndarray]


def _of_each(probabilities: np.ndarray, patients: np.ndarray) -> list[np.ndarray]:
    """The probabilities of each patient's slices, patients by name."""
    return [probabilities[patients == name] for name in sorted(set(patients))]


def _in_order_of_coming(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    names = list(dict.fromkeys(patients.tolist()))
    return names, np.array([probabilities[patients == name].mean(axis=0) for name in names])


def _names_sorted_alone(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    names, means = _in_order_of_coming(probabilities, patients)
    return sorted(names), means


def _sums(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return sorted(set(patients)), np.array([slices.sum(axis=0) for slices in _of_each(probabilities, patients)])


def _votes(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return patient_answers(np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)], patients)


def _surest(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return sorted(set(patients)), np.array([slices.max(axis=0) for slices in _of_each(probabilities, patients)])


def _middle(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return sorted(set(patients)), np.array([np.median(slices, axis=0) for slices in _of_each(probabilities, patients)])


def _first_slice(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return sorted(set(patients)), np.array([slices[0] for slices in _of_each(probabilities, patients)])


def _over_all_slices(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    names, sums = _sums(probabilities, patients)
    return names, sums / len(patients)


def _over_classes(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    return sorted(set(patients)), np.array([slices.mean() for slices in _of_each(probabilities, patients)])


def _class_only(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    names, means = patient_answers(probabilities, patients)
    return names, means.argmax(axis=1)


def _without_names(probabilities: np.ndarray, patients: np.ndarray) -> np.ndarray:
    return patient_answers(probabilities, patients)[1]


def _turned_round(probabilities: np.ndarray, patients: np.ndarray) -> tuple[np.ndarray, list[str]]:
    names, means = patient_answers(probabilities, patients)
    return means, names


def _slice_by_slice(probabilities: np.ndarray, patients: np.ndarray) -> Answers:
    names, means = patient_answers(probabilities, patients)
    return names, means[np.searchsorted(names, patients)]


PATIENT_ANSWERS = Exercise(
    "10.9",
    "One answer for each patient",
    patient_answers,
    hints=(
        "First the patients, each once and sorted. Then, for each of them, the mean over that patient's slices.",
        "np.unique(patients) are the names. probabilities[patients == name] are the rows of one patient.",
        "Of these rows take the mean over the slices, which are the first axis: .mean(axis=0).",
        "names = np.unique(patients).tolist(), then names and "
        "np.array([probabilities[patients == name].mean(axis=0) for name in names])",
    ),
    mistakes=(
        Mistake(_in_order_of_coming, "The patients stand in the order in which they come. Sort them by name."),
        Mistake(
            _names_sorted_alone,
            "The names are sorted, but the probabilities are not: each patient has another one's. Go through the "
            "sorted names, and take the rows of each.",
        ),
        Mistake(_sums, "You added up the slices. Divide by how many the patient has: the mean."),
        Mistake(
            _votes,
            "Each slice votes for one class, so a slice that is hardly sure counts like one that is. Take the mean of "
            "the probabilities.",
        ),
        Mistake(_surest, "You took the highest of the slices, and the classes no longer sum to 1. Take the mean."),
        Mistake(_middle, "That is the median, after which the classes need not sum to 1. Take the mean."),
        Mistake(_first_slice, "That is each patient's first slice alone. Take the mean over all of them."),
        Mistake(_over_all_slices, "You divided by all slices. Each patient has a number of slices of their own."),
        Mistake(_over_classes, "That is one number for a patient. The mean is over slices, class by class: axis=0."),
        Mistake(_class_only, "That is the most probable class. Return the mean probabilities themselves."),
        Mistake(_without_names, "Those are the probabilities alone. Return the patients as well, and first."),
        Mistake(_turned_round, "Both are right, in the other order: the patients first."),
        Mistake(_slice_by_slice, "That has a row for each slice. Return one for each patient."),
    ),
    draw=_draw_slices,
    observe=_names_and_numbers,
)
