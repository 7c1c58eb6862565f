"""Storing a Kaggle token: where the client looks, for its owner alone, and never shown."""

import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.sources import kaggle_account
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
    "token",
    [
        "",
        "tiny",
        f"{TOKEN} {TOKEN}",
        f"{TOKEN}\n{TOKEN}",
        f"{TOKEN}\r{TOKEN}",
        f"{TOKEN}\u2028{TOKEN}",
        f"{TOKEN}é",
        f"{TOKEN}\ud800",
        f"\ufeff{TOKEN}",
        TOKEN + "\x00",
        TOKEN + "\x1b[31m",
        TOKEN * 20,
        "{" + TOKEN,
        "{" * 100_000,
        '{"a":' * 100_000,
        '{"key": "abc"}',
        '{"username": "learner", "key": 5}',
        '{"username": "learner", "key": ""}',
        '{"username": "learner", "key": "two\\nlines"}',
        '{"username": "learner", "key": "\\ud800"}',
        '{"username": "lernér", "key": "0123456789abcdef"}',
    ],
)
def test_what_is_no_token_is_refused_without_being_shown(tmp_path: Path, token: str) -> None:
    with pytest.raises(
        TokenError, match=r"Expected the API token from https://www\.kaggle\.com.*Copy it again"
    ) as refusal:
        save_token(token, tmp_path)
    assert not token or token not in str(refusal.value)
    assert "5ecret" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


ANYTHING = st.text(max_size=40) | st.text("aZ09_ \n\r\t\0{}[]:\"'\x7f\x85é", max_size=40)


@settings(max_examples=2000 if os.environ.get("COURSE_THOROUGH") else 200, deadline=None)
@given(ANYTHING | st.builds(lambda u, k: json.dumps({"username": u, "key": k}), ANYTHING, ANYTHING))
def test_whatever_is_stored_is_one_word_or_a_key(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            stored = save_token(text, Path(folder))
        except TokenError:
            return
        kept = stored.read_bytes().decode("ascii").strip()
    if stored.name == "access_token":
        assert re.fullmatch(r"[!-~]{16,255}", kept)
    else:
        assert all(re.fullmatch(r"[!-~]+", json.loads(kept)[name]) for name in ("username", "key"))


#: what is where, what the token's file or variable holds, and what is said of it
SPOILED: list[tuple[str, bytes, str]] = [
    ("variable", f"{TOKEN}\n{TOKEN}".encode(), "has a line break in it"),
    ("variable", f"{TOKEN}\n".encode(), "has a line break in it"),
    ("variable", f"{TOKEN} x".encode(), "has a space in it"),
    ("variable", f"{TOKEN}é".encode(), "is no plain text"),
    ("variable", TOKEN.encode() * 20, "is longer than 255 characters"),
    ("variable", b"abc", "is shorter than 16 characters"),
    ("access_token", f"{TOKEN}\nsecond".encode(), "has a line break in it"),
    ("access_token", TOKEN.encode("utf-16"), "is no plain text"),
    ("access_token", b" \n", "is empty"),
    ("access_token", f"KAGGLE_API_TOKEN={TOKEN}".encode(), "begins with the name of a variable"),
    ("variable", f'"{TOKEN}"'.encode(), "stands in quotes"),
    ("access_token.txt", f"{TOKEN}\t{TOKEN}".encode(), "has a character in it that can not be seen"),
    ("kaggle.json", b"{" + TOKEN.encode(), "is no JSON"),
    ("kaggle.json", b"[" * 90_000, "is no JSON"),
    ("kaggle.json", b"[1, 2]", "is JSON, but no object in braces"),
    ("kaggle.json", b'{"username": "learner", "key": ["5ecret"]}', "has no key that is one word"),
    ("credentials.json", b'"5ecret"', "is JSON, but no object in braces"),
]


def lay(home: Path, place: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put the token there, and name the place as the course does."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for variable in kaggle_account.TOKEN_VARIABLES | {"KAGGLE_CONFIG_DIR"}:
        monkeypatch.delenv(variable, raising=False)
    if place == "variable":
        monkeypatch.setenv("KAGGLE_API_TOKEN", os.fsdecode(content))
        return "the variable KAGGLE_API_TOKEN"
    (home / ".kaggle").mkdir()
    (home / ".kaggle" / place).write_bytes(content)
    return "the file kaggle.json" if place == "kaggle.json" else f"the file ~/.kaggle/{place}"


@pytest.mark.parametrize(("place", "content", "said"), SPOILED)
def test_a_spoiled_token_is_noticed_before_kaggle_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, content: bytes, said: str
) -> None:
    source = lay(tmp_path, place, content, monkeypatch)
    monkeypatch.setattr(kaggle_account, "_signed_in_client", pytest.fail)
    answer = kaggle_account._ask_in_this_process("a/b/1")
    assert answer["token_from"] == source
    assert answer["token_problem"].startswith(said)
    assert "5ecret" not in json.dumps(answer)


def test_a_variable_may_name_a_file_but_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert kaggle_account._problem_at((str(tmp_path / "token"),)) == ""
    (tmp_path / "token").write_text(f"{TOKEN}\n\n{TOKEN}")
    assert kaggle_account._problem_at((str(tmp_path / "token"),)) == "has a line break in it"
    assert kaggle_account._problem_at((str(tmp_path),)).startswith("names a folder")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "learner").mkdir()
    assert kaggle_account._problem_at(("learner", "k" * 32)) == "", "a user's name names no file"


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("variable", TOKEN.encode()),
        ("access_token", f"\n{TOKEN}\r\n".encode()),
        ("kaggle.json", KEY.encode()),
        ("kaggle.json", b'{"path": "/data"}'),
        ("credentials.json", b'{"refresh_token": "5ecret"}'),
    ],
)
def test_a_whole_token_goes_to_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, content: bytes
) -> None:
    source = lay(tmp_path, place, content, monkeypatch)

    def sign_in(source: str) -> None:
        raise OSError(f"{source} 5ecret")

    monkeypatch.setattr(kaggle_account, "_signed_in_client", sign_in)
    answer = kaggle_account._ask_in_this_process("a/b/1")
    assert answer == {"credentials": "none", "token_from": source, "problem": "OSError"}, "no word of the error"
