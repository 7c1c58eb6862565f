"""Lesson 09, Volumes: voxels in the patient, one grid, intensities and patches; and six files that are wrong.

Each module holds the exercises on one subject; `escape_room` makes the six files. The reference answers bear the names
that the notebook asks for.
"""

from course_lib.exercises.exercise import Lesson
from course_lib.lessons.volumes.diagnosis import FAULTS_OF_ROOMS, faults
from course_lib.lessons.volumes.intensities import Z_SCORE, z_score
from course_lib.lessons.volumes.label_maps import HALVE_LABELS, USUAL_OUTLINE, halve_labels, usual_outline
from course_lib.lessons.volumes.orientation import AXIS_CODES, TO_RAS, axis_codes, to_ras
from course_lib.lessons.volumes.patches import PATCH_STARTS, patch_starts
from course_lib.lessons.volumes.questions import QUESTIONS
from course_lib.lessons.volumes.voxels import MEGABYTES, VOXEL_TO_WORLD, megabytes, voxel_to_world

__all__ = [
    "LESSON",
    "axis_codes",
    "faults",
    "halve_labels",
    "megabytes",
    "patch_starts",
    "to_ras",
    "usual_outline",
    "voxel_to_world",
    "z_score",
]

LESSON = Lesson(
    "09",
    "Volumes",
    (
        VOXEL_TO_WORLD,
        MEGABYTES,
        AXIS_CODES,
        TO_RAS,
        FAULTS_OF_ROOMS,
        HALVE_LABELS,
        Z_SCORE,
        PATCH_STARTS,
        USUAL_OUTLINE,
    ),
    QUESTIONS,
)
