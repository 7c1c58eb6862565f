"""A Kaggle data set on this computer: found where it already lies, else fetched, unpacked and verified, once."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from course_lib.sources.archive import (
    MANIFEST,
    ArchiveError,
    check_counts,
    expected_counts,
    files_of_a_set,
    is_whole,
    read_manifest,
    unpack,
)
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.download import (
    OFFLINE_REMEDY,
    WEB_PAGE,
    BrokenTryError,
    DownloadError,
    Patience,
    discard,
    disk_problem,
    fetch,
    require_disk,
    say_bytes,
    seconds_to_wait,
)
from course_lib.sources.kaggle_account import REMEDIES, TOKEN_FORM, TOKEN_PAGE, KaggleAnswer, ask_kaggle
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of
from course_lib.support.locks import alone
from course_lib.support.runtime import ROOM_FOLDER, cache_folder, data_folder

LONGEST_ANSWER_SECONDS = 10.0  #: that Kaggle may take to say where an archive lies; the archive itself may be slower
WITHOUT_NETWORK = "Without a network, set COURSE_DATA to a folder that has the images, or work with phantoms."


def find_dataset(card: DatasetCard, *, room: Path | None = None) -> Path | None:
    """The folder that holds the whole data set: in ``COURSE_DATA``, in a room that it names, or in the cache.

    The folder ``room``, which is being filled, is not looked at.

    Raises:
        DataError: ``COURSE_DATA`` names a folder that is not there, or one whose manifest promises more than it holds.
    """
    given = data_folder()
    if given and given.resolve() == room:
        given = None
    if given and not given.is_dir():
        raise DataError(
            f"COURSE_DATA names the folder {given}, which is not there. Connect its disk or correct the name; or unset "
            "COURSE_DATA, so that the images are looked for in the cache and at Kaggle."
        )
    for folder in (*([given, given / card.slug] if given else []), cache_folder("datasets") / card.slug):
        if folder.is_dir() and is_whole(folder, card):
            return folder.resolve()
        if given and folder.is_relative_to(given):
            check_promised(folder)
    return None


def fetch_dataset(
    slug: str,
    *,
    cache: Path | None = None,
    at_most_mb: float | None = None,
    patience: Patience | None = None,
) -> Path:
    """The folder that holds the whole data set; fetched from Kaggle if it is nowhere on this computer.

    Nothing larger than ``at_most_mb`` is fetched. Of two processes that start at once, the second waits for the first.

    Raises:
        DownloadError: Kaggle can not be reached or says no, the archive is too large, or the disk is full.
        DataError: the archive or the folder is not what the data card says.
    """
    card = load_card(slug)
    if cache is None and (found := find_dataset(card)):
        forget_archive(found)
        return found
    if card.handle.count("/") != 2 or not expected_counts(card):
        raise DataError(_not_on_kaggle(card))
    target = (cache or cache_folder("datasets")) / slug
    with alone_with(target, card):
        if not target.exists():  # else another process put it there while this one waited
            _fetch_archive(card, _archive_of(target), at_most_mb, patience or Patience())
            _unpack(_archive_of(target), target, card)
    check_counts(files_of_a_set(target, card), card, f"The copy in {target}", "Remove that folder and call again.")
    return target


def _not_on_kaggle(card: DatasetCard) -> str:
    """Why a set can not be fetched, and where it is instead."""
    why = f"The card {card.slug} has no handle owner/name/version or no counts, so nothing can be fetched from Kaggle."
    if card.simulated:
        return f"{why} Its images are simulated on this computer: open_dataset({card.modality!r}, source='phantom')."
    return (
        f"{why} Get {card.name} from its source ({card.source}), unpack it, and set COURSE_DATA to that folder, or to "
        f"one that holds it under the name {card.slug}."
    )


def command_that_makes(folder: Path) -> str:
    """The command that makes the folder of a data set anew: in a room its own, else the one for the cache."""
    in_room = (folder.parent / ROOM_FOLDER).is_dir()
    return f"make room DIR={folder.parent} CARD={folder.name}" if in_room else f"make data CARD={folder.name}"


def check_promised(folder: Path) -> None:
    """Do nothing, unless the course unpacked this folder, as its manifest shows, and it is not whole any more.

    Raises:
        DataError: the manifest promises more than there is.
    """
    if (folder / MANIFEST).is_file() and folder.name in card_slugs():
        card, command = load_card(folder.name), command_that_makes(folder)
        files, remedy = files_of_a_set(folder, card), f"Remove that folder and run `{command}` again."
        if not card.archive:
            check_counts(files, card, f"The copy in {folder}", remedy)
        elif lost := sorted(_packed_in(read_manifest(folder, command), card) - set(files)):
            raise DataError(
                f"The copy in {printable(folder)} has lost {len(lost):,} files of {card.name} that its {MANIFEST} "
                f"lists ({some_of(lost)}). {remedy}"
            )


def _packed_in(paths: Iterable[PurePosixPath], card: DatasetCard) -> set[PurePosixPath]:
    """Those of the archive: not the pictures that a room has of them."""
    return {path for path in paths if card.packed(str(path)) == str(path)}


def folder_of(slug: str) -> Path:
    """The folder of a data set that is on this computer, whole or not.

    Raises:
        DataError: it is not here.
    """
    if found := find_dataset(load_card(slug)):
        return found
    target = cache_folder("datasets") / slug
    if target.is_dir():
        return target  # not whole: verifying it says what is wrong
    raise DataError(f"{slug} is not on this computer: expected in {target}. Run `make data CARD={slug}` first.")


@contextlib.contextmanager
def alone_with(target: Path, card: DatasetCard) -> Iterator[None]:
    """Hold the data set's lock; say so if another process has it."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(target.parent / f".{target.name}.fetching" / "lock", f"fetching {card.name}"))
        except OSError as error:
            raise disk_problem(error, target.parent, card.name) from error
        yield


