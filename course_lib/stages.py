"""A network's stages, from the input to the head: which of them learn, and which stay as they are."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

AUXILIARY_HEAD = "AuxLogits"  #: Inception's second head, which helps in training only

_Pooling = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
_BatchNorm = nn.modules.batchnorm._BatchNorm


def stages(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a network that hold parameters, in order, from the input to the head, each with its name.

    A block of layers is a stage (``layer1`` of a ResNet, ``features.3`` of an EfficientNet, ``classifier``). Single
    layers in a row are one stage up to the next pooling; a linear layer is always a stage of its own. The first
    layers of a network, if they are single, are called ``stem``.

    The grouping is by registration order, which in torchvision's networks and in `Net` is the order of computation.
    """
    found: list[tuple[str, list[nn.Module]]] = []
    auxiliary: list[nn.Module] = []
    is_open = False  # may the next single layer join the last stage?
    for name, layer in pieces(model):
        if name == AUXILIARY_HEAD:
            auxiliary.append(layer)
            continue
        is_block, learns = any(True for _ in layer.children()), any(True for _ in layer.parameters())
        starts = is_block or isinstance(layer, nn.Linear) or (learns and not is_open and not _is_norm(layer))
        if not found or (starts and _holds_parameters(found[-1][1])):
            found.append((name if is_block or found else "stem", []))
        found[-1][1].append(layer)
        is_open = not is_block and not isinstance(layer, _Pooling)
    if found:
        found[-1][1].extend(auxiliary)
    return [(name, layers[0] if len(layers) == 1 else nn.ModuleList(layers)) for name, layers in found]


def freeze(model: nn.Module, *, except_for: nn.Module | None = None) -> None:
    """Let training leave the model as it is, apart from one part, its head for example.

    A batch norm whose parameters are all frozen keeps its running mean and variance too, see `begin_training`.
    """
    model.requires_grad_(False)
    if except_for is not None:
        except_for.requires_grad_(True)


def unfreeze(model: nn.Module, *, last: int) -> list[str]:
    """Let the ``last`` stages learn, counted from the head, and leave the others as they are; gives their names.

    Raises:
        ValueError: the model has not so many stages.
    """
    parts = stages(model)
    if not 1 <= last <= len(parts):
        raise ValueError(
            f"last must be from 1 to {len(parts)}, the number of stages ({', '.join(name for name, _ in parts)}), "
            f"but is {last}."
        )
    for _, part in parts[-last:]:
        part.requires_grad_(True)
    return [name for name, _ in parts[-last:]]


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
    return any(isinstance(layer, _BatchNorm) and not _is_frozen_batch_norm(layer) for layer in model.modules())


def pieces(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The model's children, and instead of ``features``, what these consist of."""
    for name, child in model.named_children():
        if name == "features":
            yield from ((f"{name}.{inner}", layer) for inner, layer in child.named_children())
        else:
            yield name, child


def _is_frozen_batch_norm(layer: nn.Module) -> bool:
    return isinstance(layer, _BatchNorm) and layer.affine and not any(p.requires_grad for p in layer.parameters())


def _is_norm(layer: nn.Module) -> bool:
    return isinstance(layer, (_BatchNorm, nn.LayerNorm, nn.GroupNorm))


def _holds_parameters(layers: list[nn.Module]) -> bool:
    return any(True for layer in layers for _ in layer.parameters())
