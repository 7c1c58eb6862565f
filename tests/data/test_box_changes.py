"""Changes of films with boxes: the thing stays in its box, the same seed gives the same bits, no side is swapped."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from course_lib.data.augmentation import NO_CHANGE, STRONGEST, Augmentation
from course_lib.data.box_changes import FILM_CHANGES, BoxChanges
from course_lib.data.outlines_and_boxes import BoxedDataset, BoxedImage
from course_lib.data.transforms import Preprocessing
from course_lib.support.runtime import seeded

PX = 96
STRONG = replace(NO_CHANGE, rotation=20.0, shift=0.1, scale=0.3, shear=5.0)


def film(*boxes: tuple[int, int, int, int]) -> tuple[tv_tensors.Image, dict[str, Any]]:
    """Grey with a bright ellipse in each box."""
    y, x = np.mgrid[:PX, :PX] + 0.5
    pixels = np.full((PX, PX), 60, np.uint8)
    for left, top, right, bottom in boxes:
        away = ((2 * x - left - right) / (right - left)) ** 2 + ((2 * y - top - bottom) / (bottom - top)) ** 2
        pixels[away < 1] = 200
    corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    target = {
        "boxes": tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=(PX, PX)),
        "labels": torch.arange(len(boxes)),
    }
    return tv_tensors.Image(torch.from_numpy(pixels)[None]), target


def bright(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows and columns of what is bright."""
    y, x = (pixels[0] > 0.5).nonzero().unbind(1)
    return y, x


def test_the_thing_stays_in_its_box() -> None:
    pixels, target = film((30, 40, 54, 58))
    for seed in range(20):
        with seeded(seed):
            moved, there = BoxChanges(STRONG)(pixels, target)
        (left, top, right, bottom), (y, x) = there["boxes"][0].tolist(), bright(moved)
        middle = torch.stack([x.float().mean(), y.float().mean()]) + 0.5
        torch.testing.assert_close(middle, torch.tensor([left + right, top + bottom]) / 2, atol=0.6, rtol=0)
        inside = (x >= left - 1) & (x <= right) & (y >= top - 1) & (y <= bottom)
        assert inside.all()
        assert there["labels"].tolist() == [0]


def test_a_turned_box_is_the_upright_one_around_it() -> None:
    pixels, target = film((36, 36, 60, 60))
    sides = []
    for seed in range(30):
        with seeded(seed):
            _, there = BoxChanges(replace(NO_CHANGE, rotation=7.0))(pixels, target)
        left, top, right, bottom = there["boxes"][0].tolist()
        sides.append((right - left) / 24)
        assert (left + right) / 2 == pytest.approx(48, abs=0.01)
        assert (top + bottom) / 2 == pytest.approx(48, abs=0.01)
    assert min(sides) >= 1 - 1e-3
    assert 1.06 < max(sides) <= np.cos(np.radians(7)) + np.sin(np.radians(7)) + 1e-3  # 1.114


def test_without_strength_nothing_changes() -> None:
    pixels, target = film((30, 40, 54, 58), (4, 4, 12, 12))
    moved, there = BoxChanges(NO_CHANGE)(pixels, target)
    torch.testing.assert_close(moved.as_subclass(torch.Tensor), pixels.as_subclass(torch.Tensor) / 255)
    torch.testing.assert_close(there["boxes"], target["boxes"])
    assert moved.dtype == torch.float32


def test_the_exposure_changes_and_stays_in_range() -> None:
    pixels, target = film((30, 40, 54, 58))
    for name in ("noise", "gamma", "contrast", "brightness"):
        change = BoxChanges(replace(NO_CHANGE, **{name: STRONGEST[name]}))  # type: ignore[arg-type]
        with seeded(1):
            seen, there = change(pixels, target)
        assert not torch.allclose(seen, pixels / 255, atol=0.01), name
        assert 0 <= seen.min() <= seen.max() <= 1
        assert torch.equal(there["boxes"], target["boxes"])


