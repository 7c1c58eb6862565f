"""Opening a data set: checked before any training time is spent."""

from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.data.splits import check_patients_apart
from course_lib.modalities import registry
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.registry import dataset_folder, open_dataset
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, PROFILES
from tests.conftest import write_image


def test_phantoms_are_the_default_and_say_that_they_are_simulated() -> None:
    data = open_dataset()
    assert data.simulated
    assert "simulated" in data.title
    assert str(data).startswith(data.title)
    assert data.classes == ("NORMAL", "PNEUMONIA")
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))


def test_the_quick_profile_unpacks_the_phantoms_of_the_course_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = phantom.Settings({"train": 24, "val": 2, "test": 8}, size_px=24, seed=0)
    made = phantom.make_dataset(tmp_path / "made", settings, workers=1, progress=False)
    monkeypatch.setattr(phantom, "QUICK_ARCHIVE", phantom.pack_dataset(made, tmp_path / "quick.zip"))
    monkeypatch.setattr(registry, "COURSE_ROOT", tmp_path)
    data = open_dataset("phantom", profile=PROFILES["quick"])
    root = tmp_path / "datasets" / "phantom" / f"v{phantom.VERSION}-quick"
    assert data.train[0].path.parents[2] == root
    assert phantom.check_dataset(root) == settings
    assert len({r.patient for r in (*data.train, *data.validation)}) == 24
    before = root.stat().st_mtime_ns
    assert open_dataset("phantom", profile=PROFILES["quick"]) == data
    assert root.stat().st_mtime_ns == before


def test_without_the_phantoms_of_the_course_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom, "QUICK_ARCHIVE", tmp_path / "quick.zip")
    monkeypatch.setattr(registry, "COURSE_ROOT", tmp_path)
    with pytest.raises(phantom.PhantomError, match=r"quick\.zip is missing or damaged: .*git checkout"):
        open_dataset("phantom", profile=PROFILES["quick"])


def test_the_full_profile_makes_its_own_phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(phantom.QUICK_SET, size_px=24)
    monkeypatch.setattr(phantom, "QUICK_SET", small)
    monkeypatch.setattr(registry, "COURSE_ROOT", tmp_path)
    data = open_dataset("phantom", profile=replace(PROFILES["full"], phantom_patients=30))
    root = data.train[0].path.parents[2]
    assert root == tmp_path / "datasets" / "phantom" / f"v{phantom.VERSION}-full"
    assert phantom.check_dataset(root) == replace(small, patients={"train": 30, "val": 3, "test": 10})
    full = PROFILES["full"].phantom_patients
    assert full is not None
    assert full > 4 * phantom.QUICK_SET.patients["train"]


def test_a_folder_by_argument_or_by_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_argument = open_dataset(folder)
    monkeypatch.setenv("COURSE_DATA", str(folder))
    assert open_dataset() == by_argument
    assert len(by_argument.train) + len(by_argument.validation) == 32
    assert len(by_argument.test) == 12


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no folder .*nowhere.*check COURSE_DATA, or unset it"):
        open_dataset(tmp_path / "nowhere")


def test_a_folder_may_be_given_from_the_courses_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    root = open_dataset("phantom").train[0].path.parents[2]
    assert open_dataset(root.relative_to(COURSE_ROOT)) == open_dataset(root)


def test_a_profile_bounds_the_images_and_the_note_says_so(folder: Path) -> None:
    data = open_dataset(folder, profile=replace(PROFILES["quick"], max_train_images=28))
    assert len(data.train) + len(data.validation) == 28
    assert "28 of the 32 training images" in data.note
    assert "COURSE_PROFILE=full takes all" in data.note


def test_a_patient_in_train_and_test(folder: Path) -> None:
    write_image(folder / "test" / "NORMAL" / "phantom0001_normal_9.jpeg", bright=False)
    with pytest.raises(DataError, match=r"train and test must not share patients, but 1 are in both \(phantom0001\)"):
        open_dataset(folder)


def test_train_and_test_with_other_classes(folder: Path) -> None:
    (folder / "test" / "NORMAL").rename(folder / "test" / "HEALTHY")
    with pytest.raises(DataError, match="Both must hold the same folders"):
        open_dataset(folder)


def test_an_unreadable_image_is_named_before_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "test" / "NORMAL" / "phantom0008_normal_1.jpeg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"phantom0008_normal_1\.jpeg can not be read"):
        open_dataset(folder)
    assert len(open_dataset(folder, skip_unreadable=True).test) == 11
    assert "phantom0008_normal_1.jpeg" in capsys.readouterr().out


def test_the_folder_of_a_source_is_given_without_opening_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert dataset_folder() == tmp_path.resolve()
    assert dataset_folder("phantom") == open_dataset("phantom").train[0].path.parents[2]
    with pytest.raises(DataError, match="There is no folder"):
        dataset_folder(tmp_path / "nowhere")
