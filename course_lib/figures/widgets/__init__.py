"""Figures that a learner moves: each wraps one pure function that draws, and stands after a picture that says the
same."""

from course_lib.figures.widgets.froc_explorer import froc_explorer
from course_lib.figures.widgets.image_explorers import exposure_explorer, kernel_explorer, occlusion_explorer
from course_lib.figures.widgets.metric_breaker import metric_breaker
from course_lib.figures.widgets.number_explorers import (
    abstention_explorer,
    accuracy_explorer,
    children,
    threshold_explorer,
    unfreeze_explorer,
)
from course_lib.figures.widgets.reconstruction_explorer import reconstruction_explorer
from course_lib.figures.widgets.sequence_explorer import sequence_explorer
from course_lib.figures.widgets.token_dialogue import token_dialogue
from course_lib.figures.widgets.volume_explorer import volume_viewer

__all__ = [
    "abstention_explorer",
    "accuracy_explorer",
    "children",
    "exposure_explorer",
    "froc_explorer",
    "kernel_explorer",
    "metric_breaker",
    "occlusion_explorer",
    "reconstruction_explorer",
    "sequence_explorer",
    "threshold_explorer",
    "token_dialogue",
    "unfreeze_explorer",
    "volume_viewer",
]
