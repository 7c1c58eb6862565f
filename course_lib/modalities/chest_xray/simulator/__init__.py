"""A simulator of frontal chest radiographs: physics first, anatomy that varies, disease whose place is known.

The people on them are those of `simulated_chest`, the films those of `simulated_film`. In reading order: `plan` (which
pictures a data set has), `files` (data sets on disk) and `shipping` (a data set as one file, and the one that comes
with the course).
"""

from course_lib.modalities.chest_xray.simulator.files import check_dataset, make_dataset, read_mask
from course_lib.modalities.chest_xray.simulator.plan import VERSION, Confounders, Settings
from course_lib.modalities.chest_xray.simulator.shipping import QUICK_ARCHIVE, QUICK_SET, pack_dataset, unpack_dataset
from course_lib.modalities.phantom_files import PhantomError
from course_lib.modalities.simulated_chest.people import Kind, Patient, draw_patient
from course_lib.modalities.simulated_film.exposure import Exposure, draw_exposure
from course_lib.modalities.simulated_film.radiograph import render, render_layers, render_with

__all__ = [
    "QUICK_ARCHIVE",
    "QUICK_SET",
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
    "render_with",
    "unpack_dataset",
]
