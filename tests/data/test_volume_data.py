"""Volumes with label maps: prepared once, changed together, refused where a preparation would lose something."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchio

from course_lib.data.label_resampling import OneHotResample  # noqa: F401  # in what is evaluated below
from course_lib.data.samples import preparation_of
from course_lib.data.volume_data import VolumeDataset
from course_lib.data.volume_folder import OutlinedVolume
from course_lib.evaluation.segmentation import mean_hausdorff
from course_lib.networks.unet import UNet
from course_lib.support.errors import DataError
from course_lib.support.identity import fingerprint
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training import loop
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit, train_one_epoch
from tests.data.made_volumes import SPACED, outlined_balls, write

LABELS = ("background", "ball")
PREPARATION = torchio.Compose([torchio.ToCanonical(), torchio.ZNormalization()])
CHANGE = torchio.Compose([torchio.RandomAffine(scales=0.1, degrees=15, translation=4), torchio.RandomNoise(std=0.2)])


@pytest.fixture
def balls(tmp_path: Path) -> list[OutlinedVolume]:
    return outlined_balls(tmp_path, patients=3)


def test_volumes_and_label_maps_come_as_tensors(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, PREPARATION)
    images, labels = data.batch(torch.tensor([2, 0]))
    assert (images.shape, images.dtype) == ((2, 1, 16, 16, 16), torch.float32)
    assert (labels.shape, labels.dtype) == ((2, 16, 16, 16), torch.int64)
    assert torch.equal(data.inputs(torch.tensor([2, 0])), images)
    assert images.mean().abs() < 1e-4  # each by itself, as ZNormalization leaves it
    for image, label in zip(images[:, 0], labels, strict=True):
        assert image[label == 1].mean() > image[label == 0].mean() + 1
    assert data.patients == ["p00", "p01", "p02"]


def test_some_of_the_volumes_are_taken_in_the_order_that_is_asked_for(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, PREPARATION)
    part = data.take([2, 0])
    assert (len(part), part.patients) == (2, ["p02", "p00"])
    assert torch.equal(part.inputs(torch.tensor([0, 1])), data.inputs(torch.tensor([2, 0])))
    assert part.samples[0] == data.samples[2]


def test_files_are_read_once(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, PREPARATION)
    before = data.batch(torch.tensor([0]))
    for sample in balls:
        sample.path.unlink()
        sample.mask.unlink()
    assert all(map(torch.equal, before, data.batch(torch.tensor([0]))))


def test_a_random_change_goes_through_volume_and_label_map_alike_and_anew(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, torchio.RescaleIntensity(), torchio.RandomAffine(degrees=0, translation=6))
    everyone = torch.arange(3)
    with seeded(1):
        first, again = data.batch(everyone), data.batch(everyone)
    with seeded(1):
        same = data.batch(everyone)
    assert not torch.equal(first[1], again[1])
    assert all(map(torch.equal, first, same))
    for image, label in zip(first[0][:, 0], first[1], strict=True):
        assert image[label == 1].mean() > image[label == 0].mean() + 0.2


def test_a_change_leaves_the_kept_volumes_as_they_are(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, PREPARATION, torchio.RandomFlip(axes=(0, 1, 2), flip_probability=1, copy=False))
    first, again = data.inputs(torch.tensor([0])), data.inputs(torch.tensor([0]))
    assert torch.equal(first, again)
    assert torch.equal(first.flip((2, 3, 4))[0], data.subject(0).get_image("image").data)


def test_distances_come_out_in_the_millimetres_of_the_prepared_grid(balls: list[OutlinedVolume]) -> None:
    data = VolumeDataset(balls, LABELS, torchio.Compose([torchio.Resample(4), PREPARATION]))
    assert data.samples[0].spacing == (4.0, 4.0, 4.0)
    shifted = predict(_Shifted(data), data)
    assert shifted.spacings[0] == (4.0, 4.0, 4.0)
    assert mean_hausdorff(shifted, percentile=100) == pytest.approx(4.0)


class _Shifted(torch.nn.Module):
    """Says the truth, a voxel further along the first axis."""

    def __init__(self, data: VolumeDataset) -> None:
        super().__init__()
        self._true = data.batch(torch.arange(len(data)))[1]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert len(images) == len(self._true)
        return torch.nn.functional.one_hot(self._true.roll(1, dims=1), 2).movedim(-1, 1).float()


def test_volumes_of_different_shapes_are_refused_with_a_shape_that_has_room_for_all(tmp_path: Path) -> None:
    both = [*outlined_balls(tmp_path, 1), *outlined_balls(tmp_path, 1, side=18, seed=1)]
    with pytest.raises(
        DataError, match=r"b00.nii has 16 x 16 x 16 voxels and b10.nii 18 x 18.*CropOrPad\(\(24, 24, 24"
    ):
        VolumeDataset(both, LABELS, PREPARATION)
    data = VolumeDataset(both, LABELS, torchio.Compose([PREPARATION, torchio.CropOrPad((24, 24, 24))]))
    assert data.inputs(torch.tensor([0, 1])).shape == (2, 1, 24, 24, 24)


def test_a_preparation_that_cuts_off_or_loses_a_structure_is_refused(balls: list[OutlinedVolume]) -> None:
    with pytest.raises(DataError, match=r"cuts off \d+ of \d+ labelled voxels of b0\d_mask.nii.gz"):
        VolumeDataset(balls, LABELS, torchio.CropOrPad(6))
    point = np.zeros((16, 16, 16), np.uint8)
    point[5, 5, 5] = 1
    write(balls[0].mask, point, SPACED)
    with pytest.raises(DataError, match=r"nothing is left of ball in b00_mask.nii.gz"):
        VolumeDataset(balls, LABELS, torchio.Resample(8))


def test_a_structure_may_be_absent(balls: list[OutlinedVolume]) -> None:
    write(balls[0].mask, np.zeros((16, 16, 16), np.uint8), SPACED)
    assert VolumeDataset(balls, LABELS, PREPARATION).batch(torch.tensor([0]))[1].sum() == 0


def test_an_error_of_the_preparation_names_the_volume(balls: list[OutlinedVolume]) -> None:
    write(balls[1].path, np.full((16, 16, 16), 3, np.int16), SPACED)
    with pytest.raises(RuntimeError, match="Standard deviation is 0") as caught:
        VolumeDataset(balls, LABELS, PREPARATION)
    assert caught.value.__notes__ == ["This happened while b01.nii was prepared."]
    with pytest.raises(DataError, match=r"b00.nii has voxels that are NaN or infinite after preparation"):
        VolumeDataset(balls, LABELS, torchio.Lambda(lambda image: image / 0, types_to_apply=[torchio.INTENSITY]))


def test_a_data_set_needs_volumes() -> None:
    with pytest.raises(DataError, match="at least one volume"):
        VolumeDataset([], LABELS, PREPARATION)


TRANSFORMS = {
    "nothing": "torchio.Compose([])",
    "resampled": "torchio.Compose([torchio.ToCanonical(), torchio.Resample(1), torchio.CropOrPad((8, 8, 8))])",
    "coarser": "torchio.Compose([torchio.ToCanonical(), torchio.Resample(2), torchio.CropOrPad((8, 8, 8))])",
    "larger": "torchio.Compose([torchio.ToCanonical(), torchio.Resample(1), torchio.CropOrPad((8, 8, 9))])",
    "labels like pictures": "torchio.Compose([torchio.ToCanonical(), OneHotResample(1), torchio.CropOrPad((8, 8, 8))])",
    "landmarks": "torchio.HistogramStandardization({'image': np.linspace(0, 100, 13)})",
    "other landmarks": "torchio.HistogramStandardization({'image': np.linspace(0, 90, 13)})",
    "turned": "torchio.RandomAffine(degrees=10)",
    "turned further": "torchio.RandomAffine(degrees=20)",
    "sometimes turned": "torchio.RandomAffine(degrees=10, p=0.5)",
    "one of two": "torchio.OneOf({torchio.RandomNoise(): 0.8, torchio.RandomBlur(): 0.2})",
    "one of two, less often": "torchio.OneOf({torchio.RandomNoise(): 0.6, torchio.RandomBlur(): 0.4})",
}
PROBE = f"""
import sys, course_lib.data
print([name for name in ("torchio", "nibabel") if name in sys.modules])
import numpy as np, torchio
from course_lib.data.label_resampling import OneHotResample
from course_lib.support.identity import fingerprint
print(*[fingerprint(eval(text)) for text in {list(TRANSFORMS.values())}])
"""


@pytest.mark.slow
def test_another_process_has_the_same_digests_and_loads_torchio_only_for_volumes() -> None:
    here = [fingerprint(eval(text)) for text in TRANSFORMS.values()]
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=COURSE_ROOT, capture_output=True, text=True, check=True)
    loaded, digests = done.stdout.splitlines()
    assert loaded == "[]"
    assert digests.split() == here
    assert len(set(here)) == len(TRANSFORMS)


def test_preparation_and_change_count_for_a_checkpoint_and_their_use_changes_nothing(
    balls: list[OutlinedVolume],
) -> None:
    data = VolumeDataset(balls, LABELS, PREPARATION, CHANGE)
    before = preparation_of(data)
    data.batch(torch.arange(3))
    assert preparation_of(data) == preparation_of(data.take([0])) == before
    assert preparation_of(VolumeDataset(balls, LABELS, PREPARATION)) != before
    assert preparation_of(VolumeDataset(balls, LABELS, torchio.ZNormalization(), CHANGE)) != before


@pytest.mark.slow
def test_balls_are_found_and_a_training_that_was_interrupted_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    train = VolumeDataset(outlined_balls(tmp_path, 16), LABELS, PREPARATION, CHANGE)
    validation = VolumeDataset(outlined_balls(tmp_path, 6, seed=1), LABELS, PREPARATION)
    config = TrainConfig(epochs=6, batch_size=2, learning_rate=3e-3)
    weights = []
    for interruptions in ([], [2]):
        torch.manual_seed(0)
        network = UNet(2, dimensions=3, depth=2, width=8)
        checkpoint = tmp_path / f"{len(interruptions)}.pt"
        for epoch in interruptions:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loop, "train_one_epoch", _interrupted_in(epoch))
                assert len(fit(network, train, validation, config, checkpoint=checkpoint)) == epoch
        history = fit(network, train, validation, config, checkpoint=checkpoint)
        weights.append(network.state_dict())
    assert history.validation_score[history.best_epoch] > 0.85
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def _interrupted_in(stopped: int) -> Callable[[Any, VolumeDataset, int], float]:
    """The way through an epoch; in this one somebody presses stop."""

    def run(trainer: Any, data: VolumeDataset, epoch: int) -> float:
        if epoch == stopped:
            raise KeyboardInterrupt
        return train_one_epoch(trainer, data, epoch)

    return run
