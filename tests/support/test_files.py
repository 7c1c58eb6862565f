"""Files that are whole or not there, and digests that stay the same from one version of the course to the next."""

import hashlib
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from course_lib.support.files import (
    digest,
    digest_of_bytes,
    digest_of_file,
    remove_unfinished,
    unfinished_name,
    write_whole,
)

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of abc, from FIPS 180-2


def in_two_pieces(file: BinaryIO) -> None:
    file.write(b"gr\xc3\xbc\xc3\x9f")
    file.write(b"e\n")


@pytest.mark.parametrize("content", ["grüße\n", "grüße\n".encode(), in_two_pieces])
@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_whole_into_a_folder_that_is_made_for_it(
    tmp_path: Path, content: str | bytes | Callable[[BinaryIO], None], durable: bool
) -> None:
    path = tmp_path / "a" / "b.txt"
    assert write_whole(path, content, durable=durable) == path
    assert path.read_bytes() == b"gr\xc3\xbc\xc3\x9fe\n"
    write_whole(path, "anew")
    assert path.read_text() == "anew"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_where_writing_fails_the_file_stays_as_it_was(tmp_path: Path, error: BaseException) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    path = write_whole(tmp_path / "file", "before")
    with pytest.raises(type(error)):
        write_whole(path, fail)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_while_a_file_is_written_it_is_as_before_and_what_is_left_of_it_can_be_removed(tmp_path: Path) -> None:
    def look(file: BinaryIO) -> None:
        file.write(b"half")
        assert path.read_text() == "before"
        left = [found for found in path.parent.iterdir() if found != path]
        assert [found.name.startswith(".file.") for found in left] == [True]
        assert unfinished_name(left[0].name) == "file"
        left[0].with_name(left[0].name.replace("file", "other")).touch()  # as a killed process leaves it

    path = write_whole(tmp_path / "folder" / "file", "before")
    write_whole(path, look)
    assert len(list(path.parent.iterdir())) == 2
    remove_unfinished(path.parent, re.compile("other"))
    assert list(path.parent.iterdir()) == [path]


SOMEBODY_ELSES = [".other.part", "other.part", ".film.12345678.part", ".other.1234.part", "other.12345678.part"]


@pytest.mark.parametrize("name", [*SOMEBODY_ELSES, ".12345678.part"])
def test_what_somebody_else_has_not_finished_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / "below").mkdir()
    kept = [tmp_path / name, tmp_path / "below" / ".other.12345678.part"]
    for path in kept:
        path.touch()
    remove_unfinished(tmp_path, re.compile("other"))
    assert all(path.exists() for path in kept)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such permissions")
def test_a_private_file_is_nobody_elses_from_its_first_byte(tmp_path: Path) -> None:
    def mode_of(file: BinaryIO) -> int:
        return stat.S_IMODE(os.fstat(file.fileno()).st_mode)

    seen: list[int] = []
    before = os.umask(0o022)
    try:
        for private in (True, False):
            path = write_whole(tmp_path / "file", lambda file: seen.append(mode_of(file)), private=private)
            seen.append(stat.S_IMODE(path.stat().st_mode))
    finally:
        os.umask(before)
    assert seen == [0o600, 0o600, 0o644, 0o644]


def test_two_that_write_the_same_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    both_write = threading.Barrier(2, timeout=30)

    def slowly(file: BinaryIO) -> None:
        file.write(b"one ")
        both_write.wait()
        file.write(b"whole")

    threads = [threading.Thread(target=write_whole, args=(tmp_path / "file", slowly)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["one whole"]


def test_a_digest_is_that_of_what_a_value_prints(tmp_path: Path) -> None:
    names = [("person1.jpeg", 1), ("IM-0001.jpeg", 0)]
    assert digest(names) == hashlib.sha256(repr(names).encode()).hexdigest()
    assert digest(names, 8) == digest(names)[:8]
    assert digest_of_bytes(b"abc") == digest_of_file(write_whole(tmp_path / "abc", "abc")) == ABC
