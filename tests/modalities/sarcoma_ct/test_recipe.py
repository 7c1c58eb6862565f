"""The box around a tumour is brought to one shape, and what grey values alone say of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.data.volumes import read_label_map, read_volume
from course_lib.evaluation.segmentation import SegmentationPredictions, dice
from course_lib.modalities.sarcoma_ct import recipe
from course_lib.modalities.sarcoma_ct.reader import LABELS, MASK, read_patients
from course_lib.modalities.sarcoma_ct.recipe import FRAME, METRICS, SHAPE, Sarcomas, scored, soft_tissue
from course_lib.support.errors import DataError
from tests.data.made_volumes import write
from tests.modalities.sarcoma_ct.conftest import AFFINE, SPACING, Maker, write_patient

SMOOTHED = 1e-3  #: by which smoothing before the resampling may leave the range of greys


def mask_of(root: Path, patient: str = "STS_001") -> np.ndarray:
    (sample,) = (one for one in read_patients(root) if one.patient == patient)
    return np.asarray(read_label_map(sample.mask, read_volume(sample.path), LABELS).numpy()[0])


def test_tumours_of_any_size_fill_the_same_part_of_their_frames(patients: Maker) -> None:
    root = patients(3)
    samples = read_patients(root)
    data = Sarcomas().data(samples)
    inputs, targets = data.batch(torch.arange(3))
    assert inputs.shape == (3, 1, *SHAPE)
    for target, sample in zip(targets.numpy(), data.samples, strict=True):
        inside = np.argwhere(target)
        sides = inside.max(axis=0) + 1 - inside.min(axis=0)
        assert np.abs(sides - np.array(SHAPE) / FRAME).max() <= 2
        assert np.abs((inside.max(axis=0) + inside.min(axis=0)) / 2 - (np.array(SHAPE) - 1) / 2).max() <= 1
        voxels = mask_of(root, sample.patient).sum() * np.prod(SPACING)
        assert target.sum() * np.prod(sample.spacing) == pytest.approx(voxels, rel=0.1)


def test_greys_end_where_the_window_does_and_beyond_the_volume_is_air(tmp_path: Path) -> None:
    write_patient(tmp_path, 1)
    labels = np.zeros((40, 40, 20), np.uint8)
    labels[:30, 5:35, :15] = 1  # at the corner, so that the frame reaches beyond the volume
    write(tmp_path / "STS_001" / MASK, labels, AFFINE)
    greys = Sarcomas().data(read_patients(tmp_path)).subject(0).get_image("image").numpy()[0]
    assert greys.min() >= -SMOOTHED
    assert greys.max() <= 1 + SMOOTHED
    beyond = [greys[-2:], greys[:, :, :2]]  # left of the patient and below: axes of the file point to L, P and S
    assert max(np.abs(part).max() for part in beyond) < SMOOTHED


def test_a_mask_that_outlines_nothing_is_refused(patients: Maker) -> None:
    root = patients(1)
    write(root / "STS_001" / MASK, np.zeros((40, 40, 20), np.uint8), AFFINE)
    with pytest.raises(DataError, match="The mask outlines nothing"):
        Sarcomas().data(read_patients(root))


@pytest.mark.parametrize(
    ("values", "affine", "says"),
    [
        (np.zeros((40, 40, 21), np.uint8), AFFINE, "40 x 40 x 21 voxels, its volume 40 x 40 x 20"),
        (np.ones((40, 40, 20), np.uint8), AFFINE + np.eye(4)[:, [3, 3, 3, 0]], "beside its volume"),
        (np.full((40, 40, 20), 2, np.uint8), AFFINE, "holds the values 2, which stand for no label"),
    ],
)
def test_a_mask_that_is_not_of_this_volume_is_refused(
    patients: Maker, values: np.ndarray, affine: np.ndarray, says: str
) -> None:
    root = patients(1)
    write(root / "STS_001" / MASK, values, affine)
    with pytest.raises(DataError, match=says):
        Sarcomas().data(read_patients(root))


def test_grey_values_find_a_tumour_that_fat_surrounds(tmp_path: Path) -> None:
    write_patient(tmp_path, 1, radius=14)
    data = Sarcomas().data(read_patients(tmp_path))
    (found,) = soft_tissue(data)
    true = data.subject(0).get_image("labels").numpy()[0] > 0
    assert 0.6 < dice(found > 0, true) < 0.95, "muscle in the box is taken for tumour"


def test_only_the_largest_part_within_the_box_counts() -> None:
    greys = np.zeros((32, 32, 32), np.float32)
    soft = (50 - recipe.WINDOW_HU[0]) / (recipe.WINDOW_HU[1] - recipe.WINDOW_HU[0])
    greys[10:20, 10:20, 10:20], greys[22:24, 22:24, 22:24], greys[:3] = soft, soft, soft
    found = recipe._largest_part(greys)
    assert found[10:20, 10:20, 10:20].all()
    assert found.sum() == 1000
    assert not recipe._largest_part(np.zeros((32, 32, 32), np.float32)).any()


def test_every_metric_of_every_patient_is_measured_once() -> None:
    true = np.zeros((4, 4, 4), np.uint8)
    true[1:3, 1:3, 1:3] = 1
    said = SegmentationPredictions(
        LABELS, (true, 0 * true), (true, true), ((1.0,) * 3,) * 2, np.zeros(2), np.array(["a", "b"]), ("a", "b")
    )
    scores = scored(said)
    assert scores.labels == tuple(METRICS)
    assert scores.values[:, 0].tolist() == [1, 0]
    assert scores.values[0, 1] == 0
