"""How often a function is called while a test runs."""

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
