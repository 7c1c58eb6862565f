"""The training loop."""

import copy
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from course_lib.data.samples import ImageData
from course_lib.networks.modes import begin_training
from course_lib.support.errors import TrainingError
from course_lib.support.process import keeping_memory
from course_lib.support.runtime import bars_are_off, seeded
from course_lib.tasks.task import P
from course_lib.training.before_training import check_before_training
from course_lib.training.checkpoints import TrainingFile, check_weights, identity_of
from course_lib.training.config import TrainConfig
from course_lib.training.history import History
from course_lib.training.optimisation import precision_on
from course_lib.training.parallel import (
    check_alike,
    predict_together,
    processes,
    rank,
    say,
    share_buffers,
    share_of,
    sum_over_processes,
)
from course_lib.training.precision_trial import sixteen_bits_pay
from course_lib.training.trainer import Trainer, batches_of, seed_of

EXPLODED = 100  #: times the loss of guessing: no batch of a sound training comes near it
LOOK_EVERY = 20  #: batches, on a GPU, which would otherwise wait after each until its loss has been looked at


@dataclass(frozen=True)
class _Kept:
    """What is left of a training, however it ends; one value, so that no interruption can come between its parts."""

    history: History
    best: dict[str, Any]  #: the weights of the epoch with the lowest validation loss


def fit(
    model: nn.Module,
    train: ImageData[P],
    validation: ImageData[P],
    config: TrainConfig,
    *,
    device: torch.device | str = "cpu",
    checkpoint: Path | str | None = None,
) -> History:
    """Train the model in place; however that ends, it has the weights of the epoch with the lowest validation loss.

    With ``keep="last"`` it has those of the last epoch. The validation images then choose nothing and only show how the
    training goes, so that they may be some of those that it learns from.

    Only parameters with ``requires_grad`` change. An interruption (Ctrl-C, "stop" in Jupyter) ends the training after
    the last whole epoch. With a ``checkpoint`` the training is on disk after every epoch, and the same call goes on
    from there, to the same bits; the weights that the model comes with then play no part. In processes that torchrun
    started they train together, see `training.parallel`. With ``mixed_precision="auto"`` a trial of some seconds
    decides on the precision, and a training that goes on keeps the one it began with.

    Raises:
        TrainingError: the data and the model do not fit together, the loss is no longer a number or explodes, or the
            checkpoint is damaged or of another training.
        ValueError: what the model answers does not fit the task, another number of classes for example; or, with a
            checkpoint, model or preparation are so long a chain that no digest of them can be made.
    """
    check_before_training(model, train, config, device, validation)
    file = _training_file(checkpoint, model, train, validation, config, device)
    with keeping_memory():
        return _fit(model, train, validation, _decided(config, file, model, train, device), file, device)


