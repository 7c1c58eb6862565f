"""Lesson 03, Building Net: shapes, a convolution, and the training loop in five small steps.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.building_net.convolution import (
    CONVOLUTION,
    OUTPUT_SIZE,
    RECEPTIVE_FIELD,
    convolve,
    output_size,
    receptive_field,
)
from course_lib.lessons.building_net.questions import QUESTIONS
from course_lib.lessons.building_net.small_networks import PlainSGD
from course_lib.lessons.building_net.training_loop import (
    BATCH_LOSS,
    TRAIN_ONE_EPOCH,
    TRAIN_STEP,
    batch_loss,
    train_one_epoch,
    train_step,
)
from course_lib.lessons.building_net.validation import KEEP_BEST, VALIDATE, keep_best, validate

__all__ = [
    "LESSON",
    "PlainSGD",
    "batch_loss",
    "convolve",
    "keep_best",
    "output_size",
    "receptive_field",
    "train_one_epoch",
    "train_step",
    "validate",
]

LESSON = Lesson(
    "03",
    "Building Net",
    (OUTPUT_SIZE, CONVOLUTION, RECEPTIVE_FIELD, BATCH_LOSS, TRAIN_STEP, TRAIN_ONE_EPOCH, VALIDATE, KEEP_BEST),
    QUESTIONS,
)
