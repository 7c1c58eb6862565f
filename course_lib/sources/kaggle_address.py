"""Where a data set or one of its files can be fetched, as Kaggle says; or why not, in a sentence for the learner."""

import threading
import time
from collections.abc import Callable

from course_lib.sources.dataset_card import DatasetCard
from course_lib.sources.download import (
    OFFLINE_REMEDY,
    WEB_PAGE,
    BrokenTryError,
    DownloadError,
    Patience,
    seconds_to_wait,
)
from course_lib.sources.kaggle_account import REMEDIES, TOKEN_FORM, TOKEN_PAGE, KaggleAnswer, KaggleClient
from course_lib.support.foreign import printable

LONGEST_ANSWER_SECONDS = 10.0  #: that Kaggle may take to say where a file lies; the file itself may be slower
WITHOUT_NETWORK = "Without a network, set COURSE_DATA to a folder that has the images, or work with phantoms."


class MissingFileError(DownloadError):
    """Kaggle says that a data set has no such file."""


class KaggleAddresses:
    """Where the files of a data set can be fetched, asked one after the other in a ``with`` block, by any thread.

    A token that Kaggle refuses is left away where it gives the set without one. When Kaggle asks for a pause, everybody
    waits.
    """

    def __init__(self, card: DatasetCard, patience: Patience) -> None:
        self.card, self.patience = card, patience
        self._silence_seconds = min(patience.silence_seconds, LONGEST_ANSWER_SECONDS)
        self._client = KaggleClient(self._silence_seconds)
        self._not_before = 0.0
        self._asking = threading.Lock()

    def __enter__(self) -> "KaggleAddresses":
        return self

    def __exit__(self, *exit_: object) -> None:
        self._client.__exit__(*exit_)

    def close(self) -> None:
        """End Kaggle's client, so that whoever waits for an answer is told at once."""
        self._client.close()

    def of(self, file: str = "", *, pause: Callable[[float], object] = time.sleep) -> str:
        """The address of the archive, or of a file by its path in the data set; it is good for some minutes.

        ``pause`` waits for so many seconds.

        Raises:
            BrokenTryError: Kaggle did not answer, or asks for a pause.
            MissingFileError: there is no such file.
            DownloadError: Kaggle said no, and will say so again.
        """
        with self._asking:
            pause(max(0.0, self._not_before - time.monotonic()))
            answer = self._client.ask(self.card.handle, file)
            if answer.status in (401, 403) and answer.credentials == "refused":
                answer = self._asked_anonymously(file, answer.token_from) or answer
            if answer.address:
                return answer.address
            wait = seconds_to_wait(answer.retry_after)
            self._not_before = time.monotonic() + (wait or 0.0)
        raise _problem(answer, wait, self.card, file)

    def _asked_anonymously(self, file: str, token_from: str) -> KaggleAnswer | None:
        """Kaggle's answer to who shows no token, if that helps; from then on nobody shows one."""
        anonymous = KaggleClient(self._silence_seconds, anonymously=True)
        answer = anonymous.ask(self.card.handle, file)
        if not answer.address:
            anonymous.__exit__()
            return None
        print(f"Kaggle does not accept the token from {token_from}, but gives {self.card.name} without one.")
        self._client.__exit__()
        self._client = anonymous
        return answer


def address_of_archive(card: DatasetCard, patience: Patience) -> str:
    """Where the archive of a data set can be fetched; what is raised is said at `KaggleAddresses.of`."""
    with KaggleAddresses(card, patience) as addresses:
        return addresses.of()


def _problem(answer: KaggleAnswer, wait: float | None, card: DatasetCard, file: str) -> Exception:
    """What an answer without an address means, as what is to be raised."""
    if answer.problem in ("unreachable", "silent"):
        what = "can not be reached" if answer.problem == "unreachable" else "does not answer"
        return BrokenTryError(f"Kaggle {what}", f"{OFFLINE_REMEDY} {WITHOUT_NETWORK}")
    if answer.status == 429 or answer.status >= 500:
        return BrokenTryError(_busy(answer, wait), f"Wait a while, then call again. {WITHOUT_NETWORK}", wait)
    if answer.status == 404 and file:
        return MissingFileError(f"Kaggle has no file {printable(file)} in {card.handle} (404)")
    return DownloadError(f"{card.name} could not be fetched. {_refusal(answer, card)}")


def _busy(answer: KaggleAnswer, wait: float | None) -> str:
    pause = f" and asks for a pause of {wait:.0f} s" if wait else ""
    return f"Kaggle answered {answer.status} ({'too many calls' if answer.status == 429 else 'it has a fault'}){pause}"


def _refusal(answer: KaggleAnswer, card: DatasetCard) -> str:
    owner, name, version = card.handle.split("/")
    if answer.problem == "garbled":
        return WEB_PAGE
    if answer.token_problem:
        return (
            f"The token from {answer.token_from} {answer.token_problem}. Expected {TOKEN_FORM}. To replace it, "
            f"{REMEDIES[answer.token_from]}, store the token with the dialogue in notebook 00, and call again."
        )
    if answer.problem == "bad proxy":
        return (
            "The address of the proxy can not be read. Expected http://<name>:<port> in the variables HTTPS_PROXY and "
            "HTTP_PROXY; correct or unset them, then call again."
        )
    if answer.problem:
        return (
            f"Kaggle's client ended with {printable(answer.problem)}, which the course does not know. Look at the "
            "variables that begin with KAGGLE_ and at the folder .kaggle in your home: correct, unset or remove what "
            "is wrong there, and call again. Else install the client again: delete .venv, then run `make lab`."
        )
    if answer.status == 404:
        return (
            f"Kaggle has no version {version} of {owner}/{name} (404), or hides it from this account. "
            f"Compare the handle in datasets/{card.slug}.toml with Kaggle's page."
        )
    if answer.status in (401, 403) and answer.credentials == "none":
        return (
            f"Kaggle wants to know who asks ({answer.status}), and there is no token on this computer. Get one at "
            f"{TOKEN_PAGE}, store it with the dialogue in notebook 00, and call again."
        )
    if answer.status == 403 and answer.credentials == "accepted":
        return (
            f"Kaggle knows the account but refuses the data set (403): its terms are not accepted yet. Open "
            f"https://www.kaggle.com/datasets/{owner}/{name}, sign in, accept the terms, and call again."
        )
    if answer.status in (401, 403):
        return (
            f"Kaggle does not accept the token from {answer.token_from} ({answer.status}): it is mistyped or has "
            f"expired. It comes before others, so {REMEDIES[answer.token_from]}. Then get a new one at {TOKEN_PAGE}, "
            "store it with the dialogue in notebook 00, and call again."
        )
    return f"Kaggle answered {answer.status}, which the course does not know. {OFFLINE_REMEDY}"
