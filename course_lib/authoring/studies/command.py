"""The command that carries out studies: each writes its numbers to datasets/studies/, and prints them as a table."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from course_lib.authoring.studies import STUDIES
from course_lib.authoring.studies.study import carry_out
from course_lib.evaluation.studies import stored
from course_lib.modalities.registry import open_dataset
from course_lib.support.runtime import PROFILES

#: The phantoms that come with the course, or a whole folder.
PROFILE = replace(PROFILES["quick"], max_train_images=None)


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``studies``; a study whose file is there already is left as it is."""
    parser.add_argument("folder", nargs="?", default="phantom", help="real X-rays; without it, simulated ones")
    parser.add_argument("--only", choices=STUDIES, help="this study alone")
    options = parser.parse_args(arguments)
    data = open_dataset(source=options.folder, profile=PROFILE)
    for name in [options.only] if options.only else STUDIES:
        path = carry_out(STUDIES[name], data)
        results = stored(name, "phantom" if data.simulated else "real")
        print(f"\n{results.title}: {results.question}\n\n{results.table()}\n\nIn {path}\n")
    return 0
