"""The three detectors on EfficientNet-Lite0 go through the one loop, and each learns a batch by heart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from course_lib.networks.anchor_detectors import LiteFCOS, LiteRetinaNet
from course_lib.networks.lite_detector import LiteHeatmapDetector
from course_lib.tasks.centres import Target
from course_lib.tasks.detection import Detection
from course_lib.training.checkpoints import load_checkpoint
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from course_lib.training.one_batch import overfit_one_batch
from tests.tasks.scenes import target
from tests.training.test_every_task import Memory

KINDS = [LiteHeatmapDetector, LiteFCOS, LiteRetinaNet]
CLASSES = ("bright", "dark")


def discs(number: int, px: int, *, most: int = 2) -> tuple[torch.Tensor, list[Target]]:
    """Noise with 0 to ``most`` bright or dark discs of 10 to 20 px, as many as the image's number says."""
    rng = np.random.default_rng(0)
    images, targets = rng.normal(0, 0.1, (number, 1, px, px)), []
    y, x = np.mgrid[:px, :px] + 0.5
    for image in range(number):
        boxes = []
        for _ in range(image % (most + 1)):
            radius, label = rng.uniform(5, 10), int(rng.integers(2))
            middle = rng.uniform(radius, px - radius, 2)
            images[image, 0][np.hypot(x - middle[0], y - middle[1]) < radius] += (1.5, -1.5)[label]
            boxes.append((*(middle - radius), *(middle + radius), label))
        targets.append(target(*boxes))
    return torch.tensor(images, dtype=torch.float32).expand(-1, 3, -1, -1), targets


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_learned_by_heart_and_its_discs_are_found(kind: Any) -> None:
    torch.manual_seed(0)
    data = Memory(Detection(CLASSES), *discs(4, 64))
    detector = kind(2, weights="imagenet")
    assert overfit_one_batch(detector, data, TrainConfig(batch_size=4), steps=80).passed
    again_and_again = data.take([*range(len(data))] * 35)
    fit(detector, again_and_again, data, TrainConfig(epochs=1, batch_size=4, keep="last"))
    assert data.task.score(predict(detector, data)) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "sixteen"), [*((kind, False) for kind in KINDS), (LiteFCOS, True)])
def test_the_loop_takes_it_with_its_checkpoints(kind: Any, sixteen: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = Memory(Detection(CLASSES), *discs(9, 32))
    config = TrainConfig(epochs=2, batch_size=4, learning_rate=1e-4, mixed_precision=sixteen)
    detector = kind(2, weights=None)
    history = fit(detector, data, data, config, checkpoint=tmp_path / "run.pt")
    assert history.score_name == "FROC"
    assert np.isfinite(history.validation_loss).all()
    assert fit(kind(2, weights=None), data, data, config, checkpoint=tmp_path / "run.pt") == history
    load_checkpoint(again := kind(2, weights=None), tmp_path / "run.pt")
    losses = [predict(network, data).losses for network in (detector, again)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)  # their weights lie in memory in another order


@pytest.mark.parametrize("kind", KINDS)
def test_films_without_any_box_train_too(kind: Any) -> None:
    torch.manual_seed(0)
    data = Memory(Detection(CLASSES), *discs(4, 32, most=0))
    history = fit(kind(2, weights=None), data, data, TrainConfig(epochs=1, batch_size=4))
    assert np.isfinite(history.train_loss).all()
    assert np.isnan(history.validation_score).all()


@pytest.mark.parametrize("kind", KINDS)
def test_another_number_of_classes_is_refused_before_the_first_step(kind: Any) -> None:
    data = Memory(Detection(CLASSES), *discs(4, 32))
    with pytest.raises(ValueError, match=r"2 classes \(bright, dark\).*Build it with classes=2"):
        fit(kind(3, weights=None), data, data, TrainConfig(epochs=1, batch_size=4))
