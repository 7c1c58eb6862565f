"""A whole volume by a network that has room for a patch of it only."""

from collections.abc import Sequence

import torch
import torchio
from torch import nn

from course_lib.networks.modes import evaluating
from course_lib.support.runtime import progress


def predict_by_patches(
    model: nn.Module,
    volume: torch.Tensor,
    patch: Sequence[int],
    overlap: Sequence[int],
    *,
    device: torch.device | str = "cpu",
    batch_size: int = 4,
) -> torch.Tensor:
    """How probable each label is in each voxel, float32 [labels, i, j, k] on the CPU, as the mean of several patches.

    The volume is float32 [channels, i, j, k]; patch and overlap are three sides in voxels, the overlap even and
    smaller. In the mean a voxel counts most where it lies in the middle of its patch: at the border a network does not
    see what is around it. Where the patch is larger than the volume, it is made as large as that.

    Raises:
        ValueError: such an overlap is not possible.
    """
    sides = volume.shape[1:]
    fitted = tuple(min(wanted, side) for wanted, side in zip(patch, sides, strict=True))
    shared = tuple(0 if small == side else each for each, small, side in zip(overlap, fitted, sides, strict=True))
    subject = torchio.Subject(image=torchio.ScalarImage(tensor=volume))
    sampler = torchio.GridSampler(subject, fitted, shared)  # type: ignore[arg-type]  # three sides each
    whole = torchio.GridAggregator(sampler, overlap_mode="hann")
    batches = torchio.SubjectsLoader(sampler, batch_size=batch_size)  # type: ignore[arg-type]  # as torchio's own help
    with evaluating(model.to(device)), torch.inference_mode():
        for batch in progress(batches, "Predicting", "batch", len(batches)):
            logits = model(batch["image"][torchio.DATA].to(device))
            whole.add_batch(logits.float().softmax(dim=1), batch[torchio.LOCATION])
        return whole.get_output_tensor()
