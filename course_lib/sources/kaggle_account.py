"""The learner's Kaggle account: the token on this computer, and the questions that Kaggle's own client asks for us.

The official client signs in with whatever it finds and asks where a data set lies, or one of its files. That happens in
a process of its own, since the client signs in when it is imported, waits without limit, prints, and ends the program
that imported it when there is no token. So the notebook's own process never reads the token. The bytes are fetched by
`download`: the client's own download writes an error page over what it has when a retry is refused.
"""

import contextlib
import functools
import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.support.errors import DataError
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood
from course_lib.support.runtime import COURSE_ROOT

TOKEN_PAGE = "https://www.kaggle.com/settings/api"
LEAST_TOKEN_LENGTH, MOST_TOKEN_LENGTH = 16, 255  #: a longer one the client takes for a file's name, and stumbles
TOKEN_FORM = (
    f"the API token from {TOKEN_PAGE} (one line, {LEAST_TOKEN_LENGTH} to {MOST_TOKEN_LENGTH} characters, no spaces), "
    "or a whole kaggle.json with username and key"
)
MOST_FILE_BYTES = 100_000  #: of a file that holds a token
MOST_REDIRECT_BYTES = 10_000  #: of what comes with an answer that names another address
NO_TEXT = "is no plain text: perhaps an editor stored it as UTF-16"
REMEDIES = {  #: where the client finds a token, in its order, and how to take a stale one out of the way
    "the variable KAGGLE_API_TOKEN": "unset KAGGLE_API_TOKEN",
    "the file ~/.kaggle/access_token": "remove the file access_token in the folder .kaggle of your home",
    "the file ~/.kaggle/access_token.txt": "remove the file access_token.txt in the folder .kaggle of your home",
    "the variables KAGGLE_USERNAME and KAGGLE_KEY": "unset KAGGLE_USERNAME and KAGGLE_KEY",
    "the file kaggle.json": "remove the file kaggle.json",
    "the file ~/.kaggle/credentials.json": "remove the file credentials.json in the folder .kaggle of your home",
}


TOKEN_VARIABLES = {"KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_V1_TOKEN", "XDG_CONFIG_HOME"}


class TokenError(ValueError):
    """What was given is not a token; the message says what one looks like and never shows what was given."""


@dataclass(frozen=True)
class KaggleAnswer:
    """What Kaggle said when the client asked for a data set."""

    credentials: str  #: ``none``, ``accepted`` or ``refused``
    address: str = ""  #: where the archive can be fetched for some minutes; empty if Kaggle said no
    status: int = 0  #: the HTTP status of a refusal
    retry_after: str = ""  #: what Kaggle's answer says about waiting
    problem: str = ""  #: ``unreachable``, ``silent``, ``garbled``, ``bad proxy``, ``no token`` (it can be none), or the
    #: kind of error that the client ended with
    token_from: str = ""  #: what the client signed in with: one of the keys of ``REMEDIES``, never the secret
    token_problem: str = ""  #: why that can be no token, as a predicate: ``has a line break in it``


def save_token(token: str, folder: Path | None = None) -> Path:
    """The file that now holds the token, readable by its owner alone, where Kaggle's client looks for it.

    Takes an API token, or the content of a ``kaggle.json``. The folder is ``~/.kaggle`` unless another is given.

    Raises:
        TokenError: this is no token.
    """
    token = token.strip()
    name = "kaggle.json" if token.startswith("{") else "access_token"
    if problem := _problem_of_key(token, whole=True) if name == "kaggle.json" else _problem_of_token(token):
        raise TokenError(f"Expected {TOKEN_FORM}; what came {problem}. Copy it again.")
    folder = folder or Path.home() / ".kaggle"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_whole(folder / name, token + "\n", private=True)


def token_before(stored: Path) -> str:
    """Which token the client takes instead of the one that is stored in this file; empty if it takes the file's."""
    first = _token_source()
    return "" if first.endswith(stored.name) else first


