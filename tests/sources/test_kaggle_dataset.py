"""The download from Kaggle, by the real client, against a stand-in on loopback: found, fetched, resumed, verified."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from course_lib.modalities.registry import open_dataset
from course_lib.sources import __main__ as command
from course_lib.sources import dataset_card, kaggle_dataset
from course_lib.sources.archive import MANIFEST, images_of_a_set, verify
from course_lib.sources.dataset_card import CARDS_FOLDER, load_card
from course_lib.sources.download import DownloadError, what_is_kept
from course_lib.sources.kaggle_account import save_token
from course_lib.support.errors import DataError
from course_lib.support.runtime import COURSE_ROOT
from tests.sources.kaggle_fixtures import QUICK, TOKEN, Learner, python
from tests.sources.kaggle_stand_in import Fault
from tests.sources.xray_archive import jpeg, write_archive

SLUG = "chest-xray-pneumonia"


def authorisations(learner: Learner) -> set[str]:
    """The Authorization headers that came with the questions for the data set."""
    asked = [r for r in learner.world.log if r.path.endswith("/DownloadDataset")]
    assert asked
    return {r.headers.get("Authorization", "") for r in asked}


@pytest.mark.slow
def test_open_dataset_fetches_once_and_then_finds(learner: Learner) -> None:
    data = open_dataset(source="kaggle")
    assert (data.name, data.simulated) == (learner.card.name, False)
    assert len(data.train) + len(data.validation) == 28
    assert len(data.test) == 10
    asked = len(learner.world.log)
    assert open_dataset(source="kaggle") == data
    assert len(learner.world.log) == asked


@pytest.mark.slow
def test_the_mess_stays_outside_and_the_original_validation_split_is_kept_but_not_used(learner: Learner) -> None:
    folder = learner.fetch()
    names = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
    assert names == {"train", "val", "test", MANIFEST}
    assert len(images_of_a_set(folder)) == 42
    used = open_dataset(source=folder)
    assert not [r for part in (used.train, used.validation, used.test) for r in part if r.path.parts[-3] == "val"]


def test_the_version_is_pinned_and_the_token_stays_with_kaggle(learner: Learner) -> None:
    learner.fetch()
    assert authorisations(learner) == {f"Bearer {TOKEN}"}
    (download,) = learner.world.downloads()
    assert "/2?" in download.path
    assert "Authorization" not in download.headers


@pytest.mark.slow
@pytest.mark.parametrize("place", ["variable", "variable naming a file", "access_token", "access_token.txt"])
def test_a_token_is_found_where_the_client_looks(learner: Learner, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learner.world.anonymous = False
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    folder = learner.home / ".kaggle"
    folder.mkdir()
    if place == "variable":
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    elif place == "variable naming a file":
        (learner.home / "token").write_text(TOKEN)
        monkeypatch.setenv("KAGGLE_API_TOKEN", str(learner.home / "token"))
    else:
        (folder / place).write_text(f"{TOKEN}\n")
    learner.fetch()
    assert authorisations(learner) == {f"Bearer {TOKEN}"}


@pytest.mark.slow
@pytest.mark.parametrize("place", ["variables", ".kaggle", ".config/kaggle", "KAGGLE_CONFIG_DIR"])
def test_a_key_is_found_where_the_client_looks(learner: Learner, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learner.world.anonymous = False
    learner.world.keys = {("learner", "k" * 32)}
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if place == ".config/kaggle" and not sys.platform.startswith("linux"):
        pytest.skip("the client looks there on Linux only")
    if place == "variables":
        monkeypatch.setenv("KAGGLE_USERNAME", "learner")
        monkeypatch.setenv("KAGGLE_KEY", "k" * 32)
    else:
        folder = learner.home / (".somewhere" if place == "KAGGLE_CONFIG_DIR" else place)
        folder.mkdir(parents=True)
        (folder / "kaggle.json").write_text(json.dumps({"username": "learner", "key": "k" * 32}))
        if place == "KAGGLE_CONFIG_DIR":
            monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
    learner.fetch()
    (said,) = authorisations(learner)
    assert said.startswith("Basic ")


def test_without_a_token_the_client_asks_anonymously(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    learner.fetch()
    assert authorisations(learner) == {""}
    assert not [r for r in learner.world.log if "IntrospectToken" in r.path]


@pytest.mark.slow
def test_a_stored_token_is_used_by_the_next_call(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    learner.world.anonymous = False
    learner.refused("no token on this computer", "notebook 00")
    save_token(TOKEN)
    learner.fetch()
    assert authorisations(learner) == {"", f"Bearer {TOKEN}"}


@pytest.mark.usefixtures("learner")
def test_nothing_large_is_fetched_unasked() -> None:
    with pytest.raises(
        DownloadError,
        match=r"a download of 1\d\d kB and needs 2\d\d kB of disk, and no more than 0.01 MB .* `make data CARD=",
    ):
        open_dataset(source="kaggle", at_most_mb=0.01)
    assert open_dataset(source="kaggle", at_most_mb=1).card


@pytest.mark.slow
def test_another_data_set_is_a_card_away(learner: Learner) -> None:
    """A set with other classes, other names, another kind of image and no mess: a card, and no code."""
    card = (CARDS_FOLDER / "phantom.toml").read_text(encoding="utf-8")
    for field, value in {
        "name": "Hand X-rays",
        "slug": "hand-xrays",
        "classes": ["BROKEN", "WHOLE"],
        "handle": "someone/hand-xrays/7",
        "simulated": False,
    }.items():
        start = card.index(f"\n{field} = ") + 1
        card = card.replace(card[start : card.index("\n", start)], f"{field} = {json.dumps(value)}")
    start = card.index("file_names")
    card = card[:start] + (
        r"file_names = ['(?P<patient>hand\d+)-[ab]\.png']" + "\nsplits_share_no_patient = false\n"
        "[counts.train]\nBROKEN = 12\nWHOLE = 12\n[counts.test]\nBROKEN = 2\nWHOLE = 2\n"
    )
    (dataset_card.CARDS_FOLDER / "hand-xrays.toml").write_text(card, encoding="utf-8")
    archive = learner.home / "hands.zip"
    with zipfile.ZipFile(archive, "w") as content:
        serial = 0
        for split, classes in load_card("hand-xrays").counts.items():
            for name, count in classes.items():
                for _ in range(count):
                    serial += 1
                    content.writestr(f"{split}/{name}/hand{serial}-a.png", jpeg(serial, name == "BROKEN"))
    learner.world.archives["someone/hand-xrays/7"] = lambda: archive
    data = open_dataset(source="kaggle:hand-xrays")
    assert data.classes == ("BROKEN", "WHOLE")
    assert len(data.test) == 4
    assert (learner.cache / "hand-xrays" / MANIFEST).is_file()


def test_a_card_without_a_handle_can_not_be_fetched(learner: Learner) -> None:
    shutil.copy(CARDS_FOLDER / "phantom.toml", dataset_card.CARDS_FOLDER)
    with pytest.raises(DataError, match="has no handle"):
        open_dataset(source="kaggle:phantom")
    with pytest.raises(DataError, match="No data card 'nothing'"):
        open_dataset(source="kaggle:nothing")
    assert not learner.world.log


@pytest.mark.slow
def test_a_given_folder_is_used_before_anything_is_fetched(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    shutil.copytree(learner.fetch(), given)
    shutil.rmtree(learner.target)
    learner.world.log.clear()
    monkeypatch.setenv("COURSE_DATA", str(given))
    assert open_dataset(source="kaggle").test[0].path.is_relative_to(given)
    monkeypatch.setenv("COURSE_DATA", "kaggle")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "other"))
    assert open_dataset().test[0].path.is_relative_to(tmp_path / "other")


@pytest.mark.slow
def test_a_broken_line_is_resumed_in_the_same_call(learner: Learner) -> None:
    size = learner.archive.stat().st_size
    learner.world.storage_fault = Fault(cut_after=size // 3, times=1)
    learner.fetch()
    first, second = learner.world.downloads()
    assert first.sent + second.sent == size
    assert second.first_byte == size // 3


@pytest.mark.slow
def test_a_silent_line_is_resumed_in_the_same_call(learner: Learner) -> None:
    learner.world.storage_fault = Fault(stall_after=60_000, times=1)
    learner.fetch()
    assert [r.first_byte for r in learner.world.downloads()] == [0, 60_000]


@pytest.mark.slow
def test_a_bar_shows_bytes_and_the_time_left(
    learner: Learner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    learner.world.bytes_per_second = 1e5
    learner.fetch()
    assert re.search(r"\d+%\|.* [\d.]+k/111k \[\d\d:\d\d<\d\d:\d\d, +[\d.]+kB/s\]", capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize(
    "left", ["note", "part", "half a note", "empty part", "all bytes", "too many bytes", "old mark"]
)
def test_whatever_a_crash_leaves_the_next_call_succeeds(learner: Learner, left: str) -> None:
    """The states of the disk between any two steps of the download."""
    target = learner.cache / ".chest-xray-pneumonia.fetching" / "archive.zip"
    target.parent.mkdir(parents=True)
    content = learner.archive.read_bytes()
    kept = what_is_kept(target)
    note = json.dumps({"size": len(content), "mark": f'"{hash(content):x}"'})
    if left != "part":
        kept.note.write_text(note[:20] if left == "half a note" else note.replace(":", ": ", 1))
    if left == "old mark":
        kept.note.write_text(json.dumps({"size": len(content), "mark": '"other"'}))
    if left not in ("note", "half a note"):
        bytes_left = {"empty part": b"", "all bytes": content, "too many bytes": content + b"x"}
        kept.part.write_bytes(bytes_left.get(left, b"from another file"))
    learner.fetch()
    assert len(learner.world.downloads()) == (0 if left == "all bytes" else 1) or left == "too many bytes"


@pytest.mark.slow
def test_a_refused_retry_loses_nothing(learner: Learner) -> None:
    """Where the client itself would write the error page over what it has."""
    size = learner.archive.stat().st_size
    learner.world.storage_fault = Fault(cut_after=size // 2, times=1)
    with pytest.raises(DownloadError, match="the line broke"):
        kaggle_dataset.fetch_dataset(
            learner.card.slug, patience=type(QUICK)(tries=1, pause_seconds=0, silence_seconds=1)
        )
    learner.world.storage_fault = Fault(status=503)
    said = learner.refused("the server answered 503", "are kept for the next call")
    assert said
    learner.world.repair()
    learner.fetch()
    assert sum(r.sent for r in learner.world.downloads()) == size


@pytest.mark.slow
def test_an_archive_that_changed_between_two_calls_is_fetched_anew(learner: Learner) -> None:
    learner.world.storage_fault = Fault(cut_after=5_000, times=2)
    with pytest.raises(DownloadError):
        kaggle_dataset.fetch_dataset(
            learner.card.slug, patience=type(QUICK)(tries=1, pause_seconds=0, silence_seconds=1)
        )
    write_archive(learner.archive, learner.card, kinds=3)
    learner.world.repair()
    learner.fetch()
    assert learner.world.downloads()[-1].sent == learner.archive.stat().st_size


@pytest.mark.slow
def test_verify_finds_every_change(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    folder = learner.fetch()
    assert command.main(["verify", SLUG]) == 0
    assert "42 images are as the manifest says" in capsys.readouterr().out
    image = folder / images_of_a_set(folder)[0]
    whole = image.read_bytes()
    image.write_bytes(jpeg(99, bright=True))
    with pytest.raises(DataError, match=f"{image.name} has another SHA-256.*run `make data CARD={SLUG}` again"):
        verify(folder, learner.card)
    image.unlink()
    assert command.main(["verify", SLUG]) == 1
    assert "NORMAL has 3 images instead of 4" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"test/NORMAL has 3 images instead of 4\. Remove that folder"):
        learner.fetch()
    image.write_bytes(whole)
    (folder / MANIFEST).unlink()
    with pytest.raises(DataError, match="has no SHA256SUMS"):
        verify(folder, learner.card)


@pytest.mark.slow
def test_a_folder_without_a_manifest_is_moved_away_or_left_alone(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (learner.fetch() / MANIFEST).unlink()
    assert command.main(["verify", SLUG]) == 1
    assert f"move it away (or unset COURSE_DATA), then run `make data CARD={SLUG}`" in capsys.readouterr().err
    learner.target.rename(tmp_path / "away")
    assert command.main(["data", SLUG]) == 0
    assert command.main(["verify", SLUG]) == 0
    room = tmp_path / "room"
    (room / "weights").mkdir(parents=True)
    shutil.copytree(tmp_path / "away", room / learner.card.slug)
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert command.main(["verify", SLUG]) == 1
    assert f"then run `make room DIR={room} CARD={learner.card.slug}`" in capsys.readouterr().err


@pytest.mark.slow
def test_a_manifest_in_another_encoding(learner: Learner) -> None:
    manifest = learner.fetch() / MANIFEST
    manifest.write_text(manifest.read_text(), encoding="utf-16")
    with pytest.raises(DataError, match="is no list of SHA-256 sums"):
        verify(learner.target, learner.card)


def test_a_missing_folder_is_not_passed_over(learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "unplugged"))
    with pytest.raises(DataError, match=r"COURSE_DATA names the folder .*unplugged, which is not there\. Connect"):
        open_dataset(source="kaggle")
    assert not learner.world.log


@pytest.mark.slow
def test_an_incomplete_room_is_not_opened(learner: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    room = tmp_path / "room"
    (room / "weights").mkdir(parents=True)
    shutil.copytree(learner.fetch(), room / learner.card.slug)
    (room / learner.card.slug / images_of_a_set(learner.target)[0]).unlink()
    monkeypatch.setenv("COURSE_DATA", str(room))
    for source in (None, "kaggle"):
        with pytest.raises(
            DataError,
            match=rf"has 3 images instead of 4\. Remove .* `make room DIR=.*room CARD={SLUG}` again",
        ):
            open_dataset(source=source)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'name = "Hands"\n', "hands.toml is not a complete data card: slug is missing"),
        (b"name = " + b"[" * 90_000, "hands.toml is no TOML in UTF-8"),
        (b"name = Hands\n", "hands.toml is no TOML in UTF-8"),
        ('name = "Händs"'.encode("utf-16"), "hands.toml is no TOML in UTF-8"),
    ],
)
@pytest.mark.usefixtures("learner")
def test_a_card_that_is_none(content: bytes, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset_card.CARDS_FOLDER / "hands.toml").write_bytes(content)
    assert command.main(["data", "hands"]) == 1
    assert expected in capsys.readouterr().err


def test_the_command_line_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(error: BaseException) -> Callable[[str], Path]:
        def raising(_: str) -> Path:
            raise error

        return raising

    monkeypatch.setattr(command, "fetch_dataset", fail(PermissionError(13, "Permission denied", "datasets")))
    assert command.main(["data", SLUG]) == 1
    assert capsys.readouterr().err == (
        "The system refused datasets (Permission denied). Give yourself access to it, then call again.\n"
    )
    monkeypatch.setattr(command, "fetch_dataset", fail(KeyboardInterrupt()))
    assert command.main(["data", SLUG]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.mark.slow
@pytest.mark.usefixtures("learner")
def test_verify_before_anything_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["verify", SLUG]) == 1
    assert f"Run `make data CARD={SLUG}` first" in capsys.readouterr().err
    assert command.main(["data", SLUG]) == 0
    assert "chest-xray-pneumonia is in" in capsys.readouterr().out


@pytest.mark.slow
def test_an_archive_that_a_killed_call_left_is_removed(learner: Learner) -> None:
    learner.fetch()
    left = learner.cache / ".chest-xray-pneumonia.fetching" / "archive.zip"
    shutil.copy(learner.archive, left)
    learner.fetch()
    assert not left.exists()


TRANSFER = "import sys; from pathlib import Path; from course_lib.sources.download import fetch; "
TRANSFER += "fetch(lambda: sys.argv[1], Path(sys.argv[2]), 'archive')"


@pytest.mark.slow
def test_a_download_killed_at_any_byte_goes_on_from_there(learner: Learner, tmp_path: Path) -> None:
    """Killed six times at random bytes: no byte is sent twice beyond one chunk and what was under way per kill."""
    content = random.Random(0).randbytes(6_000_000)
    learner.world.files["/big.zip"] = content
    learner.world.bytes_per_second = 4e6
    target = tmp_path / "big.zip"
    part = tmp_path / "big.zip.part"
    kills = 6
    for kill in range(kills):
        aim = random.Random(kill).randint(0, 700_000) + (part.stat().st_size if part.exists() else 0)
        process = subprocess.Popen(python("-c", TRANSFER, f"{learner.world.url}/big.zip", str(target)), cwd=COURSE_ROOT)
        while (part.stat().st_size if part.exists() else 0) < aim and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
        assert not target.exists()
    learner.world.bytes_per_second = float("inf")
    subprocess.run(python("-c", TRANSFER, f"{learner.world.url}/big.zip", str(target)), cwd=COURSE_ROOT, check=True)
    assert target.read_bytes() == content
    twice = sum(r.sent for r in learner.world.downloads()) - len(content)
    under_way = 2 * 64 * 1024 + 300_000  # what the server had handed to the network when the process died
    assert twice <= kills * (256 * 1024 + under_way), twice
    starts = [r.first_byte for r in learner.world.downloads()]
    assert starts == sorted(starts)


@pytest.fixture
def whole(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> Learner:
    """The same learner, but with the course's own card: 5,856 images, so that other processes know it too."""
    monkeypatch.setattr(dataset_card, "CARDS_FOLDER", CARDS_FOLDER)
    learner.card = load_card("chest-xray-pneumonia")
    write_archive(learner.archive, learner.card)
    return learner


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("waited 30 s")


