"""Single files of a set at Kaggle, by the real client against the stand-in: fetched, resumed, refused, kept."""

import io
import re
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.data.boxed_folder import read_boxed
from course_lib.modalities import room as workshop_room
from course_lib.networks import weights
from course_lib.sources import __main__ as command
from course_lib.sources import dataset_card, kaggle_dataset
from course_lib.sources.archive import MANIFEST, verify
from course_lib.sources.dataset_card import load_card
from course_lib.sources.download import DownloadError
from course_lib.sources.kaggle_account import KaggleClient
from course_lib.sources.kaggle_address import KaggleAddresses
from course_lib.sources.nih_films import ENTRIES, path_at_kaggle
from course_lib.sources.single_files import Limits, fetch_files
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_file
from course_lib.support.runtime import COURSE_ROOT
from tests.sources import nih_set
from tests.sources.kaggle_fixtures import NOBODYS_PROXY, QUICK, SECRETS, TOKEN, Learner, python
from tests.sources.kaggle_stand_in import Fault, StandIn
from tests.sources.nih_set import BOXED, HANDLE, SLUG, film
from tests.sources.test_faults import disk_that_fills_up, interrupt

FILMS = 2 * len(BOXED)
FIRST, SECOND, THIRD = map(path_at_kaggle, BOXED[:3])
SMALL = Limits(most_bytes=100_000, usual_bytes=1_000)


@pytest.fixture
def nih(learner: Learner) -> Learner:
    """The learner, with a small ChestX-ray14 at Kaggle and its card."""
    (dataset_card.CARDS_FOLDER / f"{SLUG}.toml").write_text(nih_set.CARD, encoding="utf-8")
    learner.world.singles = nih_set.whole_set()
    learner.card = load_card(SLUG)
    return learner


def asked(world: StandIn) -> list[str]:
    """The files that Kaggle was asked for, in that order."""
    return [request.asked for request in world.log if request.asked]


def work_of(learner: Learner) -> Path:
    return learner.cache / f".{SLUG}.fetching"


def films_so_far(learner: Learner) -> dict[str, int]:
    """The films that are whole, and when each was written."""
    films = (work_of(learner) / "set" / "images").glob("0*.png")
    return {path.name: path.stat().st_mtime_ns for path in films}


def assert_whole(learner: Learner) -> None:
    """The set is there as its manifest says, nothing is left of the work, and no secret was shown."""
    assert verify(learner.target, learner.card) == FILMS
    assert {path.name for path in work_of(learner).iterdir()} == {"lock"}
    seen = "".join(learner.capture.readouterr()) + learner.log.text
    assert not [secret for secret in SECRETS if secret in seen], seen


def goes_on(learner: Learner, questions: int) -> None:
    """All is well again, and the next call asks for so many files only."""
    learner.world.repair()
    learner.world.log.clear()
    learner.fetch()
    assert len(asked(learner.world)) == questions
    assert_whole(learner)


def goes_on_with_the_rest(learner: Learner) -> None:
    """All is well again, and the next call asks for no film that is whole; one may have come just before the stop."""
    kept = films_so_far(learner)
    learner.world.repair()
    learner.world.log.clear()
    learner.fetch()
    assert not {*map(path_at_kaggle, kept)} & {*asked(learner.world)}
    assert len(asked(learner.world)) <= FILMS - len(kept), "the tables are there too"
    assert {name: (learner.target / "images" / name).stat().st_mtime_ns for name in kept} == kept
    assert_whole(learner)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("waited 60 s")


