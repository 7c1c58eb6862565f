"""From image to tensor and back."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.stats import rankdata
from torchvision.transforms import v2

from course_lib.data.augmentation import Augmentation
from course_lib.data.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Geometry,
    Preprocessing,
    evaluation_transform,
    fit_to_square,
    network_input,
    ranks_of_greys,
    to_display,
    training_transform,
)
from course_lib.support.runtime import seeded


def wide_image_with_a_disc() -> Image.Image:
    """200 x 100 px, black, with a white disc of 60 px in the middle and a grey bar at the left edge."""
    image = Image.new("L", (200, 100))
    draw = ImageDraw.Draw(image)
    draw.ellipse((70, 20, 130, 80), fill=255)
    draw.rectangle((0, 0, 10, 100), fill=128)
    return image


@pytest.mark.parametrize(
    ("geometry", "round_disc", "bar"), [("crop", True, False), ("pad", True, True), ("squeeze", False, True)]
)
def test_what_each_geometry_keeps(geometry: Geometry, round_disc: bool, bar: bool) -> None:
    square = np.asarray(v2.Compose(fit_to_square(Preprocessing(100, geometry)))(wide_image_with_a_disc()))
    assert square.shape == (100, 100)
    disc = square > 200
    height, width = np.ptp(np.flatnonzero(disc.any(1))), np.ptp(np.flatnonzero(disc.any(0)))
    assert (abs(height - width) <= 2) == round_disc
    assert bool((square[50, :8] > 80).any()) == bar


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_chain_gives_three_equal_normalised_channels(mode: str) -> None:
    tensor = evaluation_transform(Preprocessing(32))(wide_image_with_a_disc().convert(mode))
    assert tensor.shape == (3, 32, 32)
    assert tensor.dtype == torch.float32
    assert torch.equal(tensor[0], tensor[1])
    assert tensor.min() >= -2
    assert tensor.max() == pytest.approx(2)  # white: (1 - 0.5) / 0.25


@pytest.mark.parametrize("how", [Preprocessing(50), Preprocessing(50, mean=IMAGENET_MEAN, std=IMAGENET_STD)])
def test_display_is_the_way_back(how: Preprocessing) -> None:
    image = wide_image_with_a_disc()
    expected = np.asarray(v2.Compose(fit_to_square(how))(image)) / 255
    assert np.allclose(to_display(evaluation_transform(how)(image), how), expected, atol=1e-5)


@pytest.mark.parametrize("mean", [(0.5, 0.5, 0.5), IMAGENET_MEAN, (0.4,)])
def test_a_batch_is_normalised_as_torchvision_does_it(mean: tuple[float, ...]) -> None:
    how = Preprocessing(8, mean=mean, std=IMAGENET_STD[: len(mean)])
    pixels = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    channels = v2.functional.to_dtype(pixels, torch.float32, scale=True).repeat(1, len(mean), 1, 1)
    assert torch.allclose(
        network_input(pixels, how), v2.functional.normalize(channels, list(mean), list(how.std)), atol=1e-6
    )


def test_float_pixels_are_left_as_they_are() -> None:
    pixels = torch.rand(2, 1, 8, 8)
    before = pixels.clone()
    network_input(pixels, Preprocessing(8))
    assert torch.equal(pixels, before)


def test_per_image_normalisation_does_not_see_the_exposure() -> None:
    how = Preprocessing(32, normalisation="per image")
    image = torch.rand(1, 1, 32, 32)
    batch = network_input(torch.cat([image, 0.25 + image / 2, torch.zeros_like(image)]), how)
    assert batch.shape == (3, 3, 32, 32)
    assert batch[0].mean() == pytest.approx(0, abs=1e-5)
    assert batch[0, 0].std(correction=0) == pytest.approx(image.std(correction=0) / (image.std(correction=0) + 0.02))
    assert torch.allclose(batch[0], batch[1], atol=0.15)
    assert not batch[2].any()  # an empty image stays empty


def test_by_rank_does_not_see_the_curve_of_the_film() -> None:
    how = Preprocessing(16, normalisation="by rank")
    image = (torch.rand(1, 1, 16, 16) * 200).round().to(torch.uint8)
    curved = (255 * (image / 255) ** 0.5).round().to(torch.uint8)  # steep in the dark: no two greys become one there
    lifted = image + 40
    batch = network_input(torch.cat([image, lifted]), how)
    assert batch.shape == (2, 3, 16, 16)
    assert torch.equal(batch[0], batch[1])
    dark = image < 60
    assert torch.equal(ranks_of_greys(image)[dark], ranks_of_greys(curved)[dark])
    assert network_input(torch.zeros(1, 1, 8, 8), how).abs().max() == 0


def test_ranks_are_those_of_statistics_and_the_same_for_bytes_and_for_fractions() -> None:
    image = torch.randint(0, 30, (2, 1, 9, 7), dtype=torch.uint8)
    expected = [(rankdata(one.numpy(), method="average") - 0.5) / one.numel() for one in image]
    ranks = ranks_of_greys(image)
    assert np.allclose(ranks.flatten(1).numpy(), np.stack([e.ravel() for e in expected]), atol=1e-6)
    assert torch.equal(ranks, ranks_of_greys(image / 255))


def test_display_after_per_image_normalisation_goes_from_black_to_white() -> None:
    how = Preprocessing(50, normalisation="per image")
    shown = to_display(evaluation_transform(how)(wide_image_with_a_disc()), how)
    assert (shown.min(), shown.max()) == (0, 1)
    assert not to_display(torch.zeros(3, 8, 8), how).any()


def test_a_chain_can_be_sent_to_another_process() -> None:
    image = wide_image_with_a_disc()
    for chain in (evaluation_transform(Preprocessing(16, "pad")), training_transform(Preprocessing(16))):
        with seeded(0):
            expected = chain(image)
        with seeded(0):
            assert torch.equal(pickle.loads(pickle.dumps(chain))(image), expected)


def test_training_takes_any_augmentation() -> None:
    how, image = Preprocessing(16), wide_image_with_a_disc()
    assert torch.equal(
        training_transform(how, torch.zeros_like)(image), network_input(torch.zeros(1, 1, 16, 16), how)[0]
    )
    with seeded(0):
        default = training_transform(how)(image)
    with seeded(0):
        assert torch.equal(training_transform(how, Augmentation())(image), default)


def test_display_wants_one_image() -> None:
    with pytest.raises(ValueError, match=r"one image of shape \[3, height, width\], got \[8, 3, 32, 32\]; pick one"):
        to_display(torch.zeros(8, 3, 32, 32), Preprocessing())


def test_training_changes_images_and_evaluation_does_not() -> None:
    how, image = Preprocessing(48), wide_image_with_a_disc()
    with seeded(1):
        first, second = training_transform(how)(image), training_transform(how)(image)
    with seeded(1):
        again = training_transform(how)(image)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(evaluation_transform(how)(image), evaluation_transform(how)(image))


def test_training_never_mirrors() -> None:
    image = Image.fromarray(np.tile(np.linspace(0, 255, 64, dtype=np.uint8), (64, 1)))
    with seeded(0):
        variants = torch.stack([training_transform(Preprocessing(64))(image) for _ in range(50)])
    assert (variants[:, 0, :, 40:56].mean((1, 2)) > variants[:, 0, :, 8:24].mean((1, 2))).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 0}, "positive number of pixels, but is 0"),
        ({"geometry": "stretch"}, "geometry must be one of .* but is 'stretch'"),
        ({"normalisation": "none"}, "normalisation must be one of .* but is 'none'"),
        ({"std": (0.0, 1.0, 1.0)}, "std above 0"),
        ({"mean": (0.5,)}, "one number per channel"),
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing(**wrong)  # type: ignore[arg-type]
