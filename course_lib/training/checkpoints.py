"""Weights and whole trainings on disk: written whole or not at all, read as data and never as program."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.support.errors import TrainingError
from course_lib.support.files import digest, write_whole
from course_lib.support.runtime import seeded
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.parallel import differences_between, rank

CHECKPOINT_FORMAT = 1
DIGITS = 12  #: of the digests that tell one training from another

_PREPROCESSING = (
    "transform",
    "how",
    "augmentation",
    "change",
    "values",
)  #: what data may hold that decides how images become inputs
_UNREADABLE = (
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)


def save_checkpoint(model: nn.Module, path: Path | str) -> Path:
    """Write the model's weights to a file, whole or not at all; an older file is replaced only at the end."""
    return _write(Path(path), {"weights": model.state_dict()})


def load_checkpoint(model: nn.Module, path: Path | str) -> None:
    """Give the model the weights in a file that `save_checkpoint` wrote, or the best ones of a training's checkpoint.

    Raises:
        TrainingError: the file is missing, is not such a checkpoint, or is of another model.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f"There is no checkpoint {path}. Train first, or correct the path.")
    weights = _read(path)["weights"]
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"{path.name} holds the weights of another model than {type(model).__name__}: {error}"
        ) from error


class TrainingFile:
    """Where a training keeps its state from epoch to epoch; without a path it keeps nothing.

    ``identity`` says what is trained, on what and how: only a training with the same identity may go on.
    """

    def __init__(self, path: Path | str | None, identity: Mapping[str, object]) -> None:
        self.path = None if path is None else Path(path)
        self.identity = dict(identity)

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last, with the best weights as ``best``; None if there is none.

        Raises:
            TrainingError: the file is damaged, or holds something else than a training of this identity.
        """
        if self.path is None or not self.path.exists():
            return None
        content = _read(self.path)
        if "training" not in content:
            raise TrainingError(
                f"{self.path} holds a model's weights, not a training that can go on. Name another file for it."
            )
        state: dict[str, Any] = content["training"]
        if differences := differences_between(state["identity"], self.identity):
            raise TrainingError(
                f"{self.path} is of another training:\n{differences}\n"
                "Take back what you have changed, name another file, or delete this one to train anew."
            )
        return {**state, "best": content["weights"]}

    def save(self, best: Mapping[str, torch.Tensor], state: Mapping[str, object]) -> None:
        """Replace what was saved before, in one step. Of several processes, the first one writes."""
        if self.path is not None and rank() == 0:
            _write(self.path, {"weights": best, "training": {**state, "identity": self.identity}})


def identity_of(
    model: nn.Module, train: ImageData[P], validation: ImageData[P], config: TrainConfig, **more: object
) -> dict[str, object]:
    """What has to be the same for a training to go on: configuration, data and model, as short texts and numbers.

    Not the weights it starts from: when a notebook runs again they may be drawn anew, and those in the file count.
    """
    with seeded(0):  # an augmentation draws random numbers
        shape = list(train.inputs(torch.tensor([0])).shape[1:])
    tensors = [(name, tuple(value.shape)) for name, value in model.state_dict().items()]
    learning = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    numbers = sum(value.numel() for value in model.state_dict().values())
    return {
        **asdict(config),
        "task": str(train.task),
        "training images": _summary_of(train),
        "validation images": _summary_of(validation),
        "image shape": str(shape),
        "model": f"{type(model).__name__} of {numbers:,} numbers, {len(learning)} tensors learn "
        f"[{digest((tensors, learning), DIGITS)}]",
        **more,
    }


def _summary_of(data: ImageData[P]) -> str:
    images = [(s.path.name, _bytes_of(s.path), s.patient, _in_words(s.target)) for s in data.samples]
    there = [repr(getattr(data, name)) for name in _PREPROCESSING if hasattr(data, name)]
    chain = [re.sub(r" at 0x[0-9a-fA-F]+", "", step) for step in there]
    steps = f"prepared by {digest(chain, DIGITS)}"
    return f"{len(images)} of {len(set(data.patients))} patients [{digest(images, DIGITS)}], {steps}"


def _in_words(target: object) -> object:
    return (target.name, _bytes_of(target)) if isinstance(target, Path) else target


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0  # data may also come from elsewhere than files


def _write(path: Path, content: dict[str, object]) -> Path:
    return write_whole(path, lambda file: torch.save({"format": CHECKPOINT_FORMAT, **content}, file), durable=True)


def _read(path: Path) -> dict[str, Any]:
    """What `_write` wrote, its checksums compared.

    Raises:
        TrainingError: the file is damaged, or is something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch.load itself does not look at the checksums
        content: dict[str, Any] = {} if damaged else torch.load(path, map_location="cpu", weights_only=True)
        known = not damaged and content["format"] == CHECKPOINT_FORMAT
        if known:
            content["weights"]
    except _UNREADABLE as error:
        raise TrainingError(_no_checkpoint(path)) from error
    if damaged:
        raise TrainingError(_no_checkpoint(path))
    if not known:
        raise TrainingError(
            f"{path.name} has checkpoint format {content['format']}, expected {CHECKPOINT_FORMAT}. Train again."
        )
    return content


def _no_checkpoint(path: Path) -> str:
    return (
        f"{path.name} is not a checkpoint of this course, or is damaged. Expected a file that save_checkpoint or fit "
        "wrote. Delete it and train again, or name another file."
    )
