"""Lesson 01, Preprocessing: from the beam to grey values, to a square, to normalised and balanced numbers.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.preprocessing.beam import TRANSMISSION, transmission
from course_lib.lessons.preprocessing.class_balance import CLASS_WEIGHTS, class_weights
from course_lib.lessons.preprocessing.crop import LOST_BY_CROP, lost_by_crop
from course_lib.lessons.preprocessing.grey_values import TO_8_BIT, TURN_ROUND, to_8_bit, turn_round
from course_lib.lessons.preprocessing.normalisation import DENORMALISE, MEAN_AND_STD, denormalise, mean_and_std
from course_lib.lessons.preprocessing.questions import QUESTIONS

__all__ = [
    "LESSON",
    "class_weights",
    "denormalise",
    "lost_by_crop",
    "mean_and_std",
    "to_8_bit",
    "transmission",
    "turn_round",
]

LESSON = Lesson(
    "01",
    "Preprocessing",
    (TRANSMISSION, TO_8_BIT, TURN_ROUND, LOST_BY_CROP, MEAN_AND_STD, DENORMALISE, CLASS_WEIGHTS),
    QUESTIONS,
)
