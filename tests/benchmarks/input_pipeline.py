"""How fast images come to a network: the textbook's pipeline against `PixelCache`, on the same files, in one run.

The textbook's is ``ImageFolder``, ``Resize((224, 224))``, ``ToTensor``, ``Normalize`` and a ``DataLoader`` without
workers. Without a folder, simulated radiographs are enlarged to the size of real ones.

python -m tests.benchmarks.input_pipeline [FOLDER]      FOLDER holds train/NORMAL/ and train/PNEUMONIA/
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from course_lib.modalities.chest_xray import simulator as phantom
from tests.benchmarks.memory import highest_memory_mb

SIZE, BATCH = 224, 64  #: px, images
EPOCH_IMAGES = 256  #: of the timed epochs at least; a smaller folder is gone through more than once
WHOLE_SET = 5216  #: training images of the Kaggle set
SIMULATED_IMAGES, SIMULATED_SIZE = 64, (1500, 1200)  #: width and height in px
LATER_EPOCHS = 29
LEAST_FIRST, LEAST_LATER, MOST_MEMORY_MB = 6, 100, 600
HOW = Preprocessing(SIZE, "squeeze")


def run(folder: Path | None) -> list[str]:
    """The measured ratios and the highest memory, as the lines of a Markdown table."""
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or _simulated(Path(scratch) / "simulated")
        found, classes = read_split(root, "train")
        radiographs = (found * -(-EPOCH_IMAGES // len(found)))[: max(EPOCH_IMAGES, len(found))]
        for radiograph in found:
            radiograph.path.read_bytes()  # so that neither pipeline has to wait for the disk
        textbook = _textbook_speed(root, len(radiographs))
        first, later, *trained = _cache_speeds(radiographs, classes, Path(scratch) / "cold")
        imports, memory = _memory_of_a_child(root, Path(scratch) / "whole")
    what = f"{len(found)} {'real' if folder else 'simulated'} images" + (" of 1500 x 1200 px" if not folder else "")
    return [
        f"Input pipeline: {what}, {SIZE} px, batches of {BATCH}, {torch.get_num_threads()} threads",
        "",
        "| | images/s | times the textbook's | wanted |",
        "|---|---:|---:|---:|",
        f"| textbook, every epoch | {textbook:,.0f} | 1 | |",
        f"| `PixelCache`, first epoch, nothing decoded yet | {first:,.0f} | {first / textbook:.1f} | ≥ {LEAST_FIRST} |",
        f"| `PixelCache`, later epochs (median of {LATER_EPOCHS}) | {later:,.0f} | {later / textbook:,.0f} "
        f"| ≥ {LEAST_LATER} |",
        f"| the same, three real channels, channels last, as a network takes them | {trained[0]:,.0f} "
        f"| {trained[0] / textbook:,.0f} | |",
        f"| the same, augmented, which the textbook's are not | {trained[1]:,.0f} | {trained[1] / textbook:.1f} | |",
        "",
        "In the row with a wish the three channels, which are alike, share their memory.",
        "",
        f"Highest memory of a process that decodes {WHOLE_SET:,} images and goes through them once: {memory:,.0f} MB "
        f"(wanted: at most {MOST_MEMORY_MB}). Of these, {imports:,.0f} MB are torch {torch.__version__}, torchvision "
        f"and scikit-learn, loaded before the first image: the images take {memory - imports:,.0f} MB.",
    ]


def _textbook_speed(root: Path, images: int) -> float:
    """Images per second of the pipeline in most tutorials."""
    chain = transforms.Compose(
        [
            transforms.Resize((SIZE, SIZE)),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    files = datasets.ImageFolder(str(root / "train"), chain)
    epoch = Subset(files, [i % len(files) for i in range(images)])
    started = time.perf_counter()
    seen = sum(len(batch) for batch, _ in DataLoader(epoch, batch_size=BATCH, shuffle=True, num_workers=0))
    return seen / (time.perf_counter() - started)


def _cache_speeds(radiographs: Sequence[LabelledImage], classes: Sequence[str], cold: Path) -> list[float]:
    """Images per second of the first epoch, decoding and writing included; of a later one; of one as in training."""
    started = time.perf_counter()
    cache = PixelCache(radiographs, classes, HOW, folder=cold)
    _epoch(cache)
    first = len(cache) / (time.perf_counter() - started)
    changed = PixelCache(radiographs, classes, HOW, Augmentation(), folder=cold)
    later = [
        statistics.median(len(cache) / _epoch(data, channels_last) for _ in range(LATER_EPOCHS))
        for data, channels_last in ((cache, False), (cache, True), (changed, True))
    ]
    return [first, *later]


def _epoch(cache: PixelCache, channels_last: bool = False) -> float:
    """Seconds to get every image once, in random order."""
    started = time.perf_counter()
    batches: Sequence[torch.Tensor] = torch.randperm(len(cache)).split(BATCH)  # type: ignore[no-untyped-call]
    for chosen in batches:
        images = cache.inputs(chosen)
        if channels_last:
            images.contiguous(memory_format=torch.channels_last)
    return time.perf_counter() - started


def _memory_of_a_child(root: Path, cold: Path) -> tuple[float, float]:
    """Highest MB of a process of its own: after its imports, and after it decoded and went through the whole set."""
    command = [sys.executable, "-m", "tests.benchmarks.input_pipeline", "--memory", str(root), str(cold)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    imports, memory = answer.split()[-2:]
    return float(imports), float(memory)


def _print_memory(root: Path, cold: Path) -> None:
    imports = highest_memory_mb()
    found, classes = read_split(root, "train")
    radiographs = (found * -(-WHOLE_SET // len(found)))[:WHOLE_SET]
    _epoch(PixelCache(radiographs, classes, HOW, folder=cold))
    print(imports, highest_memory_mb())


def _simulated(root: Path) -> Path:
    """Simulated radiographs, enlarged to the size of the real ones and stored as JPEG."""
    small = phantom.unpack_dataset(phantom.QUICK_ARCHIVE, root.with_name("phantoms"))
    for kind in ("NORMAL", "PNEUMONIA"):
        (root / "train" / kind).mkdir(parents=True)
        for path in sorted((small / "train" / kind).iterdir())[: SIMULATED_IMAGES // 2]:
            with Image.open(path) as image:
                image.convert("L").resize(SIMULATED_SIZE).save(root / "train" / kind / f"{path.stem}.jpeg", quality=95)
    return root


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        _print_memory(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print("\n".join(run(Path(sys.argv[1]) if sys.argv[1:] else None)))
