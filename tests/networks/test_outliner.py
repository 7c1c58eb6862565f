"""The network of two answers: any size, an encoder that is the backbone, and an outline that leads to the kind."""

import pytest
import torch

from course_lib.networks.backbones import build_backbone
from course_lib.networks.efficientnet_lite import MAP_CHANNELS, EfficientNetLite0
from course_lib.networks.outliner import Outliner
from course_lib.tasks.kind_and_outline import KindAndOutline


@pytest.fixture(scope="module")
def network() -> Outliner:
    torch.manual_seed(0)
    return Outliner(3, weights=None).eval()


@pytest.mark.parametrize("size", [(32, 32), (33, 50), (64, 37), (96, 65)])
@torch.inference_mode()
def test_the_outline_has_the_size_of_the_image(network: Outliner, size: tuple[int, int]) -> None:
    images = torch.randn(2, 3, *size)
    answer = network(images)
    assert answer.kind.shape == (2, 3)
    assert answer.outline.shape == (2, 2, *size)
    assert all(part.dtype == torch.float32 and torch.isfinite(part).all() for part in answer)
    KindAndOutline(("a", "b", "c")).check_output(answer, images)


@torch.inference_mode()
def test_the_encoder_is_the_backbone() -> None:
    """Checked from outside: each stage of the backbone is tapped, the smallest map goes through its last layers."""
    backbone = build_backbone("efficientnet_lite0", weights="imagenet").eval()
    assert isinstance(backbone, EfficientNetLite0)
    encoder = Outliner(3, weights="imagenet").eval().encoder
    tapped: dict[int, torch.Tensor] = {}
    for number in range(1, 8):
        backbone.get_submodule(f"stage{number}").register_forward_hook(
            lambda _module, _inputs, maps, number=number: tapped.__setitem__(number, maps)
        )
    images = torch.randn(2, 3, 64, 96)
    logits = backbone(images)
    maps = encoder.maps(images)
    assert [tuple(part.shape[2:]) for part in maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
    assert tuple(part.shape[1] for part in maps) == MAP_CHANNELS
    last = {tapped[number].shape[2]: tapped[number] for number in range(1, 8)}  # of several, the last of its size
    for part in maps:
        assert torch.equal(part, last[part.shape[2]])
    assert torch.equal(backbone.classifier(encoder.top(maps[-1]).mean(dim=(2, 3))), logits)


@torch.inference_mode()
def test_an_image_and_its_mirror_image_get_the_same_answer_mirrored(network: Outliner) -> None:
    images = torch.randn(2, 3, 64, 64)
    there, mirrored = network(images), network(images.flip(3))
    torch.testing.assert_close(there.kind, mirrored.kind)
    torch.testing.assert_close(there.outline, mirrored.outline.flip(3))


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = Outliner(3, weights=None).train()
    answer = network(torch.randn(4, 3, 32, 32))
    (answer.kind.square().sum() + answer.outline.square().sum()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_how_well_the_kind_is_told_does_not_reach_back_into_the_outline() -> None:
    torch.manual_seed(0)
    network = Outliner(3, weights=None).train()
    network(torch.randn(4, 3, 32, 32)).kind.square().sum().backward()
    for part in (network.up, network.outline):
        assert all(p.grad is None for p in part.parameters())
    assert all(p.grad is not None for p in network.encoder.parameters())


def test_the_head_looks_more_at_what_is_outlined() -> None:
    """With features that are 1 on the left half and 0 on the right one, the second mean is that of the outline."""
    network = Outliner(3, weights=None).eval()
    seen = []
    network.head.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    network.encoder.set_submodule("top", LeftHalf())
    network.set_submodule("outline", Outlined("right"))
    with torch.inference_mode():
        network._answer(torch.randn(1, 3, 128, 128))
        network.set_submodule("outline", Outlined("left"))
        network._answer(torch.randn(1, 3, 128, 128))
    right, left = seen
    assert right[0, :1280].mean().item() == left[0, :1280].mean().item() == 0.5
    assert right[0, 1280:].mean().item() == pytest.approx(0, abs=1e-3)
    assert left[0, 1280:].mean().item() == pytest.approx(1, abs=1e-3)


class LeftHalf(torch.nn.Module):
    """Features that are 1 on the left half of the map and 0 on the right one."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        features = torch.zeros(len(maps), 1280, *maps.shape[2:])
        features[..., : maps.shape[3] // 2] = 1
        return features


class Outlined(torch.nn.Module):
    """Certain logits: one half of the image is tumour."""

    def __init__(self, half: str) -> None:
        super().__init__()
        self.where = half

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        tumour = torch.full((len(maps), 1, *maps.shape[2:]), -20.0)
        middle = maps.shape[3] // 2
        tumour[..., slice(middle, None) if self.where == "right" else slice(middle)] = 20.0
        return torch.cat([-tumour, tumour], dim=1)


def test_it_calculates_with_16_bits(network: Outliner) -> None:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        answer = network(torch.randn(1, 3, 40, 40))
    assert {part.dtype for part in answer} == {torch.float32}


def test_an_image_that_is_none_of_its_kind_is_refused(network: Outliner) -> None:
    with pytest.raises(ValueError, match="takes images of shape"):
        network(torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="takes images of shape"):
        network(torch.zeros(1, 3, 20, 64))
