"""The training loop, its history, and checkpoints."""

import copy
import math
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from sklearn.metrics import log_loss
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.dataset import ImageData
from course_lib.evaluation import Predictions, auroc, check_class_count, predict
from course_lib.runtime import seeded

CHECKPOINT_FORMAT = 1


class TrainingError(RuntimeError):
    """Training can not start, or can not go on; the message says why and what to do."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides how a training runs, apart from the data and the model."""

    epochs: int = 10
    learning_rate: float = 1e-3
    batch_size: int = 32
    weight_decay: float = 1e-4
    optimizer: Literal["adamw", "sgd"] = "adamw"
    patience: int | None = None  #: stop after so many epochs without a better validation loss; None: never early
    seed: int = 0  #: of the order of the images, the augmentation and dropout

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise ValueError(f"epochs and batch_size must be at least 1 and learning_rate above 0, got {self}.")


@dataclass(frozen=True)
class History:
    """How a training went, one entry per epoch."""

    train_loss: tuple[float, ...]  #: mean cross-entropy over the epoch, while the weights moved
    validation_loss: tuple[float, ...]  #: cross-entropy after the epoch
    validation_auroc: tuple[float, ...]  #: NaN where there are more than two classes
    best_epoch: int  #: 0-based; the epoch whose weights the model has now
    stopped_early: bool

    def __str__(self) -> str:
        end = "stopped early" if self.stopped_early else "finished"
        return (
            f"{end} after {len(self.train_loss)} epochs; best was epoch {self.best_epoch + 1}: "
            f"validation loss {self.validation_loss[self.best_epoch]:.3f}, "
            f"AUROC {self.validation_auroc[self.best_epoch]:.3f}"
        )


def fit(
    model: nn.Module,
    train: ImageData,
    validation: ImageData,
    config: TrainConfig,
    *,
    device: torch.device | str = "cpu",
) -> History:
    """Train the model in place; at the end it has the weights of the epoch with the lowest validation loss.

    Only parameters with ``requires_grad`` change. An interruption (Ctrl-C, "stop" in Jupyter) ends the training
    after the last whole epoch and keeps the best weights so far.

    Raises:
        TrainingError: the data and the model do not fit together, or the loss is no longer a number.
        ValueError: the model answers with another number of classes than the data have.
    """
    check_before_training(model, train, config, device)
    optimizer = _make_optimizer(model, config)
    train_losses, validation_losses, aurocs = [], [], []
    best = copy.deepcopy(model.state_dict())  # a copy: state_dict() itself goes on changing with the model
    with seeded(config.seed), tqdm(total=config.epochs, desc="Training", unit="epoch") as bar:
        try:
            for epoch in range(config.epochs):
                train_loss = train_one_epoch(model, train, optimizer, config.batch_size, device)
                predictions = predict(model, validation, device=device)
                validation_losses.append(_loss_of(predictions))
                train_losses.append(train_loss)
                aurocs.append(auroc(predictions) if len(train.classes) == 2 else math.nan)
                bar.set_postfix(loss=f"{validation_losses[-1]:.3f}", auroc=f"{aurocs[-1]:.3f}")
                bar.update()
                if validation_losses[-1] == min(validation_losses):
                    best_epoch, best = epoch, copy.deepcopy(model.state_dict())
                elif config.patience is not None and epoch - best_epoch >= config.patience:
                    break
        except KeyboardInterrupt:
            if not validation_losses:
                raise
            print(f"Interrupted: keeping the weights of epoch {best_epoch + 1}, the best so far.")
    model.load_state_dict(best)
    stopped_early = len(validation_losses) < config.epochs
    return History(tuple(train_losses), tuple(validation_losses), tuple(aurocs), best_epoch, stopped_early)


