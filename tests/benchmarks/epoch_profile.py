"""Where the seconds of one epoch go, and what each change to the engine took away: ResNet-18 at 64 px.

python -m tests.benchmarks.epoch_profile [FOLDER]      FOLDER holds train/; without it, simulated radiographs
"""

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import torch
from torch.nn import functional as F

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import ImageDataset, LabelledData
from course_lib.data.transforms import Preprocessing, training_transform
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.networks.backbones import resnet18_classifier
from course_lib.support.runtime import seeded
from course_lib.training.config import TrainConfig
from course_lib.training.optimisation import precision_on

IMAGES, BATCH = 384, 64
HOW = Preprocessing(64, "squeeze")
STEPS = ("images", "forward", "backward", "optimizer")
MIXED = TrainConfig(mixed_precision=True)


def run(folder: Path | None) -> list[str]:
    """Seconds per part of an epoch, one row per change, as the lines of a Markdown table."""
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or phantom.unpack_dataset(phantom.QUICK_ARCHIVE, Path(scratch) / "phantoms")
        found, classes = read_split(root, "train")
        radiographs = (found * -(-IMAGES // len(found)))[:: max(1, len(found) // IMAGES)][:IMAGES]
        slow = ImageDataset(radiographs, classes, training_transform(HOW))
        fast = PixelCache(radiographs, classes, HOW, Augmentation(), folder=Path(scratch))
        native = precision_on(torch.device("cpu"), MIXED)
        rows = {
            "every file decoded and changed by itself": profile(slow),
            "+ pixels kept, changed in batches: decoding is the same in each epoch": profile(fast),
            "+ channels last: convolutions read a pixel's channels together": profile(fast, channels_last=True),
        }
        if native != torch.float32:
            rows["+ 16 bits in the network: half the bytes, more numbers per instruction"] = profile(
                fast, channels_last=True, precision=native
            )
    first = sum(next(iter(rows.values())))
    return [
        f"{IMAGES} {'' if folder else 'simulated '}images, batches of {BATCH}, seconds:",
        "",
        f"| | {' | '.join(STEPS)} | together | times as fast |",
        f"|---|{'---|' * (len(STEPS) + 2)}",
        *[
            f"| {name} | {' | '.join(f'{s:.2f}' for s in parts)} | {sum(parts):.2f} | {first / sum(parts):.1f} |"
            for name, parts in rows.items()
        ],
    ]


def profile(data: LabelledData, *, channels_last: bool = False, precision: torch.dtype = torch.float32) -> list[float]:
    """Seconds of each of `STEPS` in one epoch, after two batches that warm up."""
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    with seeded(0):
        model = resnet18_classifier(weights=None).to(memory_format=memory_format)
        optimizer, labels = torch.optim.AdamW(model.parameters()), torch.tensor(data.labels)
        batches = list(torch.randperm(len(data)).split(BATCH))  # type: ignore[no-untyped-call]
        seconds = [0.0] * len(STEPS)
        for number, batch in enumerate(batches[:2] + batches):
            marks = [time.perf_counter()]
            images = data.inputs(batch).to(memory_format=memory_format)
            marks.append(time.perf_counter())
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                output = model(images)
            loss = F.cross_entropy(output.float(), labels[batch])
            marks.append(time.perf_counter())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            marks.append(time.perf_counter())
            optimizer.step()
            marks.append(time.perf_counter())
            if number >= 2:
                seconds = [s + end - start for s, (start, end) in zip(seconds, pairwise(marks), strict=True)]
    return seconds


if __name__ == "__main__":
    print("\n".join(run(Path(sys.argv[1]) if sys.argv[1:] else None)))
