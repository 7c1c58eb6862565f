"""DICOM files as other machines write them: the picture is the standard's, and a damaged file is refused in a sentence.

The formulas here are written once more, for one value at a time, from DICOM PS3.3, C.11.1 and C.11.2.
"""

import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from course_lib.data.dicom import read_dicom
from course_lib.support.errors import DataError

DAMAGED = 3000 if os.environ.get("COURSE_THOROUGH") else 300  #: files
SIDE = 6  #: px


@dataclass(frozen=True)
class Table:
    """A lookup table, and how it is stored."""

    first: int
    entries: Sequence[int]
    bits: int
    packed: bool = False  #: two entries of 8 bits in a word

    def item(self, dataset: Dataset) -> Dataset:
        item = Dataset()
        item.add_new("LUTDescriptor", "SS" if self.first < 0 else "US", [len(self.entries), self.first, self.bits])
        order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
        words = np.array(self.entries, "u1" if self.packed else f"{order}u2").tobytes()
        item.add_new("LUTData", "OW", words + b"\0" * (len(words) % 2))
        return item

    def __call__(self, value: float) -> float:
        place = round(value) - self.first
        return self.entries[min(max(place, 0), len(self.entries) - 1)]


def dicom(
    stored: np.ndarray,
    bits: int,
    tags: Mapping[str, object],
    *,
    signed: bool = False,
    syntax: UID = ExplicitVRLittleEndian,
    modality: Table | None = None,
    voi: Table | None = None,
) -> Dataset:
    """A DICOM image with these stored values [height, width]."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID("1.2.840.10008.5.1.4.1.1.7"), UID("1.2.3.4")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(signed)
    order = "<" if syntax.is_little_endian else ">"
    pixels = stored.astype(f"{order}{'i' if signed else 'u'}{dataset.BitsAllocated // 8}").tobytes()
    dataset.add_new("PixelData", "OB" if bits <= 8 else "OW", pixels + b"\0" * (len(pixels) % 2))
    if modality:
        dataset.ModalityLUTSequence = [modality.item(dataset)]
    if voi:
        dataset.VOILUTSequence = [voi.item(dataset)]
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def ends(bits: int, signed: bool) -> tuple[int, int]:
    """The lowest and the highest value that so many bits can store."""
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def windowed(x: float, center: float, width: float, function: str) -> float:
    """C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, with outputs from 0 to 1."""
    if function == "SIGMOID":
        return 1 / (1 + math.exp(min(-4 * (x - center) / width, 700)))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    if x <= center - width / 2:
        return 0
    return 1 if x > center + width / 2 else (x - center) / width + 0.5


def standard(
    stored: np.ndarray,
    measured: Callable[[float], float],
    shown: Callable[[float], float] | None,
    bits: int,
    signed: bool,
) -> np.ndarray:
    """The picture of the standard, 0 black to 1 white, for MONOCHROME2."""
    if shown is None:
        low, high = ends(bits, signed)
        possible = [measured(value) for value in range(low, high + 1)]
        black, white = min(possible), max(possible)
        return np.array([[(measured(value) - black) / (white - black) for value in row] for row in stored.tolist()])
    return np.array([[min(max(shown(measured(value)), 0), 1) for value in row] for row in stored.tolist()])


def assert_shown(path: Path, expected: np.ndarray) -> None:
    """The picture is as expected; one of a single grey may be refused."""
    with suppress(DataError) if np.ptp(expected) < 1e-6 else nullcontext():
        np.testing.assert_allclose(read_dicom(path), expected, atol=1e-6)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dicom") / "child.dcm"


halves = st.integers(-6000, 6000).map(lambda n: n / 2)
windows = st.none() | st.tuples(halves, st.integers(2, 9000).map(lambda n: n / 2))
tables = st.sampled_from([8, 12, 16]).flatmap(
    lambda bits: st.builds(
        Table,
        first=st.integers(-200, 200),
        entries=st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=300),
        bits=st.just(bits),
        packed=st.booleans() if bits == 8 else st.just(False),
    )
)
few = settings(max_examples=400 if os.environ.get("COURSE_THOROUGH") else 60, deadline=None)
THREE = ["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@few
@given(
    bits=st.sampled_from([8, 10, 12, 16]),
    signed=st.booleans(),
    rescale=st.none() | st.tuples(st.sampled_from([-3, -1, -0.25, 0.5, 1, 2]), halves),
    window=windows,
    function=st.sampled_from([*THREE, None]),
    negative=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_any_rescaling_and_window_give_the_picture_of_the_standard(
    path: Path,
    bits: int,
    signed: bool,
    rescale: tuple[float, float] | None,
    window: tuple[float, float] | None,
    function: str | None,
    negative: bool,
    seed: int,
) -> None:
    low, high = ends(bits, signed)
    stored = np.random.default_rng(seed).integers(low, high + 1, (SIDE, SIDE))
    stored[0, :2] = low, high
    dataset = dicom(stored, bits, {}, signed=signed)
    if rescale:
        dataset.RescaleSlope, dataset.RescaleIntercept = rescale
    if window:
        dataset.WindowCenter, dataset.WindowWidth = window
        if function:
            dataset.VOILUTFunction = function
    dataset.PhotometricInterpretation = "MONOCHROME1" if negative else "MONOCHROME2"
    path.write_bytes(written(dataset))
    slope, intercept = rescale or (1, 0)
    shown = (lambda x: windowed(x, *window, function or "LINEAR")) if window else None
    expected = standard(stored, lambda v: slope * v + intercept, shown, bits, signed)
    assert_shown(path, 1 - expected if negative else expected)


@few
@given(
    modality=st.none() | tables,
    voi=st.none() | tables,
    window=windows,
    signed=st.booleans(),
    syntax=st.sampled_from([ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian]),
)
def test_any_lookup_tables_give_the_picture_of_the_standard(
    path: Path,
    modality: Table | None,
    voi: Table | None,
    window: tuple[float, float] | None,
    signed: bool,
    syntax: UID,
) -> None:
    if not syntax.is_little_endian or syntax.is_implicit_VR:  # there first entries below 0 and packed words need care
        modality, voi = (t and Table(abs(t.first), t.entries, t.bits) for t in (modality, voi))
    low, high = ends(8, signed)
    stored = np.arange(low, high + 1).reshape(16, 16)
    dataset = dicom(stored, 8, {}, signed=signed, syntax=syntax, modality=modality, voi=voi)
    if window:
        dataset.WindowCenter, dataset.WindowWidth = window
    path.write_bytes(written(dataset))
    measured = modality or float
    shown: Callable[[float], float] | None = (lambda x: windowed(x, *window, "LINEAR")) if window else None
    if voi:
        shown = lambda x: voi(x) / (2**voi.bits - 1)  # noqa: E731
    if shown is None and len({measured(value) for value in range(low, high + 1)}) == 1:
        with pytest.raises(DataError, match=r"All stored values of child\.dcm mean"):
            read_dicom(path)
        return
    assert_shown(path, standard(stored, measured, shown, 8, signed))


@pytest.mark.parametrize("center", [-1e6, 1e6])
def test_a_window_beyond_all_values_is_refused(path: Path, center: float) -> None:
    stored = np.arange(36).reshape(6, 6)
    path.write_bytes(written(dicom(stored, 12, {"WindowCenter": center, "WindowWidth": 10})))
    with pytest.raises(DataError, match=r"child\.dcm would be shown in a single grey: .* measured, 0 to 35\. Export"):
        read_dicom(path)
    path.write_bytes(written(dicom(stored * 0, 12, {"WindowCenter": center, "WindowWidth": 10})))
    assert np.ptp(read_dicom(path)) == 0, "a picture without anything in it is one"


def test_a_first_entry_below_zero_may_be_written_without_its_sign(path: Path) -> None:
    stored = np.arange(-18, 18).reshape(6, 6)
    dataset = dicom(stored, 12, {}, signed=True, voi=Table(2**16 - 18, range(36), 12))
    path.write_bytes(written(dataset))
    np.testing.assert_allclose(read_dicom(path), (stored + 18) / 4095, atol=1e-6)


@pytest.mark.parametrize("groups", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"])
def test_what_stands_in_a_functional_group_is_not_overlooked(path: Path, groups: str) -> None:
    line, group = Dataset(), Dataset()
    line.RescaleSlope, line.RescaleIntercept, line.RescaleType = -1, 4095, "US"
    dataset = dicom(np.arange(36).reshape(6, 6), 12, {groups: [group]})
    path.write_bytes(written(dataset))
    assert read_dicom(path).shape == (6, 6)
    group.PixelValueTransformationSequence = [line]
    path.write_bytes(written(dataset))
    with pytest.raises(DataError, match=r"PixelValueTransformationSequence of child\.dcm stands in a functional group"):
        read_dicom(path)


@pytest.mark.parametrize("function", THREE)
@pytest.mark.parametrize("slope", [1, -1, 0.5])
def test_pydicom_shows_the_same_window(path: Path, function: str, slope: float) -> None:
    stored = np.arange(0, 4096, 10).reshape(10, 41)
    window = {"WindowCenter": math.copysign(900, slope), "WindowWidth": 700, "VOILUTFunction": function}
    path.write_bytes(written(dicom(stored, 12, {"RescaleSlope": slope, "RescaleIntercept": 100, **window})))
    dataset = dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    start, stop = 100, 4095 * slope + 100  # of pydicom's greys, from black to white
    np.testing.assert_allclose(read_dicom(path), (shown - start) / (stop - start), atol=1e-6)


def compressed(encoded: bytes, syntax: UID, stored: np.ndarray) -> Dataset:
    dataset = dicom(stored, 8, {"WindowCenter": 120, "WindowWidth": 90})
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([encoded])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def whole_files() -> list[bytes]:
    """Small files of every kind that can be written here."""
    stored = np.random.default_rng(0).integers(256, size=(8, 8))
    table = Table(0, [*range(255, -1, -1)], 8)
    window = {"WindowCenter": [120, 100], "WindowWidth": [90, 50], "RescaleSlope": -1, "RescaleIntercept": 255}
    plain = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
    made = [dicom(stored, 8, window, syntax=syntax) for syntax in plain]
    made += [dicom(stored, 8, {}, syntax=syntax, modality=table, voi=table) for syntax in plain]
    made.append(dicom(stored, 12, {"VOILUTFunction": "SIGMOID", "WindowCenter": 90, "WindowWidth": 1.5}, signed=True))
    made.append(dicom(stored, 8, window))
    made[-1].compress(RLELossless)
    for kind, syntax in (("JPEG", JPEGBaseline8Bit), ("JPEG2000", JPEG2000Lossless)):
        file = io.BytesIO()
        Image.fromarray(stored.astype(np.uint8)).save(file, kind, **({"no_jp2": True} if "2000" in kind else {}))
        made.append(compressed(file.getvalue(), syntax, stored))
    return [written(dataset) for dataset in made]


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Up to eight bytes changed, more often in the tags than in the pixels; and now and then an end that is lost."""
    harmed = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        harmed[rng.integers(132, len(harmed))] = rng.integers(256)
    return bytes(harmed[: rng.integers(len(harmed))] if rng.random() < 0.1 else harmed)


@pytest.mark.filterwarnings("ignore")  # pydicom's, about what it finds odd; it goes on with it
def test_a_damaged_file_gives_a_picture_or_a_sentence(path: Path) -> None:
    rng, files = np.random.default_rng(0), whole_files()
    for content in files:
        path.write_bytes(content)
        assert np.ptp(read_dicom(path)) > 0.3
    for number in range(DAMAGED):
        path.write_bytes(damaged(files[number % len(files)], rng))
        with suppress(DataError):
            picture = read_dicom(path)
            assert picture.ndim == 2
            assert picture.dtype == np.float32
            assert picture.min() >= 0  # so that NaN is found, too
            assert picture.max() <= 1
