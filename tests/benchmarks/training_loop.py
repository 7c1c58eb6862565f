"""What the training loop costs over a bare one, and what it promises: resumed to the same bits, shared by processes.

python -m tests.benchmarks.training_loop
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.net import Net
from course_lib.support.runtime import COURSE_ROOT
from course_lib.training.checkpoints import TrainingFile
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit
from tests.memory_data import MemoryData
from tests.training_run import CONFIG
from tests.training_run import run as train_small

MOST_OVERHEAD = 0.02
EPOCHS, REPEATS, KILLS = 3, 7, 3
NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "Net": (Net, 2560),
    "ResNet-18": (lambda: resnet18_classifier(weights=None), 512),
}  #: and how many images an epoch has; in shorter ones what `fit` does once per epoch would weigh more


def run() -> list[str]:
    """All numbers, as lines of Markdown."""
    return [*overhead_lines(), "", *resume_lines(), "", *process_lines()]


def overhead_lines() -> list[str]:
    """Seconds of `fit` beside those of a textbook's loop that takes its steps in turns with it, so that whatever else a
    computer does hits both."""
    lines = [
        f"64 px, batches of 32, {EPOCHS} epochs, step by step in turns, median of {REPEATS} (allowed: "
        f"{MOST_OVERHEAD:.0%}):",
        "",
        "| network | bare loop | fit | overhead | lowest to highest |",
        "|---|---|---|---|---|",
    ]
    for name, (build, images) in NETWORKS.items():
        pairs = [in_turns(build, images, seed) for seed in range(1 + REPEATS)][1:]  # the first training is slower
        bare, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
        overheads = sorted(100 * (fitted / alone - 1) for alone, fitted in pairs)
        middle, (low, high) = statistics.median(overheads), (overheads[0], overheads[-1])
        lines.append(f"| {name} | {bare:.2f} s | {ours:.2f} s | {middle:+.1f} % | {low:+.1f} to {high:+.1f} % |")
    return lines


class InTurns(MemoryData):
    """Lets another loop take a step before each of its own batches, and counts how long that takes."""

    _other: Iterator[None] = iter(())
    _seconds = 0.0

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        started = time.perf_counter()
        next(self._other)
        self._seconds += time.perf_counter() - started
        return super().batch(indices, device)


def in_turns(build: Callable[[], nn.Module], images: int, seed: int) -> tuple[float, float]:
    """Seconds of a bare loop and of `fit`, for the same training."""
    train, validation, config = InTurns(images, size=64), InTurns(64, size=64, seed=1), TrainConfig(epochs=EPOCHS)
    models = []
    for _ in range(2):
        torch.manual_seed(seed)
        models.append(build())
    bare = bare_loop(models[0], train, validation, config)
    train._other = validation._other = bare
    started = time.perf_counter()
    fit(models[1], train, validation, config)
    both = time.perf_counter() - started
    in_bare = train._seconds + validation._seconds
    return in_bare, both - in_bare


def bare_loop(model: nn.Module, train: MemoryData, validation: MemoryData, config: TrainConfig) -> Iterator[None]:
    """What a textbook writes: the same steps and the same validation, nothing kept, nothing checked."""
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    labels = torch.tensor(train.labels)
    for _ in range(config.epochs):
        model.train()
        for batch in torch.randperm(len(train)).split(config.batch_size):  # type: ignore[no-untyped-call]
            images = train.inputs(batch).to(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(images), labels[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            yield
        model.eval()
        for batch in torch.arange(len(validation)).split(64):  # type: ignore[no-untyped-call]
            with torch.inference_mode():
                model(validation.inputs(batch)).softmax(dim=1)
            yield


def resume_lines() -> list[str]:
    """A training, killed at a random moment and called again, beside the same one undisturbed."""
    whole = train_small("batch-norm")
    lines = [
        f"Undisturbed, {CONFIG.epochs} epochs: SHA-256 of the weights {whole['sha256'][:16]}…",
        "",
        "| kill -9 after | whole epochs on disk | weights | history |",
        "|---|---|---|---|",
    ]
    for _ in range(KILLS):
        with tempfile.TemporaryDirectory() as folder:
            checkpoint, seconds = Path(folder) / "run.pt", random.uniform(0.1, 3.5)
            kill_after(seconds, checkpoint, Path(folder) / "result.json")
            saved = TrainingFile(checkpoint, torch.load(checkpoint)["training"]["identity"]).load() or {}
            epochs = len(saved["history"])
            resumed = train_small("batch-norm", checkpoint)
        words = ["identical" if resumed[key] == whole[key] else "DIFFERENT" for key in ("sha256", "history")]
        lines.append(f"| {seconds:.1f} s of training | {epochs} of {CONFIG.epochs} | {words[0]} | {words[1]} |")
    return lines


def kill_after(seconds: float, checkpoint: Path, result: Path) -> None:
    """Start a training that takes about four seconds, and kill it so long after it has begun."""
    command = [sys.executable, "-m", "tests.training_run", str(result), "--checkpoint", str(checkpoint)]
    with subprocess.Popen([*command, "--pause", "0.2"], cwd=COURSE_ROOT, stderr=subprocess.DEVNULL) as child:
        while not checkpoint.exists() and child.poll() is None:
            time.sleep(0.01)
        time.sleep(seconds)
        child.kill()


def process_lines() -> list[str]:
    """The same training in one process and, under torchrun, in two."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command = [*torchrun, "-m", "tests.training_run", str(result), "--nets", "plain", "batch-norm"]
        subprocess.run(command, cwd=COURSE_ROOT, capture_output=True, check=True)
        together: dict[str, Any] = json.loads(result.read_text())
    lines = [
        "| network | processes | validation loss | AUROC | largest difference of a weight |",
        "|---|---|---|---|---|",
    ]
    for net, in_two in together.items():
        alone = train_small(net)
        difference = np.abs(np.subtract(alone["weights"], in_two["weights"])).max()
        for count, found in ((1, alone), (2, in_two)):
            history = found["history"]
            numbers = f"{history['validation_loss'][-1]:.5f} | {history['validation_score'][-1]:.4f}"
            lines.append(f"| {net} | {count} | {numbers} | {f'{difference:.1e}' if count == 2 else ''} |")
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
