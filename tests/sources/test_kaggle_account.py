"""Storing a Kaggle token: where the client looks, for its owner alone, and never shown."""

import json
import os
from pathlib import Path

import pytest

from course_lib.sources.kaggle_account import TokenError, save_token
from tests.sources.kaggle_fixtures import TOKEN

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
