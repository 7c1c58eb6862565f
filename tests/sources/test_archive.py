"""An archive that nobody has looked at: damaged in any way, or with names that a terminal would obey."""

import os
import random
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.sources import dataset_card
from course_lib.sources.archive import MANIFEST, ArchiveError, images_of_a_set, read_manifest, unpack, verify
from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.errors import DataError
from tests.sources.kaggle_fixtures import small_card
from tests.sources.xray_archive import jpeg, write_archive

DAMAGES = 500 if os.environ.get("COURSE_THOROUGH") else 60
RED = "\x1b[31mred\x1b]0;owned\x07\n"


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetCard:
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", tmp_path / "cards")
    return small_card(tmp_path / "cards")


@pytest.mark.parametrize(
    "name",
    [
        f"chest_xray/train/{RED}/IM-0001-0001.jpeg",
        f"chest_xray/../{RED}.jpeg",
        f"/{RED}.jpeg",
    ],
)
def test_a_name_that_a_terminal_would_obey_is_spelled_out(tmp_path: Path, card: DatasetCard, name: str) -> None:
    archive = write_archive(tmp_path / "archive.zip", card)
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr(name, jpeg(1, False))
    with pytest.raises(ArchiveError) as refused:
        unpack(archive, tmp_path / "out", card)
    assert str(refused.value).isprintable()
    assert r"\x1b[31mred" in str(refused.value)


def test_the_name_of_a_strange_image_is_spelled_out(tmp_path: Path, card: DatasetCard) -> None:
    archive = write_archive(tmp_path / "archive.zip", card)
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(tmp_path / "red.zip", "w") as new:
        for member in old.infolist():
            name = member.filename.replace("IM-0001-0001", "\x1b[31mred")
            new.writestr(name, old.read(member))
    with pytest.raises(ArchiveError, match=r"that the card does not know, as \\x1b\[31mred\.jpeg"):
        unpack(tmp_path / "red.zip", tmp_path / "out", card)


def test_ten_of_a_thousand_wrong_classes_are_named(tmp_path: Path, card: DatasetCard) -> None:
    archive = write_archive(tmp_path / "archive.zip", card)
    with zipfile.ZipFile(archive, "a") as content:
        for n in range(200):
            content.writestr(f"chest_xray/train/X{n:03d}/IM-0001-0001.jpeg", b"x")
    with pytest.raises(ArchiveError, match=r"train/X009 has 1 images instead of 0, …\. It is removed"):
        unpack(archive, tmp_path / "out", card)


def test_a_manifest_with_such_names_is_spelled_out_too(tmp_path: Path, card: DatasetCard) -> None:
    folder = unpack(write_archive(tmp_path / "archive.zip", card), tmp_path / "out", card)
    first, *others = read_manifest(folder, "make data").items()
    lines = [f"{digest}  {path}" for path, digest in others] + [f"{first[1]}  train/NORMAL/\x1b[31mred.jpeg"]
    (folder / MANIFEST).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"in 2 places: .*\\x1b\[31mred\.jpeg is missing, .* is not in the manifest"
    ) as refused:
        verify(folder, card)
    assert str(refused.value).isprintable()


def test_what_is_not_the_courses_stays_where_it_would_unpack(tmp_path: Path, card: DatasetCard) -> None:
    archive = write_archive(tmp_path / "archive.zip", card)
    left = tmp_path / ".out.unpacking" / "train" / "NORMAL" / "IM-0001-0001.jpeg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    (thesis := tmp_path / ".out.unpacking" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"thesis\.txt is not the course's, but lies where the course would work"):
        unpack(archive, tmp_path / "out", card)
    assert (left.read_bytes(), thesis.read_text()) == (b"half", "mine")
    thesis.unlink()
    assert len(images_of_a_set(unpack(archive, tmp_path / "out", card))) == 42


def test_where_the_card_names_the_files_an_image_of_another_name_stays(tmp_path: Path, card: DatasetCard) -> None:
    slices = replace(card, archive={r"p\d/nodule-\d/slice-\d\.png": 1}, counts={})
    left = tmp_path / ".out.unpacking" / "p1" / "nodule-0"
    left.mkdir(parents=True)
    (left / "slice-0.png").write_bytes(b"half")
    (left / "holiday.png").write_bytes(b"mine")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as content:
        content.writestr("set/p1/nodule-0/slice-0.png", jpeg(1, False))
    with pytest.raises(DataError, match=r"holiday\.png is not the course's, but lies where the course would work"):
        unpack(tmp_path / "archive.zip", tmp_path / "out", slices)
    assert (left / "holiday.png").read_bytes() == b"mine"
    (left / "holiday.png").unlink()
    assert (unpack(tmp_path / "archive.zip", tmp_path / "out", slices) / "p1" / "nodule-0" / "slice-0.png").is_file()


@pytest.mark.parametrize("name", ["x//slice-0.png", "q/C:/slice-0.png", "x/./slice-0.png", "//slice-0.png"])
def test_no_expression_for_a_path_lets_a_file_out_of_the_folder(tmp_path: Path, card: DatasetCard, name: str) -> None:
    anything = replace(card, archive={".*/slice-0\\.png": 1}, counts={})
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as content:
        content.writestr(name, jpeg(1, False))
    with pytest.raises(ArchiveError, match="has a member that leads out of the folder"):
        unpack(tmp_path / "archive.zip", tmp_path / "out", anything)


@pytest.mark.slow
def test_a_damaged_archive_is_refused_or_whole(tmp_path: Path, card: DatasetCard) -> None:
    """Flipped, cut and doubled bytes: what is unpacked all the same has passed the checksum of every image."""
    whole = write_archive(tmp_path / "whole.zip", card).read_bytes()
    directory = whole.index(b"PK\x01\x02")
    refused = []
    for seed in range(DAMAGES):
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(0 if seed % 2 else directory, len(data))] = rng.randrange(256)
        if seed % 5 == 0:
            start = rng.randrange(len(data))
            del data[start : start + rng.randint(1, 2000)]
        (tmp_path / "archive.zip").write_bytes(data)
        try:
            folder = unpack(tmp_path / "archive.zip", tmp_path / "out", card)
        except ArchiveError as refusal:
            refused.append(str(refusal))
        else:
            assert len(images_of_a_set(folder)) == 42
            shutil.rmtree(folder)
    assert len(refused) > DAMAGES / 2
    assert all(map(str.isprintable, refused))
