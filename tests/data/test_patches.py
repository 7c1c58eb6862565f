"""Patches lie where they should, and image and target are cut alike."""

import copy
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
import torch

from course_lib.data.patches import PatchDataset
from course_lib.data.samples import preparation_of
from course_lib.evaluation.segmentation import SegmentationPredictions
from course_lib.support.errors import DataError
from course_lib.support.runtime import seeded
from course_lib.tasks.segmentation import Segmentation
from course_lib.tasks.task import Task


class Numbered:
    """Images whose values are the number of each voxel, from 1, with given label maps; satisfies `ImageData`."""

    def __init__(self, targets: list[torch.Tensor]) -> None:
        self._targets = targets
        self.task: Task[SegmentationPredictions] = Segmentation(("background", "ball", "rod"))
        self.samples = tuple(SimpleNamespace(path=Path(f"{n}.nii"), patient=f"p{n}") for n in range(len(targets)))

    def __len__(self) -> int:
        return len(self._targets)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        targets = torch.stack([self._targets[i] for i in indices.tolist()]).to(device)
        space = targets.shape[-self.axes :]
        return torch.arange(1.0, 1 + space.numel()).view(1, 1, *space).repeat(
            len(targets), 1, *[1] * len(space)
        ), targets

    axes = 2

    def take(self, indices: Iterable[int]) -> Self:
        part = copy.copy(self)
        part._targets = [self._targets[i] for i in indices]
        return part


def marked(*shape: int, at: tuple[int, ...] | None = None, label: int = 1) -> torch.Tensor:
    target = torch.zeros(shape, dtype=torch.int64)
    if at is not None:
        target[at] = label
    return target


