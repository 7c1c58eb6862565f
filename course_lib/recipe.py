"""What decides how a training runs: its configuration, and the optimizer, schedule, loss and precision it asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR
from torchvision.models import InceptionOutputs

from course_lib.stages import stages

AUXILIARY_WEIGHT = 0.4  #: of the loss of Inception's second head, as in torchvision's own training


class TrainingError(RuntimeError):
    """Training can not start, or can not go on; the message says why and what to do."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides how a training runs, apart from the data and the model."""

    epochs: int = 10
    learning_rate: float = 1e-3  #: of the head; the highest one, where a schedule moves it
    batch_size: int = 32  #: images per step, in all processes together
    weight_decay: float = 1e-4
    optimizer: Literal["adamw", "sgd"] = "adamw"
    patience: int | None = None  #: stop after so many epochs without a better validation loss; None: never early
    seed: int = 0  #: of the order of the images, the augmentation and dropout
    schedule: Literal["constant", "cosine", "one-cycle"] = "constant"  #: how the learning rate goes, step by step
    gradient_clip: float | None = None  #: the gradient's norm is held below this; None: whatever it is
    label_smoothing: float = 0.0  #: part of the certainty that goes to all classes alike, 0 to 1
    class_weights: Literal["balanced"] | None = None  #: "balanced": each class counts alike, however many its images
    mixed_precision: bool = False  #: calculate with 16 bits where the device is made for it
    channels_last: bool = True  #: keep a pixel's channels together in memory, as convolutions like it
    stage_factor: float = 1.0  #: each stage nearer to the input learns at this part of the next one's rate

    def __post_init__(self) -> None:
        rules = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 1": self.batch_size >= 1,
            "learning_rate must be above 0": self.learning_rate > 0,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "patience must be None or at least 1": self.patience is None or self.patience >= 1,
            "seed must not be negative": self.seed >= 0,
            "gradient_clip must be None or above 0": self.gradient_clip is None or self.gradient_clip > 0,
            "label_smoothing must be from 0 up to, but not including, 1": 0 <= self.label_smoothing < 1,
            "class_weights must be 'balanced' or None": self.class_weights in (None, "balanced"),
            "stage_factor must be above 0 and at most 1": 0 < self.stage_factor <= 1,
        }
        for name in ("optimizer", "schedule"):
            choices = get_args(get_type_hints(TrainConfig)[name])
            rules[f"{name} must be one of {choices}"] = getattr(self, name) in choices
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"{'; '.join(broken)}. Got {self}.")


#: What makes a ResNet-18 out of a random start, on images of 64 px, two cores and thousands of images.
RESNET_FROM_SCRATCH = TrainConfig(
    learning_rate=3e-3,
    batch_size=64,
    weight_decay=0.05,
    schedule="one-cycle",
    gradient_clip=5.0,
    label_smoothing=0.1,
    mixed_precision=True,
)


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """An optimizer of the parameters that are not frozen, in one group per stage, the head's last.

    Each stage learns at ``stage_factor`` times the rate of the next one. Parameters that belong to no stage learn with
    the first.

    Source: J. Howard, S. Ruder, Universal Language Model Fine-tuning, ACL 2018, arXiv:1801.06146, section 3.2.
    """
    parts = [list(part.parameters()) for _, part in stages(model)] or [[]]
    staged = {p for part in parts for p in part}
    parts[0] += [p for p in model.parameters() if p not in staged]
    groups = [
        {"params": learning, "lr": config.learning_rate * config.stage_factor ** (len(parts) - 1 - number)}
        for number, part in enumerate(parts)
        if (learning := [p for p in part if p.requires_grad])
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.learning_rate, momentum=0.9, weight_decay=config.weight_decay)
    return torch.optim.AdamW(groups, config.learning_rate, weight_decay=config.weight_decay)


def make_schedule(optimizer: torch.optim.Optimizer, config: TrainConfig, steps: int) -> LRScheduler:
    """How the learning rates go over the ``steps`` of the whole training.

    - ``constant``: they stay.
    - ``cosine``: they fall to nothing along half a cosine. Source: I. Loshchilov, F. Hutter, SGDR, arXiv:1608.03983.
    - ``one-cycle``: up from a 25th in the first 30 %, then down to almost nothing; the momentum goes the other way.
      Source: L. N. Smith, N. Topin, Super-Convergence, arXiv:1708.07120.
    """
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    if config.schedule == "one-cycle":
        return OneCycleLR(optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=steps)
    return ConstantLR(optimizer, factor=1.0, total_iters=0)


def balanced_weights(labels: Sequence[int], classes: Sequence[str]) -> torch.Tensor:
    """What an image of each class counts, so that all classes count alike: float32 [classes], 1 on average.

    Raises:
        TrainingError: a class has no image.
    """
    counts = torch.bincount(torch.tensor(labels), minlength=len(classes))
    if missing := [name for name, count in zip(classes, counts.tolist(), strict=True) if not count]:
        raise TrainingError(
            f"class_weights='balanced' needs images of every class, but {', '.join(missing)} has none among the "
            f"{len(labels)} training images. Add some, or take class_weights=None."
        )
    return len(labels) / (len(classes) * counts)


def classification_loss(
    output: torch.Tensor | InceptionOutputs,
    labels: torch.Tensor,
    weights: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """The cross-entropy of a batch, one number; for Inception's two heads, that of the first + 0.4 that of the second.

    ``weights`` are what an image of each class counts, float [classes].

    Source: C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842, on second heads.
    """
    if isinstance(output, InceptionOutputs):
        main, auxiliary = (classification_loss(o, labels, weights, label_smoothing) for o in output)
        return main + AUXILIARY_WEIGHT * auxiliary
    logits = output if output.dtype == torch.float64 else output.float()
    return F.cross_entropy(logits, labels, weights, label_smoothing=label_smoothing)


def precision_on(device: torch.device, config: TrainConfig) -> torch.dtype:
    """The numbers that the network calculates with: 16 bits if ``mixed_precision`` is on and the device gains by it.

    On a CUDA GPU bfloat16, or float16 where it is older than that; on a processor bfloat16 if it has instructions for
    it; elsewhere, and on Apple's GPU, float32. The weights are float32 everywhere.

    Source: P. Micikevicius et al., Mixed Precision Training, ICLR 2018, arXiv:1710.03740.
    """
    if not config.mixed_precision:
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device.type == "cpu" and native else torch.float32
