"""Weights that others have trained: the right file, a wrong one, half a one, and none."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.models import ResNet18_Weights, WeightsEnum, get_model_weights, list_models, resnet18
from torchvision.models._api import Weights

from course_lib.networks import backbones
from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.weights import (
    RESNET18,
    cached_file,
    checksum,
    describe,
    find_file,
    pretrained,
    save_shipped,
    shipped_card,
)
from course_lib.sources.download import Patience
from course_lib.support.runtime import COURSE_ROOT
from tests.sources.kaggle_stand_in import Fault, StandIn, running

QUICK = Patience(tries=2, pause_seconds=0.01, silence_seconds=1.0)


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def resnet_file() -> bytes:
    """A state dict that fits ResNet-18, other than any random start."""
    return saved({name: torch.ones_like(values) for name, values in resnet18(weights=None).state_dict().items()})


@pytest.fixture
def server(resnet_file: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Serves the file under the name that fits its content, and under one that does not."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    digest = hashlib.sha256(resnet_file).hexdigest()[:8]
    code = saved(torch.nn.Linear(2, 2))
    files = {
        f"/resnet18-{digest}.pth": resnet_file,
        "/resnet18-00000000.pth": resnet_file,
        f"/code-{hashlib.sha256(code).hexdigest()[:8]}.pth": code,
    }
    with running(StandIn(files=files)) as stand_in:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "127.0.0.1")
        yield stand_in


def weights_at(server: StandIn, start: str, wrong: bool = False) -> WeightsEnum:
    """Weights as torchvision lists them, but on the server of this test."""
    path = next(path for path in server.files if path.startswith(start) and ("00000000" in path) == wrong)
    kind = WeightsEnum("Loopback_Weights", {"V1": Weights(server.url + path, transforms=lambda: None, meta={})})
    member: WeightsEnum = kind["V1"]
    return member


@pytest.mark.slow
def test_the_right_file_is_loaded_and_announced(server: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    weights = weights_at(server, "/resnet18")
    assert find_file(weights) is None
    state = pretrained(weights, patience=QUICK)
    assert all(bool((values == 1).all()) for values in state.values())
    said = capsys.readouterr().out
    assert said == describe(weights) + "\n"
    assert all(word in said for word in (weights.url, "BSD-3-Clause", "ImageNet", checksum(weights)))
    pretrained(weights, patience=QUICK)
    assert len(server.log) == 1, "the second call found the file"


def test_a_wrong_file_is_refused_and_removed(server: StandIn, tmp_path: Path) -> None:
    weights = weights_at(server, "/resnet18", wrong=True)
    with pytest.raises(ConnectionError, match=r"another checksum: expected a SHA-256 that begins with 00000000.*Call"):
        pretrained(weights, patience=QUICK)
    assert not list((tmp_path / "torch").rglob("*.pth"))
    assert not list((tmp_path / "torch").rglob("*.part*"))


def test_half_a_file_is_refused_and_removed(server: StandIn, resnet_file: bytes, tmp_path: Path) -> None:
    weights = weights_at(server, "/resnet18")
    path = "/" + weights.url.rsplit("/")[-1]
    server.files[path] = resnet_file[: len(resnet_file) // 2]
    with pytest.raises(ConnectionError, match="another checksum"):
        pretrained(weights, patience=QUICK)
    assert not list((tmp_path / "torch").rglob("*.pth"))
    assert not list((tmp_path / "torch").rglob("*.part*"))
    server.files[path] = resnet_file
    assert pretrained(weights, patience=QUICK)


def test_a_broken_line_is_resumed(server: StandIn, resnet_file: bytes) -> None:
    server.storage_fault = Fault(cut_after=1_000_000, times=1)
    assert pretrained(weights_at(server, "/resnet18"), patience=QUICK)
    assert sum(request.sent for request in server.log) == len(resnet_file)


FETCH = "import sys; from pathlib import Path; from course_lib.sources.download import fetch; "
FETCH += "fetch(lambda: sys.argv[1], Path(sys.argv[2]), 'weights')"


@pytest.mark.slow
def test_two_processes_at_once_fetch_once(server: StandIn, resnet_file: bytes, tmp_path: Path) -> None:
    server.bytes_per_second = 2e7
    weights, target = weights_at(server, "/resnet18"), tmp_path / "weights.pth"
    command = [sys.executable, "-c", FETCH, weights.url, str(target)]
    both = [subprocess.Popen(command, cwd=COURSE_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert target.read_bytes() == resnet_file
    assert sum(request.sent for request in server.log) == len(resnet_file)
    assert sum("Another process is fetching weights. Waiting" in text for text in said) <= 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_asked_for_once(server: StandIn, status: int) -> None:
    server.storage_fault = Fault(status)
    with pytest.raises(ConnectionError, match=rf"no such file any more \({status}\)\. Take the newest.* Without a"):
        pretrained(weights_at(server, "/resnet18"), patience=QUICK)
    assert len(server.log) == 1


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: StandIn) -> None:
    weights = weights_at(server, "/resnet18")
    path = cached_file(weights, patience=QUICK)
    path.write_bytes(path.read_bytes()[:1000])
    assert find_file(weights) is None
    assert pretrained(weights, patience=QUICK)


def test_a_file_of_code_is_not_run(server: StandIn) -> None:
    with pytest.raises(ConnectionError, match="is no file of weights"):
        pretrained(weights_at(server, "/code"), patience=QUICK)


def test_a_rooms_weights_are_used_offline(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = weights_at(server, "/resnet18")
    cached_file(weights, tmp_path / "room" / "weights", patience=QUICK)
    server.storage_fault = Fault(status=500)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "room"))
    assert pretrained(weights, patience=QUICK)
    assert len(server.log) == 1


def test_a_room_is_filled_from_what_is_here(server: StandIn, tmp_path: Path) -> None:
    weights = weights_at(server, "/resnet18")
    cached_file(weights, patience=QUICK)
    server.storage_fault = Fault(status=500)
    assert cached_file(weights, tmp_path / "room", patience=QUICK).is_file()
    assert len(server.log) == 1


@pytest.mark.slow
def test_offline_ends_in_the_remedy_and_never_in_random_weights(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = weights_at(server, "/resnet18")
    server.storage_fault = Fault(status=503)
    with pytest.raises(ConnectionError, match=r"not on this computer.*answered 503.*copy resnet18-\w+\.pth into"):
        pretrained(weights, patience=QUICK)
    monkeypatch.setattr(backbones, "pretrained", lambda _: pretrained(weights, patience=QUICK))
    with pytest.raises(ConnectionError, match="or set COURSE_DATA to a workshop's room"):
        resnet18_classifier(2, weights="imagenet")
    server.repair()
    model = resnet18_classifier(3, weights="imagenet")
    assert bool((model.conv1.weight == 1).all())
    assert model.fc.out_features == 3


@pytest.mark.parametrize("name", list_models(module=torchvision.models))
def test_every_backbone_names_its_checksum(name: str) -> None:
    for weights in get_model_weights(name):
        assert len(checksum(weights)) >= 8
        assert weights.url in describe(weights)


def test_the_course_names_one_set_of_weights() -> None:
    assert RESNET18 is ResNet18_Weights.IMAGENET1K_V1
    assert checksum(RESNET18) == "f37072fd"


def test_a_name_without_a_checksum(server: StandIn) -> None:
    nameless = WeightsEnum("W", {"V1": Weights(f"{server.url}/net.pth", transforms=lambda: None, meta={})})["V1"]
    with pytest.raises(ValueError, match="holds no checksum"):
        checksum(nameless)


def test_the_shipped_card_reads_the_same_after_it_was_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = shipped_card("resnet18")
    save_shipped(card, b"weights", tmp_path)
    monkeypatch.setattr("course_lib.networks.weights.SHIPPED", tmp_path)
    assert shipped_card("resnet18") == card
