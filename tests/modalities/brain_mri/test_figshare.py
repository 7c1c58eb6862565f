"""Files of MATLAB become pictures once, as MATLAB shows them; and each bad file is named with what to do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from PIL import Image

from course_lib.data.image_folder import recognise_card
from course_lib.data.outlined_folder import outlined_images_of
from course_lib.modalities.brain_mri import figshare
from course_lib.modalities.brain_mri.figshare import as_pictures, read_slice
from course_lib.modalities.brain_mri.reader import read_part
from course_lib.modalities.phantom_files import check_set
from course_lib.sources.dataset_card import load_card
from course_lib.sources.foreign_image import MOST_BYTES
from course_lib.support.errors import DataError
from tests.modalities.brain_mri.matlab_files import (
    SHAPE,
    codes,
    picture,
    tumour,
    write_folds,
    write_matlab,
    write_set,
    write_slice,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_slice_is_read_as_matlab_shows_it_and_scaled_by_itself(tmp_path: Path) -> None:
    one = read_slice(write_slice(tmp_path / "7.mat", "pituitary", "MR017260F"))
    assert (one.kind, one.patient) == ("pituitary", "MR017260F")
    values = picture(7).astype(float)
    assert one.image.shape == SHAPE
    assert np.abs(one.image - (values - values.min()) / np.ptp(values) * 255).max() <= 0.5
    assert (one.image.min(), one.image.max()) == (0, 255)
    assert (one.mask == tumour()).all()


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 0.1), (np.float64, 1e-6), (np.float32, 1e30)])
def test_grey_values_may_be_in_any_scale(tmp_path: Path, dtype: type, scale: float) -> None:
    grey: NDArray[Any] = (picture() * scale).astype(dtype)
    image = read_slice(write_slice(tmp_path / "1.mat", image=grey)).image
    assert (image.min(), image.max()) == (0, 255)
    assert image[:4].mean() > image[-4:].mean()


def test_a_name_of_letters_and_signs_becomes_one_that_fits_a_file(tmp_path: Path) -> None:
    assert (
        read_slice(write_slice(tmp_path / "1.mat", patient="MR/04 02\N{CJK UNIFIED IDEOGRAPH-5F20}")).patient
        == "MR-04-02"
    )


def test_a_set_becomes_pictures_with_fold_patient_and_number_in_the_name(tmp_path: Path, cache: Path) -> None:
    made = as_pictures(write_set(tmp_path / "set"))
    assert made.parent == cache
    assert len(outlined_images_of(made)) == 9
    assert (made / "images" / "glioma" / "fold1_P12_0002.png").is_file()
    mask = np.asarray(Image.open(made / "masks" / "glioma" / "fold1_P12_0002.png"))
    assert (mask == tumour() * 255).all()
    assert recognise_card(made) == load_card("brain-tumour-mri")
    check_set(made)
    train, classes = read_part(made, "train", recognise_card(made))
    test, _ = read_part(made, "test", recognise_card(made))
    assert classes == ("glioma", "meningioma", "pituitary")
    assert {one.patient for one in test} == {"P31", "P32", "P33"}
    assert {one.patient for one in train} == {"P11", "P12", "P13", "P21", "P22", "P23"}
    assert all(one.mask for one in train)


@pytest.mark.parametrize("data", ["", "data", "a/b/brainTumorDataPublic_1-766"])
def test_the_files_are_found_wherever_they_lie(tmp_path: Path, data: str) -> None:
    made = as_pictures(write_set(tmp_path / "set", data=data))
    assert {path.name[:5] for path in outlined_images_of(made)} == {"fold1", "fold2", "fold3"}


def test_without_folds_the_names_give_the_patients_alone(tmp_path: Path) -> None:
    (write_set(tmp_path / "set") / "cvind.mat").unlink()
    made = as_pictures(tmp_path / "set")
    assert (made / "images" / "glioma" / "figshare_P12_0002.png").is_file()
    assert recognise_card(made) == load_card("brain-tumour-mri")


def test_a_slice_without_an_outline_has_no_mask(tmp_path: Path) -> None:
    write_slice(write_set(tmp_path / "set") / "data" / "2.mat", patient="P12", tumorMask=np.zeros(SHAPE))
    made = as_pictures(tmp_path / "set")
    assert (made / "images" / "glioma" / "fold1_P12_0002.png").is_file()
    assert not (made / "masks" / "glioma" / "fold1_P12_0002.png").exists()


def test_pictures_are_made_once_and_anew_where_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = as_pictures(write_set(tmp_path / "set"))
    with monkeypatch.context() as broken:
        broken.setattr(figshare, "read_slice", None)
        assert as_pictures(tmp_path / "set") == made
    write_slice(tmp_path / "set" / "data" / "2.mat", patient="P12", image=picture(99))
    assert as_pictures(tmp_path / "set") != made


def test_an_interrupted_call_is_taken_up_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_set(tmp_path / "set")
    read: list[str] = []

    def stop_at_the_sixth(path: Path) -> figshare.MatlabSlice:
        if len(read) == 5:
            raise KeyboardInterrupt
        read.append(path.name)
        return read_slice(path)

    monkeypatch.setattr(figshare, "read_slice", stop_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        as_pictures(tmp_path / "set")
    again = [f"{number}.mat" for number in range(6, 10)]

    def note(path: Path) -> figshare.MatlabSlice:
        read.append(path.name)
        return read_slice(path)

    monkeypatch.setattr(figshare, "read_slice", note)
    made = as_pictures(tmp_path / "set")
    assert read[5:] == again
    assert len(outlined_images_of(made)) == 9


def test_a_folder_of_pictures_or_of_other_things_is_left_as_it_is(tmp_path: Path) -> None:
    made = as_pictures(write_set(tmp_path / "set"))
    assert as_pictures(made) == made
    shutil.copy(tmp_path / "set" / "data" / "1.mat", made)
    assert as_pictures(made) == made
    (tmp_path / "empty").mkdir()
    write_matlab(tmp_path / "empty" / "results.mat", {"x": np.zeros((2, 2))})
    assert as_pictures(tmp_path / "empty") == tmp_path / "empty"


def old_format(path: Path) -> None:
    fields = {"image": picture(), "tumorMask": tumour(), "label": 2.0, "PID": "100360"}
    scipy.io.savemat(path, {"cjdata": fields})


def truncated(path: Path) -> None:
    write_slice(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_claim_of_100_gb(path: Path) -> None:
    write_slice(path, image=None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("cjdata/image", shape=(500_000, 100_000), dtype="i2", chunks=(100, 100))


def a_claim_of_a_large_chunk(path: Path) -> None:
    write_slice(path, image=None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("cjdata/image", shape=(48, 40), maxshape=(None, None), dtype="i2", chunks=(30_000, 30_000))


def a_link_to_another_file(path: Path) -> None:
    write_slice(path.with_suffix(".other"))
    write_slice(path, image=None)
    with h5py.File(path, "r+") as file:
        file["cjdata/image"] = h5py.ExternalLink(path.with_suffix(".other").name, "cjdata/image")


def pixels_in_another_file(path: Path) -> None:
    path.with_suffix(".raw").write_bytes(picture().tobytes())
    write_slice(path, image=None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("cjdata/image", SHAPE[::-1], "i2", external=[(path.with_suffix(".raw"), 0, 48 * 40 * 2)])


def a_virtual_array(path: Path) -> None:
    write_slice(path.with_suffix(".other"))
    write_slice(path, image=None)
    layout = h5py.VirtualLayout(SHAPE[::-1], "i2")
    layout[:] = h5py.VirtualSource(path.with_suffix(".other"), "cjdata/image", SHAPE[::-1])
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("cjdata/image", layout)


def larger_than_any_slice(path: Path) -> None:
    write_slice(path)
    os.truncate(path, MOST_BYTES + 1)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "of the old format": (old_format, r"is in MATLAB's old format; .* save it with the option '-v7\.3'"),
    "truncated": (truncated, r"can not be read \(.*truncated.*Copy it again"),
    "empty": (lambda path: path.write_bytes(b""), r"can not be read"),
    "a text": (lambda path: path.write_text("version https://git-lfs"), r"can not be read \(.*signature"),
    "a folder": (lambda path: path.mkdir(), r"is no file"),
    "too large": (larger_than_any_slice, r"has 50,000,001 bytes, more than any file of the set"),
    "without a patient": (lambda path: write_slice(path, PID=None), r"holds no cjdata/PID\. Expected cjdata with"),
    "with an empty patient": (lambda path: write_slice(path, PID=codes("  ")), r"does not say whose slice it is"),
    "with a patient in numbers": (lambda path: write_slice(path, PID=np.array([[7.0]])), r"cjdata/PID is no text"),
    "with a long patient": (lambda path: write_slice(path, PID=codes("7" * 5000)), r"does not say whose slice it is"),
    "without an image": (lambda path: write_slice(path, image=None), r"holds no cjdata/image"),
    "of something else": (lambda path: write_matlab(path, {"cjdata": np.zeros((2, 2))}), r"holds no cjdata/image"),
    "label 4": (
        lambda path: write_slice(path, label=np.array([[4.0]])),
        r"values from 4 to 4; expected one of 1 menin",
    ),
    "label 1.5": (lambda path: write_slice(path, label=np.array([[1.5]])), r"has a label .* 1\.5 to 1\.5"),
    "no label": (lambda path: write_slice(path, label=np.zeros((0, 0))), r"has a label of 0 x 0; expected"),
    "two labels": (lambda path: write_slice(path, label=np.ones((1, 2))), r"has a label of 1 x 2"),
    "another mask": (
        lambda path: write_slice(path, tumorMask=tumour().T),
        r"has a mask of 48 x 40 .*; expected 0 and 1, 40 x 48 as the image",
    ),
    "grey mask": (lambda path: write_slice(path, tumorMask=tumour() * 255), r"has a mask .* to 255; expected 0 and 1"),
    "a volume": (
        lambda path: write_slice(path, image=np.zeros((40, 48, 3))),
        r"holds cjdata/image, but not as a table of numbers",
    ),
    "complex": (lambda path: write_slice(path, image=picture() * 1j), r"not as a table of numbers"),
    "black": (lambda path: write_slice(path, image=np.zeros(SHAPE)), r"values from 0 to 0, which shows nothing"),
    "not finite": (lambda path: write_slice(path, image=picture() / 0.0), r"which shows nothing"),
    "a strip": (lambda path: write_slice(path, image=np.ones((500, 40))), r"has an image of 500 x 40, which shows no"),
    "100 GB": (a_claim_of_100_gb, r"claims 50,000,000,000 values for cjdata/image, more than any slice has"),
    "a large chunk": (a_claim_of_a_large_chunk, r"values for cjdata/image, more than any slice has"),
    "a link": (a_link_to_another_file, r"holds no cjdata/image"),
    "pixels elsewhere": (pixels_in_another_file, r"not as a table of numbers"),
    "a virtual array": (a_virtual_array, r"not as a table of numbers"),
}


@pytest.mark.filterwarnings("ignore:divide by zero|invalid value:RuntimeWarning")
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named_with_what_to_do(tmp_path: Path, kind: str) -> None:
    write, said = BAD[kind]
    write(tmp_path / "3.mat")
    with pytest.raises(DataError, match=rf"3\.mat .*{said}"):
        read_slice(tmp_path / "3.mat")


def test_all_bad_files_of_a_set_are_named_at_once_and_nothing_is_left(tmp_path: Path, cache: Path) -> None:
    folder = write_set(tmp_path / "set")
    truncated(folder / "data" / "4.mat")
    old_format(folder / "data" / "9.mat")
    with pytest.raises(DataError, match=r"2 of 9 slices in .* can not be used:\n4\.mat can not .*\n9\.mat is in"):
        as_pictures(folder)
    assert not [path for path in cache.iterdir() if path.is_dir()]


def test_of_many_bad_files_the_first_ten_are_named(tmp_path: Path) -> None:
    for number in range(1, 13):
        old_format(tmp_path / f"{number}.mat")
    with pytest.raises(DataError, match=r"12 of 12 slices .*(\n\d+\.mat.*){10}\n…$"):
        as_pictures(tmp_path)


def test_a_patient_in_two_folds_is_refused(tmp_path: Path) -> None:
    write_slice(write_set(tmp_path / "set") / "data" / "4.mat", "meningioma", "P11")
    with pytest.raises(DataError, match=r"Patient P11 is in fold1 and fold2, as cvind\.mat says"):
        as_pictures(tmp_path / "set")


@pytest.mark.parametrize(
    ("folds", "length", "said"),
    [
        (
            {1: 1},
            8,
            r"cvind\.mat holds 8 folds .*; expected whole numbers from 1, one for each slice up to number 9",
        ),
        ({1: 0}, 9, r"holds 9 folds of 9 with values from 0 to 1"),
        ({1: 2.5}, 9, r"with values from 1 to 2\.5"),
        ({1: float("nan")}, 9, r"holds 9 folds"),
    ],
)
def test_a_table_of_folds_that_can_not_be_is_refused(
    tmp_path: Path, folds: dict[int, int], length: int, said: str
) -> None:
    write_folds(write_set(tmp_path / "set") / "cvind.mat", folds, length)
    with pytest.raises(DataError, match=said):
        as_pictures(tmp_path / "set")


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    shutil.copytree(folder / "data", folder / "copy")
    with pytest.raises(DataError, match=r"holds 9 MATLAB files twice \(1\.mat, 2\.mat, 3\.mat, …\)"):
        as_pictures(folder)


def test_a_class_that_is_absent_from_a_fold_is_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "data" / "5.mat").unlink()
    made = as_pictures(folder)
    with pytest.raises(DataError, match=r"holds no image of glioma in fold 2\. A class that is absent from a fold"):
        read_part(made, "train", recognise_card(made))
