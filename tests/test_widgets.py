"""The dialogue that stores a Kaggle token and forgets it at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from course_lib.widgets import token_dialogue
from tests.kaggle_fixtures import TOKEN


def parts(dialogue: Any) -> tuple[Any, Any, Any]:
    """The field, the button, and where the dialogue answers."""
    _, row, told = dialogue.children
    return *row.children, told


def test_the_dialogue_stores_and_forgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    dialogue = token_dialogue()
    field, button, told = parts(dialogue)
    field.value = "short"
    button.click()
    assert "Expected the API token" in told.value
    assert field.value == ""
    field.value = TOKEN
    button.click()
    assert "only you can read" in told.value
    assert (tmp_path / ".kaggle" / "access_token").read_text().strip() == TOKEN
    state = json.dumps([widget.get_state() for widget in (dialogue, field, button, told)], default=str)
    assert "5ecret" not in state + "".join(capsys.readouterr()) + repr(dialogue)
