"""A workshop's room: one read-only folder with data sets and weights, which many learners use at once, offline.

python -m course_lib.modalities.room <folder> [slug …]
"""

import argparse
import re
import shutil
import stat
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from torchvision.models import WeightsEnum

from course_lib.data.boxed_folder import TABLE, files_of_boxed, holds_boxed
from course_lib.data.image_folder import recognise_card
from course_lib.data.marked_slices import NODULE, files_of_marked, holds_marked
from course_lib.data.outlined_folder import IMAGES, MASKS, files_of_outlined, holds_outlined
from course_lib.data.volume_folder import LAYOUTS, holds_volumes, names_a_volume, volumes_of
from course_lib.modalities.chest_xray.modality import REAL_SET
from course_lib.modalities.registry import dataset_folder, find_modality
from course_lib.networks import weights
from course_lib.networks.backbones import BACKBONES
from course_lib.sources.archive import (
    MANIFEST,
    images_of_a_set,
    is_of_a_set,
    is_whole,
    read_manifest,
    verify,
    write_manifest,
)
from course_lib.sources.command_line import explained
from course_lib.sources.dataset_card import DatasetCard, card_slugs, load_card
from course_lib.sources.download import disk_problem, require_disk
from course_lib.sources.foreign_image import names_an_image
from course_lib.sources.kaggle_dataset import alone_with, fetch_dataset, find_dataset, forget_archive
from course_lib.sources.nih_films import is_part_of_work
from course_lib.support.errors import DataError
from course_lib.support.files import digest_of_file
from course_lib.support.foreign import printable, some_of
from course_lib.support.own_files import files_below, finished, remove_half_made
from course_lib.support.runtime import ROOM_FOLDER, cache_folder, data_folder, expanded

_FETCHED = ("", ".lock", ".part", ".part.json")  #: how the names end that a download uses
WEIGHTS_FILES = {
    PurePosixPath(PurePosixPath(backbone.imagenet.url).name + ending)
    for backbone in BACKBONES.values()
    if isinstance(backbone.imagenet, WeightsEnum)  # a package brings the others
    for ending in _FETCHED
}
FETCHING_FILES = {PurePosixPath("lock"), *(PurePosixPath("archive.zip" + ending) for ending in _FETCHED)}
LABELS_OF = dict(LAYOUTS)  #: by the name of a folder of volumes, that of the folder of their label maps
LEFT_BY_SYSTEMS = re.compile(r"\.DS_Store|Thumbs\.db|\.directory|\._.+")  #: in every folder that somebody looked into


def prepare_room(folder: Path, slugs: Sequence[str] = (REAL_SET,)) -> str:
    """Fill a folder that any number of learners can read at once, offline; gives what to tell the instructor.

    Each data set lies in it in a folder with its card's name. What is there already stays. Nothing becomes read-only
    but the folder, the data sets that were asked for, as their manifests list them, and the weights.

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
    listed = [folder / card.slug / path for card in cards for path in _files_of(folder, card.slug)]
    _make_read_only(folder, [loaded, *listed])
    return (
        f"{sum(images):,} verified images and {loaded.name} are in {printable(folder)}, read-only.\n"
        f"Learners set COURSE_DATA={printable(folder)}"
    )


def _put_into(room: Path, card: DatasetCard) -> int:
    """Copy a set that is on this computer into the room, or fetch it; gives how many images it has, once verified."""
    target, as_unpacked = room / card.slug, _as_unpacked(card)
    if not (is_whole(target, card) if as_unpacked else target.exists()):  # else the room is read-only already
        if room.exists():
            room.chmod(room.stat().st_mode | stat.S_IRWXU)
        found = _found(card, room)
        if not found and card.archive and not card.selection:
            found = dataset_folder(card.modality, f"kaggle:{card.slug}")
        if found and not target.exists():
            with alone_with(target, card):
                if not target.exists():
                    _copy(found, target, card)
        else:
            fetch_dataset(card.slug, cache=room)
    command = _command(room, card.slug)
    return verify(target, card, command) if as_unpacked else _verify_copied(target, command)


def _as_unpacked(card: DatasetCard) -> bool:
    """Whether the room has a set as Kaggle's archive has it; else as `open_dataset` reads it."""
    return bool(card.handle) and not card.archive


def _found(card: DatasetCard, room: Path) -> Path | None:
    """Where the set is on this computer: as the course unpacked it; or as the user did, converted if need be."""
    if _as_unpacked(card):
        found = find_dataset(card, room=room)
        return found if found and (found / MANIFEST).is_file() else None
    given = data_folder()
    places = [*([given / card.slug, given] if given else []), cache_folder("datasets") / card.slug]
    there = [place.resolve() for place in places if place.is_dir() and not place.resolve().is_relative_to(room)]
    readable = (find_modality(card.modality).as_pictures(place) if card.archive else place for place in there)
    forms = (holds_volumes, holds_outlined, holds_boxed, holds_marked)
    ours = (place for place in readable if any(holds(place) for holds in forms))
    return next((place for place in ours if recognise_card(place) == card), None)


