"""A Kaggle data set on this computer: found where it already lies, else fetched, unpacked and verified, once.

python -m course_lib.delivery data [slug]            find or fetch a data set
python -m course_lib.delivery verify [slug]          compare it with its card and its manifest
python -m course_lib.delivery room <folder> [slug]   fill a read-only folder for a workshop
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from course_lib.archive import MANIFEST, ArchiveError, check_counts, images_in, is_whole, unpack, verify
from course_lib.cards import DataError, DatasetCard, card_slugs, load_card
from course_lib.kaggle_account import REMEDIES, TOKEN_PAGE, KaggleAnswer, ask_kaggle
from course_lib.locks import alone
from course_lib.runtime import COURSE_ROOT, ROOM_FOLDER, data_folder
from course_lib.transfer import (
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

CHEST_XRAYS = "chest-xray-pneumonia"
LONGEST_ANSWER_SECONDS = 10.0  #: that Kaggle may take to say where an archive lies; the archive itself may be slower
WITHOUT_NETWORK = "Without a network, set COURSE_DATA to a folder that has the images, or work with phantoms."


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.delivery", description="Fetch and verify a data set.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("data", "verify", "room"):
        command = commands.add_parser(name)
        if name == "room":
            command.add_argument("folder")
        command.add_argument("slug", nargs="?", default=CHEST_XRAYS)
    options = parser.parse_args(arguments)
    try:
        if options.command == "room":
            if not options.folder:
                raise DataError("Say which folder to fill: make room DIR=<folder>")
            return prepare_room(Path(options.folder), options.slug)
        folder = fetch_dataset(options.slug) if options.command == "data" else _found(options.slug)
        checked = verify(folder, load_card(options.slug), _maker(folder)) if options.command == "verify" else 0
    except (DataError, DownloadError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except OSError as problem:
        what = f"{problem.filename or 'a file or folder'} ({problem.strerror or type(problem).__name__})"
        print(f"The system refused {what}. Give yourself access to it, then call again.", file=sys.stderr)
        return 1
    print(f"{checked:,} images are as the manifest says: {folder}" if checked else f"{options.slug} is in {folder}")
    return 0


def cache_folder() -> Path:
    """Where data sets are put: ``COURSE_CACHE``, seen from the course's folder, or the course's folder ``datasets``."""
    return (COURSE_ROOT / Path(os.environ.get("COURSE_CACHE") or "datasets").expanduser()).resolve()


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
    for folder in (*([given, given / card.slug] if given else []), cache_folder() / card.slug):
        if folder.is_dir() and is_whole(folder, card):
            return folder.resolve()
        if given and folder.is_relative_to(given):
            _check_promised(folder)
    return None


def fetch_dataset(
    slug: str = CHEST_XRAYS,
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
        _forget_archive(found)
        return found
    if card.handle.count("/") != 2 or not card.counts:
        raise DataError(f"The card {slug} has no handle owner/name/version or no counts, so nothing can be fetched.")
    target = (cache or cache_folder()) / slug
    with _alone(target, card):
        if not target.exists():  # else another process put it there while this one waited
            _fetch_archive(card, _archive_of(target), at_most_mb, patience or Patience())
            _unpack(_archive_of(target), target, card)
    check_counts(images_in(target), card, f"The copy in {target}", "Remove that folder and call again.")
    return target


def room_or_folder(folder: Path) -> Path:
    """The folder itself; or, if it is a workshop's room, the data set in it.

    Raises:
        DataError: its manifest promises more than it holds.
    """
    inside = [manifest.parent for manifest in sorted(folder.glob(f"*/{MANIFEST}"))]
    if inside and not (folder / "train").is_dir():
        folder = folder / CHEST_XRAYS if folder / CHEST_XRAYS in inside else inside[0]
    _check_promised(folder)
    return folder


def prepare_room(folder: Path, slug: str = CHEST_XRAYS) -> int:
    """Fill a folder that any number of learners can read at once, offline; gives 0 if it is complete.

    Raises:
        DataError: the folder holds something that is no part of a room, and that nobody may make read-only.
    """
    folder = folder.expanduser().resolve()
    target, card = folder / slug, load_card(slug)
    _check_only_room(folder)
    found = find_dataset(card, room=folder)
    if found and (found / MANIFEST).is_file() and not target.exists():
        with _alone(target, card):
            if not target.exists():
                _copy(found, target, card)
    if not is_whole(target, card):  # a room that is whole is read-only already
        fetch_dataset(slug, cache=folder)
    images = verify(target, card, f"make room DIR={folder}")
    from course_lib import weights  # here, since it needs torch: `make data` does without

    loaded = weights.cached_file(weights.RESNET18, folder / ROOM_FOLDER)
    _forget_archive(target)
    _make_read_only(folder, target, folder / ROOM_FOLDER)
    print(f"{images:,} verified images and {loaded.name} are in {folder}, read-only.")
    print(f"Learners set COURSE_DATA={folder}")
    return 0


def _maker(folder: Path) -> str:
    """The command that makes this folder anew: in a room its own, else the one for the cache."""
    return f"make room DIR={folder.parent}" if (folder.parent / ROOM_FOLDER).is_dir() else "make data"


def _check_promised(folder: Path) -> None:
    """Refuse a folder that the course unpacked, as its manifest shows, and that is not whole any more."""
    if (folder / MANIFEST).is_file() and folder.name in card_slugs():
        card, remedy = load_card(folder.name), f"Remove that folder and run `{_maker(folder)}` again."
        check_counts(images_in(folder), card, f"The copy in {folder}", remedy)


def _found(slug: str) -> Path:
    if found := find_dataset(load_card(slug)):
        return found
    target = cache_folder() / slug
    if target.is_dir():
        return target  # not whole: verifying it says what is wrong
    raise DataError(f"{slug} is not on this computer: expected in {target}. Run `make data` first.")


@contextlib.contextmanager
def _alone(target: Path, card: DatasetCard) -> Iterator[None]:
    """Hold the data set's lock; say so if another process has it."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(target.parent / f".{target.name}.fetching" / "lock", f"fetching {card.name}"))
        except OSError as error:
            raise disk_problem(error, target.parent, card.name) from error
        yield


