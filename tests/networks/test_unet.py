"""The U-Net: any size, 2-D and 3-D, any depth."""

import pytest
import torch

from course_lib.networks.unet import UNet


@pytest.mark.parametrize(
    ("dimensions", "depth", "size"),
    [
        (2, 3, (64, 64)),
        (2, 3, (61, 50)),
        (2, 3, (5, 130)),
        (2, 1, (7, 3)),
        (2, 5, (40, 33)),
        (3, 2, (16, 16, 16)),
        (3, 2, (13, 18, 6)),
        (3, 3, (1, 9, 20)),
    ],
)
def test_the_answer_has_the_size_of_the_image(dimensions: int, depth: int, size: tuple[int, ...]) -> None:
    unet = UNet(3, 2, dimensions=dimensions, depth=depth, width=4)
    logits = unet(torch.randn(2, 2, *size))
    assert logits.shape == (2, 3, *size)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_what_is_missing_at_the_end_is_the_last_pixel_again() -> None:
    torch.manual_seed(0)
    unet, image = UNet(2, depth=1, width=4), torch.randn(1, 1, 32, 33)
    longer = torch.cat([image, image[..., -1:]], dim=-1)
    torch.testing.assert_close(unet(image), unet(longer)[..., :33])


def test_the_maps_halve_and_the_channels_double() -> None:
    unet = UNet(2, depth=3, width=8)
    seen = []
    for part in (*unet.down, *unet.up):
        part.register_forward_hook(lambda _part, _inputs, maps: seen.append(tuple(maps.shape[1:])))
    unet(torch.zeros(1, 1, 32, 48))
    down = [(8, 32, 48), (16, 16, 24), (32, 8, 12), (64, 4, 6)]
    assert seen == down + down[-2::-1]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_gradients_reach_every_parameter(dimensions: int) -> None:
    torch.manual_seed(0)
    unet = UNet(2, dimensions=dimensions, depth=2, width=4)
    unet(torch.randn(2, 1, *[8] * dimensions)).square().sum().backward()
    still = [name for name, p in unet.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert still == []


def test_an_image_is_answered_alike_whatever_is_beside_it_in_training_as_later() -> None:
    torch.manual_seed(0)
    unet, images = UNet(2, depth=2, width=4), torch.randn(3, 1, 16, 16)
    together = unet.train()(images)
    torch.testing.assert_close(unet.eval()(images[1:2]), together[1:2])


def test_channels_last_changes_nothing() -> None:
    torch.manual_seed(0)
    unet, images = UNet(3, 3, depth=2, width=8), torch.randn(2, 3, 21, 30)
    before = unet(images)
    after = unet.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_calculates_with_16_bits(dimensions: int) -> None:
    unet, images = UNet(2, dimensions=dimensions, depth=2, width=4), torch.randn(1, 1, *[10] * dimensions)
    with torch.autocast("cpu", torch.bfloat16):
        logits = unet(images)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), unet(images), atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": 0}, "labels must be at least 1"),
        ({"channels": 0}, "channels must be at least 1"),
        ({"dimensions": 4}, "dimensions must be 2 or 3"),
        ({"depth": 0}, "depth must be at least 1"),
        ({"width": 6}, "width must be a multiple of 4.*width=6"),
        ({"width": 0}, "width must be a multiple of 4"),
    ],
)
def test_it_says_which_argument_is_wrong(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNet(**{"labels": 2, **wrong})


@pytest.mark.parametrize("shape", [(16, 16), (1, 16, 16), (1, 3, 16, 16), (1, 1, 8, 8, 8), (1, 1, 0, 16), (0, 1, 9, 9)])
def test_it_says_what_it_can_not_take(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images of shape \[batch, 1, height, width\], but got") as error:
        UNet(2)(torch.zeros(shape))
    assert str(list(shape)) in str(error.value)
    with pytest.raises(ValueError, match=r"\[batch, 1, depth, height, width\]"):
        UNet(2, dimensions=3)(torch.zeros(1, 1, 8, 8))
