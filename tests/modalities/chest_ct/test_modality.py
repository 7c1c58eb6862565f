"""Crops of lung nodules are opened wherever they come from: a simulator, a folder, Kaggle, a room."""

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.data.image_folder import recognise_card
from course_lib.data.marked_slices import files_of_marked
from course_lib.data.splits import check_patients_apart
from course_lib.modalities import room as workshop_room
from course_lib.modalities.chest_ct import phantoms
from course_lib.modalities.registry import dataset_folder, open_dataset
from course_lib.networks import weights
from course_lib.sources import dataset_card
from course_lib.sources.archive import ArchiveError, verify
from course_lib.sources.dataset_card import CARDS_FOLDER, load_card
from course_lib.support.errors import DataError
from course_lib.support.runtime import PROFILES
from tests.modalities.chest_ct.marked_folder import READERS, write_nodule, write_patients, write_phantoms
from tests.sources.kaggle_fixtures import Learner

SLUG = "lidc-nodules"
HANDLE = "zhangweiled/lidcidri/1"
FIRST, PATIENTS, SLICES = 7, 6, 27  #: of the small set; 10 and 12 are held back for the test


def test_a_folder_is_parted_by_patient(tmp_path: Path) -> None:
    data = open_dataset("chest_ct", write_patients(tmp_path, patients=20), validation_fraction=0.25)
    assert data.card == load_card(SLUG)
    assert data.classes == ("background", "nodule")
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))
    assert "by patient, for validation" in data.note
    assert data.note.endswith("There is no folder test/: the test part is a fixed fifth of the patients.")
    assert data.counted == "slices"


def test_a_profile_takes_whole_patients(tmp_path: Path) -> None:
    profile = replace(PROFILES["quick"], max_train_images=20)
    data = open_dataset("chest_ct", write_patients(tmp_path, patients=20), profile=profile, validation_fraction=0.5)
    taken = [one.patient for one in (*data.train, *data.validation)]
    assert 12 < len(taken) <= 20
    assert all(taken.count(patient) == 3 * (1 + int(patient[-4:]) % 2) for patient in taken)


def test_simulated_crops_are_known_by_their_patients(tmp_path: Path) -> None:
    data = open_dataset("chest_ct", write_phantoms(tmp_path))
    assert data.title == "Phantom lung nodules in CT (simulated)"
    assert {one.patient for one in data.test} == {"phantom0011", "phantom0012"}
    assert "test/" not in data.note


def test_simulated_crops_are_made_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantoms, "make_dataset", lambda root, _: write_phantoms(root))
    monkeypatch.setattr("course_lib.modalities.modality.COURSE_ROOT", tmp_path)
    data = open_dataset("chest_ct", "phantom", profile=PROFILES["quick"])
    assert data.simulated
    assert data.test[0].path.is_relative_to(tmp_path / "datasets" / "phantom-chest-ct" / f"v{phantoms.VERSION}-quick")


def test_the_card_says_how_many_are_simulated() -> None:
    quick, full = phantoms.QUICK_SET.patients, phantoms.FULL_SET.patients
    source = load_card("phantom-chest-ct").source
    assert f"{quick['train']} + {quick['test']} phantoms" in source
    assert f"COURSE_PROFILE=full {full['train']} + {full['test']}." in source
    assert load_card("phantom-chest-ct").version == str(phantoms.VERSION)


def test_a_folder_of_ones_own_needs_no_card(tmp_path: Path) -> None:
    data = open_dataset("chest_ct", write_patients(tmp_path, "p{}"), validation_fraction=0.5)
    assert data.card is None
    assert data.classes == ("background", "nodule")


def test_a_folder_that_was_packed_one_level_deeper_is_opened(tmp_path: Path) -> None:
    write_patients(tmp_path / "archive" / "LIDC-IDRI-slices")
    assert dataset_folder("chest_ct", tmp_path / "archive").name == "LIDC-IDRI-slices"


def test_patients_with_other_names_are_named(tmp_path: Path) -> None:
    write_patients(tmp_path, patients=4)
    write_nodule(tmp_path / "LIDC-0099" / "nodule-0")
    with pytest.raises(DataError, match=r"looks like Lung nodules .* 1 of its 5 names have another form \(LIDC-0099\)"):
        open_dataset("chest_ct", tmp_path)


def test_crops_are_no_chest_x_rays(tmp_path: Path) -> None:
    root = write_patients(tmp_path / SLUG, patients=4)
    assert recognise_card(root) == load_card(SLUG)
    with pytest.raises(DataError, match=r"is a data set of chest_ct, but chest X-rays were asked for"):
        open_dataset(source=root)
    with pytest.raises(DataError, match=r"holds lidc-nodules, but no slices of brain tumours"):
        open_dataset("brain_mri", tmp_path)


