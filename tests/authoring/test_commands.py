"""The commands for authors: each says what it does, and what goes wrong is one sentence."""

import subprocess
import sys

import pytest

from course_lib.authoring import contact_sheets
from course_lib.authoring.__main__ import INTERRUPTED, VERBS, main
from course_lib.support.errors import DataError
from tests.benchmarks import __main__ as benchmarks


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


FOLDERS = {
    "nowhere": "'nowhere' holds no data set: no train/, no images/ with labels/ or masks/, no <patient>/nodule-K/, no "
    "files of MATLAB; name",
    "~somebody-unknown/x": "~somebody-unknown/x begins with ~, which stands for a home folder, but this computer knows",
    "x" * 3000: "; name a folder that does",
}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", ["real", "measure", "realism", "choose-recipe", "sheets"])
def test_a_folder_that_is_not_there_is_named(name: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main([name, *(["chest_xray"] if name == "measure" else []), folder])
    assert FOLDERS[folder] in capsys.readouterr().err


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_study_of_a_folder_that_is_not_there_is_refused(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studies", folder]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_benchmarks_name_a_folder_that_is_not_there(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        benchmarks.main(["--data", folder])
    assert FOLDERS[folder] in capsys.readouterr().err


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
