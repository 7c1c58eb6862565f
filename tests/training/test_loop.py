"""The loop: it learns, it keeps the best, it says early what can not work, and it leaves the rest alone."""

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import InceptionOutputs

from course_lib.data.samples import ImageDataset
from course_lib.evaluation.predictions import Predictions
from course_lib.networks.freezing import freeze
from course_lib.networks.net import Net
from course_lib.support.errors import TrainingError
from course_lib.tasks.classification import Classification
from course_lib.training import loop
from course_lib.training.checkpoints import load_checkpoint, save_checkpoint
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit, fit_whole
from course_lib.training.trainer import Trainer

ModelMaker = Callable[[int], nn.Module]
QUICK = TrainConfig(epochs=3, batch_size=8)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


def test_net_learns_what_is_easy(small_data: ImageDataset) -> None:
    torch.manual_seed(0)
    history = fit(net := Net(), small_data, small_data, replace(QUICK, epochs=4))
    assert history.validation_score[history.best_epoch] > 0.95
    assert history.validation_loss[history.best_epoch] < 0.5 < history.train_loss[0] + 0.3
    assert not history.stopped_early
    assert "finished after 4 epochs" in str(history)
    assert net.training


def test_same_seed_same_bits(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    first, second, other = tiny_model(2), tiny_model(2), tiny_model(2)
    assert fit(first, small_data, small_data, QUICK) == fit(second, small_data, small_data, QUICK)
    fit(other, small_data, small_data, replace(QUICK, seed=1))
    assert torch.equal(weights_of(first), weights_of(second))
    assert not torch.equal(weights_of(first), weights_of(other))


def test_the_callers_random_numbers_are_left_alone(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(tiny_model(2), small_data, small_data, QUICK)
    assert torch.equal(torch.rand(3), expected)


def test_one_epoch_is_the_textbooks_arithmetic(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    """One full batch of plain SGD by hand: w - learning rate x gradient."""
    model, by_hand = tiny_model(2), tiny_model(2)
    images = torch.stack([small_data[i][0] for i in range(len(small_data))])
    loss = F.cross_entropy(by_hand(images), torch.tensor(small_data.labels))
    gradients = torch.autograd.grad(loss, list(by_hand.parameters()))
    expected = torch.cat(
        [(p - 0.01 * g).detach().flatten() for p, g in zip(by_hand.parameters(), gradients, strict=True)]
    )
    config = TrainConfig(epochs=1, batch_size=32, learning_rate=0.01, optimizer="sgd", weight_decay=0)
    history = fit(model, small_data, small_data, config)
    assert torch.allclose(weights_of(model), expected, atol=1e-6)
    assert history.train_loss[0] == pytest.approx(loss.item(), rel=1e-5)


def _with_losses(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> list[dict[str, torch.Tensor]]:
    """Let validation report these losses; gives the weights at each validation, as they come."""
    seen: list[dict[str, torch.Tensor]] = []

    def predict_and_remember(model: nn.Module, *arguments: object, **named: object) -> object:
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return predict(model, *arguments, **named)  # type: ignore[arg-type]

    remaining = iter(losses)
    monkeypatch.setattr(loop, "predict_together", predict_and_remember)
    monkeypatch.setattr(Classification, "loss_of", lambda *_: next(remaining))
    return seen


def test_the_best_weights_are_kept(
    small_data: ImageDataset, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _with_losses(monkeypatch, [0.5, 0.2, 0.4])
    history = fit(model := tiny_model(2), small_data, small_data, QUICK)
    assert history.best_epoch == 1
    assert torch.equal(model.state_dict()["1.weight"], seen[1]["1.weight"])
    assert not torch.equal(seen[1]["1.weight"], seen[2]["1.weight"])


def test_the_last_weights_are_kept_where_validation_chooses_nothing(
    small_data: ImageDataset, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _with_losses(monkeypatch, [0.5, 0.2, 0.4])
    history = fit(model := tiny_model(2), small_data, small_data, replace(QUICK, keep="last", patience=1))
    assert (history.best_epoch, len(history), history.stopped_early) == (2, 3, False)
    assert torch.equal(model.state_dict()["1.weight"], seen[2]["1.weight"])


def test_patience_ends_a_training_that_no_longer_helps(
    small_data: ImageDataset, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_losses(monkeypatch, [0.5, 0.2, 0.4, 0.3, 0.1])
    history = fit(tiny_model(2), small_data, small_data, replace(QUICK, epochs=5, patience=2))
    assert (history.best_epoch, len(history.validation_loss), history.stopped_early) == (1, 4, True)


def test_patience_ends_a_training_that_stands_still(
    small_data: ImageDataset, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_losses(monkeypatch, [0.7] * 5)
    history = fit(tiny_model(2), small_data, small_data, replace(QUICK, epochs=5, patience=2))
    assert (history.best_epoch, len(history)) == (0, 3)


def test_an_interruption_keeps_the_best_so_far(
    small_data: ImageDataset,
    tiny_model: ModelMaker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = _with_losses(monkeypatch, [0.5, 0.2, 0.4])
    one_epoch = loop.train_one_epoch

    def interrupted_in_the_third(trainer: Trainer[Predictions], data: ImageDataset, epoch: int) -> float:
        if epoch == 2:
            raise KeyboardInterrupt
        return one_epoch(trainer, data, epoch)

    monkeypatch.setattr(loop, "train_one_epoch", interrupted_in_the_third)
    history = fit(model := tiny_model(2), small_data, small_data, QUICK)
    assert history.stopped_early
    assert torch.equal(model.state_dict()["1.weight"], seen[1]["1.weight"])
    assert "keeping the weights of epoch 2" in capsys.readouterr().out


def test_a_program_that_stores_what_comes_gets_whole_trainings_alone(
    small_data: ImageDataset, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_losses(monkeypatch, [0.5, 0.6, 0.7])
    assert len(fit_whole(tiny_model(2), small_data, small_data, replace(QUICK, patience=1))) == 2
    one_epoch = loop.train_one_epoch

    def interrupted_in_the_second(trainer: Trainer[Predictions], data: ImageDataset, epoch: int) -> float:
        if epoch == 1:
            raise KeyboardInterrupt
        return one_epoch(trainer, data, epoch)

    monkeypatch.setattr(loop, "train_one_epoch", interrupted_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        fit_whole(tiny_model(2), small_data, small_data, QUICK)


def test_frozen_weights_stay_where_they_are(small_data: ImageDataset) -> None:
    torch.manual_seed(0)
    net = Net()
    freeze(net, except_for=net.head)
    before, head_before = weights_of(net.features), weights_of(net.head)
    fit(net, small_data, small_data, QUICK)
    assert torch.equal(weights_of(net.features), before)
    assert not torch.equal(weights_of(net.head), head_before)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (replace(QUICK, batch_size=64), "batch_size is 64, but there are only 32 training images"),
        (replace(QUICK, batch_size=1), "batch_size is 1, but the model has batch norm"),
    ],
)
def test_a_batch_that_can_not_work(small_data: ImageDataset, config: TrainConfig, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        fit(Net(), small_data, small_data, config)


def test_a_last_batch_of_one_does_no_harm(small_data: ImageDataset) -> None:
    odd = ImageDataset(small_data.samples[:25], small_data.classes, small_data.transform)
    fit(Net(), odd, small_data, TrainConfig(epochs=1, batch_size=8))


def test_a_model_with_the_wrong_number_of_classes(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    with pytest.raises(ValueError, match=r"The data have 2 classes \(NORMAL, PNEUMONIA\).*Build it with classes=2"):
        fit(tiny_model(5), small_data, small_data, QUICK)


def test_a_model_for_another_image_size(small_data: ImageDataset) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2))
    with pytest.raises(TrainingError, match=r"can not take an image of shape \[3, 32, 32\].*transform's size"):
        fit(model, small_data, small_data, QUICK)


def test_nothing_left_to_train(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    model = tiny_model(2)
    freeze(model)
    with pytest.raises(TrainingError, match="Every parameter is frozen"):
        fit(model, small_data, small_data, QUICK)


def test_a_loss_that_is_not_a_number(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    poisoned = ImageDataset(small_data.samples, small_data.classes, lambda _: torch.full((3, 32, 32), torch.nan))
    with pytest.raises(
        TrainingError, match=r"Epoch 1, batch 1 of 4: the loss is nan. .*Lower the learning rate \(it is 0\.001\)"
    ):
        fit(tiny_model(2), poisoned, small_data, QUICK)


def test_a_configuration_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        TrainConfig(epochs=0)


def test_a_checkpoint_comes_back(tmp_path: Path, tiny_model: ModelMaker) -> None:
    model = tiny_model(2)
    torch.nn.init.ones_(model[1].weight)  # type: ignore[index]
    path = save_checkpoint(model, tmp_path / "deep" / "model.pt")
    load_checkpoint(other := tiny_model(2), path)
    assert torch.equal(weights_of(other), weights_of(model))
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]


def test_a_failed_save_leaves_the_old_checkpoint(
    tmp_path: Path, tiny_model: ModelMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_checkpoint(tiny_model(2), tmp_path / "model.pt")
    before = path.read_bytes()

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(Net(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


class Bomb:
    """An object whose unpickling would run a program."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 / 0",)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps({"format": 1}, 2), pickle.dumps(Bomb(), 2)])
def test_a_file_that_is_no_checkpoint(tmp_path: Path, tiny_model: ModelMaker, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"model\.pt is not a checkpoint of this course"):
        load_checkpoint(tiny_model(2), path)


def test_checkpoints_of_others_are_refused(tmp_path: Path, tiny_model: ModelMaker) -> None:
    with pytest.raises(TrainingError, match="There is no checkpoint"):
        load_checkpoint(tiny_model(2), tmp_path / "none.pt")
    torch.save({"format": 99, "weights": {}}, tmp_path / "newer.pt")
    with pytest.raises(TrainingError, match="format 99, expected 2"):
        load_checkpoint(tiny_model(2), tmp_path / "newer.pt")
    save_checkpoint(Net(), tmp_path / "net.pt")
    with pytest.raises(TrainingError, match="weights of another model than Sequential"):
        load_checkpoint(tiny_model(2), tmp_path / "net.pt")


class Flattened(nn.Sequential):
    """Flattens by `.view`, as many do."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self[0](images)
        logits: torch.Tensor = self[1](maps.view(len(maps), -1))
        return logits


def test_view_can_not_flatten_channels_last(small_data: ImageDataset) -> None:
    model = Flattened(nn.Conv2d(3, 4, 8, stride=8), nn.Linear(64, 2))
    with pytest.raises(
        TrainingError, match=r"Write \.flatten\(1\) instead, or take TrainConfig\(channels_last=False\)"
    ):
        fit(model, small_data, small_data, QUICK)
    assert fit(model, small_data, small_data, replace(QUICK, channels_last=False)).train_loss


def test_frozen_batch_norm_stays_as_it_is(small_data: ImageDataset) -> None:
    freeze(net := Net(), except_for=net.head)
    before = {name: value.clone() for name, value in net.features.state_dict().items()}
    fit(net, small_data, small_data, QUICK)
    assert all(torch.equal(value, before[name]) for name, value in net.features.state_dict().items())
    net.requires_grad_(True)
    fit(net, small_data, small_data, QUICK)
    assert not torch.equal(net.features.state_dict()["1.running_mean"], before["1.running_mean"])


class TwoHeads(nn.Module):
    """Answers as Inception does: while it learns, with two heads."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.main, self.auxiliary = nn.Linear(3 * 32 * 32, 2), nn.Linear(3 * 32 * 32, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor | InceptionOutputs:
        main: torch.Tensor = self.main(images.flatten(1))
        return InceptionOutputs(main, self.auxiliary(images.flatten(1))) if self.training else main


def test_both_heads_of_inception_learn(small_data: ImageDataset) -> None:
    model = TwoHeads()
    images, labels = small_data.inputs(torch.arange(32)), torch.tensor(small_data.labels)
    main, auxiliary = model(images)
    expected = F.cross_entropy(main, labels) + 0.4 * F.cross_entropy(auxiliary, labels)
    before = weights_of(model.auxiliary)
    history = fit(model, small_data, small_data, TrainConfig(epochs=1, batch_size=32))
    assert history.train_loss[0] == pytest.approx(expected.item(), rel=1e-5)
    assert not torch.equal(weights_of(model.auxiliary), before)


def test_the_gradient_is_clipped(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    before = weights_of(tiny_model(2))
    config = TrainConfig(
        epochs=1, batch_size=32, learning_rate=0.5, optimizer="sgd", weight_decay=0, gradient_clip=0.01
    )
    fit(model := tiny_model(2), small_data, small_data, config)
    assert torch.linalg.vector_norm(weights_of(model) - before).item() == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_weights_of_classes_and_smoothing_are_torchs(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    """20 images of one class and 12 of the other, by hand."""
    uneven = small_data.take([*range(16), *range(16, 20), *range(20, 28)])
    labels = torch.tensor(uneven.labels)
    counts = labels.bincount()
    weights = len(labels) / (2 * counts)
    expected = F.cross_entropy(tiny_model(2)(uneven.inputs(torch.arange(28))), labels, weights, label_smoothing=0.1)
    config = TrainConfig(epochs=1, batch_size=28, label_smoothing=0.1, class_weights="balanced")
    assert counts[0] != counts[1]
    assert fit(tiny_model(2), uneven, small_data, config).train_loss[0] == pytest.approx(expected.item(), rel=1e-5)


def test_the_head_learns_faster_than_what_is_below(small_data: ImageDataset) -> None:
    config = TrainConfig(epochs=1, batch_size=32, optimizer="sgd", weight_decay=0, learning_rate=0.01)
    steps: dict[float, list[torch.Tensor]] = {}
    for factor in (1.0, 0.5):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4), nn.ReLU(), nn.Linear(4, 2))
        before = [p.detach().clone() for p in model.parameters()]
        fit(model, small_data, small_data, replace(config, stage_factor=factor))
        steps[factor] = [p.detach() - was for p, was in zip(model.parameters(), before, strict=True)]
    for factor, even, graded in zip((0.5, 0.5, 1, 1), steps[1.0], steps[0.5], strict=True):
        assert torch.allclose(graded, factor * even, atol=1e-6)


class Fuse(nn.Module):
    """Multiplies its gradient: the forward pass is sound, the backward pass is not."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        if logits.requires_grad:
            logits.register_hook(lambda gradient: gradient * torch.inf)  # type: ignore[no-untyped-call]
        return logits


@pytest.mark.parametrize(
    ("model", "rate", "problem"),
    [
        (
            lambda m: nn.Sequential(m, Fuse()),
            1e-3,
            r"Epoch 1, batch 1 of 4: the loss is 0\.\d+, but the norm .* is (nan|inf)",
        ),
        (lambda m: m, 1e6, r"Epoch 1, batch 2 of 4: the loss has exploded: it is \S+, and guessing has 0\.69"),
    ],
)
def test_the_batch_that_broke_it_is_named(
    small_data: ImageDataset,
    tiny_model: ModelMaker,
    model: Callable[[nn.Module], nn.Module],
    rate: float,
    problem: str,
) -> None:
    before = weights_of(learner := model(tiny_model(2)))
    images = r"Its images are phantom\d+_\w+\.jpeg, \S+, \S+ and 5 more, with values from -?\S+ to \S+\. "
    with pytest.raises(
        TrainingError, match=rf"{problem}.*{images}Lower the learning rate \(it is {re.escape(f'{rate:g}')}\)"
    ):
        fit(learner, small_data, small_data, replace(QUICK, learning_rate=rate))
    assert torch.equal(weights_of(learner), before)  # the best so far: those it came with


def test_a_validation_image_that_breaks_it_is_named(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    poisoned = ImageDataset(small_data.samples, small_data.classes, lambda _: torch.full((3, 32, 32), torch.nan))
    with pytest.raises(TrainingError, match=r"answer to 32 of 32 images is not a number \(phantom"):
        fit(tiny_model(2), small_data, poisoned, QUICK)


@pytest.mark.slow
def test_sixteen_bits_learn_as_well_or_it_is_said(
    small_data: ImageDataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(QUICK, mixed_precision=True)
    for native, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        history = fit(Net(), small_data, small_data, config)
        assert history.precision == precision
        assert history.validation_score[-1] > 0.95
        assert ("gains nothing by 16 bits" in capsys.readouterr().out) is not native


def test_the_learning_rate_is_in_the_history(small_data: ImageDataset, tiny_model: ModelMaker) -> None:
    history = fit(tiny_model(2), small_data, small_data, replace(QUICK, schedule="cosine", batch_size=32))
    assert history.learning_rate == pytest.approx((1e-3, 0.75e-3, 0.25e-3))
