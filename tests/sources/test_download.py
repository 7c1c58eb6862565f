"""A download from a server that nobody can trust: it ends with the whole file, or in one sentence, and it ends."""

import gc
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from course_lib.sources import download
from course_lib.sources.download import (
    BrokenTryError,
    DownloadError,
    Kept,
    Patience,
    fetch,
    seconds_to_wait,
    what_is_kept,
)
from tests.sources.kaggle_fixtures import QUICK

CONTENT = bytes(range(256)) * 20
INPUTS = 2000 if os.environ.get("COURSE_THOROUGH") else 100
Talk = Callable[[socket.socket, str], None]


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """A server on loopback that reads each question and lets ``talk`` answer it; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line, suppress(OSError):  # the other side has hung up
                talk(line, line.recv(65536).decode("latin-1"))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def says(*headers: bytes, status: bytes = b"200 OK", body: bytes = CONTENT) -> Talk:
    """Answers every question with these bytes."""

    def talk(line: socket.socket, _: str) -> None:
        line.sendall(b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Connection: close", b"", body]))

    return talk


def refused(target: Path, address: str, patience: Patience = QUICK) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(lambda: address, target, "the file", patience=patience)
    assert address not in str(caught.value)
    assert not target.exists()
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # requests forgets the line of a senseless redirect
@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (says(b"Content-Length: 1\xb2"), "did not say how long the file is"),
        (says(b"Content-Length: -5"), "did not say how long the file is"),
        (says(b"Content-Length: +5"), "did not say how long the file is"),
        (says(b"Content-Length: " + b"9" * 5000), "did not say how long the file is"),
        (
            says(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"6\r\nabcdef\r\n0\r\n\r\n"),
            "did not say how",
        ),
        (says(b"Location: http://[x", status=b"302 Found"), r"the server's answer makes no sense \(ValueError\)"),
        (says(b"Location: http://a:b:c/", status=b"302 Found"), "the server's answer makes no sense"),
        (says(b"Location: \xff\xfe://", status=b"302 Found"), "the server's answer makes no sense"),
        (says(b"Location: file:///etc/passwd", status=b"302 Found"), "the server's answer makes no sense"),
        (says(b"Retry-After: 1\xb2", status=b"503 Busy"), "the server answered 503"),
        (says(b"Retry-After: " + b"9" * 400, status=b"503 Busy"), "the server answered 503"),
        (says(status=b"2\xb2 OK"), "can not be reached"),
        (says(b"\xff\x00\x01: \x02", b"Content-Length 5"), "did not say how long"),
        (says(*[b"A: b"] * 200), "can not be reached"),
        (says(b"A: " + b"b" * 70_000), "can not be reached"),
        (lambda line, _: line.sendall(b"\x00\xff" * 1000), "can not be reached"),
    ],
)
def test_an_answer_that_makes_no_sense_ends_in_a_sentence(tmp_path: Path, talk: Talk, expected: str) -> None:
    with server(talk) as address:
        said = refused(tmp_path / "file", address)
    assert said.startswith("the file could not be fetched: ")
    gc.collect()
    assert re.search(expected, said), said
    with server(says(b"Content-Length: %d" % len(CONTENT))) as address:
        assert fetch(lambda: address, tmp_path / "file", "the file", patience=QUICK).read_bytes() == CONTENT


def answer(headers: dict[str, str], status: int) -> requests.Response:
    made = requests.Response()
    made.status_code, made.headers = status, CaseInsensitiveDict(headers)
    return made


HEADER = (
    st.text(max_size=40) | st.integers().map(str) | st.sampled_from(["1²", "٣", "1_000", "0x10", " 7", "7\n", "1e3"])
)

SIZE = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers(), max_size=2)
)


@settings(max_examples=INPUTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["Content-Length", "Content-Range", "ETag", "Last-Modified", "Retry-After", "Content-Type"]),
        HEADER,
    ),
    st.sampled_from([200, 206, 404, 416, 429, 503, 0, 999]),
)
def test_whatever_the_headers_say_they_are_understood_or_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    target = tmp_path / "file"
    try:
        kept = download._start(answer(headers, status), what_is_kept(target))
    except (BrokenTryError, DownloadError):
        return
    assert headers["Content-Length"].isascii()
    assert 0 <= kept.size == int(headers["Content-Length"])
    assert what_is_kept(target) == kept, "what is noted is understood by the next call"


@given(HEADER)
def test_a_pause_is_a_number_of_seconds_or_unknown(header: str) -> None:
    wait = seconds_to_wait(header)
    assert wait is None or (header.isascii() and header.isdigit() and wait == int(header))


@pytest.mark.parametrize(
    "note",
    [
        b'{"size": -5, "mark": "x"}',
        b'{"size": 1' + b"0" * 30 + b', "mark": "x"}',
        b'{"size": 1e999, "mark": "x"}',
        b'{"size": NaN, "mark": "x"}',
        b'{"size": true, "mark": "x"}',
        b'{"size": "5120", "mark": "x"}',
        b'{"size": [5120], "mark": "x"}',
        b'{"size": 5120, "mark": ["x"]}',
        b'{"size": 5120, "mark": null}',
        b'{"size": 5120, "mark": "two\\r\\nlines"}',
        b'{"size": 5120, "mark": "\\ud800"}',
        b'{"size": 3, "mark": "x"}',
        b'{"size": 5120}',
        b"[5120]",
        b"5120",
        b"null",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_note_that_makes_no_sense_is_not_believed(tmp_path: Path, note: bytes) -> None:
    target, asked = tmp_path / "file", []

    def talk(line: socket.socket, question: str) -> None:
        asked.append(question)
        says(b"Content-Length: %d" % len(CONTENT), b'ETag: "x"')(line, question)

    kept = what_is_kept(target)
    kept.note.write_bytes(note)
    kept.part.write_bytes(b"from elsewhere")
    assert what_is_kept(target) == Kept(kept.part, kept.note)
    with server(talk) as address:
        assert fetch(lambda: address, target, "the file", patience=QUICK).read_bytes() == CONTENT
    assert len(asked) == 1
    assert "Range:" not in asked[0]


@settings(max_examples=INPUTS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SIZE, HEADER)
def test_any_note_is_understood_or_not_believed(tmp_path: Path, size: object, mark: str) -> None:
    kept = what_is_kept(tmp_path / "file")
    kept.part.write_bytes(b"abc")
    kept.note.write_text(json.dumps({"size": size, "mark": mark}), encoding="utf-8")
    found = what_is_kept(tmp_path / "file")
    assert found.size == (size if found.size else 0)
    assert found.bytes <= found.size


def test_a_part_of_another_length_than_was_asked_for_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "file"
    kept = what_is_kept(target)
    kept.note.write_text(json.dumps({"size": len(CONTENT), "mark": '"x"'}), encoding="utf-8")
    kept.part.write_bytes(CONTENT[:100])
    length = len(CONTENT)
    talk = says(b"Content-Length: 9999", b"Content-Range: bytes 100-%d/%d" % (length - 1, length), status=b"206 Part")
    with server(talk) as address:
        assert "another part of the file than was asked for" in refused(target, address, replace(QUICK, tries=1))


def trickle(line: socket.socket, _: str) -> None:
    """A kilobyte at once, and then a byte every 20 ms."""
    line.sendall(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: %d\r\n\r\n' % len(CONTENT))
    line.sendall(CONTENT[:1000])
    for byte in CONTENT[1000:]:
        line.sendall(bytes([byte]))
        time.sleep(0.02)


def test_a_line_that_only_trickles_counts_as_dead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    started = time.monotonic()
    with server(trickle) as address:
        said = refused(tmp_path / "file", address, replace(QUICK, silence_seconds=0.3, pause_seconds=0))
    assert time.monotonic() - started < 5, "bytes that trickle do not count as a new start"
    assert "the line brings" in said
    assert "bytes per second only. " in said
    assert "1 kB of 5 kB are kept for the next call" in said
    assert len(set(re.findall(r"\| ([\d.]+k)/5.12k", capsys.readouterr().err))) > 2, "the bar moves"


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to threads are POSIX")
def test_a_line_that_trickles_can_be_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = threading.main_thread().ident
    assert main
    stop = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    stop.start()
    with server(trickle) as address, pytest.raises(KeyboardInterrupt):
        fetch(lambda: address, tmp_path / "file", "the file", patience=replace(QUICK, silence_seconds=20))
    assert "the file: stopped." in capsys.readouterr().out
    assert 1000 < what_is_kept(tmp_path / "file").bytes < 1100


def test_a_slow_line_that_is_fast_enough_is_waited_for(tmp_path: Path) -> None:
    def talk(line: socket.socket, _: str) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
        for byte in CONTENT[:20]:
            line.sendall(bytes([byte]))
            time.sleep(0.02)

    patience = replace(QUICK, silence_seconds=0.1, least_speed=5, tries=1)
    with server(talk) as address:
        assert fetch(lambda: address, tmp_path / "file", "the file", patience=patience).read_bytes() == CONTENT[:20]
