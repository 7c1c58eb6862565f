"""Contact sheets of simulated radiographs, of the same people in CT, and of nodules in their lungs."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course_lib.authoring.folder_argument import real_folder
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_part, recognise_card
from course_lib.data.splits import take_patients
from course_lib.evaluation.readers import majority
from course_lib.figures.images import plot_images, plot_masks
from course_lib.modalities.chest_ct.exposure import draw_exposure as draw_ct
from course_lib.modalities.chest_ct.phantoms import Settings, draw_nodules
from course_lib.modalities.chest_ct.scan import scan_chest
from course_lib.modalities.chest_xray import simulator
from course_lib.modalities.registry import dataset_folder
from course_lib.support.runtime import COURSE_ROOT

RESULTS = COURSE_ROOT / "build" / "sheets"
SHEET_PX, CT_PX = 224, 192
HEIGHTS = (-0.3, -0.05, 0.2, 0.42)  #: of slices, in lung heights below the middle of the lungs
LUNG_WINDOW, SOFT_WINDOW = (-1200.0, 200.0), (-160.0, 240.0)  #: HU that are black and white
NODULES = Settings({"train": 18}, seed=3)
README_PICTURE = COURSE_ROOT / "notebooks" / "figures" / "phantoms.png"


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``sheets``; the pictures go to build/sheets/, and one of them to the README."""
    parser.add_argument("folder", nargs="?", type=real_folder, help="real X-rays to draw phantoms among (train/ alone)")
    given = parser.parse_args(arguments).folder
    made = draw_sheets(dataset_folder(source=given) if given else None)
    print("\n".join(str(path.relative_to(COURSE_ROOT)) for path in made))
    return 0


def draw_sheets(folder: Path | None) -> list[Path]:
    """Contact sheets: all kinds, severity in steps with the mask, people as film and as CT, nodules with what four
    readers marked and, given a folder, phantoms among real images.

    Eight phantoms go to the README too.
    """
    rng = np.random.default_rng(7)
    kinds: tuple[simulator.Kind, ...] = ("normal", "bacteria", "virus")
    cases = [(simulator.draw_patient(rng, kind), simulator.draw_exposure(rng)) for kind in kinds for _ in range(6)]
    phantoms = [simulator.render(patient, exposure, SHEET_PX)[0] for patient, exposure in cases]
    made = _draw_kinds(phantoms, [patient for patient, _ in cases])
    made.append(
        _draw_severity({patient.pattern: patient for patient, _ in cases if patient.kind != "normal"}, cases[0][1])
    )
    made += [_draw_film_and_ct(rng), _draw_nodules()]
    if folder is not None:
        made.append(_draw_among_real(folder, phantoms[::2], rng))
    return made


def _draw_kinds(phantoms: Sequence[NDArray[np.uint8]], patients: Sequence[simulator.Patient]) -> list[Path]:
    titles = [f"{patient.kind} {patient.severity:.2f}" for patient in patients]
    plot_images(phantoms, titles, "Phantoms (simulated)", columns=6)
    made = [_save(RESULTS / "kinds.png")]
    chosen = [0, 1, 2, 5, 7, 9, 12, 15]
    plot_images([phantoms[i] for i in chosen], [patients[i].kind for i in chosen], "Phantoms (simulated)")
    return [*made, _save(README_PICTURE)]


def _draw_severity(patients: Mapping[str, simulator.Patient], exposure: simulator.Exposure) -> Path:
    """One patient for each pattern of disease, from healthy to very ill."""
    steps = [(patient, severity) for patient in patients.values() for severity in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    pictures = [simulator.render(replace(p, severity=severity), exposure, SHEET_PX) for p, severity in steps]
    radiographs, masks = zip(*pictures, strict=True)
    titles = [f"{patient.pattern} {severity:.1f}" for patient, severity in steps]
    plot_masks(radiographs, masks, titles, "Severity in steps (simulated); the line is the mask", columns=6)
    return _save(RESULTS / "severity.png")


def _draw_film_and_ct(rng: np.random.Generator) -> Path:
    """Three grown-ups, each as a film and as four slices of CT, in a window for lungs and one for soft tissue."""
    pictures, titles = [], []
    for number in range(3):
        patient, exposure = simulator.draw_patient(rng, "normal", adult=True), draw_ct(rng)
        pictures.append(simulator.render(patient, simulator.draw_exposure(rng), SHEET_PX)[0])
        titles.append(f"{number + 1}: film")
        for part in HEIGHTS:
            top = part * patient.lung_height
            scan = scan_chest(patient, exposure, (top, top + exposure.thickness_mm / 10), pixels=CT_PX)
            pictures += [_windowed(scan.hounsfield[0], window) for window in (LUNG_WINDOW, SOFT_WINDOW)]
            titles += [f"{part:+.2f} of the lung's height, {name}" for name in ("lung", "soft tissue")]
    plot_images(pictures, titles, "Three people on film, and in CT in two windows (simulated)", columns=9)
    return _save(RESULTS / "film-and-ct.png")


def _draw_nodules() -> Path:
    """The middle slices of nodules, one a simulated patient, with the outline on which half of the readers agree."""
    nodules = [draw_nodules(NODULES, number)[0] for number in range(NODULES.patients["train"])]
    crops = [slices[len(slices) // 2] for slices in nodules]
    titles = [f"{int(crop.marks.any(axis=(1, 2)).sum())} of 4 marked it" for crop in crops]
    images, masks = [crop.image for crop in crops], [majority(crop.marks.astype(np.uint8)) for crop in crops]
    plot_masks(images, masks, titles, "Lung nodules in CT (simulated)", columns=6)
    return _save(RESULTS / "nodules.png")


def _windowed(hounsfield: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = window
    return np.asarray(np.rint(255 * np.clip((hounsfield - low) / (high - low), 0, 1)), dtype=np.uint8)


def _draw_among_real(folder: Path, phantoms: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> Path:
    some = take_patients(read_part(folder, "train", recognise_card(folder))[0], 18, seed=3)[: len(phantoms)]
    square = (SHEET_PX, SHEET_PX)
    mixed = [np.asarray(open_grey(radiograph.path).resize(square)) for radiograph in some]
    mixed += [np.asarray(Image.fromarray(image).resize(square)) for image in phantoms]
    order = rng.permutation(len(mixed))
    numbers = [str(n + 1) for n in range(len(order))]
    plot_images([mixed[i] for i in order], numbers, "Which are real?", columns=6)
    return _save(RESULTS / "which-are-real.png")


def _save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.gcf().savefig(path, dpi=100)
    plt.close()
    return path
