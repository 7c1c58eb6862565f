"""What the studies of outlines in simulated CT share: images in memory, a training of which the numbers are kept, and
how these are compared.

All methods of a study see as many pixels in as many steps. Where a learning rate is chosen, it is for each method from
the same two, by the validation patients, with the first seed. The last weights are kept, so no epoch is chosen.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_lib.authoring.kept_answers import kept
from course_lib.authoring.studies.study import UNFINISHED
from course_lib.data.marked_slices import MarkedSlice
from course_lib.evaluation.intervals import bootstrap_interval, compare
from course_lib.evaluation.readers import MARKED
from course_lib.evaluation.segmentation import ImageScores
from course_lib.modalities.chest_ct.phantoms import VERSION
from course_lib.modalities.simulated_chest.nodules import draw_nodule
from course_lib.modalities.simulated_chest.people import Nodule, Patient
from course_lib.support.files import digest, digest_of_bytes
from course_lib.support.runtime import seeded
from course_lib.tasks.task import P, Task
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit_whole

LEARNING_RATES = (3e-3, 1e-2)
TRAINING = TrainConfig(weight_decay=0.01, schedule="one-cycle", gradient_clip=5.0, keep="last")
RESAMPLES = 500  #: of the test patients, for the intervals
MOST_TRIES = 2000  #: to draw a nodule of the size that is wanted
AT_ONCE = 16  #: images that are looked at together
LUNG_HU = (-1000.0, 400.0)  #: what becomes -1 and 1


class InMemory(Generic[P]):
    """Images or stacks of slices beside their targets; fits `ImageData`.

    For training, ``window`` cuts a part of this shape out of each, anew each time: anywhere, or, where ``aimed``, so
    that a marked pixel lies in it, if the image has one. Along the axes ``flips`` every second one is mirrored.
    """

    def __init__(
        self,
        samples: Iterable[MarkedSlice],
        images: torch.Tensor,
        targets: torch.Tensor,
        task: Task[P],
        *,
        window: tuple[int, ...] = (),
        aimed: Sequence[bool] = (),
        flips: tuple[int, ...] = (),
        target_type: torch.dtype = torch.int64,
    ) -> None:
        self.samples, self.task, self.window, self.flips = tuple(samples), task, window, flips
        self.target_type = target_type  #: as the task wants it
        self.images = images  #: float32 [images, 1, *spatial]
        self.targets = targets  #: uint8 [images, *spatial], or [images, readers, *spatial]
        self.aimed = tuple(aimed) or (False,) * len(self.samples)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def patients(self) -> list[str]:
        return [sample.patient for sample in self.samples]

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        """What a network sees of these."""
        return self.batch(indices, device)[0]

    def batch(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """`inputs`, and what is marked in them."""
        pairs = [self._changed(index) for index in indices.tolist()]
        images, targets = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return images.to(device), targets.to(device, self.target_type)

    def take(self, indices: Iterable[int]) -> Self:
        """Some of the images, in the order of ``indices``."""
        chosen, part = list(indices), copy.copy(self)
        part.samples = tuple(self.samples[i] for i in chosen)
        part.aimed = tuple(self.aimed[i] for i in chosen)
        part.images, part.targets = self.images[chosen], self.targets[chosen]
        return part

    def with_(self, **settings: Any) -> Self:
        """The same images with another task, window or flips."""
        part = copy.copy(self)
        for name, value in settings.items():
            setattr(part, name, value)
        return part

    @property
    def content(self) -> str:
        """Another one for other voxels, targets or patients, and so for another simulator."""
        bytes_of = [digest_of_bytes(part.numpy().tobytes()) for part in (self.images, self.targets)]
        return digest((bytes_of, self.patients, self.aimed, self.window, self.flips))

    def _changed(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image, target = self.images[index], self.targets[index]
        if self.window:
            for axis, start in enumerate(self._place(target, self.aimed[index]), start=-len(self.window)):
                image, target = (part.narrow(axis, start, self.window[axis]) for part in (image, target))
        axes = [axis for axis in self.flips if torch.rand(()) < 0.5]
        return image.flip(axes), target.flip(axes)

    def _place(self, target: torch.Tensor, aimed: bool) -> list[int]:
        """Where a window begins."""
        sides = target.shape[-len(self.window) :]
        low, high = [0] * len(sides), [side - wide for side, wide in zip(sides, self.window, strict=True)]
        marked = target.nonzero()[:, -len(sides) :]
        if aimed and len(marked):
            at = marked[int(torch.randint(len(marked), ()))].tolist()
            low = [max(0, here - wide + 1) for here, wide in zip(at, self.window, strict=True)]
            high = [min(here, most) for here, most in zip(at, high, strict=True)]
        return [int(torch.randint(least, most + 1, ())) for least, most in zip(low, high, strict=True)]


def numbers_after(
    build: Callable[[], nn.Module],
    parts: tuple[InMemory[P], InMemory[P], InMemory[P]],
    config: TrainConfig,
    measure: Callable[[P], NDArray[np.float64]],
    columns: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What is measured on validation and on test patients after a training on the others, which is not done twice."""
    learned, *judged = parts

    def answer() -> NDArray[np.float64]:
        with seeded(config.seed):
            model = build()
        fit_whole(model, learned, judged[0].take([0]), config)  # the last weights are kept: it chooses nothing
        return np.concatenate([measure(predict(model, part, batch_size=AT_ONCE)) for part in judged])

    content = [part.content for part in parts]
    key = digest((str(build()), learned.task, config, columns, content, torch.__version__))
    said = kept(UNFINISHED / "answers", key, answer).reshape(-1, columns)
    validation, test = np.split(said, [len(judged[0])])
    return validation, test


