"""EfficientNet-Lite0: held against the reference network, number by number, and against sense, picture by picture."""

from collections.abc import Mapping

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from skimage import data as pictures

from course_lib.data.transforms import evaluation_transform
from course_lib.networks.backbones import preprocessing_for
from course_lib.networks.efficientnet_lite import STAGES, EfficientNetLite0, InvertedResidual, SameConv2d, our_names
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0, installed

CLOSE = 1e-4  #: of logits, whose spread is about 1
NAMES = {
    "cat": {"tabby", "tiger cat", "Egyptian cat"},
    "coffee": {"espresso", "cup"},
    "rocket": {"missile", "projectile"},
}

State = Mapping[str, torch.Tensor]


@pytest.fixture(scope="module")
def published() -> State:
    """The weights under the names that their package has."""
    return installed(EFFICIENTNET_LITE0)


@pytest.fixture(scope="module")
def network(published: State) -> EfficientNetLite0:
    model = EfficientNetLite0()
    model.load_state_dict(our_names(published), strict=True)
    return model.eval()


def reference(published: State, size: int | None) -> torch.nn.Module:
    """The network that the weights are published for; without a size it pads as each image needs it."""
    model: torch.nn.Module = EfficientNet.from_name("efficientnet-lite0", image_size=size)
    model.load_state_dict(published, strict=True)
    return model.eval()


@pytest.fixture(scope="module")
def shown() -> torch.Tensor:
    """The cat, the coffee and the rocket as the course prepares every image, grey too: [3, 3, 224, 224]."""
    prepare = evaluation_transform(preprocessing_for("efficientnet_lite0", "imagenet"))
    return torch.stack([prepare(Image.fromarray(getattr(pictures, name)())) for name in NAMES])


@torch.inference_mode()
def furthest(one: torch.nn.Module, other: torch.nn.Module, images: torch.Tensor) -> float:
    return float((one(images) - other(images)).abs().max())


def pad_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pad as torchvision's networks do: as much on the left as on the right, and above as below."""
    monkeypatch.setattr(SameConv2d, "_missing", lambda self, _: (self.kernel_size[0] // 2,) * 2)


def test_every_published_name_has_one_place(published: State) -> None:
    ours = our_names(published)
    assert len(ours) == len(published)
    assert ours.keys() == EfficientNetLite0().state_dict().keys()
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: .*_blocks\.16\._bn0\.bias"):
        EfficientNetLite0().load_state_dict(our_names({**published, "_blocks.16._bn0.bias": torch.zeros(1)}))


def test_it_answers_as_the_reference_does(network: EfficientNetLite0, published: State, shown: torch.Tensor) -> None:
    assert furthest(network, reference(published, 224), shown) < CLOSE


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 63), (64, 64), (97, 160)])
def test_it_pads_other_sizes_as_the_reference_does(
    network: EfficientNetLite0, published: State, height: int, width: int
) -> None:
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    assert furthest(network, reference(published, None), images) < CLOSE


def test_the_top_five_name_the_picture(network: EfficientNetLite0, shown: torch.Tensor) -> None:
    with torch.inference_mode():
        best = network(shown).topk(5).indices
    categories = EFFICIENTNET_LITE0.meta["categories"]
    for (picture, names), places in zip(NAMES.items(), best.tolist(), strict=True):
        assert names <= {categories[place] for place in places}, picture


def test_even_padding_changes_the_answers_by_more_than_their_spread(
    network: EfficientNetLite0, published: State, shown: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So TensorFlow's padding is needed. The names alone would not have shown it: they stay right."""
    with torch.inference_mode():
        spread = float(network(shown).std())
    pad_evenly(monkeypatch)
    assert furthest(network, reference(published, 224), shown) > spread > 1000 * CLOSE
    test_the_top_five_name_the_picture(network, shown)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 7, 8, 33])
def test_the_output_has_a_pixel_for_every_step_that_begins_in_the_image(size: int, stride: int, kernel: int) -> None:
    assert SameConv2d(1, 1, kernel, stride)(torch.zeros(1, 1, size, size + 1)).shape[2:] == (
        -(-size // stride),
        -(-(size + 1) // stride),
    )


def test_the_pixel_too_many_goes_to_the_right_and_the_bottom() -> None:
    convolution = SameConv2d(1, 1, kernel=3, stride=2)
    torch.nn.init.ones_(convolution.weight)
    seen = convolution(torch.ones(1, 1, 4, 4))[0, 0]
    assert seen.tolist() == [[9, 6], [6, 4]]


def test_a_block_adds_its_input_where_the_shapes_allow_it_and_nowhere_else(network: EfficientNetLite0) -> None:
    for number, stage in enumerate(STAGES, start=1):
        blocks = list(network.get_submodule(f"stage{number}").children())
        assert [block.adds_input for block in blocks] == [False] + [True] * (stage.blocks - 1)


@pytest.mark.parametrize(("outputs", "stride", "adds"), [(8, 1, True), (8, 2, False), (16, 1, False)])
def test_a_block_whose_way_through_is_shut_gives_its_input_or_nothing(outputs: int, stride: int, adds: bool) -> None:
    block = InvertedResidual(8, outputs, kernel=3, stride=stride, expansion=6).eval()
    torch.nn.init.zeros_(block.get_parameter("project.1.weight"))
    images = torch.randn(1, 8, 6, 6)
    assert torch.equal(block(images), images if adds else torch.zeros(1, outputs, 6 // stride, 6 // stride))
