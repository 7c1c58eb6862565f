"""The argument that most commands for authors take: a folder of real images."""

import argparse
from contextlib import suppress
from pathlib import Path

from course_lib.data.image_folder import holds_a_set
from course_lib.support.errors import DataError
from course_lib.support.runtime import existing_folder


def real_folder(given: str) -> Path:
    """The folder, for ``add_argument(type=real_folder)``; seen from here or from the course's own folder.

    It holds one data set or, as `modalities.registry.dataset_folder` knows, several by the names of their cards.

    Raises:
        ArgumentTypeError: there is none; argparse makes a usage message of it.
    """
    try:
        folder = existing_folder(given) if given else None
    except DataError as problem:  # argparse would put its own words in the place of these
        raise argparse.ArgumentTypeError(str(problem)) from problem
    if folder is None or not any(_is_a_set(place) for place in (folder, *folder.glob("*"))):
        raise argparse.ArgumentTypeError(
            f"{given!r} holds no data set: no train/, no images/ with labels/ or masks/, no <patient>/nodule-K/, no "
            "files of MATLAB; name a folder that does"
        )
    return folder


def _is_a_set(folder: Path) -> bool:
    with suppress(PermissionError):  # of something that lies beside the data sets
        return holds_a_set(folder) or any(folder.glob("*.mat"))
    return False
