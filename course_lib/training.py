"""The training loop and its history."""

import copy
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import log_loss
from torch import nn
from tqdm.auto import tqdm

from course_lib.checkpoints import TrainingFile, identity_of, load_checkpoint, save_checkpoint
from course_lib.dataset import ImageData
from course_lib.evaluation import Predictions, auroc, check_class_count
from course_lib.parallel import (
    check_alike,
    predict_together,
    processes,
    rank,
    say,
    share_buffers,
    share_of,
    sum_over_processes,
)
from course_lib.recipe import TrainConfig, TrainingError, precision_on
from course_lib.runtime import bars_are_off, seeded
from course_lib.stages import begin_training, evaluating, freeze, needs_batches, stages, unfreeze
from course_lib.trainer import Trainer, batches_of, seed_of

__all__ = [
    "History",
    "TrainConfig",
    "TrainingError",
    "check_before_training",
    "fit",
    "fit_whole",
    "freeze",
    "load_checkpoint",
    "save_checkpoint",
    "stages",
    "train_one_epoch",
    "unfreeze",
]

EXPLODED = 100  #: times the loss of guessing, ln(classes): no batch of a sound training comes near it
LOOK_EVERY = 20  #: batches, on a GPU, which would otherwise wait after each until its loss has been looked at


@dataclass(frozen=True)
class History:
    """How a training went, one entry per epoch."""

    train_loss: tuple[float, ...] = ()  #: mean of what was minimised, over the epoch, while the weights moved
    validation_loss: tuple[float, ...] = ()  #: cross-entropy after the epoch
    validation_auroc: tuple[float, ...] = ()  #: NaN where there are more than two classes
    best_epoch: int = -1  #: 0-based; the epoch whose weights the model has now
    stopped_early: bool = False
    learning_rate: tuple[float, ...] = ()  #: of the head, in the epoch's last step
    precision: str = "float32"  #: the numbers that the network calculated with

    def __len__(self) -> int:
        return len(self.train_loss)

    def __str__(self) -> str:
        end = "stopped early" if self.stopped_early else "finished"
        return (
            f"{end} after {len(self)} epochs; best was epoch {self.best_epoch + 1}: "
            f"validation loss {self.validation_loss[self.best_epoch]:.3f}, "
            f"AUROC {self.validation_auroc[self.best_epoch]:.3f}"
        )

    def after(self, train_loss: float, predictions: Predictions, learning_rate: float) -> "History":
        """The history with one epoch more."""
        losses = (*self.validation_loss, _loss_of(predictions))
        area = auroc(predictions) if len(predictions.classes) == 2 else math.nan
        return replace(
            self,
            train_loss=(*self.train_loss, train_loss),
            validation_loss=losses,
            validation_auroc=(*self.validation_auroc, area),
            best_epoch=len(self) if losses[-1] < min(self.validation_loss, default=math.inf) else self.best_epoch,
            learning_rate=(*self.learning_rate, learning_rate),
        )

    def is_complete(self, config: TrainConfig) -> bool:
        """Whether all epochs are done, or as many in a row have brought nothing as the patience allows."""
        in_vain = len(self) - 1 - self.best_epoch
        return len(self) >= config.epochs or (config.patience is not None and in_vain >= config.patience)


def fit(
    model: nn.Module,
    train: ImageData,
    validation: ImageData,
    config: TrainConfig,
    *,
    device: torch.device | str = "cpu",
    checkpoint: Path | str | None = None,
) -> History:
    """Train the model in place; however that ends, it has the weights of the epoch with the lowest validation loss.

    Only parameters with ``requires_grad`` change. An interruption (Ctrl-C, "stop" in Jupyter) ends the training after
    the last whole epoch. With a ``checkpoint`` the training is on disk after every epoch, and the same call goes on
    from there, to the same bits; the weights that the model comes with then play no part. In processes that torchrun
    started they train together, see `course_lib.parallel`.

    Raises:
        TrainingError: the data and the model do not fit together, the loss is no longer a number or explodes, or the
            checkpoint is damaged or of another training.
        ValueError: the model answers with another number of classes than the data have.
    """
    check_before_training(model, train, config, device)
    file = _training_file(checkpoint, model, train, validation, config, device)
    trainer = Trainer(model, train, config, device)
    history, best = _start_or_go_on(trainer, file)
    hidden = bars_are_off() or rank() > 0
    with tqdm(initial=len(history), total=config.epochs, desc="Training", unit="epoch", disable=hidden) as bar:
        try:
            while not history.is_complete(config):
                with seeded(seed_of(config, epoch=len(history), stream=1 + rank())):
                    train_loss = train_one_epoch(trainer, train, epoch=len(history))
                    predictions = predict_together(model, validation, device=device)
                after = history.after(train_loss, predictions, trainer.learning_rate)
                if after.best_epoch == len(history):
                    best = copy.deepcopy(model.state_dict())  # a copy: state_dict() itself changes with the model
                file.save(best, {"history": asdict(after), "trainer": trainer.state_dict()})
                history = after
                bar.set_postfix(loss=f"{history.validation_loss[-1]:.3f}", auroc=f"{history.validation_auroc[-1]:.3f}")
                bar.update()
        except KeyboardInterrupt:
            if not history.train_loss:
                raise
            say(_how_to_go_on(history, checkpoint))
        finally:
            model.load_state_dict(best)
    return replace(history, stopped_early=len(history) < config.epochs)


