"""How good the simulator is, measured against real radiographs.

The folder holds real radiographs in the course's layout. While the simulator is being worked on, the first measurement
uses the real training images; ``--split test`` opens the test images and is meant for the very end. In measurement 1 no
network has seen a real image, in 2 none has seen a phantom; in 3 and 4 the patients are apart.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import stats
from torch import nn
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as image_functional
from tqdm.auto import tqdm

from course_lib.authoring.contact_sheets import sheet
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split, recognise_card
from course_lib.data.samples import Radiograph
from course_lib.data.splits import take_patients
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval
from course_lib.evaluation.predictions import Predictions
from course_lib.modalities.chest_xray import simulator
from course_lib.networks.backbones import resnet18_classifier
from course_lib.networks.net import Net
from course_lib.support.runtime import COURSE_ROOT, seeded

RESULTS = COURSE_ROOT / "build" / "realism"
STORED = 80  #: px, side of the squares that are kept in memory
SIZE = 40  #: px, side of what the networks see, but for telling phantoms from real images
SIZE_TO_TELL_APART = 64
PHANTOMS = simulator.Settings(patients={"train": 3500, "val": 400}, size_px=96, seed=11)
SEEDS = range(5)
FEW_PATIENTS = (50, 100, 200)
FEW_STEPS = 40
HELD_OUT_PATIENTS = 600  #: real patients that measure the gain from pretraining
BATCH = 64


@dataclass(frozen=True)
class Pixels:
    """Images in memory, and whose they are."""

    images: torch.Tensor  #: uint8 [images, 1, 80, 80]
    labels: torch.Tensor  #: int64 [images]
    patients: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Pixels":
        """Some of the images."""
        index = torch.from_numpy(np.asarray(chosen))
        return Pixels(self.images[index], self.labels[index], self.patients[np.asarray(chosen)])


def load(radiographs: Sequence[Radiograph]) -> Pixels:
    """Every image, squeezed to a square, since that is how some folders of real images come."""

    def square(radiograph: Radiograph) -> NDArray[np.uint8]:
        return np.asarray(open_grey(radiograph.path).resize((STORED, STORED), Image.Resampling.BOX))

    with ThreadPoolExecutor() as pool:
        bar = tqdm(pool.map(square, radiographs), "Reading images", len(radiographs), leave=False, delay=5)
        images = torch.from_numpy(np.stack(list(bar)))[:, None]
    labels = torch.tensor([r.label for r in radiographs])
    return Pixels(images, labels, np.array([r.patient for r in radiographs]))


def standardise(images: torch.Tensor, size: int) -> torch.Tensor:
    """What a network sees: [images, 3, size, size], each image with mean 0 and standard deviation 1."""
    small = F.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
    spread = small.std((2, 3), keepdim=True) + 0.02
    return ((small - small.mean((2, 3), keepdim=True)) / spread).expand(-1, 3, -1, -1)


def vary(images: torch.Tensor) -> torch.Tensor:
    """The same images turned, shifted, stretched, sheared, with another grey scale, blur and noise. No mirroring."""
    n = len(images)

    def chance(spread: float) -> torch.Tensor:
        return torch.randn(n) * spread

    angle, scale, aspect, shear = chance(0.09), torch.exp(chance(0.12)), torch.exp(chance(0.10)), chance(0.08)
    where = torch.zeros(n, 2, 3)
    where[:, 0, 0], where[:, 0, 1] = angle.cos() / scale * aspect, -angle.sin() + shear
    where[:, 1, 0], where[:, 1, 1] = angle.sin(), angle.cos() / scale / aspect
    where[:, 0, 2], where[:, 1, 2] = chance(0.08), chance(0.08)
    grid = F.affine_grid(where, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False).clamp(0, 1)
    each = (n, 1, 1, 1)
    graded = moved ** torch.exp(chance(0.35)).view(each) * torch.exp(chance(0.2)).view(each) + chance(0.08).view(each)
    if torch.rand(1) < 0.5:
        graded = image_functional.gaussian_blur(graded, [5, 5], [0.1 + float(torch.rand(1))] * 2)
    return graded + torch.randn_like(graded) * torch.rand(each) * 0.06


def train(
    model: nn.Module, data: Pixels, *, steps: int, seed: int, size: int = SIZE, rate: float = 3e-3, batch: int = BATCH
) -> nn.Module:
    """The model, trained for a number of steps with a one-cycle schedule. No image but those given plays a part."""
    rng = np.random.default_rng(seed)
    weights = torch.where(data.labels == 1, 1 / (data.labels == 1).sum(), 1 / (data.labels == 0).sum()).double().numpy()
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    model.train()
    with seeded(seed):
        for _ in tqdm(range(steps), "Training", leave=False, delay=5):
            chosen = torch.from_numpy(rng.choice(len(data), batch, p=weights / weights.sum()))  # both classes alike
            images = standardise(vary(data.images[chosen].float() / 255), size)
            loss = F.cross_entropy(model(images), data.labels[chosen], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return model.eval()


def judge(models: Sequence[nn.Module], data: Pixels, size: int = SIZE) -> Predictions:
    """The mean of the models' probabilities for every image."""
    with torch.inference_mode():
        parts = [
            torch.stack([m(standardise(images.float() / 255, size)).double().softmax(1) for m in models]).mean(0)
            for images in data.images.split(256)  # type: ignore[no-untyped-call]
        ]
    files = tuple(str(i) for i in range(len(data)))
    return Predictions(torch.cat(parts).numpy(), data.labels.numpy(), data.patients, files, ("NORMAL", "PNEUMONIA"))


