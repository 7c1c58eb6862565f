"""What can go wrong with the download: after each fault one clear sentence, no secret, and the next call succeeds.

The sentences are written to build/faults.md, as a table.
"""

import errno
import io
import json
import os
import shutil
import signal
import threading
import time
import traceback
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from course_lib.sources import archive as archive_room
from course_lib.sources import kaggle_dataset
from tests.sources.kaggle_fixtures import NOBODYS_PROXY, QUICK, SECRETS, TOKEN, Learner
from tests.sources.kaggle_stand_in import SIGNATURE, STORAGE, Fault
from tests.sources.xray_archive import image_names, jpeg, link_member, write_archive

Table = Callable[[str, str], None]
Damage = Callable[[Path, Learner], None]
FIRST = "chest_xray/train/NORMAL/IM-0001-0001.jpeg"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "expected", "remedy"),
    [
        (
            "401",
            Fault(401),
            r"not accept the token from the variable KAGGLE_API_TOKEN \(401\)",
            "unset KAGGLE_API_TOKEN",
        ),
        ("403, terms not accepted", Fault(403, on="Download"), r"terms are not accepted", "accept the terms, and call"),
        (
            "403 for the token itself",
            Fault(403),
            r"does not accept the token.* \(403\)",
            "get a new one at https://www.kag",
        ),
        ("404", Fault(404, on="Download"), r"no version 2 of paultimothymooney/.* \(404\)", "Compare the handle in"),
        (
            "429, wait an hour",
            Fault(429, 3600),
            r"429 \(too many calls\) and asks for a pause of 3600 s",
            "Wait a while",
        ),
        ("500", Fault(500), r"Kaggle answered 500 \(it has a fault\)", "Wait a while, then call again"),
        ("503", Fault(503), r"Kaggle answered 503 \(it has a fault\)", "Wait a while, then call again"),
        ("418, an unknown answer", Fault(418, on="Download"), "answered 418, which the course does not", "call again"),
        ("Kaggle silent", Fault(stall_after=-1), "Kaggle does not answer", "Check the network.*COURSE_DATA"),
        ("Kaggle silent in mid-sentence", Fault(stall_after=1), "Kaggle can not be reached", "Check the network"),
        ("Kaggle cut", Fault(cut_after=1), "Kaggle can not be reached", "call again"),
        ("a proxy answers HTML", Fault(html=True), "a web page came", "sign in to the network, then call again"),
    ],
    ids=lambda value: value if isinstance(value, str) and " (" not in value else "",
)
def test_kaggle_refuses(
    learner: Learner, fault_table: Table, name: str, fault: Fault, expected: str, remedy: str
) -> None:
    learner.world.api_fault = replace(fault)
    fault_table(name, learner.refused(expected, remedy))
    learner.succeeds()


@pytest.mark.slow
def test_no_credentials_and_anonymous_refused(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    learner.world.anonymous = False
    said = learner.refused("there is no token on this computer", "Get one at https://www.kaggle.com/settings/api")
    fault_table("no credentials, anonymous refused", said)
    learner.succeeds()


@pytest.mark.slow
def test_an_expired_token(learner: Learner, fault_table: Table) -> None:
    learner.world.anonymous, learner.world.tokens = False, set()
    fault_table("token expired", learner.refused("does not accept the token", "store it with the dialogue"))
    learner.world.tokens = {TOKEN}
    learner.succeeds()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["access_token", "access_token.txt", "kaggle.json"])