def fit_whole(
    model: nn.Module,
    train: ImageData[P],
    validation: ImageData[P],
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


def train_one_epoch(trainer: Trainer[P], data: ImageData[P], epoch: int) -> float:
    """Show the model every image once and correct it after each batch; gives the mean loss over the images.

    Raises:
        TrainingError: the loss or the gradient of a batch is not a number, or the loss explodes.
    """
    begin_training(trainer.model)
    batches = batches_of(data, trainer.config, epoch)
    steps: list[torch.Tensor] = []
    for number, batch in enumerate(batches):
        mine = share_of(batch)
        part = trainer.weight_of(mine) / trainer.weight_of(batch)
        loss, norm = trainer.step(*data.batch(mine, trainer.device), part)
        steps.append(torch.stack([loss, norm, loss * (part * len(batch))]))
        if trainer.device.type == "cpu" or number % LOOK_EVERY == 0 or number == len(batches) - 1:
            _check_steps(steps, trainer, data, batches, epoch)
    share_buffers(trainer.model)
    images_seen = sum(len(batch) for batch in batches)
    return sum_over_processes(sum(torch.stack(steps)[:, 2].tolist())) / images_seen


def _decided(
    config: TrainConfig, file: TrainingFile, model: nn.Module, train: ImageData[P], device: torch.device | str
) -> TrainConfig:
    """The configuration with ``"auto"`` replaced by what a training that goes on began with, or by a trial.

    Raises:
        TrainingError: the training in the file began with 16 bits that this device does not have.
    """
    if config.mixed_precision != "auto":
        return config
    begun = _in(file)
    if begun is None:
        return replace(config, mixed_precision=sixteen_bits_pay(model, train, config, device))
    config = replace(config, mixed_precision=begun.history.precision != "float32")
    here = _name_of(precision_on(torch.device(device), config))
    if here != begun.history.precision:
        raise TrainingError(
            f"{file.path} holds a training that began in {begun.history.precision}, and this device ({device}) can go "
            f"on in {here} only. Go on where it began, name another file, or delete this one to train anew."
        )
    return config


def _fit(
    model: nn.Module,
    train: ImageData[P],
    validation: ImageData[P],
    config: TrainConfig,
    file: TrainingFile,
    device: torch.device | str,
) -> History:
    """`fit`, once everything is checked and decided."""
    trainer = Trainer(model, train, config, device)
    kept = _Kept(_no_epoch_yet(trainer), copy.deepcopy(model.state_dict()))
    try:
        kept = _start_or_go_on(trainer, file, kept)
        hidden = bars_are_off() or rank() > 0
        with tqdm(initial=len(kept.history), total=config.epochs, desc="Training", unit="epoch", disable=hidden) as bar:
            while not kept.history.is_complete(config):
                kept = _after_one_epoch_more(kept, trainer, train, validation, file)
                history = kept.history
                last = f"{history.validation_loss[-1]:.3f}", f"{history.validation_score[-1]:.3f}"
                bar.set_postfix(dict(zip(("loss", history.score_name), last, strict=True)))
                bar.update()
    except KeyboardInterrupt:
        kept = _in(file) or kept  # it may have come just after an epoch was written
        if not kept.history.train_loss:
            raise
        say(_how_to_go_on(kept.history, file.path, config))
    finally:
        model.load_state_dict(kept.best)
    return replace(kept.history, stopped_early=len(kept.history) < config.epochs)


def _training_file(
    checkpoint: Path | str | None,
    model: nn.Module,
    train: ImageData[P],
    validation: ImageData[P],
    config: TrainConfig,
    device: torch.device | str,
) -> TrainingFile:
    """Where the training is kept, once it is clear that all processes train the same."""
    identity: dict[str, object] = {}
    auto = config.mixed_precision == "auto"
    precision = "by a trial" if auto else _name_of(precision_on(torch.device(device), config))
    if checkpoint is not None or processes() > 1:
        identity = identity_of(model, train, validation, config, precision=precision, processes=processes())
        check_alike(identity)
    if config.mixed_precision is True and precision == "float32":
        say(f"mixed_precision: this device ({device}) gains nothing by 16 bits, so training is in full precision.")
    return TrainingFile(checkpoint, identity)


def _no_epoch_yet(trainer: Trainer[P]) -> History:
    return History(score_name=trainer.task.score_name, precision=_name_of(trainer.precision))


def _in(file: TrainingFile) -> _Kept | None:
    """What the file holds; None if there is none."""
    saved = file.load()
    return None if saved is None else _Kept(saved["history"], saved["best"])


def _start_or_go_on(trainer: Trainer[P], file: TrainingFile, start: _Kept) -> _Kept:
    """What there is so far; the trainer is brought to where the file left it."""
    saved = file.load()
    if saved is None:
        file.save(start.best, start.history, trainer.state_dict())
        return start
    check_weights(saved["best"], trainer.model, str(file.path))
    trainer.load_state_dict(saved["trainer"])
    history: History = saved["history"]
    if history.is_complete(trainer.config):
        say(f"{file.path} holds this training, complete after {len(history)} epochs: nothing is left to do.")
    else:
        say(f"Going on after epoch {len(history)} of {trainer.config.epochs} ({file.path}).")
    return _Kept(history, saved["best"])


def _after_one_epoch_more(
    kept: _Kept, trainer: Trainer[P], train: ImageData[P], validation: ImageData[P], file: TrainingFile
) -> _Kept:
    """Train for an epoch, judge what came of it, and write that down."""
    epoch, task = len(kept.history), validation.task
    with seeded(seed_of(trainer.config, epoch, stream=1 + rank())):
        train_loss = train_one_epoch(trainer, train, epoch=epoch)
        predictions = predict_together(trainer.model, validation, device=trainer.device)
    measured = task.loss_of(predictions), task.score(predictions)
    after = kept.history.after(train_loss, *measured, trainer.learning_rate, trainer.config.keep)
    is_best = after.best_epoch == epoch
    best = copy.deepcopy(trainer.model.state_dict()) if is_best else kept.best  # state_dict() changes with the model
    file.save(best, after, trainer.state_dict())
    return _Kept(after, best)


def _check_steps(
    steps: list[torch.Tensor], trainer: Trainer[P], data: ImageData[P], batches: list[torch.Tensor], epoch: int
) -> None:
    """Look at the newest steps, all that have not been looked at yet, and name the first batch that went wrong.

    Raises:
        TrainingError: a loss or a gradient is not a finite number, or a loss is `EXPLODED` times that of guessing.
    """
    newest = steps[-1:] if trainer.device.type == "cpu" else steps[-LOOK_EVERY:]
    guessing = data.task.guessing_loss
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


def _describe(batch: torch.Tensor, data: ImageData[P], trainer: Trainer[P]) -> str:
    """Which images a batch has, and the range of what the network saw of them."""
    names = [data.samples[i].path.name for i in batch.tolist()]
    pixels = data.inputs(batch, trainer.device)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"Its images are {', '.join(names[:3])}{more}, with values from {pixels.min().item():.3g} "
        f"to {pixels.max().item():.3g}."
    )


def _how_to_go_on(history: History, checkpoint: Path | None, config: TrainConfig) -> str:
    kept = f"Interrupted: keeping the weights of epoch {history.best_epoch + 1}, the best so far."
    if history.is_complete(config):
        return f"{kept} It was the last moment: all {len(history)} epochs are done."
    if checkpoint is None:
        return f"{kept} With fit(..., checkpoint='run.pt') a training can go on after an interruption."
    return f"{kept} Run the cell again to go on after epoch {len(history)}."


def _name_of(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")
