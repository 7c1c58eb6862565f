"""Finding lungs: phantoms whose lungs are known, a U-Net that learns from them, and boxes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course_lib.modalities.chest_xray import lungs as module
from course_lib.modalities.chest_xray.lungs import boxes_around, draw_phantoms, find_lungs, train_lung_finder


def test_phantoms_are_the_same_for_a_seed_and_the_disease_lies_in_the_lungs() -> None:
    phantoms = draw_phantoms(8, seed=1)
    assert phantoms.films.shape == phantoms.lungs.shape == phantoms.filled.shape == (8, 1, 48, 48)
    assert torch.equal(draw_phantoms(8, seed=1).films, phantoms.films)
    ill = phantoms.take(phantoms.filled.amax(dim=(1, 2, 3)) > 0)
    assert 0 < len(ill.films) < 8
    assert (ill.filled * ill.lungs).sum() > 0.9 * ill.filled.sum()
    assert 0.01 < ill.filled.mean() < ill.filled.max() <= 1
    assert 0.1 < phantoms.lungs.mean() < 0.6


def test_a_box_holds_both_lungs_whatever_a_stray_pixel_does() -> None:
    planes = torch.zeros(2, 1, 50, 50)
    planes[:, :, 10:40, 5:20] = planes[:, :, 10:40, 30:45] = 1
    planes[0, 0, 0, 49] = 1
    expected = torch.tensor([0.1, 0.2, 0.9, 0.8])
    assert torch.allclose(boxes_around(planes), expected.expand(2, 4), atol=0.021)
    whole = boxes_around(torch.zeros(1, 1, 50, 50))[0]
    assert torch.allclose(whole, torch.tensor([0.0, 0.0, 1.0, 1.0]), atol=0.021)


@pytest.mark.slow
def test_a_finder_learns_where_the_lungs_are_and_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CONFIG", replace(module.CONFIG, epochs=5, batch_size=8))
    phantoms = draw_phantoms(120, seed=2)
    finder = train_lung_finder(phantoms.take(torch.arange(110)), tmp_path)
    found = find_lungs(finder, module._Outlined(phantoms.take(torch.arange(110, 120))))
    true = phantoms.lungs[110:]
    assert found.shape == true.shape
    overlap = 2 * ((found > 0.5) * true).sum() / ((found > 0.5).sum() + true.sum())
    assert overlap > 0.7
    train_lung_finder(draw_phantoms(20), tmp_path)
    assert len(list(tmp_path.glob("*.pt"))) == 2