def scores_of(values: NDArray[np.float64], samples: Sequence[MarkedSlice]) -> ImageScores:
    """One number an image, without the images that have none (NaN)."""
    there = np.flatnonzero(~np.isnan(values)).tolist()
    taken = [samples[i] for i in there]
    files = tuple(f"{sample.nodule}/{sample.position}" for sample in taken)
    return ImageScores(values[there, None], MARKED[1:], np.array([sample.patient for sample in taken]), files)


def judged(name: str, ours: ImageScores, others: ImageScores | None = None) -> dict[str, float]:
    """The mean with its interval over patients, and how much higher it is than that of ``others`` on the same ones.

    The score of a study has the name ``""``: its interval is ``low`` and ``high``.
    """
    before = f"{name}_" if name else ""
    low, high = bootstrap_interval(ours, ImageScores.mean, resamples=RESAMPLES)
    row = {name: ours.mean(), f"{before}low": low, f"{before}high": high}
    if others is not None:
        gain = compare(ours, others, ImageScores.mean, resamples=RESAMPLES)
        row |= {f"{before}gain": gain.difference, f"{before}gain_low": gain.low, f"{before}gain_high": gain.high}
    return row


def best_rate(score: Callable[[float], float]) -> float:
    """The one of `LEARNING_RATES` with the highest score of the validation patients."""
    return max(LEARNING_RATES, key=score)


def trained(epochs: int, batch_size: int, learning_rate: float, seed: int) -> TrainConfig:
    """How a network of these studies learns."""
    return replace(TRAINING, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)


def kept_scan(
    how: object, number: int, scan: Callable[[], tuple[NDArray[np.float32], NDArray[np.bool_]]], plane: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """What a network sees of a patient's slices, and where the nodule is: [slices, *plane] each, scanned once.

    ``how`` says how the patients of a set are drawn and scanned; with `phantoms.VERSION` and the number of the patient,
    the slices follow from it.
    """

    def scanned() -> NDArray[np.float64]:
        hounsfield, marks = scan()
        return np.stack([as_input(hounsfield), marks]).astype(np.float64)

    made = kept(UNFINISHED / "slices", digest((how, number, VERSION)), scanned)
    images, marks = made.reshape(2, -1, *plane)
    return images.astype(np.float32), marks.astype(np.uint8)


def sized_nodule(rng: np.random.Generator, patient: Patient, least_mm: float, most_mm: float) -> Nodule:
    """A nodule as they are drawn, of those that have such a diameter.

    Raises:
        RuntimeError: none has.
    """
    for _ in range(MOST_TRIES):
        nodule = draw_nodule(rng, patient)
        if least_mm <= 2 * nodule.radius_mm <= most_mm:
            return nodule
    raise RuntimeError(f"Of {MOST_TRIES} nodules none has {least_mm:g} to {most_mm:g} mm.")


def as_input(hounsfield: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hounsfield units as a lung window shows them, -1 to 1."""
    low, high = LUNG_HU
    return np.asarray(2 * (np.clip(hounsfield, low, high) - low) / (high - low) - 1, dtype=np.float32)


def sample_of(patient: str, position: int = 0, nodule: str = "nodule-0", masks: int = 0) -> MarkedSlice:
    """Whose an image is, for an image that is in no file."""
    files = tuple(Path(f"mask-{reader}") for reader in range(masks))
    return MarkedSlice(Path(f"slice-{position}"), files, patient, f"{patient}/{nodule}", position)
