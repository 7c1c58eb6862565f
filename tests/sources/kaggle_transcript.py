"""Prints what a learner sees: `make data` with a token, without, after a kill -9, twice at once, and refused.

python -m tests.sources.kaggle_transcript

Kaggle is the stand-in, its archive has all 5,856 images in small, and the client is the real one.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from course_lib.sources.dataset_card import load_card
from course_lib.support.runtime import COURSE_ROOT
from tests.sources.kaggle_fixtures import TOKEN, point_client_at, python
from tests.sources.kaggle_stand_in import StandIn, running
from tests.sources.xray_archive import write_archive

COMMAND = python("-m", "course_lib.sources", "data", "chest-xray-pneumonia")


def call(folder: Path, title: str, *, token: bool) -> None:
    """Run the command and print what it prints, with the machine's folder left out."""
    environment = {**os.environ, **({"KAGGLE_API_TOKEN": TOKEN} if token else {})}
    done = subprocess.run(COMMAND, cwd=COURSE_ROOT, env=environment, capture_output=True, text=True, check=False)
    bars = [line.strip() for line in done.stderr.replace("\r", "\n").splitlines() if line.strip()]
    said = "\n".join([*bars[-2:], *done.stdout.splitlines()]).replace(str(folder), "…")
    print(f"## {title}\n\n{said}\n(exit {done.returncode})\n", flush=True)


def main() -> None:
    """Five calls, each on the state that the one before has left."""
    card = load_card("chest-xray-pneumonia")
    with tempfile.TemporaryDirectory() as name, running(StandIn(tokens={TOKEN}, bytes_per_second=8e6)) as world:
        folder = Path(name)
        archive = write_archive(folder / "served.zip", card)
        world.archives[card.handle] = lambda: archive
        for variable in [name for name in os.environ if name.startswith("KAGGLE_")]:
            del os.environ[variable]
        os.environ |= {"HOME": str(folder), "COURSE_CACHE": str(folder / "one")}
        os.environ.pop("COURSE_DATA", None)
        point_client_at(world, os.environ.__setitem__)

        call(folder, "With a token", token=True)
        call(folder, "Once more", token=True)

        os.environ["COURSE_CACHE"] = str(folder / "two")
        part = folder / "two" / ".chest-xray-pneumonia.fetching" / "archive.zip.part"
        killed = subprocess.Popen(COMMAND, cwd=COURSE_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (part.exists() and part.stat().st_size > 6_000_000):
            time.sleep(0.01)
        killed.kill()
        killed.wait()
        print(f"## Killed with kill -9\n\n{part.stat().st_size:,} bytes are kept\n")
        call(folder, "Without a token, resumed", token=False)
        first, second = world.downloads()[-2:]
        print(f"Served: {first.sent:,} bytes, then from byte {second.first_byte:,} on {second.sent:,} bytes;")
        print(f"the archive has {archive.stat().st_size:,}.\n")

        os.environ["COURSE_CACHE"] = str(folder / "three")
        world.anonymous = False
        call(folder, "Without a token, refused", token=False)
        world.tokens.clear()
        call(folder, "With a token that has expired", token=True)


if __name__ == "__main__":
    main()
