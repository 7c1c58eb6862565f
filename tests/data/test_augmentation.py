"""The random changes of training: each image its own, none that lies."""

from dataclasses import replace

import pytest
import torch

from course_lib.data.augmentation import NO_CHANGE, STRONGEST, Augmentation, OneOf
from course_lib.support.runtime import seeded

OFF = Augmentation(**dict.fromkeys(STRONGEST, 0.0))  # type: ignore[arg-type]
ALL = Augmentation(patch=0.5, jpeg=0.5)
STRENGTHS = {"patch": 1.0, "jpeg": 1.0, "blur": 1.0}


@pytest.fixture
def chest() -> torch.Tensor:
    """One image of 32 x 32 px: dark on the left, lighter towards the right, with a bright bar across."""
    image = torch.linspace(0.1, 0.8, 32).repeat(32, 1)
    image[20:23] = 0.9
    return image[None]


@pytest.mark.parametrize("shape", [(6, 1, 32, 32), (1, 32, 32), (1, 1, 24, 40)])
def test_shape_range_and_the_given_tensor_are_kept(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape)
    before = images.clone()
    changed = ALL(images)
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert torch.equal(images, before)
    assert not torch.equal(changed, images)


@pytest.mark.parametrize("name", STRONGEST)
def test_each_change_alone_gives_every_image_its_own_draw(name: str, chest: torch.Tensor) -> None:
    alone = replace(OFF, **{name: STRENGTHS.get(name, getattr(Augmentation(), name))})
    with seeded(0):
        changed = alone(chest.expand(8, 1, 32, 32))
    assert len(torch.unique(changed, dim=0)) >= 7  # two small blurs or patches may come out alike
    assert ((changed - chest).abs().amax((1, 2, 3)) > 1e-3).sum() >= 6


def test_all_off_changes_nothing(chest: torch.Tensor) -> None:
    assert torch.equal(OFF(chest), chest)


def test_the_same_seed_gives_the_same_bits(chest: torch.Tensor) -> None:
    batch = chest.expand(8, 1, 32, 32)
    with seeded(5):
        first = ALL(batch)
    with seeded(5):
        assert torch.equal(ALL(batch), first)
    with seeded(6):
        assert not torch.equal(ALL(batch), first)


def test_what_is_dark_on_the_left_stays_dark_on_the_left(chest: torch.Tensor) -> None:
    with seeded(0):
        changed = replace(ALL, patch=0.0)(chest.expand(300, 1, 32, 32))
    assert (changed[..., 4:14].mean((1, 2, 3)) < changed[..., 18:28].mean((1, 2, 3))).all()


def test_a_rotation_turns_pixels_by_its_angle_in_an_image_that_is_not_square() -> None:
    image = torch.zeros(1, 40, 120)
    image[0, :, 60] = 1
    with seeded(1):
        turned = replace(OFF, rotation=30.0)(image.expand(50, 1, 40, 120))
    rows = torch.tensor([8.0, 32.0])
    column = torch.stack(
        [(turned[:, 0, int(r)] * torch.arange(120)).sum(1) / turned[:, 0, int(r)].sum(1) for r in rows]
    )
    slant = torch.rad2deg(torch.atan((column[1] - column[0]) / (rows[1] - rows[0])))
    with seeded(1):
        drawn = 30 * (2 * torch.rand(50, 4)[:, 0] - 1)
    assert torch.allclose(slant.abs(), drawn.abs(), atol=1.0)


def test_blur_is_a_gaussian_of_the_drawn_width() -> None:
    point = torch.zeros(3, 1, 21, 21)
    point[..., 10, 10] = 1
    with seeded(3):
        blurred = replace(OFF, blur=2.0)(point)[:, 0]
    spread = (blurred.sum(1) * (torch.arange(21) - 10) ** 2).sum(1).sqrt()
    assert torch.allclose(blurred.sum((1, 2)), torch.ones(3), atol=1e-5)
    assert ((spread > 0) & (spread <= 2)).all()


def test_a_patch_is_one_grey_and_no_longer_than_asked() -> None:
    with seeded(0):
        changed = replace(OFF, patch=1.0, patch_side=0.25)(torch.full((40, 1, 40, 40), 0.5))[:, 0] != 0.5
    assert changed.any((1, 2)).float().mean() > 0.9
    assert changed.any(1).sum(1).max() <= 10
    assert changed.any(2).sum(1).max() <= 10


def test_compression_meets_about_as_many_images_as_asked() -> None:
    images = torch.rand(200, 1, 16, 16)
    with seeded(0):
        met = (replace(OFF, jpeg=0.3)(images) != images).any((1, 2, 3))
    assert 40 <= met.sum() <= 80


