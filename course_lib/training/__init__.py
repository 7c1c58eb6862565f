"""From data and a network to a trained one: checks before, the loop, checkpoints, several processes, and
predictions."""

from course_lib.training.backbone_comparison import compare_backbones
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.config import TrainConfig
from course_lib.training.history import History
from course_lib.training.inference import predict
from course_lib.training.learning_rate import find_learning_rate
from course_lib.training.loop import fit
from course_lib.training.one_batch import overfit_one_batch
from course_lib.training.optimisation import make_optimizer

__all__ = [
    "History",
    "TrainConfig",
    "compare_backbones",
    "find_learning_rate",
    "fit",
    "load_checkpoint",
    "make_optimizer",
    "overfit_one_batch",
    "predict",
    "save_checkpoint",
]
