"""The commands for authors: each says what it does, and what goes wrong is one sentence."""

import subprocess
import sys

import pytest

from course_lib.authoring import contact_sheets
from course_lib.authoring.__main__ import INTERRUPTED, VERBS, main
from course_lib.support.errors import DataError


def test_without_a_verb_all_of_them_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([])
    said = capsys.readouterr().out
    for name, verb in VERBS.items():
        assert f"  {name:17}{verb.says}\n" in said


def test_the_list_needs_no_torch() -> None:
    program = "import sys; from course_lib.authoring.__main__ import VERBS; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([name, "--help"])
    said = capsys.readouterr().out
    assert f"usage: python -m course_lib.authoring {name}" in said
    assert f"{VERBS[name].says[1:]}." in " ".join(said.split())


def test_an_unknown_verb_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["mesure"])
    assert "'check-notebooks'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["real", "measure", "realism", "choose-recipe"])
def test_a_folder_that_is_not_there_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main([name, *(["chest_xray"] if name == "measure" else []), "nowhere"])
    assert "there is no folder train/ in 'nowhere'; name the folder that holds it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [(DataError("No image."), 1, "No image.\n"), (KeyboardInterrupt(), INTERRUPTED, "Stopped. ")],
)
def test_what_goes_wrong_is_one_sentence(
    problem: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise problem

    monkeypatch.setattr(contact_sheets, "main", fail)
    assert main(["sheets"]) == code
    assert capsys.readouterr().err.startswith(said)
