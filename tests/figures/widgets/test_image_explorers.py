"""Sliders that change a picture and its words."""

import sys

import numpy as np
import pytest
import torch

from course_lib.figures.widgets.image_explorers import (
    draw_filtered,
    draw_occlusion,
    exposure_explorer,
    filtered,
    kernel_explorer,
    occlusion_explorer,
    radiograph_in_words,
)
from course_lib.lessons.building_net import convolve
from course_lib.modalities.chest_xray.simulator import draw_exposure, draw_patient
from course_lib.networks.net import Net
from tests.counted import count_calls

IMAGES = sys.modules[kernel_explorer.__module__]
IMAGE = np.random.default_rng(0).random((64, 64))


def test_every_slider_of_the_exposure_changes_the_picture_and_its_words() -> None:
    rng = np.random.default_rng(4)
    explorer = exposure_explorer(draw_patient(rng, "bacteria"), draw_exposure(rng), size_px=64)
    *sliders, shown = explorer.children
    for slider in sliders:
        before, words = shown.value, repr(explorer)
        slider.value = slider.min if slider.value > (slider.min + slider.max) / 2 else slider.max
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert repr(explorer) != words
        assert f"{slider.description} {slider.value:.3g}" in repr(explorer)


def test_the_words_of_a_radiograph_are_made_from_it() -> None:
    settings = {"severity": 0.5, "energy": 45.0, "photons": 30.0, "gamma": 1.0, "turn": 0.0}
    words = radiograph_in_words(np.array([[0, 255], [255, 255]], np.uint8), settings)
    assert "2 x 2 pixels: disease 0.5, energy, keV 45, photons, 1000s 30" in words
    assert words.endswith("Mean brightness 75%; neighbouring pixels differ by 50.0% on average.")


@pytest.mark.parametrize(("centre", "neighbours"), [(1, 0), (0.25, 0.75), (1, -1), (-0.5, 2)])
def test_the_kernel_of_the_sliders_is_a_convolution_by_hand(centre: float, neighbours: float) -> None:
    kernel = np.full((3, 3), neighbours / 8)
    kernel[1, 1] = centre
    np.testing.assert_allclose(filtered(IMAGE, centre, neighbours), convolve(IMAGE, kernel))


def test_a_kernel_of_zeros_gives_an_even_grey_and_says_so() -> None:
    picture, words = draw_filtered(IMAGE, 0, 0)
    assert picture.shape == (256, 512)
    assert set(np.unique(picture[:, 256:])) == {128}
    assert "weights add up to 0.00" in words
    assert words.endswith("to 0.000.")


def test_a_slider_changes_picture_and_words_and_filters_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_calls(monkeypatch, IMAGES, "filtered")
    explorer = kernel_explorer(IMAGE)
    _, neighbours, shown = explorer.children
    before, words = shown.value, repr(explorer)
    assert "weights add up to 1.00" in words
    neighbours.value = -1.0
    assert len(calls) == 2
    assert "weights add up to 0.00" in repr(explorer)
    assert shown.value.split("src=")[1] != before.split("src=")[1]


def test_the_patch_of_the_slider_changes_the_map_and_its_words_without_asking_the_network() -> None:
    net = Net(channels=2)
    torch.nn.init.normal_(net.head[2].weight)  # type: ignore[arg-type]
    explorer = occlusion_explorer(net, torch.from_numpy(IMAGE).float().expand(3, -1, -1), IMAGE, target=1)
    slider, shown = explorer.children
    assert "a patch of 16 x 16 pixels, 6% of the picture" in repr(explorer)
    before, asked = shown.value, []
    net.register_forward_hook(lambda *_: asked.append(1))
    slider.value = 32
    assert not asked
    assert shown.value != before
    assert "32 x 32 pixels, 25% of the picture" in repr(explorer)


def test_the_map_of_occlusion_is_grey_where_nothing_falls() -> None:
    falls = {8: np.zeros((64, 64), np.float32), 16: np.full((64, 64), -2.0, np.float32)}
    falls[8][10, 20] = 1.0
    picture, words = draw_occlusion(IMAGE, falls, 0.25, 8)
    assert picture.shape == (256, 512)
    assert picture[128, 128] == 64
    assert picture[0, 256] == 128
    assert picture[4 * 10, 256 + 4 * 20] == 191
    assert words.endswith("from 0.00 to 1.00. The fall is largest in row 11, column 21 of 64.")
    assert set(np.unique(draw_occlusion(IMAGE, falls, 0.25, 16)[0][:, 256:])) == {0}
