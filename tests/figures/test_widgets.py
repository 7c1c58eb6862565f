"""The dialogue that stores a Kaggle token and forgets it at once; sliders that change a picture and its words."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from course_lib.audit import accuracy_interval
from course_lib.figures.widgets.image_explorers import (
    draw_filtered,
    draw_occlusion,
    exposure_explorer,
    filtered,
    kernel_explorer,
    occlusion_explorer,
    radiograph_in_words,
)
from course_lib.figures.widgets.number_explorers import (
    abstention_explorer,
    accuracy_explorer,
    children,
    draw_abstaining,
    draw_accuracy,
    draw_children,
    draw_unfreezing,
    threshold_explorer,
    unfreeze_explorer,
)
from course_lib.figures.widgets.token_dialogue import token_dialogue
from course_lib.lessons.building_net import convolve
from course_lib.modalities.chest_xray.simulator import draw_exposure, draw_patient
from course_lib.networks.costs import Unfrozen
from course_lib.networks.net import Net
from tests.audit.test_wrong_labels import FOUR, predictions
from tests.evaluation.test_classification import predictions_of
from tests.sources.kaggle_fixtures import TOKEN


def parts(dialogue: Any) -> tuple[Any, Any, Any]:
    """The field, the button, and where the dialogue answers."""
    _, row, told = dialogue.children
    return *row.children, told


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, and no token in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_dialogue_says_which_token_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field, button, told = parts(token_dialogue())
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "access_token").write_text(TOKEN)
    field.value = json.dumps({"username": "learner", "key": "k" * 32})
    button.click()
    assert "takes the token from the file ~/.kaggle/access_token first: remove the file access_token" in told.value
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    field.value = TOKEN
    button.click()
    assert "takes the token from the variable KAGGLE_API_TOKEN first: unset KAGGLE_API_TOKEN" in told.value
    assert "5ecret" not in told.value


def test_the_dialogue_says_what_to_do_where_it_can_not_write(tmp_path: Path) -> None:
    (tmp_path / ".kaggle").touch()
    field, button, told = parts(token_dialogue())
    field.value = TOKEN
    button.click()
    assert "could not be stored (" in told.value
    assert "Make the folder .kaggle in your home writable" in told.value
    assert str(tmp_path) not in told.value


def test_the_dialogue_stores_and_forgets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dialogue = token_dialogue()
    field, button, told = parts(dialogue)
    field.value = "short"
    button.click()
    assert "Expected the API token" in told.value
    assert field.value == ""
    field.value = TOKEN
    button.click()
    assert "only you can read" in told.value
    assert (tmp_path / ".kaggle" / "access_token").read_text().strip() == TOKEN
    state = json.dumps([widget.get_state() for widget in (dialogue, field, button, told)], default=str)
    assert "5ecret" not in state + "".join(capsys.readouterr()) + repr(dialogue)


def test_every_slider_of_the_exposure_changes_the_picture_and_its_words() -> None:
    rng = np.random.default_rng(4)
    explorer = exposure_explorer(draw_patient(rng, "bacteria"), draw_exposure(rng), size_px=64)
    *sliders, shown = explorer.children
    for slider in sliders:
        before, words = shown.value, repr(explorer)
        slider.value = slider.min if slider.value > (slider.min + slider.max) / 2 else slider.max
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert repr(explorer) != words
        assert f"{slider.description} {slider.value:.3g}" in repr(explorer)


def test_the_words_of_a_radiograph_are_made_from_it() -> None:
    settings = {"severity": 0.5, "energy": 45.0, "photons": 30.0, "gamma": 1.0, "turn": 0.0}
    words = radiograph_in_words(np.array([[0, 255], [255, 255]], np.uint8), settings)
    assert "2 x 2 pixels: disease 0.5, energy, keV 45, photons, 1000s 30" in words
    assert words.endswith("Mean brightness 75%; neighbouring pixels differ by 50.0% on average.")


IMAGE = np.random.default_rng(0).random((64, 64))


@pytest.mark.parametrize(("centre", "neighbours"), [(1, 0), (0.25, 0.75), (1, -1), (-0.5, 2)])
def test_the_kernel_of_the_sliders_is_a_convolution_by_hand(centre: float, neighbours: float) -> None:
    kernel = np.full((3, 3), neighbours / 8)
    kernel[1, 1] = centre
    np.testing.assert_allclose(filtered(IMAGE, centre, neighbours), convolve(IMAGE, kernel))


def test_a_kernel_of_zeros_gives_an_even_grey_and_says_so() -> None:
    picture, words = draw_filtered(IMAGE, 0, 0)
    assert picture.shape == (256, 512)
    assert set(np.unique(picture[:, 256:])) == {128}
    assert "weights add up to 0.00" in words
    assert words.endswith("to 0.000.")


def test_a_slider_changes_picture_and_words_within_a_fifth_of_a_second() -> None:
    explorer = kernel_explorer(IMAGE)
    _, neighbours, shown = explorer.children
    before, words = shown.value, repr(explorer)
    assert "weights add up to 1.00" in words
    started = time.process_time()  # other programs use this computer too
    neighbours.value = -1.0
    assert time.process_time() - started < 0.2
    assert "weights add up to 0.00" in repr(explorer)
    assert shown.value.split("src=")[1] != before.split("src=")[1]


def test_an_accuracy_is_drawn_and_told_with_its_interval() -> None:
    picture, words = draw_accuracy(16, 0.9)
    low, high = accuracy_interval(14, 16)
    assert picture.shape == (110, 520, 3)
    assert len(np.unique(picture)) > 10
    assert words.startswith("14 of 16 right is an accuracy of 87.5%.")
    assert f"from {low:.1%} to {high:.1%}: {100 * (high - low):.0f} points. One image more or less is 6.2" in words


def test_more_images_make_a_narrower_picture_within_a_fifth_of_a_second() -> None:
    explorer = accuracy_explorer()
    images, _, shown = explorer.children
    before, words = shown.value, repr(explorer)
    started = time.process_time()
    images.value = 1000
    assert time.process_time() - started < 0.2
    assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert repr(explorer) != words
    assert repr(explorer) in shown.value
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)


def test_abstaining_is_drawn_and_told_with_what_answering_all_reaches() -> None:
    picture, words = draw_abstaining(FOUR, 0.5, abstain=0.5)
    assert picture.shape == (110, 520, 3)
    assert words.startswith("Abstaining on 2 of 4 images: 100.0% of the other 2 are right.")
    assert words.endswith("for 2 patients, goes from 34.2% to 100.0%. Answering all: 50.0%, the dashed line.")


def test_abstaining_more_changes_picture_and_words_within_a_fifth_of_a_second() -> None:
    scores = np.random.default_rng(0).random(300)
    explorer = abstention_explorer(predictions(scores.tolist(), (scores > 0.4).astype(int).tolist()), 0.5)
    abstain, shown = explorer.children
    before, words = shown.value, repr(explorer)
    started = time.process_time()
    abstain.value = 0.6
    assert time.process_time() - started < 0.2
    assert shown.value.split("src=")[1] != before.split("src=")[1]
    assert repr(explorer) != words
    assert "of the other 120 are right" in repr(explorer)


def test_unfreezing_more_stages_costs_more() -> None:
    costs = [Unfrozen(("fc",), 1_000, 0.1), Unfrozen(("layer4", "fc"), 5_000_000, 0.3)]
    explorer = unfreeze_explorer(costs, gflops_per_second=30)
    stages, images, shown = explorer.children
    assert "If the head alone learns (fc), training changes 1,000 of 5,000,000 parameters" in repr(explorer)
    before = shown.value
    stages.value, images.value = 2, 1000
    assert "If the last 2 of 2 stages learn (layer4, fc)" in repr(explorer)
    assert "An epoch of 1,000 images takes about 10.0 s at 30 billion multiply-adds a second" in repr(explorer)
    assert shown.value != before
    assert draw_unfreezing(costs, 30, 2, 1000)[0].shape == (150, 520, 3)


JUDGED = predictions_of([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])


def test_children_are_counted_for_any_prevalence() -> None:
    counts = children(JUDGED, 0.5, 10)
    assert (counts.found, counts.missed, counts.alarmed, counts.spared) == pytest.approx((50, 50, 450, 450))
    picture, words = draw_children(JUDGED, 0.5, 10)
    assert picture.shape == (190, 600, 3)
    assert "1,000 children, 10 % sick, threshold 0.50. Of 100 sick children, 50 are found" in words


def test_threshold_and_prevalence_change_the_children_within_a_fifth_of_a_second() -> None:
    explorer = threshold_explorer(JUDGED, 0.5, 0.16)
    threshold, percent_sick, shown = explorer.children
    assert "160 sick children, 80 are found" in repr(explorer)
    for slider, value, words in ((threshold, 0.2, "160 are found"), (percent_sick, 1.0, "Of 10 sick children, 10")):
        before, started = shown.value, time.process_time()
        slider.value = value
        assert time.process_time() - started < 0.2
        assert shown.value.split("src=")[1] != before.split("src=")[1]
        assert words in repr(explorer)


def test_the_patch_of_the_slider_changes_the_map_and_its_words() -> None:
    net = Net(channels=2)
    torch.nn.init.normal_(net.head[2].weight)  # type: ignore[arg-type]
    explorer = occlusion_explorer(net, torch.from_numpy(IMAGE).float().expand(3, -1, -1), IMAGE, target=1)
    slider, shown = explorer.children
    assert "a patch of 16 x 16 pixels, 6% of the picture" in repr(explorer)
    before = shown.value
    started = time.process_time()
    slider.value = 32
    assert time.process_time() - started < 0.2
    assert shown.value != before
    assert "32 x 32 pixels, 25% of the picture" in repr(explorer)


def test_the_map_of_occlusion_is_grey_where_nothing_falls() -> None:
    falls = {8: np.zeros((64, 64), np.float32), 16: np.full((64, 64), -2.0, np.float32)}
    falls[8][10, 20] = 1.0
    picture, words = draw_occlusion(IMAGE, falls, 0.25, 8)
    assert picture.shape == (256, 512)
    assert picture[128, 128] == 64
    assert picture[0, 256] == 128
    assert picture[4 * 10, 256 + 4 * 20] == 191
    assert words.endswith("from 0.00 to 1.00. The fall is largest in row 11, column 21 of 64.")
    assert set(np.unique(draw_occlusion(IMAGE, falls, 0.25, 16)[0][:, 256:])) == {0}
