"""What a call costs: how often it calls another function, and its time, to be compared with another call's."""

import time
from collections.abc import Callable
from types import ModuleType

import pytest


def count_calls(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[str]:
    """A list that grows by the name with each call of the module's function, which works as before."""
    calls: list[str] = []
    before = getattr(module, name)

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(name)
        return before(*args, **kwargs)

    monkeypatch.setattr(module, name, counted)
    return calls


def seconds_of(do: Callable[[], object], times: int = 3) -> float:
    """Processor time of the quickest of some calls: other programs, which use this computer too, slow down the rest.

    Even so it differs from hour to hour. It is meant for ratios: compare it with what another call takes.
    """
    taken = []
    for _ in range(times):
        started = time.process_time()
        do()
        taken.append(time.process_time() - started)
    return min(taken)
