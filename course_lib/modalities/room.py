"""A workshop's room: one read-only folder with data sets and weights, which many learners use at once, offline.

python -m course_lib.modalities.room <folder> [slug …]
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from course_lib.modalities.chest_xray.modality import REAL_SET
from course_lib.networks import weights
from course_lib.sources.archive import MANIFEST, images_in, is_whole, verify
from course_lib.sources.command_line import explained
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.download import disk_problem, require_disk
from course_lib.sources.kaggle_dataset import alone_with, fetch_dataset, find_dataset, forget_archive
from course_lib.support.errors import DataError
from course_lib.support.runtime import ROOM_FOLDER, expanded


def prepare_room(folder: Path, slugs: Sequence[str] = (REAL_SET,)) -> str:
    """Fill a folder that any number of learners can read at once, offline; gives what to tell the instructor.

    Each data set lies in it in a folder with its card's name. What is there already stays.

    Raises:
        DataError: there is no such card, or the folder holds something that is no part of a room, and that nobody may
            make read-only.
    """
    folder = expanded(folder).resolve()
    cards = [load_card(slug) for slug in dict.fromkeys(slugs)]
    _check_only_room(folder)
    images = [_put_into(folder, card) for card in cards]
    loaded = weights.cached_file(weights.RESNET18, folder / ROOM_FOLDER)
    for card in cards:
        forget_archive(folder / card.slug)
    _make_read_only(folder, *(folder / card.slug for card in cards), folder / ROOM_FOLDER)
    return (
        f"{sum(images):,} verified images and {loaded.name} are in {folder}, read-only.\n"
        f"Learners set COURSE_DATA={folder}"
    )


def _put_into(room: Path, card: DatasetCard) -> int:
    """Copy a set that is on this computer into the room, or fetch it; gives how many images it has, once verified."""
    target = room / card.slug
    if not is_whole(target, card):  # else the room is read-only already
        if room.exists():
            room.chmod(0o755)
        found = find_dataset(card, room=room)
        if found and (found / MANIFEST).is_file() and not target.exists():
            with alone_with(target, card):
                if not target.exists():
                    _copy(found, target, card)
        else:
            fetch_dataset(card.slug, cache=room)
    return verify(target, card, f"make room DIR={room} CARD={card.slug}")


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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.modalities.room", description="Fill a workshop's room.")
    parser.add_argument("folder", help="empty, not there yet, or a room already")
    parser.add_argument("slugs", nargs="*", default=[REAL_SET], help="cards of the data sets to put into it")
    options = parser.parse_args(arguments)
    return explained(lambda: prepare_room(_named(options.folder), options.slugs))


def _named(folder: str) -> Path:
    if not folder:
        raise DataError("Say which folder to fill: make room DIR=<folder>")
    return Path(folder)


if __name__ == "__main__":
    sys.exit(main())
