"""An epoch as the engine was and as it is, how threads wait, and what 16 bits do to the scores.

Each setting trains in a process of its own, and these take turns, epoch by epoch, so that whatever else a computer does
hits all of them. The engine as it was comes from git.

python -m tests.benchmarks.engine [epochs] [waiting] [scores]      without a name, all three
"""

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from torch import nn

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.splits import split_by_patient
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.networks.backbones import Weights, build_backbone, resnet18_classifier
from course_lib.networks.efficientnet_lite import EfficientNetLite0
from course_lib.support.process import WAITING, WAITING_IS_DECIDED
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from tests.benchmarks.memory import highest_memory_mb

BEFORE = "d710d4d"  #: the last commit with the engine as it was
WANTED = 1.5  #: times as fast
ROUNDS, SEEDS = 5, 5
BUSY = "while True: pass"
WAYS: dict[str, dict[str, str]] = {
    "as libgomp does by itself": {},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "GOMP_SPINCOUNT=100000": {"GOMP_SPINCOUNT": "100000"},
}


class Job(NamedTuple):
    """What a worker trains, epoch after epoch, in batches of 32."""

    network: str
    size: int  #: px
    images: int  #: in an epoch


LITE, RESNET = "EfficientNet-Lite0", "ResNet-18"
JOBS = (Job(LITE, 160, 384), Job(RESNET, 64, 384))
STARTS: dict[str, tuple[str, Weights | None]] = {LITE: ("efficientnet_lite0", "imagenet"), RESNET: ("resnet18", None)}
SCORED = TrainConfig(epochs=3, schedule="one-cycle")


@dataclass(frozen=True)
class Worker:
    """A process that trains for an epoch whenever it is asked to."""

    process: subprocess.Popen[str]
    seconds: list[float] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)  #: of the weights after each epoch
    peaks: list[int] = field(default_factory=list)  #: of the memory that it has held so far, in MB

    def epoch(self) -> None:
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("The worker was started without pipes.")
        print("go", file=self.process.stdin, flush=True)
        seconds, digest, peak = self.process.stdout.readline().split()
        self.seconds.append(float(seconds))
        self.digests.append(digest)
        self.peaks.append(int(peak))

    @property
    def median(self) -> float:
        """Seconds of an epoch, the first one left out."""
        return statistics.median(self.seconds[1:])


def run(parts: Sequence[str] = ()) -> list[str]:
    """The chosen parts, or all, as lines of Markdown."""
    with tempfile.TemporaryDirectory() as scratch:
        pictures = phantom.unpack_dataset(phantom.QUICK_ARCHIVE, Path(scratch) / "phantoms")
        known = {"epochs": epoch_lines, "waiting": waiting_lines, "scores": score_lines}
        return [line for name in parts or known for line in (*known[name](pictures), "")]


