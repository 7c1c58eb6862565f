"""A simulated head in an MRI scanner: anatomy in closed form, tumours with their habits, signal from physics.

In reading order: `people` (who lies in the scanner, and how it is set), `physics` (what each tissue answers to a pulse
sequence), `geometry` (where voxels lie, and how much of one a body fills), `hippocampus` and `anatomy` (the healthy
head), `tumours`, `warp` (no two heads are alike), and `scan` (all of it together).
"""

from course_lib.modalities.simulated_head.coats import Structure
from course_lib.modalities.simulated_head.geometry import Grid
from course_lib.modalities.simulated_head.people import (
    CONTRASTS,
    KINDS,
    Exposure,
    Patient,
    draw_exposure,
    draw_patient,
)
from course_lib.modalities.simulated_head.physics import TISSUES, Tissue
from course_lib.modalities.simulated_head.scan import Scan, render
from course_lib.modalities.simulated_head.tumours import TumourPart
from course_lib.modalities.simulated_head.warp import hippocampus_centre

__all__ = [
    "CONTRASTS",
    "KINDS",
    "TISSUES",
    "Exposure",
    "Grid",
    "Patient",
    "Scan",
    "Structure",
    "Tissue",
    "TumourPart",
    "draw_exposure",
    "draw_patient",
    "hippocampus_centre",
    "render",
]
