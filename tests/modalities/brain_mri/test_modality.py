"""Slices of brain tumours are opened wherever they come from: a simulator, a folder, MATLAB files, Kaggle, a room."""

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import pytest

from course_lib.data.splits import check_patients_apart
from course_lib.modalities import room as workshop_room
from course_lib.modalities.brain_mri import phantoms
from course_lib.modalities.registry import dataset_folder, open_dataset
from course_lib.networks import weights
from course_lib.sources import dataset_card
from course_lib.sources.archive import ArchiveError, verify
from course_lib.sources.dataset_card import CARDS_FOLDER, load_card
from course_lib.support.errors import DataError
from course_lib.support.runtime import PROFILES
from tests.modalities.brain_mri.matlab_files import write_set
from tests.modalities.brain_mri.slices_folder import write_folds, write_phantoms
from tests.sources.kaggle_fixtures import Learner

SLUG = "brain-tumour-mri"
HANDLE = "ashkhagan/figshare-brain-tumor-dataset/1"
FILES = 10  #: of the small set: a patient of each kind in each of three folds, and the table of folds


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_of_a_folder_in_folds_the_highest_is_tested_and_the_next_one_is_for_validation(tmp_path: Path) -> None:
    data = open_dataset("brain_mri", write_folds(tmp_path))
    assert [{one.patient for one in part} for part in (data.train, data.validation, data.test)] == [
        {"fold1"},
        {"fold2"},
        {"fold3"},
    ]
    assert data.classes == ("glioma", "meningioma", "pituitary")
    assert "all 24 training images, 50% of them, by fold, for validation." in data.note
    assert data.note.endswith("There is no folder test/: the test part is the highest fold.")
    assert str(data).splitlines()[2].split() == ["train", "12", "1", "4", "4", "4"]


def test_a_fold_is_never_taken_in_part(tmp_path: Path) -> None:
    data = open_dataset("brain_mri", write_folds(tmp_path), profile=replace(PROFILES["quick"], max_train_images=15))
    assert len(data.train) == len(data.validation) == 12


def test_two_folds_leave_none_for_validation(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"12 images of 1 patients can not be parted .* second fold"):
        open_dataset("brain_mri", write_folds(tmp_path, folds=(1, 2)))


def test_simulated_slices_are_parted_by_patient(tmp_path: Path) -> None:
    data = open_dataset("brain_mri", write_phantoms(tmp_path), validation_fraction=0.25)
    assert data.title == "Phantom brain tumours (simulated)"
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))
    assert len(data.validation) == 6


def test_simulated_slices_are_made_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantoms, "QUICK_SET", phantoms.Settings({"train": 6, "test": 3}, seed=0, pixels=32))
    monkeypatch.setattr("course_lib.modalities.modality.COURSE_ROOT", tmp_path)
    data = open_dataset("brain_mri", "phantom", profile=PROFILES["quick"], validation_fraction=0.5)
    assert data.simulated
    assert len({one.patient for one in data.test}) == 3
    assert data.test[0].path.is_relative_to(tmp_path / "datasets" / "phantom-brain-mri")


def test_the_card_says_how_many_are_simulated() -> None:
    quick, full = phantoms.QUICK_SET.patients, phantoms.FULL_SET.patients
    source = load_card("phantom-brain-mri").source
    assert f"{quick['train']} + {quick['test']} phantoms" in source
    assert f"COURSE_PROFILE=full {full['train']} + {full['test']}." in source
    assert load_card("phantom-brain-mri").version == str(phantoms.VERSION)


def test_a_folder_of_matlab_files_is_opened_as_pictures_by_patient(tmp_path: Path, cache: Path) -> None:
    data = open_dataset("brain_mri", write_set(tmp_path / "set", folds=5), validation_fraction=0.25)
    assert data.name == load_card(SLUG).name
    assert {one.patient for one in data.test} == {"P51", "P52", "P53"}
    assert len({one.patient for one in data.validation}) == 3
    assert data.train[0].path.is_relative_to(cache)
    assert "25% of them, by patient, for validation" in data.note


def test_matlab_files_are_no_chest_x_rays(tmp_path: Path, cache: Path) -> None:
    made = dataset_folder("brain_mri", write_set(tmp_path / "set"))
    assert made.is_relative_to(cache)
    with pytest.raises(DataError, match=r"is a data set of brain_mri, but chest X-rays were asked for"):
        open_dataset(source=made)
    with pytest.raises(DataError, match=r"is a data set of brain_mri, but volumes of the hippocampus were asked for"):
        open_dataset("hippocampus_mri", made)


