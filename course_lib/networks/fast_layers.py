"""Two layers that a processor trains faster than torch's own: ReLU6, and a depthwise convolution in 16 bits.

ReLU6 gives what torch's gives to the bit, the convolution to rounding.
"""

from typing import Any

import torch
from torch import nn


class ReLU6(nn.Module):
    """Everything below 0 becomes 0, everything above 6 becomes 6, in place.

    ``nn.ReLU6(inplace=True)`` copies its input for the way back, although the output tells just as well where the
    slope is 1: strictly between 0 and 6. As on every module that works in place, a full backward hook on it raises an
    error: hook the block around it instead.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = _ReLU6.apply(x) if torch.is_grad_enabled() else x.clamp_(0, 6)
        return result


def depthwise_16(images: torch.Tensor, weight: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
    """A depthwise convolution of bfloat16 images with float32 weights; its gradients are torch's, to rounding.

    The images' gradient is computed in bfloat16 for a stride of 1 and in float32 for a stride of 2, the weights' always
    in float32. In bfloat16 these were measured up to 20 times slower than in float32, on one processor.
    """
    result: torch.Tensor = _Depthwise16.apply(images, weight, stride, padding)
    return result


class _ReLU6(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.mark_dirty(x)
        ctx.save_for_backward(x.clamp_(0, 6))
        return x

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (result,) = ctx.saved_tensors
        passed: torch.Tensor = torch.ops.aten.hardtanh_backward(gradient, result, 0, 6)
        return passed


class _Depthwise16(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, weight: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        ctx.save_for_backward(images, weight)
        ctx.shape = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight))  # as the way back wants it
        return torch.conv2d(images, weight.to(images.dtype), None, stride, padding, 1, len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        of_images, of_weight = ctx.needs_input_grad[:2]
        in_16 = of_images and ctx.shape[0] == [1, 1]
        in_32 = [of_images and not in_16, of_weight, False]
        back = torch.ops.aten.convolution_backward
        to_images, to_weight, _ = back(gradient.float(), images.float(), weight, None, *ctx.shape, in_32)
        if in_16:
            to_images = back(gradient, images, weight.to(images.dtype), None, *ctx.shape, [True, False, False])[0]
        return None if to_images is None else to_images.to(images.dtype), to_weight, None, None
