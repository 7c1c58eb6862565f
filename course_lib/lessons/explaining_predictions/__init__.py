"""Lesson 06, Explaining predictions: maps by hand, their scores, and interventions.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.explaining_predictions.grad_cam import CAM, CHANNEL_WEIGHTS, cam, channel_weights
from course_lib.lessons.explaining_predictions.integrated_gradients import INTEGRATE, integrate
from course_lib.lessons.explaining_predictions.interventions import EFFECT, effect
from course_lib.lessons.explaining_predictions.occlusion import OCCLUSION_MAP, occlusion_map
from course_lib.lessons.explaining_predictions.pointing import HITS, OVERLAP, hits, overlap
from course_lib.lessons.explaining_predictions.questions import QUESTIONS

__all__ = ["LESSON", "cam", "channel_weights", "effect", "hits", "integrate", "occlusion_map", "overlap"]

LESSON = Lesson(
    "06", "Explaining predictions", (CHANNEL_WEIGHTS, CAM, OCCLUSION_MAP, INTEGRATE, HITS, OVERLAP, EFFECT), QUESTIONS
)
