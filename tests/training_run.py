"""A small training from the command line: for tests and benchmarks that kill it, or start it under torchrun.

python -m tests.training_run RESULT [--nets plain batch-norm] [--checkpoint FILE] [--pause SECONDS]
"""

import argparse
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib.networks.net import Net
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit
from course_lib.training.parallel import distributed, rank
from tests.memory_data import MemoryData

CONFIG = TrainConfig(epochs=4, batch_size=16, schedule="one-cycle", class_weights="balanced", stage_factor=0.5)


class SlowData(MemoryData):
    """Takes a while for each batch, so that there is a middle of an epoch to be killed in."""

    _pause = 0.0  # of no weight for what is learned, as its name says

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        time.sleep(self._pause)
        return super().inputs(indices, device)


def make_net(name: str) -> nn.Module:
    """Without batch norm and dropout, what a network learns does not depend on which process sees which image."""
    torch.manual_seed(0)
    if name == "batch-norm":
        return Net(channels=4)
    return nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 7 * 7, 2))


def run(
    net: str, checkpoint: Path | None = None, pause: float = 0.0, device: str | torch.device = "cpu"
) -> dict[str, Any]:
    """History, weights and their SHA-256, of 75 images (so that two processes have unequal parts)."""
    contrast = 0.3 if net == "batch-norm" else 1.0  # neither finds it too easy
    train, validation = SlowData(75, contrast=contrast), MemoryData(41, seed=1, contrast=contrast)
    train._pause = pause
    history = fit(model := make_net(net), train, validation, CONFIG, device=device, checkpoint=checkpoint)
    weights = torch.cat([value.flatten().double() for value in model.state_dict().values()]).numpy()
    return {
        "history": asdict(history),
        "sha256": hashlib.sha256(weights.tobytes()).hexdigest(),
        "weights": weights.tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("--nets", nargs="+", default=["batch-norm"])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--pause", type=float, default=0.0)
    arguments = parser.parse_args()
    with distributed() as device:
        results = {net: run(net, arguments.checkpoint, arguments.pause, device) for net in arguments.nets}
        if rank() == 0:
            arguments.result.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
