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
    DownloadError,
    Patience,
    discard,
    disk_problem,
    fetch,
    require_disk,
    say_bytes,
)
from course_lib.sources.kaggle_address import address_of_archive
from course_lib.sources.nih_films import fetch_nih_films, forget_work
from course_lib.support.errors import DataError
from course_lib.support.foreign import printable, some_of
from course_lib.support.locks import alone
from course_lib.support.runtime import ROOM_FOLDER, cache_folder, data_folder

FETCH_SELECTION = {"nih-films": fetch_nih_films}  #: by `DatasetCard.selection`


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

    Nothing larger than ``at_most_mb`` is fetched. Where the card has a ``selection``, single files are. Of two
    processes that start at once, the second waits for the first.

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
            if card.selection:
                FETCH_SELECTION[card.selection](card, _work_of(target), target, at_most_mb, patience)
            else:
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
            held.enter_context(alone(_work_of(target) / "lock", f"fetching {card.name}"))
        except OSError as error:
            raise disk_problem(error, target.parent, card.name) from error
        yield


def _work_of(target: Path) -> Path:
    """The folder with the lock of a data set, and with what has come of it."""
    return target.parent / f".{target.name}.fetching"


def _archive_of(target: Path) -> Path:
    return _work_of(target) / "archive.zip"


def forget_archive(target: Path) -> None:
    """Remove the archive, or the films, of a set that is whole: a call that was killed at its end may have left it."""
    with contextlib.suppress(OSError):  # a folder that may not be written holds no archive of ours
        discard(_archive_of(target))
    forget_work(_work_of(target))


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
    fetch(lambda: address_of_archive(card, patience), archive, card.name, patience=patience, approve=approve)


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
