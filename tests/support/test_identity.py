"""The digest of what decides how an object behaves: another one for every change, the same one in every process."""

import functools
import os
import random
import re
import subprocess
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

from course_lib.data.transforms import Preprocessing
from course_lib.networks.backbones import build_backbone
from course_lib.networks.net import Net
from course_lib.support.identity import fingerprint, fingerprint_of_network
from course_lib.support.runtime import COURSE_ROOT

SEEDS = ("1", "2")  #: of the hashes of texts, which decide the order in a set

PROGRAM = """
import functools, sys, types
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from course_lib.support.identity import fingerprint, fingerprint_of_network

helpers = types.ModuleType("learners_helpers")
exec(compile("STRENGTH = 1.0\\ndef scale(x): return STRENGTH * x\\n", "helpers.py", "exec"), vars(helpers))
sys.modules["learners_helpers"] = helpers
LEVEL = 0.5
NAMES = {"edge", "middle", "corner", "rim"}

def brighter(x):
    return x + LEVEL

def steps(strength):
    def change(x):
        return brighter(x) * strength
    return change

class Step:
    limit = 3
    def __init__(self, strength):
        self.strength = strength
    def __call__(self, x):
        return min(self.limit, self.strength * x)

class Answer(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(p))
        self.head = nn.Linear(4, 2)
    def forward(self, x):
        return self.head(F.relu(self.features(x)).mean((2, 3)))

chain = [
    lambda x: brighter(x) if x in NAMES else helpers.scale(x),
    steps(2), Step(2), functools.partial(np.clip, a_min=0, a_max=1), {"a": {1, 2}, "b": torch.arange(3)},
]
torch.manual_seed(0)
print(fingerprint(chain), fingerprint_of_network(Answer()))
"""


def printed(program: str, folder: Path, seed: str = "0") -> list[str]:
    """The digest of the chain and that of the network, from a process of its own."""
    (folder / "program.py").write_text(program)
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(COURSE_ROOT)}
    command = [sys.executable, str(folder / "program.py")]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()


def in_this_process(program: str, name: str = "__main__") -> list[str]:
    lines: list[str] = []
    space: dict[str, Any] = {"__name__": name, "print": lambda *words: lines.extend(words)}
    exec(compile(program, "<a cell>", "exec"), space)
    return lines


@pytest.mark.slow
def test_every_process_finds_the_same(tmp_path: Path) -> None:
    assert [printed(PROGRAM, tmp_path, seed) for seed in SEEDS] == [in_this_process(PROGRAM)] * len(SEEDS)


def test_lines_comments_docstrings_and_module_names_play_no_part() -> None:
    moved = PROGRAM.replace("LEVEL = 0.5", "\n\n\nLEVEL = 0.5  # as before")
    said = moved.replace("def brighter(x):", "def brighter(x):\n    'Makes it brighter.'\n")
    assert said != moved != PROGRAM
    assert in_this_process(said, "a_module") == in_this_process(PROGRAM)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LEVEL = 0.5", "LEVEL = 0.6"),
        ("return x + LEVEL", "return x - LEVEL"),
        ("if x in NAMES", "if x not in NAMES"),
        ('"corner", ', ""),
        ("STRENGTH = 1.0", "STRENGTH = 1.5"),
        ("return STRENGTH * x", "return STRENGTH * x * x"),
        ("brighter(x) * strength", "brighter(x) + strength"),
        ("steps(2)", "steps(3)"),
        ("limit = 3", "limit = 4"),
        ("Step(2)", "Step(3)"),
        ("min(self.limit", "max(self.limit"),
        ("a_max=1", "a_max=2"),
        ("np.clip", "np.add"),
        ("{1, 2}", "{1, 3}"),
        ("torch.arange(3)", "torch.arange(3.)"),
    ],
)
def test_each_change_of_a_chain_is_seen(old: str, new: str) -> None:
    assert PROGRAM.count(old) >= 1
    before, after = in_this_process(PROGRAM), in_this_process(PROGRAM.replace(old, new))
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nn.ReLU()", "nn.Sigmoid()"),
        ("F.relu", "F.gelu"),
        ("nn.Dropout(p)", "nn.Dropout(p / 2)"),
        ("p=0.5", "p=0.4"),
        ("nn.Conv2d(3, 4, 3)", "nn.Conv2d(3, 4, 3, dilation=2)"),
        ("nn.Conv2d(3, 4, 3)", "nn.Conv2d(3, 4, 3).double()"),
        ("nn.ReLU(), nn.Dropout(p)", "nn.Dropout(p), nn.ReLU()"),
        ("mean((2, 3))", "amax((2, 3))"),
    ],
)
def test_each_change_of_a_network_is_seen(old: str, new: str) -> None:
    assert PROGRAM.count(old) == 1
    before, after = in_this_process(PROGRAM), in_this_process(PROGRAM.replace(old, new))
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_how_the_weights_begin_and_what_they_are_now_plays_no_part() -> None:
    other = PROGRAM.replace(
        "self.head = nn.Linear(4, 2)", "self.head = nn.Linear(4, 2)\n        nn.init.ones_(self.head.weight)"
    )
    assert in_this_process(other) == in_this_process(PROGRAM)
    net, trained = Net(), Net().eval()
    trained.requires_grad_(False)
    trained(torch.rand(2, 3, 32, 32))
    assert fingerprint_of_network(net) == fingerprint_of_network(trained)
    assert fingerprint(net) != fingerprint(trained)


