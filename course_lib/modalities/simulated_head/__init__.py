"""A simulated head in an MRI scanner: anatomy in closed form, tumours with their habits, signal from physics.

In reading order: `physics` (what each tissue answers to a pulse sequence), `people` (who lies in the scanner, and how
it is set), `geometry` (where voxels lie; smooth fields and simple bodies), `coats` (what the anatomy is made of),
`cavity`, `skull`, `brain`, `deep` and `hippocampus` (the healthy head), `tumours`, `anatomy` (all coats in order),
`warp` (no two heads are alike), `scanner` (from tissue to grey value) and `scan` (all of it together). Beside these,
`sequences` shows one slice in any pulse sequence.
"""

from course_lib.modalities.simulated_head.coats import Structure
from course_lib.modalities.simulated_head.geometry import Grid
from course_lib.modalities.simulated_head.people import (
    CONTRASTS,
    KINDS,
    Contrast,
    Exposure,
    Kind,
    Patient,
    Tumour,
    draw_exposure,
    draw_patient,
)
from course_lib.modalities.simulated_head.physics import TISSUES, Tissue
from course_lib.modalities.simulated_head.scan import Scan, render
from course_lib.modalities.simulated_head.sequences import PulseSequence, sequence_picture
from course_lib.modalities.simulated_head.tumours import TumourPart
from course_lib.modalities.simulated_head.warp import hippocampus_centre

__all__ = [
    "CONTRASTS",
    "KINDS",
    "TISSUES",
    "Contrast",
    "Exposure",
    "Grid",
    "Kind",
    "Patient",
    "PulseSequence",
    "Scan",
    "Structure",
    "Tissue",
    "Tumour",
    "TumourPart",
    "draw_exposure",
    "draw_patient",
    "hippocampus_centre",
    "render",
    "sequence_picture",
]
