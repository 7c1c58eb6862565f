"""A volume by patches: the answer of a network that sees one voxel is the same as for the whole."""

import pytest
import torch
from torch import nn

from course_lib.networks.unet import UNet
from course_lib.training.volume_patches import predict_by_patches


@pytest.fixture
def volume() -> torch.Tensor:
    return torch.randn(1, 13, 10, 7, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def voxelwise() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, 4, kernel_size=1), nn.ReLU(), nn.Dropout(), nn.Conv3d(4, 3, kernel_size=1))


@pytest.mark.parametrize("overlap", [(0, 0, 0), (2, 2, 2), (4, 2, 0)])
@pytest.mark.parametrize("patch", [(5, 5, 5), (6, 4, 3), (13, 10, 7), (64, 6, 64)])
def test_it_is_the_answer_to_the_whole_volume(
    volume: torch.Tensor, voxelwise: nn.Module, patch: tuple[int, ...], overlap: tuple[int, ...]
) -> None:
    probabilities = predict_by_patches(voxelwise, volume, patch, overlap)
    assert voxelwise.training
    assert torch.allclose(probabilities, voxelwise.eval()(volume[None])[0].softmax(dim=0), atol=1e-6)


def test_in_the_mean_the_middle_of_a_patch_counts_most(volume: torch.Tensor) -> None:
    class Border(nn.Module):
        """Says the second label at the border of what it sees, and else the first."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            inside = torch.zeros_like(images)
            inside[:, :, 1:-1, 1:-1, 1:-1] = 20.0
            return torch.cat([inside, 10 - inside / 2], dim=1)

    whole = predict_by_patches(Border(), volume, (13, 10, 7), (0, 0, 0))
    apart = predict_by_patches(Border(), volume, (5, 10, 7), (0, 0, 0))
    together = predict_by_patches(Border(), volume, (5, 10, 7), (4, 0, 0))
    assert (whole[0] > 0.5).sum() == 11 * 8 * 5
    assert (apart[0] > 0.5).sum() < (whole[0] > 0.5).sum() == (together[0] > 0.5).sum()


def test_a_u_net_fits_its_patches(volume: torch.Tensor) -> None:
    probabilities = predict_by_patches(UNet(2, dimensions=3, depth=2, width=4), volume, (8, 8, 8), (4, 4, 4))
    assert probabilities.shape == (2, 13, 10, 7)
    assert torch.allclose(probabilities.sum(dim=0), torch.ones(13, 10, 7))


def test_an_overlap_as_large_as_the_patch_is_refused(volume: torch.Tensor, voxelwise: nn.Module) -> None:
    with pytest.raises(ValueError, match="must be smaller"):
        predict_by_patches(voxelwise, volume, (4, 4, 4), (4, 4, 4))
