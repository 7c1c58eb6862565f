"""The dialogue that stores a Kaggle token: with the right file mode, and never shown."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from course_lib.kaggle_account import TokenError, save_token
from course_lib.widgets import token_dialogue
from tests.kaggle_fixtures import TOKEN

KEY = json.dumps({"username": "learner", "key": "0123456789abcdef"})


@pytest.mark.parametrize(
    ("token", "name"), [(TOKEN, "access_token"), (f"  {TOKEN}\n", "access_token"), (KEY, "kaggle.json")]
)
def test_a_token_is_stored_for_its_owner_alone(tmp_path: Path, token: str, name: str) -> None:
    folder = tmp_path / "home" / ".kaggle"
    old = os.umask(0)
    try:
        for _ in range(2):
            path = save_token(token, folder)
    finally:
        os.umask(old)
    assert path == folder / name
    assert path.read_text().strip() == token.strip()
    assert [p.name for p in folder.iterdir()] == [name]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "token", ["", "short", f"{TOKEN} {TOKEN}", f"{TOKEN}é", "{" + TOKEN, '{"key": "abc"}', TOKEN + "\x00"]
)
def test_what_is_no_token_is_refused_without_being_shown(tmp_path: Path, token: str) -> None:
    with pytest.raises(
        TokenError, match=r"Expected the API token from https://www\.kaggle\.com.*Copy it again"
    ) as refusal:
        save_token(token, tmp_path)
    assert not token or token not in str(refusal.value)
    assert "5ecret" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


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
