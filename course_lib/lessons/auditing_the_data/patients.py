"""Whose image is it? The patient in a file's name."""

import re

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Mistake

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
