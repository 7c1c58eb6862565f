"""What more patients would bring: the first of an order, and a power law through two points."""

import math

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

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
