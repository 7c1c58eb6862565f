"""The U-Net on EfficientNet-Lite0: any size, every parameter learns, and no direction is the upper one."""

import pytest
import torch

from course_lib.networks.backbones import build_backbone
from course_lib.networks.lite_unet import LiteUNet


@pytest.fixture(scope="module")
def network() -> LiteUNet:
    torch.manual_seed(0)
    return LiteUNet(1, weights=None).eval()


@pytest.mark.parametrize("size", [(32, 32), (33, 50), (96, 65)])
@torch.inference_mode()
def test_there_is_a_logit_per_label_for_every_pixel(network: LiteUNet, size: tuple[int, int]) -> None:
    logits = network(torch.randn(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()
    assert LiteUNet(3, weights=None)(torch.randn(2, 3, *size)).shape == (2, 3, *size)


@torch.inference_mode()
def test_an_image_that_is_enlarged_within_has_logits_in_its_own_pixels() -> None:
    network = LiteUNet(1, weights=None, enlarge=2).eval()
    seen: list[torch.Size] = []
    network.encoder.stem.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].shape))
    assert network(torch.randn(2, 3, 32, 40)).shape == (2, 1, 32, 40)
    assert seen == [torch.Size((2, 3, 64, 80))] * 4, "once for each mirror image"


@pytest.mark.parametrize("axis", [2, 3])
@torch.inference_mode()
def test_a_mirror_image_gets_the_same_answer_mirrored(network: LiteUNet, axis: int) -> None:
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(network(images.flip(axis)).flip(axis), network(images))
    assert not torch.equal(network.train()._answer(images.flip(axis)).flip(axis), network._answer(images))
    network.eval()


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = LiteUNet(1, weights=None).train()
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_the_way_down_begins_with_what_was_learned_from_photographs() -> None:
    backbone = build_backbone("efficientnet_lite0", weights="imagenet")
    encoder = LiteUNet(1, weights="imagenet").encoder
    theirs = backbone.state_dict()
    ours = encoder.state_dict()
    assert all(torch.equal(values, theirs[name]) for name, values in ours.items())
    assert {name.split(".")[0] for name in theirs} - {name.split(".")[0] for name in ours} == {"top", "classifier"}


def test_it_calculates_with_16_bits(network: LiteUNet) -> None:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert network(torch.randn(1, 3, 40, 40)).dtype == torch.float32


def test_an_image_that_is_none_of_its_kind_is_refused(network: LiteUNet) -> None:
    with pytest.raises(ValueError, match="takes images of shape"):
        network(torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="takes images of shape"):
        network(torch.zeros(1, 3, 20, 64))
