"""Files of the course in a folder of other people's files: only its own are ever touched."""

import os
import re
import time
from pathlib import Path, PurePosixPath
from random import Random

import pytest

from course_lib.support.errors import DataError
from course_lib.support.own_files import HEADER_BYTES, OwnFiles, remove_half_made

KEY, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
BEGIN = b"things of images\n"
NAMES = 2000 if os.environ.get("COURSE_THOROUGH") else 400
OURS = re.compile(r"[0-9a-f]{64}\.things|\.[0-9a-f]{64}\.things\.[0-9a-f]{8}\.part")


@pytest.fixture
def files(tmp_path: Path) -> OwnFiles:
    return files_in(tmp_path)


def files_in(folder: Path) -> OwnFiles:
    return OwnFiles(folder, "things of images", ".things")


def tidy_up(files: OwnFiles) -> None:
    """Delete as much as is ever deleted."""
    files.remove_unfinished()
    files.delete_oldest(OTHER, most_files=0, most_bytes=0)


def test_a_file_holds_what_was_put_into_it_and_is_known_to(files: OwnFiles) -> None:
    assert not files.is_whole(KEY)
    path = files.write(KEY, iter([b"one ", b"two"]))
    assert path == files.path(KEY)
    assert path.read_bytes()[HEADER_BYTES:] == b"one two"
    assert files.is_whole(KEY)


@pytest.mark.parametrize("place", [0, 20, 100, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 6])
def test_one_changed_byte_anywhere_is_noticed(files: OwnFiles, place: int) -> None:
    path = files.write(KEY, [b"one two"])
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert not files.is_whole(KEY)


def test_the_file_of_another_key_is_not_taken_for_this_one(files: OwnFiles) -> None:
    files.write(OTHER, [b"one two"]).rename(files.path(KEY))
    assert not files.is_whole(KEY)


def test_those_that_were_not_used_for_longest_are_deleted(files: OwnFiles) -> None:
    keys = [f"{number:064x}" for number in range(4)]
    for age, key in enumerate(keys):
        os.utime(files.write(key, [b"12345"]), (time.time() - 10 * age - 10,) * 2)
    files.mark_used(keys[3])
    files.delete_oldest(keys[2], most_files=2)
    assert [files.path(key).exists() for key in keys] == [True, False, True, True]
    files.delete_oldest(keys[0], most_bytes=HEADER_BYTES + 5)
    assert [files.path(key).exists() for key in keys] == [True, False, False, True]


def test_what_a_killed_process_left_is_removed(files: OwnFiles) -> None:
    left = files.folder / f".{KEY}.things.12ab34cd.part"
    left.touch()
    files.remove_unfinished()
    assert not left.exists()


@pytest.mark.parametrize(
    "name",
    [
        "mine.things",
        f"{KEY}.npz",
        f"{KEY[1:]}.things",
        f"0{KEY}.things",
        f"{KEY.upper()}.things",
        f"{KEY}.things.copy",
        f"{KEY}.things\n",
        f"below/{KEY}.things",
        "film.part",
        ".film.12ab34cd.part",
        f".{KEY}.things.12ab.part",
        f".{KEY}.npz.12ab34cd.part",
        f"below/.{KEY}.things.12ab34cd.part",
    ],
)
def test_a_file_that_only_looks_like_one_of_ours_stays(files: OwnFiles, name: str) -> None:
    path = files.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(BEGIN + f"{KEY}\n".encode())
    tidy_up(files)
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"my thesis", BEGIN, BEGIN + OTHER.encode() + b"\n", b"PK\x03\x04"])
def test_a_file_with_our_name_but_other_content_stays(files: OwnFiles, content: bytes) -> None:
    files.path(KEY).write_bytes(content)
    tidy_up(files)
    assert files.path(KEY).read_bytes() == content
    assert not files.is_whole(KEY)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_and_folders_stay_and_so_does_what_they_lead_to(files: OwnFiles, tmp_path: Path) -> None:
    elsewhere = files_in(tmp_path / "elsewhere")
    target = elsewhere.write(KEY, [b"one"])
    files.path(KEY).symlink_to(target)
    files.path("a" * 64).symlink_to(tmp_path / "nowhere")
    part, folder = files.folder / f".{KEY}.things.12ab34cd.part", files.path("b" * 64)
    part.symlink_to(target)
    folder.mkdir()
    tidy_up(files)
    assert target.exists()
    assert all(path.is_symlink() for path in (files.path(KEY), files.path("a" * 64), part))
    assert folder.is_dir()
    assert not files.is_whole(KEY), "a link is not taken for the file"
    files.write(KEY, [b"two"])
    assert elsewhere.is_whole(KEY), "writing takes the link's place and leaves its target"


def name_like_ours(random: Random) -> str:
    """A name of the same pieces, of which some are left out, too short, too long or of another kind."""
    digits = "".join(random.choices("0123456789abcdef", k=random.choice([1, 63, 64, 64, 64, 65])))
    suffix = random.choice([".things", ".things", ".thing", ".npz", ""])
    mark = random.choice(["", "", ".12ab34cd", ".12ab34c", ".12AB34CD"])
    return random.choice(["", "."]) + digits + suffix + mark + random.choice(["", ".part", ".part"])


def test_no_other_name_is_ever_deleted(files: OwnFiles) -> None:
    random = Random(0)
    names = {name_like_ours(random) for _ in range(NAMES)}
    for name in names:
        (files.folder / name).write_bytes(BEGIN + name[:64].encode() + b"\n")
    tidy_up(files)
    gone = names - {path.name for path in files.folder.iterdir()}
    assert 0 < len(gone) < len(names)
    assert all(OURS.fullmatch(name) for name in gone)


def is_picture(path: PurePosixPath) -> bool:
    return path.suffix == ".png"


def test_a_folder_that_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    remove_half_made(work, is_picture)
    (work / "train" / "empty").mkdir(parents=True)
    for name in ("a.png", "train/b.png", "train/.c.png.12ab34cd.part"):
        (work / name).touch()
    remove_half_made(work, is_picture)
    assert not work.exists()


@pytest.mark.parametrize("name", ["thesis.txt", "train/thesis.txt", "train/.thesis.txt.12ab34cd.part", ".DS_Store"])
def test_a_folder_with_something_else_in_it_stays(tmp_path: Path, name: str) -> None:
    work = tmp_path / "work"
    (work / "train").mkdir(parents=True)
    kept = [work / "a.png", work / name]
    for path in kept:
        path.touch()
    with pytest.raises(DataError, match=rf"{name} is not the course's.*Move it away"):
        remove_half_made(work, is_picture)
    assert all(path.exists() for path in kept)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_folder_that_is_a_link_or_holds_one_stays(tmp_path: Path) -> None:
    elsewhere, work = tmp_path / "elsewhere", tmp_path / "work"
    elsewhere.mkdir()
    (elsewhere / "a.png").touch()
    work.symlink_to(elsewhere)
    with pytest.raises(DataError, match="work is not the course's"):
        remove_half_made(work, is_picture)
    work.unlink()
    work.mkdir()
    (work / "more").symlink_to(elsewhere)
    with pytest.raises(DataError, match="more is not the course's"):
        remove_half_made(work, is_picture)
    assert (elsewhere / "a.png").exists()
