"""A Kaggle of our own on loopback: it speaks what the installed client speaks, serves archives and single files, and
fails on request.

The real client reaches it through ``HTTP_PROXY`` and ``KAGGLE_API_ENVIRONMENT=LOCALHOST``, so requests come in the form
that a proxy gets: ``POST http://localhost/api/v1/…``, and ``GET http://storage.example/…`` for archives and files.
"""

import email.utils
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "http://localhost/api/v1/"
STORAGE = "http://storage.example/"
SIGNATURE = "signature=s3cr3t-signature"
WEB_PAGE = b"<html><body>Welcome to the guest network. Please sign in.</body></html>"
PIECE = 64 * 1024


@dataclass
class Fault:
    """How the next requests of one kind are answered."""

    status: int = 0  #: refuse with this status
    retry_after: int | None = None
    html: bool = False  #: a web page, as a proxy sends it
    cut_after: int | None = None  #: close the line after this many bytes of the body
    stall_after: int | None = None  #: say nothing more after this many bytes of the body; -1: not even a header
    on: str = ""  #: only where the address, or the file that is asked for, holds this
    after: int = 0  #: let so many such requests pass
    times: int = 1_000  #: for this many requests


@dataclass
class Request:
    """What came in, and how many bytes of a body went out."""

    method: str
    path: str
    headers: dict[str, str]
    asked: str = ""  #: the file of a data set that a question is about
    sent: int = 0

    @property
    def first_byte(self) -> int:
        """The byte that a range request asks for first."""
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match[1]) if match else 0


@dataclass
class StandIn:
    """The server's state: what it has, whom it trusts, how it fails, and what it was asked."""

    archives: dict[str, Callable[[], Path]] = field(default_factory=dict)  #: by owner/name/version
    singles: dict[str, bytes] = field(default_factory=dict)  #: files of data sets, by owner/name/version/path
    zipped: str = ""  #: singles whose names end so are packed on their way
    files: dict[str, bytes] = field(default_factory=dict)  #: by path, for weights
    tokens: set[str] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)  #: user name and key of a kaggle.json
    anonymous: bool = True
    api_fault: Fault | None = None
    storage_fault: Fault | None = None
    bytes_per_second: float = float("inf")
    place: str = ""  #: what Kaggle says of where an archive lies; empty: the truth
    log: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def downloads(self) -> list[Request]:
        """The requests for archives and files."""
        return [request for request in self.log if request.method == "GET"]

    def repair(self) -> None:
        """From now on, all is well."""
        self.api_fault = self.storage_fault = None
        self.anonymous, self.bytes_per_second = True, float("inf")


