"""Lesson 10, Brain MRI: what makes a tissue bright, patients and copies across a split, and three classes judged.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.brain_mri.copies import MIRRORED_COPIES, mirrored_copies
from course_lib.lessons.brain_mri.neighbours import NEIGHBOURS_AS_CHANNELS, neighbours_as_channels
from course_lib.lessons.brain_mri.one_answer import PATIENT_ANSWERS, patient_answers
from course_lib.lessons.brain_mri.patients import (
    FOLDS_OF_PATIENTS,
    SEEN_PATIENTS,
    folds_of_patients,
    seen_patients,
)
from course_lib.lessons.brain_mri.questions import QUESTIONS
from course_lib.lessons.brain_mri.relaxation import (
    INVERSION_TIME,
    SPIN_ECHO,
    T1_AFTER_AGENT,
    inversion_time,
    spin_echo,
    t1_after_agent,
)
from course_lib.lessons.brain_mri.scores import MACRO_AUROC, SENSITIVITIES, macro_auroc, sensitivities

__all__ = [
    "LESSON",
    "folds_of_patients",
    "inversion_time",
    "macro_auroc",
    "mirrored_copies",
    "neighbours_as_channels",
    "patient_answers",
    "seen_patients",
    "sensitivities",
    "spin_echo",
    "t1_after_agent",
]

LESSON = Lesson(
    "10",
    "Brain MRI",
    (
        SPIN_ECHO,
        INVERSION_TIME,
        T1_AFTER_AGENT,
        SEEN_PATIENTS,
        FOLDS_OF_PATIENTS,
        MIRRORED_COPIES,
        SENSITIVITIES,
        MACRO_AUROC,
        PATIENT_ANSWERS,
        NEIGHBOURS_AS_CHANNELS,
    ),
    QUESTIONS,
)
