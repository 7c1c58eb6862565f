"""What a network looked at: maps of one number per pixel.

Each map is [images, height, width], as large as the images, and comes as it is: no map is stretched to its own range,
which would make weak and strong evidence look alike. All of them explain a logit, the number before the softmax.
"""

import copy

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion
from numpy.typing import NDArray
from torch import nn

from course_lib.networks.freezing import stages
from course_lib.networks.modes import evaluating
from course_lib.support.runtime import seeded

Maps = NDArray[np.float32]
Masks = NDArray[np.bool_]


def grad_cam(model: nn.Module, layer: nn.Module, images: torch.Tensor, target: int) -> Maps:
    """The layer's feature maps, each weighted by the mean gradient of the target's logit, added up, below zero cut off.

    Takes float [images, channels, height, width]; gives float32 [images, height, width], from 0 on, enlarged without
    steps from the layer's own size. `layer_to_explain` knows a layer that will do.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391. captum's default is without the cut at zero.
    """
    with evaluating(model):
        inputs = images.detach().clone().requires_grad_()
        coarse = LayerGradCam(model, layer).attribute(inputs, target, relu_attributions=True)
        maps = LayerAttribution.interpolate(coarse.detach(), tuple(images.shape[2:]), "bilinear")
    return _as_array(maps[:, 0])


def occlusion(
    model: nn.Module, images: torch.Tensor, target: int, *, patch: int = 16, stride: int = 8, fill: float = 0.0
) -> Maps:
    """How far the target's logit falls while a square patch of ``patch`` pixels is covered with the value ``fill``.

    Takes float [images, channels, height, width]; gives float32 [images, height, width]. A pixel that several patches
    covered has the mean of their falls; below zero, the logit rose. ``fill`` is in the units of the images, where 0 is
    usually the mean grey.

    Raises:
        ValueError: the patch is larger than the images, or the stride than the patch: pixels would be left out.

    Source: M. D. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, section 4.2.
    """
    if not 1 <= stride <= patch <= min(images.shape[2:]):
        raise ValueError(
            f"Expected 1 <= stride <= patch <= {min(images.shape[2:])}, the side of the images, "
            f"but got the stride {stride} and the patch {patch}."
        )
    channels = images.shape[1]
    with evaluating(model), torch.no_grad():
        falls = Occlusion(model).attribute(
            images, (channels, patch, patch), strides=(channels, stride, stride), baselines=fill, target=target
        )
    return _as_array(falls[:, 0])  # a patch covers all channels at once, so all have the same fall


def integrated_gradients(
    model: nn.Module, images: torch.Tensor, target: int, *, baseline: float = 0.0, steps: int = 32
) -> Maps:
    """What each pixel adds to the target's logit on the straight way from an even image to this one.

    Takes float [images, channels, height, width]; gives float32 [images, height, width], the channels added up. The sum
    over a map is the logit of the image minus that of the even image, up to the error of so many ``steps``.

    Source: Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017, arXiv:1703.01365.
    """
    with evaluating(model):
        parts = IntegratedGradients(model).attribute(
            images, baselines=baseline, target=target, n_steps=steps, internal_batch_size=max(64, len(images))
        )
    return _as_array(parts.sum(dim=1))


def randomised(model: nn.Module, *, last: int, seed: int = 0) -> nn.Module:
    """A copy whose ``last`` stages, counted from the head, have random weights again, as before any training.

    A map that does not change with it does not show what the network has learned.

    Raises:
        ValueError: the model has not so many stages.

    Source: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292.
    """
    forgetful = copy.deepcopy(model)
    parts = stages(forgetful)
    if not 0 <= last <= len(parts):
        raise ValueError(f"last must be from 0 to {len(parts)}, the number of stages, but is {last}.")
    with seeded(seed):
        for _, part in parts[len(parts) - last :]:
            for layer in part.modules():
                if callable(reset := getattr(layer, "reset_parameters", None)):
                    reset()
    return forgetful


def _as_array(maps: torch.Tensor) -> Maps:
    array: Maps = maps.detach().float().cpu().numpy()
    return array
