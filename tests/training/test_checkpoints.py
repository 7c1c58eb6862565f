"""A training that was killed goes on to the same bits; what does not belong together is refused."""

import copy
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.evaluation.predictions import Predictions
from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.support.identity import fingerprint
from course_lib.support.runtime import COURSE_ROOT
from course_lib.tasks.classification import Classification
from course_lib.training import loop
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.config import TrainConfig
from course_lib.training.loop import fit
from course_lib.training.trainer import Trainer
from tests.memory_data import MemoryData
from tests.training_run import make_net, run

CONFIG = TrainConfig(epochs=3, batch_size=8, schedule="cosine")
TRAIN, VALIDATION = MemoryData(24), MemoryData(12, seed=1)
FUZZED = 2000 if os.environ.get("COURSE_THOROUGH") else 100  #: damaged files, and as many damaged states


def bits(model: torch.nn.Module) -> list[bytes]:
    return [value.contiguous().numpy().tobytes() for value in model.state_dict().values()]


def trained(path: Path, config: TrainConfig = CONFIG) -> Path:
    """The file of a small training."""
    fit(make_net("plain"), TRAIN, VALIDATION, config, checkpoint=path)
    return path


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
        ({"train": MemoryData(24, seed=5)}, "training images: changed\nTake back"),
        ({"validation": MemoryData(14, seed=1)}, "validation images: 12 of 6 patients there, 14 of 7 patients here"),
        (
            {"train": MemoryData(24, size=36), "validation": MemoryData(12, size=36), "model": Net()},
            r"image shape: \[3, 32, 32\] there, \[3, 36, 36\] here",
        ),
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


def test_a_tilde_stands_for_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    model = nn.Linear(2, 1)
    assert save_checkpoint(model, "~/run.pt") == tmp_path / "run.pt"
    load_checkpoint(model, "~/run.pt")
    torch.save(model.state_dict(), tmp_path / "plain.pt")
    with pytest.raises(TrainingError, match=r"plain\.pt is not a checkpoint .* are read by model\.load_state_dict"):
        load_checkpoint(model, "~/plain.pt")