def test_a_mask_goes_where_its_image_goes_and_the_image_is_changed_as_ever() -> None:
    images, masks = 0.2 * torch.ones(12, 1, 40, 40), torch.zeros(12, 40, 40, dtype=torch.bool)
    masks[:, 10:25, 5:20] = True
    images[masks[:, None]] = 0.9
    change = replace(ALL, rotation=30, shift=0.2, scale=0.3, noise=0.0, blur=0.0, patch=0.0)
    with seeded(3):
        as_ever = change(images)
    with seeded(3):
        changed, moved = change.with_masks(images, masks)
    assert torch.equal(changed, as_ever)
    assert moved.dtype == torch.bool
    assert moved.shape == masks.shape
    for image, mask in zip(changed[:, 0], moved, strict=True):
        middle = (image.min() + image.max()) / 2
        assert ((image > middle) == mask).float().mean() > 0.97
    assert len(torch.unique(moved, dim=0)) == 12


def test_slices_of_one_patient_and_all_their_masks_are_changed_as_one() -> None:
    several = torch.rand(8, 1, 24, 24).repeat(1, 3, 1, 1)
    masks = (torch.rand(8, 1, 24, 24) > 0.5).repeat(1, 2, 1, 1)
    change = replace(ALL, rotation=30, noise=0.0, jpeg=1.0)
    with seeded(3):
        one, mask = change.with_masks(several[:, :1], masks[:, 0])
    with seeded(3):
        changed, moved = change.with_masks(several, masks)
    assert torch.equal(changed, one.repeat(1, 3, 1, 1))
    assert torch.equal(moved, mask[:, None].repeat(1, 2, 1, 1))


def test_each_channel_has_a_contrast_around_its_own_mean_and_a_grain_of_its_own() -> None:
    images = torch.rand(6, 2, 24, 24) * torch.tensor([1.0, 0.4])[:, None, None]
    masks = torch.rand(6, 24, 24) > 0.5
    change = replace(OFF, rotation=30, contrast=0.2)
    with seeded(3):
        changed, _ = change.with_masks(images, masks)
    for channel in (0, 1):
        with seeded(3):
            alone, _ = change.with_masks(images[:, channel : channel + 1], masks)
        assert torch.equal(changed[:, channel : channel + 1], alone)
    grainy, _ = replace(OFF, noise=0.1).with_masks(torch.full((6, 2, 24, 24), 0.5), masks)
    assert not torch.equal(grainy[:, 0], grainy[:, 1])


def test_masks_go_with_a_batch_of_images() -> None:
    with pytest.raises(ValueError, match=r"shape \[n, channels, height, width\], but got \[1, 24, 24\]"):
        ALL.with_masks(torch.rand(1, 24, 24), torch.rand(24, 24) > 0.5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rotation": -1.0}, r"rotation must be from 0 \(off\) to 45, but is -1"),
        ({"jpeg": 2.0}, r"jpeg must be from 0 \(off\) to 1"),
        ({"noise": float("nan")}, "noise must be .* but is nan"),
        ({"patch_side": 0.0}, "patch_side must be above 0"),
        ({"jpeg_quality": (90, 40)}, "lowest and highest"),
    ],
)
def test_strengths_that_make_no_sense(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augmentation(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 8, 8), r"Expected grey images.*\[2, 3, 8, 8\]"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), "got torch.uint8"),
        (torch.full((1, 8, 8), -2.0), "got -2 to -2. Augment before you normalise"),
    ],
)
def test_images_it_can_not_change(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ALL(images)


def test_a_larger_picture_is_blurred_as_much_in_the_chest_and_no_more_than_is_allowed() -> None:
    change = Augmentation(blur=1.5)
    assert change.at_size(128) == replace(change, blur=3.0)
    assert change.at_size(64) == change
    assert change.at_size(640).blur == STRONGEST["blur"]


def test_one_of_several_changes_is_drawn_for_each_image(chest: torch.Tensor) -> None:
    small, large = (replace(NO_CHANGE, patch=1.0, patch_side=side) for side in (0.1, 1.0))
    either = OneOf((NO_CHANGE, small, large))
    images = chest.expand(60, 1, 32, 32)
    with seeded(0):
        changed = either(images)
    with seeded(0):
        assert torch.equal(either(images), changed)
    differing = (changed != chest).sum((1, 2, 3))  # px
    assert 10 < (differing == 0).sum() < 30
    assert ((differing > 0) & (differing <= 16)).sum() > 10
    assert (differing > 50).sum() > 8
    assert either(chest).shape == chest.shape
    assert torch.equal(images, chest.expand(60, 1, 32, 32))


def test_no_change_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no change to draw from"):
        OneOf(())