def _archive_of(target: Path) -> Path:
    return target.parent / f".{target.name}.fetching" / "archive.zip"


def forget_archive(target: Path) -> None:
    """Remove the archive of a set that is whole: a call that was killed after unpacking may have left it."""
    with contextlib.suppress(OSError):  # a folder that may not be written holds no archive of ours
        discard(_archive_of(target))


def _fetch_archive(card: DatasetCard, archive: Path, at_most_mb: float | None, patience: Patience) -> None:
    def approve(size: int, missing: int) -> None:
        if at_most_mb is not None and size > at_most_mb * 1e6:
            raise DownloadError(
                f"{card.name} is a download of {say_bytes(size)} and needs {say_bytes(size + missing)} of disk, and no "
                f"more than {at_most_mb:g} MB were allowed here. Run `make data CARD={card.slug}` in a terminal, "
                "or call again without the limit."
            )
        require_disk(archive.parent, size + missing, f"Fetching ({say_bytes(missing)}) and unpacking {card.name}")

    if not archive.exists():
        print(f"Asking Kaggle for {card.name} …", flush=True)
    fetch(lambda: _address(card, patience), archive, card.name, patience=patience, approve=approve)


def _address(card: DatasetCard, patience: Patience) -> str:
    """Where the archive can be fetched, as Kaggle's client says.

    Raises:
        BrokenTryError: Kaggle did not answer, or asks for a pause.
        DownloadError: Kaggle said no, and will say so again.
    """
    silence = min(patience.silence_seconds, LONGEST_ANSWER_SECONDS)
    answer = ask_kaggle(card.handle, silence)
    if answer.status in (401, 403) and answer.credentials == "refused":
        anonymous = ask_kaggle(card.handle, silence, anonymously=True)
        if anonymous.address:
            print(f"Kaggle does not accept the token from {answer.token_from}, but gives {card.name} without one.")
            return anonymous.address
    if answer.address:
        return answer.address
    if answer.problem in ("unreachable", "silent"):
        what = "can not be reached" if answer.problem == "unreachable" else "does not answer"
        raise BrokenTryError(f"Kaggle {what}", f"{OFFLINE_REMEDY} {WITHOUT_NETWORK}")
    if answer.status == 429 or answer.status >= 500:
        wait = seconds_to_wait(answer.retry_after)
        raise BrokenTryError(_busy(answer, wait), f"Wait a while, then call again. {WITHOUT_NETWORK}", wait)
    raise DownloadError(f"{card.name} could not be fetched. {_refusal(answer, card)}")


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


def _unpack(archive: Path, target: Path, card: DatasetCard) -> None:
    print(f"Unpacking and verifying {card.name} …", flush=True)
    try:
        unpack(archive, target, card)
    except ArchiveError:
        discard(archive)
        raise
    except KeyboardInterrupt:
        print("Stopped. The archive is kept; call again to unpack it.")
        raise
    except DownloadError:
        raise
    except OSError as error:
        raise disk_problem(error, target.parent, card.name, "The archive is kept. ") from error
    discard(archive)
