"""A series of CT as a scanner writes it: one DICOM file a slice, with whatever tags a test gives it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SPACING = (0.8, 0.7)  #: mm from row to row, and from column to column
STEP = 2.5  #: mm from slice to slice
INTERCEPT = -1024
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def ct_slice(hounsfield: NDArray[np.integer], place: float, **tags: object) -> Dataset:
    """One axial slice, [rows, columns] in Hounsfield units, so many millimetres towards the head."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.SeriesInstanceUID, dataset.Modality = "1.2.3", "CT"
    dataset.ImageOrientationPatient, dataset.ImagePositionPatient = list(AXIAL), [-20.0, -30.0, place]
    dataset.PixelSpacing = list(SPACING)
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, INTERCEPT
    dataset.set_pixel_data((hounsfield - INTERCEPT).astype(np.uint16), "MONOCHROME2", 16)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def write_series(folder: Path, hounsfield: NDArray[np.integer], **tags: object) -> list[Path]:
    """The files of a volume [slices, rows, columns], named in another order than they lie; from the feet upwards."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{len(hounsfield) - number:03d}.dcm" for number in range(len(hounsfield))]
    for number, (path, values) in enumerate(zip(paths, hounsfield, strict=True)):
        ct_slice(values, number * STEP, **tags).save_as(path, enforce_file_format=True)
    return paths