def _verify_copied(folder: Path, command: str) -> int:
    """How many volumes or images there are, once each file has been compared with the manifest.

    Raises:
        DataError: a file is missing, or is not what was copied.
    """
    sums = read_manifest(folder, command)
    changed = [path for path, told in sums.items() if _digest_at(folder / path) != told]
    if changed:
        raise DataError(
            f"{printable(folder)} has changed since it was copied, in {len(changed):,} files ({some_of(changed)}). "
            f"Remove that folder and run `{command}` again."
        )
    return sum(path.parent.name in LABELS_OF or path.parent.parent.name == IMAGES for path in sums)


def _digest_at(path: Path) -> str:
    return digest_of_file(path) if path.is_file() else ""


def _check_only_room(room: Path) -> None:
    """Do nothing if everything in the folder is what the course puts into a room, by its place and its whole name.

    What systems leave in every folder is passed over.
    """
    sets = {slug: _files_of(room, slug) if (room / slug).is_dir() else set() for slug in card_slugs()}
    others = (path for path in files_below(room) if not LEFT_BY_SYSTEMS.fullmatch(path.name))
    strange = next((path for path in others if not _is_part(path, sets)), None)
    if strange:
        raise DataError(
            f"A room becomes read-only, but {printable(room)} holds other things as well, such as "
            f"{printable(strange)}. Name an empty folder, or one that is not there yet: make room DIR=<folder>"
        )


def _is_part(path: PurePosixPath, sets: Mapping[str, Collection[PurePosixPath]]) -> bool:
    """Whether a room may have a file, or a link, at this place; ``sets`` are the files of each data set."""
    top, below = path.parts[0], PurePosixPath(*path.parts[1:])
    if top in (ROOM_FOLDER, *sets) and top == str(path):
        return True  # a link to a data set, or to the weights
    if top == ROOM_FOLDER:
        return finished(below) in WEIGHTS_FILES
    if top in sets:
        return below in sets[top]
    slug, _, state = top.removeprefix(".").rpartition(".")
    if not top.startswith(".") or slug not in sets:
        return False
    if state == "fetching":
        return below in FETCHING_FILES or is_part_of_work(below)
    return state in ("unpacking", "copying") and _is_of_a_set(below)


def _files_of(room: Path, slug: str) -> set[PurePosixPath]:
    """The files of a data set in the room, as its manifest lists them; and the manifest."""
    return {PurePosixPath(MANIFEST), *read_manifest(room / slug, _command(room, slug))}


def _command(room: Path, slug: str) -> str:
    return f"make room DIR={printable(room)} CARD={slug}"


def _make_read_only(room: Path, files: Iterable[Path]) -> None:
    """Let everybody read these files and the folders that hold them, and nobody write, whatever the umask is.

    What a link leads to stays as it is.
    """
    own = [path for path in files if path == path.resolve()]
    folders = {folder for path in own for folder in path.parents if folder.is_relative_to(room)}
    for path in own:
        path.chmod(0o444)
    for folder in {*folders, room}:
        folder.chmod(0o555)


def _copy(found: Path, target: Path, card: DatasetCard) -> None:
    """Copy a data set that is already here, so that it too appears at once and whole."""
    paths = images_of_a_set(found) if _as_unpacked(card) else _files_to_copy(found)
    require_disk(target.parent, sum((found / path).stat().st_size for path in paths), f"Copying {card.name}")
    scratch = target.with_name(f".{target.name}.copying")
    remove_half_made(scratch, _is_of_a_set)
    try:
        for path in paths:
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found / path, scratch / path)
        if _as_unpacked(card):
            shutil.copyfile(found / MANIFEST, scratch / MANIFEST)
        else:
            write_manifest(scratch, {path: digest_of_file(scratch / path) for path in paths})
        scratch.rename(target)
    except OSError as error:
        raise disk_problem(error, target.parent, card.name) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _files_to_copy(found: Path) -> list[PurePosixPath]:
    """The volumes and their label maps, or the images and their masks or boxes, as paths from the folder."""
    volumes, others = (
        [PurePosixPath(path.relative_to(found).as_posix()) for path in paths]
        for paths in (volumes_of(found), files_of_outlined(found) + files_of_boxed(found) + files_of_marked(found))
    )
    return [*volumes, *(path.parent.with_name(LABELS_OF[path.parent.name]) / path.name for path in volumes), *others]


def _is_of_a_set(path: PurePosixPath) -> bool:
    """Whether a data set of images or volumes could have a file at this place, seen from its folder."""
    boxed = path.name == TABLE or (names_an_image(path) and path.parent.name == IMAGES)
    volume = names_a_volume(path) and path.parent.name in {*LABELS_OF, *LABELS_OF.values()}
    there = path.parent.parent.name
    image = names_an_image(path) and (there in (IMAGES, MASKS) or bool(NODULE.fullmatch(there)))
    return is_of_a_set(path) or volume or image or boxed


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
