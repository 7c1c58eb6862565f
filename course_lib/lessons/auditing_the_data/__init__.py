"""Lesson 02, Auditing the data: patients, baselines, copies, splits, small samples.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.auditing_the_data.copies import COUNT_COPIES, HASH_DISTANCE, count_copies, hash_distance
from course_lib.lessons.auditing_the_data.guessing import GUESS_ACCURACY, guess_accuracy
from course_lib.lessons.auditing_the_data.patients import PATIENTS_OF, patients_of
from course_lib.lessons.auditing_the_data.questions import QUESTIONS
from course_lib.lessons.auditing_the_data.sample_size import IMAGES_NEEDED, images_needed
from course_lib.lessons.auditing_the_data.splits import KNOWN_PLACES, SPLIT_BY_PATIENT, known_places, split_by_patient

__all__ = [
    "LESSON",
    "count_copies",
    "guess_accuracy",
    "hash_distance",
    "images_needed",
    "known_places",
    "patients_of",
    "split_by_patient",
]

LESSON = Lesson(
    "02",
    "Auditing the data",
    (PATIENTS_OF, GUESS_ACCURACY, COUNT_COPIES, HASH_DISTANCE, KNOWN_PLACES, SPLIT_BY_PATIENT, IMAGES_NEEDED),
    QUESTIONS,
)
