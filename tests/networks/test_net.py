"""The networks: any size, any number of classes, and weights that are what was asked for."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.costs import count_parameters
from course_lib.networks.net import Net


@settings(deadline=None, max_examples=10)
@given(st.integers(32, 130), st.integers(32, 130), st.integers(2, 5))
def test_net_takes_any_size_and_gives_any_number_of_classes(height: int, width: int, classes: int) -> None:
    assert Net(classes)(torch.zeros(2, 3, height, width)).shape == (2, classes)


@pytest.mark.parametrize("shape", [(3, 64, 64), (2, 1, 64, 64), (2, 3, 31, 64)])
def test_net_says_what_it_can_not_take(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images of shape \[batch, 3, height, width\], at least 32 px.*but got"):
        Net()(torch.zeros(shape))


def test_net_takes_channels_last_too() -> None:
    images = torch.randn(2, 3, 48, 48)
    net = Net().eval()
    torch.nn.init.normal_(net.head[2].weight)  # type: ignore[arg-type]
    assert torch.allclose(net(images), net(images.to(memory_format=torch.channels_last)), atol=1e-4)


def test_net_starts_undecided() -> None:
    assert torch.equal(Net(4)(torch.randn(3, 3, 32, 32)), torch.zeros(3, 4))


def test_a_classifier_needs_two_classes() -> None:
    for build in (lambda: Net(1), lambda: resnet18_classifier(1, weights=None)):
        with pytest.raises(ValueError, match="at least two classes, got 1"):
            build()


def test_resnet_has_a_new_head_and_no_deprecated_spelling() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = resnet18_classifier(3, weights=None)
    assert model.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 3)
    assert count_parameters(model) == 11_176_512 + 3 * 513
    model.requires_grad_(False)
    assert count_parameters(model, trainable_only=True) == 0


def test_the_weights_must_be_named() -> None:
    with pytest.raises(TypeError, match="weights"):
        resnet18_classifier(2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=r"weights must be one of .*'imagenet'.* but is 'best'"):
        resnet18_classifier(2, weights="best")  # type: ignore[arg-type]