@pytest.fixture
def archive(learner: Learner, tmp_path: Path) -> Path:
    """What Kaggle serves: the patients in a folder, and what else somebody may have put there."""
    text = (CARDS_FOLDER / f"{SLUG}.toml").read_text(encoding="utf-8")
    text = text.replace("= 15548", f"= {SLICES}").replace("= 62192", f"= {READERS * SLICES}")
    (dataset_card.CARDS_FOLDER / f"{SLUG}.toml").write_text(text, encoding="utf-8")
    folder = write_patients(tmp_path / "packed", patients=PATIENTS, first=FIRST)
    path = tmp_path / "lidc.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for file in files_of_marked(folder):
            content.write(file, f"LIDC-IDRI-slices/{file.relative_to(folder)}")
        content.writestr("LIDC-IDRI-slices/README.txt", "notes")
        content.writestr("__MACOSX/LIDC-IDRI-0001/nodule-0/images/slice-0.png", b"\0\5\x16\7")
    learner.world.archives[HANDLE] = lambda: path
    return path


@pytest.mark.usefixtures("archive")
def test_kaggles_files_are_fetched_and_verified(learner: Learner) -> None:
    data = open_dataset("chest_ct", "kaggle", validation_fraction=0.5)
    assert len(data.train) + len(data.validation) + len(data.test) == SLICES
    assert {path.name for path in (learner.cache / SLUG).iterdir()} == {
        *(f"LIDC-IDRI-{number:04d}" for number in range(FIRST, FIRST + PATIENTS)),
        "SHA256SUMS",
    }
    assert verify(learner.cache / SLUG, load_card(SLUG)) == SLICES * (1 + READERS)
    asked = len(learner.world.log)
    assert open_dataset("chest_ct", "kaggle", validation_fraction=0.5) == data
    assert len(learner.world.log) == asked


@pytest.mark.usefixtures("archive")
def test_a_mask_that_changed_or_was_lost_is_found_out() -> None:
    folder = dataset_folder("chest_ct", "kaggle")
    mask = folder / "LIDC-IDRI-0008" / "nodule-0" / "mask-1" / "slice-2.png"
    shutil.copy(mask.parents[1] / "images" / "slice-0.png", mask)
    with pytest.raises(DataError, match=r"in 1 places: LIDC-IDRI-0008/nodule-0/mask-1/slice-2\.png has another SHA"):
        verify(folder, load_card(SLUG))
    mask.unlink()
    with pytest.raises(
        DataError, match=r"has lost 1 files of Lung nodules .* \(LIDC-IDRI-0008/.*/slice-2\.png\)\. Rem"
    ):
        dataset_folder("chest_ct", folder)


def without(content: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    return {other: content.read(other) for other in content.namelist() if other != name}


MASK = "LIDC-IDRI-slices/LIDC-IDRI-0008/nodule-0/mask-1/slice-2.png"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: without(content, MASK), r"has 107 files instead of 108"),
        (
            lambda content: without(content, "") | {f"copy/{MASK}": b""},
            r"is refused: it holds LIDC-.*slice-2\.png twice",
        ),
        (lambda content: without(content, MASK) | {MASK: b"GIF89a"}, r"slice-2\.png in the archive is no JPEG or PNG"),
    ],
)
def test_an_archive_of_other_files_is_refused(
    learner: Learner, archive: Path, change: Callable[[zipfile.ZipFile], dict[str, bytes]], said: str
) -> None:
    with zipfile.ZipFile(archive) as content:
        members = change(content)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in members.items():
            content.writestr(name, data)
    with pytest.raises(ArchiveError, match=said):
        open_dataset("chest_ct", "kaggle")
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


@pytest.mark.usefixtures("weights_are_here", "archive")
@pytest.mark.parametrize("given", ["nothing", "a part", "a part, packed deeper"])
def test_a_room_takes_what_the_user_has_or_what_kaggle_serves(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    if given != "nothing":
        monkeypatch.setenv("COURSE_DATA", str(tmp_path / "given"))
        write_patients(tmp_path / "given" / ("deeper" if "deeper" in given else ""), patients=4, first=9)
    slices = SLICES if given == "nothing" else 18
    room = tmp_path / "room"
    assert workshop_room.main([str(room), SLUG]) == 0
    assert f"{slices} verified images" in capsys.readouterr().out
    assert bool(learner.world.log) == (given == "nothing")
    monkeypatch.setenv("COURSE_DATA", str(room))
    data = open_dataset("chest_ct", validation_fraction=0.5)
    assert len(data.train) + len(data.validation) + len(data.test) == slices
    assert data.test[0].path.is_relative_to(room.resolve() / SLUG)
    assert workshop_room.main([str(room), SLUG]) == 0, "a second time"
    changed = data.test[0].masks[3]
    changed.chmod(0o644)
    changed.write_bytes(b"other")
    assert workshop_room.main([str(room), SLUG]) == 1
    assert "has changed since it was copied, in 1 files (LIDC-IDRI-" in capsys.readouterr().err
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