def fit_whole(
    model: nn.Module,
    train: ImageData,
    validation: ImageData,
    config: TrainConfig,
    *,
    device: torch.device | str = "cpu",
    checkpoint: Path | str | None = None,
) -> History:
    """`fit`, for programs that store what comes of it: an interruption goes through, instead of half a training.

    Raises:
        KeyboardInterrupt: the training was interrupted; with a ``checkpoint`` the same call goes on from there.
        TrainingError, ValueError: as in `fit`.
    """
    history = fit(model, train, validation, config, device=device, checkpoint=checkpoint)
    if not history.is_complete(config):
        raise KeyboardInterrupt
    return history


def train_one_epoch(trainer: Trainer, data: ImageData, epoch: int) -> float:
    """Show the model every image once and correct it after each batch; gives the mean loss over the images.

    Raises:
        TrainingError: the loss or the gradient of a batch is not a number, or the loss explodes.
    """
    begin_training(trainer.model)
    every_label = torch.tensor(data.labels)
    batches = batches_of(data, trainer.config, epoch)
    steps: list[torch.Tensor] = []
    for number, batch in enumerate(batches):
        mine = share_of(batch)
        part = trainer.weight_of(every_label[mine]) / trainer.weight_of(every_label[batch])
        loss, norm = trainer.step(data.inputs(mine, trainer.device), every_label[mine], part)
        steps.append(torch.stack([loss, norm, loss * (part * len(batch))]))
        if trainer.device.type == "cpu" or number % LOOK_EVERY == 0 or number == len(batches) - 1:
            _check_steps(steps, trainer, data, batches, epoch)
    share_buffers(trainer.model)
    images_seen = sum(len(batch) for batch in batches)
    return sum_over_processes(sum(torch.stack(steps)[:, 2].tolist())) / images_seen


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
    if needs_batches(model) and config.batch_size < 2 * processes():
        raise TrainingError(
            f"batch_size is {config.batch_size}, but the model has batch norm, which needs at least two images to "
            f"compute a spread, in each process. Take a batch_size of {2 * processes()} or more."
        )
    if config.batch_size < processes():
        raise TrainingError(f"batch_size is {config.batch_size}, but {processes()} processes want an image each.")
    if not any(p.requires_grad for p in model.parameters()):
        raise TrainingError("Every parameter is frozen, so there is nothing to train. Unfreeze at least the head.")
    _try_one_image(model, train, config, device)


def _try_one_image(model: nn.Module, train: ImageData, config: TrainConfig, device: torch.device | str) -> None:
    memory_format = torch.channels_last if config.channels_last else torch.contiguous_format
    with seeded(0):  # an augmentation draws random numbers
        image = train.inputs(torch.tensor([0]), device)
    model.to(device).to(memory_format=memory_format)
    try:
        with evaluating(model), torch.inference_mode():
            output = model(image.to(memory_format=memory_format))
    except RuntimeError as error:
        model.to(memory_format=torch.contiguous_format)
        if "view size is not compatible" in str(error):
            raise TrainingError(
                "The model uses .view on images whose memory is arranged channels last, where it can not work. "
                "Write .flatten(1) instead, or take TrainConfig(channels_last=False)."
            ) from error
        raise TrainingError(
            f"The model can not take an image of shape {list(image.shape[1:])}: {error}. "
            "Change the transform's size, or a layer whose size is fixed."
        ) from error
    check_class_count(output.shape, train.classes)


