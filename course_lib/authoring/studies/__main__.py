"""The studies from the shell: each writes its numbers to datasets/studies/, and prints them as a table.

python -m course_lib.studies                                          all of them, on the phantoms of the course
python -m course_lib.studies --data <folder> --only finetuning        one of them, on real X-rays
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from course_lib.authoring.studies import STUDIES, carry_out, stored
from course_lib.modalities.registry import open_dataset
from course_lib.support.errors import DataError
from course_lib.support.runtime import PROFILES

PROFILE = replace(
    PROFILES["quick"], max_train_images=None
)  #: the phantoms that come with the course, or a whole folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.studies", description="Run the course's long studies.")
    parser.add_argument("--data", default="phantom", help="a folder of X-rays; without it, simulated ones")
    parser.add_argument("--only", choices=STUDIES, help="this study alone")
    options = parser.parse_args(arguments)
    try:
        data = open_dataset(source=options.data, profile=PROFILE)
        for name in [options.only] if options.only else STUDIES:
            path = carry_out(STUDIES[name], data)
            results = stored(name, "phantom" if data.simulated else "real")
            print(f"\n{results.title}: {results.question}\n\n{results.table()}\n\nIn {path}\n")
    except DataError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
