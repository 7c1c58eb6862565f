"""The course's own weights: made by one command, in half the bytes, and what is asked for is what comes."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.authoring import phantom_weights
from course_lib.authoring.__main__ import main
from course_lib.authoring.phantom_weights import PHANTOMS, RECIPES, pretrain
from course_lib.data.augmentation import Augmentation
from course_lib.data.image_folder import read_split
from course_lib.data.samples import ImageDataset
from course_lib.data.transforms import Preprocessing, evaluation_transform
from course_lib.evaluation.classification import auroc
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.modalities.chest_xray.simulator import QUICK_SET, Settings
from course_lib.networks import weights
from course_lib.networks.backbones import (
    build_backbone,
    head_of,
    preprocessing_for,
    resnet18_classifier,
    shipped_classifier,
)
from course_lib.networks.weights import (
    WeightsError,
    load_shipped,
    pack_state,
    save_shipped,
    shipped_card,
    shipped_names,
    unpack_state,
)
from course_lib.support.errors import TrainingError
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit
from course_lib.training.recipe import Recipe

pytestmark = pytest.mark.slow  # a ResNet-18 is trained for all of them

FEW = Settings(patients={"train": 10, "val": 10, "test": 10}, size_px=40, seed=3)
TINY = Recipe(Preprocessing(size=32, mean=(0.4, 0.4, 0.4)), Augmentation(), TrainConfig(epochs=1, batch_size=8, seed=0))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the command makes in earnest, made of very few images; and with its work folder."""
    folder = tmp_path_factory.mktemp("pretraining")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phantom_weights, "PHANTOMS", FEW)
        patch.setattr(phantom_weights, "RECIPES", {"resnet18": TINY})
        patch.setattr(phantom_weights, "WORK", folder / "work")
        patch.setattr(weights, "SHIPPED", folder / "pretrained")
        assert main(["weights", "resnet18"]) == 0
    return folder