def new_net(seed: int) -> nn.Module:
    with seeded(seed):
        return Net(channels=24)


def measure(folder: Path, split: str) -> str:
    """All four measurements as one page of Markdown."""
    started = time.monotonic()
    lines: list[str] = []
    root = simulator.make_dataset(RESULTS / "phantoms", PHANTOMS)
    simulated, held_out = (load(read_split(root, part)[0]) for part in ("train", "val"))
    card = recognise_card(folder)
    training = read_split(folder, "train", card)[0]
    real = load(take_patients(training, 4000))
    tried = real if split == "train" else load(read_split(folder, split, card)[0])
    simulated_to_real(simulated, held_out, tried, split, lines)
    real_to_simulated(real, held_out, lines)
    telling_apart(real, simulated, lines)
    gain_from_pretraining(real, simulated, lines)
    lines += rendering_speed()
    lines.append(f"All of this took {(time.monotonic() - started) / 60:.0f} minutes.")
    return "\n".join(lines)


def rendering_speed() -> list[str]:
    """How fast phantoms are made at 224 px: one for a slider, and many for a folder."""
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(30):
        patient, exposure = simulator.draw_patient(rng), simulator.draw_exposure(rng)
        started = time.perf_counter()
        simulator.render(patient, exposure, 224)
        seconds.append(time.perf_counter() - started)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        root = simulator.make_dataset(Path(folder) / "set", simulator.Settings({"train": 500}, size_px=224, seed=0))
        rate = len(list(root.glob("train/*/*.jpeg"))) / (time.perf_counter() - started)
    return [
        "## 5. Rendering at 224 px",
        "",
        f"One picture: median {1000 * np.median(seconds):.0f} ms. A folder with masks: {rate:.0f} pictures/s on "
        f"{os.cpu_count()} cores.",
        "",
    ]


def simulated_to_real(simulated: Pixels, held_out: Pixels, tried: Pixels, split: str, lines: list[str]) -> None:
    """Networks that were trained on phantoms alone, tried on real images."""
    started = time.monotonic()
    nets = [train(new_net(seed), simulated, steps=600, seed=seed) for seed in SEEDS]
    minutes = (time.monotonic() - started) / 60
    each = [(auroc(judge([net], held_out)), auroc(judge([net], tried))) for net in nets]
    together = judge(nets, tried)
    lines += [
        f"## 1. Simulated to real: trained on {len(simulated):,} phantoms, tried on {len(tried):,} real {split} images",
        "",
        "| | AUROC on other phantoms | AUROC on real images |",
        "|---|---|---|",
        *[
            f"| Net, seed {seed} | {on_phantoms:.3f} | {on_real:.3f} |"
            for seed, (on_phantoms, on_real) in enumerate(each)
        ],
        f"| the {len(nets)} together | {auroc(judge(nets, held_out)):.3f} | {_with_interval(together)} |",
        "",
        f"Training the {len(nets)} networks took {minutes:.0f} minutes. Chance is 0.5.",
        "",
    ]


def real_to_simulated(real: Pixels, held_out: Pixels, lines: list[str]) -> None:
    """Networks that were trained on real images alone, tried on phantoms."""
    nets = [train(new_net(seed), real, steps=400, seed=seed) for seed in SEEDS[:3]]
    each = ", ".join(f"{auroc(judge([net], held_out)):.3f}" for net in nets)
    lines += [
        f"## 2. Real to simulated: trained on {len(real):,} real training images, tried on {len(held_out):,} phantoms",
        "",
        f"AUROC by seed {each}; together {_with_interval(judge(nets, held_out))}. Chance is 0.5.",
        "",
    ]


