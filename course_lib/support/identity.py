"""What decides how an object behaves, as one digest: the same in every process, another one when the behaviour changes.

A digest of an object's ``repr`` guesses: it holds addresses, and it does not show what a function calculates. Here an
object is what it holds and the code that it runs, as far as that code is not the course's or a library's. Where a file
lies, on which line something stands, and what comments and docstrings say play no part.
"""

import builtins
import copyreg
import dis
import hashlib
import random
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path, PurePath
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import Any

import numpy as np

PLAIN = (NoneType, bool, int, float, complex, str, bytes, type(...))
DRAWING = (random.Random, np.random.Generator, np.random.BitGenerator, np.random.RandomState)
LIBRARY_FOLDERS = {"site-packages", "dist-packages"}
THE_COURSE = Path(__file__).parents[1]
LIBRARIES = (THE_COURSE, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")))
ANY_NUMBER = 0x04 | 0x08  #: of a code's flags, those that say whether it takes *args and **kwargs
MAKING = {"__init__", "__new__", "__post_init__"}  #: of an object that is made, what they have set counts instead
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def fingerprint(value: object) -> str:
    """The digest of everything that decides how the value behaves, 64 hexadecimal digits.

    Numbers, texts, paths, arrays and tensors count by their content, dicts and sequences in their order. A function is
    its code, its defaults, and the values outside it that it uses, which are followed in turn; a class is its methods
    and attributes and those of its bases; another object is its class and what pickle would keep of it. Of what comes
    with the course, with Python or from a package, functions and classes count by their names, not by their versions.
    What draws random numbers, and what can not be pickled, an open file for example, counts by its class alone. An
    attribute that begins with an underscore, in an object of a user's class, does not count: it is only a store.

    Raises:
        ValueError: so many functions or objects lead from one to the next that they can not be followed.
    """
    return _digest(value, weights=True)


def fingerprint_of_network(network: object) -> str:
    """The digest of what a torch network calculates, apart from the numbers that it learns.

    Its layers in order, their code, settings and hooks, and the shapes and types of their parameters and buffers. Not
    their values, not which of them learn, and not whether the network is in training mode. Tensors that the last call
    has left, in an attribute or in what a hook fills, do not count; attributes with an underscore as in `fingerprint`.

    Raises:
        ValueError: as in `fingerprint`.
    """
    return _digest(network, weights=False)


def _digest(value: object, *, weights: bool) -> str:
    try:
        return _Reader(weights=weights).digest_of(value).hex()
    except RecursionError as error:
        raise ValueError(
            f"What decides how this {type(value).__name__} behaves can not be told: it is a chain of functions or "
            "objects that is too long to follow. Let fewer of them lead from one to the next; of a training, leave out "
            "the checkpoint."
        ) from error


class _Reader:
    """Goes through an object and what it refers to. Each is looked at once; one inside itself is a number."""

    def __init__(self, *, weights: bool) -> None:
        self.weights = weights
        self._open: list[tuple[int, bool]] = []  #: what is being looked at, the outermost first
        self._known: dict[tuple[int, bool], tuple[object, bytes]] = {}  #: with the object, so that its id stays its own

    def digest_of(self, value: object, *, made: bool = True) -> bytes:
        """``made`` is False for the class of an object that exists already: how it makes others does not count then."""
        if type(value) in PLAIN:
            return _hash((type(value).__name__, hex(value) if type(value) is int else repr(value)))
        key = id(value), made
        if key in self._open:
            return _hash(("a circle", len(self._open) - self._open.index(key)))
        if key not in self._known:
            self._open.append(key)
            try:
                self._known[key] = value, _hash(self._describe(value, made))
            finally:
                self._open.pop()
        return self._known[key][1]

    def _describe(self, value: Any, made: bool) -> tuple[object, ...]:
        """The value in nested tuples of texts, numbers and digests."""
        torch = sys.modules.get("torch")
        if isinstance(value, type):
            return self._describe_class(value, made)
        if isinstance(value, FunctionType):
            return self._describe_function(value)
        if isinstance(value, CodeType):
            return self._describe_code(value)
        if torch and isinstance(value, torch.Tensor):
            return self._describe_tensor(value)
        if torch and isinstance(value, torch.nn.Module):
            original = getattr(value, "_orig_mod", value)  # torch.compile changes how, not what is calculated
            return self._describe_network(original, set(vars(torch.nn.Module())))
        if type(value) is np.ndarray or isinstance(value, np.generic):
            return self._describe_array(np.asarray(value))
        if isinstance(value, DRAWING) or (torch and isinstance(value, torch.Generator)):
            return ("draws random numbers", self.digest_of(type(value), made=False))
        return self._describe_container(value) or self._describe_object(value)

    def _describe_container(self, value: Any) -> tuple[object, ...]:
        """What holds other things and has no more to it; empty for anything else."""
        kind = type(value).__name__
        if type(value) in (list, tuple):
            return (kind, *(self.digest_of(part) for _, part in self._lasting(enumerate(value))))
        if isinstance(value, (set, frozenset)):
            return (kind, *sorted(map(self.digest_of, value)))
        if type(value) in (dict, MappingProxyType):
            return ("dict", *self._pairs(self._lasting(value.items())))
        if isinstance(value, Enum):
            return (kind, value.name, self.digest_of(value.value))
        if isinstance(value, PurePath):
            return ("path", value.as_posix())
        if isinstance(value, ModuleType):
            return ("module", value.__name__)
        if isinstance(value, MethodType):
            return (kind, self.digest_of(value.__func__), self.digest_of(value.__self__))
        if isinstance(value, (staticmethod, classmethod)):
            return (kind, self.digest_of(value.__func__))
        if isinstance(value, property):
            return (kind, *map(self.digest_of, (value.fget, value.fset, value.fdel)))
        return ()

    def _describe_object(self, value: Any) -> tuple[object, ...]:
        """Its class and what pickle would keep of it."""
        kind = self.digest_of(type(value), made=False)
        reduce: Any = copyreg.dispatch_table.get(type(value), lambda v: v.__reduce_ex__(4))
        try:
            reduced = reduce(value)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  # whatever its class objects with, there is no more to be learned of it
            return ("object", kind)
        if isinstance(reduced, str):  # the name that it is known by; what it wraps may be the user's
            return ("named", kind, reduced, self.digest_of(getattr(value, "__wrapped__", None)))
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        parts = [part for part in (make, *arguments) if part is not type(value)]
        return (
            "object",
            kind,
            tuple(map(self.digest_of, parts)),
            self._state(state, stores=_is_library(type(value).__module__)),
            tuple(map(self.digest_of, items or ())),
            self._pairs(pairs or ()),
        )

    def _describe_class(self, value: type, made: bool) -> tuple[object, ...]:
        if _is_library(value.__module__):
            return ("class", value.__module__, value.__qualname__)
        attributes = {
            name: part
            for name, part in vars(value).items()
            if not (name in MAKING and not made) and name != "_abc_impl" and (_is_code(part) or not _is_dunder(name))
        }
        bases = tuple(self.digest_of(base, made=made) for base in value.__bases__)
        return ("class", value.__qualname__, bases, self._state(attributes))

    def _describe_function(self, value: FunctionType) -> tuple[object, ...]:
        code = value.__code__
        around = tuple(
            (name, self._inside(cell, made=name != "__class__"))
            for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True)
        )
        if _is_library(value.__globals__.get("__name__")):
            return ("function", value.__module__, value.__qualname__, around)
        used = tuple((name, self._outside(name, code, value.__globals__)) for name in sorted(_globals_of(code)))
        rest = (value.__defaults__, value.__kwdefaults__, value.__dict__)
        return ("function", self.digest_of(code), around, used, tuple(map(self.digest_of, rest)))

    def _inside(self, cell: CellType, made: bool) -> object:
        try:
            return self.digest_of(cell.cell_contents, made=made)
        except ValueError:
            return "empty"

    def _outside(self, name: str, code: CodeType, namespace: dict[str, Any]) -> object:
        """What a name stands for where a function was defined; of a user's module, the parts that the code names."""
        if name in namespace:
            return self._used_of(namespace[name], set(_names_of(code)))
        return "built in" if hasattr(builtins, name) else "nowhere"

    def _used_of(self, value: object, names: set[str]) -> object:
        if not isinstance(value, ModuleType) or _is_library(value.__name__):
            return self.digest_of(value)
        there = sorted(name for name in names if name in vars(value))
        return tuple((name, self._used_of(vars(value)[name], names - {name})) for name in there)

    def _describe_code(self, code: CodeType) -> tuple[object, ...]:
        steps = [(step.opname, self.digest_of(step.argval)) for step in _steps(code)]
        takes = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ANY_NUMBER
        return ("code", takes, code.co_varnames[: sum(takes[::2])], tuple(steps), code.co_exceptiontable)

    def _describe_array(self, value: np.ndarray[Any, Any]) -> tuple[object, ...]:
        form = "array", str(value.dtype), value.shape
        if value.dtype.hasobject:
            return (*form, *map(self.digest_of, value.flat))
        return (*form, hashlib.sha256(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data).digest())

    def _describe_tensor(self, value: Any) -> tuple[object, ...]:
        torch = sys.modules["torch"]
        if not self.weights and _is_left_by_a_call(value):
            return ("left by a call",)
        form = type(value).__qualname__, str(value.dtype), str(value.layout), tuple(value.shape)
        learned = isinstance(value, torch.nn.Parameter) and not self.weights
        if learned or value.is_meta:
            return form
        plain = value.detach().as_subclass(torch.Tensor).cpu()
        plain = (plain if value.layout is torch.strided else plain.to_dense()).resolve_conj().resolve_neg()
        in_order = plain.flatten().clone(memory_format=torch.contiguous_format)
        return (*form, self.digest_of(in_order.view(torch.uint8).numpy()))

    def _describe_network(self, value: Any, internal: set[str]) -> tuple[object, ...]:
        """A module of torch. ``internal`` are the attributes that every module has."""
        own = {
            name: part for name, part in vars(value).items() if name not in internal and not _is_left_by_a_call(part)
        }
        tensors = [*value._parameters.items(), *value._buffers.items()]
        return (
            "network",
            self.digest_of(type(value), made=False),
            self._state(own, stores=_is_library(type(value).__module__)),
            tuple((name, self.digest_of(layer)) for name, layer in value._modules.items()),
            tuple((name, self._weight(tensor)) for name, tensor in tensors),
            tuple(tuple(map(self.digest_of, getattr(value, hooks, {}).values())) for hooks in HOOKS),
        )

    def _weight(self, tensor: Any) -> object:
        if tensor is None or self.weights:
            return self.digest_of(tensor)
        return (str(tensor.dtype), tuple(tensor.shape))

    def _lasting(self, parts: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """What a network's calls have not put into a list or dict; beside one tensor that they left, none counts."""
        pairs = list(parts)
        if self.weights or not any(_is_left_by_a_call(part) for _, part in pairs):
            return pairs
        return [pair for pair in pairs if not isinstance(pair[1], sys.modules["torch"].Tensor)]

    def _state(self, state: Any, *, stores: bool = True) -> object:
        """Attributes by name; a pair of those in ``__dict__`` and those in slots; or whatever a class keeps instead.

        ``stores`` says whether attributes count that begin with an underscore.
        """
        if isinstance(state, dict) and all(isinstance(name, str) for name in state):
            names = [name for name in sorted(state) if stores or _is_dunder(name) or not name.startswith("_")]
            return tuple((name, self.digest_of(state[name])) for name in names if name != "__doc__")
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            return tuple(self._state(part, stores=stores) for part in state)
        return self.digest_of(state)

    def _pairs(self, pairs: Iterable[tuple[object, object]]) -> tuple[object, ...]:
        return tuple((self.digest_of(name), self.digest_of(value)) for name, value in pairs)


def _hash(description: object) -> bytes:
    return hashlib.sha256(repr(description).encode()).digest()


def _is_library(module: str | None) -> bool:
    """Whether code of this module comes with the course, Python or a package, so that its name says what it does."""
    if module is None:
        return True
    top, file = module.partition(".")[0], getattr(sys.modules.get(module), "__file__", None)
    if top == "__main__":  # a notebook, or the program that was started
        return False
    if file is None:  # built in; or made while a program runs
        return top in sys.stdlib_module_names
    path = Path(file)
    return bool(LIBRARY_FOLDERS & set(path.parts)) or any(path.is_relative_to(folder) for folder in LIBRARIES)


def _is_code(value: object) -> bool:
    return isinstance(value, (FunctionType, BuiltinFunctionType, staticmethod, classmethod, property))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_left_by_a_call(value: Any) -> bool:
    """Whether this is a tensor that a network has calculated and kept, to look at its maps for example."""
    torch = sys.modules.get("torch")
    is_tensor = torch is not None and isinstance(value, torch.Tensor)
    return is_tensor and (value.grad_fn is not None or value.is_inference())


def _steps(code: CodeType) -> Iterator[dis.Instruction]:
    return (step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG")


def _inner(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions that it defines."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _inner(constant)


def _globals_of(code: CodeType) -> set[str]:
    """The names that a function looks up outside itself."""
    steps = (step for part in _inner(code) for step in _steps(part))
    return {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def _names_of(code: CodeType) -> Iterator[str]:
    for part in _inner(code):
        yield from part.co_names
