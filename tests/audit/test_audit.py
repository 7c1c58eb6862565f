"""The audit: every trap that can be set in phantoms is found, and none is reported where there is none."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from course_lib.audit import (
    Dirt,
    DirtyFolder,
    Inventory,
    audit,
    blind_model,
    compare_splits,
    corner_model,
    count_people,
    difference_hash,
    doubt_labels,
    find_duplicates,
    find_odd_pictures,
    grey_scale_model,
    hash_distances,
    make_dirty_copy,
    measure_leak,
    perceptual_hash,
    take_inventory,
)
from course_lib.audit.__main__ import main
from course_lib.audit.quick_models import auroc_of, outlines
from course_lib.audit.report import DOUBTED, LOOK
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.support.errors import DataError
from tests.conftest import write_image
from tests.sources.odd_images import (
    LATIN,
    POSTSCRIPT,
    cut_and_closed,
    forbid_postscript,
    long_note,
    noise,
    only_linux,
    png,
    saved,
    turned,
    without_permission,
)


def phantoms(folder: Path, *, train: int = 48, test: int = 0, size_px: int = 48, trap: str = "") -> Path:
    patients = {"train": train, "test": test} if test else {"train": train}
    settings = phantom.Settings(
        patients, size_px=size_px, seed=1, confounders=phantom.Confounders(**({trap: 1.0} if trap else {}))
    )
    return phantom.make_dataset(folder, settings, workers=1, progress=False)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    return take_inventory(phantoms(tmp_path_factory.mktemp("clean") / "set", test=20, size_px=96))


@pytest.fixture(scope="module")
def dirty(clean: Inventory, tmp_path_factory: pytest.TempPathFactory) -> tuple[DirtyFolder, Inventory]:
    made = make_dirty_copy(clean.root, tmp_path_factory.mktemp("dirty") / "set", Dirt())
    return made, take_inventory(made.root)


TRAPS = {
    "jpeg_quality": (blind_model, "quantisation"),
    "image_size": (blind_model, "height"),
    "marker": (corner_model, "upper left"),
    "exposure": (grey_scale_model, "darkest"),
}


@pytest.mark.slow
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_of_the_simulator_is_found_and_only_where_it_is(trap: str, clean: Inventory, tmp_path: Path) -> None:
    look, culprit = TRAPS[trap]
    trapped = look(take_inventory(phantoms(tmp_path / "set", trap=trap)))
    assert trapped.together.low > 0.85
    told = {score.name: score.auroc for score in trapped.single}
    assert told[culprit] == max(told.values())
    assert look(clean.split("train")).together.low < LOOK


@pytest.mark.slow
def test_patients_who_are_filmed_again_in_the_test_are_found(clean: Inventory, tmp_path: Path) -> None:
    again = count_people(take_inventory(phantoms(tmp_path / "set", train=6, test=4, size_px=16, trap="patient_reuse")))
    assert again.shared == {("train", "test"): 4}
    assert count_people(clean).shared == {("train", "test"): 0}


@pytest.mark.slow
def test_a_clean_folder_gives_nothing_to_stop_for(clean: Inventory) -> None:
    report = audit(clean.root)
    assert report.titles("stop") == []
    assert set(report.titles("look")) <= {"size of test", "split by image or by patient"}
    assert repr(audit(clean.root)) == repr(report)
    assert phantom.check_dataset(clean.root)  # no file was touched


@pytest.mark.slow
def test_a_dirty_folder_is_found_out(dirty: tuple[DirtyFolder, Inventory], tmp_path: Path) -> None:
    report = audit(dirty[0].root)
    assert set(report.titles("stop")) == {"patients in two splits", "unreadable files", "duplicates"}
    assert {"blank pictures", "negative films"} <= set(report.titles("look"))
    page = report.save(tmp_path / "deep" / "report.md").read_text(encoding="utf-8")
    assert "| ✗ stop | unreadable files | 1 (train/" in page
    assert str(dirty[0].root.parent) not in page + repr(report)


def test_every_copy_is_found_and_nothing_else(dirty: tuple[DirtyFolder, Inventory]) -> None:
    folder, inventory = dirty
    found = find_duplicates(inventory)
    names = {file.name for group in found.exact for file in group}
    assert set(folder.done["copies"]) <= names
    assert {len(group) for group in found.exact} == {2}
    assert found.extra == len(folder.done["copies"])
    assert {pair.second.name for pair in found.near} | {pair.first.name for pair in found.near} >= set(
        folder.done["near_copies"]
    )
    assert len(found.near) == len(folder.done["near_copies"])
    assert found.across_splits == 6


def test_odd_pictures_are_found_and_nothing_else(clean: Inventory, dirty: tuple[DirtyFolder, Inventory]) -> None:
    folder, inventory = dirty
    odd = find_odd_pictures(inventory)
    assert {file.name for file in odd.blank} == set(folder.done["blanks"])
    assert {file.name for file in odd.negative} == set(folder.done["negatives"])
    assert [name.split(":")[0] for name in inventory.unreadable] == list(folder.done["unreadable"])
    nothing = find_odd_pictures(clean)
    assert nothing.blank == nothing.negative == nothing.blurred == nothing.odd_size == ()


def test_a_blurred_picture_and_a_strip_stand_out(clean: Inventory, tmp_path: Path) -> None:
    root = make_dirty_copy(clean.root, tmp_path / "set", Dirt.only()).root
    blurred, strip = sorted(root.glob("train/NORMAL/*"))[:2]
    with Image.open(blurred) as image:
        image.resize((6, 5)).resize(image.size, Image.Resampling.BICUBIC).save(blurred)
    with Image.open(strip) as image:
        image.resize((200, 30)).save(strip)
    odd = find_odd_pictures(take_inventory(root))
    assert [file.path for file in odd.blurred] == [blurred]
    assert [file.path for file in odd.odd_size] == [strip]


@pytest.mark.slow
def test_wrong_labels_are_doubted_far_more_often_than_right_ones(tmp_path: Path) -> None:
    quick = phantom.unpack_dataset(phantom.QUICK_ARCHIVE, tmp_path / "quick")
    folder = make_dirty_copy(quick, tmp_path / "dirty", Dirt.only(wrong_labels=37))
    noise, wrong = doubt_labels(take_inventory(folder.root).split("train")), set(folder.done["wrong_labels"])
    caught = sum(suspect.file.name in wrong for suspect in noise.suspects)
    assert caught / len(wrong) > 3 * (len(noise.suspects) - caught) / (noise.images - len(wrong))
    quiet = doubt_labels(take_inventory(quick).split("train"))
    assert len(quiet.suspects) / quiet.images < DOUBTED < len(noise.suspects) / noise.images


@pytest.mark.slow
def test_another_scanner_in_the_test_is_noticed(clean: Inventory, tmp_path: Path) -> None:
    other = make_dirty_copy(clean.root, tmp_path / "set", Dirt.only(other_scanner=True)).root
    assert max(score.low for score in compare_splits(take_inventory(other)).scores) > LOOK
    assert max(score.low for score in compare_splits(clean).scores) < LOOK


def test_hashes_forgive_saving_scaling_and_brightening_but_not_another_chest(clean: Inventory) -> None:
    images = clean.small(32)
    rough = np.clip(np.round(images * 1.08 * 255 + 8) / 255, 0, 1)
    both = perceptual_hash(np.concatenate([images, rough]))
    assert np.bitwise_count(both[: len(images)] ^ both[len(images) :]).max() <= 10
    counts = hash_distances(perceptual_hash(images))
    assert counts.sum() == len(images) * (len(images) - 1) / 2
    assert counts[:8].sum() == 0
    assert hash_distances(difference_hash(images))[:8].sum() > 20 * max(1, counts[:8].sum())


def test_a_split_by_image_helps_whoever_remembers_patients(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for patient in range(40):
        label, kind = ("NORMAL", "normal") if patient % 2 else ("PNEUMONIA", "virus")
        chest = np.kron(rng.integers(40, 200, (8, 8)), np.ones((8, 8)))  # says nothing about the class
        for n in (1, 2, 3):
            path = tmp_path / "train" / label / f"phantom{patient:04d}_{kind}_{n}.jpeg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((chest + rng.normal(0, 5, chest.shape)).clip(0, 255).astype(np.uint8)).save(path)
    effect = measure_leak(take_inventory(tmp_path), seeds=3)
    assert effect.by_image.mean() > 0.95
    assert 0.3 < effect.by_patient.mean() < 0.7
    assert effect.low > 0.2


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_the_quick_auroc_is_that_of_scikit_learn(classes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.integers(1, 6, (60, len(classes))).astype(float)  # with ties
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = np.arange(60) % len(classes)
    made = Predictions(probabilities, labels, np.arange(60).astype(str), ("",) * 60, classes)
    scores = probabilities if len(classes) > 2 else probabilities[:, 1]
    assert auroc_of(made) == pytest.approx(roc_auc_score(labels, scores, multi_class="ovr"))


@pytest.mark.slow
def test_a_folder_of_ones_own_says_what_it_does_not_tell(tmp_path: Path) -> None:
    for i in range(12):
        write_image(tmp_path / "train" / ("cats", "dogs")[i % 2] / f"{i}.png", bright=i % 2 == 0, seed=i)
    (tmp_path / "train" / "cats" / "notes.txt").write_text("hello")
    report = audit(tmp_path)
    assert report["patients"].severity == "look"
    assert "do not say whose image" in report["leaking patients"].measured
    assert "no image in test/" in report["train against test"].measured
    assert "notes.txt" in report["other files"].measured
    assert report["corners"].severity in ("look", "stop")


def test_a_folder_without_images_is_refused_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image to audit.*train/<CLASS>/"):
        audit(tmp_path)


def test_the_name_of_a_folder_without_a_whole_image_is_spelled_out(tmp_path: Path) -> None:
    (path := tmp_path / "\x1b[31mred" / "train" / "a" / "1.jpeg").parent.mkdir(parents=True)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"images in .*\\x1b\[31mred can be read") as refused:
        audit(tmp_path / "\x1b[31mred")
    assert str(refused.value).isprintable()


def test_what_one_class_alone_does_not_tell_is_said(tmp_path: Path) -> None:
    for number in range(6):
        write_image(tmp_path / "train" / "a" / f"{number}.jpeg", bright=True, seed=number)
    (tmp_path / "train" / "b").mkdir()
    report = audit(tmp_path)
    assert report["empty classes"].measured == "no file is to be seen in train/b."
    for title in ("grey scale", "corners", "labels"):
        assert report[title].severity == "look"
        assert report[title].measured.startswith("not measured. To tell classes apart there must be two at least")
    assert report["duplicates"].severity == "ok"
    with pytest.raises(DataError, match="there must be two at least, but here is only one, a"):
        doubt_labels(take_inventory(tmp_path))


def test_pictures_that_are_all_alike_have_no_outlines() -> None:
    assert not outlines(np.zeros((12, 64, 64))).any()


def test_the_command_says_when_no_image_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in "ab":
        (tmp_path / "train" / label).mkdir(parents=True)
        (tmp_path / "train" / label / "1.jpeg").write_bytes(b"no image")
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert re.fullmatch(r"None of the 2 images in .* can be read \(such as train/a/1\.jpeg: .*\)\. Copy .*\n", said)


def test_dirt_is_refused_where_it_would_spoil_something(clean: Inventory, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists already"):
        make_dirty_copy(clean.root, tmp_path)
    with pytest.raises(DataError, match="Ask for less dirt"):
        make_dirty_copy(clean.root, tmp_path / "set", Dirt(negatives=1000))
    write_image(tmp_path / "own" / "train" / "a" / "1.png", bright=True)
    with pytest.raises(DataError, match="Only phantoms"):
        make_dirty_copy(tmp_path / "own", tmp_path / "other")


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([""]) == 1
    assert "make audit DATA=<folder>" in capsys.readouterr().err
    assert main(["~somebody-unknown/x"]) == 1
    assert re.fullmatch(r"~somebody-unknown/x begins with ~.*\n", capsys.readouterr().err)


def test_an_audit_of_some_images_looks_at_no_others(folder: Path) -> None:
    chosen = sorted((folder / "train" / "NORMAL").iterdir())[:5]
    report = audit(folder, only=chosen)
    assert report["who is in the data"].measured.startswith("train 5 images")


def three_classes(root: Path) -> Path:
    """Small pictures of three classes, which a bright column tells apart; one class is saved in another way."""
    for patient in range(48):
        label = ("cyst", "stone", "tumour")[patient % 3]
        for n in (1, 2):
            pixels = np.random.default_rng(2 * patient + n).integers(0, 150, (48, 48), dtype=np.uint8)
            pixels[:, 12 * (patient % 3) : 12 * (patient % 3) + 20] += 90
            split = "test" if patient >= 33 else "train"
            path = root / split / label / f"phantom{patient:04d}_virus_{n}.jpeg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path, quality=30 if label == "tumour" else 90)
    return root


@pytest.mark.slow
def test_a_folder_of_three_classes_is_audited_as_a_whole(tmp_path: Path) -> None:
    report = audit(three_classes(tmp_path / "kidneys"))
    assert report["class balance"].measured.startswith(
        "cyst 22, stone 22, tumour 22; always saying cyst is right 33.3%"
    )
    assert report["file properties"].severity == "look"  # one class of three has a quality of its own
    assert "Most telling: quantisation" in report["file properties"].measured
    assert [part.split(":")[0] for part in report["train against test"].measured.split("; ")] == [
        f"{name}, {look}"
        for name in ("cyst", "stone", "tumour")
        for look in ("file properties", "grey scale", "32 px pixels")
    ]
    assert not any("not measured" in finding.measured for finding in report.findings)
    assert "PNEUMONIA" not in repr(report)


def test_a_dirty_folder_of_three_classes_has_names_of_the_same_form(tmp_path: Path) -> None:
    folder = make_dirty_copy(three_classes(tmp_path / "clean"), tmp_path / "dirty", Dirt.only(wrong_labels=9, copies=2))
    after = {"cyst": "stone", "stone": "tumour", "tumour": "cyst"}
    left = Counter(path.parent.name for path in (tmp_path / "dirty" / "train").glob("*/*"))
    assert {name.split("/")[1] for name in folder.done["wrong_labels"]} == set(after.values())
    assert sum(left.values()) == 66 + 1
    assert all(re.fullmatch(r"phantom00\d\d_virus_1\.jpeg", Path(n).name) for n in folder.done["wrong_labels"])


def test_what_a_file_name_says_beside_the_patient_is_the_kind(folder: Path, tmp_path: Path) -> None:
    assert {file.kind for file in take_inventory(folder).files} == {"normal", "virus"}
    write_image(tmp_path / "own" / "train" / "cats" / "1_virus_2.png", bright=True)
    assert [file.kind for file in take_inventory(tmp_path / "own").files] == ["cats"]


def test_what_may_not_be_read_is_listed_with_its_reason_and_starts_no_program(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, names = forbid_postscript(monkeypatch), sorted((folder / "train" / "NORMAL").iterdir())
    contents = {
        POSTSCRIPT: "is no JPEG or PNG",
        png(8, 8, extra=long_note()): "can not be decoded",
        png(1, 30_000): "has 1 x 30000 pixels: one side is more than 10 times the other",
        png(8, 8, depth=16, colour=2): "is an image of mode RGB with 16 bits; expected 8-bit grey or 8-bit colour",
        cut_and_closed(saved(noise())): "can not be decoded",
    }
    for path, content in zip(names, contents, strict=False):
        path.write_bytes(content)
    names[5].unlink()
    names[5].symlink_to(folder / "gone.jpeg")
    found = take_inventory(folder)
    expected = [*contents.values(), "can not be read"]
    assert found.unreadable == tuple(
        f"train/NORMAL/{path.name}: {why}" for path, why in zip(names, expected, strict=False)
    )
    assert not asked
    without_permission(folder / "train" / "PNEUMONIA", monkeypatch)
    with pytest.raises(DataError, match=r"PNEUMONIA can not be listed \(.*Permission denied"):
        take_inventory(folder)


def test_a_turned_picture_is_audited_as_a_viewer_shows_it(tmp_path: Path) -> None:
    (tmp_path / "train" / "cats").mkdir(parents=True)
    (tmp_path / "train" / "cats" / "1.png").write_bytes(turned(noise(40, 20), 6, "PNG"))
    noise(40, 20).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "train" / "cats" / "2.png")
    first, second = take_inventory(tmp_path).files
    assert (first.width, first.height) == (20, 40)
    assert first.digest == second.digest


@pytest.mark.slow
@only_linux
def test_names_in_another_encoding_reach_the_page_spelled_out(folder: Path, tmp_path: Path) -> None:
    old = folder.rename(tmp_path / LATIN)
    for split in ("train", "test"):
        (old / split / "NORMAL").rename(old / split / f"{LATIN} normal")
    copied, broken, *_ = sorted((old / "train" / f"{LATIN} normal").iterdir())
    (old / "train" / "PNEUMONIA" / f"phantom0300_virus_{LATIN}.jpeg").write_bytes(copied.read_bytes())
    broken.rename(broken.with_name(f"{LATIN}.jpeg")).write_bytes(b"nothing")
    (broken.parent / f"{LATIN}.txt").write_text("notes")
    report = audit(old)
    page = report.save(tmp_path / "page.md").read_text(encoding="utf-8")
    assert r"Audit of `R\udcf6ntgen`" in page
    assert r"train/R\udcf6ntgen normal/R\udcf6ntgen.jpeg: is no JPEG or PNG" in page
    assert r"train/R\udcf6ntgen normal/R\udcf6ntgen.txt" in page
    inventory = take_inventory(old)
    for shown in (repr(report), count_people(inventory)._repr_markdown_(), doubt_labels(inventory)._repr_markdown_()):
        shown.encode("utf-8")