@contextmanager
def running(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve on a free port of loopback until the block ends."""
    server = start(stand_in)
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


def start(stand_in: StandIn) -> ThreadingHTTPServer:
    """A server that answers until it is shut down, or the program ends."""

    class Handler(_Handler):
        world = stand_in

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    stand_in.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    world: StandIn
    request_: Request

    def log_message(self, *_: Any) -> None:
        """Nothing to standard error."""

    def do_POST(self) -> None:
        body = self._note()
        fault = self._next("api_fault")
        if fault:
            self._fail(fault, b"{}", "application/json")
        elif self.path == f"{API}security.OAuthService/IntrospectToken":
            active = json.loads(body).get("token") in self.world.tokens
            self._json({"active": active, **({"username": "learner", "userId": 1} if active else {})})
        elif self.path == f"{API}datasets.DatasetApiService/DownloadDataset":
            self._download(json.loads(body))
        else:
            self._refuse(502, "this is not Kaggle")

    def do_GET(self) -> None:
        self._note()
        name = self.path.removeprefix(STORAGE).split("?")[0]
        if self.path.startswith(STORAGE) and self.path.endswith(SIGNATURE) and name in self.world.archives:
            body = self.world.archives[name]().read_bytes()
        elif self.path.startswith(STORAGE) and self.path.endswith(SIGNATURE) and name in self.world.singles:
            body = self._single(name)
        elif self.path in self.world.files:
            body = self.world.files[self.path]
        else:
            self._refuse(404, "no such file")
            return
        if fault := self._next("storage_fault"):
            self._fail(fault, body, "application/zip")
        else:
            self._serve(body, "application/zip")

    def _note(self) -> bytes:
        self.request_ = Request(self.command, self.path, dict(self.headers.items()))
        self.world.log.append(self.request_)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.request_.asked = json.loads(body).get("fileName", "") if body else ""
        return body

    def _single(self, name: str) -> bytes:
        """A file of a data set, packed if the world says so, and always to the same bytes."""
        content = self.world.singles[name]
        if not self.world.zipped or not name.endswith(self.world.zipped):
            return content
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name.rpartition("/")[2]), content)
        return packed.getvalue()

    def _next(self, kind: str) -> Fault | None:
        fault: Fault | None = getattr(self.world, kind)
        if fault and fault.on not in self.path and fault.on not in self.request_.asked:
            return None
        if fault and fault.after:
            fault.after -= 1
            return None
        if fault:
            fault.times -= 1
            if fault.times <= 0:
                setattr(self.world, kind, None)
        return fault

    def _download(self, asked: dict[str, Any]) -> None:
        name = f"{asked['ownerSlug']}/{asked['datasetSlug']}/{asked.get('datasetVersionNumber', '')}"
        known: Container[str] = self.world.archives
        if asked.get("fileName"):
            name, known = f"{name}/{asked['fileName']}", self.world.singles
        if not self._trusted():
            self._refuse(401 if "Authorization" in self.headers else 403, "who are you?")
        elif name not in known:
            self._refuse(404, "no such data set or file")
        else:
            self.send_response(302)
            self.send_header("Location", self.world.place or f"{STORAGE}{name}?{SIGNATURE}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _trusted(self) -> bool:
        import base64

        said = self.headers.get("Authorization", "")
        basic = {f"Basic {base64.b64encode(f'{u}:{k}'.encode()).decode()}" for u, k in self.world.keys}
        return (not said and self.world.anonymous) or said in basic | {f"Bearer {t}" for t in self.world.tokens}

    def _fail(self, fault: Fault, body: bytes, kind: str) -> None:
        if fault.html:
            self._serve(WEB_PAGE, "text/html; charset=utf-8")
        elif fault.stall_after == -1:
            time.sleep(30)
        elif fault.status:
            self._refuse(fault.status, "a fault was asked for", fault.retry_after)
        else:
            self._serve(body, kind, fault)

    def _refuse(self, status: int, message: str, retry_after: int | None = None) -> None:
        self._json({"code": status, "message": message}, status, retry_after)

    def _json(self, content: dict[str, Any], status: int = 200, retry_after: int | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)

    def _serve(self, body: bytes, kind: str, fault: Fault | None = None) -> None:
        tag = f'"{hash(body):x}"'
        first = self.request_.first_byte if self.headers.get("If-Range") == tag else 0
        if first >= len(body) > 0:
            self._refuse(416, "nothing is left")
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) - first))
        self.send_header("Last-Modified", email.utils.formatdate(1_500_000_000, usegmt=True))
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self._send(memoryview(body)[first:], fault)

    def _send(self, body: memoryview, fault: Fault | None) -> None:
        stop = fault.cut_after if fault and fault.cut_after is not None else fault.stall_after if fault else None
        end = len(body) if stop is None else min(stop, len(body))
        try:
            for start in range(0, end, PIECE):
                piece = body[start : min(start + PIECE, end)]
                self.wfile.write(piece)
                self.request_.sent += len(piece)
                time.sleep(len(piece) / self.world.bytes_per_second)
            if fault and fault.stall_after is not None:
                time.sleep(30)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True
