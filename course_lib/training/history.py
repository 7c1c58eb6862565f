"""How a training went, epoch by epoch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from course_lib.training.config import TrainConfig
from course_lib.training.form import difference_in_form


@dataclass(frozen=True)
class History:
    """How a training went, one entry per epoch."""

    train_loss: tuple[float, ...] = ()  #: mean of what was minimised, over the epoch, while the weights moved
    validation_loss: tuple[float, ...] = ()  #: after the epoch, without weights or smoothing
    validation_score: tuple[float, ...] = ()  #: the same of what the task measures; higher is better
    score_name: str = "score"  #: "AUROC" for example
    best_epoch: int = -1  #: 0-based; the epoch whose weights the model has now
    stopped_early: bool = False
    learning_rate: tuple[float, ...] = ()  #: of the head, in the epoch's last step
    precision: str = "float32"  #: the numbers that the network calculated with

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "History":
        """The history whose fields a file holds.

        Raises:
            ValueError: it holds something else.
        """
        per_epoch = (0.0,) * len(content["train_loss"])
        form = cls(per_epoch, per_epoch, per_epoch, learning_rate=per_epoch)
        difference = difference_in_form(asdict(form), content)
        if difference or content["best_epoch"] not in range(-1, len(form)):
            raise ValueError(difference or f"best_epoch is {content['best_epoch']} of {len(form)} epochs")
        return cls(**content)

    def __len__(self) -> int:
        return len(self.train_loss)

    def __str__(self) -> str:
        end = "stopped early" if self.stopped_early else "finished"
        return (
            f"{end} after {len(self)} epochs; best was epoch {self.best_epoch + 1}: "
            f"validation loss {self.validation_loss[self.best_epoch]:.3f}, "
            f"{self.score_name} {self.validation_score[self.best_epoch]:.3f}"
        )

    def after(
        self,
        train_loss: float,
        validation_loss: float,
        score: float,
        learning_rate: float,
        keep: Literal["best", "last"] = "best",
    ) -> "History":
        """The history with one epoch more, which counts as the best one if the last one is to be kept."""
        is_best = keep == "last" or validation_loss < min(self.validation_loss, default=math.inf)
        return replace(
            self,
            train_loss=(*self.train_loss, train_loss),
            validation_loss=(*self.validation_loss, validation_loss),
            validation_score=(*self.validation_score, score),
            best_epoch=len(self) if is_best else self.best_epoch,
            learning_rate=(*self.learning_rate, learning_rate),
        )

    def is_complete(self, config: TrainConfig) -> bool:
        """Whether all epochs are done, or as many in a row have brought nothing as the patience allows."""
        in_vain = len(self) - 1 - self.best_epoch
        return len(self) >= config.epochs or (config.patience is not None and in_vain >= config.patience)