def test_what_the_last_call_has_left_in_a_network_plays_no_part() -> None:
    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = nn.Linear(2, 2), torch.ones(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.maps = maps = self.layer(x) * self.scale
            return torch.as_tensor(maps)

    net, doubled = Watched(), Watched()
    before = fingerprint_of_network(net)
    net(torch.rand(3, 2))
    assert fingerprint_of_network(net) == before
    with torch.inference_mode():
        net(torch.rand(5, 2))
    assert fingerprint_of_network(net) == before
    doubled.scale *= 2
    assert fingerprint_of_network(doubled) != before


def test_what_calls_leave_in_lists_and_in_a_hooks_dict_plays_no_part() -> None:
    maps: dict[str, object] = {}
    every: list[torch.Tensor] = []

    def keep(*of_call: Any) -> None:
        maps["last"] = of_call[-1].detach()
        every.append(of_call[-1].detach())

    net = nn.Sequential(nn.Linear(2, 2))
    net[0].register_forward_hook(keep)
    before = fingerprint_of_network(net)
    for rows in (3, 5):
        net(torch.rand(rows, 2))
        with torch.inference_mode():  # as a training does, before it looks at what is trained
            net(torch.rand(1, 2))
        assert fingerprint_of_network(net) == before
    maps["strength"] = 2.0
    assert fingerprint_of_network(net) != before


@pytest.mark.parametrize(
    "draw", [random.Random, np.random.default_rng, np.random.PCG64, np.random.RandomState, torch.Generator]
)
def test_what_draws_random_numbers_may_have_drawn_some(draw: Callable[[], Any]) -> None:
    def noise(seed: int) -> Any:
        source = draw()
        if isinstance(source, torch.Generator):
            source.manual_seed(seed)
        return types.SimpleNamespace(source=source, change=lambda x: x + source)

    assert fingerprint(noise(0)) == fingerprint(noise(1))


class Counting(nn.Module):
    """A transform with a setting, and with a store that grows."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level, self._calls = level, [0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self._calls.append(len(x))
        return x + self.level


class Remembering:
    """The same without torch."""

    def __init__(self, level: float) -> None:
        self.level, self._calls = level, [0]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self._calls.append(len(x))
        return x + self.level


@pytest.mark.parametrize("kind", [Counting, Remembering])
def test_a_store_with_an_underscore_plays_no_part(kind: Any) -> None:
    change = kind(1.0)
    before = fingerprint(change), fingerprint_of_network(change)
    change(torch.ones(2))
    assert (fingerprint(change), fingerprint_of_network(change)) == before
    assert fingerprint(kind(2.0)) != before[0]
    one, other = (types.SimpleNamespace(_state=number) for number in (1, 2))  # a library's class may keep its own so
    assert fingerprint(one) != fingerprint(other)


def test_of_the_courses_code_names_and_settings_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(Net), fingerprint_of_network(Net()), fingerprint(build_backbone)
    monkeypatch.setattr(Net, "forward", lambda _, x: x + 1)
    monkeypatch.setattr(build_backbone, "__code__", (lambda: 1).__code__)
    assert (fingerprint(Net), fingerprint_of_network(Net()), fingerprint(build_backbone)) == before
    assert fingerprint_of_network(Net(channels=3)) != before[1]
    assert fingerprint(Preprocessing(size=32)) != fingerprint(Preprocessing(size=36))


def test_hooks_and_switches_are_part_of_a_network() -> None:
    def hooked(by: float) -> nn.Module:
        net = nn.Sequential(nn.Linear(2, 2))
        net[0].register_forward_hook(lambda *of_call: of_call[-1] * by)
        return net

    networks = [hooked(1.0), hooked(2.0), nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2, bias=False))]
    assert len({fingerprint_of_network(net) for net in networks}) == 4
    assert fingerprint_of_network(hooked(1.0)) == fingerprint_of_network(networks[0])
    switched = build_backbone("resnet18", weights=None)
    before = fingerprint_of_network(switched)
    switched.transform_input = True  # type: ignore[assignment]
    assert fingerprint_of_network(switched) != before


@dataclass
class Box:
    content: object
    more: list[object] = field(default_factory=list)


DIFFERENT: list[Any] = [
    None, True, 1, 1.0, 1j, -0.0, 0.0, "1", b"1", ..., float("nan"), float("inf"), "\udce9", Path("1"), Path("1/2"),
    [], [1], (1,), {1}, {1: 1}, {"1": 1}, [[1]], [1, 2], [2, 1], {1: 2, 2: 1}, {2: 1, 1: 2}, OrderedDict({1: 1}),
    np.array(1), np.array([1]), np.array([[1]]), np.array([1.0]), np.float32(1), np.array(["1"]),
    np.array([1], dtype=object),
    torch.tensor(1), torch.tensor([1]), torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.bfloat16),
    torch.tensor([]),
    Box(1), Box(2), Box(1, [1]), Box, dataclass, len, print, "".join, "a".join, [1].append,
    re.compile("a"), re.compile("b"),
    re.compile("a", re.IGNORECASE), np, torch, np.add, np.mean, F.relu, torch.relu, torch.float32, torch.float16,
    torch.device("cpu"), torch.device("meta"), torch.channels_last, torch.contiguous_format, functools.partial(len),
    functools.partial(len, []), v2.Resize(3), v2.Resize(4), v2.Compose([v2.Resize(3)]), range(3), slice(3),
    np.random.default_rng(0), random.Random(0), torch.Generator(), v2.InterpolationMode.BICUBIC,
    v2.InterpolationMode.NEAREST,
    types.SimpleNamespace(a=1), types.SimpleNamespace(a=2), lambda: 1, lambda: 2, lambda x: x, lambda *x: x,
]  # fmt: skip


def test_what_differs_has_another_digest() -> None:
    digests = [fingerprint(value) for value in DIFFERENT]
    alike = [(a, b) for i, a in enumerate(DIFFERENT) for b in DIFFERENT[:i] if fingerprint(a) == fingerprint(b)]
    assert len(set(digests)) == len(digests), alike


def test_how_a_tensor_lies_in_memory_plays_no_part() -> None:
    images = torch.rand(2, 3, 4, 5)
    for other in (images.to(memory_format=torch.channels_last), images.clone().expand(2, 3, 4, 5)):
        assert fingerprint(other) == fingerprint(images)
    assert fingerprint(torch.arange(10)[::5][:1]) == fingerprint(torch.tensor([0]))


def test_circles_end() -> None:
    def circle(size: int) -> Box:
        boxes = [Box(number) for number in range(size)]
        for box, following in zip(boxes, [*boxes[1:], boxes[0]], strict=True):
            box.more.append(following)
        return boxes[0]

    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert fingerprint(circle(3)) == fingerprint(circle(3)) != fingerprint(circle(4))
    assert fingerprint(even) == fingerprint(even) != fingerprint(odd)


def test_what_is_too_long_to_follow_is_refused_with_a_sentence() -> None:
    step: Callable[[float], float] = abs
    for _ in range(400):
        step = (lambda inner: lambda x: inner(x) + 1)(step)
    with pytest.raises(ValueError, match=r"this function behaves can not be told: .* too long to follow\. Let fewer"):
        fingerprint(step)


def test_numbers_may_be_long() -> None:
    assert fingerprint(10**5000) == fingerprint(10**5000) != fingerprint(10**5000 + 1)


def test_what_can_not_be_pickled_counts_by_its_class(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    with (tmp_path / "a").open() as one, (tmp_path / "b").open() as other:
        assert fingerprint(one) == fingerprint(other) != fingerprint(iter([1]))


def test_a_decorated_function_is_followed() -> None:
    def decorated(decorator: Callable[[Any], Any], by: float) -> Any:
        return decorator(lambda x: x * by)

    for decorator in (functools.lru_cache, torch.no_grad(), functools.partial):
        one, other = decorated(decorator, 1.0), decorated(decorator, 2.0)
        assert fingerprint(one) == fingerprint(decorated(decorator, 1.0)) != fingerprint(other)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(plain, plain)
def test_plain_values_are_told_apart_as_they_print(one: object, other: object) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (repr(one) == repr(other))