def test_left_and_right_change_places_on_demand_only() -> None:
    pixels, target = film((10, 40, 30, 58))
    for seed in range(10):
        with seeded(seed):
            _, there = BoxChanges()(pixels, target)
        assert there["boxes"][0, 2] < PX / 2
    _, there = BoxChanges(NO_CHANGE, mirror=1.0)(pixels, target)
    assert there["boxes"].tolist() == [[66, 40, 86, 58]]


def test_a_film_without_boxes_is_changed_too() -> None:
    pixels, target = film()
    with seeded(0):
        moved, there = BoxChanges()(pixels, target)
    assert moved.shape == (1, PX, PX)
    assert there["boxes"].shape == (0, 4)


def test_the_given_film_stays_as_it_is() -> None:
    pixels, target = film((30, 40, 54, 58))
    before, boxes = pixels.clone(), target["boxes"].clone()
    BoxChanges()(pixels, target)
    assert torch.equal(pixels, before)
    assert torch.equal(target["boxes"], boxes)


@pytest.fixture
def folder(tmp_path: Path) -> list[BoxedImage]:
    boxes = [((30, 40, 54, 58), (2, 2, 20, 20)), (), ((80, 80, 96, 96),)]
    for number, of_film in enumerate(boxes):
        Image.fromarray(film(*of_film)[0][0].numpy()).save(tmp_path / f"{number}.png")
    return [BoxedImage(tmp_path / f"{n}.png", b, (0,) * len(b), f"p{n}") for n, b in enumerate(boxes)]


def test_a_data_set_gives_the_same_films_for_the_same_seed(folder: list[BoxedImage]) -> None:
    data = BoxedDataset(folder, ("disc",), Preprocessing(PX), BoxChanges())
    seen = []
    for seed in (5, 5, 6):
        with seeded(seed):
            seen.append(data.batch(torch.arange(3)))
    assert torch.equal(seen[0][0], seen[1][0])
    assert torch.equal(seen[0][1][0]["boxes"], seen[1][1][0]["boxes"])
    assert not torch.equal(seen[0][0], seen[2][0])
    assert seen[0][0].shape == (3, 3, PX, PX)
    assert [len(true["labels"]) for true in seen[0][1]][:2] == [2, 0]


def test_a_box_that_is_moved_out_of_the_film_is_left_out(folder: list[BoxedImage]) -> None:
    far = BoxChanges(replace(NO_CHANGE, shift=0.5))
    data = BoxedDataset(folder[2:], ("disc",), Preprocessing(PX), far)
    counts = set()
    for seed in range(30):
        with seeded(seed):
            _, (true,) = data.batch(torch.tensor([0]))
        counts.add(len(true["labels"]))
        assert len(true["boxes"]) == len(true["labels"])
        assert ((true["boxes"] >= 0) & (true["boxes"] <= PX)).all()
    assert counts == {0, 1}


def test_films_in_memory_are_decoded_once_and_change_each_time(folder: list[BoxedImage]) -> None:
    plain = BoxedDataset(folder, ("disc",), Preprocessing(PX), BoxChanges())
    kept = BoxedDataset(folder, ("disc",), Preprocessing(PX), BoxChanges(), in_memory=True)
    first = kept.batch(torch.arange(3))
    expected = []
    for data in (plain, kept):
        with seeded(3):
            expected.append(data.batch(torch.arange(3)))
    for sample in folder:
        sample.path.unlink()
    with seeded(3):
        again = kept.take([0, 1, 2]).batch(torch.arange(3))
    assert torch.equal(expected[0][0], expected[1][0])
    assert torch.equal(expected[0][0], again[0])
    assert not torch.equal(first[0], again[0])


def test_it_says_which_strength_can_not_be() -> None:
    with pytest.raises(ValueError, match=r"aspect must be 0, but is 0\.05.*replace"):
        BoxChanges(Augmentation())
    with pytest.raises(ValueError, match=r"mirror must be a probability from 0 to 1, but is 1\.5"):
        BoxChanges(FILM_CHANGES, mirror=1.5)
