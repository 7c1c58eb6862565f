"""Images with masks and boxes: what changes the picture changes its target alike, and wrong files are named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage, OutlinedDataset, OutlinedImage
from course_lib.data.transforms import Geometry, Preprocessing
from course_lib.support.errors import DataError

HOW = Preprocessing(32, "squeeze")
HALF = (100 / 255 - 0.5) / 0.25  #: between the dark and the bright, in a normalised picture
BOX = (20, 8, 40, 24)  #: left, top, right, bottom of the bright rectangle in each picture, px


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A dark picture of 64 x 48 px with a bright rectangle."""
    pixels = np.zeros((48, 64), np.uint8)
    left, top, right, bottom = BOX
    pixels[top:bottom, left:right] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


@pytest.fixture
def outlined(picture: Path) -> OutlinedImage:
    """The picture with a mask of the rectangle, whose grey value is 170."""
    mask = picture.with_name("a_mask.png")
    Image.fromarray(np.where(np.asarray(Image.open(picture)) > 0, 170, 0).astype(np.uint8)).save(mask)
    return OutlinedImage(picture, mask, "p1", (0.5, 0.5))


def outlines_of(sample: OutlinedImage, how: Preprocessing = HOW, change: v2.Transform | None = None) -> OutlinedDataset:
    return OutlinedDataset([sample, sample], ("background", "rectangle"), how, change, values=(0, 170))


@pytest.mark.parametrize("geometry", ["squeeze", "crop", "pad"])
def test_a_mask_is_fitted_to_the_square_like_its_image(outlined: OutlinedImage, geometry: Geometry) -> None:
    data = outlines_of(outlined, Preprocessing(32, geometry))
    images, masks = data.batch(torch.tensor([0, 1]))
    assert images.shape == (2, 3, 32, 32)
    assert masks.shape == (2, 32, 32)
    assert masks.dtype == torch.int64
    bright = images[:, 0] > HALF
    assert (bright == (masks == 1)).float().mean() > 0.99


def test_a_mask_may_have_one_bit_per_pixel(outlined: OutlinedImage) -> None:
    Image.fromarray(np.asarray(Image.open(outlined.mask)) > 0).save(outlined.mask)
    data = OutlinedDataset([outlined], ("background", "rectangle"), HOW, values=(0, 255))
    images, masks = data.batch(torch.tensor([0]))
    assert ((images[:, 0] > HALF) == (masks == 1)).float().mean() > 0.99


def test_a_random_change_goes_through_image_and_mask_alike(outlined: OutlinedImage) -> None:
    torch.manual_seed(3)
    plain = outlines_of(outlined).batch(torch.tensor([0]))[1]
    turned = outlines_of(outlined, change=v2.RandomAffine(40, translate=(0.2, 0.2))).batch(torch.tensor([0]))
    assert not torch.equal(turned[1], plain)
    assert ((turned[0][:, 0] > HALF) == (turned[1] == 1)).float().mean() > 0.96


@pytest.mark.parametrize(
    ("geometry", "spacing"), [("squeeze", (0.75, 1.0)), ("crop", (0.75, 0.75)), ("pad", (1.0, 1.0))]
)
def test_some_of_the_images_have_their_patients_and_the_spacing_of_the_square(
    outlined: OutlinedImage, geometry: Geometry, spacing: tuple[float, float]
) -> None:
    part = outlines_of(outlined, Preprocessing(32, geometry)).take([1])
    assert len(part) == 1
    assert part.patients == ["p1"]
    assert part.samples[0].spacing == spacing


def test_a_mask_of_another_size_or_with_a_strange_value_is_named(outlined: OutlinedImage) -> None:
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(outlined.mask)
    with pytest.raises(DataError, match=r"a_mask.png has 9 x 9 pixels, its image 64 x 48"):
        outlines_of(outlined).batch(torch.tensor([0]))
    Image.fromarray(np.full((48, 64), 169, np.uint8)).save(outlined.mask)
    with pytest.raises(DataError, match=r"a_mask.png holds the grey values \[169\], .*saved as JPEG"):
        outlines_of(outlined).batch(torch.tensor([0]))


def test_each_label_has_one_grey_value(outlined: OutlinedImage) -> None:
    with pytest.raises(DataError, match="one grey value for each of 3 labels"):
        OutlinedDataset([outlined], ("background", "a", "b"), HOW, values=(0, 170))
    with pytest.raises(DataError, match="at least one image"):
        OutlinedDataset([], ("background", "a"), HOW)


@pytest.mark.parametrize("geometry", ["squeeze", "pad"])
def test_boxes_are_fitted_to_the_square_like_their_image(picture: Path, geometry: Geometry) -> None:
    sample = BoxedImage(picture, (BOX,), (1,), "p1")
    data = BoxedDataset([sample], ("lump", "rectangle"), Preprocessing(32, geometry))
    images, (target,) = data.batch(torch.tensor([0]))
    assert target["labels"].tolist() == [1]
    left, top, right, bottom = target["boxes"][0].round().int().tolist()
    inside = images[0, 0, top:bottom, left:right] > HALF
    assert inside.float().mean() > 0.9
    assert (images[0, 0] > HALF).sum() <= inside.sum() * 1.2
    assert type(target["boxes"]) is torch.Tensor


def test_an_image_without_boxes_and_a_box_that_is_cut_off(picture: Path) -> None:
    none = BoxedImage(picture, (), (), "p1")
    outside = BoxedImage(picture, ((0.0, 0.0, 5.0, 5.0), BOX), (0, 1), "p2")
    data = BoxedDataset([none, outside], ("lump", "rectangle"), Preprocessing(32, "crop"))
    _, targets = data.batch(torch.tensor([0, 1]))
    assert targets[0]["boxes"].shape == (0, 4)
    assert targets[0]["labels"].dtype == torch.int64
    assert targets[1]["labels"].tolist() == [1]  # the middle of 64 x 48 px begins 8 px from the left


def test_of_a_box_beyond_the_rim_the_part_inside_stays_and_a_tiny_one_is_kept(picture: Path) -> None:
    sample = BoxedImage(picture, ((50.0, 10.0, 64.5, 20.0), (10.0, 10.0, 11.0, 11.0)), (0, 0), "p1")
    _, (target,) = BoxedDataset([sample], ("lump",), HOW).batch(torch.tensor([0]))
    assert target["boxes"][:, 2].tolist() == [32.0, 5.5]
    assert len(target["labels"]) == 2


def test_a_random_change_moves_boxes_with_the_image(picture: Path) -> None:
    torch.manual_seed(0)
    sample = BoxedImage(picture, (BOX,), (0,), "p1")
    data = BoxedDataset([sample], ("rectangle",), HOW, v2.RandomHorizontalFlip(p=1.0))
    _, (target,) = data.batch(torch.tensor([0]))
    left, _, right, _ = target["boxes"][0].tolist()
    assert (left, right) == ((64 - BOX[2]) / 2, (64 - BOX[0]) / 2)