@pytest.mark.slow
def test_the_tables_then_the_films_by_one_client_and_never_again(nih: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    folder = nih.fetch()
    questions = asked(nih.world)
    assert {*questions[:2]} == {"BBox_List_2017.csv", ENTRIES}
    assert len(questions) == len({*questions}) == len(nih.world.downloads()) == 2 + FILMS
    assert sum("IntrospectToken" in request.path for request in nih.world.log) == 1, "it signs in once"
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*")} == {"images", "boxes.csv", MANIFEST}
    assert (folder / "images" / BOXED[0]).read_bytes() == nih.world.singles[f"{HANDLE}/{FIRST}"]
    assert len((folder / "boxes.csv").read_text().splitlines()) == 1 + len(nih_set.BOX_LINES)
    films = read_boxed(folder, ("Nodule", "Infiltrate", "Mass", "Cardiomegaly", "Effusion"), nih.card)
    assert [len(film.boxes) for film in films if film.path.name in BOXED] == [2, 1, 1, 1], "the course can read it"
    assert len(films) == FILMS
    bars = nih.capture.readouterr().err
    assert re.search(rf"[1-8] of {FILMS} files: +\d+%\|.*k/\d+k \[.*B/s\]", bars), bars
    nih.world.log.clear()
    assert nih.fetch() == folder
    assert not nih.world.log
    assert_whole(nih)
    assert command.main(["verify", SLUG]) == 0
    assert f"{FILMS} images are as the manifest says" in nih.capture.readouterr().out
    (folder / "boxes.csv").write_text("changed")
    with pytest.raises(DataError, match=r"boxes\.csv has another SHA-256"):
        verify(folder, nih.card)


@pytest.mark.slow
def test_a_line_cut_in_a_film_is_resumed_in_the_same_call_and_in_the_next(nih: Learner) -> None:
    size = len(nih.world.singles[f"{HANDLE}/{FIRST}"])
    nih.world.storage_fault = Fault(cut_after=size // 2, on=FIRST, times=1)
    nih.fetch()
    pieces = [request for request in nih.world.downloads() if FIRST in request.path]
    assert [(piece.first_byte, piece.sent) for piece in pieces] == [(0, size // 2), (size // 2, size - size // 2)]
    assert_whole(nih)
    nih.target.rename(nih.cache / "elsewhere")
    nih.world.storage_fault = Fault(cut_after=size // 3, on=FIRST, times=1)
    with pytest.raises(DownloadError, match=rf"{FIRST} of .* the line broke\. .* are kept for the next call"):
        kaggle_dataset.fetch_dataset(SLUG, patience=replace(QUICK, tries=1))
    assert not nih.target.exists()
    nih.world.log.clear()
    nih.fetch()
    (rest,) = [request for request in nih.world.downloads() if FIRST in request.path]
    assert rest.first_byte == size // 3
    assert_whole(nih)


FETCH = "import sys; from pathlib import Path; from course_lib.sources import dataset_card, kaggle_dataset; "
FETCH += f"dataset_card.CARDS_FOLDER = Path(sys.argv[1]); kaggle_dataset.fetch_dataset('{SLUG}')"


@pytest.mark.slow
def test_a_process_killed_between_films_loses_no_whole_film(nih: Learner) -> None:
    nih.world.bytes_per_second = 6e4
    fetching = python("-c", FETCH, str(dataset_card.CARDS_FOLDER))
    process = subprocess.Popen(fetching, cwd=COURSE_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(films_so_far(nih)) >= 3)
    process.kill()
    process.wait()
    assert 3 <= len(films_so_far(nih)) < FILMS
    assert not nih.target.exists()
    goes_on_with_the_rest(nih)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to threads are POSIX")
def test_ctrl_c_between_films(nih: Learner) -> None:
    def stop() -> None:
        wait_until(lambda: len(films_so_far(nih)) >= 2)
        interrupt()

    nih.world.bytes_per_second = 6e4
    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(KeyboardInterrupt):
        nih.fetch()
    stopping.join()
    said = nih.capture.readouterr().out
    assert re.search(r"stopped\. [2-7] of 8 files are kept for the next call\. Call again to go on\.", said), said
    goes_on_with_the_rest(nih)


@pytest.mark.slow
def test_no_token_then_a_stale_one_then_a_good_one(nih: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    nih.world.anonymous = False
    with monkeypatch.context() as without:
        without.delenv("KAGGLE_API_TOKEN")
        nih.refused("there is no token on this computer", "store it with the dialogue in notebook 00")
    nih.world.tokens = set()
    nih.refused(r"does not accept the token from the variable KAGGLE_API_TOKEN \(401\)", "unset KAGGLE_API_TOKEN")
    nih.world.anonymous = True
    nih.world.log.clear()
    nih.fetch()
    said = nih.capture.readouterr().out
    assert said.count("but gives Findings in boxes (ChestX-ray14) without one") == 1, "it says so once"
    shown = [bool(request.headers.get("Authorization")) for request in nih.world.log if request.asked]
    assert shown == [True] + [False] * (2 + FILMS), "and shows the token once"
    assert_whole(nih)
    assert TOKEN not in said


@pytest.mark.slow
def test_a_film_that_kaggle_lacks_is_named_and_the_others_are_kept(nih: Learner) -> None:
    missing = nih.world.singles.pop(f"{HANDLE}/{FIRST}")
    nih.refused(
        rf"1 of 8 files of .*: Kaggle has no file {FIRST} in {HANDLE} \(404\)",
        r"Call again to ask for what is missing.*set COURSE_DATA\. 7 of 8 files are kept",
    )
    nih.world.singles[f"{HANDLE}/{FIRST}"] = missing
    goes_on(nih, 1)


@pytest.mark.slow
def test_a_set_that_kaggle_lacks_is_not_asked_for_film_by_film(nih: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course_lib.sources.single_files.MOST_BAD", 2)
    nih.world.singles = {name: content for name, content in nih.world.singles.items() if "images" not in name}
    nih.refused("[2-6] of 8 files .* could not be fetched: Kaggle has no file", "get the set from its source")
    assert len(asked(nih.world)) <= 2 + 2 + 4, "those that were on their way when it was enough"
    nih.world.singles.clear()
    nih.world.log.clear()
    (work_of(nih) / "tables" / ENTRIES).unlink()
    nih.refused(f"1 of 2 files .*: Kaggle has no file {ENTRIES}", "1 of 2 files are kept")
    assert asked(nih.world) == [ENTRIES]


@pytest.mark.slow
def test_a_pause_that_kaggle_asks_for_is_kept_by_all(nih: Learner) -> None:
    nih.world.api_fault = Fault(429, 1, on="images_", after=3, times=1)
    nih.fetch()
    assert len(asked(nih.world)) == 2 + FILMS + 1, "nobody asks meanwhile"
    assert_whole(nih)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "expected", "remedy"),
    [
        (Fault(403), "its terms are not accepted yet", "accept the terms, and call again"),
        (Fault(429, 3600), r"429 \(too many calls\) and asks for a pause of 3600 s", "Wait a while, then call again"),
        (Fault(503), r"Kaggle answered 503 \(it has a fault\)", "Wait a while, then call again"),
        (Fault(stall_after=-1), "Kaggle does not answer", "Check the network"),
        (Fault(html=True), "a web page came", "sign in to the network, then call again"),
    ],
    ids=["403", "429", "503", "silent", "web page"],
)
def test_kaggle_fails_between_films(nih: Learner, fault: Fault, expected: str, remedy: str) -> None:
    nih.world.api_fault = replace(fault, on="images_", after=3)
    nih.refused(expected, rf"{remedy}.*( [1-3] of 8 files are kept for the next call\.)?$")
    goes_on_with_the_rest(nih)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(503), "the server answered 503"),
        (Fault(stall_after=100), "fell silent"),
        (Fault(html=True), "a web page came"),
    ],
    ids=["503", "silent", "web page"],
)
def test_the_storage_fails_between_films(nih: Learner, fault: Fault, expected: str) -> None:
    nih.world.storage_fault = replace(fault, on="images_", after=2)
    nih.refused(expected, r"call again\.( [12] of 8 files are kept for the next call\.)?$")
    goes_on_with_the_rest(nih)


@pytest.mark.slow
def test_a_dead_network(nih: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as offline:
        for name in ("HTTP_PROXY", "http_proxy"):
            offline.setenv(name, NOBODYS_PROXY)
        nih.refused("Kaggle can not be reached", "Without a network, set COURSE_DATA .* phantoms")
    goes_on(nih, 2 + FILMS)


@pytest.mark.slow
def test_what_is_no_film_or_too_large_is_named_and_asked_for_again(nih: Learner) -> None:
    good = dict(nih.world.singles)
    nih.world.singles[f"{HANDLE}/{FIRST}"] = b"<html>"
    nih.world.singles[f"{HANDLE}/{SECOND}"] = film(1, side=100)
    nih.world.singles[f"{HANDLE}/{THIRD}"] = film(1) + bytes(6_000_000)
    said = nih.refused("3 of 8 files of .* could not be fetched", "Call again.* 5 of 8 files are kept")
    assert f"{FIRST} is no JPEG or PNG" in said
    assert f"{SECOND} is an image of 100 x 100 pixels; expected a PNG of 1024 x 1024" in said
    assert f"{THIRD} has 6 MB; expected 6 MB at most" in said
    damaged = next((work_of(nih) / "set" / "images").glob("0*.png"))
    damaged.write_bytes(damaged.read_bytes()[:-300])
    nih.world.singles = good
    goes_on(nih, 3 + 1)


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [".png", ".csv"])
def test_what_kaggle_packs_is_unpacked(nih: Learner, zipped: str) -> None:
    nih.world.zipped = zipped
    nih.fetch()
    assert (nih.target / "images" / BOXED[0]).read_bytes() == nih.world.singles[f"{HANDLE}/{FIRST}"]
    assert_whole(nih)


def packed(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


BAD = {
    "two": (packed(("two", b"2"), ("more", b"3")), r"two came packed with other files \(two, more\)"),
    "out": (packed(("../../elsewhere", b"2")), r"out came packed with other files \(elsewhere\)"),
    "bomb": (packed(("bomb", bytes(10_000_000))), "bomb would unpack to 10 MB"),
    "odd": (packed(("odd", b"2"), how=zipfile.ZIP_LZMA), "odd came packed in another compression"),
    "torn": (packed(("torn", b"2" * 1000))[:-30], "torn came packed, and can not be unpacked"),
    "large": (bytes(200_000), "large has 200 kB; expected 100 kB at most"),
}
NO_PATHS = ("../good", "/good", "a/../../b", "a//b", "C:/b", "a\\..\\b", "a\nb", "", ".")


@pytest.mark.slow
def test_hostile_answers_and_names_put_nothing_outside_the_folder(nih: Learner, tmp_path: Path) -> None:
    nih.world.singles = {f"{HANDLE}/{name}": content for name, (content, _) in BAD.items()}
    nih.world.singles |= {f"{HANDLE}/good": packed(("folder/good", b"all is well")), f"{HANDLE}/a/plain": b"x"}
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    folder = tmp_path / "inside"
    with KaggleAddresses(nih.card, QUICK) as addresses:
        for path in NO_PATHS:
            for paths in ({path: "good"}, {"good": path}):
                with pytest.raises(DataError, match="is no path in a data set"):
                    fetch_files(addresses, paths, folder, SMALL)
        with pytest.raises(DataError, match="would get one place"):
            fetch_files(addresses, {"good": "a/b", "two": "a_b"}, folder, SMALL)
        assert not asked(nih.world)
        for name, (_, problem) in BAD.items():
            with pytest.raises(DownloadError, match=problem):
                fetch_files(addresses, {name: name}, folder, SMALL)
        sums = fetch_files(addresses, {"good": "good", "a/plain": "b/plain"}, folder, SMALL)
        with pytest.raises(DownloadError, match="larger than was to be expected: more than the 11 bytes"):
            fetch_files(addresses, {"a/plain": "c", "good": "good"}, folder, replace(SMALL, most_together=11))
    assert sums == {place: digest_of_file(folder / place) for place in ("good", "b/plain")}
    assert (folder / "good").read_bytes() == b"all is well"
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    places = {path.relative_to(tmp_path).parts[0] for path in new}
    assert places <= {"inside", "inside.coming", "home"}, new


@pytest.mark.slow
def test_nothing_large_is_fetched_unasked(nih: Learner) -> None:
    with pytest.raises(DownloadError, match=r"about 4 MB, at 400 kB a film, and no more than 1 MB .* `make data CARD="):
        kaggle_dataset.fetch_dataset(SLUG, at_most_mb=1)
    assert not nih.world.log
    kaggle_dataset.fetch_dataset(SLUG, at_most_mb=5, patience=QUICK)
    assert_whole(nih)


@pytest.mark.slow
def test_tables_that_are_none_or_name_another_number_of_films(nih: Learner) -> None:
    good = nih.world.singles[f"{HANDLE}/BBox_List_2017.csv"]
    nih.world.singles[f"{HANDLE}/BBox_List_2017.csv"] = nih_set.box_table(nih_set.BOX_LINES[:4])
    said = nih.refused(r"images/.* has 6 files instead of 8", "call again, else take the newest course")
    assert "What Kaggle's tables name" in said
    nih.world.singles[f"{HANDLE}/BBox_List_2017.csv"] = nih_set.box_table(("../../evil.png,Nodule,1,2,30,40,,,",))
    nih.refused(r"Line 2 of BBox_List_2017\.csv is \.\./\.\./evil", "call again")
    assert len(asked(nih.world)) == 2 + 2, "no film, and tables that were of no use are asked for anew"
    nih.world.singles[f"{HANDLE}/BBox_List_2017.csv"] = good
    goes_on(nih, 2 + FILMS)


@pytest.mark.slow
def test_the_disk_fills_up(nih: Learner) -> None:
    with disk_that_fills_up(f"images_{BOXED[1]}.part", after=3_000):
        nih.refused("The disk filled up", "Free some space and call again")
    goes_on_with_the_rest(nih)


@pytest.mark.slow
def test_a_strange_file_among_the_films_is_left_alone(nih: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TQDM_DISABLE", "1")
    thesis = work_of(nih) / "set" / "images" / "thesis.png"
    thesis.parent.mkdir(parents=True)
    thesis.touch()
    nih.refused(r"thesis\.png is none of the films that were asked for", "Move it away, and call again")
    assert "of 8 files" not in nih.capture.readouterr().err, "no bar"
    thesis.rename(nih.home / "thesis.png")
    goes_on(nih, 0)


@pytest.mark.slow
def test_a_room_has_the_films_too(nih: Learner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(_: object, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resnet18-f37072fd.pth").touch()
        return folder / "resnet18-f37072fd.pth"

    monkeypatch.setattr(weights, "cached_file", write)
    missing = nih.world.singles.pop(f"{HANDLE}/{FIRST}")
    room, second = tmp_path / "room", tmp_path / "second"
    assert workshop_room.main([str(room), SLUG]) == 1, "half fetched"
    nih.world.singles[f"{HANDLE}/{FIRST}"] = missing
    assert workshop_room.main([str(room), SLUG]) == 0, nih.capture.readouterr().err
    assert "8 verified images" in nih.capture.readouterr().out
    assert (room / SLUG / "boxes.csv").stat().st_mode & 0o777 == 0o444
    questions = len(nih.world.log)
    assert workshop_room.main([str(room), SLUG]) == 0, "it is there"
    monkeypatch.setenv("COURSE_DATA", str(room))
    assert nih.fetch() == room / SLUG
    assert workshop_room.main([str(second), SLUG]) == 0, "copied from the first"
    assert len(nih.world.log) == questions
    for path in [path for top in (room, second) for path in (top, *top.rglob("*"))]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.slow
def test_a_client_that_has_ended_starts_again(nih: Learner) -> None:
    with KaggleClient(5) as client:
        assert client.ask(HANDLE, ENTRIES).address.startswith("http://storage.example/nih-chest-xrays/data/3/Data_")
        client.close()
        assert client.ask(HANDLE, ENTRIES).credentials == "accepted"
        assert client.ask(HANDLE, "no such file").status == 404
        assert client.ask("nobody/nothing/1").status == 404
    assert asked(nih.world) == [ENTRIES, ENTRIES, "no such file"]