def _training_file(
    checkpoint: Path | str | None,
    model: nn.Module,
    train: ImageData,
    validation: ImageData,
    config: TrainConfig,
    device: torch.device | str,
) -> TrainingFile:
    """Where the training is kept, once it is clear that all processes train the same."""
    precision = _name_of(precision_on(torch.device(device), config))
    identity = identity_of(model, train, validation, config, precision=precision, processes=processes())
    check_alike(identity)
    if config.mixed_precision and precision == "float32":
        say(f"mixed_precision: this device ({device}) gains nothing by 16 bits, so training is in full precision.")
    return TrainingFile(checkpoint, identity)


def _start_or_go_on(trainer: Trainer, file: TrainingFile) -> tuple[History, dict[str, Any]]:
    """The history so far and the best weights; the trainer is brought to where the file left it."""
    history = History(precision=_name_of(trainer.precision))
    best = copy.deepcopy(trainer.model.state_dict())
    if saved := file.load():
        trainer.load_state_dict(saved["trainer"])
        history, best = History(**saved["history"]), saved["best"]
        if history.is_complete(trainer.config):
            say(f"{file.path} holds this training, complete after {len(history)} epochs: nothing is left to do.")
        else:
            say(f"Going on after epoch {len(history)} of {trainer.config.epochs} ({file.path}).")
    else:
        file.save(best, {"history": asdict(history), "trainer": trainer.state_dict()})
    return history, best


def _check_steps(
    steps: list[torch.Tensor], trainer: Trainer, data: ImageData, batches: list[torch.Tensor], epoch: int
) -> None:
    """Look at the newest steps, all that have not been looked at yet, and name the first batch that went wrong.

    Raises:
        TrainingError: a loss or a gradient is not a finite number, or a loss is `EXPLODED` times that of guessing.
    """
    newest = steps[-1:] if trainer.device.type == "cpu" else steps[-LOOK_EVERY:]
    guessing = math.log(len(data.classes))
    for number, (loss, norm, _) in enumerate(torch.stack(newest).tolist(), start=len(steps) - len(newest)):
        if not math.isfinite(loss):
            problem = f"the loss is {loss}"
        elif not math.isfinite(norm) and not trainer.scaler.is_enabled():  # the scaler leaves such a step out
            problem = f"the loss is {loss:.3g}, but the norm of its gradient is {norm}"
        elif loss > EXPLODED * guessing:
            problem = f"the loss has exploded: it is {loss:.3g}, and guessing has {guessing:.2f}"
        else:
            continue
        raise TrainingError(
            f"Epoch {epoch + 1}, batch {number + 1} of {len(batches)}: {problem}. "
            f"{_describe(share_of(batches[number]), data, trainer)} Lower the learning rate (it is "
            f"{trainer.learning_rate:g}), set gradient_clip=1.0, and check that the images hold no NaN."
        )


def _describe(batch: torch.Tensor, data: ImageData, trainer: Trainer) -> str:
    """Which images a batch has, and the range of what the network saw of them."""
    names = [data.radiographs[i].path.name for i in batch.tolist()]
    pixels = data.inputs(batch, trainer.device)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"Its images are {', '.join(names[:3])}{more}, with values from {pixels.min().item():.3g} "
        f"to {pixels.max().item():.3g}."
    )


def _how_to_go_on(history: History, checkpoint: Path | str | None) -> str:
    kept = f"Interrupted: keeping the weights of epoch {history.best_epoch + 1}, the best so far."
    if checkpoint is None:
        return f"{kept} With fit(..., checkpoint='run.pt') a training can go on after an interruption."
    return f"{kept} Run the cell again to go on after epoch {len(history)}."


def _name_of(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")


def _loss_of(predictions: Predictions) -> float:
    """The mean cross-entropy, from the same probabilities that every figure and every score uses.

    Raises:
        TrainingError: a probability is not a number.
    """
    spoilt = np.flatnonzero(~np.isfinite(predictions.probabilities).all(axis=1))
    if len(spoilt):
        names = [predictions.files[i] for i in spoilt[:3]]
        raise TrainingError(
            f"The model's answer to {len(spoilt)} of {len(predictions)} validation images is not a number "
            f"({', '.join(names)}). Lower the learning rate, and check that these images hold no NaN."
        )
    return float(log_loss(predictions.labels, predictions.probabilities, labels=np.arange(len(predictions.classes))))
