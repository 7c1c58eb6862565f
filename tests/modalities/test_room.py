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
from course_lib.sources.download import DownloadError
from course_lib.support.errors import DataError
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
    (room / "weights" / "more").symlink_to(elsewhere)
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
