"""Several processes that train one model together, each on its part of every batch.

A training becomes parallel by two lines, and by the command that starts it::

    with distributed() as device:                                # my_training.py
        fit(model, train, validation, config, device=device, checkpoint="run.pt")

    torchrun --standalone --nproc-per-node 2 my_training.py      # two processes on this machine, without any network

With CUDA each process takes a GPU of its own (``--nproc-per-node gpu``: all that are here); without, the processor's
cores are shared out. On several machines torchrun wants ``--nnodes`` and ``--rdzv-endpoint`` as well, and the
checkpoint must lie in a folder that all of them see. ``batch_size`` counts the images of all processes together, so
that the configuration, and what comes of it, is that of one process.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from course_lib.data.samples import ImageData
from course_lib.support.errors import TrainingError
from course_lib.support.runtime import pick_device
from course_lib.tasks.task import P
from course_lib.training.inference import predict

T = TypeVar("T")

DIGEST = re.compile(r" ?\[[0-9a-f]+\]$")

_has_left = False  #: whether this program has been in `distributed` already


@contextmanager
def distributed() -> Iterator[torch.device]:
    """Join the processes that torchrun started; gives the device of this one. Started without torchrun: nothing to do.

    The processes talk over NCCL where each has a GPU, otherwise over gloo.

    Raises:
        TrainingError: the program has left its processes before; a second meeting could mix up the two.
    """
    global _has_left
    if "LOCAL_RANK" not in os.environ:
        yield pick_device()
        return
    if _has_left:
        raise TrainingError("distributed() works once in a program. Put all trainings into one `with distributed():`.")
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("gloo" if device.type == "cpu" else "nccl")
    try:
        yield device
    finally:
        _has_left = True
        dist.destroy_process_group()


def processes() -> int:
    """How many processes train together; 1 if this one is alone."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """The number of this process, from 0. The first one alone writes files and shows what happens."""
    return dist.get_rank() if _together() else 0


def say(message: str) -> None:
    """Print it once, not once per process."""
    if rank() == 0:
        print(message)


def share_of(batch: torch.Tensor) -> torch.Tensor:
    """This process's part of a batch: no element goes to two processes, and their numbers differ by one at most."""
    return batch.tensor_split(processes())[rank()]


def share_model(model: nn.Module) -> nn.Module:
    """The model so that its gradients are the mean over the processes; alone, the model itself."""
    if not _together():
        return model
    device = next(model.parameters()).device
    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def share_buffers(model: nn.Module) -> None:
    """Give every process what the first one's batch norms have seen."""
    if _together():
        for buffer in model.buffers():
            dist.broadcast(buffer, src=0)


def sum_over_processes(value: float) -> float:
    """The sum of the processes' values, in each of them."""
    return sum(_gather(value))


def check_alike(identity: Mapping[str, object]) -> None:
    """Do nothing if all processes hold the same data, model and configuration. All have to call it.

    Raises:
        TrainingError: they do not, and the message says in what.
    """
    everywhere = _gather(dict(identity))
    for other, theirs in enumerate(everywhere):
        if differences := differences_between(everywhere[0], theirs):
            raise TrainingError(
                f"The processes do not train the same thing. Process {other} differs from the first:\n{differences}\n"
                "Let every process load the same files in the same order, with the same seed."
            )


def differences_between(there: Mapping[str, object], here: Mapping[str, object]) -> str:
    """The entries that are not the same, one line each; empty if all are. Digests in brackets are not shown."""
    names = [name for name in sorted({*there, *here}) if there.get(name) != here.get(name)]
    words = [[DIGEST.sub("", str(side.get(name, "nothing"))) for side in (there, here)] for name in names]
    return "\n".join(
        f"  {name}: changed" if old == new else f"  {name}: {old} there, {new} here"
        for name, (old, new) in zip(names, words, strict=True)
    )


def predict_together(model: nn.Module, data: ImageData[P], *, device: torch.device | str = "cpu") -> P:
    """`predict`, with the patients shared out among the processes; each of them gets all predictions.

    A patient is looked at by one process only.
    """
    if not _together():
        return predict(model, data, device=device)
    number_of = {patient: number for number, patient in enumerate(sorted(set(data.patients)))}
    mine = [i for i, patient in enumerate(data.patients) if number_of[patient] % processes() == rank()]
    gathered = _gather((mine, predict(model, data.take(mine), device=device) if mine else None))
    parts = [(places, part) for places, part in gathered if part is not None]
    places = np.concatenate([places for places, _ in parts])
    return data.task.join([part for _, part in parts]).take(np.argsort(places))


def _gather(value: T) -> list[T]:
    """The values of all processes, in the order of their numbers."""
    if not _together():
        return [value]
    values: list[T] = [value] * processes()
    dist.all_gather_object(values, value)
    return values


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
