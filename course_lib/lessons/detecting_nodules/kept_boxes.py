"""What trained detectors found in films of simulated patients, kept so that the lesson can judge it in seconds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_lib.data.outlines_and_boxes import BoxedImage
from course_lib.evaluation.detection import Boxes, DetectionPredictions, merged
from course_lib.evaluation.studies import RESULTS, command_of, file_of
from course_lib.modalities.chest_findings.phantoms import Settings, draw_films
from course_lib.modalities.chest_findings.reader import CLASSES
from course_lib.modalities.chest_findings.recipe import LESION, LESIONS
from course_lib.modalities.simulated_film.marked_film import MarkedFilm
from course_lib.support.errors import DataError
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood

FILE = RESULTS / "nodule_detectors.boxes.json"
COMMAND = command_of("nodule_detectors", "phantom")
REMEDY = f"Delete {file_of('nodule_detectors', 'phantom')}, if it is there, and run: {COMMAND}"
MOST = 12  #: boxes of one detector in one film; the surest are kept
DECIMALS = 4  #: of a score; corners have one


@dataclass(frozen=True)
class KeptFilms:
    """Nodules and masses in simulated films, as one class; the films themselves can be drawn again."""

    said: Mapping[str, DetectionPredictions]  #: by detector
    subtlety: NDArray[np.str_]  #: [true boxes], film after film
    contrast_to_noise: NDArray[np.float64]  #: [true boxes], film after film
    settings: Settings  #: of the set of phantoms

    def draw(self, film: int) -> MarkedFilm:
        """The film at this place, in a quarter of a second or more."""
        name = next(iter(self.said.values())).files[film]
        patient, number = name.removeprefix("phantom").removesuffix(".jpg").split("_")
        return draw_films(self.settings, int(patient))[int(number)][1]


def kept_films() -> KeptFilms:
    """The films of the patients whom no detector has learned from.

    Raises:
        DataError: the file is not there, or damaged; the message says what to run.
    """
    if not FILE.exists():
        raise DataError(f"{FILE.name} is not there. {REMEDY}")
    with understood(lambda reason: DataError(f"{FILE.name} is no whole file of boxes: {reason}. {REMEDY}")):
        kept = json.loads(FILE.read_text(encoding="utf-8"))
        films: Sequence[Mapping[str, Any]] = kept["films"]
        of_boxes = [
            (str(word), float(ratio))
            for film in films
            for _, word, ratio in zip(film["true"], film["subtlety"], film["contrast_to_noise"], strict=True)
        ]
        return KeptFilms(
            said={name: _predictions(films, name) for name in kept["detectors"]},
            subtlety=np.array([word for word, _ in of_boxes], dtype=np.str_),
            contrast_to_noise=np.array([ratio for _, ratio in of_boxes], dtype=float),
            settings=Settings(**kept["settings"]),
        )


def keep_films(films: Sequence[BoxedImage], said: Mapping[str, DetectionPredictions], settings: Settings) -> None:
    """Write what detectors said of simulated films, one line a film: nodules and masses as one class.

    The films must be as large as the detectors saw them, so that true and found boxes are in the same pixels.

    Raises:
        ValueError: a detector was asked about other films, or in another order.
    """
    names = tuple(film.path.name for film in films)
    if others := [name for name, one in said.items() if one.files != names]:
        raise ValueError(f"Expected answers to these {len(films)} films, in their order, but {others} answered others.")
    of_lesions = {name: merged(one, LESIONS, LESION) for name, one in said.items()}
    lines = [
        json.dumps({**_known(film), "found": {name: _surest(one.found[n]) for name, one in of_lesions.items()}})
        for n, film in enumerate(films)
    ]
    head = {"command": COMMAND, "detectors": [*said], "settings": settings.to_json()}
    opened = json.dumps(head, indent=1).removesuffix("\n}")
    joined = ",\n  ".join(lines)
    write_whole(FILE, f'{opened},\n "films": [\n  {joined}\n ]\n}}\n')


def _known(film: BoxedImage) -> dict[str, Any]:
    """What is known of a film, without its other findings."""
    places = [place for place, label in enumerate(film.labels) if CLASSES[label] in LESIONS]
    return {
        "file": film.path.name,
        "patient": film.patient,
        "true": [film.boxes[place] for place in places],
        "subtlety": [film.subtlety[place] for place in places],
        "contrast_to_noise": [film.contrast_to_noise[place] for place in places],
    }


def _surest(found: Boxes) -> list[list[float]]:
    """The surest boxes, each as four corners and its score."""
    places = np.argsort(-found.scores, kind="stable")[:MOST]
    return [[*found.corners[place].round(1).tolist(), round(float(found.scores[place]), DECIMALS)] for place in places]


def _predictions(films: Sequence[Mapping[str, Any]], detector: str) -> DetectionPredictions:
    return DetectionPredictions(
        classes=(LESION,),
        found=tuple(_boxes(film["found"][detector]) for film in films),
        true=tuple(_boxes([[*box, 1.0] for box in film["true"]]) for film in films),
        losses=np.full(len(films), np.nan),
        patients=np.array([film["patient"] for film in films], dtype=np.str_),
        files=tuple(film["file"] for film in films),
    )


def _boxes(rows: Sequence[Sequence[float]]) -> Boxes:
    numbers = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Boxes(numbers[:, :4], np.zeros(len(numbers), np.int64), numbers[:, 4])
