"""The backbones: what the table says about each is so. Most are built on torch's meta device, which computes shapes."""

import copy

import pytest
import torch
from torch import nn
from torchvision import models as zoo

from course_lib.data.transforms import IMAGENET_MEAN, IMAGENET_STD, network_input
from course_lib.networks import backbones
from course_lib.networks.backbones import (
    BACKBONES,
    Backbone,
    build_backbone,
    drop_auxiliary_head,
    grad_cam_layer,
    head_of,
    imagenet_classifier,
    preprocessing_for,
)
from course_lib.networks.costs import count_parameters, gflops
from course_lib.networks.net import Net

every = pytest.mark.parametrize("backbone", BACKBONES.values(), ids=BACKBONES)


def on_paper(name: str, classes: int = 3) -> nn.Module:
    """A backbone without numbers in it, which takes no time."""
    with torch.device("meta"):
        return build_backbone(name, classes, weights=None)


def blank(size: int, batch: int = 2) -> torch.Tensor:
    return torch.zeros(batch, 3, size, size, device="meta")


@pytest.mark.slow
@every
def test_it_answers_for_our_classes_at_its_own_size_and_at_the_smallest(backbone: Backbone) -> None:
    model = on_paper(backbone.name).eval()
    assert model(blank(backbone.input_px)).shape == (2, 3)
    assert model(blank(max(backbone.min_px, 32))).shape == (2, 3)
    assert isinstance(model, backbone.network)


@every
def test_a_smaller_image_is_refused_before_a_layer_fails(backbone: Backbone) -> None:
    model = on_paper(backbone.name).eval()
    with pytest.raises(ValueError, match=rf"{backbone.name} takes images .* but got \[2, 1, 64, 64\]"):
        model(torch.zeros(2, 1, 64, 64, device="meta"))
    if backbone.min_px > 1:
        with pytest.raises(ValueError, match=rf"at least {backbone.min_px} px.*transform's size larger"):
            model(blank(backbone.min_px - 1))


@pytest.mark.slow
@every
def test_it_is_the_network_that_was_published(backbone: Backbone) -> None:
    model, meta = on_paper(backbone.name, classes=1000), backbone.imagenet.meta
    assert count_parameters(model) == meta["num_params"]
    assert gflops(model, backbone.input_px) == pytest.approx(meta["_ops"], rel=0.02)
    assert len(meta["categories"]) == 1000
    assert "arXiv:" in backbone.source


@pytest.mark.parametrize("name", [name for name in BACKBONES if name in zoo.list_models()])
def test_its_weights_are_the_first_of_torchvisions_with_its_preparation(name: str) -> None:
    backbone, published = BACKBONES[name], next(iter(zoo.get_model_weights(name)))
    prepare = published.transforms()
    assert (backbone.mean, backbone.std) == (tuple(prepare.mean), tuple(prepare.std))
    assert prepare.crop_size == [backbone.input_px]
    assert backbone.imagenet is published


@pytest.mark.slow
@every
def test_the_head_is_new_and_makes_the_answer(backbone: Backbone) -> None:
    model, seen = on_paper(backbone.name).eval(), []
    head = head_of(model)
    head.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0].ndim, output)))
    answer = model(blank(backbone.input_px))
    assert isinstance(head, nn.Linear)
    assert seen[0][0] == 2
    assert seen[0][1] is answer


@pytest.mark.slow
@every
def test_the_grad_cam_layer_gives_a_map_that_the_answer_hangs_on(backbone: Backbone) -> None:
    model, maps = on_paper(backbone.name).eval(), []
    grad_cam_layer(model).register_forward_hook(lambda *call: maps.append(call[2]))
    answer = model(blank(backbone.input_px))
    (gradient,) = torch.autograd.grad(answer[:, 1].sum(), maps[0])
    assert gradient.shape == maps[0].shape
    assert maps[0].ndim == 4
    assert min(maps[0].shape[2:]) >= 7


