"""Volumes from NIfTI files: the right numbers at the right place, and what is wrong is refused in a sentence."""

import gzip
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
import torchio
from numpy.typing import NDArray

from course_lib.data.volumes import read_label_map, read_volume
from course_lib.support.errors import DataError
from tests.data.made_volumes import AFFINE, patch, write

LABELS = ("background", "anterior", "posterior")
REAL = Path(nibabel.__file__).parent / "tests" / "data"  # a few real volumes come with nibabel


@pytest.fixture
def values() -> NDArray[np.int16]:
    return np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, ">i2", ">f4"])
def test_a_volume_comes_as_it_was_saved(tmp_path: Path, values: NDArray[np.int16], name: str, kind: Any) -> None:
    volume = read_volume(write(tmp_path / name, values.astype(kind)))
    assert volume.data.dtype == torch.float32
    assert volume.data.is_contiguous()
    assert np.array_equal(volume.numpy()[0], values)
    assert volume.affine.dtype == np.float64
    assert np.array_equal(volume.affine, AFFINE)
    assert volume.orientation == ("L", "A", "S")


@pytest.mark.parametrize("name", ["anatomical.nii", "reoriented_anat_moved.nii", "standard.nii.gz"])
def test_a_real_volume_is_read_as_nibabel_reads_it(name: str) -> None:
    volume, known = read_volume(REAL / name), nibabel.load(REAL / name)
    assert isinstance(known, nibabel.Nifti1Image)
    assert np.array_equal(volume.numpy()[0], known.get_fdata(dtype=np.float32))
    assert np.array_equal(volume.affine, known.affine)


def test_an_nifti_2_file_is_read_too(tmp_path: Path, values: NDArray[np.int16]) -> None:
    nibabel.save(nibabel.Nifti2Image(values, AFFINE), tmp_path / "a.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").numpy()[0], values)


def test_a_slope_does_not_overflow_the_integers_that_it_is_applied_to(tmp_path: Path) -> None:
    stored = np.array([[[-32768, 32767], [0, 1]]] * 2, np.int16)
    volume = read_volume(patch(write(tmp_path / "a.nii", stored), "scl_slope", 10, -1024))
    assert np.array_equal(volume.numpy()[0], stored.astype(np.float64) * 10 - 1024)


def test_a_fourth_axis_of_one_volume_is_taken_away(tmp_path: Path, values: NDArray[np.int16]) -> None:
    assert read_volume(write(tmp_path / "a.nii", values[..., None, None])).shape == (1, 4, 5, 6)


def test_the_sform_counts_first_and_then_the_qform(tmp_path: Path, values: NDArray[np.int16]) -> None:
    moved = AFFINE.copy()
    moved[:3, 3] = 0
    image = nibabel.Nifti1Image(values, AFFINE)
    image.set_qform(moved, code=1)
    nibabel.save(image, tmp_path / "both.nii")
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "qform.nii")
    assert np.allclose(read_volume(tmp_path / "both.nii").affine, AFFINE)
    assert np.allclose(read_volume(tmp_path / "qform.nii").affine, moved)


def test_a_qform_whose_handedness_was_left_at_0_is_right_handed(tmp_path: Path, values: NDArray[np.int16]) -> None:
    image = nibabel.Nifti1Image(values, np.abs(AFFINE))
    image.set_sform(None, code=0)
    image.set_qform(np.abs(AFFINE), code=1)
    nibabel.save(image, tmp_path / "a.nii")
    patch(tmp_path / "a.nii", "pixdim", 0)
    assert np.allclose(read_volume(tmp_path / "a.nii").affine, np.abs(AFFINE), atol=1e-5)


Wrong = Callable[[Path, NDArray[np.int16]], object]  #: writes something that is no good volume


def of_header(name: str, *numbers: float) -> Wrong:
    return lambda path, values: patch(write(path, values), name, *numbers)


def of_values(change: Callable[[NDArray[np.int16]], NDArray[Any]]) -> Wrong:
    return lambda path, values: write(path, change(values))


def of_affine(affine: NDArray[np.float64]) -> Wrong:
    return lambda path, values: write(path, values, affine)


def of_bytes(change: Callable[[bytes], bytes]) -> Wrong:
    return lambda path, values: path.write_bytes(change(write(path, values).read_bytes()))


def holding(number: float) -> Wrong:
    return of_values(lambda values: np.where(values == 7, np.float64(number), values))


def turned_apart(qform: NDArray[np.float64]) -> Wrong:
    def wrong(path: Path, values: NDArray[np.int16]) -> None:
        image = nibabel.Nifti1Image(values, AFFINE)
        image.set_qform(qform, code=1)
        nibabel.save(image, path)

    return wrong


def about_the_k_axis(degrees: float) -> NDArray[np.float64]:
    turn = np.eye(4)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    return turn @ AFFINE


