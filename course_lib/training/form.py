"""Whether something that was read has the form of what it shall take the place of."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn.parameter import is_lazy


def difference_in_form(wanted: Any, found: Any, name: str = "") -> str:
    """The first place where the two are not built alike, in words; empty if there is none.

    Alike are mappings with the same keys, sequences of the same length, tensors of the same shape and type of numbers,
    and plain values of one kind, in all that they hold.
    """
    if isinstance(wanted, torch.Tensor):
        return _between_tensors(wanted, found, name)
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return _between_mappings(wanted, found, name)
    if type(wanted) in (list, tuple) and type(found) is type(wanted) and len(wanted) == len(found):
        inside = (difference_in_form(*pair, f"{name}[{i}]") for i, pair in enumerate(zip(wanted, found, strict=True)))
        return next(filter(None, inside), "")
    if _kind(wanted) != _kind(found):
        return f"{name} is {_kind(found)}, expected {_kind(wanted)}"
    return ""


def _between_tensors(wanted: torch.Tensor, found: object, name: str) -> str:
    if not isinstance(found, torch.Tensor):
        return f"{name} is {_kind(found)}, expected a tensor"
    if is_lazy(wanted) or (wanted.shape == found.shape and wanted.dtype == found.dtype):
        return ""
    there, here = (f"{str(t.dtype).removeprefix('torch.')} of shape {list(t.shape)}" for t in (found, wanted))
    return f"{name} is {there}, expected {here}"


def _between_mappings(wanted: Mapping[Any, Any], found: Mapping[Any, Any], name: str) -> str:
    place = f" in {name}" if name else ""
    for holder, other, words in ((wanted, found, "is missing"), (found, wanted, "is not expected")):
        if lacking := [str(key) for key in holder if key not in other]:
            return f"{lacking[0]} {words}{place}" + (f", and {len(lacking) - 1} more" if len(lacking) > 1 else "")
    inside = (difference_in_form(wanted[key], found[key], f"{name}.{key}" if name else str(key)) for key in wanted)
    return next(filter(None, inside), "")


def _kind(value: object) -> str:
    """What a value is, for a message; a number is a number, whole or not."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "a number"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return "nothing" if value is None else f"a {type(value).__name__}"
