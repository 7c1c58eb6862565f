"""For authors: makes the set of phantoms that comes with the course.

python -m course_lib.modalities.chest_xray.simulator quick      make datasets/phantoms-quick.zip again
"""

import argparse
import sys
from collections.abc import Sequence

from course_lib.modalities.chest_xray.simulator.files import PhantomError
from course_lib.modalities.chest_xray.simulator.shipping import QUICK_ARCHIVE, make_quick_archive


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.modalities.chest_xray.simulator", description="Make the course's phantoms."
    )
    parser.add_argument("set", choices=["quick"], help="which set to make")
    parser.add_argument("--workers", type=int, help="processes that render at once (default: one per core)")
    options = parser.parse_args(arguments)
    try:
        archive = make_quick_archive(QUICK_ARCHIVE, workers=options.workers)
    except (PhantomError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{archive} has {archive.stat().st_size / 1e6:.1f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