def epoch_lines(pictures: Path) -> list[str]:
    """Seconds of an epoch with the engine as it was, and as it is in 32 and in 16 bits."""
    lines = [
        f"An epoch of `fit` with batches of 32 and augmentation, medians of {ROUNDS}, taken in turns (wanted: {WANTED} "
        "times as fast); memory is the most that the processes held, in MB, in the same order:",
        "",
        "| | before, s | now, s | times as fast | 16 bits, s | times as fast | the bits of before | memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        old = _the_tree_before(Path(scratch))
        for job in JOBS:
            with ExitStack() as stack:
                before = stack.enter_context(_worker(job, pictures, {}, folder=old))
                now = stack.enter_context(_worker(job, pictures, WAITING))
                mixed = stack.enter_context(_worker(job, pictures, WAITING, mixed=True))
                _take_turns([before, now, mixed])
            first = before.median
            cells = [f"{w.median:.2f} | {first / w.median:.2f}" for w in (now, mixed)]
            same = "the same" if before.digests == now.digests else "OTHERS"
            name = f"{job.network} at {job.size} px, {job.images} images"
            memory = ", ".join(str(worker.peaks[-1]) for worker in (before, now, mixed))
            lines.append(f"| {name} | {first:.2f} | {' | '.join(cells)} | {same} | {memory} |")
    return lines


def waiting_lines(pictures: Path) -> list[str]:
    """Seconds of an epoch of ResNet-18 with threads that wait in different ways, alone and beside a busy program."""
    job, found = JOBS[-1]._replace(images=192), dict[str, list[float]]()
    for busy in (0, 1):
        with ExitStack() as stack:
            for _ in range(busy):
                stack.callback(subprocess.Popen([sys.executable, "-c", BUSY]).kill)
            workers = {name: stack.enter_context(_worker(job, pictures, way)) for name, way in WAYS.items()}
            _take_turns(list(workers.values()))
        for name, worker in workers.items():
            found.setdefault(name, []).append(worker.median)
    return [
        f"{job.network} at {job.size} px, {job.images} images, seconds of an epoch, medians of {ROUNDS}:",
        "",
        "| threads wait | alone | beside a busy program |",
        "|---|---|---|",
        *[f"| {name} | {alone:.2f} | {beside:.2f} |" for name, (alone, beside) in found.items()],
    ]


def score_lines(pictures: Path) -> list[str]:
    """AUROC of the same trainings in 32 and in 16 bits, on the same patients, and the difference of each pair."""
    lines = [
        f"{SCORED.epochs} epochs on 384 simulated images, {SEEDS} seeds, AUROC on other patients:",
        "",
        "| | 32 bits | 16 bits | difference | its standard error | single seeds |",
        "|---|---|---|---|---|---|",
    ]
    for job in JOBS:
        pairs = [[_score(job, pictures, seed, mixed) for mixed in (False, True)] for seed in range(SEEDS)]
        in_32, in_16 = (statistics.mean(column) for column in zip(*pairs, strict=True))
        differences = [short - long for long, short in pairs]
        error = statistics.stdev(differences) / SEEDS**0.5
        start = STARTS[job.network][1] or "nothing"
        lines.append(
            f"| {job.network} at {job.size} px, from {start} | {in_32:.4f} | {in_16:.4f} | {in_16 - in_32:+.4f} | "
            f"{error:.4f} | {min(differences):+.4f} to {max(differences):+.4f} |"
        )
    return lines


def _score(job: Job, pictures: Path, seed: int, mixed: bool) -> float:
    """AUROC of a training as the course starts it: `STARTS`."""
    train, validation = _data(job, pictures, validation=200)
    name, weights = STARTS[job.network]
    with seeded(seed):
        model = build_backbone(name, weights=weights)
    fit(model, train, validation, replace(SCORED, seed=seed, mixed_precision=mixed))
    return auroc(predict(model, validation))


def _take_turns(workers: Sequence[Worker]) -> None:
    for number in range(1 + ROUNDS):
        for worker in workers if number % 2 else workers[::-1]:
            worker.epoch()


@contextmanager
def _worker(
    job: Job, pictures: Path, way: Mapping[str, str], *, mixed: bool = False, folder: Path = COURSE_ROOT
) -> Iterator[Worker]:
    """A worker with the course of that folder; its threads wait in the given way."""
    environment = {name: value for name, value in os.environ.items() if name not in WAITING_IS_DECIDED}
    environment = {**environment, **way, "PYTHONPATH": str(folder), "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", "tests.benchmarks.engine", "--worker", *map(str, job), str(pictures), str(mixed)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Worker(process)
        finally:
            process.kill()


def _work(job: Job, pictures: Path, mixed: bool) -> None:
    """Train for an epoch at every line of the standard input; print its seconds and a digest of the weights."""
    train, validation = _data(job, pictures, validation=32)
    model = _network(job.network, seed=0)
    for _ in sys.stdin:
        started = time.perf_counter()
        fit(model, train, validation, TrainConfig(epochs=1, mixed_precision=mixed))
        seconds = time.perf_counter() - started
        numbers = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
        peak = round(highest_memory_mb())
        print(seconds, hashlib.sha256(numbers).hexdigest(), peak, flush=True)


def _data(job: Job, pictures: Path, validation: int) -> tuple[PixelCache, PixelCache]:
    found, classes = read_split(pictures, "train")
    learning, others = split_by_patient(found)
    how, folder = Preprocessing(job.size, "squeeze"), pictures.with_name("pixels")
    chosen = (learning * -(-job.images // len(learning)))[:: max(1, len(learning) // job.images)][: job.images]
    held_out = others[:: max(1, len(others) // validation)][:validation]
    return (
        PixelCache(chosen, classes, how, Augmentation(), folder=folder),
        PixelCache(held_out, classes, how, folder=folder),
    )


def _network(name: str, seed: int) -> nn.Module:
    """The network with the same random weights in every version of the course, whose own start has changed once."""
    model: nn.Module = EfficientNetLite0(2) if name == LITE else resnet18_classifier(weights=None)
    with seeded(seed):
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.reset_parameters()
    return model


def _the_tree_before(folder: Path) -> Path:
    """The course of the commit `BEFORE`, and this benchmark, which asks of it only what it has."""
    archive = subprocess.run(
        ["git", "archive", BEFORE, "course_lib", "datasets"], cwd=COURSE_ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    shutil.copytree(COURSE_ROOT / "tests" / "benchmarks", folder / "tests" / "benchmarks")
    (folder / "tests" / "__init__.py").touch()
    shutil.copy(COURSE_ROOT / "course_lib" / "support" / "process.py", folder / "course_lib" / "support")
    return folder


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        network, size, images, pictures, mixed = sys.argv[2:]
        _work(Job(network, int(size), int(images)), Path(pictures), mixed == "True")
    else:
        print("\n".join(run(sys.argv[1:])))
