"""Features: what the head would have been given, once and for all; and probes, which every metric takes."""

import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_lib.data.augmentation import NO_CHANGE
from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing, evaluation_transform, training_transform
from course_lib.evaluation.classification import auroc
from course_lib.evaluation.report import evaluate
from course_lib.networks import frozen_features as room
from course_lib.networks.backbones import build_backbone, head_of
from course_lib.networks.frozen_features import Features, features, linear_probe, probe_predictions
from course_lib.networks.net import Net
from course_lib.support.own_files import HEADER_BYTES, OwnFiles
from course_lib.training.inference import predict

ModelMaker = Callable[[], nn.Module]


@pytest.fixture
def net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that features are computed rather than read."""
    calls: list[int] = []
    compute = room._compute
    monkeypatch.setattr(room, "_compute", lambda *arguments: calls.append(1) or compute(*arguments))  # type: ignore[func-returns-value]
    return calls


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_the_head_makes_the_networks_answer_of_them(name: str, small_data: ImageDataset, cache: Path) -> None:
    torch.manual_seed(0)
    model = build_backbone(name, weights=None).train()
    seen = features(model, small_data, folder=cache)
    assert model.training
    assert seen.values.dtype == np.float32
    with torch.inference_mode():
        answer = head_of(model)(torch.from_numpy(seen.values)).double().softmax(1).numpy()
    predictions = predict(model, small_data)
    assert np.allclose(answer, predictions.probabilities, atol=1e-5)
    assert (seen.files, seen.classes, len(seen)) == (predictions.files, predictions.classes, 32)
    assert (seen.patients == predictions.patients).all()


def test_they_are_computed_once(net: nn.Module, small_data: ImageDataset, cache: Path, once: list[int]) -> None:
    first = features(net, small_data, folder=cache)
    nn.init.ones_(next(head_of(net).parameters()))
    assert (features(net, small_data, folder=cache).values == first.values).all()
    assert len(once) == 1, "the head has no part in them"
    assert len(list(cache.iterdir())) == 1


def _other_weights(net: nn.Module, data: ImageDataset) -> ImageDataset:
    with torch.no_grad():
        next(net.parameters())[0] += 1e-3
    return data


def _other_file(_: nn.Module, data: ImageDataset) -> ImageDataset:
    os.utime(data.samples[5].path, ns=(1, 1))
    return data


def _other_order(_: nn.Module, data: ImageDataset) -> ImageDataset:
    return data.take([0, 2, 1, *range(3, 32)])


def _other_preprocessing(_: nn.Module, data: ImageDataset) -> ImageDataset:
    how = Preprocessing(size=32, geometry="pad")
    return ImageDataset(data.samples, data.classes, evaluation_transform(how))


def _other_arithmetic(net: nn.Module, data: ImageDataset) -> ImageDataset:
    name = next(name for name, module in net.named_modules() if isinstance(module, nn.ReLU))
    net.set_submodule(name, nn.Tanh())
    return data


def _other_switch(net: nn.Module, data: ImageDataset) -> ImageDataset:
    net.transform_input = True  # type: ignore[assignment]  # as Inception has
    return data


@pytest.mark.parametrize(
    "change", [_other_arithmetic, _other_switch, _other_weights, _other_file, _other_order, _other_preprocessing]
)
def test_a_change_computes_them_anew(
    change: Callable[[nn.Module, ImageDataset], ImageDataset],
    net: nn.Module,
    small_data: ImageDataset,
    cache: Path,
    once: list[int],
) -> None:
    features(net, small_data, folder=cache)
    features(net, change(net, small_data), folder=cache)
    assert len(once) == 2


def test_another_number_in_a_transforms_function_computes_them_anew(
    net: nn.Module, small_data: ImageDataset, cache: Path, once: list[int]
) -> None:
    def brighter_by(level: float) -> ImageDataset:
        def change(image: Image.Image) -> torch.Tensor:
            seen: torch.Tensor = small_data.transform(image)
            return torch.where(seen > 10, seen + level, seen)  # in no image that `_look` could see

        return ImageDataset(small_data.samples, small_data.classes, lambda image: change(image))

    for level, computed in ((0.0, 1), (0.0, 1), (0.1, 2)):
        features(net, brighter_by(level), folder=cache)
        assert len(once) == computed


def _one_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda c: c[:10], lambda c: c[: len(c) // 2], _one_bit])
def test_a_damaged_file_is_made_again(
    damage: Callable[[bytes], bytes],
    net: nn.Module,
    small_data: ImageDataset,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = features(net, small_data, folder=cache).values
    (path,) = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert (features(net, small_data, folder=cache).values == expected).all()
    assert "is damaged. Computing the features again." in capsys.readouterr().out
    features(net, small_data, folder=cache)
    assert capsys.readouterr().out == ""


def _pickled(_: Path, values: np.ndarray) -> bytes:
    return pickle.dumps(values)


def _saved_by_numpy(path: Path, values: np.ndarray) -> bytes:
    np.savez(path.with_name("x.npz"), values=values)
    return path.with_name("x.npz").read_bytes()


def _without_its_header(_: Path, values: np.ndarray) -> bytes:
    return values.tobytes()


def _after_a_header(path: Path, values: np.ndarray) -> bytes:
    return path.read_bytes()[:HEADER_BYTES] + values.tobytes()


@pytest.mark.parametrize("kept_as", [_pickled, _saved_by_numpy, _without_its_header, _after_a_header])
@pytest.mark.parametrize(
    "values", [np.zeros((32, 8), np.float32), np.zeros((2, 3)), np.array("text"), np.array([{}]), np.zeros(0)]
)
def test_a_file_that_holds_another_array_is_made_again(
    net: nn.Module,
    small_data: ImageDataset,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    values: np.ndarray,
    kept_as: Callable[[Path, np.ndarray], bytes],
) -> None:
    expected = features(net, small_data, folder=cache).values
    (path,) = cache.iterdir()
    path.write_bytes(kept_as(path, values))
    again = features(net, small_data, folder=cache).values
    assert np.array_equal(again, expected)
    assert again.dtype == np.float32
    assert "is damaged. Computing the features again." in capsys.readouterr().out


@pytest.mark.parametrize("length", [0, 31 * 4, 32 * 4 + 2])
def test_an_array_for_another_number_of_images_is_not_taken(
    net: nn.Module, small_data: ImageDataset, cache: Path, length: int
) -> None:
    expected = features(net, small_data, folder=cache).values
    (path,) = cache.iterdir()
    OwnFiles(cache, "features of images", ".features").write(path.stem, [bytes(length)])
    assert np.array_equal(features(net, small_data, folder=cache).values, expected)


def test_other_files_in_the_folder_stay(
    net: nn.Module, small_data: ImageDataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEPT_FILES", 1)
    cache.mkdir()
    names = [
        *(f"result{number}.npz" for number in range(50)),
        "mine.features",
        "a" * 64 + ".features",
        "b" * 64 + ".npz",
    ]
    for name in names:
        (cache / name).write_text(f"my {name}")
        os.utime(cache / name, (1, 1))
    for n in (3, 4):
        features(net, small_data.take(range(n)), folder=cache)
    assert [(cache / name).read_text() for name in names] == [f"my {name}" for name in names]
    assert len(list(cache.iterdir())) == len(names) + 1, "of its own files, the newest"


def test_a_name_in_another_encoding_is_a_name_too(net: nn.Module, small_data: ImageDataset, tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        place.mkdir()
    except OSError:
        pytest.skip("this system has no such names")
    samples = [replace(r, path=Path(shutil.copy(r.path, place))) for r in small_data.samples]
    data = ImageDataset(samples, small_data.classes, evaluation_transform(Preprocessing(size=32)))
    assert len(features(net, data, folder=place / "kept")) == 32
    (place / "file").touch()
    with pytest.raises(OSError, match=r"can not be kept in .*caf.udce9.*Name another folder"):
        features(net, data, folder=place / "file")


def test_old_files_make_room(
    net: nn.Module, small_data: ImageDataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEPT_FILES", 2)
    for n in (3, 4, 5):
        features(net, small_data.take(range(n)), folder=cache)
    assert len(list(cache.iterdir())) == 2


def test_they_are_kept_where_the_course_keeps_things(
    net: nn.Module, small_data: ImageDataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_CACHE", str(cache))
    features(net, small_data)
    assert len(list((cache / "features").glob("*.features"))) == 1
    (cache / "file").write_text("")
    with pytest.raises(OSError, match=r"can not be kept in .*Name another folder: folder=…, or set COURSE_CACHE"):
        features(net, small_data, folder=cache / "file")


def test_augmented_images_are_refused(net: nn.Module, small_data: ImageDataset, cache: Path) -> None:
    varied = ImageDataset(small_data.samples, small_data.classes, training_transform(Preprocessing(size=32)))
    with pytest.raises(ValueError, match=r"random augmentation.*take the same images without it"):
        features(net, varied, folder=cache)


def test_a_change_that_seldom_comes_is_refused_too(net: nn.Module, small_data: ImageDataset, cache: Path) -> None:
    seldom = training_transform(Preprocessing(size=32), replace(NO_CHANGE, patch=1e-6))
    with pytest.raises(ValueError, match="random augmentation"):
        features(net, ImageDataset(small_data.samples, small_data.classes, seldom), folder=cache)


def test_a_probe_learns_what_is_easy_and_every_metric_takes_it(
    net: nn.Module, small_data: ImageDataset, cache: Path
) -> None:
    train = features(net, small_data.take(range(0, 32, 2)), folder=cache)
    other = features(net, small_data.take(range(1, 32, 2)), folder=cache)
    predictions = probe_predictions(linear_probe(train), other)
    assert auroc(predictions) > 0.95
    assert np.allclose(predictions.probabilities.sum(1), 1)
    assert evaluate(predictions, 0.5, "Probe", resamples=20)["accuracy"].value > 0.9


def made_up(classes: int, width: int = 4) -> Features:
    labels = np.arange(30) % classes
    values = np.random.default_rng(0).normal(size=(30, width)).astype(np.float32) + labels[:, None]
    names = np.array([str(i) for i in range(30)])
    return Features(values, labels, names, tuple(names), tuple("ABC"[:classes]))


def test_a_probe_takes_any_number_of_classes() -> None:
    predictions = probe_predictions(linear_probe(three := made_up(3)), three)
    assert predictions.probabilities.shape == (30, 3)
    assert (predictions.probabilities.argmax(1) == three.labels).mean() > 0.6


def test_more_regularisation_makes_a_probe_more_modest() -> None:
    two = made_up(2)
    bold, modest = (probe_predictions(linear_probe(two, regularisation=r), two).scores for r in (0.01, 100))
    assert np.abs(bold - 0.5).mean() > 2 * np.abs(modest - 0.5).mean()


def test_a_probe_says_what_it_can_not_do() -> None:
    two = made_up(2)
    with pytest.raises(ValueError, match="has none of C"):
        linear_probe(replace(two, classes=("A", "B", "C")))
    with pytest.raises(ValueError, match="must be above 0, but is 0"):
        linear_probe(two, regularisation=0)
    with pytest.raises(ValueError, match="trained on 4 features per image, but got 5"):
        probe_predictions(linear_probe(two), made_up(2, width=5))