class KaggleClient:
    """Kaggle's client in a process of its own, which signs in once and answers one question after another.

    It starts with the first question, and again if it has ended; a ``with`` block ends it. Any thread may ask.
    """

    def __init__(self, silence_seconds: float = 10.0, *, anonymously: bool = False) -> None:
        self._silence_seconds = silence_seconds
        self._anonymously = anonymously
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._empty_home: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> "KaggleClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._empty_home:
            self._empty_home.cleanup()

    def ask(self, handle: str, file: str = "") -> KaggleAnswer:
        """What Kaggle says to ``owner/name/version``, with the token that the client finds; or to one of its files."""
        with self._asking:
            process = self._running()
            assert process.stdin
            with contextlib.suppress(OSError, ValueError):  # it has just ended, or was: the next line says how
                process.stdin.write(json.dumps([handle, file]).encode() + b"\n")
                process.stdin.flush()
            try:
                line = self._answers.get(timeout=4 * self._silence_seconds + 30)
            except queue.Empty:
                self.close()
                return KaggleAnswer("none", problem="silent")
            return KaggleAnswer(**json.loads(line)) if line else self._ended(process)

    def close(self) -> None:
        """End the process, if there is one; who waits for an answer is told at once."""
        if self._process:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):  # what it has not read is lost
                self._process.stdin.close()  # type: ignore[union-attr]

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._answers = queue.SimpleQueue()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._silence_seconds)],
                cwd=COURSE_ROOT,
                env=_without_tokens(self._home()) if self._anonymously else None,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            threading.Thread(target=_pass_on, args=(self._process, self._answers), daemon=True).start()
        return self._process

    def _home(self) -> str:
        """A home without a token."""
        self._empty_home = self._empty_home or tempfile.TemporaryDirectory()
        return self._empty_home.name

    def _ended(self, process: "subprocess.Popen[bytes]") -> KaggleAnswer:
        return KaggleAnswer("none", problem=f"exit status {process.wait()}")


def ask_kaggle(handle: str, silence_seconds: float = 10.0, *, anonymously: bool = False) -> KaggleAnswer:
    """What Kaggle says to ``owner/name/version``, asked by the official client with the token that it finds."""
    with KaggleClient(silence_seconds, anonymously=anonymously) as client:
        return client.ask(handle)


def _pass_on(process: "subprocess.Popen[bytes]", answers: "queue.SimpleQueue[bytes]") -> None:
    """Put what the process prints into the queue, line by line, and an empty line when it has ended."""
    assert process.stdout
    with process.stdout as lines:
        for line in lines:
            answers.put(line)
    answers.put(b"")


def _without_tokens(home: str) -> dict[str, str]:
    """The environment, with every place in which the client looks for a token empty."""
    kept = {name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES}
    return kept | {"HOME": home, "USERPROFILE": home, "KAGGLE_CONFIG_DIR": home}


def _token_source() -> str:
    """Where the client finds its token: a key of ``REMEDIES``, or empty. Looks, and opens no file."""
    return next(iter(_token_places()), "")


def _token_places() -> dict[str, tuple[str | Path, ...]]:
    """Where there are tokens, in the client's order: for each key of ``REMEDIES`` the texts, or the file."""
    home = Path.home() / ".kaggle"
    configured = os.environ.get("KAGGLE_CONFIG_DIR")
    others = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kaggle"
    keys = Path(configured) if configured else home if home.is_dir() or sys.platform != "linux" else others
    token, user, key = (os.environ.get(f"KAGGLE_{name}", "") for name in ("API_TOKEN", "USERNAME", "KEY"))
    places: tuple[tuple[str | Path, ...], ...] = (
        (token,),
        (home / "access_token",),
        (home / "access_token.txt",),
        (user, key),
        (keys / "kaggle.json",),
        (home / "credentials.json",),
    )
    return {source: place for source, place in zip(REMEDIES, places, strict=True) if all(map(_has_content, place))}


def _has_content(place: str | Path) -> bool:
    with contextlib.suppress(OSError):  # a folder that may not be looked into
        return bool(place) if isinstance(place, str) else place.is_file() and place.stat().st_size > 0
    return False


def _problem_at(place: tuple[str | Path, ...]) -> str:
    """Why what the client finds there can be no token, as a predicate; empty if it may be one.

    The token is read: only for the process that ``ask_kaggle`` starts. What an error says of it is dropped, as it may
    quote the token.
    """
    try:
        with understood(lambda _: DataError("can not be read")):
            match place:
                case (str(user), str(key)):
                    return _problem_of_key(json.dumps({"username": user, "key": key}))
                case (str(token),):
                    named = _file_named(token)
                    return _problem_of_token(_content_of(named) if named else token)
                case (Path(suffix=".json") as file,):
                    return _problem_of_key(_content_of(file))
                case (Path() as file,):
                    return _problem_of_token(_content_of(file))
    except DataError as problem:
        return str(problem)
    return ""


def _file_named(token: str) -> Path | None:
    """The file or folder of that name: the client takes a token that is one for the file that holds the token."""
    with contextlib.suppress(OSError):  # too long for a file's name
        return Path(token) if Path(token).exists() else None
    return None


def _content_of(path: Path) -> str:
    if not path.is_file():
        raise DataError("names a folder, or something else that is no file")
    with path.open("rb") as file:
        return file.read(MOST_FILE_BYTES).decode("ascii", errors="replace").strip()


