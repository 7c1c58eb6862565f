"""Lesson 07, Small and dirty data: learning curves, wrong labels, odd exposures, abstaining, ensembles.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.small_and_dirty_data.abstaining import RISK_AT, risk_at
from course_lib.lessons.small_and_dirty_data.ensembles import TOGETHER, together
from course_lib.lessons.small_and_dirty_data.learning_curves import (
    IMAGES_OF_FIRST,
    PATIENTS_NEEDED,
    images_of_first,
    patients_needed,
)
from course_lib.lessons.small_and_dirty_data.odd_exposures import STANDING_OUT, standing_out
from course_lib.lessons.small_and_dirty_data.questions import QUESTIONS
from course_lib.lessons.small_and_dirty_data.wrong_labels import (
    DOUBTED,
    FLIP_LABELS,
    LOSS_OF_EACH,
    doubted,
    flip_labels,
    loss_of_each,
)

__all__ = [
    "LESSON",
    "doubted",
    "flip_labels",
    "images_of_first",
    "loss_of_each",
    "patients_needed",
    "risk_at",
    "standing_out",
    "together",
]

LESSON = Lesson(
    "07",
    "Small and dirty data",
    (IMAGES_OF_FIRST, PATIENTS_NEEDED, FLIP_LABELS, LOSS_OF_EACH, DOUBTED, STANDING_OUT, RISK_AT, TOGETHER),
    QUESTIONS,
)
