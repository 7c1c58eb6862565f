"""How near simulated X-rays come to real ones, asked in five ways of real *training* images.

No test image is opened: ``measure chest_xray <folder> --phantoms-only`` does that, once, for the best way of the first
question. The networks of the other questions are those of `chest_xray.recipe.AS_THEY_ARE`. What is trained is kept, and
not trained again.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from scipy import stats
from torchvision.transforms.v2 import functional as image_functional

from course_lib.authoring import from_phantoms
from course_lib.authoring.folder_argument import real_folder
from course_lib.authoring.measure import RESULTS as KEPT
from course_lib.authoring.studies.finetuning import FINE_TUNED
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import LabelledImage
from course_lib.data.splits import split_by_patient
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.intervals import bootstrap_interval, with_interval
from course_lib.evaluation.studies import stored
from course_lib.modalities.chest_xray import simulator
from course_lib.modalities.chest_xray.recipe import AS_THEY_ARE
from course_lib.modalities.registry import dataset_folder
from course_lib.networks.net import Net
from course_lib.support.runtime import COURSE_ROOT, seeded
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole
from course_lib.training.recipe import trained

RESULTS = COURSE_ROOT / "build" / "realism"
ON_REAL = replace(AS_THEY_ARE, phantoms=None)  #: the same networks, learning from real training patients
NETWORKS = 3  #: that learn from real images
LOOK = Preprocessing(64, "squeeze", normalisation="per image")  #: of a network that tells phantoms from real images
MOST_OF_A_CLASS = 800  #: images, of each kind, that such a network is shown
HIDES_DETAIL = 2.7  #: px of 64, standard deviation of a blur that leaves what 12 px would show
MIDDLE = slice(16, 48)  #: px of 64: the lungs

#: What is shown to a network that tells phantoms from real images. Takes and gives float [images, 1, 64, 64], 0 to 1.
VIEWS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "the whole picture": lambda images: images,
    "coarse shapes only (blurred to about 12 px)": lambda images: _blurred(images),
    "fine detail only (what that blur takes away)": lambda images: (0.5 + images - _blurred(images)).clamp(0, 1),
    "the middle half": lambda images: images[..., MIDDLE, MIDDLE],
    "the margins (middle blacked out)": lambda images: _without_middle(images),
}


def main(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """The verb ``realism``; prints a page, and keeps it in build/realism/."""
    parser.add_argument("folder", type=real_folder, help="real X-rays; only its part train/ is opened")
    folder = dataset_folder(source=parser.parse_args(arguments).folder)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (phantoms, other_phantoms), (real, other_real) = (e.training_data(folder) for e in (AS_THEY_ARE, ON_REAL))
    parts = [
        from_phantoms.rows(folder),
        real_to_simulated((real, other_real), other_phantoms),
        telling_apart(real.samples, phantoms.samples),
        gain_from_pretraining(),
        rendering_speed(),
    ]
    page = "\n".join(line for part in parts for line in [*part, ""])
    (RESULTS / "results.md").write_text(page, encoding="utf-8")
    print(page)
    return 0


def real_to_simulated(learned: tuple[PixelCache, PixelCache], tried: PixelCache) -> list[str]:
    """What networks that learned from real images say about phantoms."""
    on_tried = [predict(trained(ON_REAL, seed, *learned, KEPT), tried) for seed in range(NETWORKS)]
    together = ON_REAL.together(on_tried)
    interval = with_interval(auroc(together), *bootstrap_interval(together, auroc))
    alone = ", ".join(f"{auroc(predictions):.3f}" for predictions in on_tried)
    return [
        f"## 2. Real to simulated: {NETWORKS} networks, trained on {len(learned[0]):,} images, tried on {len(tried):,}",
        "",
        f"AUROC together {interval}, alone {alone}. Chance is 0.5.",
    ]


def telling_apart(real: Sequence[LabelledImage], phantoms: Sequence[LabelledImage]) -> list[str]:
    """A network that is to tell real images from phantoms, on whole pictures and on parts of what is in them."""
    mixed = [
        replace(radiograph, label=source)
        for source, radiographs in enumerate((real, phantoms))
        for label in (0, 1)
        for radiograph in [r for r in radiographs if r.label == label][:MOST_OF_A_CLASS]
    ]
    learning, tried = split_by_patient(mixed, 1 / 4)
    rows = [f"| {name} | {_told_apart(learning, tried, view):.3f} |" for name, view in VIEWS.items()]
    head = ["| what the network sees | AUROC |", "|---|---|"]
    title = f"## 3. Telling phantoms from real images, {LOOK.size} px, patients apart"
    return [title, "", *head, *rows, "", "0.5 would mean that the network can not tell."]


def _told_apart(
    learning: Sequence[LabelledImage], tried: Sequence[LabelledImage], view: Callable[[torch.Tensor], torch.Tensor]
) -> float:
    """The AUROC on other patients; a seventh of those to learn from choose the epoch."""
    recipe, kinds = AS_THEY_ARE.recipe, ("real", "simulated")
    train, validation = split_by_patient(learning, 1 / 7)
    with seeded(0):
        net = Net(channels=16)
    seen = PixelCache(train, kinds, LOOK, lambda images: recipe.augmentation(view(images)))
    fit_whole(net, seen, PixelCache(validation, kinds, LOOK, view), recipe.config)
    return auroc(predict(net, PixelCache(tried, kinds, LOOK, view)))


def gain_from_pretraining() -> list[str]:
    """What a start from phantoms adds on real patients, from the study that trained each way with five seeds."""
    study, case = stored("finetuning", "real"), {"use": FINE_TUNED, "start": "phantoms"}
    lines = [
        "## 4. A gain from pretraining: a network fine-tuned on real patients, AUROC on others",
        "",
        study.question,
        "",
    ]
    for px, patients in dict.fromkeys((int(row["px"]), int(row["patients"])) for row in study.select(**case)):
        gains = study.values("gain", px=px, patients=patients, **case)
        lines.append(f"- {patients} patients, {px} px: {_mean(gains)} over a random start")
    return [*lines, "", "The 95 % interval is Student's, over the seeds; each seed has its own patients."]


def rendering_speed() -> list[str]:
    """How fast phantoms are made at 224 px: one for a slider, and many for a folder."""
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(30):
        patient, exposure = simulator.draw_patient(rng), simulator.draw_exposure(rng)
        started = time.perf_counter()
        simulator.render(patient, exposure, 224)
        seconds.append(time.perf_counter() - started)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        root = simulator.make_dataset(Path(folder) / "set", simulator.Settings({"train": 500}, size_px=224, seed=0))
        rate = len(list(root.glob("train/*/*.jpeg"))) / (time.perf_counter() - started)
    return [
        "## 5. Rendering at 224 px",
        "",
        f"One picture: median {1000 * np.median(seconds):.0f} ms. A folder with masks: {rate:.0f} pictures/s on "
        f"{os.cpu_count()} cores.",
    ]


def _blurred(images: torch.Tensor) -> torch.Tensor:
    blurred: torch.Tensor = image_functional.gaussian_blur(images, [17, 17], [HIDES_DETAIL] * 2)
    return blurred.clamp(0, 1)


def _without_middle(images: torch.Tensor) -> torch.Tensor:
    rest = images.clone()
    rest[..., MIDDLE, MIDDLE] = 0
    return rest


def _mean(differences: Sequence[float]) -> str:
    """The mean of paired differences, with the 95 % interval of Student's t."""
    low, high = stats.t.interval(0.95, len(differences) - 1, fmean(differences), stats.sem(differences))
    return with_interval(fmean(differences), low, high, "+.3f")
