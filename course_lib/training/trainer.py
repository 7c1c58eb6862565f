"""A model beside what changes it, and the batches that it learns from."""

from collections.abc import Sized
from typing import Any, Generic

import numpy as np
import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.networks.modes import takes_volumes
from course_lib.support.errors import TrainingError
from course_lib.tasks.task import P
from course_lib.training.config import TrainConfig
from course_lib.training.form import difference_in_form
from course_lib.training.optimisation import kept_of, make_optimizer, make_schedule, precision_on
from course_lib.training.parallel import processes, share_model


class Trainer(Generic[P]):
    """A model with its optimizer, schedule, loss and precision; `step` corrects it by one batch."""

    def __init__(
        self, model: nn.Module, data: ImageData[P], config: TrainConfig, device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.device = config, torch.device(device)
        self.memory_format = memory_format_of(model, config)
        self.precision = precision_on(self.device, config)
        self.model = model.to(self.device).to(memory_format=self.memory_format)
        self.network = share_model(model)  # the model again; in several processes, so that its gradients are shared
        self.optimizer = make_optimizer(model, config)
        self.schedule = make_schedule(self.optimizer, config, config.epochs * len(batches_of(data, config, epoch=0)))
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)
        self.task = data.task
        targets = [sample.target for sample in data.samples]
        self.class_weights = self.task.class_weights(targets) if config.class_weights else None
        self._counts = None if self.class_weights is None else self.class_weights[torch.tensor(targets)]
        self.learning_rate = config.learning_rate

    def step(self, images: torch.Tensor, targets: Any, part: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Correct the model by a batch, or by this process's part of one; gives its loss and the gradient's norm.

        ``part`` is what the images count in the whole batch, 0 to 1. Both results stay on the device: to read them
        there would be to wait for it. The targets are on the device.
        """
        self.learning_rate = self.optimizer.param_groups[-1]["lr"]
        images = arranged(images, self.memory_format)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            output = self.network(images)
        weights = None if self.class_weights is None else self.class_weights.to(self.device)
        loss = self.task.loss(output, targets, weights, self.config.label_smoothing)
        self.optimizer.zero_grad()
        # the processes' gradients are averaged, so that each image must count as often as there are processes
        self.scaler.scale(loss * (part * processes())).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        norm = self._clip_gradient()
        self.scaler.step(self.optimizer)
        scale = self.scaler.get_scale()
        self.scaler.update()
        if self.scaler.get_scale() >= scale:  # else the numbers were too large for 16 bits, and the step was left out
            self.schedule.step()
        return loss.detach(), norm

    def weight_of(self, indices: torch.Tensor) -> float:
        """What these images count together: their number, or the sum of the weights of their classes."""
        return float(len(indices) if self._counts is None else self._counts[indices].sum())

    def state_dict(self) -> dict[str, Any]:
        """All that changes in training, in numbers, texts and tensors."""
        return {name: part.state_dict() for name, part in self._parts()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave.

        Raises:
            TrainingError: this is no such state of this trainer; nothing has changed then.
        """
        if difference := difference_in_form(self._form_of_a_state(state), state):
            raise TrainingError(
                f"This is not the state of a training of this model: {difference}. Take what state_dict() of the same "
                "training gave, or train anew. Another version of torch may keep other things than the one that is "
                "installed: with its own version a training goes on."
            )
        for name, part in self._parts():
            part.load_state_dict(state[name])

    def _form_of_a_state(self, state: Any) -> dict[str, Any]:
        """A state of this trainer; the optimizer remembers as many parameters in it as in the given one."""
        form = self.state_dict()
        learning = [p for group in self.optimizer.param_groups for p in group["params"]]
        optimizer = state.get("optimizer") if isinstance(state, dict) else None
        remembered = optimizer.get("state") if isinstance(optimizer, dict) else None
        numbers = [n for n in range(len(learning)) if isinstance(remembered, dict) and n in remembered]
        form["optimizer"]["state"] = {n: kept_of(learning[n], self.config) for n in numbers}
        return form

    def _parts(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in ("model", "optimizer", "schedule", "scaler")]

    def _clip_gradient(self) -> torch.Tensor:
        """The norm of the whole gradient; the gradient is shortened if it is longer than the configuration allows."""
        learning = [p for p in self.model.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm([p.grad for p in learning if p.grad is not None])
        if self.config.gradient_clip is not None:
            nn.utils.clip_grads_with_norm_(learning, self.config.gradient_clip, norm)
        return norm


def memory_format_of(model: nn.Module, config: TrainConfig) -> torch.memory_format:
    """How images lie in memory: the channels of a pixel together, where the configuration asks for it.

    Volumes stay as they are: on a processor, their convolutions gain nothing by it.
    """
    return torch.channels_last if config.channels_last and not takes_volumes(model) else torch.contiguous_format


def arranged(images: torch.Tensor, memory_format: torch.memory_format) -> torch.Tensor:
    """The images as a model likes them in memory; volumes as they are."""
    return images.to(memory_format=memory_format) if images.ndim == 4 else images


def batches_of(data: Sized, config: TrainConfig, epoch: int) -> list[torch.Tensor]:
    """The indices of an epoch's images, shuffled, in batches: the same in every process.

    A last batch of less than a quarter of the size is left out: too few images for batch norm, above all where several
    processes share them.
    """
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed_of(config, epoch, stream=0)))
    batches: list[torch.Tensor] = list(order.split(config.batch_size))  # type: ignore[no-untyped-call]
    least = max(config.batch_size // 4, min(config.batch_size, 2 * processes()))
    return batches[:-1] if len(batches[-1]) < least else batches


def seed_of(config: TrainConfig, epoch: int, stream: int) -> int:
    """A seed that follows from these alone, so that an epoch's random numbers need none of those before it.

    Stream 0 is the order of the images; stream k + 1 is what process k draws.
    """
    return int(np.random.SeedSequence([config.seed, epoch, stream]).generate_state(1)[0])
