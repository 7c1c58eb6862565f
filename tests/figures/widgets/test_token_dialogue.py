"""The dialogue that stores a Kaggle token and forgets it at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from course_lib.figures.widgets.token_dialogue import token_dialogue
from tests.sources.kaggle_fixtures import TOKEN


def parts(dialogue: Any) -> tuple[Any, Any, Any]:
    """The field, the button, and where the dialogue answers."""
    _, row, told = dialogue.children
    return *row.children, told


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, and no token in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_dialogue_says_which_token_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field, button, told = parts(token_dialogue())
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "access_token").write_text(TOKEN)
    field.value = json.dumps({"username": "learner", "key": "k" * 32})
    button.click()
    assert "takes the token from the file ~/.kaggle/access_token first: remove the file access_token" in told.value
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    field.value = TOKEN
    button.click()
    assert "takes the token from the variable KAGGLE_API_TOKEN first: unset KAGGLE_API_TOKEN" in told.value
    assert "5ecret" not in told.value


def test_the_dialogue_says_what_to_do_where_it_can_not_write(tmp_path: Path) -> None:
    (tmp_path / ".kaggle").touch()
    field, button, told = parts(token_dialogue())
    field.value = TOKEN
    button.click()
    assert "could not be stored (" in told.value
    assert "Make the folder .kaggle in your home writable" in told.value
    assert str(tmp_path) not in told.value


def test_the_dialogue_stores_and_forgets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
