"""Whose image is it, is it readable, and does a split keep patients together?"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import image_folder
from course_lib.data.image_folder import (
    describe_test_part,
    hold_back_test,
    likely_card,
    patients_are_folds,
    read_part,
    read_split,
    recognise_card,
)
from course_lib.data.samples import ImageDataset, LabelledImage
from course_lib.data.splits import (
    check_patients_apart,
    draw_patients,
    folds_by_patient,
    split_by_patient,
    split_off_validation,
    take_patients,
)
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.sources import dataset_card
from course_lib.sources.dataset_card import load_card
from course_lib.support.errors import DataError
from tests.conftest import write_image


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person12_bacteria_34.jpeg", "person12"),
        ("person447_virus_921_1.jpeg", "person447"),
        ("IM-0115-0001.jpeg", "IM-0115"),
        ("IM-0439-0001-0002.jpeg", "IM-0439"),
        ("NORMAL2-IM-0439-0001-0002.jpeg", "NORMAL2-IM-0439"),
        ("holiday.jpeg", None),
        ("person_bacteria_34.jpeg", None),
    ],
)
def test_the_card_knows_the_patient_from_the_file_name(name: str, patient: str | None) -> None:
    assert load_card("chest-xray-pneumonia").patient_of(name) == patient


def test_an_unknown_card_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        DataError, match="No data card 'moon': expected one of brain-tumour-mri, chest-xray-pneumonia, "
    ):
        load_card("moon")


def test_a_folder_is_recognised_by_its_file_names(folder: Path) -> None:
    card = recognise_card(folder)
    assert card is not None
    assert card.slug == "phantom"


def test_a_strange_name_in_a_part_that_is_not_read_does_no_harm(folder: Path) -> None:
    (folder / "val" / "NORMAL").mkdir(parents=True, exist_ok=True)
    write_image(folder / "val" / "NORMAL" / "scan.jpeg", bright=False)
    card = recognise_card(folder)
    assert card is not None
    assert card.slug == "phantom"


def test_hidden_files_and_folders_do_not_count_when_a_card_is_recognised(folder: Path) -> None:
    for place in ("train/NORMAL/._phantom0001_normal_1.jpeg", "test/NORMAL/.DS_Store", "train/_old/scan.jpeg"):
        write_image(folder / f"{place}.jpeg", bright=False)
    card = recognise_card(folder)
    assert card is not None
    assert card.slug == "phantom"


@pytest.mark.parametrize("strange", [1, 4, 44])
def test_a_stray_file_does_not_hide_the_card_in_silence(folder: Path, strange: int) -> None:
    for n in range(strange):
        write_image(folder / "train" / "NORMAL" / f"scan{n:02d}.jpeg", bright=False)
    shown = r"train/NORMAL/scan00\.jpeg" + (", .*, .*, …" if strange > 3 else "")
    with pytest.raises(
        DataError,
        match=rf"xrays looks like Phantom .*, but {strange} of its {44 + strange} names have another form "
        rf"\({shown}\)\. Move them out, .* rename them in the form that datasets/phantom\.toml says",
    ):
        recognise_card(folder)
    card = likely_card(folder)
    assert card is not None, "an audit goes on"
    assert card.slug == "phantom"


def test_a_folder_with_few_names_of_a_card_is_one_of_its_own(folder: Path) -> None:
    for n in range(45):
        write_image(folder / "train" / "NORMAL" / f"scan{n}.jpeg", bright=False)
    assert recognise_card(folder) is None
    assert likely_card(folder) is None


def test_a_test_image_that_lies_in_train_too_is_refused(folder: Path) -> None:
    image = folder / "train" / "PNEUMONIA" / "phantom0100_virus_1.jpeg"
    shutil.copy(image, folder / "test" / "NORMAL" / "phantom0077_normal_1.jpeg")
    with pytest.raises(
        DataError,
        match=r"1 of the 13 test images lie in train too, byte for byte \(test/NORMAL/phantom0077_normal_1\.jpeg is "
        r"train/PNEUMONIA/phantom0100_virus_1\.jpeg\)\. .* score would be too good\. Remove the copies",
    ):
        read_part(folder, "test")
    assert len(read_part(folder, "train")[0]) == 32


@pytest.mark.parametrize("same_size", [True, False])
def test_an_image_that_can_not_be_read_does_not_stop_the_comparison(
    folder: Path, monkeypatch: pytest.MonkeyPatch, same_size: bool
) -> None:
    (folder / "train" / "NORMAL" / "phantom0055_normal_1.jpeg").symlink_to(folder / "nowhere")
    unreadable, other = folder / "test" / "NORMAL" / "phantom0077_normal_1.jpeg", sorted(folder.glob("train/*/*"))[1]
    unreadable.write_bytes(other.read_bytes() if same_size else b"x")

    def read(path: Path) -> str:
        if path == unreadable:
            raise PermissionError(13, "Permission denied", str(path))
        return path.name

    monkeypatch.setattr(image_folder, "digest_of_file", read)
    assert unreadable in [sample.path for sample in read_part(folder, "test")[0]]


def test_the_names_of_folders_are_spelled_out_in_messages(folder: Path) -> None:
    red = folder.rename(folder.with_name("\x1b[31mred"))
    (red / "train" / "\x1b[31mNONE").mkdir()
    for part in ("train", "val"):
        with pytest.raises(DataError, match=r"\\x1b\[31mred") as refused:
            read_split(red, part)
        assert str(refused.value).isprintable()


def test_only_files_of_one_size_are_compared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n, path in enumerate(sorted(folder.glob("*/*/*"))):
        path.write_bytes(bytes(100 + n))
    monkeypatch.setattr(image_folder, "digest_of_file", pytest.fail)
    read_part(folder, "test")


def test_other_classes_are_told_apart_in_both_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("train", "test"):
        (folder / part / "PNEUMONIA").rename(folder / part / "COVID")
        (folder / part / "NORMAL").rename(folder / part / "OTHERS")
    for part in ("train", "test"):
        with pytest.raises(DataError, match=rf"Which of the two classes in .*{part} is the disease, COVID or OTHERS"):
            read_split(folder, part)
    assert read_split(folder, "train", disease="OTHERS")[1] == ("COVID", "OTHERS")
    monkeypatch.setenv("COURSE_DISEASE", "COVID")
    for part in ("train", "test"):
        radiographs, classes = read_split(folder, part)
        assert classes == ("OTHERS", "COVID")
        assert all(classes[r.label] == r.path.parent.name for r in radiographs)


def test_labels_follow_the_classes_with_the_disease_as_the_second(folder: Path) -> None:
    radiographs, classes = read_split(folder, "train")
    assert classes == ("NORMAL", "PNEUMONIA")
    assert len(radiographs) == 32
    assert all(classes[r.label] == r.path.parent.name for r in radiographs)


def test_labels_follow_the_order_of_the_card_where_there_is_one(folder: Path) -> None:
    card = replace(load_card("phantom"), classes=("PNEUMONIA", "NORMAL"))
    radiographs, classes = read_split(folder, "train", card)
    assert classes == ("PNEUMONIA", "NORMAL")
    assert all(classes[r.label] == r.path.parent.name for r in radiographs)


def test_a_card_without_file_names_is_that_of_a_folder_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (dataset_card.CARDS_FOLDER / "phantom.toml").read_text(encoding="utf-8").split("file_names")[0]
    text = text.replace('slug = "phantom"', 'slug = "hearts"').replace(
        'patients_from = "file name"', 'patients_from = "fold"'
    )
    (tmp_path / "hearts.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", tmp_path)
    card = recognise_card(tmp_path / "hearts")
    assert card is not None
    assert card.slug == "hearts"
    assert recognise_card(tmp_path / "others") is None


def test_the_test_part_is_the_folder_test_where_there_is_one(folder: Path) -> None:
    assert read_part(folder, "train") == read_split(folder, "train")
    assert read_part(folder, "test") == read_split(folder, "test")
    assert describe_test_part(folder, read_part(folder, "test")[0]) == ""


def test_the_test_part_is_the_highest_fold_where_folds_are_given(tmp_path: Path) -> None:
    samples = [LabelledImage(Path(f"fold{1 + n % 3}_{n:04d}.jpg"), n % 2, f"fold{1 + n % 3}") for n in range(12)]
    rest, test = hold_back_test(samples)
    assert {sample.path.name[:5] for sample in test} == {"fold3"}
    assert [sample for sample in samples if sample in rest] == rest
    assert len(rest) == 8
    assert "the highest fold" in describe_test_part(tmp_path, test)


def test_validation_is_the_highest_fold_that_is_left_where_only_folds_keep_patients_apart() -> None:
    samples = [LabelledImage(Path(f"fold{1 + n % 3}_{n:04d}.jpg"), n // 6, f"fold{1 + n % 3}") for n in range(12)]
    train, validation = split_off_validation(samples)
    assert ({one.patient for one in train}, {one.patient for one in validation}) == ({"fold1", "fold2"}, {"fold3"})
    known = [replace(one, patient=f"p{n}") for n, one in enumerate(samples)]
    assert not patients_are_folds(known)
    assert split_off_validation(known, 0.5, seed=1) == split_by_patient(known, 0.5, seed=1)


def test_ten_folds_are_counted_as_numbers() -> None:
    samples = [LabelledImage(Path(f"fold{n}_1.jpg"), 0, f"p{n}") for n in range(1, 11)]
    assert [sample.patient for sample in hold_back_test(samples)[1]] == ["p10"]


def test_else_the_test_part_is_a_fifth_of_the_patients_which_no_other_patient_changes(folder: Path) -> None:
    cohort = _cohort([2] * 500, [n % 2 == 0 for n in range(500)])
    rest, test = hold_back_test(cohort)
    assert len(test) == 196, "the same on every computer"
    assert not {sample.patient for sample in rest} & {sample.patient for sample in test}
    assert hold_back_test(cohort[::-1])[1] == test[::-1]
    half, among = hold_back_test(cohort[:500])
    assert among == [sample for sample in test if sample in cohort[:500]]
    assert len(half) + len(among) == 500
    shutil.rmtree(folder / "test")
    assert "a fixed fifth" in describe_test_part(folder, test)


def test_what_can_not_be_parted_is_refused() -> None:
    for samples in ([], _cohort([9], [True]), [LabelledImage(Path("fold1_1.jpg"), 0, "a")]):
        with pytest.raises(DataError, match=r"patients can not be parted .* Add patients \(or a second fold\), or put"):
            hold_back_test(samples)


def test_numbers_that_restart_per_split_give_different_patients(folder: Path) -> None:
    for path in folder.glob("*/*/*.jpeg"):
        path.unlink()
    for split in ("train", "test"):
        write_image(folder / split / "NORMAL" / "IM-0001-0001.jpeg", bright=False)
        write_image(folder / split / "PNEUMONIA" / "person1_virus_1.jpeg", bright=True)
    card = recognise_card(folder)
    train, _ = read_split(folder, "train", card)
    test, _ = read_split(folder, "test", card)
    check_patients_apart(train, test, ("train", "test"))


def test_no_split_folder(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no folder val/\. Expected the layout val/<CLASS>/"):
        read_split(folder, "val")


def test_a_class_folder_is_missing(folder: Path) -> None:
    (folder / "train" / "NORMAL").rename(folder / "elsewhere")
    with pytest.raises(DataError, match=r"one folder per class.*train/HEALTHY.*but holds PNEUMONIA"):
        read_split(folder, "train")


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    ("changed", "names", "says"),
    [
        ("test", {"PNEUMONIA": "VIRUS"}, r"only train/ has PNEUMONIA; only test/ has VIRUS\. A class"),
        (
            "train",
            {"NORMAL": "HEALTHY", "PNEUMONIA": "SICK"},
            r"only train/ has HEALTHY, SICK; only test/ has NORMAL, P",
        ),
        ("test", {"NORMAL": "_set aside"}, r"hold different classes: only train/ has NORMAL\. A class"),
    ],
)
def test_classes_that_differ_between_the_parts_are_named(
    folder: Path, part: Literal["train", "test"], changed: str, names: dict[str, str], says: str
) -> None:
    for old, new in names.items():
        (folder / changed / old).rename(folder / changed / new)
    with pytest.raises(DataError, match=says) as refused:
        read_part(folder, part)
    assert "Rename the folders if one class has two names; else move" in str(refused.value)


def test_a_class_more_in_one_part_is_named_before_anybody_is_asked_for_the_disease(folder: Path) -> None:
    for part in ("train", "test"):
        for old, new in {"NORMAL": "Cyst", "PNEUMONIA": "Tumour"}.items():
            (folder / part / old).rename(folder / part / new)
    shutil.copytree(folder / "train" / "Cyst", folder / "train" / "Abscess")
    with pytest.raises(DataError, match=r"different classes: only train/ has Abscess\. A class"):
        read_part(folder, "test")


def test_a_class_is_empty(folder: Path) -> None:
    for path in (folder / "train" / "NORMAL").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"NORMAL holds no image: expected at least one"):
        read_split(folder, "train")


def test_a_file_name_without_a_patient(folder: Path) -> None:
    write_image(folder / "train" / "NORMAL" / "scan.jpeg", bright=False)
    with pytest.raises(DataError, match=r"scan\.jpeg does not say whose image it is\. .* the form that datasets/"):
        read_split(folder, "train")


def _cohort(images_per_patient: list[int], sick: list[bool]) -> list[LabelledImage]:
    return [
        LabelledImage(Path(f"{patient}_{n}.jpeg"), int(ill), f"p{patient}")
        for patient, (images, ill) in enumerate(zip(images_per_patient, sick, strict=True))
        for n in range(images)
    ]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 6), min_size=20, max_size=60), st.integers(0, 1000))
def test_no_patient_is_ever_on_both_sides(images_per_patient: list[int], seed: int) -> None:
    cohort = _cohort(images_per_patient, [i % 2 == 0 for i in range(len(images_per_patient))])
    train, validation = split_by_patient(cohort, 0.2, seed)
    assert not {r.patient for r in train} & {r.patient for r in validation}
    assert sorted(train + validation, key=str) == sorted(cohort, key=str)
    assert {r.label for r in validation} == {0, 1}


def test_the_split_keeps_proportions_and_follows_its_seed() -> None:
    cohort = _cohort([2] * 200, [i % 4 > 0 for i in range(200)])
    train, validation = split_by_patient(cohort, 0.2, seed=1)
    assert len(validation) == pytest.approx(80, abs=8)
    assert np.mean([r.label for r in validation]) == pytest.approx(0.75, abs=0.05)
    assert split_by_patient(cohort, 0.2, seed=1) == (train, validation)
    assert split_by_patient(cohort, 0.2, seed=2) != (train, validation)


def test_a_split_takes_what_it_says() -> None:
    cohort = _cohort([1 + i % 2 for i in range(120)], [i % 3 > 0 for i in range(120)])
    for percent in (5, 12, 15, 18, 22, 28, 30, 35, 40, 45, 48, 50):
        train, validation = split_by_patient(cohort, percent / 100)
        assert len(validation) / len(cohort) == pytest.approx(percent / 100, abs=0.025), percent
        assert not {r.patient for r in train} & {r.patient for r in validation}
        assert set(train) | set(validation) == set(cohort)
        assert len(train) + len(validation) == len(cohort)
        assert {r.label for r in validation} == {0, 1}


@pytest.mark.parametrize("label", [-1, 2, 5, -100, 0.5])
def test_a_label_that_is_no_class_is_named(small_data: ImageDataset, label: int) -> None:
    wrong = [*small_data.samples[:3], LabelledImage(Path("x/odd.jpeg"), label, "p")]
    with pytest.raises(DataError, match=rf"images \(.*odd\.jpeg\) have .*{label}"):
        ImageDataset(wrong, small_data.classes, small_data.transform)


@pytest.mark.parametrize("folds", [2, 3, 4, 5, 6, 7, 8, 10, 20])
def test_a_whole_part_of_the_patients_is_one_fold(folds: int) -> None:
    cohort = _cohort([2, 1] * 40, [i % 3 > 0 for i in range(80)])
    assert split_by_patient(cohort, 1 / folds, seed=3) == folds_by_patient(cohort, folds, seed=3)[0]


@pytest.mark.parametrize("patients", range(2, 13))
def test_of_few_patients_the_nearest_part_is_taken_if_it_is_near(patients: int) -> None:
    cohort = _cohort([1] * (2 * patients), [i % 2 == 0 for i in range(2 * patients)])
    for fraction in (0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5):
        reachable = min(abs(taken / folds - fraction) for folds in range(2, patients + 1) for taken in range(1, folds))
        if reachable > 0.05 + 1e-9:
            with pytest.raises(DataError, match=rf"{fraction:.0%} of the patients can not .* only {patients}\. Add"):
                split_by_patient(cohort, fraction)
            continue
        train, validation = split_by_patient(cohort, fraction)
        assert {r.label for r in train} == {r.label for r in validation} == {0, 1}
        assert abs(len(validation) / len(cohort) - fraction) <= max(reachable, 0.01) + 1 / patients


def test_a_fraction_that_a_refusal_names_is_taken() -> None:
    cohort = _cohort([1] * 6, [i % 2 == 0 for i in range(6)])
    with pytest.raises(DataError, match=r"20% of the patients .* a fraction of 0\.33\.$"):
        split_by_patient(cohort, 0.2)
    assert len(split_by_patient(cohort, 0.33)[1]) == 2


def test_samples_without_a_class_are_split_by_patient_as_if_they_had_one() -> None:
    volumes = [OutlinedVolume(Path(f"{n}.nii"), Path(f"{n}_labels.nii"), f"patient{n // 2}") for n in range(40)]
    train, validation = split_by_patient(volumes, 0.2)
    check_patients_apart(train, validation, ("train", "validation"))
    assert len(validation) == 8
    assert len(take_patients(volumes, 4)) == 4
    with pytest.raises(DataError, match=r"there must be images of at least 2 patients, but there are 1\. Add patients"):
        split_by_patient(volumes[:2], 0.2)
    with pytest.raises(DataError, match=r"10% of the patients can not be kept apart: there are only 2\. Add patients"):
        split_by_patient(volumes[:4], 0.1)


def test_too_few_patients_to_split() -> None:
    cohort = _cohort([5, 5, 5], [True, False, False])
    with pytest.raises(DataError, match=r"at least 2 patients, but class 1 has 1\. Add patients\.$"):
        split_by_patient(cohort, 0.2)
    with pytest.raises(
        DataError, match=r"at least 5 patients, but class 0 has 2\. Add patients, or make fewer parts\.$"
    ):
        folds_by_patient(_cohort([1] * 8, [True] * 6 + [False] * 2), 5)
    with pytest.raises(ValueError, match=r"above 0 and at most 0\.5, but is 0\.9"):
        split_by_patient(cohort, 0.9)


def test_a_patient_in_two_lists_is_named() -> None:
    one, two = _cohort([1, 1], [True, False])
    with pytest.raises(DataError, match=r"train and test must not share patients, but 1 are in both \(p0\)"):
        check_patients_apart([one, two], [one], ("train", "test"))


def test_a_part_of_the_images_holds_whole_patients() -> None:
    cohort = _cohort([3] * 40, [i % 2 == 0 for i in range(40)])
    part = take_patients(cohort, 31)
    assert len(part) == 30
    left_out = {r.patient for r in cohort} - {r.patient for r in part}
    assert len(left_out) == 30
    assert take_patients(cohort, 1000) == cohort


def test_patients_are_drawn_whole_with_both_classes_in_proportion(folder: Path) -> None:
    radiographs, _ = read_split(folder, "train")
    drawn = draw_patients(radiographs, 8, seed=1)
    assert len(drawn) == 16
    assert len({r.patient for r in drawn}) == 8
    assert sum(r.label for r in drawn) == 8
    assert drawn == draw_patients(radiographs, 8, seed=1) != draw_patients(radiographs, 8, seed=2)
    assert draw_patients(radiographs, 16) == radiographs
    for patients in (1, 17):
        with pytest.raises(DataError, match=f"{patients} patients with every class"):
            draw_patients(radiographs, patients)


def test_a_dataset_gives_tensor_and_label(small_data: ImageDataset) -> None:
    image, label = small_data[0]
    assert image.shape == (3, 32, 32)
    assert label == small_data.labels[0] == 0
    assert len(small_data) == len(small_data.patients) == 32


def test_a_dataset_refuses_what_it_can_not_label(small_data: ImageDataset) -> None:
    with pytest.raises(DataError, match="at least one image, got none"):
        ImageDataset([], ("NORMAL", "PNEUMONIA"), small_data.transform)
    strange = r"0 to 0 \(NORMAL\), but 16 of 32 images \(phantom0100\S+, \S+, \S+, …\) have 1\. Correct"
    with pytest.raises(DataError, match=strange):
        ImageDataset(small_data.samples, ("NORMAL",), small_data.transform)
