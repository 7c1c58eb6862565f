"""Films with findings in boxes are opened wherever they come from: a simulator, a folder, Kaggle, a room."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.data.image_folder import recognise_card
from course_lib.data.splits import check_patients_apart
from course_lib.modalities import room as workshop_room
from course_lib.modalities.chest_findings import phantoms
from course_lib.modalities.registry import dataset_folder, open_dataset
from course_lib.modalities.simulated_chest.findings import FINDINGS
from course_lib.networks import weights
from course_lib.sources import dataset_card
from course_lib.sources.dataset_card import CARDS_FOLDER, load_card
from course_lib.support.errors import DataError
from course_lib.support.runtime import PROFILES
from tests.modalities.chest_findings.made_films import write_film, write_patients, write_phantoms
from tests.sources import nih_set
from tests.sources.kaggle_fixtures import Learner

SLUG, SIMULATED = "nih-chest-xrays", "phantom-chest-findings"


def test_a_folder_is_parted_by_patient_and_says_what_it_is(tmp_path: Path) -> None:
    data = open_dataset("chest_findings", write_patients(tmp_path, patients=30), validation_fraction=0.25)
    assert data.card == load_card(SLUG)
    assert data.classes == load_card(SLUG).classes
    assert not data.simulated
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))
    assert "training films, " in data.note
    assert "by patient, for validation" in data.note
    assert data.note.endswith("There is no folder test/: the test part is a fixed fifth of the patients.")
    title, head, *_ = str(data).splitlines()
    assert title == "Chest X-rays with findings in boxes (NIH ChestX-ray14)"
    assert head.split() == ["films", "patients"]
    assert "labels: Nodule, Mass, Effusion, " in str(data)


def test_a_profile_takes_whole_patients(tmp_path: Path) -> None:
    profile = replace(PROFILES["quick"], max_train_images=20)
    data = open_dataset("chest_findings", write_patients(tmp_path, patients=30), profile=profile)
    taken = [film.patient for film in (*data.train, *data.validation)]
    assert 12 < len(taken) <= 20
    assert all(taken.count(patient) == 1 + int(patient) % 2 for patient in taken)


def test_simulated_films_are_known_by_their_names(tmp_path: Path) -> None:
    data = open_dataset("chest_findings", write_phantoms(tmp_path))
    assert data.title == "Phantom chest X-rays with findings in boxes (simulated)"
    assert data.classes == load_card(SLUG).classes[:6]
    assert {film.patient for film in data.test} == {"phantom0011", "phantom0012", "phantom0013"}
    assert "test/" not in data.note


def test_simulated_films_are_made_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantoms, "make_dataset", lambda root, _: write_phantoms(root))
    monkeypatch.setattr("course_lib.modalities.modality.COURSE_ROOT", tmp_path)
    data = open_dataset("chest_findings", "phantom", profile=PROFILES["quick"])
    assert data.simulated
    assert data.test[0].path.is_relative_to(tmp_path / "datasets" / SIMULATED / f"v{phantoms.VERSION}-quick")


def test_the_card_says_how_many_are_simulated() -> None:
    quick, full = phantoms.QUICK_SET.patients, phantoms.FULL_SET.patients
    source = load_card(SIMULATED).source
    assert f"{quick['train']} + {quick['test']} phantoms" in source
    assert f"COURSE_PROFILE=full {full['train']} + {full['test']}." in source
    assert load_card(SIMULATED).version == str(phantoms.VERSION)
    assert load_card(SIMULATED).classes == FINDINGS == load_card(SLUG).classes[: len(FINDINGS)]


def test_a_folder_may_hold_several_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_patients(tmp_path / SLUG, patients=20)
    write_phantoms(tmp_path / SIMULATED)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert dataset_folder("chest_findings") == tmp_path.resolve() / SLUG
    shutil.rmtree(tmp_path / SLUG)
    assert open_dataset("chest_findings").simulated
    with pytest.raises(DataError, match=r"holds phantom-chest-findings, but no chest X-rays: expected"):
        open_dataset()


def test_a_folder_that_was_packed_one_level_deeper_is_opened(tmp_path: Path) -> None:
    write_patients(tmp_path / "archive" / "NIH")
    assert dataset_folder("chest_findings", tmp_path / "archive").name == "NIH"


def test_a_folder_whose_table_was_lost_says_so(tmp_path: Path) -> None:
    root = write_patients(tmp_path, patients=4)
    (root / "boxes.csv").unlink()
    with pytest.raises(DataError, match=r"There is no .*boxes\.csv\. Expected one with the columns"):
        open_dataset("chest_findings", root)


def test_films_with_other_names_are_named(tmp_path: Path) -> None:
    root = write_patients(tmp_path, patients=4)
    write_film(root / "images" / "anna.jpg")
    with pytest.raises(DataError, match=r"looks like Chest X-rays with .* 1 of its 7 names .* \(images/anna\.jpg\)"):
        open_dataset("chest_findings", root)


def test_findings_are_no_other_modality(tmp_path: Path) -> None:
    root = write_patients(tmp_path / SLUG, patients=4)
    assert recognise_card(root) == load_card(SLUG)
    with pytest.raises(DataError, match=r"is a data set of chest_findings, but chest X-rays were asked for"):
        open_dataset(source=root)
    with pytest.raises(DataError, match=r"holds nih-chest-xrays, but no slices of brain tumours"):
        open_dataset("brain_mri", tmp_path)
    with pytest.raises(DataError, match=r"but findings in boxes on chest X-rays were asked for"):
        open_dataset("chest_findings", "kaggle:lidc-nodules")


@pytest.mark.slow
def test_kaggles_films_are_fetched_and_opened(learner: Learner) -> None:
    card = (CARDS_FOLDER / f"{SLUG}.toml").read_text(encoding="utf-8").replace("= 1760", f"= {2 * len(nih_set.BOXED)}")
    (dataset_card.CARDS_FOLDER / f"{SLUG}.toml").write_text(card, encoding="utf-8")
    learner.world.singles = nih_set.whole_set()
    data = open_dataset("chest_findings", "kaggle", validation_fraction=0.5)
    films = {film.path.name: film for film in (*data.train, *data.validation, *data.test)}
    assert len(films) == 2 * len(nih_set.BOXED)
    assert {name for name, film in films.items() if film.boxes} == set(nih_set.BOXED)
    assert films[nih_set.BOXED[0]].boxes == ((225.1, 547.0, 311.9, 626.2), (0, 10.5, 100, 210.5))
    assert [data.classes[label] for label in films[nih_set.BOXED[0]].labels] == ["Nodule", "Infiltrate"]


def test_a_room_takes_what_the_user_has(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def write_weights(_: object, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "resnet18-f37072fd.pth"
        if not path.exists():
            path.write_bytes(b"weights")
        return path

    monkeypatch.setattr(weights, "cached_file", write_weights)
    shutil.copy(CARDS_FOLDER / f"{SLUG}.toml", dataset_card.CARDS_FOLDER)
    write_patients(tmp_path / "given", patients=20)
    (tmp_path / "given" / "notes.txt").write_text("mine")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "given"))
    room = tmp_path / "room"
    assert workshop_room.main([str(room), SLUG]) == 0
    assert "30 verified images" in capsys.readouterr().out
    assert not learner.world.log
    assert {path.name for path in (room / SLUG).iterdir()} == {"images", "boxes.csv", "SHA256SUMS"}
    given = open_dataset("chest_findings")
    monkeypatch.setenv("COURSE_DATA", str(room))
    data = open_dataset("chest_findings")
    assert data.note == given.note
    assert data.test[0].path.is_relative_to(room.resolve() / SLUG)
    assert workshop_room.main([str(room), SLUG]) == 0, "a second time"
    changed = room / SLUG / "boxes.csv"
    changed.chmod(0o644)
    changed.write_bytes(b"other")
    assert workshop_room.main([str(room), SLUG]) == 1
    assert "has changed since it was copied, in 1 files (boxes.csv)" in capsys.readouterr().err
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
