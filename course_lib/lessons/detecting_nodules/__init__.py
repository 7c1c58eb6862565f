"""Lesson 12, Detecting nodules: boxes and how they overlap, maps of centres, and hits against false alarms.

Each module holds the exercises on one subject. The reference answers bear the names that the notebook asks for.
`slide` makes a detector of a classifier, `hidden_nodule` finds the film that the lesson opens with, and `kept_films`
has what trained detectors found.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.detecting_nodules.corners import TO_CORNERS, to_corners
from course_lib.lessons.detecting_nodules.froc_points import FROC_POINT, froc_point
from course_lib.lessons.detecting_nodules.heat_maps import HEAT_MAP, heat_map
from course_lib.lessons.detecting_nodules.kept_boxes import KeptFilms, kept_films
from course_lib.lessons.detecting_nodules.losses import FOCAL_LOSS, focal_loss
from course_lib.lessons.detecting_nodules.matching import HITS, hits
from course_lib.lessons.detecting_nodules.opening_film import HiddenNodule, hidden_nodule
from course_lib.lessons.detecting_nodules.overlap import IOU, iou
from course_lib.lessons.detecting_nodules.peak_cells import PEAKS, peaks
from course_lib.lessons.detecting_nodules.questions import QUESTIONS
from course_lib.lessons.detecting_nodules.screening import SCREENED, screened
from course_lib.lessons.detecting_nodules.sliding_window import SlidingWindow, cut_windows, prepared, slide
from course_lib.lessons.detecting_nodules.suppression import NMS, nms

__all__ = [
    "LESSON",
    "HiddenNodule",
    "KeptFilms",
    "SlidingWindow",
    "cut_windows",
    "focal_loss",
    "froc_point",
    "heat_map",
    "hidden_nodule",
    "hits",
    "iou",
    "kept_films",
    "nms",
    "peaks",
    "prepared",
    "screened",
    "slide",
    "to_corners",
]

LESSON = Lesson(
    "12",
    "Detecting nodules",
    (
        TO_CORNERS,
        IOU,
        HEAT_MAP,
        FOCAL_LOSS,
        PEAKS,
        NMS,
        HITS,
        FROC_POINT,
        SCREENED,
    ),
    QUESTIONS,
)
