"""The measurements of the simulator: they run, they measure what they say, and they keep images apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib.authoring import from_phantoms, simulator_realism
from course_lib.authoring.__main__ import main
from course_lib.authoring.simulator_realism import ON_REAL, VIEWS, gain_from_pretraining, telling_apart
from course_lib.data.image_folder import read_split
from course_lib.data.samples import LabelledImage
from course_lib.evaluation.studies import stored
from course_lib.modalities.chest_xray import lungs, recipe
from course_lib.modalities.chest_xray.recipe import AS_THEY_ARE, BY_RANK, ON_PHANTOMS, ChestXrays
from course_lib.modalities.chest_xray.simulator import Settings, make_dataset


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same measurements with few phantoms and one epoch."""
    quick = replace(AS_THEY_ARE.config, epochs=1, batch_size=8)
    few = Settings({"train": 18, "val": 4}, size_px=40, seed=11)

    def smaller(of: ChestXrays) -> ChestXrays:
        return replace(of, recipe=replace(of.recipe, config=quick), networks=2, phantoms=few if of.phantoms else None)

    on_phantoms, by_rank = smaller(AS_THEY_ARE), smaller(BY_RANK)
    for module, name, experiment in (
        (simulator_realism, "AS_THEY_ARE", on_phantoms),
        (simulator_realism, "ON_REAL", replace(on_phantoms, phantoms=None)),
        (from_phantoms, "AS_THEY_ARE", on_phantoms),
        (from_phantoms, "BY_RANK", by_rank),
        (from_phantoms, "ON_PHANTOMS", replace(smaller(ON_PHANTOMS), teachers=by_rank)),
        (from_phantoms, "ON_PAINTED", smaller(from_phantoms.ON_PAINTED)),
    ):
        monkeypatch.setattr(module, name, experiment)
    monkeypatch.setattr(from_phantoms, "PHANTOMS", 24)
    monkeypatch.setattr(lungs, "CONFIG", replace(lungs.CONFIG, epochs=1))
    for module in (simulator_realism, from_phantoms):
        monkeypatch.setattr(module, "KEPT", tmp_path / "measure")
    monkeypatch.setattr(simulator_realism, "NETWORKS", 1)
    monkeypatch.setattr(simulator_realism, "RESULTS", tmp_path / "realism")
    monkeypatch.setattr(simulator_realism, "rendering_speed", lambda: ["## 5. Rendering"])
    monkeypatch.setattr(recipe, "KEPT", tmp_path / "measure")
    monkeypatch.setattr(recipe, "PHANTOM_FOLDER", tmp_path / "phantoms")


@pytest.fixture(scope="module")
def phantoms_as_real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of real images, whose test images can not be read."""
    settings = Settings({"train": 40, "test": 4}, size_px=40, seed=5)
    root = make_dataset(tmp_path_factory.mktemp("real") / "set", settings, workers=1, progress=False)
    for path in (root / "test").glob("*/*"):
        path.write_bytes(b"")
    return root


@pytest.mark.slow
def test_the_whole_measurement_runs_and_needs_no_test_image(
    phantoms_as_real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["realism", str(phantoms_as_real)]) == 0
    page = (tmp_path / "realism" / "results.md").read_text(encoding="utf-8")
    assert page in capsys.readouterr().out
    for heading in ("1. Simulated to real: tried on ", "2. Real to simulated: 1 networks", "3. Telling", "4. A gain"):
        assert f"## {heading}" in page
    for way in (
        "phantoms",
        "greys by rank, batch norm of real images",
        "both, then real images with the surest answers as labels",
        "normal labels: disease painted into films of the healthy",
    ):
        assert f"\n| {way} | " in page
    assert "| the whole picture | " in page


def test_both_directions_are_the_same_training() -> None:
    assert replace(ON_REAL, phantoms=AS_THEY_ARE.phantoms) == AS_THEY_ARE


@pytest.mark.slow
def test_telling_apart_mixes_classes_alike_and_labels_the_source(
    phantoms_as_real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, int]] = []

    def remember(learning: list[LabelledImage], tried: list[LabelledImage], _: object) -> float:
        both = [*learning, *tried]
        seen.append({r.path.as_posix(): r.label for r in both})
        return 0.75

    monkeypatch.setattr(simulator_realism, "_told_apart", remember)
    monkeypatch.setattr(simulator_realism, "MOST_OF_A_CLASS", 12)
    radiographs, _ = read_split(phantoms_as_real, "train")
    real, simulated = radiographs[::2], radiographs[1::2]
    page = "\n".join(telling_apart(real, simulated))
    assert page.count("| 0.750 |") == len(VIEWS) == len(seen)
    for source, part in ((0, real), (1, simulated)):
        of_source = [r for r in part if seen[0].get(r.path.as_posix()) == source]
        assert [sum(r.label == label for r in of_source) for label in (0, 1)] == [12, 12]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_a_picture_again_or_a_part_of_one(name: str) -> None:
    images = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    seen = VIEWS[name](images)
    assert torch.equal(images, before)
    assert seen.shape == ((3, 1, 32, 32) if name == "the middle half" else images.shape)
    assert 0 <= seen.min() <= seen.max() <= 1


def test_a_blur_and_what_it_takes_away_are_the_picture() -> None:
    picture = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.4 + 0.3
    coarse, fine = (VIEWS[name](picture) for name in VIEWS if name.startswith(("coarse", "fine")))
    assert torch.allclose(coarse + fine - 0.5, picture, atol=1e-6)


def test_the_gain_is_that_of_the_study_with_students_interval() -> None:
    assert simulator_realism._mean([0.1, 0.2, 0.3, 0.2, 0.2]) == "+0.200 (+0.112 to +0.288)"
    rows = stored("finetuning", "real").select(use="fine-tuned", start="phantoms", seed=0)
    patients = [row["patients"] for row in rows]
    listed = [line for line in gain_from_pretraining() if line.startswith("- ")]
    assert [int(line.split()[1]) for line in listed] == patients


def test_the_networks_are_a_small_one_and_start_from_their_seed() -> None:
    def weights(of: Callable[[int], nn.Module], seed: int) -> torch.Tensor:
        return next(of(seed).parameters())

    assert torch.equal(weights(ON_PHANTOMS.new_network, 1), weights(ON_PHANTOMS.new_network, 1))
    assert not torch.equal(weights(ON_PHANTOMS.new_network, 1), weights(ON_PHANTOMS.new_network, 2))
