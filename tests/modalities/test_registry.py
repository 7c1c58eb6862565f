"""Opening a data set: checked before any training time is spent."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.data.splits import check_patients_apart
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.chest_xray import modality
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.hippocampus_mri import phantoms as hippocampus_phantoms
from course_lib.modalities.registry import dataset_folder, open_dataset
from course_lib.sources import dataset_card
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT, PROFILES
from tests.conftest import write_image
from tests.modalities.hippocampus_mri.conftest import write_volume

SMALL = Preprocessing(size=32)


def test_phantoms_are_the_default_and_say_that_they_are_simulated() -> None:
    data = open_dataset()
    assert data.simulated
    assert "simulated" in data.title
    assert str(data).startswith(data.title)
    assert data.classes == ("NORMAL", "PNEUMONIA")
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))


@pytest.mark.slow
def test_the_quick_profile_unpacks_the_phantoms_of_the_course_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = phantom.Settings({"train": 24, "val": 2, "test": 8}, size_px=24, seed=0)
    made = phantom.make_dataset(tmp_path / "made", settings, workers=1, progress=False)
    monkeypatch.setattr(phantom, "QUICK_ARCHIVE", phantom.pack_dataset(made, tmp_path / "quick.zip"))
    monkeypatch.setattr(modality, "COURSE_ROOT", tmp_path)
    data = open_dataset(source="phantom", profile=PROFILES["quick"])
    root = tmp_path / "datasets" / "phantom" / f"v{phantom.VERSION}-quick"
    assert data.train[0].path.parents[2] == root
    assert phantom.check_dataset(root) == settings
    assert len({r.patient for r in (*data.train, *data.validation)}) == 24
    before = root.stat().st_mtime_ns
    assert open_dataset(source="phantom", profile=PROFILES["quick"]) == data
    assert root.stat().st_mtime_ns == before


def test_without_the_phantoms_of_the_course_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom, "QUICK_ARCHIVE", tmp_path / "quick.zip")
    monkeypatch.setattr(modality, "COURSE_ROOT", tmp_path)
    with pytest.raises(phantom.PhantomError, match=r"quick\.zip is missing or damaged: .*git checkout"):
        open_dataset(source="phantom", profile=PROFILES["quick"])


@pytest.mark.slow
def test_the_full_profile_makes_its_own_phantoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(phantom.QUICK_SET, size_px=24)
    monkeypatch.setattr(phantom, "QUICK_SET", small)
    monkeypatch.setattr(modality, "COURSE_ROOT", tmp_path)
    data = open_dataset(source="phantom", profile=replace(PROFILES["full"], phantom_patients=30))
    root = data.train[0].path.parents[2]
    assert root == tmp_path / "datasets" / "phantom" / f"v{phantom.VERSION}-full"
    assert phantom.check_dataset(root) == replace(small, patients={"train": 30, "val": 3, "test": 10})
    full = PROFILES["full"].phantom_patients
    assert full is not None
    assert full > 4 * phantom.QUICK_SET.patients["train"]


def test_a_folder_by_argument_or_by_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_argument = open_dataset(source=folder)
    monkeypatch.setenv("COURSE_DATA", str(folder))
    assert open_dataset() == by_argument
    assert len(by_argument.train) + len(by_argument.validation) == 32
    assert len(by_argument.test) == 12


def test_names_of_folders_are_spelled_out(folder: Path) -> None:
    red = folder.rename(folder.with_name("\x1b[31mred"))
    with pytest.raises(DataError, match=r"There is no folder .*\\x1b\[31mred/nowhere"):
        open_dataset(source=red / "nowhere")
    (red / "test" / "PNEUMONIA").rename(red / "test" / "\x1b[31mRED")
    for disease in ("PNEUMONIA", None):
        with pytest.raises(DataError, match=r"\\x1b\[31mRED") as refused:
            open_dataset(source=red, disease=disease)
        assert str(refused.value).isprintable()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no folder .*nowhere.*check COURSE_DATA, or unset it"):
        open_dataset(source=tmp_path / "nowhere")


def test_a_folder_may_be_given_from_the_courses_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    root = open_dataset(source="phantom").train[0].path.parents[2]
    assert open_dataset(source=root.relative_to(COURSE_ROOT)) == open_dataset(source=root)


def test_a_profile_bounds_the_images_and_the_note_says_so(folder: Path) -> None:
    data = open_dataset(source=folder, profile=replace(PROFILES["quick"], max_train_images=28))
    assert len(data.train) + len(data.validation) == 28
    assert "28 of the 32 training images" in data.note
    assert "COURSE_PROFILE=full takes all" in data.note


def test_the_note_says_which_part_is_really_held_back(folder: Path) -> None:
    data = open_dataset(source=folder, validation_fraction=0.08)
    part = len(data.validation) / (len(data.train) + len(data.validation))
    assert part > 0.085, "a class has eight patients"
    assert f"training images, {part:.0%} of them, by patient" in data.note


def test_a_patient_in_train_and_test(folder: Path) -> None:
    write_image(folder / "test" / "NORMAL" / "phantom0001_normal_9.jpeg", bright=False)
    with pytest.raises(DataError, match=r"train and test must not share patients, but 1 are in both \(phantom0001\)"):
        open_dataset(source=folder)


def test_train_and_test_with_other_classes(folder: Path) -> None:
    (folder / "test" / "NORMAL").rename(folder / "test" / "HEALTHY")
    with pytest.raises(DataError, match=r"only train/ has NORMAL; only test/ has HEALTHY"):
        open_dataset(source=folder)


@pytest.mark.parametrize("told", ["call", "variable", "names"])
def test_the_disease_of_a_folder_of_ones_own_is_label_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    healthy = "NORMAL" if told == "names" else "OTHERS"
    for part in ("train", "test"):
        (folder / part / "PNEUMONIA").rename(folder / part / "COVID")
        (folder / part / "NORMAL").rename(folder / part / healthy)
    if told != "names":
        with pytest.raises(DataError, match=r"Which of the two classes in .* is the disease, COVID or OTHERS"):
            open_dataset(source=folder)
    if told == "variable":
        monkeypatch.setenv("COURSE_DISEASE", "COVID")
    data = open_dataset(source=folder, disease="COVID" if told == "call" else None)
    assert data.classes == (healthy, "COVID")
    assert all(r.path.parent.name == data.classes[r.label] for r in (*data.train, *data.validation, *data.test))
    reason = {
        "call": "as disease=… says",
        "variable": "as COURSE_DISEASE says",
        "names": "since NORMAL names the healthy",
    }
    assert data.note.endswith(f" Label 1, the disease, is COVID, {reason[told]}.")


def test_a_test_part_that_is_a_copy_of_train_is_refused(folder: Path) -> None:
    for number, path in enumerate(sorted(folder.glob("*/*/*.jpeg"))):
        person = f"person{number}_virus_{number}" if path.parent.name == "PNEUMONIA" else f"IM-{number:04d}-0001"
        path.rename(path.with_name(f"{person}.jpeg"))
    data = open_dataset(source=folder)
    assert data.card is not None
    assert data.card.splits_share_no_patient
    shutil.rmtree(folder / "test")
    shutil.copytree(folder / "train", folder / "test")
    with pytest.raises(
        DataError, match=r"32 of the 32 test images lie in train too, .* or remove the folder test/, so"
    ):
        open_dataset(source=folder)


def test_an_unreadable_image_is_named_when_its_pixels_are_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "test" / "NORMAL" / "phantom0008_normal_1.jpeg").write_bytes(b"\xff\xd8\xff")
    data = open_dataset(source=folder)
    assert len(data.cached("train", SMALL)) == len(data.train)
    with pytest.raises(DataError, match=r"1 of 12 images can not be used:\n.*phantom0008_normal_1\.jpeg"):
        data.cached("test", SMALL)
    assert len(data.cached("test", SMALL, skip_unreadable=True)) == 11
    assert "phantom0008_normal_1.jpeg" in capsys.readouterr().out


def test_some_of_the_images_can_be_cached_with_a_change(folder: Path) -> None:
    data = open_dataset(source=folder)
    some = data.cached(data.train[3:5], SMALL, lambda images: 1 - images)
    assert some.samples == data.train[3:5]
    assert torch.allclose(some.inputs(torch.tensor([0])), -data.cached("train", SMALL).inputs(torch.tensor([3])))


def test_the_folder_of_a_source_is_given_without_opening_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert dataset_folder() == tmp_path.resolve()
    assert dataset_folder(source="phantom") == open_dataset(source="phantom").train[0].path.parents[2]
    with pytest.raises(DataError, match="There is no folder"):
        dataset_folder(source=tmp_path / "nowhere")


def test_without_a_name_chest_x_rays_are_opened(folder: Path) -> None:
    assert open_dataset("chest_xray", folder) == open_dataset(source=folder)


@pytest.mark.parametrize("name", ["moon", "kaggle", "xrays/"])
def test_an_unknown_modality_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(
        ValueError, match=rf"no modality '{name}': expected one of chest_xray \(chest X-rays\).*source=…"
    ):
        open_dataset(name)


def test_a_folder_may_hold_several_sets_by_the_names_of_their_cards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = open_dataset(source=folder)
    several = folder.parent / "several"
    shutil.copytree(folder, several / "phantom")
    (several / "something else").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(several))
    assert dataset_folder() == several.resolve() / "phantom"
    assert open_dataset().name == alone.name
    write_image(several / "chest-xray-pneumonia" / "train" / "NORMAL" / "IM-0001-0001.jpeg", bright=False)
    assert dataset_folder() == several.resolve() / "chest-xray-pneumonia"


def test_a_set_of_another_modality_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_card(tmp_path / "cards", monkeypatch, 'modality = "chest_xray"', 'modality = "hand_xray"')
    with pytest.raises(DataError, match=r"Phantom chest radiographs is a data set of hand_xray, but chest X-rays were"):
        open_dataset(source=folder)
    with pytest.raises(DataError, match=r"Open it with open_dataset\('hand_xray', source=…\)"):
        open_dataset(source="kaggle:phantom")


def test_a_licence_that_forbids_commercial_use_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_dataset(source=folder)
    assert capsys.readouterr().out == ""
    change_card(tmp_path / "cards", monkeypatch, "commercial_use = true", "commercial_use = false")
    data = open_dataset(source=folder)
    notice = "Phantom chest radiographs: licence CC BY 4.0, not for commercial use."
    assert capsys.readouterr().out == notice + "\n"
    assert str(data).splitlines()[-1] == notice


def test_without_a_folder_test_a_fixed_fifth_of_the_patients_is_held_back(folder: Path) -> None:
    for path in folder.glob("test/*/*"):
        path.rename(folder / "train" / path.parent.name / path.name)
    shutil.rmtree(folder / "test")
    data = open_dataset(source=folder)
    assert data.note.endswith("There is no folder test/: the test part is a fixed fifth of the patients.")
    used = {r.patient for r in (*data.train, *data.validation)}
    assert used.isdisjoint(r.patient for r in data.test)
    assert len(used) + len({r.patient for r in data.test}) == 22


def change_card(cards: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let the phantoms' card, the only one there is, say something else."""
    cards.mkdir()
    text = (dataset_card.CARDS_FOLDER / "phantom.toml").read_text(encoding="utf-8")
    assert old in text
    (cards / "phantom.toml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", cards)


