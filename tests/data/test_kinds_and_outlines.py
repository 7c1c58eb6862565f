"""Images of kinds with masks, in memory: a change goes through both alike, and an image may have no mask."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.kinds_and_outlines import KindAndOutlineDataset
from course_lib.data.outlines_and_boxes import OutlinedDataset, OutlinedImage
from course_lib.data.samples import LabelledImage, preparation_of
from course_lib.data.transforms import Preprocessing
from course_lib.support.errors import DataError
from course_lib.support.runtime import seeded
from course_lib.tasks.kind_and_outline import NO_MASK

HOW = Preprocessing(32, "squeeze")
KINDS = ("a", "b")


@dataclass(frozen=True)
class Slice(LabelledImage):
    """An image that may have a mask."""

    mask: Path | None = None


@pytest.fixture
def slices(tmp_path: Path) -> list[Slice]:
    """Dark pictures of 64 x 48 px with a bright rectangle, whose masks have 8 bits, one bit, and are not there."""
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 8:28] = 255
    made = []
    for number, mode in enumerate(("L", "1", None)):
        path = tmp_path / f"{number}.png"
        Image.fromarray((mask // 2 + 20).astype(np.uint8)).save(path)
        drawn = tmp_path / f"{number}_mask.png" if mode else None
        if drawn:
            Image.fromarray(mask).convert(mode).save(drawn)
        made.append(Slice(path, number % 2, f"p{number}", drawn))
    return made


def inside(images: torch.Tensor) -> torch.Tensor:
    """Where a picture is bright."""
    low, high = images[:, 0].amin((1, 2), keepdim=True), images[:, 0].amax((1, 2), keepdim=True)
    return images[:, 0] > (low + high) / 2


def test_images_kinds_and_outlines_are_those_of_the_files(slices: list[Slice]) -> None:
    data = KindAndOutlineDataset(slices, KINDS, HOW)
    images, (kinds, outlines) = data.batch(torch.tensor([2, 0, 1]))
    assert images.shape == (3, 3, 32, 32)
    assert kinds.tolist() == [0, 0, 1]
    assert (outlines[0] == NO_MASK).all()
    assert torch.equal(outlines[1:] == 1, inside(images)[1:])
    drawn = [OutlinedImage(one.path, one.mask, one.patient) for one in slices if one.mask]
    same = OutlinedDataset(drawn, ("background", "tumour"), HOW, values=(0, 255)).batch(torch.arange(2))
    assert torch.equal(images[1:], same[0])
    assert torch.equal(outlines[1:], same[1])


def test_a_random_change_goes_through_image_and_mask_alike(slices: list[Slice]) -> None:
    change = replace(NO_CHANGE, rotation=30, shift=0.1, scale=0.3, shear=10)
    data = KindAndOutlineDataset(slices, KINDS, HOW, change, mirror=True)
    plain = KindAndOutlineDataset(slices, KINDS, HOW).batch(torch.tensor([0]))[1].outline
    with seeded(0):
        images, (_, outlines) = data.batch(torch.tensor([0, 1] * 10 + [2]))
    assert (outlines[-1] == NO_MASK).all()
    assert ((outlines == 1) == inside(images))[:-1].float().mean() > 0.98
    assert len({tuple(outline.flatten().tolist()) for outline in outlines[:-1]}) == 20
    assert not any(torch.equal(outline, plain[0]) for outline in outlines)


def test_about_half_of_the_images_are_mirrored(slices: list[Slice]) -> None:
    plain = KindAndOutlineDataset(slices, KINDS, HOW).batch(torch.tensor([0]))
    with seeded(0):
        images, (_, outlines) = KindAndOutlineDataset(slices, KINDS, HOW, mirror=True).batch(torch.tensor([0] * 60))
    there = [
        torch.equal(image, plain[0][0]) and torch.equal(outline, plain[1].outline[0])
        for image, outline in zip(images, outlines, strict=True)
    ]
    mirrored = [
        torch.equal(image, plain[0][0].flip(2)) and torch.equal(outline, plain[1].outline[0].flip(1))
        for image, outline in zip(images, outlines, strict=True)
    ]
    assert sum(there) + sum(mirrored) == 60
    assert 20 <= sum(mirrored) <= 40


def test_what_stays_in_its_place_does_not_touch_the_mask(slices: list[Slice]) -> None:
    change = replace(NO_CHANGE, noise=0.1, gamma=0.5, contrast=0.3, blur=1.0)
    images, (_, outlines) = KindAndOutlineDataset(slices, KINDS, HOW, change).batch(torch.arange(3))
    plain, (_, as_drawn) = KindAndOutlineDataset(slices, KINDS, HOW).batch(torch.arange(3))
    assert torch.equal(outlines, as_drawn)
    assert not torch.equal(images, plain)


def test_some_of_the_images_keep_what_is_theirs(slices: list[Slice]) -> None:
    part = KindAndOutlineDataset(slices, KINDS, HOW).take([2, 1])
    assert len(part) == 2
    assert part.patients == ["p2", "p1"]
    images, (kinds, outlines) = part.batch(torch.arange(2))
    assert kinds.tolist() == [0, 1]
    assert (outlines[0] == NO_MASK).all()
    assert (outlines[1] == 1).any()
    assert torch.equal(part.inputs(torch.arange(2)), images)


def test_another_change_is_another_preparation(slices: list[Slice]) -> None:
    several = [
        KindAndOutlineDataset(slices, KINDS, HOW),
        KindAndOutlineDataset(slices, KINDS, HOW, mirror=True),
        KindAndOutlineDataset(slices, KINDS, HOW, Augmentation()),
        KindAndOutlineDataset(slices, KINDS, replace(HOW, normalisation="per image")),
    ]
    assert len({preparation_of(data) for data in several}) == 4
    assert preparation_of(several[0].take([0])) == preparation_of(several[0])


def test_what_is_wrong_is_named(slices: list[Slice]) -> None:
    with pytest.raises(DataError, match="at least one image"):
        KindAndOutlineDataset([], KINDS, HOW)
    with pytest.raises(DataError, match=r"1\.png"):
        KindAndOutlineDataset([replace(slices[1], label=2)], KINDS, HOW)
    mask = slices[0].mask
    assert mask is not None
    Image.fromarray(np.full((48, 64), 7, np.uint8)).save(mask)
    with pytest.raises(DataError, match=r"0_mask.png holds the grey values \[7\]"):
        KindAndOutlineDataset(slices, KINDS, HOW)