FLAT = AFFINE.copy()
FLAT[:, 1] = FLAT[:, 0]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (of_header("srow", *FLAT[:3].ravel()), "affine that folds the volume flat"),
        (of_header("srow", *np.zeros(12)), "affine that folds the volume flat"),
        (of_header("srow", np.nan), "affine that is no place in a patient"),
        (of_header("srow", np.inf), "affine that is no place in a patient"),
        (of_header("srow", 1, 0, 0, -1e30), "affine that is no place in a patient"),
        (holding(np.nan), "1 voxels of 120 that are NaN, infinite"),
        (holding(-np.inf), "1 voxels of 120 that are NaN, infinite"),
        (holding(1e39), "beyond float32"),
        (of_values(lambda values: np.stack([values, values], axis=-1)), "several volumes, 4 x 5 x 6 x 2"),
        (of_values(lambda values: values[:, :, :1]), "a single slice or less, 4 x 5 x 1"),
        (of_values(lambda values: values[0]), "a single slice or less, 5 x 6"),
        (of_values(lambda values: values.astype(np.complex64)), "voxels of the type complex64"),
        (of_header("sform_code", 0), "neither by sform nor by qform"),
        (turned_apart(AFFINE @ np.diag([-1, 1, 1, 1])), "turn it differently, LAS and RAS, up to 180 degrees apart"),
        (turned_apart(about_the_k_axis(90)), "turn it differently, LAS and PLS, up to 90 degrees apart"),
        (turned_apart(about_the_k_axis(80)), "turn it differently, LAS and PLS, up to 80 degrees apart"),
        (of_header("pixdim", 1, 0), "has voxels of 0 x 2 x 3 mm"),
        (of_header("pixdim", 1, -1.5), "has voxels of -1.5 x 2 x 3 mm"),
        (of_header("pixdim", 1, np.nan), "has voxels of nan x 2 x 3 mm"),
        (
            of_affine(np.diag([0.001, 0.001, 0.001, 1])),
            "has voxels of 0.001 x 0.001 x 0.001 mm; expected 0.01 to 50 mm",
        ),
        (of_affine(np.diag([1, 1, 60.0, 1])), "has voxels of 1 x 1 x 60 mm"),
        (of_header("pixdim", 1, 1.0), "1 x 2 x 3 mm by its header and of 1.5 x 2 x 3 mm by its affine"),
        (lambda path, values: write(path, values, xyzt_units=1), "measured in meters; expected millimetres"),
        (of_header("dim", 3, 32767, 32767, 93), r"claims 32767 x 32767 x 93 voxels, [\d,]+ MB; expected at most 1,000"),
        (of_header("dim", 3, 4, -5, 6), r"3 axes of the lengths \[4, -5, 6\]"),
        (of_header("dim", 0), "0 axes"),
        (of_header("dim", 3, 4, 5, 7), "ends too early: expected 632 bytes, 352 and then 4 x 5 x 7 voxels of 2"),
        (of_header("dim", 3, 4, 5, 5), "goes on after its last voxel"),
        (of_header("vox_offset", 1e11), "voxels begin at byte 1e"),
        (of_header("vox_offset", 0), "voxels begin at byte 0"),
        (of_header("vox_offset", np.nan), "voxels begin at byte nan"),
        (of_header("scl_slope", 1, np.nan), "can not be read"),
        (of_bytes(lambda content: content[:-1]), "ends too early"),
        (of_bytes(lambda content: content[:200]), "no NIfTI file"),
        (of_bytes(lambda _: b""), "no NIfTI file"),
        (of_bytes(lambda _: b"\x89PNG\r\n\x1a\n" * 100), "no NIfTI file.*PNG"),
        (of_bytes(lambda content: content.replace(b"n+1\0", b"ni1\0")), "no NIfTI file that holds header and voxels"),
        (of_bytes(lambda content: gzip.compress(content)[:-20]), "can not be read"),
        (of_bytes(lambda content: gzip.compress(content)[:-8] + bytes(8)), "can not be read"),
    ],
)
def test_what_is_no_good_volume_is_refused(
    tmp_path: Path, values: NDArray[np.int16], wrong: Wrong, complaint: str
) -> None:
    wrong(tmp_path / "a.nii", values)
    with pytest.raises(DataError, match=rf"a\.nii .*{complaint}.*\. [A-Z].*\.$|a\.nii .*{complaint}.*\?$"):
        read_volume(tmp_path / "a.nii")


def test_an_sform_that_is_turned_a_little_against_the_qform_is_read(tmp_path: Path, values: NDArray[np.int16]) -> None:
    turned_apart(about_the_k_axis(10))(tmp_path / "a.nii", values)
    assert np.allclose(read_volume(tmp_path / "a.nii").affine, AFFINE)


