"""The file format of hospitals: write a DICOM image, and read one as the picture that a viewer would show.

DICOM stores what the detector measured, often with 12 bits, and says beside it how to show that: which range of values
to spread over the greys (the window, or a VOI LUT), and whether low values are black (MONOCHROME2) or white
(MONOCHROME1, like a film negative).
"""

from collections.abc import Callable, Collection, MutableSequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, understood

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]
Values = NDArray[np.float64]
Curve = Callable[[Values], Values]
BITS = 12  #: of the values that are written
MOST_BITS = 32  #: of a stored value that is read
MOST_PIXELS = 100_000_000  #: of a picture that is read; one of both legs from hip to foot has some 30 million
LARGEST_NUMBER = 1e15  #: in a window or a rescaling; far beyond 32 bits, and nothing that is computed of it overflows
TABLE_BITS = range(8, 17)  #: of an entry of a lookup table
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
SHOWN_BY_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")  #: how enhanced images say it
NEEDED = (
    "PixelData",
    "PhotometricInterpretation",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)  #: tags without which there is no picture


def apply_window(values: ArrayLike, center: float, width: float) -> NDArray[np.float32]:
    """The greys of some values, 0 (black) to 1 (white), same shape: what lies outside of the window is cut off.

    Raises:
        ValueError: the width is not positive.

    Source: DICOM PS3.3 2024e, C.11.2.1.3.2, LINEAR_EXACT.
    """
    if not width > 0:
        raise ValueError(f"The width of a window must be above 0, but is {width}.")
    return _ramp(np.asarray(values, dtype=np.float64), center, width).astype(np.float32)


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

    What is shown is what was measured: the stored values after the file's rescaling or modality LUT, whether that rises
    or falls. A VOI LUT goes before a window, and of several the first is taken. Without both, the whole range that the
    file's bits allow is spread over the greys. A tag without a value counts as one that is not there.

    Raises:
        DataError: the file is no DICOM image of a single grey picture, does not say clearly how to show it, or can not
            be decoded.

    Source: DICOM PS3.3 2024e, C.7.6.3 (pixels), C.11.1 (modality LUT) and C.11.2 (VOI LUT and window).
    """
    tags = read_tags(path)
    photometric = check_one_grey_picture(tags)
    measured, shown = _modality(tags), _voi(tags)
    values = measured(stored_pixels(tags))
    with np.errstate(over="ignore"):  # of a very narrow window; what is beyond all numbers is cut off like the rest
        greys = (shown or _whole_range(tags, measured))(values)
    picture = np.clip(greys, 0, 1).astype(np.float32)
    if shown and np.ptp(picture) == 0 and np.ptp(values) > 0:
        raise DataError(
            f"{tags.name} would be shown in a single grey: its window or table lies beyond what was measured, "
            f"{values.min():g} to {values.max():g}. Export it again, or leave it out."
        )
    return 1 - picture if photometric == "MONOCHROME1" else picture


def read_tags(path: Path | str) -> "Tags":
    """All that a DICOM file says; its pixels are not decoded yet.

    Raises:
        DataError: it is no DICOM file.
    """
    name = printable(Path(path).name)
    expected = "Expected a DICOM file; PNG and JPEG are read with open_grey."
    with understood(lambda reason: DataError(f"{name} can not be read as DICOM ({reason}). {expected}")):
        return Tags(name, dcmread(path))


@dataclass(frozen=True)
class _Table:
    """A lookup table, as a function; a value beyond an end gets the entry there."""

    first: int  #: the value that the first entry stands for
    entries: Values  #: [entries]
    white: int  #: the largest number that the bits of an entry allow

    def __call__(self, values: Values) -> Values:
        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[places.astype(np.int64)])


@dataclass(frozen=True)
class Tags:
    """The tags of a file: each has a value that makes sense, or counts as missing, or is refused by its name."""

    name: str  #: of the file
    dataset: Dataset

    def unclear(self, keyword: str, came: str, expected: str) -> DataError:
        return DataError(
            f"{keyword} of {self.name} {came}; expected {expected}. The file is damaged or wrongly written: copy or "
            "export it again, or leave it out."
        )

    def values(self, keyword: str) -> list[Any]:
        """All that a tag says; nothing where it is missing or empty."""
        with understood(lambda reason: self.unclear(keyword, f"can not be read ({reason})", "a value as DICOM has it")):
            value = self.dataset.get(keyword)
            several = list(value) if isinstance(value, MutableSequence) else [value]
            return [] if several in ([None], [""], [b""]) else several

    def number(self, keyword: str) -> float | None:
        """The first number that a tag says; None where it is missing or empty."""
        values = self.values(keyword)
        if not values:
            return None
        problem = self.unclear(keyword, f"is {printable(values[0])!r}", "a number of ordinary size")
        with understood(lambda _: problem):
            number = float(values[0])
        if not abs(number) <= LARGEST_NUMBER:  # NaN is none, either
            raise problem
        return number

    def whole(self, keyword: str, expected: range, otherwise: int | None = None) -> int:
        """A whole number of this range; ``otherwise`` where the tag is missing or empty."""
        number = self.number(keyword)
        number = otherwise if number is None else number
        if number is None or number not in expected:
            allowed = f"{expected[0]} to {expected[-1]}" if len(expected) > 1 else f"{expected[0]}"
            raise self.unclear(keyword, "is missing" if number is None else f"is {number:g}", allowed)
        return int(number)

    def pair(
        self, first: str, second: str, silent: Collection[tuple[float | None, float | None]] = ()
    ) -> tuple[float, float] | None:
        """Two numbers that say something only together; None where both are missing or empty, or are ``silent``."""
        one, other = self.number(first), self.number(second)
        if (one, other) in ((None, None), *silent):
            return None
        if one is None or other is None:
            lone, lost = (second, first) if one is None else (first, second)
            raise self.unclear(lone, f"stands there without {lost}", "both or neither")
        return one, other

    def table(self, keyword: str) -> _Table | None:
        """The first table of a sequence; None where there is none, or one that says nothing."""
        items = self.values(keyword)
        item = Tags(self.name, items[0] if items else Dataset())
        descriptor, data = item.values("LUTDescriptor"), item.values("LUTData")
        if not descriptor and not data:
            return None
        with understood(
            lambda reason: self.unclear(keyword, f"holds no table ({reason})", "a descriptor and its data")
        ):
            count, first, bits = (int(number) for number in descriptor)
            if first >= 2**15 and self.dataset.get("PixelRepresentation") == 1:
                first -= 2**16  # a negative number that was written as one without a sign
            entries = _entries(data, count % 2**16 or 2**16, bits, little=bool(self.dataset.original_encoding[1]))
        return _Table(first, entries, 2**bits - 1)


def _entries(data: list[Any], count: int, bits: int, *, little: bool) -> Values:
    """The numbers of a lookup table. Those of 8 bits stand in a word each, or two in a word.

    Raises:
        ValueError: they are too few, or have another number of bits.
    """
    if bits not in TABLE_BITS:
        raise ValueError(f"entries of {bits} bits")
    packed = len(data) == 1 and isinstance(data[0], bytes)
    words = np.frombuffer(data[0], "<u2" if little else ">u2") if packed else np.array(data, dtype=np.uint16)
    if len(words) < count and bits == 8:
        words = words.astype("<u2").view(np.uint8)
    if len(words) < count:
        raise ValueError(f"{len(words)} of {count} entries")
    return words[:count].astype(np.float64)


def check_one_grey_picture(tags: Tags) -> str:
    """The photometric interpretation of a file that holds one grey picture.

    Raises:
        DataError: it holds something else.
    """
    if missing := [keyword for keyword in NEEDED if not tags.values(keyword)]:
        raise DataError(
            f"{tags.name} lacks {', '.join(missing)}. Expected a DICOM image, not a report or plan; pick another file."
        )
    photometric = printable(tags.values("PhotometricInterpretation")[0])
    if photometric not in get_args(Photometric):
        raise DataError(
            f"{tags.name} is {photometric}; expected a grey picture, {' or '.join(get_args(Photometric))}. Convert it "
            "to grey first."
        )
    if (frames := tags.number("NumberOfFrames")) not in (None, 1):
        raise _several(tags, frames)
    groups = [group for keyword in FUNCTIONAL_GROUPS for group in tags.values(keyword) if isinstance(group, Dataset)]
    if hidden := [keyword for group in groups for keyword in SHOWN_BY_GROUPS if keyword in group]:
        raise tags.unclear(hidden[0], "stands in a functional group", "it among the tags of the file itself")
    tags.whole("SamplesPerPixel", range(1, 2))
    stored = tags.whole("BitsStored", range(1, tags.whole("BitsAllocated", range(1, MOST_BITS + 1)) + 1))
    tags.whole("HighBit", range(stored - 1, stored), otherwise=stored - 1)
    if (pixels := (tags.number("Rows") or 0) * (tags.number("Columns") or 0)) > MOST_PIXELS:
        raise DataError(
            f"{tags.name} has {pixels:,.0f} pixels; expected at most {MOST_PIXELS:,}. Cut or shrink it first."
        )
    return photometric


def _several(tags: Tags, pictures: float) -> DataError:
    return DataError(f"{tags.name} holds {pictures:.0f} pictures; expected one. Store each in a file of its own.")


def stored_pixels(tags: Tags) -> Values:
    """The stored values, float64 [height, width].

    Raises:
        DataError: they can not be decoded.
    """
    remedy = "copy it again, or store it uncompressed if this computer can not decode its compression."
    refuse = f"The pixels of {tags.name} can not be decoded (", f"). Expected a whole file; {remedy}"
    with understood(lambda reason: DataError(reason.join(refuse))):
        pixels = tags.dataset.pixel_array
    if pixels.ndim != 2:
        raise _several(tags, len(pixels))
    return pixels.astype(np.float64)


def _modality(tags: Tags) -> Curve:
    """What makes of stored values what was measured."""
    table = tags.table("ModalityLUTSequence")
    line = tags.pair("RescaleSlope", "RescaleIntercept", silent=((1, None), (None, 0)))  # alone they change nothing
    if table and line:
        raise tags.unclear("RescaleSlope", "stands beside a ModalityLUTSequence", "one of the two")
    slope, intercept = line or (1, 0)
    if slope == 0:
        raise tags.unclear("RescaleSlope", "is 0", "another number")
    return table or (lambda stored: slope * stored + intercept)


def _voi(tags: Tags) -> Curve | None:
    """What makes greys, 0 black to 1 white, of what was measured; None if the file does not say."""
    if table := tags.table("VOILUTSequence"):
        return lambda measured: table(measured) / table.white
    if (window := tags.pair("WindowCenter", "WindowWidth")) is None:
        return None
    center, width = window
    function = printable(next(iter(tags.values("VOILUTFunction")), "LINEAR"))
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise tags.unclear("VOILUTFunction", f"is {function}", "LINEAR, LINEAR_EXACT or SIGMOID")
    if width <= 0 or (function == "LINEAR" and width < 1):
        at_least = "1 or more" if function == "LINEAR" else "more than 0"
        raise tags.unclear("WindowWidth", f"is {width:g}", f"{at_least} for a {function} window")
    if function == "SIGMOID":
        return lambda measured: 0.5 + 0.5 * np.tanh(2 * (measured - center) / width)
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    return lambda measured: _ramp(measured, center, width)


def _ramp(measured: Values, center: float, width: float) -> Values:
    """From black to white over the width; at once if that is 0."""
    if width == 0:
        return (measured > center).astype(np.float64)
    return np.clip((measured - center) / width + 0.5, 0, 1)


def _whole_range(tags: Tags, measured: Curve) -> Curve:
    """From black for the lowest to white for the highest that can be measured with these bits."""
    stored = 2 ** int(tags.values("BitsStored")[0])
    lowest = -(stored // 2) if tags.whole("PixelRepresentation", range(2)) else 0
    possible = np.array([lowest, lowest + stored - 1], dtype=np.float64)
    if isinstance(measured, _Table):
        possible = np.clip(measured.first + np.arange(len(measured.entries)), *possible)
    black, white = (float(end(measured(possible))) for end in (np.min, np.max))
    if black == white:
        raise DataError(
            f"All stored values of {tags.name} mean {black:g}; expected a range of greys. Its rescaling or lookup "
            "table is wrong: export it again, or leave it out."
        )
    return lambda values: (values - black) / (white - black)