@pytest.mark.slow
def test_killed_while_fetching_then_while_unpacking_then_twice_at_once(whole: Learner) -> None:
    command = python("-m", "course_lib.sources", "data", SLUG)
    work, scratch = whole.cache / ".chest-xray-pneumonia.fetching", whole.cache / ".chest-xray-pneumonia.unpacking"
    part = work / "archive.zip.part"
    whole.world.bytes_per_second = 8e6
    one = subprocess.Popen(command, cwd=COURSE_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: part.exists() and part.stat().st_size > 2_000_000)
    one.kill()
    one.wait()
    whole.world.bytes_per_second = float("inf")
    two = subprocess.Popen(command, cwd=COURSE_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: (scratch / "train" / "NORMAL").is_dir() and any((scratch / "train" / "NORMAL").iterdir()))
    two.kill()
    two.wait()
    assert not whole.target.exists()
    served = len(whole.world.downloads())
    both = [subprocess.Popen(command, cwd=COURSE_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(whole.world.downloads()) == served, "the archive was there already"
    assert sum("Another process is fetching" in text for text in said) <= 1
    assert sum("Unpacking and verifying" in text for text in said) == 1
    assert not scratch.exists()
    assert verify(whole.target, whole.card) == 5856
    size = whole.archive.stat().st_size
    assert sum(r.sent for r in whole.world.downloads()) <= size + 1_000_000


@pytest.mark.slow
def test_the_second_of_two_waits_and_says_so(learner: Learner, capsys: pytest.CaptureFixture[str]) -> None:
    work = learner.cache / ".chest-xray-pneumonia.fetching"
    work.mkdir(parents=True)
    hold = "import sys, time, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
    hold += "print('held', flush=True); time.sleep(1)"
    with subprocess.Popen(python("-c", hold, str(work / "lock")), stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        learner.fetch()
    assert "Another process is fetching Chest X-Ray Images (Pneumonia). Waiting" in capsys.readouterr().out


def test_the_benchmark_fails_beyond_its_bounds() -> None:
    pytest.importorskip("resource", reason="the benchmark measures memory as POSIX does")
    from tests.benchmarks.full_size_archive import exit_code

    assert exit_code(seconds=89, memory_mb=499) == 0
    assert exit_code(seconds=91, memory_mb=100) == 1
    assert exit_code(seconds=40, memory_mb=501) == 1


def test_no_variable_of_ours_looks_like_one_of_kaggles() -> None:
    kaggles = {"API_TOKEN", "API_ENVIRONMENT", "USERNAME", "KEY", "CONFIG_DIR", "API_V1_TOKEN"}
    allowed = {"KAGGLE_", *(f"KAGGLE_{name}" for name in kaggles)}
    folders = [COURSE_ROOT / name for name in ("course_lib", "notebooks", "tests")]
    files = [path for folder in folders for suffix in ("py", "ipynb") for path in folder.rglob(f"*.{suffix}")]
    for path in [*files, COURSE_ROOT / "Makefile"]:
        assert set(re.findall(r"\bKAGGLE_\w*", path.read_text(encoding="utf-8"))) <= allowed, path
    assert os.environ.get("KAGGLE_API_ENVIRONMENT", "LOCALHOST") == "LOCALHOST"
