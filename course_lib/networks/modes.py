"""Training mode and evaluation mode, what batch norm makes of them, and whether a network takes volumes."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

BatchNorm = nn.modules.batchnorm._BatchNorm  #: of one, two or three dimensions


def begin_training(model: nn.Module) -> None:
    """Put the model into training mode, apart from batch norms whose parameters are all frozen.

    In training mode a batch norm goes by the batch before it and changes its running mean and variance, frozen or
    not. In evaluation mode it does neither, so that a frozen network stays as it is, to the last bit.
    """
    model.train()
    for layer in model.modules():
        if _is_frozen_batch_norm(layer):
            layer.eval()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode inside the block; afterwards each layer is in the mode it was in."""
    before = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for layer, was_training in before:
            layer.training = was_training


def needs_batches(model: nn.Module) -> bool:
    """Whether a batch norm goes by the batch in training, so that it needs two images at least."""
    return any(isinstance(layer, BatchNorm) and not _is_frozen_batch_norm(layer) for layer in model.modules())


def takes_volumes(model: nn.Module) -> bool:
    """Whether it has a convolution in three dimensions."""
    return any(parameter.ndim == 5 for parameter in model.parameters())


def _is_frozen_batch_norm(layer: nn.Module) -> bool:
    return isinstance(layer, BatchNorm) and layer.affine and not any(p.requires_grad for p in layer.parameters())
