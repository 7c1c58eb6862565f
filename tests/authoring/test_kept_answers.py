"""Answers that are kept: not asked for twice, unless their file is damaged or gone."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_lib.authoring.kept_answers import kept, predictions_of
from course_lib.data.samples import LabelledImage

KEY, OTHER = "a" * 64, "b" * 64


class Asked:
    """Answers, and counts how often it was asked."""

    times = 0

    def __call__(self) -> NDArray[np.float64]:
        self.times += 1
        return np.array([[0.25, 0.75], [0.5, 0.5]])


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    asked = Asked()
    for _ in range(2):
        assert kept(tmp_path, KEY, asked).tolist() == [0.25, 0.75, 0.5, 0.5]
    assert asked.times == 1
    kept(tmp_path, OTHER, asked)
    assert asked.times == 2


def test_a_damaged_file_is_answered_anew(tmp_path: Path) -> None:
    asked = Asked()
    kept(tmp_path, KEY, asked)
    file = next(tmp_path.glob("*.answers"))
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert kept(tmp_path, KEY, asked).tolist() == [0.25, 0.75, 0.5, 0.5]
    assert asked.times == 2


def test_kept_probabilities_become_what_was_predicted() -> None:
    images = [LabelledImage(Path(f"{i}.jpeg"), i, f"child{i}") for i in range(2)]
    said = predictions_of(images, ["well", "ill"], Asked()())
    assert said.scores.tolist() == [0.75, 0.5]
    assert said.labels.tolist() == [0, 1]
    assert said.patients.tolist() == ["child0", "child1"]
    assert (said.files, said.classes) == (("0.jpeg", "1.jpeg"), ("well", "ill"))
