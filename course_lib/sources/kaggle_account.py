"""The learner's Kaggle account: the token on this computer, and the one question that Kaggle's own client asks for us.

The official client signs in with whatever it finds and asks where a data set lies. That happens in a process of its
own, since the client signs in when it is imported, waits without limit, prints, and ends the program that imported it
when there is no token. So the notebook's own process never reads the token. The bytes are fetched by `transfer`: the
client's own download writes an error page over what it has when a retry is refused.
"""

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.support.files import write_whole
from course_lib.support.runtime import COURSE_ROOT

TOKEN_PAGE = "https://www.kaggle.com/settings/api"
LEAST_TOKEN_LENGTH = 16
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
    problem: str = ""  #: ``unreachable``, ``silent``, ``garbled``, ``unreadable`` (the token's file), ``bad proxy``, or
    #: the kind of error that the client ended with
    token_from: str = ""  #: what the client signed in with: one of the keys of ``REMEDIES``, never the secret


def save_token(token: str, folder: Path | None = None) -> Path:
    """The file that now holds the token, readable by its owner alone, where Kaggle's client looks for it.

    Takes an API token, or the content of a ``kaggle.json``. The folder is ``~/.kaggle`` unless another is given.

    Raises:
        TokenError: this is no token.
    """
    token = token.strip()
    name = "kaggle.json" if token.startswith("{") else "access_token"
    _check_token(token, name)
    folder = folder or Path.home() / ".kaggle"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_whole(folder / name, token + "\n", private=True)


def token_before(stored: Path) -> str:
    """Which token the client takes instead of the one that is stored in this file; empty if it takes the file's."""
    first = _token_source()
    return "" if first.endswith(stored.name) else first


def ask_kaggle(handle: str, silence_seconds: float = 10.0, *, anonymously: bool = False) -> KaggleAnswer:
    """What Kaggle says to ``owner/name/version``, asked by the official client with the token that it finds."""
    command = [sys.executable, "-m", __name__, handle, str(silence_seconds)]
    with tempfile.TemporaryDirectory() as empty:
        try:
            done = subprocess.run(
                command,
                cwd=COURSE_ROOT,
                env=_without_tokens(empty) if anonymously else None,
                capture_output=True,
                text=True,
                timeout=4 * silence_seconds + 30,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return KaggleAnswer("none", problem="silent")
    if done.returncode != 0:
        kind = (done.stderr.strip().splitlines() or ["an unknown error"])[-1].split(":")[0]
        return KaggleAnswer("none", problem=kind)  # the kind only: what an error says may quote the token
    return KaggleAnswer(**json.loads(done.stdout))


def _without_tokens(home: str) -> dict[str, str]:
    """The environment, with every place in which the client looks for a token empty."""
    kept = {name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES}
    return kept | {"HOME": home, "USERPROFILE": home, "KAGGLE_CONFIG_DIR": home}


def _token_source() -> str:
    """Where the client finds its token: a key of ``REMEDIES``, or empty. Looks, and reads no token."""
    home = Path.home() / ".kaggle"
    configured = os.environ.get("KAGGLE_CONFIG_DIR")
    others = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "kaggle"
    keys = Path(configured) if configured else home if home.is_dir() or sys.platform != "linux" else others
    there = (
        bool(os.environ.get("KAGGLE_API_TOKEN")),
        _has_content(home / "access_token"),
        _has_content(home / "access_token.txt"),
        bool(os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")),
        _has_content(keys / "kaggle.json"),
        _has_content(home / "credentials.json"),
    )
    return next((source for source, found in zip(REMEDIES, there, strict=True) if found), "")


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _check_token(token: str, name: str) -> None:
    expected = (
        f"Expected the API token from {TOKEN_PAGE} (one line, {LEAST_TOKEN_LENGTH} characters or more, no spaces)"
    )
    if name == "kaggle.json":
        try:
            content: Any = json.loads(token)
        except ValueError:
            content = None
        if not isinstance(content, dict) or not {"username", "key"} <= content.keys():
            raise TokenError(f"{expected}, or a whole kaggle.json with username and key. Copy it again.") from None
    elif len(token.split()) != 1 or len(token) < LEAST_TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise TokenError(f"{expected}; what came is something else. Copy it again.")


def _ask_in_this_process(handle: str, silence_seconds: float) -> dict[str, Any]:
    """The answer as a dictionary. Changes the process for good: only for the one that ``ask_kaggle`` starts."""
    import requests

    # The client sets no time limit, and would follow the redirect and start to receive the file itself.
    requests.Session.send = functools.partialmethod(  # type: ignore[assignment, method-assign]
        requests.Session.send, timeout=silence_seconds, allow_redirects=False
    )
    source = _token_source()
    known = {"credentials": "none", "token_from": source}
    try:
        api, known["credentials"] = _signed_in_client(source)
        return {**known, **_ask(api, handle)}
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
    except UnicodeError:  # as from Windows' editor, which can store text in UTF-16
        return {**known, "problem": "unreadable"}
    except requests.exceptions.InvalidURL:  # among them InvalidProxyURL
        return {**known, "problem": "bad proxy"}
    except requests.RequestException:
        return {**known, "problem": "unreachable"}


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


def _ask(api: Any, handle: str) -> dict[str, Any]:
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    owner, name, version = api.split_dataset_string(handle)
    request = ApiDownloadDatasetRequest()
    request.owner_slug, request.dataset_slug, request.dataset_version_number = owner, name, int(version)
    with api.build_kaggle_client() as client:
        response = client.datasets.dataset_api_client.download_dataset(request)
    if "Location" not in response.headers:
        return {"problem": "garbled"}
    return {"address": urllib.parse.urljoin(response.url, response.headers["Location"])}


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        answer = _ask_in_this_process(sys.argv[1], float(sys.argv[2]))
    print(json.dumps(answer))
