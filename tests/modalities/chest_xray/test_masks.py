"""Masks of simulated disease."""

from pathlib import Path

import pytest

from course_lib.data.image_folder import read_split
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.chest_xray.masks import masks_of


def test_masks_lie_where_the_picture_changes(tmp_path: Path) -> None:
    root = phantom.make_dataset(
        tmp_path / "set", phantom.Settings({"train": 2}, size_px=48, seed=3), workers=1, progress=False
    )
    radiographs, _ = read_split(root, "train")
    masks = masks_of(radiographs, Preprocessing(size=32))
    assert masks.shape == (len(radiographs), 32, 32)
    assert [bool(mask.any()) for mask in masks] == [r.label == 1 for r in radiographs]
    with pytest.raises(phantom.PhantomError, match="There is no mask"):
        masks_of([LabelledImage(tmp_path / "person1_virus_1.jpeg", 1, "person1")], Preprocessing())
