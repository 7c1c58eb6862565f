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
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COURSE_ROOT = Path(__file__).resolve().parents[1]
TOKEN_PAGE = "https://www.kaggle.com/settings/api"
LEAST_TOKEN_LENGTH = 16


class TokenError(ValueError):
    """What was given is not a token; the message says what one looks like and never shows what was given."""


@dataclass(frozen=True)
class KaggleAnswer:
    """What Kaggle said when the client asked for a data set."""

    credentials: str  #: ``none``, ``accepted`` or ``refused``
    address: str = ""  #: where the archive can be fetched for some minutes; empty if Kaggle said no
    status: int = 0  #: the HTTP status of a refusal
    retry_after: float | None = None  #: seconds that Kaggle asks to wait
    problem: str = ""  #: ``unreachable``, ``silent``, ``garbled``, or the kind of error that the client ended with


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
    path, draft = folder / name, folder / f".{name}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(token + "\n")
    draft.replace(path)
    return path


def ask_kaggle(handle: str, silence_seconds: float = 10.0) -> KaggleAnswer:
    """What Kaggle says to ``owner/name/version``, asked by the official client with the token that it finds."""
    command = [sys.executable, "-m", "course_lib.kaggle_account", handle, str(silence_seconds)]
    try:
        done = subprocess.run(
            command, cwd=COURSE_ROOT, capture_output=True, text=True, timeout=4 * silence_seconds + 30, check=False
        )
    except subprocess.TimeoutExpired:
        return KaggleAnswer("none", problem="silent")
    if done.returncode != 0:
        kind = (done.stderr.strip().splitlines() or ["an unknown error"])[-1].split(":")[0]
        return KaggleAnswer("none", problem=kind)  # the kind only: what an error says may quote the token
    return KaggleAnswer(**json.loads(done.stdout))


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
    credentials = "none"
    try:
        api, credentials = _signed_in_client()
        return {"credentials": credentials, **_ask(api, handle)}
    except requests.HTTPError as error:
        if error.response is None:
            return {"credentials": credentials, "problem": "garbled"}
        status, wait = error.response.status_code, error.response.headers.get("Retry-After", "")
        if credentials == "none" and _token_there():
            credentials = "refused"
        return {"credentials": credentials, "status": status, "retry_after": float(wait) if wait.isdigit() else None}
    except requests.Timeout:
        return {"credentials": credentials, "problem": "silent"}
    except ValueError:  # among them requests.JSONDecodeError, which is a RequestException too
        return {"credentials": credentials, "problem": "garbled"}
    except requests.RequestException:
        return {"credentials": credentials, "problem": "unreachable"}


def _signed_in_client() -> tuple[Any, str]:
    """Kaggle's client, signed in if it could, and what became of the token."""
    import kaggle  # signs in, prints 18 lines where it can not, and swallows the reason

    if not kaggle.api.config_values.get("auth_method"):
        try:
            kaggle.api.authenticate()
        except SystemExit:
            # No token, or one that Kaggle does not know. A public set is also given to a client that did not sign in.
            return kaggle.KaggleApi(), "refused" if _token_there() else "none"
    return kaggle.api, "accepted"


def _token_there() -> bool:
    from kagglesdk import get_access_token_from_env

    return get_access_token_from_env()[0] is not None


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