def small_card(change: Callable[[str], str] = str) -> None:
    """The card beside the learner's others, for an archive with few files."""
    text = (CARDS_FOLDER / f"{SLUG}.toml").read_text(encoding="utf-8")
    text = change(text.replace("= 3064", f"= {FILES - 1}"))
    (dataset_card.CARDS_FOLDER / f"{SLUG}.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def archive(learner: Learner, tmp_path: Path) -> Path:
    """What Kaggle serves: the files in two folders, and what else somebody may have put there."""
    small_card()
    folder = write_set(tmp_path / "packed")
    path = tmp_path / "figshare.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for file in folder.rglob("*.mat"):
            content.write(file, f"dataset/{file.relative_to(folder)}")
        content.writestr("dataset/README.txt", "notes")
        content.writestr("__MACOSX/dataset/data/._1.mat", b"\0\5\x16\7")
    learner.world.archives[HANDLE] = lambda: path
    return path


@pytest.mark.usefixtures("archive")
def test_kaggles_files_are_fetched_verified_and_made_into_pictures(learner: Learner) -> None:
    data = open_dataset("brain_mri", "kaggle", validation_fraction=0.5)
    assert {one.patient for one in data.test} == {"P31", "P32", "P33"}
    assert len(data.train) + len(data.validation) == 6
    assert {path.suffix for path in (learner.cache / SLUG).iterdir()} == {".mat", ""}
    assert verify(learner.cache / SLUG, load_card(SLUG)) == FILES
    asked = len(learner.world.log)
    assert open_dataset("brain_mri", "kaggle", validation_fraction=0.5) == data
    assert len(learner.world.log) == asked


@pytest.mark.usefixtures("archive")
def test_a_changed_file_is_found_out(learner: Learner) -> None:
    dataset_folder("brain_mri", "kaggle")
    (learner.cache / SLUG / "3.mat").write_bytes(b"other")
    with pytest.raises(DataError, match=r"has changed since it was unpacked, in 1 places: 3\.mat has another SHA-256"):
        verify(learner.cache / SLUG, load_card(SLUG))
    (learner.cache / SLUG / "3.mat").unlink()
    with pytest.raises(DataError, match=r"has lost 1 files of Brain tumours .* \(3\.mat\)\. Remove"):
        dataset_folder("brain_mri", learner.cache / SLUG)


def rewrite(archive: Path, change: Callable[[str, bytes], dict[str, bytes]]) -> None:
    with zipfile.ZipFile(archive) as content:
        members = {name: content.read(name) for name in content.namelist()}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in members.items():
            for new, changed in change(name, data).items():
                content.writestr(new, changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name, data: {} if name.endswith("/3.mat") else {name: data}, r"has 8 files instead of 9"),
        (lambda name, data: {name: data, f"copy/{name}": data}, r"is refused: it holds \w+\.mat twice"),
        (
            lambda name, data: {name: b"MATLAB 5.0 MAT-file" + data[19:126]},
            r"\.mat in the archive is no file of MATLAB",
        ),
        (lambda name, data: {} if "cvind" in name else {name: data}, r"cvind.* has 0 files instead of 1"),
    ],
)
def test_an_archive_of_other_files_is_refused(
    learner: Learner, archive: Path, change: Callable[[str, bytes], dict[str, bytes]], said: str
) -> None:
    rewrite(archive, change)
    with pytest.raises(ArchiveError, match=said):
        open_dataset("brain_mri", "kaggle")
    assert not (learner.cache / SLUG).exists()


@pytest.fixture
def weights_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: object, folder: Path) -> Path:
        path = folder / "resnet18-f37072fd.pth"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"weights")
        return path

    monkeypatch.setattr(weights, "cached_file", write)


def writable(room: Path) -> None:
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.usefixtures("weights_are_here", "archive")
def test_a_room_has_the_pictures_of_what_kaggle_serves(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room"
    assert workshop_room.main([str(room), SLUG]) == 0
    assert f"{FILES - 1} verified images" in capsys.readouterr().out
    assert {path.name for path in (room / SLUG).iterdir()} == {"images", "masks", "SHA256SUMS"}
    shutil.rmtree(learner.cache)
    monkeypatch.setenv("COURSE_DATA", str(room))
    data = open_dataset("brain_mri", validation_fraction=0.5)
    assert data.test[0].path.is_relative_to(room)
    assert {one.patient for one in data.test} == {"P31", "P32", "P33"}
    assert workshop_room.main([str(room), SLUG]) == 0, "a second time"
    writable(room)


@pytest.mark.usefixtures("weights_are_here")
@pytest.mark.parametrize("kind", ["pictures", "matlab"])
def test_a_room_takes_what_the_user_has(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    small_card()
    given = tmp_path / "given"
    (write_folds if kind == "pictures" else write_set)(given)
    monkeypatch.setenv("COURSE_DATA", str(given))
    room = tmp_path / "room"
    assert workshop_room.main([str(room), SLUG]) == 0
    assert f"{36 if kind == 'pictures' else 9} verified images" in capsys.readouterr().out
    assert not learner.world.log
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert dataset_folder("brain_mri") == room.resolve() / SLUG
    changed = next((room / SLUG / "masks" / "glioma").iterdir())
    changed.chmod(0o644)
    changed.write_bytes(b"other")
    assert workshop_room.main([str(room), SLUG]) == 1
    assert "has changed since it was copied, in 1 files (masks/glioma/" in capsys.readouterr().err
    writable(room)


@pytest.mark.usefixtures("weights_are_here", "archive")
def test_bad_files_are_named_before_a_room_is_filled(
    learner: Learner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = dataset_folder("brain_mri", "kaggle").parent / SLUG
    with h5py.File(folder / "3.mat", "r+") as file:
        del file["cjdata/PID"]
    capsys.readouterr()
    assert workshop_room.main([str(tmp_path / "room"), SLUG]) == 1
    assert "1 of 9 slices in" in (said := capsys.readouterr().err)
    assert "3.mat holds no cjdata/PID" in said
    assert not (tmp_path / "room" / SLUG).exists()
    assert learner.cache.is_dir()
