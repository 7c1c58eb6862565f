"""A training that was killed goes on to the same bits; what does not belong together is refused."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.evaluation.predictions import Predictions
from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.support.runtime import COURSE_ROOT
from course_lib.training import loop
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit
from course_lib.training.trainer import Trainer
from tests.memory_data import MemoryData
from tests.training_run import make_net, run

CONFIG = TrainConfig(epochs=3, batch_size=8, schedule="cosine")
TRAIN, VALIDATION = MemoryData(24), MemoryData(12, seed=1)


def bits(model: torch.nn.Module) -> list[bytes]:
    return [value.contiguous().numpy().tobytes() for value in model.state_dict().values()]


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, result = tmp_path / "run.pt", tmp_path / "result.json"
    command = [sys.executable, "-m", "tests.training_run", str(result), "--checkpoint", str(checkpoint)]
    with subprocess.Popen([*command, "--pause", "0.2"], cwd=COURSE_ROOT, stderr=subprocess.DEVNULL) as child:
        wait_for_an_epoch(checkpoint)
        time.sleep(0.3)  # into the next one
        child.kill()
    done = epochs_in(checkpoint)
    assert 1 <= done < 4
    assert not result.exists()
    resumed, whole = run("batch-norm", checkpoint), run("batch-norm")
    assert f"Going on after epoch {done} of 4" in capsys.readouterr().out
    assert resumed == whole


def wait_for_an_epoch(checkpoint: Path) -> None:
    for _ in range(6000):
        if checkpoint.exists() and epochs_in(checkpoint):
            return
        time.sleep(0.05)
    raise TimeoutError(f"{checkpoint} holds no epoch after 5 minutes.")


def epochs_in(checkpoint: Path) -> int:
    """The file is replaced in one step, so that it can be read at any time."""
    return len(torch.load(checkpoint, weights_only=True)["training"]["history"]["train_loss"])


def interrupt_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one_epoch = loop.train_one_epoch

    def interrupted(trainer: Trainer[Predictions], data: MemoryData, epoch: int) -> float:
        if epoch != number:
            return one_epoch(trainer, data, epoch)
        trainer.step(data.inputs(torch.arange(8)), torch.tensor(data.labels)[:8])
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train_one_epoch", interrupted)


@pytest.mark.parametrize("epoch", [1, 2])
def test_an_interrupted_training_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], epoch: int
) -> None:
    whole = fit(straight := make_net("batch-norm"), TRAIN, VALIDATION, CONFIG)
    with monkeypatch.context() as patch:
        interrupt_in_epoch(epoch, patch)
        part = fit(make_net("batch-norm"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    assert part.stopped_early
    assert f"Run the cell again to go on after epoch {epoch}." in capsys.readouterr().out
    torch.manual_seed(99)  # whatever the program has done with its random numbers meanwhile
    other = Net(channels=4)
    assert fit(other, TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt") == whole
    assert bits(other) == bits(straight)
    assert f"Going on after epoch {epoch} of 3" in capsys.readouterr().out


def test_before_the_first_epoch_an_interruption_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(straight := make_net("plain"), TRAIN, VALIDATION, CONFIG)
    before = bits(model := make_net("plain"))
    with monkeypatch.context() as patch:
        interrupt_in_epoch(0, patch)
        with pytest.raises(KeyboardInterrupt):
            fit(model, TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    assert bits(model) == before
    assert fit(model, TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt") == whole
    assert bits(model) == bits(straight)


def test_a_complete_training_comes_back_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history = fit(first := make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    monkeypatch.delattr(loop, "train_one_epoch")
    assert fit(second := make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt") == history
    assert bits(first) == bits(second)
    assert "complete after 3 epochs" in capsys.readouterr().out
    load_checkpoint(third := make_net("plain"), tmp_path / "run.pt")
    assert bits(third) == bits(first)
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": replace(CONFIG, learning_rate=0.01)}, "learning_rate: 0.001 there, 0.01 here"),
        ({"train": MemoryData(24, seed=5)}, "training images: 24 of 12 patients .* there, 24 of 12 patients .* here"),
        ({"validation": MemoryData(14, seed=1)}, "validation images: 12 of 6 patients .* there, 14 of 7 .* here"),
        ({"train": MemoryData(24, size=36), "model": Net()}, r"image shape: \[3, 32, 32\] there, \[3, 36, 36\] here"),
        ({"model": Net(channels=2)}, "model: Sequential of .* numbers, 4 tensors .* there, Net of .* here"),
    ],
)
def test_another_training_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    same: dict[str, object] = {"model": make_net("plain"), "train": TRAIN, "validation": VALIDATION, "config": CONFIG}
    fit(**same, checkpoint=tmp_path / "run.pt")  # type: ignore[arg-type]
    before = (tmp_path / "run.pt").read_bytes()
    with pytest.raises(TrainingError, match=rf"run\.pt is of another training:\n(?s:.*)  {message}"):
        fit(**(same | change), checkpoint=tmp_path / "run.pt")  # type: ignore[arg-type]
    assert (tmp_path / "run.pt").read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_checkpoint_is_found(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "run.pt"
    fit(make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=path)
    content = bytearray(path.read_bytes())
    weights = content.index(torch.load(path, weights_only=True)["weights"]["3.weight"].numpy().tobytes())
    content[weights + 5] ^= 0x40
    damaged = {"cut": content[: len(content) // 2], "flip": content, "empty": bytearray()}
    path.write_bytes(damaged[damage])
    with pytest.raises(TrainingError, match=r"run\.pt is not a checkpoint of this course, or is damaged.*Delete it"):
        fit(make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=path)


def test_weights_alone_are_no_training(tmp_path: Path) -> None:
    save_checkpoint(make_net("plain"), tmp_path / "run.pt")
    with pytest.raises(TrainingError, match="holds a model's weights, not a training that can go on"):
        fit(make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
