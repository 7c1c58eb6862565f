"""What a configuration asks for: the optimizer, the schedule of its learning rate, the precision."""

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, OneCycleLR

from course_lib.networks.freezing import stages
from course_lib.support.errors import TrainingError
from course_lib.training.config import TrainConfig


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


def kept_of(parameter: torch.Tensor, config: TrainConfig) -> dict[str, torch.Tensor]:
    """What the optimizer remembers of a parameter, once it has corrected it: the names, shapes and types of it."""
    if config.optimizer == "sgd":
        return {"momentum_buffer": parameter}
    return {"step": torch.tensor(0.0), "exp_avg": parameter, "exp_avg_sq": parameter}


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


def precision_on(device: torch.device, config: TrainConfig) -> torch.dtype:
    """The numbers that the network calculates with: 16 bits if ``mixed_precision`` is True and the device has them.

    On a CUDA GPU bfloat16, or float16 where it is older than that; on a processor bfloat16 if it has instructions for
    it; elsewhere, and on Apple's GPU, float32, as with ``"auto"`` before `fit` has decided. The weights are float32
    everywhere.

    Source: P. Micikevicius et al., Mixed Precision Training, ICLR 2018, arXiv:1710.03740.
    """
    if config.mixed_precision is not True:
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device.type == "cpu" and native else torch.float32


def check_float32(model: nn.Module) -> None:
    """Do nothing if the model's parameters are float32, as the images are.

    Raises:
        TrainingError: they are not.
    """
    calculates = [p.dtype for p in model.parameters() if p.is_floating_point() or p.is_complex()]
    if others := sorted({str(dtype).removeprefix("torch.") for dtype in calculates if dtype != torch.float32}):
        raise TrainingError(
            f"The model holds numbers of the type {', '.join(others)}, but the images are float32, and so must the "
            "model be: call model.float(). To calculate with 16 bits in training, take "
            "TrainConfig(mixed_precision=True) instead of .half()."
        )
