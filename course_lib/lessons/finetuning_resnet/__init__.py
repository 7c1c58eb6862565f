"""Lesson 04, Fine-tuning: grey images, a new head, what is frozen, a rate per stage, and a choice.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.finetuning_resnet.choosing import CHOICE, cheapest_that_keeps_up
from course_lib.lessons.finetuning_resnet.frozen_network import BEGIN_TRAINING, FEATURES, begin_training, features_of
from course_lib.lessons.finetuning_resnet.head import (
    FREEZE,
    NEW_HEAD,
    THREE_CHANNELS,
    freeze_all_but_head,
    new_head,
    three_channels,
)
from course_lib.lessons.finetuning_resnet.questions import QUESTIONS
from course_lib.lessons.finetuning_resnet.recipe import check_same_classes
from course_lib.lessons.finetuning_resnet.stage_learning_rates import STAGE_RATES, stage_rates

__all__ = [
    "LESSON",
    "begin_training",
    "cheapest_that_keeps_up",
    "check_same_classes",
    "features_of",
    "freeze_all_but_head",
    "new_head",
    "stage_rates",
    "three_channels",
]

LESSON = Lesson(
    "04",
    "Fine-tuning",
    (THREE_CHANNELS, NEW_HEAD, FREEZE, FEATURES, STAGE_RATES, BEGIN_TRAINING, CHOICE),
    QUESTIONS,
)
