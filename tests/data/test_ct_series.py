"""A series of CT slices becomes one volume in Hounsfield units, or is refused with the name of the file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchio
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RLELossless

from course_lib.data.ct_series import read_ct_series
from course_lib.support.errors import DataError
from tests.data.made_series import INTERCEPT, SPACING, STEP, ct_slice, write_series

SHAPE = (5, 4, 3)  #: slices, rows, columns


@pytest.fixture
def hounsfield() -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(-1000, 1500, SHAPE)


@pytest.fixture
def series(tmp_path: Path, hounsfield: NDArray[np.int64]) -> list[Path]:
    """From the feet to the head."""
    return write_series(tmp_path / "series", hounsfield)


def change(path: Path, **tags: object) -> None:
    dataset = dcmread(path)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


def moved(number: float) -> list[float]:
    return [-20.0, -30.0, number * STEP]


def test_slices_are_sorted_by_where_they_lie_and_the_affine_says_where_that_is(
    series: list[Path], hounsfield: NDArray[np.int64]
) -> None:
    volume = read_ct_series(series[0].parent)
    assert volume.data.dtype == torch.float32
    assert volume.data.is_contiguous()
    assert np.array_equal(volume.numpy()[0], hounsfield.transpose(2, 1, 0))
    assert volume.spacing == pytest.approx((SPACING[1], SPACING[0], STEP))
    assert volume.orientation == ("L", "P", "S")
    assert volume.affine[:3, 3].tolist() == [20, 30, 0]


@pytest.mark.parametrize(
    "directions",
    [(1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0), (-1, 0, 0, 0, 1, 0)],
    ids=["axial", "coronal", "sagittal", "turned", "from above"],
)
def test_simple_itk_puts_every_voxel_at_the_same_place(
    tmp_path: Path, hounsfield: NDArray[np.int64], directions: tuple[float, ...]
) -> None:
    normal = np.cross(directions[:3], directions[3:])
    for number, path in enumerate(write_series(tmp_path / "a", hounsfield, ImageOrientationPatient=list(directions))):
        change(path, ImagePositionPatient=[float(mm) for mm in np.array([5, 6, 7]) + number * STEP * normal])
    ours, known = read_ct_series(tmp_path / "a"), torchio.ScalarImage(tmp_path / "a")
    assert np.allclose(ours.affine, known.affine, atol=1e-4)
    assert np.array_equal(ours.numpy(), known.numpy())


def test_a_real_slice_keeps_its_hounsfield_units_and_its_padding_becomes_air(tmp_path: Path) -> None:
    file = Path(str(get_testdata_file("CT_small.dcm")))
    real = dcmread(file)
    shutil.copy(file, tmp_path / "1")
    change(tmp_path / "1", SOPInstanceUID="1.2")
    x, y, z = map(float, real.ImagePositionPatient)
    change(tmp_path / "1", ImagePositionPatient=[x, y, z - 5])
    shutil.copy(file, tmp_path / "2")
    volume = read_ct_series(tmp_path)
    expected = np.maximum(real.pixel_array.astype(float) - 1024, -1024)
    assert np.array_equal(volume.numpy()[0, :, :, 1], expected.T)
    assert volume.spacing == pytest.approx((0.661468, 0.661468, 5))


@pytest.mark.parametrize(("stored", "found"), [(-3024, -1024), (-1024, -1024), (3071, 3071), (12_000, 12_000)])
def test_padding_counts_as_air_and_metal_stays(tmp_path: Path, stored: int, found: int) -> None:
    values = np.full(SHAPE, stored)
    for path in write_series(tmp_path, np.zeros(SHAPE, int)):
        dataset = dcmread(path)
        dataset.set_pixel_data((values[0] - INTERCEPT).astype(np.int16), "MONOCHROME2", 16)
        dataset.save_as(path)
    assert set(np.unique(read_ct_series(tmp_path).numpy()).tolist()) == {found}


def test_slope_and_intercept_are_those_of_each_slice(series: list[Path], hounsfield: NDArray[np.int64]) -> None:
    change(series[2], RescaleSlope=0.5, RescaleIntercept=INTERCEPT / 2 - 10)
    found = read_ct_series(series[0].parent).numpy()[0]
    assert np.array_equal(found[:, :, 2], hounsfield[2].T / 2 - 10)
    assert np.array_equal(found[:, :, 1], hounsfield[1].T)


def test_what_is_no_dicom_lies_beside_the_slices(series: list[Path]) -> None:
    for name in ("LICENCE.txt", "DICOMDIR", ".DS_Store"):
        (series[0].parent / name).write_text("not a slice")
    (series[0].parent / "more").mkdir()
    assert read_ct_series(series[0].parent).spatial_shape == SHAPE[::-1]


def test_compression_that_pydicom_decodes_changes_nothing(series: list[Path]) -> None:
    before = read_ct_series(series[0].parent).numpy()
    for path in series:
        dataset = dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    assert np.array_equal(read_ct_series(series[0].parent).numpy(), before)


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"RescaleSlope": None}, "003.dcm lacks RescaleSlope, so that nobody knows which of its values is water"),
        ({"RescaleIntercept": ""}, "003.dcm lacks RescaleIntercept"),
        ({"RescaleSlope": 0}, "RescaleSlope of 003.dcm is 0; expected a number above 0"),
        ({"RescaleSlope": 100}, r"003.dcm has values from -?\d+ to \d+; expected Hounsfield units"),
        ({"RescaleType": "MGML"}, "003.dcm is measured in MGML; expected HU"),
        ({"Modality": "MR"}, "003.dcm has the modality MR; expected CT"),
        ({"Modality": None}, "003.dcm has the modality none; expected CT"),
        ({"SeriesInstanceUID": "1.2.4"}, "differ in their series: 4 are like 005.dcm, 1.2.3 and 1 is like 003.dcm"),
        ({"PixelSpacing": [0.8, 0.71]}, "spacing: 4 are like 005.dcm, 0.8 x 0.7 and 1 is like 003.dcm, 0.8 x 0.71"),
        ({"PixelSpacing": None}, "PixelSpacing of 003.dcm is missing; expected 2 numbers"),
        ({"PixelSpacing": [0, 1]}, "PixelSpacing of 003.dcm is 0 x 1 mm"),
        ({"PixelSpacing": 1}, "PixelSpacing of 003.dcm holds 1 numbers; expected 2"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "differ in their orientation: "),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "003.dcm is no pair of directions at right angles"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient of 003.dcm is missing"),
        ({"ImagePositionPatient": [0, 0, 1e9]}, "ImagePositionPatient of 003.dcm is"),
        ({"ImagePositionPatient": moved(1)}, "00[34].dcm and 00[34].dcm in .* lie at the same place"),
        (
            {"ImagePositionPatient": moved(2.3)},
            "004.dcm and 003.dcm in .* are 3.25 mm apart, and most neighbours 2.5 mm",
        ),
        ({"NumberOfFrames": 2}, "003.dcm holds 2 pictures; expected one"),
        ({"PixelData": None}, "003.dcm lacks PixelData"),
        ({"PixelData": b"1234"}, "The pixels of 003.dcm can not be decoded"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused_by_its_name(
    series: list[Path], tags: dict[str, object], says: str
) -> None:
    change(series[2], **tags)
    with pytest.raises(DataError, match=says):
        read_ct_series(series[0].parent)


def without_the_third(series: list[Path]) -> None:
    series[2].unlink()


def third_twice(series: list[Path]) -> None:
    shutil.copy(series[2], series[2].with_name("copy.dcm"))


def third_of_another_size(series: list[Path]) -> None:
    ct_slice(np.zeros((4, 4), int), 2 * STEP).save_as(series[2], enforce_file_format=True)


def third_compressed_so_that_nobody_can_read_it(series: list[Path]) -> None:
    dataset = dcmread(series[2])
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"\0" * 20])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(series[2])


def third_without_an_end(series: list[Path]) -> None:
    series[2].write_bytes(series[2].read_bytes()[:200])


def sheared(series: list[Path]) -> None:
    for number, path in enumerate(series):
        change(path, ImagePositionPatient=[-20.0, -30.0 + number, number * STEP])


def nothing_but_the_first(series: list[Path]) -> None:
    for path in series[1:]:
        path.unlink()


def nothing_at_all(series: list[Path]) -> None:
    for path in series:
        path.rename(path.with_suffix(".txt")).write_text("no slice")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without_the_third, "004.dcm and 002.dcm in .* are 5 mm apart, and most neighbours 2.5 mm: 1 missing"),
        (third_twice, "003.dcm and copy.dcm in .* lie at the same place|copy.dcm and 003.dcm in .* same place"),
        (third_of_another_size, "size: 4 are like 005.dcm, 4 x 3 and 1 is like 003.dcm, 4 x 4"),
        (third_compressed_so_that_nobody_can_read_it, "The pixels of 003.dcm can not be decoded .* uncompressed"),
        (third_without_an_end, "003.dcm"),
        (sheared, "do not lie straight behind each other: the last is shifted by 4 mm"),
        (nothing_but_the_first, "holds a single slice, 005.dcm; expected two or more"),
        (nothing_at_all, "holds no DICOM file; expected one for each slice"),
    ],
)
def test_a_folder_that_is_no_series_is_refused(
    series: list[Path], spoil: Callable[[list[Path]], None], says: str
) -> None:
    spoil(series)
    with pytest.raises(DataError, match=says):
        read_ct_series(series[0].parent)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no folder .*nowhere"):
        read_ct_series(tmp_path / "nowhere")


def test_a_series_too_large_for_memory_is_refused_before_it_is_decoded(
    series: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course_lib.data.ct_series.MOST_MB", 1e-4)
    monkeypatch.setattr("course_lib.data.ct_series.stored_pixels", lambda _: pytest.fail("was decoded"))
    with pytest.raises(DataError, match=r"holds 5 slices, 0 MB of voxels; expected at most 0\.0001"):
        read_ct_series(series[0].parent)


def test_decimals_of_the_headers_may_round(series: list[Path]) -> None:
    for number, path in enumerate(series):
        change(path, ImagePositionPatient=moved(number + 0.004 * (number % 2)), PixelSpacing=[0.8, 0.7 + 1e-5 * number])
    assert read_ct_series(series[0].parent).spacing == pytest.approx((0.7, 0.8, STEP), abs=1e-3)