def test_a_stale_token_is_said_to_be_where_it_is(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    learner.world.anonymous, learner.world.tokens = False, set()
    (learner.home / ".kaggle").mkdir()
    (learner.home / ".kaggle" / "kaggle.json").write_text(json.dumps({"username": "learner", "key": "new" * 9}))
    if place != "kaggle.json":
        (learner.home / ".kaggle" / place).write_text(TOKEN)
    said = learner.refused(rf"from the file .*{place} \(401\)", rf"remove the file {place}( in |\.).*get a new one")
    fault_table(f"stale {place}", said)
    (learner.home / ".kaggle" / place).unlink()
    if place != "kaggle.json":
        learner.world.keys = {("learner", "new" * 9)}
    learner.succeeds()


@pytest.mark.slow
def test_a_stale_token_does_not_keep_public_data_away(learner: Learner) -> None:
    learner.world.tokens = set()
    learner.fetch()
    said = learner.capture.readouterr().out
    assert "not accept the token from the variable KAGGLE_API_TOKEN, but gives Chest X-Ray Images" in said
    assert learner.world.log[-2].headers.get("Authorization") is None


@pytest.mark.slow
def test_a_token_in_another_encoding(learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    (learner.home / ".kaggle").mkdir()
    (learner.home / ".kaggle" / "access_token").write_bytes(TOKEN.encode("utf-16"))
    said = learner.refused("from the file ~/.kaggle/access_token is no plain text", "remove the file access_token")
    fault_table("token stored as UTF-16", said)
    (learner.home / ".kaggle" / "access_token").unlink()
    learner.succeeds()


@pytest.mark.slow
@pytest.mark.parametrize("spoiled", ["two lines", "a folder"])
def test_a_token_that_can_be_none(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch, spoiled: str
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv("KAGGLE_API_TOKEN", str(learner.home) if spoiled == "a folder" else f"{TOKEN}\n{TOKEN}")
        what = "names a folder" if spoiled == "a folder" else "has a line break in it"
        said = learner.refused(
            f"The token from the variable KAGGLE_API_TOKEN {what}.* Expected the API token from https://www.kaggle",
            "To replace it, unset KAGGLE_API_TOKEN, store the token with the dialogue in notebook 00, and call again",
        )
    fault_table(f"the token is {spoiled}", said)
    assert not learner.world.log
    learner.succeeds()


@pytest.mark.slow
def test_a_place_of_the_archive_that_is_no_address(learner: Learner, fault_table: Table) -> None:
    learner.world.place = "http://[x"
    fault_table("the archive's address is none", learner.refused("a web page came", "then call again"))
    learner.world.place = ""
    learner.succeeds()


@pytest.mark.slow
def test_a_proxy_that_is_no_address(learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as wrong:
        for name in ("HTTP_PROXY", "http_proxy"):
            wrong.setenv(name, "http:///nowhere")
        said = learner.refused("address of the proxy can not be read", "correct or unset them, then call again")
    fault_table("proxy is no address", said)
    learner.succeeds()


@pytest.mark.slow
def test_a_client_that_does_not_start(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with monkeypatch.context() as broken:
        broken.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "file" / "folder"))
        said = learner.refused(
            "Kaggle's client ended with [A-Z][A-Za-z]+Error",
            "folder .kaggle in your home: correct.* Else install the client",
        )
    fault_table("Kaggle's client does not start", said)
    learner.succeeds()


@pytest.mark.slow
def test_a_short_pause_that_kaggle_asks_for_is_kept(learner: Learner) -> None:
    learner.world.api_fault = Fault(429, 1, on="Download", times=1)
    learner.fetch()
    learner.succeeds()


@pytest.mark.slow
def test_connection_refused(learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as offline:
        for name in ("HTTP_PROXY", "http_proxy"):
            offline.setenv(name, NOBODYS_PROXY)
        said = learner.refused("Kaggle can not be reached", "Without a network, set COURSE_DATA .* phantoms")
    fault_table("connection refused", said)
    learner.succeeds()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fault", "expected", "remedy"),
    [
        ("cut at every try", Fault(cut_after=0), "the line broke", "Check the network"),
        ("stalled", Fault(stall_after=0), "fell silent", "call again"),
        ("storage 403: address expired", Fault(403), "the server answered 403", "Wait a while, then call again"),
        ("storage 503", Fault(503), "the server answered 503", "Wait a while, then call again"),
        ("storage behind an HTML proxy", Fault(html=True), "a web page came", "Open a browser, sign in"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_line_fails(
    learner: Learner, fault_table: Table, name: str, fault: Fault, expected: str, remedy: str
) -> None:
    learner.world.storage_fault = replace(fault)
    fault_table(name, learner.refused(expected, remedy))
    learner.succeeds()


def rewrite(path: Path, change: Callable[[str], bytes | None], extra: dict[str, bytes] | None = None) -> None:
    """Write the archive again; ``change`` gives new content, or None to leave a member out."""
    old = path.with_suffix(".old")
    shutil.move(path, old)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w") as result:
        for member in source.infolist():
            content = change(member.filename)
            if content is not None:
                result.writestr(member.filename, content or source.read(member))
        for name, content in (extra or {}).items():
            result.writestr(name, content)


def add(name: str | zipfile.ZipInfo, content: bytes = b"harm") -> Damage:
    def damage(path: Path, _: Learner) -> None:
        with zipfile.ZipFile(path, "a") as result:
            result.writestr(name, content)
            if isinstance(name, str):
                result.filelist[-1].filename = name

    return damage


def truncate(path: Path, _: Learner) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def flip_a_byte(path: Path, _: Learner) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(jpeg(1, False)) + 600] ^= 0xFF
    path.write_bytes(data)


def hundred_thousand_members(path: Path, _: Learner) -> None:
    with zipfile.ZipFile(path, "a") as result:
        for n in range(100_000):
            result.writestr(f"chest_xray/train/NORMAL/x{n}.txt", b"")


def bomb(declared: int) -> Damage:
    """Ten gigabytes of zeros, honestly declared or not."""

    def damage(path: Path, _: Learner) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
        zeros = block * 1000 + packer.flush()
        rewrite(path, lambda name: zeros if name == FIRST else b"")
        with zipfile.ZipFile(path, "a") as result:
            member = result.getinfo(FIRST)
            member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, declared
            result.writestr("chest_xray/last", b"")  # so that the directory is written anew

    return damage


def damaged_in(compression: int) -> Damage:
    """One image in a compression that Kaggle does not use, with bytes that do not unpack."""

    def damage(path: Path, _: Learner) -> None:
        rewrite(path, lambda name: None if name == FIRST else b"")
        with zipfile.ZipFile(path, "a") as result:
            result.writestr(FIRST, jpeg(1, False), compression)
            start = result.getinfo(FIRST).header_offset
        data = bytearray(path.read_bytes())
        data[start + 100 : start + 400] = bytes(300)
        path.write_bytes(data)

    return damage


def no_class_folder(path: Path, _: Learner) -> None:
    rewrite(path, lambda name: None if "/test/PNEUMONIA/" in name else b"")


def one_missing(path: Path, _: Learner) -> None:
    rewrite(path, lambda name: None if name == FIRST else b"")


def one_extra(path: Path, _: Learner) -> None:
    rewrite(path, lambda _: b"", {"chest_xray/test/NORMAL/IM-0999-0001.jpeg": jpeg(7, False)})


def one_twice(path: Path, _: Learner) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        rewrite(path, lambda _: b"", {FIRST: jpeg(7, False)})


def one_strange(path: Path, _: Learner) -> None:
    rewrite(path, lambda name: None if name == FIRST else b"", {"chest_xray/train/NORMAL/cat.jpeg": jpeg(7, False)})


def one_corrupted(path: Path, _: Learner) -> None:
    rewrite(path, lambda name: jpeg(1, False)[:400] if name == FIRST else b"")


def one_is_text(path: Path, _: Learner) -> None:
    rewrite(path, lambda name: b"not an image" if name == FIRST else b"")


def one_is_huge(path: Path, _: Learner) -> None:
    """A white image of 64 million pixels, in a file of some kilobytes."""
    file = io.BytesIO()
    Image.new("1", (8_000, 8_000), 1).save(file, "PNG")
    rewrite(path, lambda name: file.getvalue() if name == FIRST else b"")


def no_zip(path: Path, _: Learner) -> None:
    path.write_bytes(b"nothing of the kind" * 1000)


ANEW = "It is removed; call again to fetch it anew"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage", "expected"),
    [
        ("archive truncated", truncate, "is damaged"),
        ("archive is no zip", no_zip, "is damaged"),
        ("wrong checksum", flip_a_byte, r"is damaged \(Bad CRC-32 for file"),
        ("absolute member", add("/etc/cron.d/harm"), r"leads out of the folder \('/etc/cron.d/harm'\)"),
        ("member with a drive", add("C:/harm.jpeg"), "leads out of the folder"),
        ("member with a drive further down", add("chest_xray/C:/harm.jpeg"), "leads out of the folder"),
        ("member with an empty name", add("chest_xray//harm.jpeg"), "leads out of the folder"),
        ("member with ./", add("chest_xray/./harm.jpeg"), "leads out of the folder"),
        ("member with ../", add("chest_xray/../../harm.jpeg"), "leads out of the folder"),
        ("member with ..\\", add("chest_xray\\..\\..\\harm.jpeg"), "leads out of the folder"),
        ("symbolic link", add(link_member("chest_xray/train/NORMAL/IM-0500-0001.jpeg")), "has a link or a device"),
        ("100,000 members", hundred_thousand_members, r"has 100,\d+ members, for 42 images"),
        ("bomb of 10 GB zeros", bomb(10_000_000_000), "would unpack to far more .* a bomb"),
        ("bomb that lies about its size", bomb(700), "is damaged"),
        ("damaged bzip2 member", damaged_in(zipfile.ZIP_BZIP2), "in another compression than Kaggle's"),
        ("damaged lzma member", damaged_in(zipfile.ZIP_LZMA), "in another compression than Kaggle's"),
        ("missing class folder", no_class_folder, "test/PNEUMONIA has 0 images instead of 6"),
        ("one image missing", one_missing, "train/NORMAL has 11 images instead of 12"),
        ("one image extra", one_extra, "test/NORMAL has 5 images instead of 4"),
        ("one image twice", one_twice, "holds train/NORMAL/IM-0001-0001.jpeg twice"),
        ("one image strange", one_strange, r"images that the card does not know, as cat\.jpeg"),
        ("one image corrupted", one_corrupted, r"IM-0001-0001\.jpeg in the archive can not be decoded"),
        ("one image of 64 million pixels", one_is_huge, "8000 x 8000 pixels, more than any image of the course"),
        ("one image is text", one_is_text, r"IM-0001-0001\.jpeg in the archive is no JPEG or PNG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_archive_is_bad(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch, name: str, damage: Damage, expected: str
) -> None:
    address = f"{STORAGE}{learner.card.handle}?{SIGNATURE}"
    damage(learner.archive, learner)
    before = elsewhere(learner)
    with monkeypatch.context() as quick:
        quick.setattr(kaggle_dataset, "address_of_archive", lambda *_: address)  # saves a second
        fault_table(name, learner.refused(expected, ANEW))
    assert elsewhere(learner) == before
    assert {path.name for path in learner.cache.rglob("*")} == {
        ".chest-xray-pneumonia.fetching",
        "lock",
        "archive.zip.lock",
    }
    learner.succeeds()


def elsewhere(learner: Learner) -> list[Path]:
    """All files that are not in the cache, nor in the folder that Kaggle's client makes when it is imported."""
    paths = learner.home.parent.rglob("*")
    return sorted(path for path in paths if not {"cache", ".config", ".kaggle"} & set(path.parts))


def test_a_bomb_that_lies_takes_no_memory(learner: Learner, tmp_path: Path) -> None:
    bomb(700)(learner.archive, learner)
    tracemalloc.start()
    with pytest.raises(archive_room.ArchiveError, match="is damaged"):
        archive_room.unpack(learner.archive, tmp_path / "out", learner.card)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@contextmanager
def disk_that_fills_up(suffix: str, after: int) -> Iterator[None]:
    """Files whose names end so take a number of bytes; then writing fails as on a full disk."""

    class FullDisk(io.FileIO):
        left = after

        def write(self, data: Any) -> int:
            FullDisk.left -= len(data)
            if FullDisk.left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    real = Path.open

    def opened(path: Path, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        if path.name.endswith(suffix) and ("a" in mode or "w" in mode):
            return FullDisk(path, mode.replace("b", ""))
        return real(path, mode, *arguments, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", opened)
        yield


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "suffix", "kept"),
    [("disk full while downloading", ".part", ""), ("disk full while unpacking", ".jpeg", "The archive is kept")],
)
def test_the_disk_fills_up(learner: Learner, fault_table: Table, name: str, suffix: str, kept: str) -> None:
    with disk_that_fills_up(suffix, after=10_000):
        said = learner.refused(f"The disk filled up.*{kept}", "Free some space and call again")
    fault_table(name, said)
    assert not list(learner.cache.rglob("*.jpeg"))
    learner.succeeds()


@pytest.mark.slow
@pytest.mark.parametrize("free", [50_000, 150_000])
def test_too_little_disk_is_noticed_before(
    learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    """The archive has 111 kB: neither it nor what it unpacks to fits."""
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage(learner.home)._replace(free=free)
        patch.setattr(shutil, "disk_usage", lambda _: usage)
        said = learner.refused(
            r"Fetching \(\d+ kB\) and unpacking .* needs \d+ kB of disk, but only \d+ kB are free",
            "name a larger disk: COURSE_CACHE=<folder>",
        )
    fault_table("too little free disk", said)
    assert all(request.sent < 200_000 for request in learner.world.downloads())
    learner.succeeds()


def test_the_target_is_read_only(learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", refuse)
        said = learner.refused(
            "could not be written into .*Read-only file system", "Make the folder writable and call again, or name"
        )
    fault_table("target read-only", said.replace(str(learner.cache), "<folder>"))
    learner.succeeds()


def interrupt() -> None:
    """Ctrl-C, as the terminal and Jupyter's stop button send it."""
    main = threading.main_thread().ident
    assert main
    signal.pthread_kill(main, signal.SIGINT)


def without_secrets(learner: Learner, error: BaseException) -> str:
    """What was printed, once no secret was found in it, in the log or in the trace of the error."""
    said, bars = learner.capture.readouterr()
    seen = said + bars + learner.log.text + "".join(traceback.format_exception(error))
    assert not [secret for secret in SECRETS if secret in seen], seen
    return said


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to threads are POSIX")
def test_ctrl_c_while_downloading(learner: Learner, fault_table: Table) -> None:
    learner.world.storage_fault = Fault(stall_after=70_000, times=1)
    stop = threading.Thread(target=interrupt_at, args=(learner.cache, 70_000))
    stop.start()
    with pytest.raises(KeyboardInterrupt) as stopped:
        kaggle_dataset.fetch_dataset(learner.card.slug, patience=replace(QUICK, silence_seconds=20))
    stop.join()
    said = without_secrets(learner, stopped.value)
    assert "stopped. 70 kB of 111 kB are kept for the next call. Call again to go on." in said
    fault_table("Ctrl-C while downloading", said.strip().splitlines()[-1])
    learner.fetch()
    assert sum(r.sent for r in learner.world.downloads()) == learner.archive.stat().st_size
    learner.succeeds()


def interrupt_at(cache: Path, size: int) -> None:
    """Ctrl-C as soon as so many bytes are on the disk."""
    for _ in range(2000):
        if any(path.stat().st_size >= size for path in cache.rglob("*.part")):
            break
        time.sleep(0.005)
    interrupt()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to threads are POSIX")
def test_ctrl_c_while_unpacking(learner: Learner, fault_table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> str:
        interrupt()
        time.sleep(0.05)
        return ""

    with monkeypatch.context() as patch:
        patch.setattr(archive_room, "_problem_of", interrupted)
        with pytest.raises(KeyboardInterrupt) as stopped:
            learner.fetch()
    said = without_secrets(learner, stopped.value)
    assert "Stopped. The archive is kept; call again to unpack it." in said
    fault_table("Ctrl-C while unpacking", said.strip().splitlines()[-1])
    assert not list(learner.cache.rglob("*.jpeg"))
    learner.fetch()
    assert len(learner.world.downloads()) == 1
    learner.succeeds()


def test_names_of_the_stand_in_are_those_of_the_card(learner: Learner) -> None:
    """Otherwise the tests above would pass for the wrong reason."""
    assert all(learner.card.patient_of(Path(name).name) for name, _ in image_names(learner.card))
    assert FIRST in zipfile.ZipFile(write_archive(learner.archive, learner.card)).namelist()
