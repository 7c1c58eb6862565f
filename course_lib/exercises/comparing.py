"""Compares what an answer gave with what it should have given, and puts both into words."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

MAX_ITEMS = 8
MAX_NUMBERS = 36  #: of an array or tensor; a larger one is shown as its shape
MAX_NUMBERS_INSIDE = 6  #: the same where it stands inside a list
MAX_NUMBERS_DEEP = 18  #: the same with three axes
MAX_CHARACTERS = 200


@dataclass(frozen=True)
class Raised:
    """An answer that ended with an exception."""

    kind: str
    text: str
    line: str = ""  #: of the learner's code

    def __str__(self) -> str:
        return self.kind + (f": {self.text}" if self.text else "") + (f", in the line {self.line}" if self.line else "")


@dataclass(frozen=True)
class Difference:
    """The first thing in which an answer is not as expected."""

    part: str  #: what was looked at; empty where the answer has one part only
    expected: str
    came: str


def difference(expected: object, came: object) -> Difference | None:
    """The first difference, or None if both are the same up to rounding.

    Types count, so that ``4.0`` is not ``4``; NaN is the same as NaN.
    """
    if type(expected) is dict and isinstance(came, Raised):
        parts = [f"{part}: {shown(value, 1)}" for part, value in expected.items()]
        return Difference("", ", ".join(parts), shown(came))
    if type(expected) is dict and type(came) is dict:
        for part in [*expected, *(key for key in came if key not in expected)]:
            if part not in expected or part not in came or not same(expected[part], came[part]):
                pair = (shown(values[part]) if part in values else "nothing" for values in (expected, came))
                return Difference(str(part), *pair)
        return None
    return None if same(expected, came) else Difference("", shown(expected), shown(came))


def same(expected: object, came: object) -> bool:
    """Whether an answer is as expected. It looks at the answer's real type first: an object can not pretend."""
    kind = type(came)
    if isinstance(expected, Raised):
        return isinstance(came, Raised) and came.kind == expected.kind
    if isinstance(expected, bool):
        return issubclass(kind, bool | np.bool_) and bool(came) is expected
    if isinstance(expected, int):
        return (kind is int or issubclass(kind, np.integer)) and came == expected
    if isinstance(expected, float):
        return (kind in (int, float) or issubclass(kind, np.floating)) and _close(expected, came)
    if isinstance(expected, np.ndarray):
        return kind is np.ndarray and _same_arrays(expected, came)
    if isinstance(expected, torch.Tensor):
        return issubclass(kind, torch.Tensor) and _same_tensors(expected, came)
    if isinstance(expected, list | tuple):
        return kind in (list, tuple) and _same_items(expected, came)
    if isinstance(expected, dict):
        return kind is dict and difference(expected, came) is None
    return kind is type(expected) and bool(came == expected)


def only_of_another_kind(expected: object, came: object) -> str:
    """What to tell where the value is right and its type is not; nothing where more is wrong."""
    if type(came) is tuple and len(came) == 1:
        found = only_of_another_kind(expected, came[0]) or same(expected, came[0])
        return "The values stand in a tuple, as from np.where: take its [0]." if found else ""
    if isinstance(expected, list) and type(came) is np.ndarray and same(expected, came.tolist()):
        return "The values are right, but a list is asked for: .tolist() makes one."
    if type(expected) is int and isinstance(came, float | np.floating) and came == expected:
        return "The number is right, but a whole number is asked for: int() makes one."
    return ""


def shown(value: object, depth: int = 0) -> str:
    """The value in a few words: numbers with six digits, large tensors as their shape. Same value, same words."""
    kind = type(value)
    if kind is Raised:
        return str(value)
    if kind is float or issubclass(kind, np.floating):
        return f"{float(value):.6g}" if value % 1 else f"{float(value):.1f}"  # type: ignore[operator, arg-type]
    if issubclass(kind, torch.Tensor | np.ndarray):
        return _shown_numbers(value, whole=depth == 0)
    if kind in (list, tuple) and depth < 4:
        items = [shown(item, depth + 1) for item in value[:MAX_ITEMS]]  # type: ignore[index]
        items += ["…"] if len(value) > MAX_ITEMS else []  # type: ignore[arg-type]
        return f"[{', '.join(items)}]" if kind is list else f"({', '.join(items)}{',' * (len(items) == 1)})"
    if issubclass(kind, nn.Module):
        layers = list(value.children()) or [value]  # type: ignore[attr-defined]
        return f"a network ({', '.join(type(layer).__name__ for layer in layers[:MAX_ITEMS])})"
    if issubclass(kind, torch.optim.Optimizer):
        return f"{kind.__name__} with learning rate {value.param_groups[0]['lr']:g}"  # type: ignore[attr-defined]
    if callable(value):
        return str(getattr(value, "__name__", kind.__name__))
    if issubclass(kind, np.generic):
        value = value.item()  # type: ignore[attr-defined]
    words = repr(value) if kind.__repr__ is not object.__repr__ else f"an object of type {kind.__name__}"
    return words if len(words) <= MAX_CHARACTERS else words[:MAX_CHARACTERS] + " …"


def _close(expected: float, came: object) -> bool:
    number = float(came)  # type: ignore[arg-type]
    return math.isclose(expected, number, rel_tol=1e-4, abs_tol=1e-6) or (math.isnan(expected) and math.isnan(number))


def _same_arrays(expected: np.ndarray, came: object) -> bool:
    assert isinstance(came, np.ndarray)  # for mypy
    if came.shape != expected.shape or (came.dtype.kind in "iu") != (expected.dtype.kind in "iu"):
        return False
    return came.dtype.kind in "biuf" and bool(np.allclose(came, expected, rtol=1e-4, atol=1e-6, equal_nan=True))


def _same_tensors(expected: torch.Tensor, came: object) -> bool:
    assert isinstance(came, torch.Tensor)  # for mypy
    if came.shape != expected.shape or came.is_floating_point() != expected.is_floating_point() or came.is_complex():
        return False
    return torch.allclose(came.detach().to(expected), expected.detach(), rtol=1e-4, atol=1e-6)


def _same_items(expected: list[object] | tuple[object, ...], came: object) -> bool:
    assert isinstance(came, list | tuple)  # for mypy
    return len(came) == len(expected) and all(map(same, expected, came))


def _shown_numbers(numbers: object, *, whole: bool) -> str:
    """An array or tensor; all its numbers if they are few and it does not stand inside something larger."""
    assert isinstance(numbers, torch.Tensor | np.ndarray)  # for mypy
    kind, shape = "tensor" if isinstance(numbers, torch.Tensor) else "array", list(numbers.shape)
    most = (MAX_NUMBERS if len(shape) < 3 else MAX_NUMBERS_DEEP) if whole else MAX_NUMBERS_INSIDE
    if len(shape) > 3 or not 0 < math.prod(shape) <= most:
        return f"{kind} of shape {shape}"
    cut = f", shape {shape}" if max(shape, default=0) > MAX_ITEMS else ""
    return f"{kind}({shown(numbers.tolist())}{cut})"