def train_one_epoch(
    model: nn.Module,
    data: ImageData,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> float:
    """Show the model every image once and correct it after each batch; gives the mean loss over the images.

    Raises:
        TrainingError: the loss of a batch is not a number.
    """
    model.train()
    total, images_seen = 0.0, 0
    every_label = torch.tensor(data.labels)
    order = torch.randperm(len(data))
    for number, chosen in enumerate(_batches(order, batch_size)):
        images, labels = data.inputs(chosen, device), every_label[chosen].to(device)
        loss = F.cross_entropy(model(images), labels)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss of batch {number} is {loss.item()}. Expected a finite number: lower the learning rate "
                f"(it is {optimizer.param_groups[0]['lr']:g}), and check that the images hold no NaN."
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(labels)
        images_seen += len(labels)
    return total / images_seen


def check_before_training(
    model: nn.Module, train: ImageData, config: TrainConfig, device: torch.device | str = "cpu"
) -> None:
    """Find in a second what would otherwise be found after the first epoch.

    Raises:
        TrainingError: the batch is larger than the set, batch norm would see a single image, nothing may be trained,
            or the model can not take the images.
        ValueError: the model answers with another number of classes than the data have.
    """
    if config.batch_size > len(train):
        raise TrainingError(
            f"batch_size is {config.batch_size}, but there are only {len(train)} training images. "
            f"Take a batch_size of at most {len(train)}."
        )
    if config.batch_size == 1 and any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()):
        raise TrainingError(
            "batch_size is 1, but the model has batch norm, which needs at least two images to compute a spread. "
            "Take a batch_size of 2 or more."
        )
    if not any(p.requires_grad for p in model.parameters()):
        raise TrainingError("Every parameter is frozen, so there is nothing to train. Unfreeze at least the head.")
    image = train.inputs(torch.tensor([0]), device)[0]
    was_training = model.training
    model.eval().to(device)
    try:
        with torch.inference_mode():
            output = model(image[None])
    except RuntimeError as error:
        raise TrainingError(
            f"The model can not take an image of shape {list(image.shape)}: {error}. "
            "Change the transform's size, or a layer whose size is fixed."
        ) from error
    finally:
        model.train(was_training)
    check_class_count(output.shape, train.classes)


def freeze(model: nn.Module, *, except_for: nn.Module | None = None) -> None:
    """Let training leave the model as it is, apart from one part, its head for example."""
    model.requires_grad_(False)
    if except_for is not None:
        except_for.requires_grad_(True)


def save_checkpoint(model: nn.Module, path: Path | str) -> Path:
    """Write the model's weights to a file, whole or not at all; an older file is replaced only at the end."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}", delete=False) as file:
        try:
            torch.save({"format": CHECKPOINT_FORMAT, "weights": model.state_dict()}, file)
            file.close()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return path


def load_checkpoint(model: nn.Module, path: Path | str) -> None:
    """Give the model the weights in a file that `save_checkpoint` wrote. The file is read as data, never as program.

    Raises:
        TrainingError: the file is missing, is not such a checkpoint, or is of another model.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f"There is no checkpoint {path}. Train first, or correct the path.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        weights = content["weights"] if content["format"] == CHECKPOINT_FORMAT else None
    except (
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        pickle.UnpicklingError,
    ) as error:
        raise TrainingError(
            f"{path.name} is not a checkpoint of this course. Expected a file that save_checkpoint wrote."
        ) from error
    if weights is None:
        raise TrainingError(
            f"{path.name} has checkpoint format {content['format']}, expected {CHECKPOINT_FORMAT}. Train again."
        )
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise TrainingError(
            f"{path.name} holds the weights of another model than {type(model).__name__}: {error}"
        ) from error


def _batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """The indices in batches; a last batch of one image, which batch norm could not use, is left out."""
    batches: list[torch.Tensor] = list(order.split(batch_size))  # type: ignore[no-untyped-call]
    return batches[:-1] if len(batches[-1]) == 1 < batch_size else batches


def _make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    parameters = [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.learning_rate, momentum=0.9, weight_decay=config.weight_decay)
    return torch.optim.AdamW(parameters, config.learning_rate, weight_decay=config.weight_decay)


def _loss_of(predictions: Predictions) -> float:
    """The mean cross-entropy, from the same probabilities that every figure and every score uses."""
    return float(log_loss(predictions.labels, predictions.probabilities, labels=np.arange(len(predictions.classes))))