def all_of(patches: PatchDataset[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    with seeded(0):
        return patches.batch(torch.arange(len(patches)))


def test_every_patch_around_a_structure_holds_it_at_its_place() -> None:
    data = Numbered([marked(20, 30, at=(2, 27), label=2)])
    images, targets = all_of(PatchDataset(data, (8, 8), 1.0, repeats=50))
    assert images.shape == (50, 1, 8, 8)
    assert (targets == 2).sum(dim=(1, 2)).tolist() == [1] * 50
    assert set(images[:, 0][targets == 2].tolist()) == {2 * 30 + 27 + 1}


def test_elsewhere_a_patch_holds_a_single_pixel_about_as_often_as_chance_has_it() -> None:
    data = Numbered([marked(40, 40, at=(20, 20))])
    _, targets = all_of(PatchDataset(data, (8, 8), 0.0, repeats=400))
    held = (targets > 0).flatten(1).any(dim=1).float().mean().item()
    assert held == pytest.approx(64 / 33**2, abs=0.035)  # 64 of the 33 x 33 places reach it


def test_half_of_the_patches_are_cut_around_a_structure() -> None:
    data = Numbered([marked(100, 100, at=(50, 50))])
    _, targets = all_of(PatchDataset(data, (4, 4), 0.5, repeats=300))
    assert (targets > 0).flatten(1).any(dim=1).float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_a_rare_label_is_chosen_as_often_as_a_frequent_one() -> None:
    target = marked(60, 60, at=(5, 5), label=2)
    target[40:, 40:] = 1
    _, targets = all_of(PatchDataset(Numbered([target]), (5, 5), 1.0, repeats=200))
    assert (targets == 2).flatten(1).any(dim=1).float().mean().item() == pytest.approx(0.5, abs=0.12)


def test_places_reach_the_corners_but_not_beyond() -> None:
    data = Numbered([marked(9, 9)])
    images, _ = all_of(PatchDataset(data, (8, 8), 0.5, repeats=60))
    assert set(images[:, 0, 0, 0].tolist()) == {1, 2, 10, 11}


@pytest.mark.parametrize(("beyond", "corner"), [("edge", 1), ("zeros", 0)])
def test_a_patch_larger_than_the_volume_has_it_in_the_middle(beyond: Any, corner: int) -> None:
    data = Numbered([torch.ones(3, 4, 5, dtype=torch.int64)])
    data.axes = 3
    image, target = all_of(PatchDataset(data, (7, 4, 3), 1.0, beyond=beyond))
    assert image.shape == (1, 1, 7, 4, 3)
    whole = data.inputs(torch.tensor([0]))[0, 0]
    middle = image[0, 0, 2:5]
    start = int(middle[0, 0, 0]) - 1
    assert torch.equal(middle, whole[:, :, start : start + 3])
    assert torch.equal(target[0, :, 0, 0], torch.tensor([corner, corner, 1, 1, 1, corner, corner]))
    outside = image[0, 0, 0] if beyond == "zeros" else image[0, 0, 0] - middle[0]
    assert outside.abs().max() == 0


def test_an_image_without_a_structure_gives_a_patch_from_anywhere() -> None:
    data = Numbered([marked(30, 30)])
    images, targets = all_of(PatchDataset(data, (8, 8), 1.0, repeats=40))
    assert targets.max() == 0
    assert len(set(images[:, 0, 0, 0].tolist())) > 20


def test_marks_of_several_readers_are_cut_together() -> None:
    marks = torch.zeros(4, 20, 20, dtype=torch.uint8)
    marks[3, 15, 4] = 1
    images, targets = all_of(PatchDataset(Numbered([marks]), (6, 6), 1.0, repeats=5))
    assert targets.shape == (5, 4, 6, 6)
    assert targets.dtype == torch.uint8
    assert targets.flatten(2).any(dim=2).tolist() == [[False, False, False, True]] * 5
    assert set(images[:, 0][targets[:, 3] > 0].tolist()) == {15 * 20 + 4 + 1}


def test_images_may_differ_in_size() -> None:
    images, _ = all_of(PatchDataset(Numbered([marked(10, 12), marked(30, 7)]), (8, 8)))
    assert images.shape == (2, 1, 8, 8)


def test_the_same_seed_gives_the_same_patches_and_another_one_others() -> None:
    patches = PatchDataset(Numbered([marked(64, 64, at=(9, 9))]), (8, 8), repeats=8)
    (first, _), (again, _) = all_of(patches), all_of(patches)
    with seeded(1):
        other = patches.inputs(torch.arange(8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_repeats_and_taking_keep_samples_and_patients_in_step() -> None:
    data = Numbered([marked(8, 8, at=(n, n)) for n in range(3)])
    patches = PatchDataset(data, (8, 8), repeats=2)
    assert patches.patients == ["p0", "p1", "p2", "p0", "p1", "p2"]
    part = patches.take([5, 0])
    assert (len(part), part.patients, part.samples[0].path.name) == (2, ["p2", "p0"], "2.nii")
    assert all_of(part)[1].nonzero()[:, 1].tolist() == [2, 0]
    assert len(patches) == 6
    assert part.task is data.task


def test_another_patch_is_another_preparation() -> None:
    data = Numbered([marked(8, 8)])
    small, large = PatchDataset(data, (4, 4)), PatchDataset(data, (8, 4))
    again = PatchDataset(data, (4, 4), repeats=2).take([0])
    assert preparation_of(small) != preparation_of(large)
    assert preparation_of(small) == preparation_of(again)


@pytest.mark.parametrize(
    ("patch", "more", "message"),
    [
        ((8,), {}, "two or three sides"),
        ((8, 0), {}, "two or three sides"),
        ((8, 8), {"with_structure": 1.2}, "from 0 to 1"),
        ((8, 8), {"with_structure": float("nan")}, "from 0 to 1"),
        ((8, 8), {"repeats": 0}, "at least 1"),
        ((8, 8), {"beyond": "mirror"}, "'edge' or 'zeros'"),
    ],
)
def test_numbers_that_can_not_be_are_refused(patch: tuple[int, ...], more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PatchDataset(Numbered([marked(8, 8)]), patch, **more)


def test_no_image_is_refused() -> None:
    with pytest.raises(DataError, match="at least one image"):
        PatchDataset(Numbered([]), (8, 8))


def test_a_patch_of_a_volume_can_not_be_cut_from_a_slice() -> None:
    patches = PatchDataset(Numbered([marked(8, 8)]), (4, 4, 4))
    with pytest.raises(DataError, match=r"4 x 4 x 4 can not be cut from 0.nii.*Expected 3 axes"):
        patches.batch(torch.tensor([0]))
