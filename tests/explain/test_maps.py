"""Maps of what a network looked at, held against values computed by hand; their scores; and interventions."""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_lib.data.image_folder import read_split
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, to_display
from course_lib.explain.interventions import cover, intervene
from course_lib.explain.localisation import estimate, overlap, pointing_game
from course_lib.explain.maps import grad_cam, integrated_gradients, occlusion, randomised
from course_lib.figures.explanations import place_in_words, plot_estimates, plot_maps
from course_lib.figures.style import text_alternative
from course_lib.lessons import explaining_predictions as explaining
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.chest_xray.masks import masks_of
from course_lib.networks.freezing import stages
from course_lib.networks.net import Net
from course_lib.support.errors import DataError

Explain = Callable[[nn.Module, torch.Tensor], np.ndarray]


class Corner(nn.Module):
    """Two logits: 0, and the sum of the upper left 4 x 4 pixels of the first channel, squared."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = nn.Identity()
        self.dropout = nn.Dropout(0.9)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        corner = self.dropout(self.whole(images))[:, 0, :4, :4].square().sum(dim=(1, 2))
        return torch.stack([torch.zeros_like(corner), corner], dim=1)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) + 0.5


@pytest.fixture
def net() -> Net:
    """Random, but with a head that answers; in training mode."""
    torch.manual_seed(0)
    model = Net(channels=4)
    nn.init.normal_(model.head[2].weight)  # type: ignore[arg-type]
    return model


def test_grad_cam_is_the_one_by_hand(net: Net, images: torch.Tensor) -> None:
    net.eval()
    features = net.features(images)
    features.retain_grad()
    net.head(net.pool(features))[:, 1].sum().backward()
    assert features.grad is not None
    by_hand = torch.stack(
        [explaining.cam(f, explaining.channel_weights(g)) for f, g in zip(features, features.grad, strict=True)]
    )
    large = nn.functional.interpolate(by_hand[:, None].detach(), (32, 32), mode="bilinear")[:, 0]
    np.testing.assert_allclose(grad_cam(net, net.features, images, 1), large.numpy(), rtol=1e-4, atol=1e-6)
    assert by_hand.max() > 0


def test_grad_cam_works_on_a_frozen_network(net: Net, images: torch.Tensor) -> None:
    free = grad_cam(net, net.features, images, 1)
    np.testing.assert_array_equal(grad_cam(net.requires_grad_(False), net.features, images, 1), free)


def test_occlusion_is_the_one_by_hand(images: torch.Tensor) -> None:
    falls = occlusion(Corner(), images, 1, patch=4, stride=4, fill=0.25)

    def score(image: np.ndarray) -> float:
        return float(np.square(image[:4, :4]).sum())

    by_hand = explaining.occlusion_map(score, images[0, 0].numpy(), 4, 0.25)
    np.testing.assert_allclose(falls[0, ::4, ::4], by_hand, rtol=1e-4, atol=1e-5)
    assert falls[0, 3, 3] == falls[0, 0, 0] > 0
    assert (falls[:, 4:] == 0).all()


@pytest.mark.parametrize(("patch", "stride"), [(4, 5), (33, 4), (4, 0)])
def test_a_patch_that_leaves_pixels_out_is_refused(images: torch.Tensor, patch: int, stride: int) -> None:
    with pytest.raises(ValueError, match="stride <= patch <= 32"):
        occlusion(Corner(), images, 1, patch=patch, stride=stride)


def test_integrated_gradients_are_those_by_hand(images: torch.Tensor) -> None:
    """The integral of 2x from 0.5 to the pixel is the difference of the squares."""
    parts = integrated_gradients(Corner(), images, 1, baseline=0.5, steps=8)
    np.testing.assert_allclose(parts[:, :4, :4], images[:, 0, :4, :4].square().numpy() - 0.25, rtol=1e-4)
    assert (parts[:, 4:] == 0).all()


EXPLANATIONS: dict[str, Explain] = {
    "grad_cam": lambda model, images: grad_cam(model, model.get_submodule("features"), images, 1),
    "occlusion": lambda model, images: occlusion(model, images, 1),
    "integrated_gradients": lambda model, images: integrated_gradients(model, images, 1, steps=4),
}


@pytest.mark.parametrize("explain", EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_a_map_is_as_large_as_its_image_and_the_network_stays_as_it_was(
    explain: Explain, net: Net, images: torch.Tensor
) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, again = explain(net, images), explain(net, images)
    assert first.shape == (2, 32, 32)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(explain(net, images[1:]), first[1:], rtol=1e-3, atol=1e-5)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not images.requires_grad


MASK = np.zeros((1, 4, 4), dtype=bool)
MASK[0, :2, :2] = True


@pytest.mark.parametrize(
    ("heat", "pointed", "shared"),
    [
        (np.arange(16.0)[::-1], 1.0, 0.5),
        (np.arange(16.0), 0.0, 0.0),
        (MASK[0].astype(float), 1.0, 1.0),
        (-MASK[0].astype(float), 0.0, 0.0),
        (np.zeros(16), 0.25, 0.25),
        (np.r_[3.0, np.ones(15)], 1.0, (1 + 3 * 3 / 15) / 4),
    ],
)
def test_a_map_is_scored_as_by_hand(heat: np.ndarray, pointed: float, shared: float) -> None:
    assert pointing_game(heat.reshape(1, 4, 4), MASK) == pytest.approx([pointed])
    assert overlap(heat.reshape(1, 4, 4), MASK) == pytest.approx([shared])


def test_the_scores_are_those_of_the_exercises() -> None:
    rng = np.random.default_rng(0)
    maps, masks = rng.permutation(3 * 48).reshape(3, 6, 8).astype(float), rng.random((3, 6, 8)) < 0.3
    assert overlap(maps, masks) == pytest.approx([*map(explaining.overlap, maps, masks)])
    assert pointing_game(maps, masks) == pytest.approx(
        [float(explaining.hits(*pair)) for pair in zip(maps, masks, strict=True)]
    )


@pytest.mark.parametrize("score", [pointing_game, overlap])
def test_a_score_needs_masks_that_fit_and_are_not_empty(score: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"\[1, 4, 4\] and \[1, 4, 5\]"):
        score(np.zeros((1, 4, 4)), np.ones((1, 4, 5), dtype=bool))
    with pytest.raises(ValueError, match="A mask is empty"):
        score(np.zeros((2, 4, 4)), np.concatenate([MASK, np.zeros_like(MASK)]))


def test_an_estimate_is_a_mean_with_an_interval() -> None:
    value, low, high = estimate(np.r_[np.zeros(50), np.ones(50)])
    assert value == 0.5
    assert 0.38 < low < 0.45
    assert 0.55 < high < 0.62
    assert estimate(np.ones(5)) == (1, 1, 1)


def test_randomising_starts_at_the_head_and_spares_the_original(net: Net) -> None:
    names = [name for name, _ in stages(net)]
    for last in range(len(names) + 1):
        changed = [
            name
            for (name, old), (_, new) in zip(stages(net), stages(randomised(net, last=last, seed=1)), strict=True)
            if any(not torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True))
        ]
        assert changed == names[len(names) - last :]
    pairs = zip(randomised(net, last=1).parameters(), randomised(net, last=1).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match="from 0 to 4"):
        randomised(net, last=5)


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


def test_a_figure_of_maps_says_where_each_is_highest() -> None:
    heats = [np.zeros((30, 30)), np.zeros((30, 30))]
    heats[0][2, 28], heats[1][15, 15], heats[1][0, 0] = 4, 2, -8
    masks = [np.zeros((30, 30), bool), np.zeros((30, 30), bool)]
    masks[1][10:20, 10:20] = True
    grid = plot_maps([to_display(torch.zeros(3, 30, 30), Preprocessing())] * 2, heats, ["a", "b"], "Two", masks=masks)
    assert text_alternative(grid[0, 0]) == (
        "Two. 2 maps on one scale. a: from 0 to 4, highest in the upper right; b: from -8 to 2, highest in the middle, "
        "inside the mask. A white outline marks the mask."
    )
    first, second = (np.asarray(axes.images[0].get_array()) for axes in grid.ravel())
    assert first[0, 0] == pytest.approx([16 / 31] * 3)
    assert first[2, 28, 0] > second[15, 15, 0] > second[15, 15, 2]  # orange, and more of it where the map is higher
    assert second[0, 0, 2] > second[0, 0, 1]  # purple below zero
    assert place_in_words(-np.eye(9)[::-1]) == "upper left"
    plt.close("all")


def test_estimates_say_their_values() -> None:
    axes = plot_estimates({"a": (0.5, 0.25, 0.75), "b": (1, 1, 1)}, "Scores", "hits", chance=0.3)
    assert text_alternative(axes) == (
        "Scores, hits, with the 95 % interval. a 0.50 (0.25 to 0.75); b 1.00 (1.00 to 1.00). Chance is 0.30."
    )
    plt.close("all")
