"""Simulated nodules in films of real people: where they are put, how bright, and in which box."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from course_lib.modalities.chest_findings import inserted_nodules
from course_lib.modalities.chest_findings.inserted_nodules import InsertNodules, Shadow, draw_shadow, insert
from course_lib.support.runtime import seeded
from tests.counted import count_calls

SIDE = 96


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(inserted_nodules, "DIFFERENT", 6)
    inserted_nodules._drawn.cache_clear()
    yield
    inserted_nodules._drawn.cache_clear()


def film() -> np.ndarray:
    """Two dark lungs on a bright body."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    lungs = (((x - 0.31) / 0.17) ** 2 + ((y - 0.45) / 0.3) ** 2 < 1) | (
        ((x - 0.69) / 0.17) ** 2 + ((y - 0.45) / 0.3) ** 2 < 1
    )
    return np.where(lungs, 60, 180).astype(np.float32)


def sample(boxes: list[list[float]]) -> tuple[tv_tensors.Image, dict[str, torch.Tensor]]:
    corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    target = {
        "boxes": tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=(SIDE, SIDE)),
        "labels": torch.full((len(boxes),), 4),
    }
    return tv_tensors.Image(torch.from_numpy(film().astype(np.uint8))[None]), target


def test_what_is_inserted_is_brighter_and_lies_in_its_box() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        before, after = film(), film()
        with seeded(seed):
            x0, y0, x1, y1 = insert(after, draw_shadow(rng, SIDE))
        added = after - before
        assert added.min() >= 0
        assert 0 <= x0 < x1 <= SIDE
        assert 0 <= y0 < y1 <= SIDE
        inside = np.zeros_like(added, dtype=bool)
        inside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
        assert added[inside].sum() > 0.9 * added.sum() > 0


def test_most_lie_where_the_film_is_dark_as_a_lung() -> None:
    shadow = Shadow(np.ones((1, 1), np.float32), (0, 0, 1, 1), is_mass=False)
    dark = []
    for seed in range(60):
        after = film()
        with seeded(seed):
            insert(after, shadow)
        y, x = np.argwhere(after != film())[0]
        dark.append(film()[y, x] < 100)
    assert np.mean(dark) > 0.9


def test_masses_are_larger_than_nodules_and_both_come() -> None:
    rng = np.random.default_rng(1)
    shadows = [draw_shadow(rng, 384) for _ in range(60)]
    sides = {kind: [one.box[2] - one.box[0] for one in shadows if one.is_mass is kind] for kind in (False, True)}
    assert len(sides[False]) > 15 < len(sides[True])
    assert np.median(sides[True]) > 2 * np.median(sides[False])


def test_only_shadows_that_are_taken_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserted_nodules, "DIFFERENT", 50)
    computed = count_calls(monkeypatch, inserted_nodules, "chord")
    with seeded(0):
        _, more = InsertNodules(0, 1, healthy=1.0)(*sample([]))
    assert len(computed) == len(more["labels"]) < 50
    with seeded(0):
        InsertNodules(0, 1, healthy=1.0)(*sample([]))
    assert len(computed) == len(more["labels"]), "and only once"


def test_a_longer_one_is_higher_and_narrower() -> None:
    drawn = inserted_nodules._draw(np.random.default_rng(3), 384)
    high, wide = (replace(drawn, longer=longer).shadow.box for longer in (1.25, 0.8))
    assert high[3] - high[1] > 1.3 * (wide[3] - wide[1])
    assert wide[2] - wide[0] > 1.3 * (high[2] - high[0])


def test_boxes_and_labels_come_behind_those_that_were_there() -> None:
    image, target = sample([[30, 30, 50, 50]])
    with seeded(0):
        changed, more = InsertNodules(0, 1, others=1.0)(image, target)
    assert len(more["boxes"]) == len(more["labels"]) > 1
    assert more["boxes"][0].tolist() == [30, 30, 50, 50]
    assert more["labels"][0] == 4
    assert set(more["labels"][1:].tolist()) <= {0, 1}
    assert isinstance(more["boxes"], tv_tensors.BoundingBoxes)
    assert (changed != image).any()
    assert len(target["boxes"]) == 1, "what was given stays as it is"
    assert torch.equal(image, sample([])[0])


def test_a_chance_of_zero_leaves_a_film_as_it_is() -> None:
    image, target = sample([])
    changed, same = InsertNodules(0, 1, healthy=0.0)(image, target)
    assert torch.equal(changed, image)
    assert len(same["boxes"]) == 0


def test_one_seed_gives_one_film() -> None:
    change = InsertNodules(0, 1, healthy=1.0)
    films = []
    for seed in (3, 3, 4):
        with seeded(seed):
            films.append(change(*sample([]))[0])
    assert torch.equal(films[0], films[1])
    assert not torch.equal(films[0], films[2])


def test_a_film_of_one_grey_is_no_trouble() -> None:
    flat = np.full((SIDE, SIDE), 255, np.float32)
    with seeded(0):
        box = insert(flat, draw_shadow(np.random.default_rng(0), SIDE))
    assert np.isfinite(flat).all()
    assert np.isfinite(box).all()


@pytest.mark.parametrize("name", ["healthy", "others", "second"])
def test_a_chance_beyond_1_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be from 0 to 1, but is 1\.5"):
        InsertNodules(0, 1, **{name: 1.5})
