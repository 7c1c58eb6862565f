"""Weights that others have trained: where they come from, under which licence, and whether they arrived whole."""

import hashlib
import pickle
import re
import shutil
import tempfile
from pathlib import Path

import torch
from torchvision.models import ResNet18_Weights, WeightsEnum

from course_lib.runtime import ROOM_FOLDER, data_folder
from course_lib.transfer import DownloadError, Patience, fetch

RESNET18 = ResNet18_Weights.IMAGENET1K_V1
LICENCE = (
    "torchvision, BSD-3-Clause; trained on ImageNet, whose images are for non-commercial research and education only"
)


def pretrained(weights: WeightsEnum, *, patience: Patience | None = None) -> dict[str, torch.Tensor]:
    """The state dict of weights that torchvision knows; says where they come from, their licence and their checksum.

    Looks into the room that ``COURSE_DATA`` names, then into torch's cache, and downloads what is in neither.

    Raises:
        ConnectionError: they are not on this computer and could not be fetched; never a network with random weights.
    """
    path = find_file(weights) or cached_file(weights, patience=patience)
    print(describe(weights))
    try:
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise DownloadError(
            f"{path.name} has the right checksum but is no file of weights. Install a torchvision that fits."
        ) from error
    return state


def describe(weights: WeightsEnum) -> str:
    """One sentence: the weights' name, source, licence and checksum."""
    licence = weights.meta.get("license", LICENCE)
    return f"{weights}: from {weights.url}. Licence: {licence}. SHA-256 begins with {checksum(weights)}."


def checksum(weights: WeightsEnum) -> str:
    """The first hexadecimal digits of the file's SHA-256, which torchvision writes into its name.

    Raises:
        ValueError: the name has none.
    """
    match = re.search(r"-([0-9a-f]{8,64})\.pth$", weights.url)
    if not match:
        raise ValueError(f"The name of {weights.url} holds no checksum: expected <name>-<8 hex digits>.pth.")
    return match[1]


def find_file(weights: WeightsEnum) -> Path | None:
    """The file in the room that ``COURSE_DATA`` names, or in torch's cache, if it is there and whole."""
    room = data_folder()
    for folder in (*([room / ROOM_FOLDER] if room else []), _torch_cache()):
        path = folder / _file_name(weights)
        if path.is_file() and _is_whole(path, weights):
            return path
    return None


def cached_file(weights: WeightsEnum, folder: Path | None = None, *, patience: Patience | None = None) -> Path:
    """The whole file in a folder (torch's cache, if none is given), copied from elsewhere here or fetched if need be.

    Raises:
        ConnectionError: it could not be fetched, or something else came.
    """
    path = (folder or _torch_cache()) / _file_name(weights)
    if path.is_file() and not _is_whole(path, weights):
        path.unlink(missing_ok=True)  # an interrupted download of another program, or a damaged disk
    if not path.exists() and (found := find_file(weights)):
        _copy(found, path)
    try:
        fetch(lambda: weights.url, path, path.name, patience=patience)
    except DownloadError as error:
        raise DownloadError(
            f"The weights {weights} are not on this computer. {error} Without a network, copy {path.name} into "
            f"{path.parent}, or set COURSE_DATA to a workshop's room."
        ) from None
    if not _is_whole(path, weights):
        path.unlink(missing_ok=True)
        raise DownloadError(
            f"{path.name} came with another checksum: expected a SHA-256 that begins with {checksum(weights)}. "
            "The file is removed. Call again; if that ends in the same way, something between here and the "
            "server changes files, perhaps a proxy."
        )
    return path


def _copy(found: Path, path: Path) -> None:
    """Copy a file so that it appears at once and whole, even if two processes do so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        shutil.copyfile(found, Path(scratch) / path.name).replace(path)


def _file_name(weights: WeightsEnum) -> str:
    return str(weights.url).rsplit("/", 1)[-1]


def _torch_cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _is_whole(path: Path, weights: WeightsEnum) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(checksum(weights))