def test_weights_alone_are_no_training(tmp_path: Path) -> None:
    save_checkpoint(make_net("plain"), tmp_path / "run.pt")
    with pytest.raises(TrainingError, match="holds a model's weights, not a training that can go on"):
        fit(make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")


class Small(nn.Module):
    """A network whose calculation does not show in its weights."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), *layers)
        self.head = nn.Linear(64, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(F.relu(self.layers(images)).flatten(1))
        return logits


class Smooth(Small):
    """The same weights, another calculation."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(F.gelu(self.layers(images)).flatten(1))
        return logits


Smooth.__name__ = Smooth.__qualname__ = "Small"  # as in a notebook whose cell was changed


class Changed(MemoryData):
    """Images that go through a function."""

    def __init__(self, images: int, change: Callable[[torch.Tensor], torch.Tensor], seed: int = 0) -> None:
        super().__init__(images, seed=seed)
        self.change = change

    def inputs(self, indices: torch.Tensor, device: torch.device | str = "cpu") -> torch.Tensor:
        return self.change(super().inputs(indices, device))


def plus(level: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function that calls another one, which has the number."""

    def brighter(images: torch.Tensor) -> torch.Tensor:
        return images + level

    return lambda images: brighter(images)


@pytest.mark.parametrize(
    ("there", "here", "part"),
    [
        ({"model": Small(nn.ReLU())}, {"model": Small(nn.Sigmoid())}, "model"),
        ({"model": Small(nn.Dropout(0.2))}, {"model": Small(nn.Dropout(0.3))}, "model"),
        ({"model": Small()}, {"model": Smooth()}, "model"),
        ({"train": Changed(24, plus(0.0))}, {"train": Changed(24, plus(0.1))}, "preparation of the training images"),
        (
            {"train": Changed(24, lambda x: x * 1.0)},
            {"train": Changed(24, lambda x: x * 1.1)},
            "preparation of the training images",
        ),
        (
            {"validation": Changed(12, plus(0.0), 1)},
            {"validation": Changed(12, plus(0.1), 1)},
            "preparation of the validation images",
        ),
    ],
)
def test_what_the_weights_do_not_show_is_another_training_too(
    tmp_path: Path, there: dict[str, Any], here: dict[str, Any], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    same: dict[str, Any] = {
        "model": Small(),
        "train": TRAIN,
        "validation": VALIDATION,
        "config": replace(CONFIG, epochs=1),
    }
    fit(**copy.deepcopy(same | there), checkpoint=tmp_path / "run.pt")
    with pytest.raises(TrainingError, match=rf"is of another training:\n  {part}: changed\nTake .*changes with every"):
        fit(**(same | here), checkpoint=tmp_path / "run.pt")
    capsys.readouterr()
    fit(**(same | there), checkpoint=tmp_path / "run.pt")
    assert "nothing is left to do" in capsys.readouterr().out


class Noisy:
    """A change with a source of random numbers, and with a count of its calls in an attribute of this name."""

    def __init__(self, count: str) -> None:
        self.source, self.count = random.Random(0), count
        setattr(self, count, 0)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        setattr(self, self.count, getattr(self, self.count) + 1)
        return images + self.source.random()


def test_the_same_training_goes_on_whatever_its_calls_have_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, maps = Small(), list[torch.Tensor]()
    model.head.register_forward_hook(lambda *of_call: maps.append(of_call[-1].detach()))
    parts = model, Changed(24, Noisy("_calls")), VALIDATION, replace(CONFIG, epochs=1)
    for _ in range(3):
        fit(*parts, checkpoint=tmp_path / "run.pt")
    assert capsys.readouterr().out.count("nothing is left to do") == 2
    counted = model, Changed(24, Noisy("calls")), VALIDATION, replace(CONFIG, epochs=1)
    fit(*counted, checkpoint=tmp_path / "other.pt")
    with pytest.raises(
        TrainingError, match=r"preparation of the training images: changed\n.*such as a counter.*_calls"
    ):
        fit(*counted, checkpoint=tmp_path / "other.pt")


def test_a_model_that_is_refused_its_weights_stays_as_it_was(tmp_path: Path) -> None:
    layers = [nn.Sequential(nn.Linear(3, 4), nn.Linear(4, classes)) for classes in (2, 3, 2)]
    path = save_checkpoint(layers[1], tmp_path / "three.pt")
    before = bits(layers[0])
    with pytest.raises(
        TrainingError,
        match=r"three\.pt holds .* 1\.weight is float32 of shape \[3, 4\], expected .* \[2, 4\]\. .* as many classes",
    ):
        load_checkpoint(layers[0], path)
    assert bits(layers[0]) == before
    save_checkpoint(layers[2].double(), path)
    with pytest.raises(TrainingError, match=r"0\.weight is float64 of shape \[4, 3\], expected float32"):
        load_checkpoint(layers[0], path)
    assert bits(layers[0]) == before


def test_of_an_older_file_the_weights_can_be_read(tmp_path: Path) -> None:
    content = torch.load(trained(tmp_path / "run.pt"), weights_only=True)
    del content["digest"]
    torch.save(content | {"format": 1}, tmp_path / "run.pt")
    with pytest.raises(TrainingError, match=r"older version of the course .*format 1, expected 2.*still reads its"):
        fit(make_net("plain"), TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
    load_checkpoint(model := Small(), save_checkpoint(Small(), tmp_path / "new.pt"))
    torch.save({"format": 1, "weights": Small().state_dict()}, tmp_path / "old.pt")
    before = bits(model)
    load_checkpoint(model, tmp_path / "old.pt")
    assert bits(model) != before


OTHERS: tuple[Any, ...] = (None, 7, -1.5, "text", b"bytes", [], {}, (1, 2), True, torch.zeros(2, 3), {"a": {"b": 1}})


def entries(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each entry of nested dicts, lists and tuples."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, (dict, list, tuple)):
            yield from entries(value, (*path, key))


def without_or_with(content: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy with one entry replaced, or removed if ``other`` is the ellipsis."""
    key, rest = path[0], path[1:]
    whole = dict(content) if isinstance(content, dict) else list(content)
    if rest:
        whole[key] = without_or_with(whole[key], rest, other)
    elif other is ...:
        del whole[key]
    else:
        whole[key] = other
    return tuple(whole) if isinstance(content, tuple) else whole


def tampered(content: dict[str, Any], number: int) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """So many copies of which one entry, anywhere, is gone or of another type; each with where and what it is."""
    draw, ways = random.Random(0), list(entries(content))
    for count in range(number):
        way, value = ways[count % len(ways)] if number >= len(ways) else draw.choice(ways), content
        for key in way:
            value = value[key]
        other = draw.choice([..., *(o for o in OTHERS if kind(o) is not kind(value))])
        yield way, other, without_or_with(content, way, other)


def kind(value: object) -> object:
    return float if type(value) is int else type(value)


@pytest.mark.slow
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_file_that_someone_has_changed_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_signed: bool
) -> None:
    """With ``is_signed`` the digest fits what was changed, as if an older course had written it."""
    content = torch.load(trained(tmp_path / "run.pt"), weights_only=True)
    before = bits(model := make_net("plain"))
    monkeypatch.setattr(loop, "train_one_epoch", None)  # nothing is trained
    refused = 0
    for way, other, changed in tampered(content, FUZZED):
        if is_signed and way[0] in ("weights", "training"):
            parts = {name: changed[name] for name in ("weights", "training") if name in changed}
            changed = {**changed, "digest": fingerprint(parts)}
        if is_signed and way[:3] == ("training", "trainer", "optimizer") and other is ...:
            continue  # an optimizer may remember nothing of a parameter
        torch.save(changed, tmp_path / "run.pt")
        with pytest.raises(TrainingError, match=r"run\.pt|not the state of a training"):
            fit(model, TRAIN, VALIDATION, CONFIG, checkpoint=tmp_path / "run.pt")
        refused += 1
        assert bits(model) == before, (way, other)
    assert refused > FUZZED * 0.7


@pytest.mark.slow
def test_a_file_with_flipped_bits_is_refused_or_is_the_same(tmp_path: Path) -> None:
    content = trained(tmp_path / "run.pt").read_bytes()
    load_checkpoint(expected := make_net("plain"), tmp_path / "run.pt")
    before, draw = bits(make_net("plain")), random.Random(0)
    for _ in range(2 * FUZZED):
        damaged = bytearray(content)
        for _ in range(draw.choice([1, 1, 3])):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        (tmp_path / "run.pt").write_bytes(damaged)
        try:
            load_checkpoint(model := make_net("plain"), tmp_path / "run.pt")
        except TrainingError:
            assert bits(model) == before
        else:
            assert bits(model) == bits(expected)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_state_that_does_not_fit_changes_nothing(optimizer: Any) -> None:
    config = replace(CONFIG, optimizer=optimizer, schedule="one-cycle")
    there = Trainer(make_net("plain"), TRAIN, config)
    there.step(*TRAIN.batch(torch.arange(8)))
    here = Trainer(make_net("plain"), TRAIN, config)
    here.load_state_dict(copy.deepcopy(there.state_dict()))
    assert fingerprint(here.state_dict()) == fingerprint(there.state_dict())
    here = Trainer(make_net("plain"), TRAIN, config)
    before = fingerprint(here.state_dict())
    for way, other, changed in tampered(there.state_dict(), FUZZED):
        if way[:2] == ("optimizer", "state") and len(way) == 3 and other is ...:
            continue  # it may remember nothing of a parameter
        with pytest.raises(TrainingError, match="This is not the state of a training of this model: "):
            here.load_state_dict(changed)
        assert fingerprint(here.state_dict()) == before, (way, other)


class Interruption:
    """A Ctrl-C at one of the lines that a training runs through when its second epoch has been trained."""

    LINES = ("fit", "_fit", "_after_one_epoch_more", "save", "_write", "write_whole", "after")

    def __init__(self, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.count = at, 0
        one_epoch = loop.train_one_epoch

        def train_and_listen(trainer: Trainer[Predictions], data: MemoryData, epoch: int) -> float:
            loss = one_epoch(trainer, data, epoch)
            if epoch == 1:
                frame = sys._getframe(1)
                while frame is not None and frame.f_code.co_name in self.LINES:
                    frame.f_trace, frame = self, frame.f_back  # type: ignore[assignment]
                sys.settrace(self)
            return loss

        monkeypatch.setattr(loop, "train_one_epoch", train_and_listen)

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if "course_lib" not in frame.f_code.co_filename or frame.f_code.co_name not in self.LINES:
            return None
        if event == "line":
            self.count += 1
            if self.count == self.at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a file, opened a moment before
@pytest.mark.parametrize("to_file", [True, False])
def test_whenever_it_is_interrupted_what_is_said_the_model_and_the_file_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], to_file: bool
) -> None:
    losses = iter(range(10_000, 0, -1))  # every epoch is the best so far
    monkeypatch.setattr(Classification, "loss_of", lambda *_: float(next(losses)))
    config, said = replace(CONFIG, epochs=2, schedule="constant"), set[int]()
    weights_after: dict[int, list[bytes]] = {}
    for epochs in (1, 2):
        fit(model := make_net("plain"), TRAIN, VALIDATION, replace(config, epochs=epochs))
        weights_after[epochs] = bits(model)
    for at in range(1, 200):
        path = tmp_path / f"{at}.pt" if to_file else None
        with monkeypatch.context() as patch:
            interruption = Interruption(at, patch)
            try:
                history = fit(model := make_net("plain"), TRAIN, VALIDATION, config, checkpoint=path)
            except KeyboardInterrupt:  # after the last epoch, while the best weights are put back
                assert len(said) == 2
                continue
            finally:
                sys.settrace(None)
        words = capsys.readouterr().out
        if interruption.count < at:
            break
        said.add(len(history))
        assert f"keeping the weights of epoch {len(history)}," in words
        assert bits(model) == weights_after[len(history)]
        if path:
            load_checkpoint(kept := make_net("plain"), path)
            assert bits(kept) == bits(model)
            assert epochs_in(path) == len(history)
            assert f"go on after epoch {len(history)}" in words or f"all {len(history)} epochs are done" in words
    assert 20 < at < 199
    assert said == {1, 2}
