"""A network's stages, from the input to the head: which of them learn, and which stay as they are."""

from collections.abc import Iterator

from torch import nn

from course_lib.networks.modes import BatchNorm

AUXILIARY_HEAD = "AuxLogits"  #: Inception's second head, which helps in training only

_Pooling = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


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


def pieces(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The model's children, and instead of ``features``, what these consist of."""
    for name, child in model.named_children():
        if name == "features":
            yield from ((f"{name}.{inner}", layer) for inner, layer in child.named_children())
        else:
            yield name, child


def _is_norm(layer: nn.Module) -> bool:
    return isinstance(layer, (BatchNorm, nn.LayerNorm, nn.GroupNorm))


def _holds_parameters(layers: list[nn.Module]) -> bool:
    return any(True for layer in layers for _ in layer.parameters())
