"""The comparison of backbones: every number is there, and none is another's."""

from itertools import pairwise

import pytest
import torch

from course_lib.data.samples import ImageDataset
from course_lib.networks.backbones import build_backbone
from course_lib.networks.costs import costs_of_unfreezing, gflops
from course_lib.training.backbone_comparison import compare_backbones
from course_lib.training.config import TrainConfig

CONFIG = TrainConfig(epochs=1, batch_size=8)


@pytest.mark.slow
def test_each_backbone_gets_a_row(small_data: ImageDataset) -> None:
    table = compare_backbones(
        small_data, small_data, "Noise", ["mobilenet_v3_small", "resnet18"], weights=None, config=CONFIG
    )
    small, large = table["mobilenet_v3_small"], table["resnet18"]
    assert large.parameters == 11_176_512 + 2 * 513
    assert large.megabytes == pytest.approx(4 * 11_187_138 / 1e6, rel=1e-3)  # batch norm's means and spreads too
    assert small.gflops < large.gflops == pytest.approx(1.8136 * (32 / 224) ** 2, rel=0.02)
    for row in table.rows:
        assert 0 <= row.low <= row.auroc <= row.high <= 1
        assert row.images_per_second > row.training_images_per_second > 0
    assert "Noise: 32 images of 32 px to train on for 1 epochs from a random start, 32 to judge by" in repr(table)
    assert "| `resnet18` | 11.2 M | 0.037 | " in table._repr_markdown_()
    assert len({line.count("|") for line in table._repr_markdown_().splitlines()[2:]}) == 1


def test_too_small_an_image_is_said_before_training(small_data: ImageDataset) -> None:
    with pytest.raises(ValueError, match=r"inception_v3 takes images .* at least 75 px"):
        compare_backbones(small_data, small_data, "Noise", ["inception_v3"], weights=None, config=CONFIG)


def test_counting_operations_leaves_the_model_as_it_was() -> None:
    with torch.device("meta"):
        model = build_backbone("resnet18", weights=None).train()
    assert gflops(model, 64) == pytest.approx(4 * gflops(model, 32), rel=0.02)
    assert model.training


def test_each_unfrozen_stage_adds_parameters_and_work() -> None:
    model = build_backbone("resnet18", weights=None).train()
    costs = costs_of_unfreezing(model, 32)
    assert costs[0].stages == ("fc",)
    assert costs[0].parameters == 1026
    assert costs[0].gflops == pytest.approx(gflops(model, 32), rel=0.001)  # the way back ends at the head
    assert costs[-1].parameters == 11_177_538
    assert costs[-1].gflops == pytest.approx(3 * gflops(model, 32), rel=0.1)  # the way back costs twice the way there
    assert all(a.parameters < b.parameters and a.gflops < b.gflops for a, b in pairwise(costs))
    assert model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