def _problem_of_token(token: str) -> str:
    """Why this can be no API token, as a predicate that does not show it; empty if it may be one."""
    problems = {
        "is empty": not token,
        NO_TEXT: not token.isascii() or "\0" in token,
        "has a line break in it": len(token.splitlines()) > 1 or token.endswith(("\n", "\r")),
        "has a space in it": " " in token,
        "has a character in it that can not be seen": not token.isprintable(),
        "begins with the name of a variable": token.startswith("KAGGLE_"),
        "stands in quotes": token[:1] in ("'", '"'),
        f"is shorter than {LEAST_TOKEN_LENGTH} characters": len(token) < LEAST_TOKEN_LENGTH,
        f"is longer than {MOST_TOKEN_LENGTH} characters": len(token) > MOST_TOKEN_LENGTH,
    }
    return next((problem for problem, there in problems.items() if there), "")


def _problem_of_key(content: str, *, whole: bool = False) -> str:
    """The same for the content of a JSON file; a ``whole`` one has both the name and the key."""
    if not content.isascii() or "\0" in content:
        return NO_TEXT
    try:
        with understood(lambda _: DataError("is no JSON")):
            values: Any = json.loads(content)
    except DataError as problem:
        return str(problem)
    if not isinstance(values, dict):
        return "is JSON, but no object in braces"
    wrong = (name for name in ("username", "key") if (whole or name in values) and not _is_a_word(values.get(name)))
    return next((f"has no {name} that is one word" for name in wrong), "")


def _is_a_word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None


def _limit_client(silence_seconds: float) -> None:
    """Changes the process for good: only for the one that `KaggleClient` starts.

    The client sets no time limit, and would follow the redirect and start to receive the file itself.
    """
    import requests

    requests.Session.send = functools.partialmethod(  # type: ignore[assignment, method-assign]
        requests.Session.send, timeout=silence_seconds, allow_redirects=False
    )


def _ask_in_this_process(handle: str, file: str = "") -> dict[str, Any]:
    """The answer as a dictionary."""
    import requests

    source = _token_source()
    known = {"credentials": "none", "token_from": source}
    if source and (spoiled := _problem_at(_token_places()[source])):
        return {**known, "problem": "no token", "token_problem": spoiled}
    try:
        api, known["credentials"] = _signed_in_client(source)
        return {**known, **_ask(api, handle, file)}
    except requests.HTTPError as error:
        if error.response is None:
            return {**known, "problem": "garbled"}
        if known["credentials"] == "none" and source:
            known["credentials"] = "refused"
        wait = error.response.headers.get("Retry-After", "")
        return {**known, "status": error.response.status_code, "retry_after": wait}
    except requests.Timeout:
        return {**known, "problem": "silent"}
    except json.JSONDecodeError:  # the client's own; requests' error of this name is one too
        return {**known, "problem": "garbled"}
    except requests.exceptions.InvalidURL:  # among them InvalidProxyURL
        return {**known, "problem": "bad proxy"}
    except requests.RequestException:
        return {**known, "problem": "unreachable"}
    except ValueError:  # Kaggle's answer leads to an address that is none
        return {**known, "problem": "garbled"}
    except Exception as error:  # noqa: BLE001  # the kind only: what an error says may quote the token
        return {**known, "problem": type(error).__name__}


@functools.cache
def _signed_in_client(source: str) -> tuple[Any, str]:
    """Kaggle's client, signed in if it could, and what became of the token from ``source``.

    A token that does not sign in is sent with the question all the same, so that Kaggle refuses the question too.
    """
    import kaggle  # signs in, prints 18 lines where it can not, and swallows the reason

    if not kaggle.api.config_values.get("auth_method"):
        try:
            kaggle.api.authenticate()
        except SystemExit:
            return kaggle.KaggleApi(), "refused" if source else "none"
    signed_in_by_key = str(kaggle.api.config_values["auth_method"]).endswith("LEGACY_API_KEY")
    return kaggle.api, "refused" if signed_in_by_key and source in tuple(REMEDIES)[:3] else "accepted"


def _ask(api: Any, handle: str, file: str) -> dict[str, Any]:
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    owner, name, version = api.split_dataset_string(handle)
    request = ApiDownloadDatasetRequest()
    request.owner_slug, request.dataset_slug, request.dataset_version_number = owner, name, int(version)
    if file:
        request.file_name = file
    with _connection(api).datasets.dataset_api_client.download_dataset(request) as response:
        if "Location" not in response.headers:
            return {"problem": "garbled"}
        response.raw.read(MOST_REDIRECT_BYTES)  # a line that is read to its end serves the next question too
        return {"address": urllib.parse.urljoin(response.url, response.headers["Location"])}


@functools.cache
def _connection(api: Any) -> Any:
    return api.build_kaggle_client().__enter__()


def _answer_questions(silence_seconds: float) -> None:
    """One line of JSON for each that comes in, until no more can come; nothing else is printed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at Ctrl-C, who started it ends it
    _limit_client(silence_seconds)
    with os.fdopen(os.dup(sys.stdin.fileno())) as questions:  # the client calls exit(), which closes sys.stdin
        for line in questions:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                answer = _ask_in_this_process(*json.loads(line))
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _answer_questions(float(sys.argv[1]))
