"""The measurements of the simulator: they run, they measure what they say, and they keep images apart."""

from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.authoring import contact_sheets, simulator_realism
from course_lib.authoring.simulator_realism import Pixels, judge, main, new_net, standardise, train, vary
from course_lib.data.image_folder import read_split
from course_lib.evaluation.classification import auroc
from course_lib.modalities.chest_xray import simulator as phantom


def separable(images: int = 60) -> Pixels:
    """Noise, with a bright patch at a fixed place in every image of the second class."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 120, size=(images, 1, 80, 80), dtype=np.uint8)
    labels = np.arange(images) % 2
    pixels[labels == 1, :, 25:55, 25:55] += 100
    return Pixels(torch.from_numpy(pixels), torch.from_numpy(labels), np.array([f"p{i // 2}" for i in range(images)]))


def test_every_image_is_standardised_by_itself() -> None:
    images = separable(6).images.float() / 255
    seen = standardise(images, 40)
    assert seen.shape == (6, 3, 40, 40)
    assert torch.allclose(seen.mean((1, 2, 3)), torch.zeros(6), atol=1e-5)
    darker = standardise(images * 0.5 + 0.1, 40)
    both = torch.stack([seen.flatten(), darker.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.99


def test_variation_keeps_the_place_of_things_and_never_mirrors() -> None:
    images = torch.full((200, 1, 80, 80), 0.2)
    images[:, :, 30:50, 5:25] = 0.9  # left of the middle
    with torch.random.fork_rng():
        torch.manual_seed(0)
        varied = vary(images)
    left, right = varied[..., :40].mean((1, 2, 3)), varied[..., 40:].mean((1, 2, 3))
    assert varied.shape == images.shape
    assert (left > right).float().mean() > 0.95
    assert varied.std(dim=0).mean() > 0.02


def test_training_learns_and_judging_averages() -> None:
    data = separable()
    nets = [train(new_net(seed), data, steps=25, seed=seed, batch=16) for seed in (0, 1)]
    both = judge(nets, data)
    assert auroc(both) > 0.9
    mean = (judge(nets[:1], data).probabilities + judge(nets[1:], data).probabilities) / 2
    assert np.allclose(both.probabilities, mean)


def test_the_same_seed_trains_the_same_network() -> None:
    first, second = (judge([train(new_net(3), separable(), steps=3, seed=3, batch=8)], separable()) for _ in range(2))
    assert np.array_equal(first.probabilities, second.probabilities)


def test_telling_apart_takes_both_classes_alike_and_labels_the_source() -> None:
    real, simulated = separable(40), separable(60)
    mixed = simulator_realism._mixed(real, simulated, lambda images: 1 - images)
    assert len(mixed) == 100
    assert mixed.labels.tolist() == [0] * 40 + [1] * 60
    expected = 255.0 - real.images[real.labels == 0]
    assert torch.allclose(mixed.images[:20].float(), expected, atol=0.01)


def test_a_gain_comes_with_students_interval() -> None:
    assert simulator_realism._mean_and_interval(np.array([0.1, 0.2, 0.3, 0.2, 0.2])) == "+0.200 (+0.112 to +0.288)"


@pytest.fixture(scope="module")
def phantoms_as_real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of real images."""
    settings = phantom.Settings({"train": 40, "test": 8}, size_px=40, seed=5)
    return phantom.make_dataset(tmp_path_factory.mktemp("real") / "set", settings, workers=1, progress=False)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_whole_measurement_runs_and_opens_the_test_images_only_when_told(
    split: str,
    phantoms_as_real: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[str] = []

    def remember(root: Path, split: str, *arguments: object) -> object:
        if root == phantoms_as_real:
            opened.append(split)
        return read_split(root, split, *arguments)  # type: ignore[arg-type]

    def few_steps(model: torch.nn.Module, data: Pixels, *, steps: int, **options: object) -> torch.nn.Module:
        return train(model, data, steps=min(2, steps), **options)  # type: ignore[arg-type]

    monkeypatch.setattr(simulator_realism, "read_split", remember)
    monkeypatch.setattr(simulator_realism, "train", few_steps)
    monkeypatch.setattr(simulator_realism, "rendering_speed", lambda: ["## Rendering"])
    monkeypatch.setattr(simulator_realism, "RESULTS", tmp_path)
    monkeypatch.setattr(simulator_realism, "COURSE_ROOT", tmp_path)
    monkeypatch.setattr(simulator_realism, "PHANTOMS", phantom.Settings({"train": 12, "val": 6}, size_px=40, seed=11))
    monkeypatch.setattr(simulator_realism, "SEEDS", range(2))
    monkeypatch.setattr(simulator_realism, "FEW_PATIENTS", (5,))
    monkeypatch.setattr(simulator_realism, "HELD_OUT_PATIENTS", 20)
    assert main(["measure", str(phantoms_as_real), "--split", split]) == 0
    assert opened == sorted({"train", split}, reverse=True)
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert page.strip() == capsys.readouterr().out.strip()
    for heading in ("1. Simulated to real", "2. Real to simulated", "3. Telling phantoms", "4. A gain"):
        assert f"## {heading}" in page
    assert "| the whole picture | " in page


def test_the_contact_sheets_are_pictures(
    phantoms_as_real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator_realism, "RESULTS", tmp_path)
    monkeypatch.setattr(contact_sheets, "README_PICTURE", tmp_path / "figures" / "phantoms.png")
    monkeypatch.setattr(contact_sheets, "SHEET_PX", 48)
    made = contact_sheets.sheet(phantoms_as_real)
    assert [path.name for path in made] == ["both-classes.png", "phantoms.png", "severity.png", "which-are-real.png"]
    assert all(path.stat().st_size > 10_000 for path in made)


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "nowhere"]) == 2
    assert "There is no folder train in nowhere. Say which: make realism DATA=" in capsys.readouterr().err
