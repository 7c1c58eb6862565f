"""Weights and whole trainings on disk: written whole or not at all, read as data and never as program."""

import sys
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib.data.samples import ImageData, preparation_of
from course_lib.support.errors import TrainingError
from course_lib.support.files import write_whole
from course_lib.support.foreign import understood
from course_lib.support.identity import fingerprint, fingerprint_of_network
from course_lib.support.runtime import expanded, seeded
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.form import difference_in_form
from course_lib.training.history import History
from course_lib.training.parallel import differences_between, rank

CHECKPOINT_FORMAT = 2
WEIGHTS_ALONE = 1  #: the format before: of its files, only the weights can still be used
DIGITS = 12  #: of the digests that tell one training from another
CHANGES_ITSELF = (
    " If you have changed nothing, something in that part changes with every call, such as a counter or a list that "
    "grows: keep it in an attribute whose name begins with an underscore (self._calls)."
)


def save_checkpoint(model: nn.Module, path: Path | str) -> Path:
    """Write the model's weights to a file, whole or not at all; an older file is replaced only at the end."""
    return _write(expanded(path), {"weights": model.state_dict()})


def load_checkpoint(model: nn.Module, path: Path | str) -> None:
    """Give the model the weights in a file that `save_checkpoint` wrote, or the best ones of a training's checkpoint.

    Raises:
        TrainingError: the file is missing, is not such a checkpoint, or is of another model; the model is then as it
            was.
    """
    path = expanded(path)
    if not path.is_file():
        raise TrainingError(f"There is no checkpoint {path}. Train first, or correct the path.")
    weights = _read(path)["weights"]
    check_weights(weights, model, path.name)
    model.load_state_dict(weights)


def check_weights(weights: object, model: nn.Module, name: str) -> None:
    """Do nothing if these, from the file of this name, have the names, shapes and types of the model's own weights.

    Raises:
        TrainingError: they have not.
    """
    if difference := difference_in_form(model.state_dict(), weights):
        raise TrainingError(
            f"{name} holds the weights of another model than {type(model).__name__}: {difference}. Build the "
            "model as it was when it was saved, with the same layers and as many classes, or name another file."
        )


class TrainingFile:
    """Where a training keeps its state from epoch to epoch; without a path it keeps nothing.

    ``identity`` says what is trained, on what and how: only a training with the same identity may go on.
    """

    def __init__(self, path: Path | str | None, identity: Mapping[str, object]) -> None:
        self.path = None if path is None else expanded(path)
        self.identity = dict(identity)

    def load(self) -> dict[str, Any] | None:
        """What was saved last: ``history``, the state of the ``trainer``, the ``best`` weights; None if there is none.

        Raises:
            TrainingError: the file is damaged, or holds something else than a training of this identity.
        """
        path = self.path
        if path is None or not path.exists():
            return None
        content = _read(path)
        if "training" not in content:
            raise TrainingError(
                f"{path} holds a model's weights, not a training that can go on. Name another file for it."
            )
        if content["format"] != CHECKPOINT_FORMAT:
            raise TrainingError(
                f"{path} holds a training of an older version of the course (checkpoint format "
                f"{content['format']}, expected {CHECKPOINT_FORMAT}), which can not go on. Delete it to train anew; "
                "load_checkpoint still reads its weights."
            )
        with understood(lambda _: _no_checkpoint(path)):
            training = content["training"]
            differences = differences_between(training["identity"], self.identity)
            history, trainer = History.from_content(training["history"]), training["trainer"]
        if differences:
            raise TrainingError(
                f"{path} is of another training:\n{differences}\n"
                "Take back what you have changed, name another file, or delete this one to train anew."
                + (CHANGES_ITSELF if "model: changed" in differences or "preparation of" in differences else "")
            )
        return {"history": history, "trainer": trainer, "best": content["weights"]}

    def save(self, best: Mapping[str, torch.Tensor], history: History, trainer: Mapping[str, object]) -> None:
        """Replace what was saved before, in one step. Of several processes, the first one writes."""
        if self.path is not None and rank() == 0:
            training = {"identity": self.identity, "history": asdict(history), "trainer": trainer}
            _write(self.path, {"weights": best, "training": training})


def identity_of(
    model: nn.Module, train: ImageData[P], validation: ImageData[P], config: TrainConfig, **more: object
) -> dict[str, object]:
    """What has to be the same for a training to go on: configuration, data and model, as short texts and numbers.

    Not the weights it starts from: when a notebook runs again they may be drawn anew, and those in the file count.
    """
    with seeded(0):  # an augmentation draws random numbers
        shape = list(train.inputs(torch.tensor([0])).shape[1:])
    learning = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    numbers = sum(value.numel() for value in model.state_dict().values())
    calculates = fingerprint((fingerprint_of_network(model), learning))[:DIGITS]
    return {
        **asdict(config),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",  # another one makes other code of a function
        "task": f"{type(train.task).__name__} [{fingerprint(train.task)[:DIGITS]}]",
        "training images": _summary_of(train),
        "validation images": _summary_of(validation),
        "preparation of the training images": f"[{preparation_of(train)[:DIGITS]}]",
        "preparation of the validation images": f"[{preparation_of(validation)[:DIGITS]}]",
        "image shape": str(shape),
        "model": f"{type(model).__name__} of {numbers:,} numbers, {len(learning)} tensors learn [{calculates}]",
        **more,
    }


def _summary_of(data: ImageData[P]) -> str:
    images = [(s.path.name, _bytes_of(s.path), s.patient, _with_size(s.target)) for s in data.samples]
    return f"{len(images)} of {len(set(data.patients))} patients [{fingerprint(images)[:DIGITS]}]"


def _with_size(target: object) -> object:
    return (target.name, _bytes_of(target)) if isinstance(target, Path) else target


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0  # data may also come from elsewhere than files


def _write(path: Path, content: dict[str, Any]) -> Path:
    whole = {"format": CHECKPOINT_FORMAT, "digest": fingerprint(content), **content}
    return write_whole(path, lambda file: torch.save(whole, file), durable=True)


def _read(path: Path) -> dict[str, Any]:
    """What `_write` wrote: ``format``, ``weights``, and of a training ``training``; to the last bit as it was.

    Raises:
        TrainingError: the file is damaged, or is something else.
    """
    with understood(lambda _: _no_checkpoint(path)):
        content = dict(torch.load(path, map_location="cpu", weights_only=True))
        found = content.pop("format")
        if type(found) is not int or not {"weights"} <= set(content) <= {"weights", "training", "digest"}:
            raise _no_checkpoint(path)
        if found not in (WEIGHTS_ALONE, CHECKPOINT_FORMAT):
            raise TrainingError(
                f"{path.name} has checkpoint format {found}, expected {CHECKPOINT_FORMAT}. Train again."
            )
        if found == CHECKPOINT_FORMAT:
            is_whole = content.pop("digest") == fingerprint(content)
        else:  # torch.load itself does not look at the checksums
            with zipfile.ZipFile(path) as archive:
                is_whole = archive.testzip() is None
        if not is_whole:
            raise _no_checkpoint(path)
    return {"format": found, **content}


def _no_checkpoint(path: Path) -> TrainingError:
    return TrainingError(
        f"{path.name} is not a checkpoint of this course, or is damaged. Expected a file that save_checkpoint "
        "or fit wrote. Delete it and train again, or name another file. Weights that torch.save stored alone are read "
        "by model.load_state_dict(torch.load(path, weights_only=True))."
    )
