"""The command line of the downloads.

python -m course_lib.sources data <slug>      find or fetch a data set; its card is datasets/<slug>.toml
python -m course_lib.sources verify <slug>    compare it with its card and its manifest
"""

import argparse
import sys
from collections.abc import Sequence

from course_lib.sources.archive import verify
from course_lib.sources.command_line import explained
from course_lib.sources.dataset_card import load_card
from course_lib.sources.kaggle_dataset import command_that_makes, fetch_dataset, folder_of


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.sources", description="Fetch and verify a data set.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("data", "verify"):
        commands.add_parser(name).add_argument("slug", help="the name of its card in datasets/, without .toml")
    options = parser.parse_args(arguments)
    work = {"data": _fetched, "verify": _verified}[options.command]
    return explained(lambda: work(options.slug))


def _fetched(slug: str) -> str:
    return f"{slug} is in {fetch_dataset(slug)}"


def _verified(slug: str) -> str:
    folder = folder_of(slug)
    images = verify(folder, load_card(slug), command_that_makes(folder))
    return f"{images:,} images are as the manifest says: {folder}"


if __name__ == "__main__":
    sys.exit(main())
