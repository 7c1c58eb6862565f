"""What is faster on a processor gives what torch's own layers give."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks import efficientnet_lite
from course_lib.networks.efficientnet_lite import EfficientNetLite0
from course_lib.networks.fast_layers import ReLU6, depthwise_16


def test_relu6_has_torchs_values_and_slopes_to_the_bit() -> None:
    edges = torch.tensor([-1.0, -0.0, 0.0, 1e-38, 3.0, 6.0, 6.1, torch.inf, torch.nan])
    x = torch.cat([edges, 8 * torch.randn(100, generator=torch.Generator().manual_seed(0))])
    found = []
    for layer in (ReLU6(), nn.ReLU6(inplace=True)):
        start = x.clone().requires_grad_()
        result = layer(start * 1)
        result.backward(torch.arange(1.0, 1 + len(x)))
        found.append((result, start.grad))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0, equal_nan=True)


def test_relu6_keeps_one_tensor_for_the_way_back() -> None:
    kept: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.data_ptr())
        return tensor

    x = torch.randn(8, requires_grad=True) + 1
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = ReLU6()(x)
    assert set(kept) == {result.data_ptr()} == {x.data_ptr()}


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (5, 1, 2), (3, 2, 0), (5, 2, 0)])
def test_a_depthwise_convolution_in_16_bits_is_near_the_one_in_32(kernel: int, stride: int, padding: int) -> None:
    random = torch.Generator().manual_seed(0)
    images, weight = torch.randn(2, 6, 11, 11, generator=random), torch.randn(6, 1, kernel, kernel, generator=random)
    found = []
    for sixteen in (True, False):
        x, w = images.clone().requires_grad_(), weight.clone().requires_grad_()
        if sixteen:
            result = depthwise_16(x.bfloat16(), w, stride, padding)
            assert result.dtype == torch.bfloat16
        else:
            result = F.conv2d(x, w, None, stride, padding, 1, 6)
        result.float().square().sum().backward()  # type: ignore[no-untyped-call]
        found.append((result.float(), x.grad, w.grad))
    for in_16, in_32 in zip(*found, strict=True):
        assert in_16 is not None
        assert in_32 is not None
        assert (in_16 - in_32).norm() < 0.01 * in_32.norm()


@pytest.mark.parametrize("frozen", ["images", "weight"])
def test_what_is_frozen_gets_no_gradient(frozen: str) -> None:
    images = torch.randn(1, 2, 5, 5, dtype=torch.bfloat16, requires_grad=frozen != "images")
    weight = torch.randn(2, 1, 3, 3, requires_grad=frozen != "weight")
    depthwise_16(images, weight, 1, 1).sum().backward()  # type: ignore[no-untyped-call]
    assert (images.grad is None, weight.grad is None) == (frozen == "images", frozen == "weight")


def test_the_depthwise_weights_of_the_network_get_torchs_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels: list[int] = []  # of the convolutions that take this way

    def torchs(images: torch.Tensor, weight: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        kernels.append(weight.shape[-1])
        return F.conv2d(images, weight, None, stride, padding, 1, len(weight))

    torch.manual_seed(0)
    model, images, found = EfficientNetLite0(2).eval(), torch.rand(2, 3, 64, 64), []
    for way in (depthwise_16, torchs):
        monkeypatch.setattr(efficientnet_lite, "depthwise_16", way)
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(images)
        F.cross_entropy(logits.float(), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]
        found.append([p.grad for name, p in model.named_parameters() if "depthwise.0" in name])
    assert kernels == [stage.kernel for stage in efficientnet_lite.STAGES for _ in range(stage.blocks)]
    for ours, theirs in zip(*found, strict=True):
        assert ours is not None
        assert theirs is not None
        assert (ours - theirs).norm() < 0.1 * theirs.norm()
