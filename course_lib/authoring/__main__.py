"""The commands for authors: ``python -m course_lib.authoring <verb>``."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from course_lib.modalities.phantom_files import PhantomError
from course_lib.support.errors import DataError, TrainingError
from course_lib.support.process import set_waiting

PROGRAM = "python -m course_lib.authoring"
INTERRUPTED = 130  #: what a shell says of a command that was ended by Ctrl-C


class Verb(NamedTuple):
    """A command: where it is done, and what it does."""

    module: str  #: in `course_lib.authoring`; imported only when the verb is called, since most need torch
    function: str  #: takes a parser, adds the verb's arguments to it, reads them, does the work; gives the exit code
    says: str


VERBS = {
    "notebooks": Verb("notebooks", "run_in_place", "run the notebooks in place, clean them, check their form"),
    "check-notebooks": Verb("notebooks", "check_form", "check the notebooks' form alone"),
    "solutions": Verb("notebooks", "run_solved", "solve every exercise in copies of the notebooks, and run them"),
    "real": Verb("notebooks", "run_on_real_images", "run the notebooks on real images"),
    "phantoms": Verb("phantom_archive", "main", "make the archive of simulated X-rays that comes with the course"),
    "weights": Verb("phantom_weights", "main", "train the ResNet-18 that comes with the course (20 minutes)"),
    "measure": Verb("measure", "main", "train a modality's frozen recipe, and test it once on real images"),
    "choose-recipe": Verb("recipe_choice", "main", "compare the candidates for the X-rays' recipe (about an hour)"),
    "sarcomas": Verb("sarcomas", "main", "outline sarcomas in CT, each patient by a network that never saw it"),
    "realism": Verb("simulator_realism", "main", "measure the X-ray simulator against real training images"),
    "sheets": Verb("contact_sheets", "main", "draw contact sheets of simulated X-rays, and the README's picture"),
    "studies": Verb("studies.command", "main", "carry out what is too long for a lesson (hours), to datasets/studies/"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives 0 if all is well, and prints one sentence if not."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    verbs = "\n".join(f"  {name:17}{verb.says}" for name, verb in VERBS.items())
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} <verb> …",
        description=f"The commands for authors:\n\n{verbs}",
        epilog=f"More about one of them: {PROGRAM} <verb> --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=VERBS, help=argparse.SUPPRESS)
    name = parser.parse_args(given[:1] or ["--help"]).verb
    set_waiting(os.environ)  # before a verb loads torch
    try:
        return _call(name, given[1:])
    except (DataError, TrainingError, PhantomError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What is trained or measured already is kept for the next call.", file=sys.stderr)
        return INTERRUPTED


def _call(name: str, arguments: Sequence[str]) -> int:
    verb = VERBS[name]
    module = importlib.import_module(f"course_lib.authoring.{verb.module}")
    work: Callable[[argparse.ArgumentParser, Sequence[str]], int] = getattr(module, verb.function)
    says = f"{verb.says[0].upper()}{verb.says[1:]}."
    return work(argparse.ArgumentParser(f"{PROGRAM} {name}", description=says), arguments)


if __name__ == "__main__":
    sys.exit(main())