def _archive_of(target: Path) -> Path:
    return target.parent / f".{target.name}.fetching" / "archive.zip"


def _forget_archive(target: Path) -> None:
    """Remove the archive of a set that is whole: a call that was killed after unpacking may have left it."""
    with contextlib.suppress(OSError):  # a folder that may not be written holds no archive of ours
        discard(_archive_of(target))


def _fetch_archive(card: DatasetCard, archive: Path, at_most_mb: float | None, patience: Patience) -> None:
    def approve(size: int, missing: int) -> None:
        if at_most_mb is not None and size > at_most_mb * 1e6:
            raise DownloadError(
                f"{card.name} is a download of {say_bytes(size)} and needs {say_bytes(size + missing)} of disk, and no "
                f"more than {at_most_mb:g} MB were allowed here. Run `make data` in a terminal, or call again without "
                "the limit."
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
    if answer.problem == "unreadable":
        return (
            f"The token from {answer.token_from} is no plain text: perhaps an editor stored it as UTF-16. To replace "
            f"it, {REMEDIES[answer.token_from]}, store the token with the dialogue in notebook 00, and call again."
        )
    if answer.problem == "bad proxy":
        return (
            "The address of the proxy can not be read. Expected http://<name>:<port> in the variables HTTPS_PROXY and "
            "HTTP_PROXY; correct or unset them, then call again."
        )
    if answer.problem:
        return f"Kaggle's client ended with {answer.problem}. Install it again: delete .venv, then run `make lab`."
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


def _check_only_room(folder: Path) -> None:
    ours = {ROOM_FOLDER, *card_slugs()}
    ours |= {f".{slug}.{state}" for slug in ours for state in ("fetching", "unpacking", "copying")}
    strange = sorted(path.name for path in folder.iterdir() if path.name not in ours) if folder.exists() else []
    if strange:
        raise DataError(
            f"A room becomes read-only, but {folder} holds other things as well, such as {strange[0]}. "
            "Name an empty folder, or one that is not there yet: make room DIR=<folder>"
        )


def _make_read_only(room: Path, *parts: Path) -> None:
    """Let everybody read the room and these parts of it, and nobody write, whatever the instructor's umask is."""
    for part in parts:
        for folder, _, names in [] if part.is_symlink() else os.walk(part):
            for path in (Path(folder), *(Path(folder, name) for name in names)):
                if not path.is_symlink():
                    path.chmod(0o555 if path.is_dir() else 0o444)
    room.chmod(0o555)


def _copy(found: Path, target: Path, card: DatasetCard) -> None:
    """Copy a data set that is already here, so that it too appears at once and whole."""
    files = [*(found / path for path in images_in(found)), found / MANIFEST]
    require_disk(target.parent, sum(file.stat().st_size for file in files), f"Copying {card.name}")
    scratch = target.with_name(f".{target.name}.copying")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        for file in files:
            copy = scratch / file.relative_to(found)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        scratch.rename(target)
    except OSError as error:
        raise disk_problem(error, target.parent, card.name) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
