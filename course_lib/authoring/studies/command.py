"""The command that carries out studies: each writes its numbers to datasets/studies/, and prints them as a table."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from course_lib.authoring.studies import STUDIES
from course_lib.authoring.studies.study import Study, carry_out
from course_lib.data.image_folder import recognise_card
from course_lib.evaluation.studies import stored
from course_lib.modalities.registry import open_dataset
from course_lib.support.runtime import PROFILES, existing_folder

#: The phantoms that come with the course, or a whole folder.
PROFILE = replace(PROFILES["quick"], max_train_images=None)


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``studies``; a study whose file is there already is left as it is."""
    parser.add_argument("folder", nargs="?", default="phantom", help="real images; without it, simulated ones")
    parser.add_argument("--only", choices=STUDIES, help="this study alone")
    options = parser.parse_args(arguments)
    for study in [STUDIES[options.only]] if options.only else all_for(options.folder):
        data = open_dataset(study.modality, source=options.folder, profile=PROFILE)
        path = carry_out(study, data)
        results = stored(study.name, "phantom" if data.simulated else "real")
        print(f"\n{results.title}: {results.question}\n\n{results.table()}\n\nIn {path}\n")
    return 0


def all_for(source: str) -> list[Study]:
    """The studies that there are for such images; for a folder with a card, those of its modality."""
    folder = None if source == "phantom" else existing_folder(source)
    card = recognise_card(folder) if folder else None
    return [
        study
        for study in STUDIES.values()
        if ("phantom" if source == "phantom" else "real") in study.sources
        and (card is None or card.modality == study.modality)
    ]
