"""A folder for each patient, with an image and a mask; what is missing is named."""

from pathlib import Path

import pytest

from course_lib.modalities.sarcoma_ct.reader import IMAGE, MASK, read_patients
from course_lib.support.errors import DataError
from tests.modalities.sarcoma_ct.conftest import Maker


def test_each_folder_is_a_patient(patients: Maker) -> None:
    root = patients(2)
    (root / ".hidden").mkdir()
    (root / "README.txt").write_text("no patient")
    samples = read_patients(root)
    assert [sample.patient for sample in samples] == ["STS_001", "STS_002"]
    assert [(sample.path.name, sample.mask.name) for sample in samples] == [(IMAGE, MASK)] * 2


@pytest.mark.parametrize("name", [IMAGE, MASK])
def test_a_file_that_is_missing_is_named(patients: Maker, name: str) -> None:
    root = patients(2)
    (root / "STS_002" / name).unlink()
    with pytest.raises(DataError, match=f"lacks STS_002/{name}. Expected a folder for each patient"):
        read_patients(root)


def test_a_folder_without_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no folder"):
        read_patients(tmp_path)
