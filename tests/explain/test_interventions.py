"""Interventions change the pixels and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_lib.data.samples import LabelledImage
from course_lib.explain.interventions import cover, intervene
from course_lib.support.errors import DataError


def test_an_intervention_changes_the_pixels_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "phantom0001_normal_1.png"
    Image.fromarray(np.full((40, 60), 200, np.uint8)).save(path)
    (changed,) = intervene(
        [LabelledImage(path, 0, "phantom0001")], tmp_path / "new", lambda image: image.point(lambda v: v // 2)
    )
    assert (changed.label, changed.patient, changed.path.name) == (0, "phantom0001", "phantom0001_normal_1.jpeg")
    assert np.asarray(Image.open(changed.path)).mean() == 100
    assert np.asarray(Image.open(path)).mean() == 200


def test_two_pictures_of_the_same_name_are_refused(tmp_path: Path) -> None:
    same = [LabelledImage(tmp_path / folder / "phantom0001_normal_1.png", 0, "phantom0001") for folder in "ab"]
    with pytest.raises(DataError, match="the same file name"):
        intervene(same, tmp_path / "new", lambda image: image)


def test_a_box_is_covered_with_the_median() -> None:
    pixels = np.full((40, 60), 80, np.uint8)
    pixels[:10, :10] = 250
    before = Image.fromarray(pixels)
    after = np.asarray(cover(before, (0.0, 0.0, 0.25, 0.2)))
    assert (after[:8, :10] == 80).all()
    assert (after[8:10, :10] == 250).all()
    assert np.asarray(before)[0, 0] == 250
