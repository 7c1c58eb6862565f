"""Lesson 05, Evaluation: counts, chances, costs, and draws of patients.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.evaluation.calibration import BRIER, SOFTEN, brier, soften
from course_lib.lessons.evaluation.costs import COST_OF_A_CHILD, cost_of_a_child
from course_lib.lessons.evaluation.counts import (
    FOUR_COUNTS,
    FOUR_SHARES,
    VALUE_OF_AN_ALARM,
    four_counts,
    four_shares,
    value_of_an_alarm,
)
from course_lib.lessons.evaluation.patient_draws import IMAGES_OF_DRAW, images_of_draw
from course_lib.lessons.evaluation.questions import QUESTIONS
from course_lib.lessons.evaluation.scores import F1_SCORE, SHARE_OF_PAIRS, f1_score, share_of_pairs

__all__ = [
    "LESSON",
    "brier",
    "cost_of_a_child",
    "f1_score",
    "four_counts",
    "four_shares",
    "images_of_draw",
    "share_of_pairs",
    "soften",
    "value_of_an_alarm",
]

LESSON = Lesson(
    "05",
    "Evaluation",
    (
        FOUR_COUNTS,
        FOUR_SHARES,
        VALUE_OF_AN_ALARM,
        SHARE_OF_PAIRS,
        F1_SCORE,
        BRIER,
        SOFTEN,
        COST_OF_A_CHILD,
        IMAGES_OF_DRAW,
    ),
    QUESTIONS,
)
