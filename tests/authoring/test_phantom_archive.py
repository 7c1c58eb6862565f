"""The command that makes the archive of simulated X-rays."""

from pathlib import Path

import pytest

from course_lib.authoring import phantom_archive
from course_lib.authoring.__main__ import main
from course_lib.modalities.chest_xray.simulator import Settings, check_dataset, shipping, unpack_dataset

SMALL = Settings(patients={"train": 6, "val": 2, "test": 3}, size_px=24, seed=0)


def test_the_command_makes_the_archive_of_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "quick.zip"
    monkeypatch.setattr(shipping, "QUICK_SET", SMALL)
    monkeypatch.setattr(phantom_archive, "QUICK_ARCHIVE", archive)
    assert main(["phantoms", "--workers", "1"]) == 0
    assert "quick.zip has 0." in capsys.readouterr().out
    assert check_dataset(unpack_dataset(archive, tmp_path / "set")) == SMALL
    before = archive.read_bytes()
    monkeypatch.setattr(shipping, "MAX_QUICK_BYTES", 1000)
    assert main(["phantoms", "--workers", "1"]) == 1
    assert "at most 0 MB may go into the repository" in capsys.readouterr().err
    assert archive.read_bytes() == before
