"""DICOM: what is written is read as a viewer shows it, and what is no single grey picture is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from course_lib.data.dicom import apply_window, read_dicom, write_dicom
from course_lib.support.errors import DataError

VALUES = np.array([[0, 1000, 2000], [3000, 4000, 4095]], dtype=np.uint16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "child.dcm"


def changed(path: Path, change: Callable[[Dataset], object]) -> None:
    """Change the stored file."""
    dataset = dcmread(path)
    change(dataset)
    dataset.save_as(path)


def tagged(**tags: object) -> Callable[[Dataset], None]:
    """What gives tags other values."""

    def change(dataset: Dataset) -> None:
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)

    return change


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5)])
def test_without_a_window_the_whole_range_is_shown(path: Path, shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(4096, size=shape)
    write_dicom(path, values)
    assert dcmread(path).pixel_array.reshape(shape).tolist() == values.tolist()
    picture = read_dicom(path)
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, values / 4095, atol=1e-6)


@pytest.mark.parametrize("window", [(2000, 2000), (1000.5, 300), (3500, 4000)])
def test_the_window_is_that_of_the_standard(path: Path, window: tuple[float, float]) -> None:
    write_dicom(path, VALUES, window=window)
    np.testing.assert_allclose(read_dicom(path), apply_window(VALUES, *window), atol=1e-5)


def test_a_window_is_cut_off_at_both_ends() -> None:
    assert apply_window([0, 1000, 1500, 2000, 4095], 1500, 1000).tolist() == [0, 0, 0.5, 1, 1]
    with pytest.raises(ValueError, match="must be above 0, but is 0"):
        apply_window(VALUES, 1500, 0)


@pytest.mark.parametrize("window", [None, (2000, 2000)])
def test_a_negative_is_turned_round(path: Path, window: tuple[float, float] | None) -> None:
    write_dicom(path, VALUES, window=window)
    positive = read_dicom(path)
    write_dicom(path, 4095 - VALUES, photometric="MONOCHROME1", window=window and (4095 - window[0], window[1]))
    np.testing.assert_allclose(read_dicom(path), positive, atol=1e-5)
    assert dcmread(path).pixel_array.tolist() == (4095 - VALUES).tolist()  # stored as they were given


def test_a_voi_lut_goes_before_the_window(path: Path) -> None:
    write_dicom(path, VALUES, window=(10, 10))

    def add_lut(dataset: Dataset) -> None:
        lut = Dataset()
        lut.LUTDescriptor = [4096, 0, 16]
        lut["LUTDescriptor"].VR = "US"
        lut.add_new("LUTData", "OW", np.linspace(0, 65535, 4096).astype("<u2").tobytes())
        dataset.VOILUTSequence = [lut]

    changed(path, add_lut)
    np.testing.assert_allclose(read_dicom(path), VALUES / 4095, atol=1e-4)


def test_slope_and_intercept_come_before_the_window(path: Path) -> None:
    write_dicom(path, VALUES, window=(1000, 1000))
    changed(path, tagged(RescaleSlope=2, RescaleIntercept=-1000))
    np.testing.assert_allclose(read_dicom(path), apply_window(2.0 * VALUES - 1000, 1000, 1000), atol=1e-5)


def test_signed_values_start_below_zero(path: Path) -> None:
    write_dicom(path, VALUES % 2048)
    changed(path, tagged(PixelRepresentation=1))
    np.testing.assert_allclose(read_dicom(path), (VALUES % 2048 + 2048.0) / 4095, atol=1e-6)


@pytest.mark.parametrize("window", [None, (2047.5, 4095)])
def test_a_rescaling_that_falls_makes_no_negative(path: Path, window: tuple[float, float] | None) -> None:
    write_dicom(path, VALUES, window=window)
    changed(path, tagged(RescaleSlope=-1, RescaleIntercept=4095))
    np.testing.assert_allclose(read_dicom(path), (4095.0 - VALUES) / 4095, atol=1e-5)


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": None, "WindowWidth": None},
        {"VOILUTSequence": []},
        {"RescaleSlope": ""},
        {"RescaleSlope": 1},
        {"RescaleIntercept": 0},
    ],
)
@pytest.mark.parametrize("window", [None, (2000, 2000)])
def test_a_tag_that_says_nothing_counts_as_missing(
    path: Path, tags: dict[str, object], window: tuple[float, float] | None
) -> None:
    write_dicom(path, VALUES, window=window)
    expected = VALUES / 4095 if window is None or "WindowCenter" in tags else apply_window(VALUES, *window)
    changed(path, tagged(**tags))
    np.testing.assert_allclose(read_dicom(path), expected, atol=1e-5)


def test_a_very_narrow_window_is_a_threshold(path: Path) -> None:
    write_dicom(path, VALUES, window=(2500, 1e-300))
    assert read_dicom(path).tolist() == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (VALUES / 2, r"whole numbers of shape \[height, width\], got float64"),
        (VALUES[None], r"got uint16 of shape \[1, 2, 3\]"),
        (VALUES[:0], r"got uint16 of shape \[0, 3\]"),
        (VALUES + 1, "from 0 to 4095, got 1 to 4096"),
        (-VALUES.astype(int), "got -4095 to 0"),
    ],
)
def test_what_is_no_12_bit_picture_is_not_written(path: Path, pixels: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write_dicom(path, pixels)
    assert not path.exists()


def test_an_unknown_photometric_interpretation_is_not_written(path: Path) -> None:
    with pytest.raises(ValueError, match=r"one of .* but is 'RGB'"):
        write_dicom(path, VALUES, photometric="RGB")  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 a JPEG", b"\0" * 300])
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"child\.dcm can not be read as DICOM .* PNG and JPEG"):
        read_dicom(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match=r"child\.dcm can not be read"):
        read_dicom(path)


@pytest.mark.parametrize("tag", ["PixelData", "PhotometricInterpretation", "Rows", "BitsStored"])
def test_a_missing_tag_is_named(path: Path, tag: str) -> None:
    write_dicom(path, VALUES)
    changed(path, lambda dataset: delattr(dataset, tag))
    with pytest.raises(DataError, match=f"lacks {tag}. Expected a DICOM image"):
        read_dicom(path)


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("NumberOfFrames", 2, "holds 2 pictures; expected one"),
        ("PhotometricInterpretation", "RGB", "is RGB; expected a grey picture, MONOCHROME1 or MONOCHROME2"),
        ("Rows", 200, "can not be decoded .* copy it again"),
    ],
)
def test_what_is_no_single_grey_picture_is_refused(path: Path, tag: str, value: object, words: str) -> None:
    write_dicom(path, VALUES)
    changed(path, tagged(**{tag: value}))
    with pytest.raises(DataError, match=words):
        read_dicom(path)


@pytest.mark.filterwarnings("ignore:The number of bytes of pixel data")  # pydicom says it before the course refuses it
def test_a_second_picture_that_no_tag_tells_of_is_refused(path: Path) -> None:
    write_dicom(path, VALUES)
    changed(path, lambda dataset: setattr(dataset, "PixelData", 2 * dataset.PixelData))
    with pytest.raises(DataError, match=r"child\.dcm holds 2 pictures; expected one"):
        read_dicom(path)


HALF = Dataset()
HALF.add_new("LUTDescriptor", "US", [4096, 0, 16])
SHORT = Dataset()
SHORT.add_new("LUTDescriptor", "US", [4096, 0, 16])
SHORT.add_new("LUTData", "OW", b"\0\1" * 10)
WHOLE = Dataset()
WHOLE.add_new("LUTDescriptor", "US", [5, 0, 16])
WHOLE.add_new("LUTData", "OW", b"\0\1" * 5)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (
            {"WindowCenter": None},
            "WindowWidth of child.dcm stands there without WindowCenter; expected both or neither",
        ),
        ({"WindowWidth": None}, "WindowCenter of child.dcm stands there without WindowWidth; expected both or neither"),
        ({"WindowWidth": 0}, "WindowWidth of child.dcm is 0; expected more than 0 for a LINEAR_EXACT window"),
        ({"WindowWidth": -5}, "WindowWidth of child.dcm is -5; expected more than 0"),
        ({"WindowWidth": 0.5, "VOILUTFunction": None}, "is 0.5; expected 1 or more for a LINEAR window"),
        ({"VOILUTFunction": "CUBIC"}, "VOILUTFunction of child.dcm is CUBIC; expected LINEAR, LINEAR_EXACT or SIGMOID"),
        ({"WindowCenter": float("nan")}, "WindowCenter of child.dcm is 'nan'; expected a number"),
        ({"WindowCenter": 1e300}, "WindowCenter of child.dcm is '1e[+]300'; expected a number of ordinary size"),
        ({"RescaleSlope": 0, "RescaleIntercept": 1}, "RescaleSlope of child.dcm is 0; expected another number"),
        ({"RescaleSlope": 2}, "RescaleSlope of child.dcm stands there without RescaleIntercept"),
        ({"RescaleIntercept": 2}, "RescaleIntercept of child.dcm stands there without RescaleSlope"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel of child.dcm is 3; expected 1"),
        ({"BitsStored": 20}, "BitsStored of child.dcm is 20; expected 1 to 16"),
        ({"HighBit": 15}, "HighBit of child.dcm is 15; expected 11"),
        ({"Rows": 60000, "Columns": 60000}, "child.dcm has 3,600,000,000 pixels; expected at most 100,000,000"),
        (
            {"VOILUTSequence": [HALF]},
            "VOILUTSequence of child.dcm holds no table .* expected a descriptor and its data",
        ),
        ({"ModalityLUTSequence": [HALF]}, "ModalityLUTSequence of child.dcm holds no table"),
        ({"VOILUTSequence": [SHORT]}, "VOILUTSequence of child.dcm holds no table .10 of 4096 entries"),
        (
            {"ModalityLUTSequence": [WHOLE], "RescaleSlope": 1, "RescaleIntercept": 0},
            "RescaleSlope of child.dcm stands beside a ModalityLUTSequence",
        ),
        (
            {"ModalityLUTSequence": [WHOLE], "WindowCenter": None, "WindowWidth": None},
            "All stored values of child.dcm mean 256; expected a range of greys",
        ),
    ],
)
def test_what_does_not_say_clearly_how_to_show_it_is_refused(path: Path, tags: dict[str, object], words: str) -> None:
    write_dicom(path, VALUES, window=(2000, 2000))
    changed(path, tagged(**tags))
    with pytest.raises(DataError, match=words):
        read_dicom(path)


def test_a_text_for_a_number_is_refused_by_its_tag(path: Path) -> None:
    write_dicom(path, VALUES, window=(2000, 1234))
    path.write_bytes(path.read_bytes().replace(b"1234", b"wide"))
    with pytest.raises(DataError, match=r"WindowWidth of child\.dcm is 'wide\.0'; expected a number"):
        read_dicom(path)
