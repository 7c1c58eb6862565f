"""How long a full-size archive takes: 5,856 images of 1.2 GB, each packed twice.

The archive is made in a temporary folder, then unpacked and verified.

python -m tests.benchmarks.full_size_archive
"""

import io
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from course_lib.sources.archive import unpack, verify
from course_lib.sources.dataset_card import load_card
from tests.benchmarks.memory import highest_memory_mb
from tests.sources.xray_archive import MACOS_FILE, image_names

WANTED_BYTES = 1_200_000_000
SIZES = {"NORMAL": (1654, 1352), "PNEUMONIA": (1168, 824)}  # median width, as the data card has it; px
MOST_SECONDS, MOST_MEMORY_MB = 90, 500
KINDS = 12  #: different images per class


def radiograph(name: str, seed: int, wanted_bytes: float) -> bytes:
    """A grey JPEG with soft shapes and film grain, of the size in px and about the size in bytes of a real one."""
    random = np.random.default_rng(seed)
    width, height = SIZES[name]
    soft = Image.fromarray(random.integers(0, 255, (height // 40, width // 40), dtype=np.uint8))
    shapes = np.asarray(soft.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(9)))
    image = Image.fromarray((shapes + random.normal(0, 4, shapes.shape)).clip(0, 255).astype(np.uint8))
    data = b""
    for quality in range(60, 100, 2):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        data = file.getvalue()
        if len(data) >= wanted_bytes:
            break
    return data


def write_full_size(path: Path) -> None:
    """The archive, with the files that macOS adds and with the nested second copy of every image."""
    card = load_card("chest-xray-pneumonia")
    names = list(image_names(card))
    kinds = {name: [radiograph(name, seed, WANTED_BYTES / len(names)) for seed in range(KINDS)] for name in SIZES}
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, _) in enumerate(names):
            folder, _, file = name.rpartition("/")
            for top in ("chest_xray", "chest_xray/chest_xray"):
                archive.writestr(f"{top}/{name}", kinds[name.split("/")[1]][number % KINDS])
            archive.writestr(f"chest_xray/__MACOSX/{folder}/._{file}", MACOS_FILE)


def measure(archive: Path, target: Path) -> int:
    """Unpack and verify, and print seconds and the highest memory of this process; gives 1 if a bound is broken."""
    card = load_card("chest-xray-pneumonia")
    started = time.perf_counter()
    unpack(archive, target, card)
    unpacked = time.perf_counter()
    images = verify(target, card)
    verified = time.perf_counter()
    peak = highest_memory_mb()
    print(f"archive           {archive.stat().st_size / 1e9:.2f} GB, {images:,} images")
    print(f"unpack, verified  {unpacked - started:.1f} s")
    print(f"verify once more  {verified - unpacked:.1f} s")
    print(f"highest memory    {peak:.0f} MB")
    return exit_code(unpacked - started, peak)


def exit_code(seconds: float, memory_mb: float) -> int:
    """1 if unpacking took longer or more memory than it may, else 0."""
    return int(seconds > MOST_SECONDS or memory_mb > MOST_MEMORY_MB)


def main() -> int:
    """Make the archive here, and measure in a process of its own, so that making it does not count."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive.zip"
        write_full_size(archive)
        command = [sys.executable, "-m", "tests.benchmarks.full_size_archive", str(archive), str(Path(folder) / "set")]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.exit(measure(Path(sys.argv[1]), Path(sys.argv[2])))
    sys.exit(main())
