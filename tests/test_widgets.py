"""The dialogue that stores a Kaggle token and forgets it at once; sliders that change a picture and its words."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course_lib.audit import accuracy_interval
from course_lib.widgets import accuracy_explorer, draw_accuracy, token_dialogue
from tests.kaggle_fixtures import TOKEN


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


def test_an_accuracy_is_drawn_and_told_with_its_interval() -> None:
    picture, words = draw_accuracy(16, 0.9)
    low, high = accuracy_interval(14, 16)
    assert picture.shape == (110, 520, 3)
    assert len(np.unique(picture)) > 10
    assert words.startswith("14 of 16 right is an accuracy of 87.5%.")
    assert f"from {low:.1%} to {high:.1%}: {100 * (high - low):.0f} points. One image more or less is 6.2" in words


def test_more_images_make_a_narrower_picture_within_a_fifth_of_a_second() -> None:
    explorer = accuracy_explorer()
    images, _, shown = explorer.children
    before, words, took = shown.value, repr(explorer), []
    for value in (200, 600, 1000):  # the quickest counts: others use this computer too
        started = time.perf_counter()
        images.value = value
        took.append(time.perf_counter() - started)
    assert min(took) < 0.2
    assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert repr(explorer) != words
    assert repr(explorer) in shown.value
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)
