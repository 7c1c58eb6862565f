"""Makes the archive of simulated X-rays that comes with the course: datasets/phantoms-quick.zip."""

import argparse
from collections.abc import Sequence

from course_lib.modalities.chest_xray.simulator.shipping import QUICK_ARCHIVE, make_quick_archive


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``phantoms``; takes about a minute."""
    parser.add_argument("--workers", type=int, help="processes that render at once (default: one per core)")
    archive = make_quick_archive(QUICK_ARCHIVE, workers=parser.parse_args(arguments).workers)
    print(f"{archive} has {archive.stat().st_size / 1e6:.1f} MB.")
    return 0
