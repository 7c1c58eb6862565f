"""What a command says when something goes wrong: one sentence, in which nothing can steer the terminal."""

import pytest

from course_lib.sources.command_line import explained


def test_a_refusal_of_the_system_is_one_line_whatever_the_file_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> str:
        raise PermissionError(13, "Permission denied", "x\x1b[2J\n.dcm")

    assert explained(work) == 1
    said = "The system refused x\\x1b[2J\\n.dcm (Permission denied). Give yourself access to it, then call again.\n"
    assert capsys.readouterr().err == said
