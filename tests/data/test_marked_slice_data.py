"""Slices with the marks of several readers: neighbours, crop and change, and what stays with which slice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data.augmentation import NO_CHANGE, Augmentation
from course_lib.data.marked_slice_data import MarkedSliceDataset
from course_lib.data.marked_slices import MarkedSlice
from course_lib.data.samples import preparation_of
from course_lib.data.transforms import Preprocessing
from course_lib.support.errors import DataError
from course_lib.support.runtime import seeded
from course_lib.tasks.reader_outlines import ReaderOutlines

SIDE = 48  #: px of the files
HOW = Preprocessing(SIDE, "squeeze", mean=(0.0,), std=(1.0,))


@pytest.fixture
def slices(tmp_path: Path) -> list[MarkedSlice]:
    """Two nodules of three slices and of one; each slice is dark with a spot that becomes brighter from slice to slice.

    The first reader marked the spot, the second more than that, the third nothing.
    """
    made = []
    for nodule, position in (("a/nodule-0", 2), ("a/nodule-0", 0), ("a/nodule-0", 1), ("b/nodule-0", 0)):
        name = f"{nodule.replace('/', '-')}-{position}"
        spot = np.zeros((SIDE, SIDE), np.uint8)
        spot[16:30, 18:34] = 1
        larger = np.zeros_like(spot)
        larger[12:34, 14:38] = 1
        Image.fromarray((20 + (60 + 60 * position) * spot).astype(np.uint8)).save(tmp_path / f"{name}.png")
        masks = []
        for reader, mask in enumerate((spot, larger, 0 * spot)):
            masks.append(tmp_path / f"{name}-mask-{reader}.png")
            Image.fromarray(255 * mask).save(masks[-1])
        made.append(MarkedSlice(tmp_path / f"{name}.png", tuple(masks), nodule[0], nodule, position))
    return made


def brightest(images: torch.Tensor) -> list[list[int]]:
    """The highest grey of each channel, 0 to 255."""
    highest: list[list[int]] = (255 * images.amax((2, 3))).round().int().tolist()
    return highest


def test_images_and_marks_are_those_of_the_files(slices: list[MarkedSlice]) -> None:
    data = MarkedSliceDataset(slices, HOW, learn="majority")
    images, marks = data.batch(torch.tensor([1, 0]))
    assert (images.shape, images.dtype) == ((2, 1, SIDE, SIDE), torch.float32)
    assert (marks.shape, marks.dtype) == ((2, 3, SIDE, SIDE), torch.uint8)
    for image, drawn, sample in zip(images, marks, (slices[1], slices[0]), strict=True):
        assert np.array_equal((255 * image[0]).round().numpy(), np.asarray(Image.open(sample.path)))
        for mask, file in zip(drawn, sample.masks, strict=True):
            assert np.array_equal(255 * mask.numpy(), np.asarray(Image.open(file)))
    assert not marks[:, 2].any()
    assert data.task == ReaderOutlines("majority")
    assert data.patients == ["a", "a", "a", "b"]
    assert torch.equal(data.inputs(torch.tensor([1, 0])), images)


def test_neighbours_come_along_in_their_order_and_the_last_one_is_repeated(slices: list[MarkedSlice]) -> None:
    one = MarkedSliceDataset(slices, HOW, neighbours=1)
    assert brightest(one.inputs(torch.arange(4))) == [[140, 200, 200], [80, 80, 140], [80, 140, 200], [80, 80, 80]]
    two = MarkedSliceDataset(slices, HOW, neighbours=2)
    assert brightest(two.inputs(torch.tensor([1]))) == [[80, 80, 80, 140, 200]]
    gap = MarkedSliceDataset([slices[0], slices[1]], HOW, neighbours=2)  # slices 2 and 0: the one between is not there
    assert brightest(gap.inputs(torch.arange(2))) == [[80, 200, 200, 200, 200], [80, 80, 80, 80, 200]]


def test_what_is_taken_keeps_its_neighbours(slices: list[MarkedSlice]) -> None:
    data = MarkedSliceDataset(slices, HOW, neighbours=1)
    part = data.take([3, 2]).take([1])
    assert len(part) == 1
    assert part.samples == (slices[2],)
    assert brightest(part.inputs(torch.tensor([0]))) == [[80, 140, 200]]
    assert torch.equal(part.batch(torch.tensor([0]))[1], data.batch(torch.tensor([2]))[1])


def test_a_crop_keeps_the_middle_before_the_size_is_changed(slices: list[MarkedSlice]) -> None:
    whole = MarkedSliceDataset(slices, HOW).batch(torch.arange(4))
    same_px = MarkedSliceDataset(slices, replace(HOW, size=24), crop=24).batch(torch.arange(4))
    larger = MarkedSliceDataset(slices, HOW, crop=24).batch(torch.arange(4))
    for one, cut, enlarged in zip(whole, same_px, larger, strict=True):
        assert torch.equal(cut, one[:, :, 12:36, 12:36])
        assert enlarged.shape == one.shape
    assert float(larger[1].float().mean()) == pytest.approx(float(same_px[1].float().mean()), abs=0.02)
    with pytest.raises(DataError, match=r"a-nodule-0-2\.png has 48 x 48 pixels, so that no crop of 49 x 49 px fits"):
        MarkedSliceDataset(slices, HOW, crop=49)
    assert torch.equal(MarkedSliceDataset(slices, HOW, crop=48).inputs(torch.arange(4)), whole[0])


def test_slices_and_all_marks_are_changed_alike(slices: list[MarkedSlice]) -> None:
    change = replace(NO_CHANGE, rotation=30, shift=0.1, scale=0.3, shear=10)
    data = MarkedSliceDataset(slices, HOW, neighbours=1, pointer=True, change=change, mirror=True)
    with seeded(0):
        images, marks = data.batch(torch.tensor([0, 1, 2, 3] * 5))
    for image, drawn in zip(images, marks, strict=True):
        for channel in image[:3]:
            spot = channel > (channel.min() + channel.max()) / 2
            assert (spot == drawn[0]).float().mean() > 0.98
        assert (drawn[0] <= drawn[1]).all()
        assert not drawn[2].any()
    assert len({tuple(drawn.flatten().tolist()) for drawn in marks}) == 20


def test_a_bright_spot_in_the_last_channel_says_where_to_look_and_moves_along(slices: list[MarkedSlice]) -> None:
    plain = MarkedSliceDataset(slices, HOW, pointer=True)
    images, _ = plain.batch(torch.arange(4))
    assert images.shape[1] == 2
    pointer = images[0, 1]
    assert int(pointer.argmax()) in {SIDE * row + column for row in (23, 24) for column in (23, 24)}
    torch.testing.assert_close(pointer, pointer.flip(0, 1))
    assert pointer.max() > 0.95
    assert pointer[0].max() < 0.01
    with seeded(1):
        moved, marks = MarkedSliceDataset(slices, HOW, pointer=True, change=replace(NO_CHANGE, shift=0.3)).batch(
            torch.zeros(6, dtype=torch.int64)
        )
    for image, drawn in zip(moved, marks, strict=True):
        there = np.array(np.unravel_index(int(image[1].argmax()), (SIDE, SIDE)))
        middle = drawn[0].nonzero().float().mean(0).numpy()  # of the spot, at 22.5 and 25.5 when it is not moved
        assert np.abs(there - middle - [1, -2]).max() <= 1.5


def test_every_one_of_the_eight_ways_is_shown_and_marks_go_with_their_images(slices: list[MarkedSlice]) -> None:
    data = MarkedSliceDataset(slices, HOW, mirror=True)
    with seeded(0):
        images, marks = data.batch(torch.zeros(80, dtype=torch.int64))
    assert all(torch.equal(image[0] > 0.5, drawn[0] > 0) for image, drawn in zip(images, marks, strict=True))
    _, counts = torch.unique(marks[:, 0].flatten(1), dim=0, return_counts=True)
    assert len(counts) == 8
    assert counts.min() >= 3


def test_each_slice_is_normalised_by_itself_as_the_preparation_says(slices: list[MarkedSlice]) -> None:
    fixed = MarkedSliceDataset(slices, replace(HOW, mean=(0.5,) * 3, std=(0.25,) * 3), neighbours=1)
    plain = MarkedSliceDataset(slices, HOW, neighbours=1)
    torch.testing.assert_close(fixed.inputs(torch.arange(4)), (plain.inputs(torch.arange(4)) - 0.5) / 0.25)
    own = MarkedSliceDataset(slices, replace(HOW, normalisation="per image"), neighbours=1).inputs(torch.arange(4))
    torch.testing.assert_close(own.mean((2, 3)), torch.zeros(4, 3), atol=1e-4, rtol=0)


def test_what_makes_the_inputs_makes_another_preparation(slices: list[MarkedSlice]) -> None:
    several = [
        MarkedSliceDataset(slices, HOW),
        MarkedSliceDataset(slices, HOW, crop=40),
        MarkedSliceDataset(slices, HOW, neighbours=1),
        MarkedSliceDataset(slices, HOW, pointer=True),
        MarkedSliceDataset(slices, HOW, mirror=True),
        MarkedSliceDataset(slices, HOW, change=Augmentation()),
    ]
    assert len({preparation_of(data) for data in several}) == 6
    assert preparation_of(several[2].take([0])) == preparation_of(several[2])


def test_what_is_wrong_is_named(slices: list[MarkedSlice]) -> None:
    with pytest.raises(DataError, match="at least one slice"):
        MarkedSliceDataset([], HOW)
    with pytest.raises(DataError, match=r"a-nodule-0-0\.png has marks of 2 readers"):
        MarkedSliceDataset([slices[0], replace(slices[1], masks=slices[1].masks[:2])], HOW)
    with pytest.raises(DataError, match=r"learn=3, but .* has 3 readers, 0 to 2"):
        MarkedSliceDataset(slices, HOW, learn=3)
    with pytest.raises(DataError, match="are both slice 2 of nodule a/nodule-0"):
        MarkedSliceDataset([*slices, slices[0]], HOW)
    with pytest.raises(ValueError, match="one mean and one std"):
        MarkedSliceDataset(slices, replace(HOW, mean=(0.4, 0.5, 0.6), std=(1.0,) * 3))
    for crop, neighbours in ((None, -1), (0, 1)):
        with pytest.raises(ValueError, match="neighbours of 0 or more, and a crop of 1 px or more"):
            MarkedSliceDataset(slices, HOW, crop=crop, neighbours=neighbours)
    Image.fromarray(np.full((SIDE, SIDE), 7, np.uint8)).save(slices[0].masks[1])
    with pytest.raises(DataError, match=r"a-nodule-0-2-mask-1.png holds the grey values \[7\]"):
        MarkedSliceDataset(slices, HOW)
    Image.fromarray(np.zeros((SIDE, 40), np.uint8)).save(slices[0].masks[1])
    with pytest.raises(DataError, match=r"a-nodule-0-2-mask-1.png has 40 x 48 pixels, its image 48 x 48"):
        MarkedSliceDataset(slices, HOW)
