"""What is measured of a border, on shells whose grey values are known."""

import numpy as np
import pytest

from course_lib.modalities.sarcoma_ct.contrast import QUANTITIES, border_contrast, contrast_of
from course_lib.modalities.sarcoma_ct.reader import MASK, read_patients
from course_lib.support.errors import DataError
from tests.data.made_volumes import write
from tests.modalities.sarcoma_ct.conftest import AFFINE, MUSCLE, TUMOUR, Maker

SPACING = (1.0, 1.0, 2.0)


def ball(side: int = 32, radius: float = 9.0) -> np.ndarray:
    places = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip((side, side, side // 2), SPACING, strict=True)]
    return np.asarray(sum(axis**2 for axis in np.meshgrid(*places, indexing="ij")) < radius**2)


def measured(inside: float, outside: float, noise: float = 10.0, fat: float = 0.0) -> dict[str, float]:
    rng, tumour = np.random.default_rng(0), ball()
    values = np.where(tumour, inside, outside) + rng.normal(0, noise, tumour.shape)
    values[rng.random(tumour.shape) < fat * ~tumour] = -100
    return dict(zip(QUANTITIES, border_contrast(values.astype(np.float32), tumour, SPACING), strict=True))


def test_a_darker_tumour_has_a_difference_below_zero() -> None:
    found = measured(inside=40, outside=60)
    assert found["tumour minus soft tissue around it, in HU"] == pytest.approx(-20, abs=1)
    assert found["the same, whichever is brighter"] == pytest.approx(20, abs=1)
    assert found["spread of the tumour, in HU"] == pytest.approx(10, abs=1)
    assert found["AUROC of a voxel's HU, tumour against soft tissue"] == pytest.approx(0.921, abs=0.02)


def test_a_tumour_like_its_surroundings_can_not_be_told_from_them() -> None:
    found = measured(inside=50, outside=50)
    assert found["AUROC of a voxel's HU, tumour against soft tissue"] == pytest.approx(0.5, abs=0.03)


def test_fat_beside_a_tumour_counts_as_a_border_that_can_be_seen() -> None:
    found = measured(inside=50, outside=50, fat=0.4)
    assert found["part of the border that has soft tissue outside"] == pytest.approx(0.6, abs=0.04)
    assert found["tumour minus soft tissue around it, in HU"] == pytest.approx(0, abs=2)


def test_a_border_without_soft_tissue_on_one_side_is_refused() -> None:
    with pytest.raises(ValueError, match="one side has none"):
        measured(inside=50, outside=-500)


def test_each_patient_has_a_row(patients: Maker) -> None:
    scores = contrast_of(read_patients(patients(2)))
    assert scores.patients.tolist() == ["STS_001", "STS_002"]
    assert scores.values[:, 0] == pytest.approx(TUMOUR - MUSCLE, abs=3)


def test_an_empty_mask_is_refused_by_its_name(patients: Maker) -> None:
    root = patients(2)
    write(root / "STS_002" / MASK, np.zeros((40, 40, 20), np.uint8), AFFINE)
    with pytest.raises(DataError, match=r"STS_002/CT_mask\.nii\.gz outlines nothing"):
        contrast_of(read_patients(root))
