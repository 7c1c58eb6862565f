"""Which layer a Grad-CAM map is made of."""

import itertools

import torch
from torch import nn

from course_lib.networks.backbones import grad_cam_layer
from course_lib.networks.freezing import pieces
from course_lib.networks.modes import evaluating
from course_lib.networks.net import Net

LEAST_PLACES = 4  #: per side of a Grad-CAM map; fewer say hardly where anything is


def layer_to_explain(model: nn.Module, size: int) -> nn.Module:
    """The layer for a Grad-CAM map of images of ``size`` px: the latest whose map has 4 x 4 places at least.

    The model's usual layer where that will do, and where no layer will.
    """
    if isinstance(model, Net):
        return model.get_submodule("features.10")  # the last ReLU; after it, the pooling halves the map
    usual, seen = grad_cam_layer(model), list[tuple[nn.Module, torch.Size]]()
    layers = dict.fromkeys([*(layer for _, layer in pieces(model)), usual])
    hooks = [layer.register_forward_hook(lambda layer, _, out: seen.append((layer, out.shape))) for layer in layers]
    try:
        with evaluating(model), torch.no_grad():
            model(torch.zeros(1, 3, size, size, device=next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    before_usual = itertools.takewhile(lambda one: one[0] is not usual, seen)
    wide = [layer for layer, shape in before_usual if len(shape) == 4 and min(shape[2:]) >= LEAST_PLACES]
    shape_of_usual = next(shape for layer, shape in seen if layer is usual)
    return usual if min(shape_of_usual[2:]) >= LEAST_PLACES or not wide else wide[-1]
