"""A workshop's room: filled once, read-only, and enough to work offline."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.modalities import room as workshop_room
from course_lib.modalities.chest_xray.modality import CHEST_XRAY
from course_lib.modalities.registry import MODALITIES, dataset_folder, open_dataset
from course_lib.networks import weights
from course_lib.sources import dataset_card
from course_lib.sources.archive import verify
from course_lib.sources.dataset_card import CARDS_FOLDER
from course_lib.sources.download import DownloadError
from course_lib.support.errors import DataError
from tests.modalities.hippocampus_mri.conftest import write_volume
from tests.sources.kaggle_fixtures import Learner


@pytest.mark.slow
@pytest.mark.usefixtures("learner")
def test_a_room_is_read_only_and_serves_offline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "cached_file", lambda _, folder: _write(folder / "resnet18-f37072fd.pth"))
    room = tmp_path / "room"
    assert workshop_room.main([str(room)]) == 0
    assert "42 verified images" in capsys.readouterr().out
    work = room / ".chest-xray-pneumonia.fetching"
    assert {path.name for path in work.iterdir()} == {"lock", "archive.zip.lock"}, "others may wait for these"
    shutil.rmtree(work)
    assert {path.name for path in room.iterdir()} == {"chest-xray-pneumonia", "weights"}
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in (room, *room.rglob("*")) if path.is_dir()} == {0o555}
        assert {path.stat().st_mode & 0o777 for path in room.rglob("*") if path.is_file()} == {0o444}
    monkeypatch.setenv("COURSE_DATA", str(room))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    before = sorted(room.rglob("*"))
    assert open_dataset(source="kaggle") == open_dataset()
    assert open_dataset().test[0].path.is_relative_to(room)
    assert sorted(room.rglob("*")) == before
    monkeypatch.setattr(workshop_room, "fetch_dataset", None)  # it would write into the room, which is read-only by now
    assert workshop_room.main([str(room)]) == 0
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX")
@pytest.mark.usefixtures("learner")
def test_a_room_leaves_what_links_lead_to_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "cached_file", lambda _, folder: _write(folder / "resnet18-f37072fd.pth"))
    room, elsewhere = tmp_path / "room", tmp_path / "elsewhere"
    (room / "weights").mkdir(parents=True)
    elsewhere.mkdir(mode=0o755)
    _write(elsewhere / "resnet18-f37072fd.pth").chmod(0o644)
    (room / "weights" / "resnet18-f37072fd.pth").symlink_to(elsewhere / "resnet18-f37072fd.pth")
    assert workshop_room.main([str(room)]) == 0
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    assert (elsewhere / "resnet18-f37072fd.pth").stat().st_mode & 0o777 == 0o644
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


@pytest.mark.usefixtures("learner")
def test_a_folder_with_other_things_does_not_become_a_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "precious"
    thesis = _write(home / "thesis.txt")
    before = thesis.stat().st_mode, home.stat().st_mode
    assert workshop_room.main([str(home)]) == 1
    assert "holds other things as well, such as thesis.txt. Name an empty folder" in capsys.readouterr().err
    assert (thesis.stat().st_mode, home.stat().st_mode) == before
    assert [path.name for path in home.iterdir()] == ["thesis.txt"]


STRANGE = [
    "weights/mine.pt",
    "weights/resnet18-00000000.pth",
    "weights/efficientnet-lite0-57934424.pth",  # it comes with a package, so that a room needs none
    "weights/.mine.pt.12ab34cd.part",
    "weights/more/resnet18-f37072fd.pth",
    "chest-xray-pneumonia/mine.pt",
    "chest-xray-pneumonia/test/NORMAL/mine.jpeg",
    ".chest-xray-pneumonia.fetching/mine.pt",
    ".chest-xray-pneumonia.copying/mine.pt",
    ".chest-xray-pneumonia.unpacking/train/mine.jpeg",
    ".weights.fetching/lock",
    ".chest-xray-pneumonia.mine/lock",
]


@pytest.mark.usefixtures("weights_are_here")
@pytest.mark.parametrize("name", STRANGE)
def test_a_folder_with_something_that_is_no_part_of_a_room_stays_as_it_is(
    learner: Learner, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    room = tmp_path / "room"
    if name.startswith(learner.card.slug):
        shutil.copytree(learner.fetch(), room / learner.card.slug)
    mine = _write(room / name)
    mine.chmod(0o600)
    capsys.readouterr()
    before = modes_in(room)
    assert workshop_room.main([str(room)]) == 1
    assert f"holds other things as well, such as {name}. Name an empty folder" in capsys.readouterr().err
    assert modes_in(room) == before


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX")
@pytest.mark.usefixtures("learner")
def test_a_link_among_the_weights_is_no_part_of_a_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "room" / "weights").mkdir(parents=True)
    (tmp_path / "room" / "weights" / "more").symlink_to(tmp_path)
    assert workshop_room.main([str(tmp_path / "room")]) == 1
    assert "such as weights/more" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX")
@pytest.mark.usefixtures("weights_are_here")
def test_nothing_becomes_read_only_but_what_the_course_put_there(learner: Learner, tmp_path: Path) -> None:
    room = tmp_path / "room"
    other = _write(room / "weights" / "resnet50-0676ba61.pth")  # weights that a learner may ask for
    other.chmod(0o640)
    assert workshop_room.main([str(room)]) == 0
    assert other.stat().st_mode & 0o777 == 0o640
    assert (room / "weights" / "resnet18-f37072fd.pth").stat().st_mode & 0o777 == 0o444
    assert {path.stat().st_mode & 0o777 for path in (room / learner.card.slug).rglob("*.jpeg")} == {0o444}
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.usefixtures("weights_are_here")
def test_what_systems_leave_in_folders_does_not_stop_a_room_and_stays_as_it_is(
    learner: Learner, tmp_path: Path
) -> None:
    room = tmp_path / "room"
    shutil.copytree(learner.fetch(), room / learner.card.slug)
    places = ("", "weights", learner.card.slug, f"{learner.card.slug}/train/NORMAL")
    left = [room / place / name for place in places for name in (".DS_Store", "Thumbs.db", ".directory", "._x.jpeg")]
    for path in left:
        _write(path).chmod(0o640)
    assert workshop_room.main([str(room)]) == 0
    assert {path.stat().st_mode & 0o777 for path in left} == {0o640}
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


@pytest.mark.usefixtures("weights_are_here")
def test_a_room_takes_up_what_killed_calls_left_in_it(learner: Learner, tmp_path: Path) -> None:
    learner.fetch()
    room, slug = tmp_path / "room", learner.card.slug
    _write(room / f".{slug}.copying" / "train" / "NORMAL" / "IM-0001-0001.jpeg")
    _write(room / f".{slug}.unpacking" / "SHA256SUMS")
    _write(room / f".{slug}.fetching" / "archive.zip.part")
    for name in (
        "resnet18-f37072fd.pth.part",
        "resnet18-f37072fd.pth.part.json",
        ".resnet18-f37072fd.pth.12ab34cd.part",
    ):
        _write(room / "weights" / name)
    assert workshop_room.main([str(room)]) == 0
    assert verify(room / slug, learner.card) == 42
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


@pytest.mark.usefixtures("weights_are_here", "learner")
def test_a_room_may_have_a_name_in_another_encoding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "filelock")  # it logs the name as it is, which pytest's processes can not hand on
    try:
        (room := tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    except OSError:
        pytest.skip("this system has no such names")
    assert workshop_room.main([str(room)]) == 0
    assert "caf\\udce9" in capsys.readouterr().out
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


def modes_in(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}


def test_a_room_is_copied_from_what_is_here_once_the_disk_has_room(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "cached_file", lambda _, folder: _write(folder / "resnet18-f37072fd.pth"))
    learner.fetch()
    room, asked = tmp_path / "room", len(learner.world.log)
    with monkeypatch.context() as full:
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        full.setattr(shutil, "disk_usage", lambda _: usage)
        assert workshop_room.main([str(room)]) == 1
    assert "Copying Chest X-Ray Images (Pneumonia) needs" in capsys.readouterr().err
    assert {path.name for path in room.iterdir()} == {".chest-xray-pneumonia.fetching"}
    assert workshop_room.main([str(room)]) == 0
    assert verify(room / learner.card.slug, learner.card) == 42
    assert len(learner.world.log) == asked
    for folder, _, _ in os.walk(room):
        Path(folder).chmod(0o755)


def test_a_room_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop_room.main([""]) == 1
    assert "Say which folder to fill: make room DIR=<folder>" in capsys.readouterr().err
    assert workshop_room.main(["~somebody-unknown/x"]) == 1
    assert "~somebody-unknown/x begins with ~" in capsys.readouterr().err


@pytest.mark.usefixtures("learner")
def test_a_room_without_weights_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights, "fetch", lambda *_, **__: _no_network())
    assert workshop_room.main([str(tmp_path / "room")]) == 1
    assert "resnet18-f37072fd.pth" in capsys.readouterr().err


def add_hands(learner: Learner) -> None:
    """A second set that the stand-in serves, of another modality, with its card."""
    card = (dataset_card.CARDS_FOLDER / f"{learner.card.slug}.toml").read_text(encoding="utf-8")
    for field, value in {"slug": "hands", "name": "Hands", "modality": "hand_xray", "handle": "some/hands/1"}.items():
        card = re.sub(rf'(?m)^{field} = ".*"$', f'{field} = "{value}"', card)
    (dataset_card.CARDS_FOLDER / "hands.toml").write_text(card, encoding="utf-8")
    learner.world.archives["some/hands/1"] = lambda: learner.archive


@pytest.fixture
def weights_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "cached_file", lambda _, folder: _write(folder / "resnet18-f37072fd.pth"))


@pytest.mark.slow
@pytest.mark.usefixtures("weights_are_here")
def test_a_room_holds_the_sets_that_were_asked_for_and_can_get_more(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_hands(learner)
    room = tmp_path / "room"
    assert workshop_room.main([str(room), "hands"]) == 0
    monkeypatch.setenv("COURSE_DATA", str(room))
    with pytest.raises(DataError, match=r"holds hands, but no chest X-rays: expected chest-xray-pneumonia or another"):
        open_dataset()
    monkeypatch.delenv("COURSE_DATA")
    assert workshop_room.main([str(room), learner.card.slug, "hands"]) == 0
    assert "84 verified images" in capsys.readouterr().out
    assert {path.name for path in room.iterdir() if not path.name.startswith(".")} == {
        "chest-xray-pneumonia",
        "hands",
        "weights",
    }
    assert room.stat().st_mode & 0o222 == 0 or os.name != "posix"
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert dataset_folder("chest_xray") == room.resolve() / "chest-xray-pneumonia"
    monkeypatch.setitem(MODALITIES, "hand_xray", replace(CHEST_XRAY, name="hand_xray", real="hands"))
    assert dataset_folder("hand_xray") == room.resolve() / "hands"
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.usefixtures("weights_are_here")
def test_volumes_that_kaggle_does_not_have_are_copied_from_where_they_lie(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(CARDS_FOLDER / "hippocampus-mri.toml", dataset_card.CARDS_FOLDER)
    room, given = tmp_path / "room", tmp_path / "Task04_Hippocampus"
    assert workshop_room.main([str(room), "hippocampus-mri"]) == 1
    assert "Get Medical Segmentation Decathlon, Task 04: hippocampus from its source" in capsys.readouterr().err
    for number in range(1, 31):
        write_volume(given, f"hippocampus_{number:03d}.nii.gz", seed=number)
    _write(given / "dataset.json")
    _write(room / ".hippocampus-mri.copying" / "imagesTr" / "hippocampus_001.nii.gz")
    monkeypatch.setenv("COURSE_DATA", str(given))
    assert workshop_room.main([str(room), "hippocampus-mri"]) == 0
    assert "30 verified images" in capsys.readouterr().out
    assert {path.name for path in (room / "hippocampus-mri").iterdir()} == {"imagesTr", "labelsTr", "SHA256SUMS"}
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert dataset_folder("hippocampus_mri") == room.resolve() / "hippocampus-mri"
    assert workshop_room.main([str(room), "hippocampus-mri"]) == 0
    changed = room / "hippocampus-mri" / "labelsTr" / "hippocampus_009.nii.gz"
    changed.chmod(0o644)
    changed.write_bytes(b"other")
    assert workshop_room.main([str(room), "hippocampus-mri"]) == 1
    assert "has changed since it was copied, in 1 files (labelsTr/hippocampus_009.nii.gz)" in capsys.readouterr().err
    assert not [entry for entry in learner.world.log if "hippocampus" in str(entry)]
    for path in (room, *room.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.usefixtures("learner")
def test_a_room_for_an_unknown_set_is_not_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert workshop_room.main([str(tmp_path / "room"), "moon"]) == 1
    assert "No data card 'moon'" in capsys.readouterr().err
    assert not (tmp_path / "room").exists()


def _no_network() -> None:
    raise DownloadError("the server can not be reached.")


def _write(path: Path) -> Path:
    if not path.exists():  # in a room it is read-only by now
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
    return path
