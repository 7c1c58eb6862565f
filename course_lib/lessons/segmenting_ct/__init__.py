"""Lesson 11, Segmenting CT: from projections to an outline, what outlines are measured by, and readers who differ.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.segmenting_ct.agreement import READER_AGREEMENT, reader_agreement
from course_lib.lessons.segmenting_ct.components import LUNGS, lungs
from course_lib.lessons.segmenting_ct.distances import HD95, hd95
from course_lib.lessons.segmenting_ct.joining import UP_AND_JOIN, up_and_join
from course_lib.lessons.segmenting_ct.lesions import LESIONS, lesions
from course_lib.lessons.segmenting_ct.line_integrals import LINE_INTEGRALS, line_integrals
from course_lib.lessons.segmenting_ct.losses import SOFT_DICE_LOSS, soft_dice_loss
from course_lib.lessons.segmenting_ct.overlap import DICE, dice
from course_lib.lessons.segmenting_ct.questions import QUESTIONS
from course_lib.lessons.segmenting_ct.windows import WINDOW, window

__all__ = [
    "LESSON",
    "dice",
    "hd95",
    "lesions",
    "line_integrals",
    "lungs",
    "reader_agreement",
    "soft_dice_loss",
    "up_and_join",
    "window",
]

LESSON = Lesson(
    "11",
    "Segmenting CT",
    (
        LINE_INTEGRALS,
        WINDOW,
        LUNGS,
        UP_AND_JOIN,
        SOFT_DICE_LOSS,
        DICE,
        HD95,
        LESIONS,
        READER_AGREEMENT,
    ),
    QUESTIONS,
)