@pytest.mark.slow
def test_inception_has_a_second_head_for_training_alone() -> None:
    model = on_paper("inception_v3")
    logits, auxiliary = model.train()(blank(299))
    assert logits.shape == auxiliary.shape == (2, 3)
    with pytest.raises(ValueError, match=r"trained on images of at least 299 px.*drop_auxiliary_head\(model\)"):
        model(blank(298))
    drop_auxiliary_head(model)
    assert model(blank(96)).shape == (2, 3)


def test_a_copy_keeps_the_check_of_its_images() -> None:
    with pytest.raises(ValueError, match="densenet121 takes images"):
        copy.deepcopy(on_paper("densenet121"))(blank(16))


def test_imagenet_weights_get_a_new_head_and_old_names_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """DenseNet's file says norm.1 where the network says norm1; Inception's converts the normalisation."""
    state = zoo.densenet121(weights=None).state_dict()
    old = {name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value for name, value in state.items()}
    old = {name: value for name, value in old.items() if "num_batches" not in name}
    monkeypatch.setattr(backbones, "pretrained", lambda _: old)
    model = build_backbone("densenet121", 3, weights="imagenet")
    kept = {name: value for name, value in model.state_dict().items() if not name.startswith("classifier.")}
    assert all(torch.equal(value, state[name]) for name, value in kept.items())
    assert len(kept) == len(state) - 2
    assert model.classifier.out_features == 3  # type: ignore[union-attr]


@pytest.mark.slow
def test_inceptions_published_weights_convert_the_normalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    state = zoo.inception_v3(weights=None, init_weights=False).state_dict()
    monkeypatch.setattr(backbones, "pretrained", lambda _: state)
    for model, converts in (
        (build_backbone("inception_v3", weights="imagenet"), True),
        (on_paper("inception_v3"), False),
    ):
        assert isinstance(model, zoo.Inception3)
        assert model.transform_input is converts


def test_the_published_network_keeps_its_head() -> None:
    network = imagenet_classifier("efficientnet_lite0")
    assert head_of(network).weight.shape == (1000, 1280)
    assert len(BACKBONES["efficientnet_lite0"].imagenet.meta["categories"]) == 1000
    with pytest.raises(ValueError, match="name must be one of"):
        imagenet_classifier("resnet19")


def test_the_preprocessing_is_that_of_the_weights() -> None:
    how = preprocessing_for("inception_v3", "imagenet")
    assert (how.size, how.mean, how.std) == (299, IMAGENET_MEAN, IMAGENET_STD)
    grey = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    seen = network_input(grey, preprocessing_for("efficientnet_lite0", "imagenet"))
    assert torch.allclose(seen, ((grey.float() - 127) / 128).expand(1, 3, 1, 3), atol=1e-6)
    assert preprocessing_for("resnet50", None).mean == (0.5, 0.5, 0.5)


def test_what_is_asked_is_what_comes_or_an_error() -> None:
    with pytest.raises(ValueError, match=r"one of resnet18, resnet50.*but is 'resnet19'"):
        build_backbone("resnet19", weights=None)
    with pytest.raises(
        ValueError, match=r"no phantom weights for vgg16_bn, only for resnet18, .*\. Take one of these, or"
    ):
        build_backbone("vgg16_bn", weights="phantom")
    with pytest.raises(ValueError, match="no phantom weights for resnet50"):
        preprocessing_for("resnet50", "phantom")
    with pytest.raises(ValueError, match="at least two classes, got 1"):
        build_backbone("densenet121", 1, weights=None)


def test_other_models_say_where_their_head_is_or_are_refused() -> None:
    net = Net()
    assert head_of(net) is net.head
    for find in (head_of, grad_cam_layer):
        with pytest.raises(ValueError, match=r"one of the networks resnet18.* but got a Linear"):
            find(nn.Linear(2, 2))
