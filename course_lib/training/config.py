"""The configuration of a training."""

from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints


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
    mixed_precision: bool | Literal["auto"] = False  #: 16 bits where there are any; "auto": if they pay in a trial
    channels_last: bool = True  #: keep a pixel's channels together in memory, as convolutions like it
    stage_factor: float = 1.0  #: each stage nearer to the input learns at this part of the next one's rate
    keep: Literal["best", "last"] = "best"  #: the weights of which epoch: lowest validation loss, or simply the last

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
            "mixed_precision must be True, False or 'auto'": self.mixed_precision == "auto"
            or isinstance(self.mixed_precision, bool),
            "stage_factor must be above 0 and at most 1": 0 < self.stage_factor <= 1,
        }
        for name in ("optimizer", "schedule", "keep"):
            choices = get_args(get_type_hints(TrainConfig)[name])
            rules[f"{name} must be one of {choices}"] = getattr(self, name) in choices
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ValueError(f"{'; '.join(broken)}. Got {self}.")
