"""A simulator of frontal chest radiographs: physics first, anatomy that varies, disease whose place is known.

In reading order: `people` (who is filmed, and how), `geometry` (how far a ray runs inside simple bodies), `anatomy`
(the healthy body), `disease` (what pneumonia puts into the lungs), `imaging` (from attenuation to the film),
`radiograph` (all of it together) and `files` (whole data sets on disk).
"""

from course_lib.phantom.files import (
    VERSION,
    Confounders,
    PhantomError,
    Settings,
    check_dataset,
    make_dataset,
    pack_dataset,
    read_mask,
    unpack_dataset,
)
from course_lib.phantom.people import Exposure, Kind, Patient, draw_exposure, draw_patient
from course_lib.phantom.radiograph import render, render_layers

__all__ = [
    "VERSION",
    "Confounders",
    "Exposure",
    "Kind",
    "Patient",
    "PhantomError",
    "Settings",
    "check_dataset",
    "draw_exposure",
    "draw_patient",
    "make_dataset",
    "pack_dataset",
    "read_mask",
    "render",
    "render_layers",
    "unpack_dataset",
]
