"""Weights that are trained already: where they come from, under which licence, and whether they arrived whole.

Those of others come from torchvision's server; the course's own come with it, in half precision.
"""

import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import tomli_w
import torch
from torchvision.models import ResNet18_Weights, WeightsEnum

from course_lib.sources.download import DownloadError, Patience, fetch
from course_lib.support.files import digest_of_bytes, digest_of_file, write_whole
from course_lib.support.foreign import understood
from course_lib.support.runtime import ROOM_FOLDER, data_folder

RESNET18 = ResNet18_Weights.IMAGENET1K_V1
LICENCE = (
    "torchvision, BSD-3-Clause; trained on ImageNet, whose images are for non-commercial research and education only"
)

SHIPPED = Path(__file__).parent / "pretrained"  #: <network>-phantom.safetensors, and a card of the same name
TRAINED_BY = "python -m course_lib.authoring weights {network}"
SHIPPED_REMEDY = (
    "Get it back: git checkout -- course_lib/networks/pretrained, or install the course again; to train it anew: "
    f"{TRAINED_BY}."
)


class WeightsError(RuntimeError):
    """Weights that should have come with the course are missing or damaged; the message says what to do."""


@dataclass(frozen=True)
class WeightsCard:
    """What one should know about weights before using them; in ``pretrained/<network>-phantom.toml``."""

    network: str  #: a name in `BACKBONES`
    sha256: str  #: of the file
    data: str  #: what it was trained on, in a sentence
    licence: str
    classes: tuple[str, ...]
    made_with: str  #: versions
    minutes: float  #: of the call that made it: images, training and testing, apart from what was there already
    seed: int  #: of the random start
    results: Mapping[str, float]  #: on simulated patients that had no part in training
    preprocessing: Mapping[str, Any]  #: fields of `Preprocessing`
    training: Mapping[str, Any]  #: fields of `TrainConfig`
    phantoms: Mapping[str, Any]  #: fields of the simulator's `Settings`

    def __str__(self) -> str:
        return f"{self.network}: {self.data} Licence: {self.licence}. SHA-256 begins with {self.sha256[:8]}."


def pretrained(weights: WeightsEnum, *, patience: Patience | None = None) -> dict[str, torch.Tensor]:
    """The state dict of weights that torchvision knows; says where they come from, their licence and their checksum.

    Looks into the room that ``COURSE_DATA`` names, then into torch's cache, and downloads what is in neither.

    Raises:
        ConnectionError: they are not on this computer and could not be fetched; never a network with random weights.
    """
    path = find_file(weights) or cached_file(weights, patience=patience)
    print(describe(weights))
    problem = f"{path.name} has the right checksum but is no file of weights. Install a torchvision that fits."
    with understood(lambda _: DownloadError(problem)):
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def shipped_names() -> tuple[str, ...]:
    """The networks that the course has weights of its own for."""
    return ("resnet18", "efficientnet_lite0")


def shipped_card(network: str) -> WeightsCard:
    """The card of the weights that come with the course.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path, remedy = SHIPPED / _file_of(network, ".toml"), SHIPPED_REMEDY.format(network=network)
    if not path.exists():
        raise WeightsError(f"{path.name} is not in {path.parent}. {remedy}")
    with understood(lambda reason: WeightsError(f"{path.name} is no whole card of weights: {reason}. {remedy}")):
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return WeightsCard(**{**values, "classes": tuple(values["classes"])})


def load_shipped(network: str) -> dict[str, torch.Tensor]:
    """The state dict of the weights that come with the course, float32; says what they were trained on.

    Raises:
        WeightsError: the file or its card is missing, or the file is not the one that the card describes.
    """
    card, path = shipped_card(network), SHIPPED / _file_of(network, ".safetensors")
    remedy = SHIPPED_REMEDY.format(network=network)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise WeightsError(f"{path.name} is not in {path.parent}. {remedy}") from error
    if (came := digest_of_bytes(content)) != card.sha256:
        raise WeightsError(
            f"{path.name} is damaged: expected the SHA-256 {card.sha256[:8]}…, got {came[:8]}…. {remedy}"
        )
    print(card)
    return unpack_state(content)


def save_shipped(card: WeightsCard, content: bytes, folder: Path) -> Path:
    """Put weights that `pack_state` packed, and their card, into a folder; gives the file's path."""
    path = write_whole(folder / _file_of(card.network, ".safetensors"), content)
    write_whole(path.with_suffix(".toml"), _to_toml(card))
    return path


def pack_state(state: Mapping[str, torch.Tensor]) -> bytes:
    """A state dict as a safetensors file, half the size: kernels and matrices in half precision.

    The vectors, which hold the spreads of batch norm, stay float32: some are too small for a half. Batch norm's
    count of batches, which only training reads, is left out.

    Raises:
        ValueError: a number is too large for half precision, or none at all.
    """
    kept = {name: values.detach().cpu() for name, values in state.items() if values.is_floating_point()}
    packed = {name: (v.half() if v.ndim > 1 else v.float()).contiguous() for name, v in kept.items()}
    if bad := [name for name, values in packed.items() if not values.isfinite().all()]:
        raise ValueError(f"Half precision holds numbers up to 65,504, but {bad[0]} has others. Train again, calmer.")
    content: bytes = safetensors.torch.save(packed)
    return content


def unpack_state(content: bytes) -> dict[str, torch.Tensor]:
    """The state dict in a file that `pack_state` made, all float32."""
    return {name: values.float() for name, values in safetensors.torch.load(content).items()}


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


def _file_of(network: str, suffix: str) -> str:
    return f"{network}-phantom{suffix}"


def _to_toml(card: WeightsCard) -> str:
    content = tomli_w.dumps(_without_none(asdict(card)))
    made_by = TRAINED_BY.format(network=card.network)
    return f"# Data card of {card.network}-phantom.safetensors; written by {made_by}.\n{content}"


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are given, in tables inside too, since TOML has no None."""
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }


def _copy(found: Path, path: Path) -> None:
    with found.open("rb") as content:
        write_whole(path, lambda file: shutil.copyfileobj(content, file))


def _file_name(weights: WeightsEnum) -> str:
    return str(weights.url).rsplit("/", 1)[-1]


def _torch_cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _is_whole(path: Path, weights: WeightsEnum) -> bool:
    return digest_of_file(path).startswith(checksum(weights))
