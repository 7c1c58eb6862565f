"""The file format of hospitals: write a DICOM image, and read one as the picture that a viewer would show.

DICOM stores what the detector measured, often with 12 bits, and says beside it how to show that: which range of values
to spread over the greys (the window, or a VOI LUT), and whether low values are black (MONOCHROME2) or white
(MONOCHROME1, like a film negative).
"""

from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from course_lib.support.errors import DataError

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]
BITS = 12
BEYOND = 1e9  #: larger than any stored value


def apply_window(values: ArrayLike, center: float, width: float) -> NDArray[np.float32]:
    """The greys of some values, 0 (black) to 1 (white), same shape: what lies outside of the window is cut off.

    Raises:
        ValueError: the width is not positive.

    Source: DICOM PS3.3 2024e, C.11.2.1.3.2, LINEAR_EXACT.
    """
    if not width > 0:
        raise ValueError(f"The width of a window must be above 0, but is {width}.")
    greys: NDArray[np.float32] = np.clip((np.asarray(values, dtype=np.float32) - center) / width + 0.5, 0, 1)
    return greys


def write_dicom(
    path: Path | str,
    pixels: NDArray[np.integer],
    *,
    photometric: Photometric = "MONOCHROME2",
    window: tuple[float, float] | None = None,
) -> None:
    """Store values from 0 to 4095, [height, width], as they are; the window is (center, width), in the same units.

    Raises:
        ValueError: these are no values of 12 bits, or there is no such photometric interpretation.
    """
    if pixels.ndim != 2 or pixels.dtype.kind not in "iu" or not pixels.size:
        raise ValueError(
            f"Expected whole numbers of shape [height, width], got {pixels.dtype} of shape {list(pixels.shape)}. "
            "Round them first, as in np.round(values).astype(np.uint16)."
        )
    if pixels.min() < 0 or pixels.max() >= 2**BITS:
        raise ValueError(f"Expected values from 0 to {2**BITS - 1}, got {pixels.min()} to {pixels.max()}. Scale them.")
    if photometric not in get_args(Photometric):
        raise ValueError(f"photometric must be one of {get_args(Photometric)}, but is {photometric!r}.")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientName = "Phantom^Simulated"
    dataset.Modality = "DX"
    dataset.set_pixel_data(pixels.astype(np.uint16), photometric, BITS)
    if window is not None:
        dataset.WindowCenter, dataset.WindowWidth = window
        dataset.VOILUTFunction = "LINEAR_EXACT"
    dataset.save_as(path, enforce_file_format=True)


def read_dicom(path: Path | str) -> NDArray[np.float32]:
    """The picture [height, width] as a viewer shows it, 0 black to 1 white: window applied, a negative turned round.

    Without a window the whole range that the file's bits allow is spread over the greys. Of several windows the first
    is taken.

    Raises:
        DataError: the file is no DICOM image of a single grey picture, or can not be decoded.
    """
    name = Path(path).name
    try:
        dataset = dcmread(path)
    except (InvalidDicomError, OSError, EOFError) as error:
        raise DataError(
            f"{name} can not be read as DICOM ({error}). Expected a DICOM file; PNG and JPEG are read with open_grey."
        ) from error
    _check_one_grey_picture(dataset, name)
    try:
        values = apply_modality_lut(dataset.pixel_array, dataset)
        shown = apply_voi_lut(values, dataset, prefer_lut=True)
    except (ValueError, RuntimeError, NotImplementedError, AttributeError) as error:
        raise DataError(
            f"The pixels of {name} can not be decoded ({error}). Expected a whole file; copy it again, or store it "
            "uncompressed if this computer can not decode its compression."
        ) from error
    black, white = _ends_of_the_scale(dataset)
    picture = np.clip((shown - black) / (white - black), 0, 1).astype(np.float32)
    return 1 - picture if dataset.PhotometricInterpretation == "MONOCHROME1" else picture


def _check_one_grey_picture(dataset: Dataset, name: str) -> None:
    needed = ("PixelData", "PhotometricInterpretation", "Rows", "Columns", "BitsStored", "PixelRepresentation")
    if missing := [tag for tag in needed if tag not in dataset]:
        raise DataError(
            f"{name} lacks {', '.join(missing)}. Expected a DICOM image, not a report or a plan; pick another file."
        )
    if dataset.PhotometricInterpretation not in get_args(Photometric):
        raise DataError(
            f"{name} is {dataset.PhotometricInterpretation}; expected a grey picture, "
            f"{' or '.join(get_args(Photometric))}. Convert it to grey first."
        )
    if (frames := int(dataset.get("NumberOfFrames") or 1)) != 1:
        raise DataError(f"{name} holds {frames} pictures; expected one. Store each frame in a file of its own.")


def _ends_of_the_scale(dataset: Dataset) -> tuple[float, float]:
    """The values, after window and LUT, that are as black and as white as can be (or the other way round)."""
    if "VOILUTSequence" in dataset:
        return 0, 2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    if "WindowWidth" in dataset:
        black, white = apply_voi_lut(np.array([-BEYOND, BEYOND]), dataset)
        return float(black), float(white)
    signed = 2 ** (dataset.BitsStored - 1) * dataset.PixelRepresentation
    ends = apply_modality_lut(np.array([-signed, 2**dataset.BitsStored - 1 - signed]), dataset)
    return float(ends[0]), float(ends[1])