def test_volumes_are_opened_by_their_modality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room, root = tmp_path / "room", tmp_path / "room" / "hippocampus-mri"
    for number in range(1, 31):
        write_volume(root, f"hippocampus_{number:03d}.nii.gz", seed=number)
    data = open_dataset("hippocampus_mri", root)
    assert data.classes == ("background", "anterior", "posterior")
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        check_patients_apart(getattr(data, one), getattr(data, other), (one, other))
    title, head, train, *_, labels, note = str(data).splitlines()
    assert title == "Medical Segmentation Decathlon, Task 04: hippocampus"
    assert head.split() == ["volumes", "patients"]
    assert train.split()[1] == str(len(data.train))
    assert labels == "labels: background, anterior, posterior"
    assert " training volumes, " in note
    assert "There is no folder test/: " in note
    assert note.endswith("where one of them is in the test part, the other one is left out.")
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert open_dataset("hippocampus_mri") == data
    with pytest.raises(DataError, match=r"holds hippocampus-mri, but no chest X-rays"):
        open_dataset()
    with pytest.raises(DataError, match=r"hippocampus is a data set of hippocampus_mri, but chest X-rays were asked"):
        open_dataset(source=root)


def test_volumes_of_a_few_patients_can_not_be_parted(tmp_path: Path) -> None:
    for number in (1, 2, 3, 7):  # of which only the last one is held back
        write_volume(tmp_path, f"hippocampus_{number:03d}.nii.gz", seed=number)
    with pytest.raises(DataError, match=r"20% of the patients can not be kept apart: there are only 2\. Add"):
        open_dataset("hippocampus_mri", tmp_path, validation_fraction=0.2)


def test_simulated_volumes_are_made_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hippocampus_phantoms, "QUICK_SET", hippocampus_phantoms.Settings({"train": 2, "test": 1}, 0))
    monkeypatch.setattr("course_lib.modalities.modality.COURSE_ROOT", tmp_path)
    data = open_dataset("hippocampus_mri", "phantom", profile=PROFILES["quick"], validation_fraction=0.5)
    assert data.title == "Phantom hippocampi (simulated)"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1, 1, 1]
    assert data.test[0].path.parents[3].name == "phantom-hippocampus"
    assert "There is no folder" not in data.note


def test_a_set_that_kaggle_does_not_have_says_where_it_is() -> None:
    with pytest.raises(DataError, match=r"Get Medical .* from its source \(http://medicaldecathlon\.com: Task04_Hippo"):
        open_dataset("hippocampus_mri", "kaggle")
