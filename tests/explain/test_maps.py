"""Maps: each the one by hand, as large as its image, from a network that stays as it was."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.explain.maps import grad_cam, integrated_gradients, occlusion, randomised
from course_lib.lessons import explaining_predictions as explaining
from course_lib.networks.freezing import stages
from course_lib.networks.net import Net

Explain = Callable[[nn.Module, torch.Tensor], np.ndarray]


class Corner(nn.Module):
    """Two logits: 0, and the sum of the upper left 4 x 4 pixels of the first channel, squared."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = nn.Identity()
        self.dropout = nn.Dropout(0.9)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        corner = self.dropout(self.whole(images))[:, 0, :4, :4].square().sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(corner), corner], dim=1)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) + 0.5


@pytest.fixture
def net() -> Net:
    """Random, but with a head that answers; in training mode."""
    torch.manual_seed(0)
    model = Net(channels=4)
    nn.init.normal_(model.head[2].weight)  # type: ignore[arg-type]
    return model


def test_grad_cam_is_the_one_by_hand(net: Net, images: torch.Tensor) -> None:
    net.eval()
    features = net.features(images)
    features.retain_grad()
    net.head(net.pool(features))[:, 1].sum().backward()
    assert features.grad is not None
    by_hand = torch.stack(
        [explaining.cam(f, explaining.channel_weights(g)) for f, g in zip(features, features.grad, strict=True)]
    )
    large = nn.functional.interpolate(by_hand[:, None].detach(), (32, 32), mode="bilinear")[:, 0]
    np.testing.assert_allclose(grad_cam(net, net.features, images, 1), large.numpy(), rtol=1e-4, atol=1e-6)
    assert by_hand.max() > 0


def test_grad_cam_works_on_a_frozen_network(net: Net, images: torch.Tensor) -> None:
    free = grad_cam(net, net.features, images, 1)
    np.testing.assert_array_equal(grad_cam(net.requires_grad_(False), net.features, images, 1), free)


def test_occlusion_is_the_one_by_hand(images: torch.Tensor) -> None:
    falls = occlusion(Corner(), images, 1, patch=4, stride=4, fill=0.25)

    def score(image: np.ndarray) -> float:
        return float(np.square(image[:4, :4]).sum())

    by_hand = explaining.occlusion_map(score, images[0, 0].numpy(), 4, 0.25)
    np.testing.assert_allclose(falls[0, ::4, ::4], by_hand, rtol=1e-4, atol=1e-5)
    assert falls[0, 3, 3] == falls[0, 0, 0] > 0
    assert (falls[:, 4:] == 0).all()


@pytest.mark.parametrize(("patch", "stride"), [(4, 5), (33, 4), (4, 0)])
def test_a_patch_that_leaves_pixels_out_is_refused(images: torch.Tensor, patch: int, stride: int) -> None:
    with pytest.raises(ValueError, match="stride <= patch <= 32"):
        occlusion(Corner(), images, 1, patch=patch, stride=stride)


def test_integrated_gradients_are_those_by_hand(images: torch.Tensor) -> None:
    """The integral of 2x from 0.5 to the pixel is the difference of the squares."""
    parts = integrated_gradients(Corner(), images, 1, baseline=0.5, steps=8)
    np.testing.assert_allclose(parts[:, :4, :4], images[:, 0, :4, :4].square().numpy() - 0.25, rtol=1e-4)
    assert (parts[:, 4:] == 0).all()


EXPLANATIONS: dict[str, Explain] = {
    "grad_cam": lambda model, images: grad_cam(model, model.get_submodule("features"), images, 1),
    "occlusion": lambda model, images: occlusion(model, images, 1),
    "integrated_gradients": lambda model, images: integrated_gradients(model, images, 1, steps=4),
}


@pytest.mark.parametrize("explain", EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_a_map_is_as_large_as_its_image_and_the_network_stays_as_it_was(
    explain: Explain, net: Net, images: torch.Tensor
) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, again = explain(net, images), explain(net, images)
    assert first.shape == (2, 32, 32)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(explain(net, images[1:]), first[1:], rtol=1e-3, atol=1e-5)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not images.requires_grad


def test_randomising_starts_at_the_head_and_spares_the_original(net: Net) -> None:
    names = [name for name, _ in stages(net)]
    for last in range(len(names) + 1):
        changed = [
            name
            for (name, old), (_, new) in zip(stages(net), stages(randomised(net, last=last, seed=1)), strict=True)
            if any(not torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True))
        ]
        assert changed == names[len(names) - last :]
    pairs = zip(randomised(net, last=1).parameters(), randomised(net, last=1).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match="from 0 to 4"):
        randomised(net, last=5)