def test_what_is_no_file_or_has_another_name_is_refused(tmp_path: Path, values: NDArray[np.int16]) -> None:
    (tmp_path / "folder.nii").mkdir()
    for name, complaint in {"folder": "is no file", "gone": "can not be read"}.items():
        with pytest.raises(DataError, match=f"{name}.nii {complaint}"):
            read_volume(tmp_path / f"{name}.nii")
    with pytest.raises(DataError, match="has not the name of a NIfTI file"):
        read_volume(write(tmp_path / "a.nii", values).rename(tmp_path / "a.img"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files here")
def test_a_file_that_never_gives_anything_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    with pytest.raises(DataError, match=r"pipe\.nii is no file"):
        read_volume(tmp_path / "pipe.nii")


@pytest.mark.skipif(os.name == "nt", reason="not everybody may make links here")
def test_a_link_is_read_where_it_leads_to_a_volume(tmp_path: Path, values: NDArray[np.int16]) -> None:
    (tmp_path / "nowhere.nii").symlink_to(tmp_path / "gone.nii")
    with pytest.raises(DataError, match=r"nowhere\.nii can not be read"):
        read_volume(tmp_path / "nowhere.nii")
    write(tmp_path / "a.nii", values)
    (tmp_path / "link.nii").symlink_to(tmp_path / "a.nii")
    assert np.array_equal(read_volume(tmp_path / "link.nii").numpy()[0], values)


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(tmp_path: Path, values: NDArray[np.int16]) -> None:
    content = write(tmp_path / "a.nii", values).read_bytes()
    packed = tmp_path / "bomb.nii.gz"
    with gzip.open(packed, "wb") as file:
        file.write(content)
        for _ in range(100):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    with pytest.raises(DataError, match="goes on after its last voxel"):
        read_volume(packed)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def scaled_zeros(folder: Path) -> Path:
    """A small compressed file with a slope, which has 10 MB in memory."""
    plain = patch(write(folder / "zeros.nii", np.zeros((500, 1000, 5), np.int8)), "scl_slope", 2, 1)
    packed = folder / "zeros.nii.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return packed


def test_reading_takes_at_most_twice_the_memory_that_a_volume_has(tmp_path: Path) -> None:
    packed = scaled_zeros(tmp_path)
    tracemalloc.start()
    volume = read_volume(packed, at_most_mb=10)
    for_volume = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    labels = read_label_map(packed, volume, LABELS, at_most_mb=10)
    for_labels = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (volume.data == 1).all()
    assert (labels.data == 1).all()
    assert max(for_volume, for_labels) < 2.5 * 10_000_000


def test_the_most_megabytes_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.zeros((100, 100, 30), np.uint8))
    assert read_volume(path, at_most_mb=1.2).shape == (1, 100, 100, 30)
    with pytest.raises(DataError, match="claims 100 x 100 x 30 voxels, 1 MB"):
        read_volume(path, at_most_mb=1.1)


@pytest.fixture
def volume(tmp_path: Path, values: NDArray[np.int16]) -> torchio.ScalarImage:
    return read_volume(write(tmp_path / "a.nii", values))


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_a_label_map_comes_on_the_grid_of_its_volume(
    tmp_path: Path, volume: torchio.ScalarImage, values: NDArray[np.int16], kind: Any
) -> None:
    moved = AFFINE.copy()
    moved[:3, 3] += 0.01
    labels = read_label_map(write(tmp_path / "m.nii.gz", (values % 3).astype(kind), moved), volume, LABELS)
    assert labels.data.dtype == torch.uint8
    assert np.array_equal(labels.numpy()[0], values % 3)
    assert np.array_equal(labels.affine, volume.affine)


def test_labels_that_a_slope_has_rounded_are_whole_again(tmp_path: Path, volume: torchio.ScalarImage) -> None:
    stored = np.full((4, 5, 6), 255, np.uint8)
    path = patch(write(tmp_path / "m.nii", stored), "scl_slope", 2 / 255, 0)
    assert (read_label_map(path, volume, LABELS).data == 2).all()


@pytest.mark.parametrize(
    ("shape", "value", "shift", "complaint"),
    [
        ((4, 5, 7), 1, 0, "has 4 x 5 x 7 voxels, its volume 4 x 5 x 6"),
        ((5, 4, 6), 1, 0, "has 5 x 4 x 6 voxels"),
        ((4, 5, 6), 1, 0.4, "lies up to 0.4 mm beside its volume"),
        ((4, 5, 6), 3, 0, r"holds the values 3, which stand for no label. Expected 0 to 2 \(background, anterior"),
        ((4, 5, 6), -1, 0, "holds the values -1"),
        ((4, 5, 6), 0.5, 0, "holds the values 0.5"),
        ((4, 5, 6), np.nan, 0, "holds the values nan"),
        ((4, 5, 6), np.inf, 0, "holds the values inf"),
    ],
)
def test_a_label_map_of_something_else_is_refused(
    tmp_path: Path,
    volume: torchio.ScalarImage,
    shape: tuple[int, int, int],
    value: float,
    shift: float,
    complaint: str,
) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += shift
    path = write(tmp_path / "m.nii", np.full(shape, value, np.float32), moved)
    with pytest.raises(DataError, match=complaint):
        read_label_map(path, volume, LABELS)


def test_a_label_map_that_is_mirrored_is_refused(tmp_path: Path, volume: torchio.ScalarImage) -> None:
    path = write(tmp_path / "m.nii", np.ones((4, 5, 6), np.uint8), AFFINE @ np.diag([-1, 1, 1, 1]))
    with pytest.raises(DataError, match="beside its volume, by their affines"):
        read_label_map(path, volume, LABELS)
