"""The contact sheets of simulated X-rays, of people as film and as CT, and of nodules."""

from pathlib import Path

import pytest

from course_lib.authoring import contact_sheets
from course_lib.authoring.__main__ import main
from course_lib.modalities.chest_ct.phantoms import Settings


@pytest.mark.slow
def test_the_contact_sheets_are_pictures(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contact_sheets, "COURSE_ROOT", tmp_path)
    monkeypatch.setattr(contact_sheets, "RESULTS", tmp_path / "sheets")
    monkeypatch.setattr(contact_sheets, "README_PICTURE", tmp_path / "figures" / "phantoms.png")
    monkeypatch.setattr(contact_sheets, "SHEET_PX", 48)
    monkeypatch.setattr(contact_sheets, "CT_PX", 32)
    monkeypatch.setattr(contact_sheets, "HEIGHTS", (0.2,))
    monkeypatch.setattr(contact_sheets, "NODULES", Settings({"train": 6}, seed=3, pixels=32, pixel_mm=1.4))
    assert main(["sheets", str(folder)]) == 0
    made = [tmp_path / line for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in made] == [
        "kinds.png",
        "phantoms.png",
        "severity.png",
        "film-and-ct.png",
        "nodules.png",
        "which-are-real.png",
    ]
    assert all(path.stat().st_size > 10_000 for path in made)
