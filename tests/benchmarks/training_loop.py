"""What the training loop costs over a bare one, and what it promises: resumed to the same bits, shared by processes.

python -m tests.benchmarks.training_loop
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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

Loop = Callable[[nn.Module, MemoryData, MemoryData, TrainConfig], object]
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
    """Seconds of `fit` beside those of a textbook's loop, taken in turns; of each the fastest time.

    Whatever else a computer does only adds time, so the fastest is the nearest to what the loop itself takes.
    """
    lines = [
        f"64 px, batches of 32, {EPOCHS} epochs, fastest of {REPEATS} (allowed: {MOST_OVERHEAD:.0%}):",
        "",
        "| network | bare loop | fit | overhead |",
        "|---|---|---|---|",
    ]
    for name, (build, images) in NETWORKS.items():
        train, validation = MemoryData(images, size=64), MemoryData(64, size=64, seed=1)
        config = TrainConfig(epochs=EPOCHS)
        bare_times: list[float] = []
        fit_times: list[float] = []
        bare_loop(build(), train, validation, config)  # the first training of a process is slower
        for repeat in range(REPEATS):
            pair: list[tuple[Loop, list[float]]] = [(bare_loop, bare_times), (fit, fit_times)]
            for loop, times in pair if repeat % 2 else pair[::-1]:
                torch.manual_seed(repeat)
                model, start = build(), time.perf_counter()
                loop(model, train, validation, config)
                times.append(time.perf_counter() - start)
        bare, ours = min(bare_times), min(fit_times)
        lines.append(f"| {name} | {bare:.2f} s | {ours:.2f} s | {100 * (ours / bare - 1):+.1f} % |")
    return lines


def bare_loop(model: nn.Module, train: MemoryData, validation: MemoryData, config: TrainConfig) -> None:
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
        model.eval()
        with torch.inference_mode():
            for batch in torch.arange(len(validation)).split(64):  # type: ignore[no-untyped-call]
                model(validation.inputs(batch)).softmax(dim=1)


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