@pytest.fixture
def shipped(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which the course loads its weights: a copy of what was made."""
    folder = tmp_path / "pretrained"
    folder.mkdir()
    for path in (made / "pretrained").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(weights, "SHIPPED", folder)
    return folder


@pytest.mark.slow
def test_the_file_is_small_and_the_card_says_what_it_is(shipped: Path) -> None:
    card, file = shipped_card("resnet18"), shipped / "resnet18-phantom.safetensors"
    assert sorted(path.name for path in shipped.iterdir()) == ["resnet18-phantom.safetensors", "resnet18-phantom.toml"]
    assert 22.3e6 < file.stat().st_size < 23e6
    assert card.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert card.classes == ("NORMAL", "PNEUMONIA")
    assert card.training["batch_size"] == 8
    assert "patience" not in card.training
    assert card.phantoms["patients"] == FEW.patients
    assert Settings.from_json(card.phantoms) == FEW
    assert card.results["auroc_low"] <= card.results["auroc"] <= card.results["auroc_high"]
    assert f"torch {torch.__version__}" in card.made_with
    assert "simulated radiographs" in card.data


@pytest.mark.usefixtures("shipped")
def test_what_is_loaded_judges_as_it_did_before_it_was_saved(made: Path) -> None:
    (root,) = (path for path in (made / "work").iterdir() if path.name.startswith("phantoms"))
    how = preprocessing_for("resnet18", "phantom")
    assert how == TINY.how
    test = ImageDataset(*read_split(root, "test"), evaluation_transform(how))
    model = shipped_classifier("resnet18")
    assert auroc(predict(model, test)) == pytest.approx(shipped_card("resnet18").results["auroc"], abs=5e-5)


@pytest.mark.slow
def test_half_precision_keeps_the_auroc(small_data: ImageDataset) -> None:
    torch.manual_seed(0)
    fit(model := resnet18_classifier(weights=None), small_data, small_data, TINY.config)
    before = predict(model, small_data)
    model.load_state_dict(unpack_state(pack_state(model.state_dict())))
    after = predict(model, small_data)
    assert abs(auroc(after) - auroc(before)) <= 0.001
    assert 0 < abs(after.probabilities - before.probabilities).max() < 0.01


@pytest.mark.usefixtures("shipped")
def test_the_features_come_along_and_the_head_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    whole, model = shipped_classifier(), resnet18_classifier(3, weights="phantom")
    said = capsys.readouterr().out
    assert said.count("resnet18: trained by this course on") == 2
    assert "SHA-256 begins with" in said
    assert torch.equal(model.conv1.weight, whole.get_parameter("conv1.weight"))
    assert torch.equal(model.layer4[1].bn2.running_var, whole.get_buffer("layer4.1.bn2.running_var"))
    assert model.fc.out_features == 3
    two = head_of(build_backbone("resnet18", weights="phantom"))
    assert not torch.equal(two.get_parameter("weight"), whole.get_parameter("fc.weight"))


@pytest.mark.parametrize("suffix", ["safetensors", "toml"])
def test_a_missing_file_ends_in_the_remedy(shipped: Path, suffix: str) -> None:
    (shipped / f"resnet18-phantom.{suffix}").unlink()
    with pytest.raises(
        WeightsError, match=rf"resnet18-phantom\.{suffix} is not in .*git checkout.*authoring weights resnet18"
    ):
        resnet18_classifier(weights="phantom")


def test_a_damaged_file_is_not_loaded(shipped: Path) -> None:
    path = shipped / "resnet18-phantom.safetensors"
    content = bytearray(path.read_bytes())
    content[10_000_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=r"is damaged: expected the SHA-256 \w{8}…, got \w{8}….*authoring weights resnet18"
    ):
        load_shipped("resnet18")


@pytest.mark.parametrize("content", [b"", b"network = 3", b"\xff", b"classes = [", b"x = " + b"[" * 90_000])
def test_a_damaged_card_ends_in_the_remedy(shipped: Path, content: bytes) -> None:
    (shipped / "resnet18-phantom.toml").write_bytes(content)
    with pytest.raises(WeightsError, match=r"is no whole card of weights: .*git checkout"):
        shipped_card("resnet18")


@pytest.mark.usefixtures("shipped")
def test_a_card_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = replace(shipped_card("resnet18"), data='Words with "quotes", a\ttab and an é.', minutes=1e-05)
    save_shipped(card, b"", tmp_path / "again")
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "again")
    assert shipped_card("resnet18") == card


def test_numbers_beyond_half_precision_are_refused() -> None:
    for bad in (1e6, torch.nan):
        with pytest.raises(ValueError, match=r"holds numbers up to 65,504, but kernel has others"):
            pack_state({"kernel": torch.full((2, 2), bad)})
    tiny = {"variance": torch.full((3,), 1e-12), "batches": torch.tensor(3)}
    assert unpack_state(pack_state(tiny)) == {"variance": pytest.approx(tiny["variance"])}


@pytest.mark.slow
def test_a_trial_leaves_the_weights_alone(
    made: Path, shipped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (shipped / "resnet18-phantom.toml").read_bytes()
    monkeypatch.setattr(phantom_weights, "WORK", made / "work")
    monkeypatch.setattr(phantom_weights, "PHANTOMS", FEW)
    monkeypatch.setattr(phantom_weights, "RECIPES", {"resnet18": TINY})
    assert main(["weights", "resnet18", "--patients", "10"]) == 0
    assert (shipped / "resnet18-phantom.toml").read_bytes() == before
    assert (made / "work" / "trial" / "resnet18-phantom.safetensors").is_file()
    assert "All of this took" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["weights", "resnet18", "--patients", "3"])


def test_the_phantoms_are_made_once(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise TrainingError("far enough")

    monkeypatch.setattr(phantom_weights, "fit_whole", stop)
    monkeypatch.setattr(phantom.files, "_write_pictures", None)  # would fail if it were called
    with pytest.raises(TrainingError, match="far enough"):
        pretrain("resnet18", FEW, TINY, made / "work")


def test_a_failure_is_one_sentence(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(phantom_weights, "PHANTOMS", FEW)
    greedy = replace(TINY, config=TrainConfig(batch_size=500))
    monkeypatch.setattr(phantom_weights, "RECIPES", {"resnet18": greedy})
    monkeypatch.setattr(phantom_weights, "WORK", made / "work")
    monkeypatch.setattr(weights, "SHIPPED", made / "nothing")
    assert main(["weights", "resnet18"]) == 1
    assert "batch_size is 500, but there are only" in capsys.readouterr().err
    assert not (made / "nothing").exists()


def test_a_loss_by_half_precision_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom_weights, "judge", lambda *_: {"auroc": 2.0})
    with pytest.raises(TrainingError, match=r"a difference of more than 0\.001"):
        pretrain("resnet18", FEW, TINY, made / "work")


def test_no_phantom_of_the_course_was_trained_on() -> None:
    assert PHANTOMS.seed not in (QUICK_SET.seed, 0)
    assert set(PHANTOMS.patients) == {"train", "val", "test"}


def test_every_network_that_comes_with_the_course_has_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(RECIPES) == shipped_names()
    with pytest.raises(SystemExit):
        main(["weights", "vgg16_bn"])
    assert "choose from resnet18, efficientnet_lite0" in capsys.readouterr().err.replace("'", "")


@pytest.mark.parametrize("network", shipped_names())
def test_the_weights_that_come_with_the_course_follow_from_the_recipe(network: str) -> None:
    card, recipe = shipped_card(network), RECIPES[network]
    assert preprocessing_for(network, "phantom") == recipe.how
    assert Settings.from_json(card.phantoms) == PHANTOMS
    assert (TrainConfig(**card.training), card.seed) == (recipe.config, recipe.config.seed)
    assert card.results["auroc_low"] > 0.9
    assert shipped_classifier(network)(torch.zeros(2, 3, 64, 64)).shape == (2, 2)


def test_the_two_starts_of_efficientnet_differ_in_what_they_learned_from_alone() -> None:
    photographs = preprocessing_for("efficientnet_lite0", "imagenet")
    assert replace(RECIPES["efficientnet_lite0"].how, size=photographs.size) == photographs
