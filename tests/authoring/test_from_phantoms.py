"""The ways from phantoms to real X-rays: judged on the same images, and no child by a network that learned from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from course_lib.authoring import from_phantoms
from course_lib.authoring.from_phantoms import Halves, table
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_xray.recipe import ON_PHANTOMS, ChestXrays
from course_lib.networks.net import Net
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.recipe import Recipe

QUICK = ChestXrays(
    Recipe(Preprocessing(32, "squeeze"), ON_PHANTOMS.recipe.augmentation, TrainConfig(1, batch_size=8)),
    lambda: Net(channels=2),
    networks=1,
    phantoms=None,
)


def test_halves_share_no_patient_and_no_label_decides_them(folder: Path) -> None:
    radiographs, classes = read_split(folder, "train")
    halves = Halves.of(radiographs, classes)
    first, second = ({radiographs[i].patient for i in places} for places in halves.places)
    assert not first & second
    assert sorted(np.concatenate(halves.places)) == list(range(len(radiographs)))
    other = Halves.of([replace(r, label=1 - r.label) for r in radiographs], classes)
    assert all(np.array_equal(*pair) for pair in zip(halves.places, other.places, strict=True))


@pytest.mark.slow
def test_each_half_is_judged_by_what_learned_from_the_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_phantoms, "KEPT", tmp_path / "results")
    radiographs, classes = read_split(folder, "train")
    halves = Halves.of(radiographs, classes)
    learned: list[set[str]] = []
    judged: list[set[str]] = []

    def data_of(places: np.ndarray) -> tuple[PixelCache, PixelCache]:
        some = PixelCache([radiographs[i] for i in places], classes, QUICK.recipe.how)
        learned.append(set(some.patients))
        return some, some

    def judge(model: nn.Module, films: PixelCache) -> Predictions:
        judged.append(set(films.patients))
        return predict(model, films)

    monkeypatch.setattr(from_phantoms, "predict", judge)
    said = halves.judged_by_the_others(QUICK, data_of)
    assert len(learned) == len(judged) == 2
    assert not any(first & second for first, second in zip(learned, judged, strict=True))
    assert set.union(*judged) == {r.patient for r in radiographs}
    assert said.files == tuple(r.path.name for r in radiographs)
    assert said.labels.tolist() == [r.label for r in radiographs]


def test_the_table_compares_each_way_with_the_first() -> None:
    labels, patients = np.arange(60) % 2, np.array([f"child{i // 2}" for i in range(60)])

    def said(right: float) -> Predictions:
        scores = np.where(labels == 1, right, 1 - right)
        return Predictions(np.stack([1 - scores, scores], 1), labels, patients, tuple(map(str, range(60))), ("a", "b"))

    lines = table({"guesses": said(0.5), "knows": said(0.9)})
    assert lines[2] == "| guesses | 0.500 (0.500 to 0.500) | |"
    assert lines[3] == "| knows | 1.000 (1.000 to 1.000) | +0.500 (+0.500 to +0.500) |"
