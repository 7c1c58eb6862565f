"""Stages: in order, whole, none twice; and what is frozen stays."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision import models

from course_lib.networks.efficientnet_lite import EfficientNetLite0
from course_lib.networks.freezing import freeze, stages, unfreeze
from course_lib.networks.modes import begin_training, evaluating, needs_batches
from course_lib.networks.net import Net

EXPECTED: list[tuple[Callable[[], nn.Module], list[str]]] = [
    (Net, ["stem", "features.4", "features.8", "head"]),
    (models.resnet18, ["stem", "layer1", "layer2", "layer3", "layer4", "fc"]),
    (models.vgg16_bn, ["stem", "features.7", "features.14", "features.24", "features.34", "classifier"]),
    (models.mobilenet_v3_small, [*(f"features.{i}" for i in range(13)), "classifier"]),
    (models.efficientnet_b0, [*(f"features.{i}" for i in range(9)), "classifier"]),
    (EfficientNetLite0, ["stem", *(f"stage{i}" for i in range(1, 8)), "top", "classifier"]),
]


@pytest.mark.parametrize(("build", "names"), EXPECTED)
def test_stages_go_from_the_input_to_the_head(build: Callable[[], nn.Module], names: list[str]) -> None:
    with torch.device("meta"):
        assert [name for name, _ in stages(build())] == names


@pytest.mark.parametrize(
    "build",
    [*(build for build, _ in EXPECTED), models.densenet121, lambda: models.inception_v3(init_weights=False)],
)
def test_every_parameter_is_in_one_stage(build: Callable[[], nn.Module]) -> None:
    with torch.device("meta"):
        model = build()
    staged = [id(p) for _, part in stages(model) for p in part.parameters()]
    assert sorted(staged) == sorted(id(p) for p in model.parameters())


def test_inceptions_second_head_learns_with_the_first() -> None:
    with torch.device("meta"):
        freeze(model := models.inception_v3(init_weights=False))
    assert unfreeze(model, last=1) == ["fc"]
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad} == {"fc", "AuxLogits"}


def test_a_network_thaws_from_the_head() -> None:
    freeze(net := Net())
    assert unfreeze(net, last=2) == ["features.8", "head"]
    learning = {name.rsplit(".", 1)[0] for name, p in net.named_parameters() if p.requires_grad}
    assert learning == {"features.8", "features.9", "head.2"}
    with pytest.raises(ValueError, match=r"from 1 to 4.*\(stem, features.4, features.8, head\), but is 5"):
        unfreeze(net, last=5)


def test_only_frozen_batch_norms_stay_out_of_training_mode() -> None:
    freeze(net := Net())
    unfreeze(net, last=2)
    begin_training(net)
    assert net.training
    assert [layer.training for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)] == [False, False, True]
    assert needs_batches(net)
    freeze(net, except_for=net.head)
    assert not needs_batches(net)


def test_after_a_look_each_layer_is_in_the_mode_it_was_in() -> None:
    freeze(net := Net())
    unfreeze(net, last=2)
    begin_training(net)
    before = [layer.training for layer in net.modules()]
    with evaluating(net):
        assert not any(layer.training for layer in net.modules())
    assert [layer.training for layer in net.modules()] == before
