"""Whether 16 bits pay is found by a trial that leaves no trace, and is decided once for a training."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.evaluation.predictions import Predictions
from course_lib.support.errors import TrainingError
from course_lib.training import loop, precision_trial
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit
from course_lib.training.precision_trial import sixteen_bits_pay
from course_lib.training.trainer import Trainer
from tests.memory_data import MemoryData
from tests.training_run import make_net

CONFIG = TrainConfig(epochs=2, batch_size=8, mixed_precision="auto")
TRAIN, VALIDATION = MemoryData(24), MemoryData(12, seed=1)


def bits(model: nn.Module) -> list[bytes]:
    return [value.contiguous().numpy().tobytes() for value in model.state_dict().values()]


@pytest.fixture
def has_16_bits(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes this processor one that has instructions for 16 bits, or has none."""

    def make(native: bool) -> None:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)

    make(True)
    return make


@pytest.fixture
def seconds_of(monkeypatch: pytest.MonkeyPatch) -> dict[torch.dtype, float]:
    """What a step in either precision takes, in a time of its own."""
    now, takes = [0.0], {torch.bfloat16: 1.0, torch.float32: 1.0}
    step = Trainer.step

    def timed(self: Trainer[Predictions], *arguments: Any) -> tuple[torch.Tensor, torch.Tensor]:
        now[0] += takes[self.precision]
        return step(self, *arguments)

    monkeypatch.setattr(Trainer, "step", timed)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return takes


@pytest.mark.usefixtures("has_16_bits")
@pytest.mark.parametrize(("of_32", "pays"), [(0.5, False), (1.0, False), (1.1, False), (1.2, True), (2.5, True)])
def test_sixteen_bits_must_pay_clearly(seconds_of: dict[torch.dtype, float], of_32: float, pays: bool) -> None:
    seconds_of[torch.float32] = of_32
    assert sixteen_bits_pay(make_net("plain"), TRAIN, CONFIG, "cpu") is pays


@pytest.mark.usefixtures("has_16_bits")
@pytest.mark.parametrize(("of_32", "precision"), [(1.0, "float32"), (2.0, "bfloat16")])
def test_after_a_trial_the_training_has_the_bits_of_one_without(
    seconds_of: dict[torch.dtype, float], of_32: float, precision: str
) -> None:
    seconds_of[torch.float32] = of_32
    with_trial, without = make_net("batch-norm"), make_net("batch-norm")
    random = torch.random.get_rng_state()
    history = fit(with_trial, TRAIN, VALIDATION, CONFIG)
    assert history == fit(without, TRAIN, VALIDATION, replace(CONFIG, mixed_precision=precision == "bfloat16"))
    assert history.precision == precision
    assert bits(with_trial) == bits(without)
    assert torch.equal(torch.random.get_rng_state(), random)


def test_without_16_bits_there_is_no_trial(
    has_16_bits: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    has_16_bits(False)
    monkeypatch.delattr(precision_trial, "trainer_of_a_copy")
    assert fit(make_net("plain"), TRAIN, VALIDATION, CONFIG).precision == "float32"
    assert capsys.readouterr().out == ""


def test_16_bits_that_the_processor_lacks_are_said_to_be_missing(
    has_16_bits: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    has_16_bits(False)
    history = fit(make_net("plain"), TRAIN, VALIDATION, replace(CONFIG, mixed_precision=True))
    assert history.precision == "float32"
    assert capsys.readouterr().out == (
        "mixed_precision: this device (cpu) gains nothing by 16 bits, so training is in full precision.\n"
    )


@pytest.mark.parametrize("precision", ["auto ", "bfloat16", None, 1, 2, np.True_])
def test_a_precision_that_is_none_is_refused(precision: object) -> None:
    with pytest.raises(ValueError, match="mixed_precision must be True, False or 'auto'"):
        TrainConfig(mixed_precision=precision)  # type: ignore[arg-type]


@pytest.mark.usefixtures("has_16_bits")
@pytest.mark.parametrize("first", [True, False])
def test_a_training_goes_on_in_the_precision_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    whole = make_net("batch-norm")
    fit(whole, TRAIN, VALIDATION, replace(CONFIG, mixed_precision=first))
    monkeypatch.setattr(loop, "sixteen_bits_pay", lambda *_: first)
    _interrupted_after_an_epoch(tmp_path / "run.pt", monkeypatch)
    monkeypatch.setattr(loop, "sixteen_bits_pay", lambda *_: not first)
    history = fit(resumed := make_net("batch-norm"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    assert history.precision == ("bfloat16" if first else "float32")
    assert bits(resumed) == bits(whole)


def test_a_training_in_16_bits_does_not_go_on_where_there_are_none(
    tmp_path: Path, has_16_bits: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "sixteen_bits_pay", lambda *_: True)
    _interrupted_after_an_epoch(tmp_path / "run.pt", monkeypatch)
    has_16_bits(False)
    before = bits(model := make_net("batch-norm"))
    with pytest.raises(TrainingError, match=r"run\.pt .* began in bfloat16, and this device \(cpu\)"):
        fit(model, TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    assert bits(model) == before


def _interrupted_after_an_epoch(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = loop._after_one_epoch_more

    def once(kept: loop._Kept, *more: object) -> loop._Kept:
        if len(kept.history):
            raise KeyboardInterrupt
        return go_on(kept, *more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_after_one_epoch_more", once)
        assert len(fit(make_net("batch-norm"), TRAIN, VALIDATION, CONFIG, checkpoint=path)) == 1
