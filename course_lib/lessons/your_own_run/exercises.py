"""What comes after a run of one's own, in a hospital: the patients it takes, and the weeks to look at."""

import math

import numpy as np

from course_lib.exercises.exercise import Exercise, Inputs, Lesson, Mistake
from course_lib.exercises.questions import Option, Question


def sick_children_needed(expected: float, half_width: float) -> int:
    """How many sick children make the 95 % interval of a sensitivity reach no farther than so much to either side."""
    return math.ceil(1.96**2 * expected * (1 - expected) / half_width**2)


def _standard_error_only(expected: float, half_width: float) -> int:
    return math.ceil(expected * (1 - expected) / half_width**2)


def _not_squared(expected: float, half_width: float) -> int:
    return math.ceil(1.96 * math.sqrt(expected * (1 - expected)) / half_width)


def _whole_width(expected: float, half_width: float) -> int:
    return math.ceil(4 * 1.96**2 * expected * (1 - expected) / half_width**2)


def _rounded_down(expected: float, half_width: float) -> int:
    return math.floor(1.96**2 * expected * (1 - expected) / half_width**2)


def _a_sensitivity(rng: np.random.Generator) -> Inputs:
    return float(rng.choice([0.8, 0.85, 0.9, 0.95])), float(rng.choice([0.02, 0.03, 0.04, 0.05, 0.07]))


SICK_CHILDREN_NEEDED = Exercise(
    "8.1",
    "How many sick children?",
    sick_children_needed,
    (
        "Set the half width equal to 1.96 standard errors, sqrt(p * (1 - p) / n), and solve for n.",
        "Square both sides: half_width squared is 1.96 squared times p (1 - p), divided by n.",
        "There are no half children, and one too few is too few: math.ceil makes a number whole, upwards.",
        "math.ceil(1.96**2 * expected * (1 - expected) / …)",
    ),
    (
        Mistake(_rounded_down, "One child more: with the number rounded down, the interval is a little too wide."),
        Mistake(
            _standard_error_only,
            "That makes half_width one standard error. 95 % need 1.96 of them to either side.",
        ),
        Mistake(_not_squared, "The error falls with the root of n. Solve for n itself: everything is squared."),
        Mistake(
            _whole_width, "You took half_width for the whole width. It is the distance from the middle to one end."
        ),
    ),
    _a_sensitivity,
)


def weeks_to_look_at(alarms: list[int], children: list[int], expected: float) -> list[int]:
    """The places of the weeks whose share of alarms is more than three standard errors from the expected share."""
    return [
        week
        for week, (called, seen) in enumerate(zip(alarms, children, strict=True))
        if abs(called / seen - expected) > 3 * math.sqrt(expected * (1 - expected) / seen)
    ]


def _too_many_only(alarms: list[int], children: list[int], expected: float) -> list[int]:
    return [
        week
        for week, (called, seen) in enumerate(zip(alarms, children, strict=True))
        if called / seen - expected > 3 * math.sqrt(expected * (1 - expected) / seen)
    ]


def _one_standard_error(alarms: list[int], children: list[int], expected: float) -> list[int]:
    return [
        week
        for week, (called, seen) in enumerate(zip(alarms, children, strict=True))
        if abs(called / seen - expected) > math.sqrt(expected * (1 - expected) / seen)
    ]


def _from_one(alarms: list[int], children: list[int], expected: float) -> list[int]:
    return [week + 1 for week in weeks_to_look_at(alarms, children, expected)]


def _without_the_number(alarms: list[int], children: list[int], expected: float) -> list[int]:
    return [
        week
        for week, (called, seen) in enumerate(zip(alarms, children, strict=True))
        if abs(called / seen - expected) > 3 * math.sqrt(expected * (1 - expected))
    ]


def _some_weeks(rng: np.random.Generator) -> Inputs:
    """Eight weeks; three of them, somewhere, are far too high, far too low, and a little off."""
    children = rng.integers(60, 140, 8)
    expected = float(rng.choice([0.2, 0.25, 0.3]))
    error = np.sqrt(expected * (1 - expected) / children)
    off = rng.permutation([5.0, -4.5, 1.8, 0.3, -0.4, 0.2, -1.7, 0.1])
    alarms = np.clip(np.round(children * (expected + off * error)), 0, children)
    return [int(n) for n in alarms], [int(n) for n in children], expected


WEEKS_TO_LOOK_AT = Exercise(
    "8.2",
    "Which weeks to look at?",
    weeks_to_look_at,
    (
        "For each week, divide the alarms by the children, and subtract the expected share.",
        "The standard error of a week's share is sqrt(expected * (1 - expected) / children of that week).",
        "Both directions count: abs(…) > 3 * error.",
        "for week, (called, seen) in enumerate(zip(alarms, children)): …",
    ),
    (
        Mistake(_too_many_only, "A week with too few alarms is missing. A silent classifier is as suspicious."),
        Mistake(_one_standard_error, "That is one standard error: a third of all quiet weeks lie farther out."),
        Mistake(_from_one, "Count the weeks from 0."),
        Mistake(
            _without_the_number,
            "That is the spread of one child. A week's share spreads less, the more children it has: divide by them.",
        ),
    ),
    _some_weeks,
)

COMPARE_QUESTION = Question(
    "8.a",
    "Your run was tested on 280 of the 624 official images and has an AUROC of 0.970 (0.951 to 0.986). A paper has "
    "0.968 on all 624. What may you write?",
    (
        Option(
            "Our network is better than the paper's",
            "The interval holds 0.968 and much below it. And the 344 other images may be harder.",
        ),
        Option(
            "Both figures, each with its images, and that they were not measured on the same ones",
            "A reader can then see what is known: the two are near each other, and more can not be said.",
            right=True,
        ),
        Option(
            "Nothing, since the images differ",
            "A figure from elsewhere is a useful mark, as long as you say how it differs from yours.",
        ),
    ),
)

FIRST_STEP_QUESTION = Question(
    "8.b",
    "A hospital likes your model card and asks what should come first, before any doctor sees an answer. What?",
    (
        Option(
            "Train longer, and on larger images",
            "The score at home may rise. What it is worth in the other hospital is still not known.",
        ),
        Option(
            "Show the doctors heat maps, so that they can check each answer",
            "A map says where the network looked, and not whether its answer is right.",
        ),
        Option(
            "Let it run silently on the hospital's own patients, and compare its answers with the diagnoses",
            "This is an external validation. Nobody is treated by an answer, and the figure is the hospital's own.",
            right=True,
        ),
        Option(
            "Apply for the licence",
            "The authorities will ask for clinical evidence, so the measurement comes first.",
        ),
    ),
)

LESSON = Lesson(
    "08",
    "Your own run",
    (SICK_CHILDREN_NEEDED, WEEKS_TO_LOOK_AT),
    (COMPARE_QUESTION, FIRST_STEP_QUESTION),
)
