"""Contact sheets of simulated radiographs."""

from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from course_lib.authoring.simulator_realism import RESULTS
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split, recognise_card
from course_lib.data.splits import take_patients
from course_lib.figures.images import plot_images, plot_masks
from course_lib.modalities.chest_xray import simulator
from course_lib.support.runtime import COURSE_ROOT

SHEET_PX = 224
README_PICTURE = COURSE_ROOT / "notebooks" / "figures" / "phantoms.png"


def sheet(folder: Path | None) -> list[Path]:
    """Contact sheets: both classes, severity in steps with the mask and, given a folder, phantoms among real images.

    The first eight go to the README too.
    """
    rng = np.random.default_rng(7)
    kinds: tuple[simulator.Kind, ...] = ("normal", "bacteria", "virus")
    cases = [(simulator.draw_patient(rng, kind), simulator.draw_exposure(rng)) for kind in kinds for _ in range(6)]
    images = [simulator.render(patient, exposure, SHEET_PX)[0] for patient, exposure in cases]
    titles = [f"{patient.kind} {patient.severity:.2f}" for patient, _ in cases]
    plot_images(images, titles, "Phantoms (simulated)", columns=6)
    made = [_save(RESULTS / "both-classes.png")]
    chosen = [0, 1, 2, 5, 7, 9, 12, 15]
    plot_images([images[i] for i in chosen], [titles[i].split()[0] for i in chosen], "Phantoms (simulated)")
    made.append(_save(README_PICTURE))
    patients = {patient.pattern: patient for patient, _ in cases if patient.kind != "normal"}
    steps = [(patient, severity) for patient in patients.values() for severity in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    pictures = [simulator.render(replace(p, severity=severity), cases[0][1], SHEET_PX) for p, severity in steps]
    radiographs, masks = zip(*pictures, strict=True)
    titles = [f"{patient.pattern} {severity:.1f}" for patient, severity in steps]
    plot_masks(radiographs, masks, titles, "Severity in steps (simulated); the line is the mask", columns=6)
    made.append(_save(RESULTS / "severity.png"))
    if folder is not None:
        some = take_patients(read_split(folder, "train", recognise_card(folder))[0], 18, seed=3)[:9]
        square = (SHEET_PX, SHEET_PX)
        mixed = [np.asarray(open_grey(radiograph.path).resize(square)) for radiograph in some]
        mixed += [np.asarray(Image.fromarray(image).resize(square)) for image in images[::2]]
        order = rng.permutation(len(mixed))
        numbers = [str(n + 1) for n in range(len(order))]
        plot_images([mixed[i] for i in order], numbers, "Which are real?", columns=6)
        made.append(_save(RESULTS / "which-are-real.png"))
    return made


def _save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.gcf().savefig(path, dpi=100)
    plt.close()
    return path
