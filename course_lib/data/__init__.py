"""From files to tensors: samples and whose they are, splits by patient, transforms, augmentation, the pixel cache,
DICOM, volumes.

What reads or holds volumes needs torchio, which takes seconds to load, so it is imported from its own module:
`volumes`, `ct_series`, `volume_cases`, `volume_data` and `label_resampling`.
"""

from course_lib.data.augmentation import Augmentation
from course_lib.data.boxed_folder import read_boxed
from course_lib.data.course_data import CourseData
from course_lib.data.dicom import apply_window, read_dicom, write_dicom
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split
from course_lib.data.kinds_and_outlines import KindAndOutlineDataset
from course_lib.data.marked_slice_data import MarkedSliceDataset
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage, OutlinedDataset, OutlinedImage
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import ImageDataset, LabelledImage
from course_lib.data.scanners import BURNT, OTHER_SCANNER, Scanner
from course_lib.data.splits import draw_patients, split_by_patient, take_patients
from course_lib.data.transforms import (
    Preprocessing,
    evaluation_transform,
    fit_to_square,
    to_display,
    training_transform,
)

__all__ = [
    "BURNT",
    "OTHER_SCANNER",
    "Augmentation",
    "BoxedDataset",
    "BoxedImage",
    "CourseData",
    "ImageDataset",
    "KindAndOutlineDataset",
    "LabelledImage",
    "MarkedSliceDataset",
    "OutlinedDataset",
    "OutlinedImage",
    "PixelCache",
    "Preprocessing",
    "Scanner",
    "apply_window",
    "draw_patients",
    "evaluation_transform",
    "fit_to_square",
    "open_grey",
    "read_boxed",
    "read_dicom",
    "read_split",
    "split_by_patient",
    "take_patients",
    "to_display",
    "training_transform",
    "write_dicom",
]
