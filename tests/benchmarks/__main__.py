"""Every number that the course claims for its training engine, in one run, as ratios.

python -m tests.benchmarks [--data FOLDER] [--full-size FOLDER]      writes build/benchmark/results.md

Both folders hold train/NORMAL/ and train/PNEUMONIA/; the second has the files as Kaggle serves them, and is the first
where it is not given. Without folders the images are simulated. Nothing else should run on the machine meanwhile.
"""

import argparse
import os
import platform
from collections.abc import Callable, Sequence

import torch

from course_lib.authoring.folder_argument import real_folder
from course_lib.support.runtime import COURSE_ROOT
from tests.benchmarks import engine, epoch_profile, frozen_features, input_pipeline, time_to_quality, training_loop

RESULTS = COURSE_ROOT / "build" / "benchmark" / "results.md"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure the training engine.")
    parser.add_argument("--data", type=real_folder)
    parser.add_argument("--full-size", type=real_folder)
    options = parser.parse_args(arguments)
    parts: dict[str, Callable[[], list[str]]] = {
        "Images to the network": lambda: input_pipeline.run(options.full_size or options.data),
        "One epoch, before and after": lambda: epoch_profile.run(options.full_size or options.data),
        "The engine, before and after": engine.run,
        "The training loop": training_loop.run,
        "Frozen features": frozen_features.run,
        "Sooner as good as the textbook": lambda: time_to_quality.run(options.data),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    page = [f"Measured with torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores."]
    for title, run in parts.items():
        print(f"… {title}", flush=True)
        page += ["", f"## {title}", "", *run()]
        RESULTS.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
