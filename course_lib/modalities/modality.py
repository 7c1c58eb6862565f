"""What a kind of images brings with it, so that one function opens all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from course_lib.sources.dataset_card import DatasetCard
from course_lib.support.runtime import COURSE_ROOT, Profile
from course_lib.tasks.task import Sample


class Reader(Protocol):
    """From a folder to samples, each with its target and its patient, and the names of the classes.

    ``disease`` says which of two classes is the disease, where no card does.
    """

    def __call__(
        self, root: Path, part: Literal["train", "test"], card: DatasetCard | None, disease: str | None, /
    ) -> tuple[Sequence[Sample], tuple[str, ...]]: ...


def as_they_are(folder: Path) -> Path:
    """The folder itself: its images need not be converted."""
    return folder


@dataclass(frozen=True)
class Modality:
    """A kind of images: its data sets, how their files are read, and how simulated ones are made."""

    name: str  #: its package in ``course_lib/modalities``, and what `open_dataset` is asked for
    images: str  #: what its images are called in a sentence, such as ``chest X-rays``
    real: str  #: slug of the card of its real data set
    simulated: str  #: slug of the card of its simulated data set
    task: str  #: what `read` reads for; a data set whose card names another is refused
    read: Reader
    simulated_folder: Callable[[Profile], Path]  #: where this profile's simulated images are, made now if need be
    counted: str = "images"  #: what one of them is, in a table
    remark: str = ""  #: on the test part of the real set, where the course has chosen it
    as_pictures: Callable[[Path], Path] = as_they_are  #: finds or makes the folder for `read` of one in another form


class Phantoms(Protocol):
    """A module that makes a modality's sets of phantoms."""

    VERSION: int
    QUICK_SET: Any  #: the settings of the set for every day
    FULL_SET: Any

    def make_dataset(self, root: Path, settings: Any) -> Path:
        """The folder with the set, made now if it is not there yet."""


def made_on_first_use(slug: str, phantoms: Phantoms) -> Callable[[Profile], Path]:
    """What finds the folder of a profile's phantoms, and makes them in a minute at most if they are not there yet.

    Those of ``full`` take minutes. A folder that holds others is a PhantomError.
    """

    def simulated_folder(profile: Profile) -> Path:
        settings = phantoms.QUICK_SET if profile.phantom_patients is None else phantoms.FULL_SET
        return phantoms.make_dataset(COURSE_ROOT / "datasets" / slug / f"v{phantoms.VERSION}-{profile.name}", settings)

    return simulated_folder