def telling_apart(real: Pixels, simulated: Pixels, lines: list[str]) -> None:
    """A network that is to tell real images from phantoms, on whole pictures and on parts of what is in them."""
    views: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "the whole picture": lambda x: x,
        "coarse shapes only (blurred to about 12 px)": lambda x: image_functional.gaussian_blur(
            x, [21, 21], [3.4, 3.4]
        ),
        "fine detail only (what that blur takes away)": lambda x: (
            0.5 + x - image_functional.gaussian_blur(x, [21, 21], [3.4, 3.4])
        ).clamp(0, 1),
        "the middle half": lambda x: x[..., 20:60, 20:60],
        "the margins (middle blacked out)": _without_middle,
    }
    lines += [
        "## 3. Telling phantoms from real images, 64 px, patients apart",
        "",
        "| what the network sees | AUROC |",
        "|---|---|",
    ]
    for name, view in views.items():
        mixed = _mixed(real, simulated, view)
        test = np.isin(mixed.patients, np.unique(mixed.patients)[::4])
        with seeded(0):
            net: nn.Module = Net(channels=16)
        train(net, mixed.take(~test), steps=150, seed=0, size=SIZE_TO_TELL_APART)
        lines.append(f"| {name} | {auroc(judge([net], mixed.take(test), SIZE_TO_TELL_APART)):.3f} |")
    lines += ["", "0.5 would mean that the network can not tell.", ""]


def gain_from_pretraining(real: Pixels, simulated: Pixels, lines: list[str]) -> None:
    """ResNet-18 on few real patients, started from phantom-trained weights or at random, tried on other patients."""
    order = np.random.default_rng(0).permutation(np.unique(real.patients))
    others = real.take(np.isin(real.patients, order[-HELD_OUT_PATIENTS:]))
    with seeded(0):
        start = resnet18_classifier(weights=None)
    start = train(start, simulated, steps=150, seed=0, rate=1e-3)
    lines += [
        f"## 4. A gain from pretraining: ResNet-18 on few real patients, tried on {len(others):,} images of others",
        "",
        f"Each run has {FEW_STEPS} steps of 32 images, so the random start has not come to its end. Gain: with a 95 % "
        f"interval over {len(SEEDS)} seeds, each with its own patients.",
        "",
        "| patients | random start, mean (range) | phantom start, mean (range) | gain |",
        "|---|---|---|---|",
    ]
    for many in FEW_PATIENTS:
        scores: dict[str, list[float]] = {"random": [], "phantom": []}
        for seed in SEEDS:
            few = real.take(
                np.isin(real.patients, np.random.default_rng(seed).permutation(order[:-HELD_OUT_PATIENTS])[:many])
            )
            for name, values in scores.items():
                with seeded(seed):
                    model = resnet18_classifier(weights=None)
                if name == "phantom":
                    model.load_state_dict(start.state_dict())
                train(model, few, steps=FEW_STEPS, seed=seed, rate=1e-3, batch=32)
                values.append(auroc(judge([model], others)))
        random, pretrained = (np.array(scores[name]) for name in ("random", "phantom"))
        gain = pretrained - random
        cells = (_mean_and_range(random), _mean_and_range(pretrained), _mean_and_interval(gain))
        lines.append(f"| {many} | {' | '.join(cells)} |")
    lines.append("")


def _mixed(real: Pixels, simulated: Pixels, view: Callable[[torch.Tensor], torch.Tensor]) -> Pixels:
    """As many phantoms as real images, and of each class alike; the label says which are phantoms."""
    parts = []
    for source, data in enumerate((real, simulated)):
        for label in (0, 1):
            some = data.take(np.flatnonzero(data.labels.numpy() == label)[:800])
            parts.append(replace(some, labels=torch.full_like(some.labels, source)))
    images = torch.cat([part.images for part in parts])
    batches = images.split(256)  # type: ignore[no-untyped-call]
    seen = torch.cat([(view(some.float() / 255) * 255).round().to(torch.uint8) for some in batches])
    return Pixels(seen, torch.cat([p.labels for p in parts]), np.concatenate([p.patients for p in parts]))


def _without_middle(images: torch.Tensor) -> torch.Tensor:
    rest = images.clone()
    rest[..., 20:60, 20:60] = 0
    return rest


def _with_interval(predictions: Predictions) -> str:
    low, high = bootstrap_interval(predictions, auroc)
    return f"{auroc(predictions):.3f} ({low:.3f} to {high:.3f})"


def _mean_and_range(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"


def _mean_and_interval(differences: NDArray[np.float64]) -> str:
    """The mean of paired differences, with the 95 % interval of Student's t."""
    mean, error = differences.mean(), stats.sem(differences)
    low, high = stats.t.interval(0.95, len(differences) - 1, mean, error)
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.realism", description="Measure the simulator.")
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("--split", default="train", choices=("train", "test"))
    commands.add_parser("sheet").add_argument("folder", type=Path, nargs="?")
    options = parser.parse_args(arguments)
    if options.folder is not None and not (options.folder / "train").is_dir():
        problem = f"There is no folder train in {options.folder}. Say which: make realism DATA=<folder that holds it>"
        print(problem, file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    if options.command == "sheet":
        print("\n".join(str(path.relative_to(COURSE_ROOT)) for path in sheet(options.folder)))
        return 0
    page = measure(options.folder, options.split)
    (RESULTS / "results.md").write_text(page + "\n", encoding="utf-8")
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
