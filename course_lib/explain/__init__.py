"""Where an answer came from: maps, how far they meet the truth, and what changes when the picture is changed."""

from course_lib.explain.interventions import cover, intervene
from course_lib.explain.layers import layer_to_explain
from course_lib.explain.localisation import estimate, overlap, pointing_game
from course_lib.explain.maps import grad_cam, integrated_gradients, occlusion, randomised

__all__ = [
    "cover",
    "estimate",
    "grad_cam",
    "integrated_gradients",
    "intervene",
    "layer_to_explain",
    "occlusion",
    "overlap",
    "pointing_game",
    "randomised",
]
